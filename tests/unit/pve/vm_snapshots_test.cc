// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/vm_snapshots.h"

#include "operations_test.h"

namespace ontapnvme::pve {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

class VmSnapshotsTest : public OperationsTest {
 protected:
  VmSnapshotsTest() {
    Connect();
    for (const char* name :
         {"vm-100-disk-0", "vm-100-disk-1", "vm-100-cloudinit", "vm-101-disk-0"}) {
      world.AddDisk(name, "first");
    }
  }
  Status Create(const std::string& name, const std::string& snapshot = "a") {
    return operations.vm_snapshots.CreateSnapshot(Name(name), Snap(snapshot), Budget());
  }
  Status Delete(const std::string& name, const std::string& snapshot = "a") {
    return operations.vm_snapshots.DeleteSnapshot(Name(name), Snap(snapshot), Budget());
  }
};

// ---- all that are there

TEST_F(VmSnapshotsTest, SnapshotsOfOneNameAreOneOfTheVm) {
  using std::chrono::sys_seconds;
  world.AddSnapshot("vm-100-disk-0", "hourly.2026-11-28_1005", sys_seconds(seconds(20)));
  world.AddSnapshot("vm-100-disk-1", "hourly.2026-11-28_1005", sys_seconds(seconds(21)));
  world.AddSnapshot("vm-100-disk-0", "pve_snap_a", sys_seconds(seconds(10)));
  world.AddSnapshot("vm-100-cloudinit", "odd name", sys_seconds(seconds(30)));
  world.AddSnapshot("vm-101-disk-0", "pve_snap_a", sys_seconds(seconds(5)));
  world.Disk("vm-100-disk-1")->snapshots.back().record.locked_until = sys_seconds(seconds(99));
  world.Disk("vm-100-disk-0")->snapshots.front().record.size = KiB(4);
  (void)world.TakeCalls();
  const auto listed = operations.vm_snapshots.ListVmSnapshots(100, Budget());
  ASSERT_TRUE(Succeeds(listed));
  EXPECT_THAT(world.TakeCalls(), ElementsAre("ListAllSnapshots 100"));
  ASSERT_EQ(listed->size(), 3U);
  const auto& own = (*listed)[0];
  EXPECT_EQ(own.name, "a");
  EXPECT_EQ(own.shown_as, "a");
  EXPECT_EQ(own.array_name, "pve_snap_a");
  EXPECT_EQ(own.kind, "proxmox");
  EXPECT_FALSE(own.is_on_all_disks);
  EXPECT_EQ(own.locked_until_s, 0);
  const auto& hourly = (*listed)[1];
  EXPECT_EQ(hourly.name, "");
  EXPECT_EQ(hourly.shown_as, "~hourly.2026-11-28_1005");
  EXPECT_EQ(hourly.kind, "schedule");
  EXPECT_TRUE(hourly.is_on_all_disks) << "cloud-init is in no snapshot of the VM";
  EXPECT_EQ(hourly.create_time_s, 20);
  EXPECT_EQ(hourly.locked_until_s, 99);
  ASSERT_EQ(hourly.disks.size(), 2U);
  EXPECT_EQ(hourly.disks[0].volume_name, "vm-100-disk-0");
  EXPECT_EQ(hourly.disks[0].size, KiB(4));
  EXPECT_EQ(hourly.disks[0].disk_size, GiB(1));
  EXPECT_EQ(hourly.disks[1].create_time_s, 21);
  const auto& odd = (*listed)[2];
  EXPECT_EQ(odd.shown_as, "") << "no link can be called so";
  EXPECT_FALSE(odd.is_on_all_disks);
  const auto all = operations.vm_snapshots.ListVmSnapshots(std::nullopt, Budget());
  ASSERT_TRUE(Succeeds(all));
  EXPECT_EQ(all->size(), 4U);
  EXPECT_EQ(all->back().vmid, 101U);
  world.FailNext("ListAllSnapshots", Silence());
  EXPECT_FALSE(operations.vm_snapshots.ListVmSnapshots(100, Budget()).ok())
      << "unknown is not none";
}

// ---- where each disk is for itself

TEST_F(VmSnapshotsTest, EachDiskIsSnapshotAloneWhereThereAreNoGroups) {
  ASSERT_TRUE(Succeeds(Create("vm-100-disk-0")));
  ASSERT_TRUE(Succeeds(Create("vm-100-disk-1")));
  EXPECT_THAT(world.TakeCalls(), ElementsAre("Take vm-100-disk-0@a", "Take vm-100-disk-1@a"));
  EXPECT_THAT(world.SnapshotsOf("vm-100-disk-0"), ElementsAre("pve_snap_a"));
  EXPECT_THAT(world.SnapshotsOf("vm-100-cloudinit"), IsEmpty());
}

TEST_F(VmSnapshotsTest, SnapshotThatIsThereIsNeverReused) {
  ASSERT_TRUE(Succeeds(Create("vm-100-disk-0")));
  const auto again = Create("vm-100-disk-0");
  ASSERT_TRUE(FailedWith(again, ErrorCode::kAlreadyExists));
  EXPECT_EQ(again.error().sentence(), "cannot snapshot volume 'vm-100-disk-0'");
}

TEST_F(VmSnapshotsTest, TaskThatIsStoppedHasItsSnapshotOrLeavesNone) {
  for (int polls = 0;; ++polls) {
    SCOPED_TRACE("stopped at poll " + std::to_string(polls));
    interrupt = fakes::FakeInterrupt(polls);
    const auto taken = Create("vm-100-disk-0");
    interrupt = fakes::FakeInterrupt();
    // The guest goes on at once; a poll takes away what there is.
    clock.Advance(seconds(20));
    operations.vm_snapshots.SettleOpen(Budget());
    EXPECT_EQ(world.SnapshotsOf("vm-100-disk-0").empty(), !taken.ok());
    if (taken.ok()) {
      EXPECT_GT(polls, 0);
      break;
    }
    EXPECT_EQ(taken.error().code(), ErrorCode::kInterrupted);
    ASSERT_LT(polls, 50);
  }
}

// ---- what was given up

class GivenUpSnapshotTest : public VmSnapshotsTest {
 protected:
  void GiveUp(fakes::PlainWorld::Effect effect) {
    world.FailNext("Take", Error(Silence()).OutcomeUnknown(), effect);
    const auto taken = Create("vm-100-disk-0");
    ASSERT_FALSE(taken.ok());
    EXPECT_THAT(taken.error().Line(),
                testing::HasSubstr("the array may take it all the same: this node looks for it"));
    (void)world.TakeCalls();
  }
  void Poll(seconds later) {
    clock.Advance(later);
    operations.vm_snapshots.SettleOpen(Budget());
  }
};

TEST_F(GivenUpSnapshotTest, IsRemovedByTheNextPollAndTold) {
  GiveUp(fakes::PlainWorld::Effect::kDone);
  EXPECT_THAT(operations.vm_snapshots.DescribeOpen(),
              ElementsAre("snapshot a of VM 100 was given up: this node removes it if the array "
                          "takes it all the same"));
  Poll(seconds(20));
  EXPECT_THAT(world.SnapshotsOf("vm-100-disk-0"), IsEmpty());
  EXPECT_THAT(
      TakeLines(LogLevel::kWarning),
      ElementsAre("removed snapshot 'a' of VM 100, which the array had taken after the task "
                  "had given it up"));
  EXPECT_THAT(operations.vm_snapshots.DescribeOpen(), IsEmpty());
  (void)world.TakeCalls();
  Poll(seconds(20));
  EXPECT_THAT(world.TakeCalls(), IsEmpty());
}

TEST_F(GivenUpSnapshotTest, IsLookedForUntilItCannotComeAnyMore) {
  GiveUp(fakes::PlainWorld::Effect::kNone);
  Poll(seconds(599));
  Poll(seconds(21));
  EXPECT_EQ(operations.vm_snapshots.DescribeOpen().size(), 1U) << "one look after that is one look";
  Poll(seconds(20));
  EXPECT_THAT(operations.vm_snapshots.DescribeOpen(), IsEmpty());
}

TEST_F(GivenUpSnapshotTest, UnknownIsNotGone) {
  GiveUp(fakes::PlainWorld::Effect::kNone);
  for (int i = 0; i < 100; ++i) {
    world.FailNext("RemoveTaken", Silence());
    Poll(seconds(60));
  }
  EXPECT_EQ(operations.vm_snapshots.DescribeOpen().size(), 1U);
}

TEST_F(GivenUpSnapshotTest, PollsInQuickSuccessionAskOnce) {
  GiveUp(fakes::PlainWorld::Effect::kNone);
  for (int i = 0; i < 3; ++i) Poll(seconds(5));
  EXPECT_THAT(world.TakeCalls(), ElementsAre("RemoveTaken vm-100-disk-0@a"));
}

TEST_F(GivenUpSnapshotTest, FailureOfWhichTheOutcomeIsKnownIsNotLookedFor) {
  world.FailNext("Take", Silence());
  EXPECT_FALSE(Create("vm-100-disk-0").ok());
  EXPECT_THAT(operations.vm_snapshots.DescribeOpen(), IsEmpty());
}

TEST_F(VmSnapshotsTest, CallsForOneSnapshotShareTheirTime) {
  const auto slow = [this] { clock.Advance(seconds(3)); };
  const auto create = [this](const char* name, const char* snapshot) {
    return operations.vm_snapshots.CreateSnapshot(Name(name), Snap(snapshot), Budget(seconds(5)));
  };
  world.DuringNext("Take", slow);
  EXPECT_TRUE(create("vm-100-disk-0", "a").ok());
  clock.Advance(seconds(60));  // which others need
  world.DuringNext("Take", slow);
  EXPECT_TRUE(FailedWith(create("vm-100-disk-1", "a"), ErrorCode::kTimedOut));
  world.DuringNext("Take", slow);
  EXPECT_TRUE(create("vm-100-disk-1", "b").ok()) << "another snapshot";
}

TEST_F(VmSnapshotsTest, PreparingAsksTheArrayAndFailsNothing) {
  world.FailNext("Prepare", Silence());
  operations.vm_snapshots.Prepare(Name("vm-100-disk-0"), Budget());
  EXPECT_THAT(world.TakeCalls(), ElementsAre("Prepare vm-100-disk-0"));
}

TEST_F(VmSnapshotsTest, DeletingWhatIsNotThereSucceeds) {
  EXPECT_TRUE(Succeeds(Delete("vm-100-disk-0")));
  EXPECT_TRUE(Succeeds(Delete("vm-100-disk-9")));
}

TEST_F(VmSnapshotsTest, ListShowsWhatProxmoxMadeOldestFirst) {
  world.AddSnapshot("vm-100-disk-0", "pve_snap_b", std::chrono::sys_seconds(seconds(7)));
  world.AddSnapshot("vm-100-disk-0", "hourly.0", std::chrono::sys_seconds(seconds(8)));
  world.AddSnapshot("vm-100-disk-0", "pve_snap_a", std::chrono::sys_seconds(seconds(9)));
  const auto listed = operations.vm_snapshots.ListSnapshots(Name("vm-100-disk-0"), Budget());
  ASSERT_TRUE(Succeeds(listed));
  ASSERT_EQ(listed->size(), 2U);
  EXPECT_EQ((*listed)[0].name, "b");
  EXPECT_EQ((*listed)[0].create_time_s, 7);
  EXPECT_EQ((*listed)[0].id, world.Disk("vm-100-disk-0")->snapshots[0].record.uuid.Text());
  EXPECT_EQ((*listed)[1].name, "a");
  EXPECT_TRUE(FailedWith(operations.vm_snapshots.ListSnapshots(Name("vm-100-disk-9"), Budget()),
                         ErrorCode::kNotFound));
}

// ---- where the disks of a VM go together

class GroupSnapshotsTest : public VmSnapshotsTest {
 protected:
  GroupSnapshotsTest() { world.has_groups = true; }
};

TEST_F(GroupSnapshotsTest, FirstCallCoversTheOtherDisksOfTheVmAndNoMore) {
  ASSERT_TRUE(Succeeds(Create("vm-100-disk-0")));
  clock.Advance(minutes(5));
  ASSERT_TRUE(Succeeds(Create("vm-100-disk-1")));
  ASSERT_TRUE(Succeeds(Create("vm-100-cloudinit")));
  ASSERT_TRUE(Succeeds(Create("vm-101-disk-0")));
  EXPECT_THAT(world.TakeCalls(), ElementsAre("Take vm-100-disk-0@a", "Take vm-100-cloudinit@a",
                                             "Take vm-101-disk-0@a"));
}

TEST_F(GroupSnapshotsTest, EachDiskIsCoveredOnce) {
  ASSERT_TRUE(Succeeds(Create("vm-100-disk-0")));
  ASSERT_TRUE(Succeeds(Create("vm-100-disk-1")));
  EXPECT_TRUE(FailedWith(Create("vm-100-disk-1"), ErrorCode::kAlreadyExists));
  EXPECT_TRUE(FailedWith(Create("vm-100-disk-0"), ErrorCode::kAlreadyExists));
}

TEST_F(GroupSnapshotsTest, CoverageEndsAfterFiveMinutes) {
  ASSERT_TRUE(Succeeds(Create("vm-100-disk-0")));
  clock.Advance(minutes(5) + Duration(1));
  EXPECT_TRUE(FailedWith(Create("vm-100-disk-1"), ErrorCode::kAlreadyExists));
}

TEST_F(GroupSnapshotsTest, SnapshotOfAnotherNameIsNotCovered) {
  ASSERT_TRUE(Succeeds(Create("vm-100-disk-0", "a")));
  ASSERT_TRUE(Succeeds(Create("vm-100-disk-1", "b")));
  EXPECT_THAT(world.TakeCalls(), ElementsAre("Take vm-100-disk-0@a", "Take vm-100-disk-1@b"));
}

TEST_F(GroupSnapshotsTest, FailedSnapshotCoversNothing) {
  world.FailNext("Take", Silence());
  EXPECT_FALSE(Create("vm-100-disk-0").ok());
  ASSERT_TRUE(Succeeds(Create("vm-100-disk-1")));
  EXPECT_THAT(world.TakeCalls(), ElementsAre("Take vm-100-disk-0@a", "Take vm-100-disk-1@a"));
}

TEST_F(GroupSnapshotsTest, FirstDeletionCoversTheOtherDisksOnceEach) {
  ASSERT_TRUE(Succeeds(Create("vm-100-disk-0")));
  (void)world.TakeCalls();
  ASSERT_TRUE(Succeeds(Delete("vm-100-disk-0")));
  ASSERT_TRUE(Succeeds(Delete("vm-100-disk-1")));
  EXPECT_THAT(world.TakeCalls(), ElementsAre("DeleteSnapshot vm-100-disk-0@a"));
  EXPECT_THAT(world.SnapshotsOf("vm-100-disk-1"), IsEmpty());
  ASSERT_TRUE(Succeeds(Delete("vm-100-disk-1")));
  EXPECT_THAT(world.TakeCalls(), ElementsAre("DeleteSnapshot vm-100-disk-1@a"));
}

// A clean-up of a failed snapshot: what was covered by it must not be taken for the next one's.
TEST_F(GroupSnapshotsTest, DeletedSnapshotCoversNothingAnyMore) {
  ASSERT_TRUE(Succeeds(Create("vm-100-disk-0")));
  ASSERT_TRUE(Succeeds(Delete("vm-100-disk-0")));
  (void)world.TakeCalls();
  ASSERT_TRUE(Succeeds(Create("vm-100-disk-1")));
  EXPECT_THAT(world.TakeCalls(), ElementsAre("Take vm-100-disk-1@a"));
  ASSERT_TRUE(Succeeds(Delete("vm-100-disk-1")));
  EXPECT_THAT(world.SnapshotsOf("vm-100-disk-0"), IsEmpty());
}

// ---- what is in the way

TEST_F(VmSnapshotsTest, WhatThisNodeShowsOfASnapshotDoesNotKeepIt) {
  ASSERT_TRUE(Succeeds(Create("vm-100-disk-0")));
  ASSERT_TRUE(Succeeds(
      operations.snapshot_devices.ActivateSnapshot(Name("vm-100-disk-0"), Snap("a"), Budget())));
  ASSERT_TRUE(Succeeds(Delete("vm-100-disk-0")));
  EXPECT_THAT(world.SnapshotsOf("vm-100-disk-0"), IsEmpty());
  EXPECT_EQ(LinkOf("vm-100-disk-0@a"), "");
  EXPECT_EQ(world.all().size(), 4U);
}

TEST_F(VmSnapshotsTest, SnapshotThatSomebodyReadsIsKept) {
  ASSERT_TRUE(Succeeds(Create("vm-100-disk-0")));
  ASSERT_TRUE(Succeeds(
      operations.snapshot_devices.ActivateSnapshot(Name("vm-100-disk-0"), Snap("a"), Budget())));
  Use(world.all().back().uuid);
  const auto deleted = Delete("vm-100-disk-0");
  ASSERT_TRUE(FailedWith(deleted, ErrorCode::kBusy));
  EXPECT_EQ(deleted.error().sentence(), "cannot delete snapshot 'a' of volume 'vm-100-disk-0'");
  EXPECT_THAT(world.SnapshotsOf("vm-100-disk-0"), ElementsAre("pve_snap_a"));
}

class OtherNodesDeviceTest : public VmSnapshotsTest {
 protected:
  OtherNodesDeviceTest() {
    EXPECT_TRUE(Succeeds(Create("vm-100-disk-0")));
    const auto made = array.snapshots().MakeDevice(
        {Name("vm-100-disk-0"), Snap("a"), "nqn.other-node"}, Budget());
    EXPECT_TRUE(Succeeds(made));
    device = world.all().back().uuid;
    begun = clock.Now();
  }
  // The other node has let go of it when it is looked for that often.
  void LetGoAtLook(int nth) {
    world.DuringNext("ListDevices", [this, nth] {
      if (nth == 1) return world.Erase(device);
      LetGoAtLook(nth - 1);
    });
  }
  Duration Took() { return std::chrono::duration_cast<Duration>(clock.Now() - begun); }

