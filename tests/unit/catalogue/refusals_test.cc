// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/refusals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ontapnvme::catalogue {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(RefusalsTest, MissingVolumeIsNamedWithTheCommandThatListsThem) {
  StorageConfig config;
  config.storage_id = "tank";
  config.svm = "svm1";
  const auto error = VolumeNotFound(config, *VolumeName::Parse("vm-100-disk-0"));
  EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  EXPECT_THAT(error.Line(), HasSubstr("'vm-100-disk-0'"));
  EXPECT_THAT(error.Line(), HasSubstr("pvesm list tank"));
}

TEST(RefusalsTest, SnapshotLeftOverIsShownAsProxmoxKnowsIt) {
  const auto error = SnapshotLeftOver(ArraySnapshotName(*SnapshotName::Parse("s1")),
                                      std::chrono::sys_seconds(std::chrono::seconds(7)));
  EXPECT_EQ(error.code(), ErrorCode::kAlreadyExists);
  EXPECT_THAT(error.Line(), HasSubstr("snapshot 's1'"));
  EXPECT_THAT(error.Line(), HasSubstr("array_name=pve_snap_s1"));
}

TEST(RefusalsTest, ClonesThatHoldAreNamedUpToFive) {
  const Error busy(ErrorCode::kBusy, "cannot delete it");
  EXPECT_FALSE(IsHeldByClones(busy));
  const auto two = HeldByClones(busy, {"vm-1-disk-0", "vm-2-disk-0"});
  EXPECT_TRUE(IsHeldByClones(two));
  EXPECT_THAT(two.Line(), HasSubstr("vm-1-disk-0, vm-2-disk-0"));
  EXPECT_THAT(two.Line(), HasSubstr("remove the clones"));
  const auto six = HeldByClones(busy, {"a", "b", "c", "d", "e", "f"});
  EXPECT_THAT(six.Line(), HasSubstr("clones=6"));
  EXPECT_THAT(six.Line(), HasSubstr("a, b, c, d, e, …"));
}

TEST(RefusalsTest, DevicesOfSnapshotsAreWaitedForAndNotSplit) {
  const Error busy(ErrorCode::kBusy, "cannot delete it");
  const auto devices =
      HeldByClones(busy, {"vm-1-disk-0@a on nqn.node1", "vm-1-disk-0@a on nqn.node2"});
  EXPECT_THAT(devices.Line(), testing::HasSubstr("wait until the task"));
  const auto mixed = HeldByClones(busy, {"vm-1-disk-0@a on nqn.node1", "vm-2-disk-0"});
  EXPECT_THAT(mixed.Line(), testing::HasSubstr("remove the clones"));
}

TEST(RefusalsTest, WithoutClonesItIsTheQueueThatHolds) {
  const auto error = HeldByClones(Error(ErrorCode::kBusy, "cannot delete it"), {});
  EXPECT_TRUE(IsHeldByClones(error));
  EXPECT_THAT(error.Line(), HasSubstr("recovery queue"));
  EXPECT_THAT(error.Line(), Not(HasSubstr("clone_names")));
}

}  // namespace
}  // namespace ontapnvme::catalogue
