// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/recovery.h"

#include "operations_test.h"

namespace ontapnvme::pve {
namespace {

using catalogue::Mapping;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class RecoveryTest : public OperationsTest {
 protected:
  RecoveryTest() { Connect(); }
  void Settle() { operations.recovery.SettleIfDue(Budget()); }
  static std::chrono::sys_seconds Seconds(std::chrono::system_clock::time_point time) {
    return std::chrono::floor<std::chrono::seconds>(time);
  }
};

TEST_F(RecoveryTest, ItIsDoneOncePerHour) {
  Settle();
  Settle();
  EXPECT_THAT(world.TakeCalls(), ElementsAre("Look", "ListDevices"));
  clock.Advance(std::chrono::hours(1));
  Settle();
  EXPECT_THAT(world.TakeCalls(), ElementsAre("Look", "ListDevices"));
}

TEST_F(RecoveryTest, LeftOversAreSettledAndToldInOneLine) {
  world.AddHalfMade("vm-100-disk-0");
  world.AddDisk("vm-100-disk-1").mapping = Mapping::kNone;
  Settle();
  EXPECT_EQ(world.Disk("vm-100-disk-0"), nullptr);
  EXPECT_EQ(world.Disk("vm-100-disk-1")->mapping, Mapping::kHere);
  EXPECT_THAT(TakeLines(LogLevel::kWarning),
              ElementsAre(AllOf(HasSubstr("removed empty volume disk/vm-100-disk-0"),
                                HasSubstr("mapped volume disk/vm-100-disk-1"))));
}

TEST_F(RecoveryTest, WhereNothingWasLeftNothingIsSaid) {
  world.AddDisk("vm-100-disk-0");
  Settle();
  EXPECT_THAT(log.Take(), IsEmpty());
}

TEST_F(RecoveryTest, WhatIsYoungerThanAnHourIsLeftAlone) {
  world.AddHalfMade("vm-100-disk-0").create_time =
      Seconds(clock.WallTime() - std::chrono::minutes(59));
  world.AddHalfMade("vm-100-disk-1").create_time =
      Seconds(clock.WallTime() - std::chrono::minutes(61));
  Settle();
  EXPECT_NE(world.Disk("vm-100-disk-0"), nullptr);
  EXPECT_EQ(world.Disk("vm-100-disk-1"), nullptr);
}

TEST_F(RecoveryTest, MemoryLearnsWhatTheSurveyFound) {
  const Uuid unlisted(std::array<std::uint8_t, 16>{9});
  node.disks.Remember(Name("vm-100-disk-9"), unlisted);
  world.AddDisk("base-900-disk-0/vm-100-disk-0");
  Settle();
  EXPECT_EQ(node.disks.Find(Name("vm-100-disk-9")), unlisted) << "not listed is not gone";
  EXPECT_EQ(node.disks.Find(Name("vm-100-disk-0")), UuidOf("vm-100-disk-0"));
}

TEST_F(RecoveryTest, FailedSurveyChangesNothing) {
  const Uuid remembered(std::array<std::uint8_t, 16>{9});
  node.disks.Remember(Name("vm-100-disk-9"), remembered);
  world.AddHalfMade("vm-100-disk-0");
  world.FailNext("Look", Silence());
  Settle();
  EXPECT_EQ(node.disks.Find(Name("vm-100-disk-9")), remembered);
  EXPECT_NE(world.Disk("vm-100-disk-0"), nullptr);
  EXPECT_THAT(TakeLines(LogLevel::kWarning), IsEmpty());
}

TEST_F(RecoveryTest, OneLeftOverThatStaysDoesNotKeepTheOthers) {
  world.AddHalfMade("vm-100-disk-0");
  world.AddHalfMade("vm-100-disk-1");
  world.FailNext("Settle", Silence());
  Settle();
  EXPECT_NE(world.Disk("vm-100-disk-0"), nullptr);
  EXPECT_EQ(world.Disk("vm-100-disk-1"), nullptr);
  EXPECT_THAT(TakeLines(LogLevel::kWarning),
              ElementsAre(AllOf(HasSubstr("disk/vm-100-disk-1"),
                                testing::Not(HasSubstr("disk/vm-100-disk-0")))));
}

TEST_F(RecoveryTest, AbandonedSnapshotDevicesGoAndAreCounted) {
  world.AddDisk("vm-100-disk-0");
  world.AddSnapshot("vm-100-disk-0", "pve_snap_a", {});
  ASSERT_TRUE(array.snapshots()
                  .MakeDevice({Name("vm-100-disk-0"), Snap("a"), host.identity.host_nqn}, Budget())
                  .ok());
  clock.Advance(std::chrono::hours(2));
  Settle();
  EXPECT_EQ(world.all().size(), 1U);
  EXPECT_THAT(TakeLines(LogLevel::kWarning), ElementsAre(HasSubstr("removed 1 snapshot device")));
}

TEST_F(RecoveryTest, DiskWhoseRemovalWasPutOffGoesWhenNothingHoldsIt) {
  world.AddDisk("vm-100-disk-0").is_held_by_deleted = true;
  ASSERT_TRUE(Succeeds(operations.disks.Free(Name("vm-100-disk-0"), Budget())));
  (void)log.Take();
  Settle();
  EXPECT_EQ(world.all().size(), 1U);
  EXPECT_THAT(TakeLines(LogLevel::kWarning), IsEmpty()) << "it stays, and nothing is claimed";
  world.disks().front().is_held_by_deleted = false;
  clock.Advance(std::chrono::hours(1));
  Settle();
  EXPECT_TRUE(world.all().empty());
}

TEST_F(RecoveryTest, AbandonedIsRemovedWithoutWaitingAndDisksAreNot) {
  Settle();  // the turn of this hour is taken
  (void)world.TakeCalls();
  world.AddHalfMade("vm-100-disk-0");
  world.AddDisk("vm-100-disk-1").mapping = Mapping::kNone;
  world.AddDisk("vm-100-disk-2");
  const auto removed = operations.recovery.RemoveAbandoned({"vm-100-disk-2"}, Budget());
  ASSERT_TRUE(Succeeds(removed));
  EXPECT_THAT(*removed, ElementsAre("removed empty volume disk/vm-100-disk-0"));
  EXPECT_EQ(world.Disk("vm-100-disk-0"), nullptr);
  EXPECT_EQ(world.Disk("vm-100-disk-1")->mapping, Mapping::kNone) << "that is no removing";
  EXPECT_NE(world.Disk("vm-100-disk-2"), nullptr);
}

TEST_F(RecoveryTest, NothingIsRemovedWhereADiskIsNotListed) {
  world.AddHalfMade("vm-100-disk-0");
  EXPECT_TRUE(FailedWith(operations.recovery.RemoveAbandoned({"vm-100-disk-0"}, Budget()),
                         ErrorCode::kConflict))
      << "a guest has it";
  EXPECT_TRUE(FailedWith(operations.recovery.RemoveAbandoned({"vm-100-disk-9"}, Budget()),
                         ErrorCode::kConflict));
  node.disks.Remember(Name("vm-100-disk-8"), Uuid(std::array<std::uint8_t, 16>{9}));
  EXPECT_TRUE(FailedWith(operations.recovery.RemoveAbandoned({}, Budget()), ErrorCode::kConflict));
  EXPECT_NE(world.Disk("vm-100-disk-0"), nullptr);
  world.FailNext("Look", Silence());
  EXPECT_FALSE(operations.recovery.RemoveAbandoned({}, Budget()).ok());
}

TEST_F(RecoveryTest, PendingShowsWhatIsLeftWithoutTouchingIt) {
  world.AddHalfMade("vm-100-disk-0");
  world.AddDisk("vm-100-disk-1");
  world.AddSnapshot("vm-100-disk-1", "pve_snap_a", {});
  ASSERT_TRUE(
      array.snapshots().MakeDevice({Name("vm-100-disk-1"), Snap("a"), "nqn.x"}, Budget()).ok());
  const auto pending = operations.recovery.Pending(Budget());
  ASSERT_TRUE(Succeeds(pending));
  EXPECT_THAT(*pending, UnorderedElementsAre("empty volume disk/vm-100-disk-0",
                                             HasSubstr("is shown to nqn.x")));
  EXPECT_EQ(world.all().size(), 3U);
  world.silence = Silence();
  EXPECT_FALSE(operations.recovery.Pending(Budget()).ok());
}

}  // namespace
}  // namespace ontapnvme::pve
