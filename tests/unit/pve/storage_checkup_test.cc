// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/checkup/storage_checkup.h"

#include "operations_test.h"

namespace ontapnvme::pve {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class StorageCheckupTest : public OperationsTest {
 protected:
  StorageCheckupTest() {
    Connect();
    world.AddDisk("vm-100-disk-0");
  }
  // "check: text" of what complains.
  std::vector<std::string> Complaints() {
    std::vector<std::string> lines;
    skipped.clear();
    for (const auto& result : operations.checkup.Examine(Budget())) {
      if (result.outcome == CheckOutcome::kSkipped) skipped.push_back(result.check);
      if (result.outcome != CheckOutcome::kWarn && result.outcome != CheckOutcome::kFail) continue;
      lines.push_back(result.check + ": " + result.text);
      EXPECT_FALSE(result.remedy.empty()) << result.check;
    }
    return lines;
  }
  std::vector<std::string> skipped;
};

TEST_F(StorageCheckupTest, NothingIsWrong) {
  EXPECT_THAT(Complaints(), IsEmpty());
  EXPECT_THAT(skipped, IsEmpty());
}

TEST_F(StorageCheckupTest, ADiskThatIsNotServedAndOneNearItsCeilingAreNamed) {
  world.AddDisk("vm-101-disk-0").fault = Error(ErrorCode::kConflict, "it is offline");
  world.AddDisk("vm-102-disk-0").is_near_ceiling = true;
  EXPECT_THAT(Complaints(),
              ElementsAre(AllOf(HasSubstr("disks: "), HasSubstr("101"), Not(HasSubstr("100"))),
                          AllOf(HasSubstr("disk-ceilings: "), HasSubstr("102"))));
}

TEST_F(StorageCheckupTest, OfManyTheFirstAreNamedAndTheRestCounted) {
  for (int vmid = 200; vmid < 209; ++vmid) {
    world.AddDisk("vm-" + std::to_string(vmid) + "-disk-0").is_near_ceiling = true;
  }
  EXPECT_THAT(Complaints(),
              ElementsAre(AllOf(HasSubstr("204"), Not(HasSubstr("205")), HasSubstr("and 4 more"))));
}

TEST_F(StorageCheckupTest, NineTenthsOfTheCapacityAreAWarning) {
  world.capacity = {GiB(1000), GiB(101), GiB(899)};
  EXPECT_THAT(Complaints(), IsEmpty());
  world.capacity = {GiB(1000), GiB(100), GiB(900)};
  EXPECT_THAT(Complaints(), ElementsAre("space: 90 % used"));
}

TEST_F(StorageCheckupTest, WhatCannotBeAskedIsNotKnownAndNothingElse) {
  const Error slow(ErrorCode::kTimedOut, "cannot ask: no answer in time");
  for (const auto& [call, check] : std::vector<std::pair<std::string, std::string>>{
           {"Capacity", "space"}, {"List", "disks"}, {"Connections", "twins"}}) {
    world.FailNext(call, slow);
    EXPECT_THAT(Complaints(),
                ElementsAre(check + ": it is not known: cannot ask: no answer in time"));
  }
}

TEST_F(StorageCheckupTest, AnArrayThatIsSilentIsAskedNothingMore) {
  world.silence = Error(ErrorCode::kUnavailable, "cannot ask: no answer");
  EXPECT_THAT(Complaints(), ElementsAre(HasSubstr("array: ")));
  EXPECT_THAT(skipped, ElementsAre("space", "disks", "disk-ceilings", "left-overs", "twins"));
}

TEST_F(StorageCheckupTest, AnAddressWithoutAPathIsNamed) {
  const auto last = host.controllers.back().traddr;
  host.controllers.pop_back();
  EXPECT_THAT(Complaints(), ElementsAre("missing-paths: there is no path to " + last));
}

// That there is none at all is said by who looks at the node's paths.
TEST_F(StorageCheckupTest, ANodeWithoutPathsIsNoMatterOfTheArray) {
  host.controllers.clear();
  EXPECT_THAT(Complaints(), IsEmpty());
  EXPECT_THAT(skipped, ElementsAre("missing-paths"));
}

TEST_F(StorageCheckupTest, ANodeWithAnothersIdentityIsAFailure) {
  world.connections = {{host.identity.host_nqn, std::string(32, '1'), "10.77.0.2"}};
  EXPECT_THAT(Complaints(), ElementsAre(AllOf(HasSubstr("twins: two nodes share"),
                                              HasSubstr(host.identity.host_nqn))));
}

}  // namespace
}  // namespace ontapnvme::pve
