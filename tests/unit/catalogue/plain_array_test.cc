// SPDX-License-Identifier: AGPL-3.0-or-later
// What tests of the operations rely on: that their array keeps the contract of the ports, and
// notices a caller that does not.
#include "fakes/plain_array.h"

#include <gmock/gmock.h>
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include "fakes/fake_clock.h"

namespace ontapnvme::fakes {
namespace {

using catalogue::Mapping;
using testing::ElementsAre;
using testing::IsEmpty;

VolumeName Name(const std::string& text) {
  return *VolumeName::Parse(text);
}

SnapshotName Snap(const std::string& text) {
  return *SnapshotName::Parse(text);
}

class PlainArrayTest : public testing::Test {
 protected:
  catalogue::Neighbours NeighboursOf(std::uint64_t vmid) {
    return *array.disks().ListNeighbours({vmid}, std::nullopt, deadline);
  }

  FakeClock clock;
  const Deadline deadline{clock, std::chrono::hours(1)};
  PlainArray array;
  PlainWorld& world = array.world;
};

TEST_F(PlainArrayTest, ContainerAndNamespaceAreOneObject) {
  const auto made = array.disks().Make(Name("vm-100-disk-0"), GiB(1), {}, deadline);
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(made->volume.container, made->ns->uuid);
  EXPECT_EQ(made->volume.mark.owner, Owner::kOurs);
  const auto found = array.disks().Find(Name("vm-100-disk-0"), deadline);
  ASSERT_TRUE(found.is_present());
  EXPECT_EQ(found->ns->uuid, made->ns->uuid);
}

TEST_F(PlainArrayTest, DisksOfOthersAreNeitherFoundNorListed) {
  world.AddForeign("vm-100-disk-0");
  EXPECT_TRUE(array.disks().Find(Name("vm-100-disk-0"), deadline).is_absent());
  EXPECT_THAT(*array.disks().List({}, deadline), IsEmpty());
  EXPECT_THAT(NeighboursOf(100).ours, IsEmpty());
  EXPECT_EQ(NeighboursOf(100).foreign.size(), 1U);
}

TEST_F(PlainArrayTest, SnapshotsRestoresAndClonesHoldTheBytesOfTheirTime) {
  world.AddDisk("vm-100-disk-0", "then");
  ASSERT_TRUE(
      array.snapshots().Take(Name("vm-100-disk-0"), Snap("a"), NewOperationId(), deadline).ok());
  world.Disk("vm-100-disk-0")->content = "now";
  const auto neighbours = NeighboursOf(100);
  ASSERT_TRUE(
      array.disks()
          .Clone({Name("vm-100-disk-0"), Snap("a")}, Name("vm-100-disk-1"), neighbours, deadline)
          .ok());
  EXPECT_EQ(world.Disk("vm-100-disk-1")->content, "then");
  const auto history = array.snapshots().ReadDiskHistory(Name("vm-100-disk-0"), deadline);
  ASSERT_TRUE(array.snapshots().RestoreDisk(*history, Snap("a"), deadline).ok());
  EXPECT_EQ(world.Disk("vm-100-disk-0")->content, "then");
}

TEST_F(PlainArrayTest, SnapshotThatACloneNeedsIsHeld) {
  world.AddDisk("vm-100-disk-0");
  ASSERT_TRUE(
      array.snapshots().Take(Name("vm-100-disk-0"), Snap("a"), NewOperationId(), deadline).ok());
  ASSERT_TRUE(
      array.snapshots().Take(Name("vm-100-disk-0"), Snap("b"), NewOperationId(), deadline).ok());
  ASSERT_TRUE(
      array.snapshots().MakeDevice({Name("vm-100-disk-0"), Snap("a"), "nqn.x"}, deadline).ok());
  const auto held = array.snapshots().Delete(Name("vm-100-disk-0"), Snap("a"), deadline);
  ASSERT_TRUE(FailedWith(held, ErrorCode::kBusy));
  EXPECT_EQ(held.error().origin().refusal, Refusal::kHeldByClones);
  EXPECT_TRUE(array.snapshots().Delete(Name("vm-100-disk-0"), Snap("b"), deadline).ok());
}

TEST_F(PlainArrayTest, HistoryHasNoGroupUnlessTheWorldHas) {
  world.AddDisk("vm-100-disk-0");
  world.AddDisk("vm-100-disk-1");
  world.AddDisk("vm-100-cloudinit");
  const auto alone = array.snapshots().ReadHistory(Name("vm-100-disk-0"), deadline);
  EXPECT_FALSE(alone->group.has_value());
  EXPECT_EQ(alone->disks.size(), 1U);
  world.has_groups = true;
  const auto grouped = array.snapshots().ReadHistory(Name("vm-100-disk-0"), deadline);
  EXPECT_TRUE(grouped->group.has_value());
  EXPECT_THAT(grouped->members, ElementsAre(Name("vm-100-disk-0"), Name("vm-100-disk-1")));
  EXPECT_FALSE(
      array.snapshots().ReadHistory(Name("vm-100-cloudinit"), deadline)->group.has_value());
}

TEST_F(PlainArrayTest, CallFailsOnceBeforeOrAfterItTookEffect) {
  world.FailNext("Make", Error(ErrorCode::kNoSpace, "full"));
  world.FailNext("Make", Error(ErrorCode::kUnavailable, "lost"), PlainWorld::Effect::kDone);
  EXPECT_TRUE(FailedWith(array.disks().Make(Name("vm-100-disk-0"), GiB(1), {}, deadline),
                         ErrorCode::kNoSpace));
  EXPECT_TRUE(world.all().empty());
  EXPECT_TRUE(FailedWith(array.disks().Make(Name("vm-100-disk-0"), GiB(1), {}, deadline),
                         ErrorCode::kUnavailable));
  EXPECT_EQ(world.all().size(), 1U);
  EXPECT_TRUE(array.disks().Make(Name("vm-100-disk-1"), GiB(1), {}, deadline).ok());
}

TEST_F(PlainArrayTest, SilentArrayAnswersWhatIsRememberedOnly) {
  ASSERT_TRUE(array.Target("nqn.host", deadline).ok());
  world.silence = Error(ErrorCode::kUnavailable, "no answer");
  EXPECT_TRUE(array.disks().Find(Name("vm-100-disk-0"), deadline).is_unknown());
  EXPECT_TRUE(array.Target("", deadline).ok());
  EXPECT_FALSE(array.RefreshTarget("", deadline).ok());
  array.Forget();
  EXPECT_FALSE(array.Target("", deadline).ok());
}

TEST_F(PlainArrayTest, LostNameGoesToSomebodyElse) {
  world.names_to_lose = 1;
  const auto lost = array.disks().Make(Name("vm-100-disk-0"), GiB(1), {}, deadline);
  ASSERT_TRUE(FailedWith(lost, ErrorCode::kAlreadyExists));
  EXPECT_EQ(lost.error().origin().refusal, Refusal::kNameLost);
  EXPECT_EQ(NeighboursOf(100).foreign.size(), 1U);
}

TEST_F(PlainArrayTest, ExpiredBudgetAsksNothing) {
  const Deadline over(clock, Duration(0));
  EXPECT_TRUE(FailedWith(array.disks().Make(Name("vm-100-disk-0"), GiB(1), {}, over),
                         ErrorCode::kTimedOut));
  EXPECT_TRUE(world.all().empty());
}

TEST_F(PlainArrayTest, CallsAreRecordedInOrder) {
  (void)array.disks().Find(Name("base-900-disk-0/vm-100-disk-0"), deadline);
  (void)array.Capacity(deadline);
  EXPECT_THAT(world.TakeCalls(), ElementsAre("Find vm-100-disk-0", "Capacity"));
  EXPECT_THAT(world.TakeCalls(), IsEmpty());
}

// ---- callers that break the contract

TEST_F(PlainArrayTest, RemovingAMappedDiskIsNoticed) {
  world.AddDisk("vm-100-disk-0");
  const auto disk = array.disks().Find(Name("vm-100-disk-0"), deadline);
  EXPECT_NONFATAL_FAILURE((void)array.disks().Remove(disk->volume, deadline), "contract");
}

TEST_F(PlainArrayTest, TakingANeighboursNameIsNoticed) {
  world.AddDisk("vm-100-disk-0");
  const auto neighbours = NeighboursOf(100);
  EXPECT_NONFATAL_FAILURE(
      (void)array.disks().Make(Name("vm-100-disk-0"), GiB(1), neighbours, deadline), "contract");
}

TEST_F(PlainArrayTest, LosingNewerSnapshotsIsNoticed) {
  world.AddDisk("vm-100-disk-0");
  world.AddSnapshot("vm-100-disk-0", "pve_snap_a", {});
  world.AddSnapshot("vm-100-disk-0", "hourly.0", {});
  const auto history = array.snapshots().ReadDiskHistory(Name("vm-100-disk-0"), deadline);
  EXPECT_NONFATAL_FAILURE((void)array.snapshots().RestoreDisk(*history, Snap("a"), deadline),
                          "contract");
}

TEST_F(PlainArrayTest, RestoringAGroupThatWasNotOfferedIsNoticed) {
  EXPECT_NONFATAL_FAILURE((void)array.snapshots().RestoreGroup({}, Snap("a"), deadline),
                          "contract");
}

}  // namespace
}  // namespace ontapnvme::fakes