  Uuid device;
  TimePoint begun;
};

TEST_F(OtherNodesDeviceTest, IsWaitedForSomeSeconds) {
  LetGoAtLook(4);  // the first is for this node's own
  EXPECT_TRUE(Succeeds(Delete("vm-100-disk-0")));
  EXPECT_EQ(Took(), seconds(10));
  EXPECT_THAT(world.SnapshotsOf("vm-100-disk-0"), IsEmpty());
}

TEST_F(OtherNodesDeviceTest, IsNotWaitedForBeyondTheTimeOfTheCall) {
  const auto deleted = Delete("vm-100-disk-0");
  EXPECT_TRUE(FailedWith(deleted, ErrorCode::kBusy));
  EXPECT_LE(Took(), seconds(35));
  EXPECT_GE(Took(), seconds(25));
  EXPECT_THAT(world.SnapshotsOf("vm-100-disk-0"), ElementsAre("pve_snap_a"));
}

TEST_F(OtherNodesDeviceTest, OfANodeThatIsDownIsNotWaitedFor) {
  SetCluster(/*is_other_online=*/false);
  EXPECT_TRUE(FailedWith(Delete("vm-100-disk-0"), ErrorCode::kBusy));
  EXPECT_EQ(Took(), seconds(0));
}

TEST_F(OtherNodesDeviceTest, OfAnotherSnapshotIsNotWaitedFor) {
  ASSERT_TRUE(Succeeds(Create("vm-100-disk-0", "b")));
  ASSERT_TRUE(Succeeds(Delete("vm-100-disk-0", "b")));
  EXPECT_EQ(Took(), seconds(0));
}

TEST_F(OtherNodesDeviceTest, TaskThatIsStoppedWaitsNoLonger) {
  interrupt = fakes::FakeInterrupt(8);
  EXPECT_FALSE(Delete("vm-100-disk-0").ok());
  EXPECT_LE(Took(), seconds(5));
}

TEST_F(VmSnapshotsTest, DevicesOfOtherSnapshotsStay) {
  ASSERT_TRUE(Succeeds(Create("vm-100-disk-0", "a")));
  ASSERT_TRUE(Succeeds(Create("vm-100-disk-0", "b")));
  for (const char* snapshot : {"a", "b"}) {
    ASSERT_TRUE(Succeeds(operations.snapshot_devices.ActivateSnapshot(Name("vm-100-disk-0"),
                                                                      Snap(snapshot), Budget())));
  }
  ASSERT_TRUE(Succeeds(Delete("vm-100-disk-0", "a")));
  EXPECT_NE(LinkOf("vm-100-disk-0@b"), "");
}

}  // namespace
}  // namespace ontapnvme::pve
