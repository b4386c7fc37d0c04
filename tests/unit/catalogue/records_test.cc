// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/records.h"

#include <gtest/gtest.h>

namespace ontapnvme::catalogue {
namespace {

VolumeName Name(const std::string& text) {
  return *VolumeName::Parse(text);
}

TEST(VmHistoryTest, DiskIsFoundByWhatItIsNotByItsBasePart) {
  VmHistory history;
  for (const char* name : {"vm-100-disk-0", "base-900-disk-0/vm-100-disk-1"}) {
    history.disks.push_back({Name(name), std::string("disk/") + name, Uuid(), std::nullopt, {}});
  }
  EXPECT_EQ(history.Find(Name("vm-100-disk-0")), &history.disks[0]);
  EXPECT_EQ(history.Find(Name("vm-100-disk-1")), &history.disks[1]);
  EXPECT_EQ(history.Find(Name("base-901-disk-0/vm-100-disk-1")), &history.disks[1]);
}

TEST(VmHistoryTest, DiskThatWasNotReadIsNotFound) {
  VmHistory history;
  EXPECT_EQ(history.Find(Name("vm-100-disk-0")), nullptr);
  // A member of the group whose history is missing.
  history.members.insert(Name("vm-100-disk-0"));
  history.disks.push_back({Name("base-100-disk-0"), "x", Uuid(), std::nullopt, {}});
  EXPECT_EQ(history.Find(Name("vm-100-disk-0")), nullptr);
}

TEST(CoverageTest, CloneIsCoveredUnderEitherOfItsSpellings) {
  const Coverage covered = {Name("base-900-disk-0/vm-100-disk-0")};
  EXPECT_TRUE(covered.contains(Name("vm-100-disk-0")));
  EXPECT_FALSE(covered.contains(Name("base-100-disk-0")));
}

TEST(FabricTargetTest, AnyDifferenceMakesAnotherTarget) {
  const FabricTarget target{"nqn.a", {"192.0.2.1"}, "nqn.host"};
  EXPECT_EQ(target, target);
  EXPECT_NE(target, (FabricTarget{"nqn.b", {"192.0.2.1"}, "nqn.host"}));
  EXPECT_NE(target, (FabricTarget{"nqn.a", {"192.0.2.1", "192.0.2.2"}, "nqn.host"}));
  EXPECT_NE(target, (FabricTarget{"nqn.a", {"192.0.2.1"}, ""}));
}

}  // namespace
}  // namespace ontapnvme::catalogue
