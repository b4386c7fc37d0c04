// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/flexvol/snapshots.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <utility>

#include "unit/catalogue/flexvol/rig.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class SnapshotsTest : public testing::Test {
 protected:
  SnapshotsTest() {
    rig.Make("vm-100-disk-0");
    rig.Make("vm-100-disk-1");
    rig.Make("vm-100-cloudinit");
    array.ClearLog();
  }
  Result<Coverage> Take(const std::string& name = "vm-100-disk-0") {
    return rig.snapshots().Take(Rig::Name(name), s1, NewOperationId(), rig.Budget());
  }
  Result<Coverage> Delete(const std::string& name = "vm-100-disk-0") {
    return rig.snapshots().Delete(Rig::Name(name), s1, rig.Budget());
  }
  // A snapshot of that name that nobody here made.
  void MakeStray(const std::string& flexvol) {
    array.sim.Ctl({{"cmd", "schedule-snapshot"}, {"volume", flexvol}, {"name", "pve_snap_s1"}});
  }

  TestArray array;
  Rig rig{array};
  const SnapshotName s1 = Rig::Snap("s1");
  const Coverage both = {Rig::Name("vm-100-disk-0"), Rig::Name("vm-100-disk-1")};
};

TEST_F(SnapshotsTest, OneCallCoversTheVm) {
  const auto taken = Take();
  ASSERT_TRUE(taken.ok()) << taken.error().Line();
  EXPECT_EQ(*taken, both);
  EXPECT_EQ(array.Count(), 2);
  EXPECT_THAT(array.SnapshotsOf("t_vm_100_disk_1"), ElementsAre("pve_snap_s1"));
  EXPECT_THAT(array.SnapshotsOf("t_vm_100_cloudinit"), IsEmpty());
  array.ClearLog();
  const auto deleted = Delete();
  ASSERT_TRUE(deleted.ok()) << deleted.error().Line();
  EXPECT_EQ(*deleted, both);
  EXPECT_EQ(array.Count(), 3);
  EXPECT_THAT(array.SnapshotsOf("t_vm_100_disk_1"), IsEmpty());
}

TEST_F(SnapshotsTest, AllOfAVmAreListedWhoeverTookThem) {
  rig.Make("vm-200-disk-0");
  ASSERT_TRUE(Take().ok());
  for (const char* name :
       {"hourly.2026-11-28_1005", "Anti_ransomware_backup.2026-11-28_1000", "x"}) {
    array.sim.Ctl({{"cmd", "schedule-snapshot"}, {"volume", "t_vm_100_disk_0"}, {"name", name}});
  }
  array.world().snapshots.begin()->expiry_time = "2030-01-01T00:00:00Z";
  array.MakeStray("t_vm_100_disk_7", MarkOf(kOtherCluster, "tank"));
  array.sim.Ctl({{"cmd", "schedule-snapshot"}, {"volume", "t_vm_100_disk_7"}, {"name", "x"}});
  array.ClearLog();
  const auto all = rig.snapshots().ListAll(100, rig.Budget());
  ASSERT_TRUE(all.ok()) << all.error().Line();
  EXPECT_EQ(array.Count(), 3);
  ASSERT_EQ(all->size(), 3U) << "another owner's disk is none";
  std::map<std::string, SnapshotKind> kinds;
  int locked = 0;
  for (const auto& disk : *all) {
    EXPECT_EQ(disk.size, MiB(4));
    for (const auto& one : disk.snapshots) {
      kinds.emplace(disk.name.Text() + "@" + one.name.Text(), one.Kind());
      locked += one.locked_until ? 1 : 0;
    }
  }
  EXPECT_THAT(
      kinds, ElementsAre(std::pair("vm-100-disk-0@Anti_ransomware_backup.2026-11-28_1000",
                                   SnapshotKind::kRansomware),
                         std::pair("vm-100-disk-0@hourly.2026-11-28_1005", SnapshotKind::kSchedule),
                         std::pair("vm-100-disk-0@pve_snap_s1", SnapshotKind::kProxmox),
                         std::pair("vm-100-disk-0@x", SnapshotKind::kOther),
                         std::pair("vm-100-disk-1@pve_snap_s1", SnapshotKind::kProxmox)));
  EXPECT_EQ(locked, 1);
}

TEST_F(SnapshotsTest, AllAreListedWhereTheArrayTakesNoStar) {
  ASSERT_TRUE(Take().ok());
  array.Set("bulk_snapshots", "refuse");
  const auto all = rig.snapshots().ListAll(std::nullopt, rig.Budget());
  ASSERT_TRUE(all.ok()) << all.error().Line();
  std::size_t count = 0;
  for (const auto& disk : *all) count += disk.snapshots.size();
  EXPECT_EQ(all->size(), 3U);
  EXPECT_EQ(count, 2U);
}

TEST_F(SnapshotsTest, ThousandsAreListedWithOneRequestAPage) {
  const sim::Volume& volume = *array.FindVolume("t_vm_100_disk_0");
  for (int i = 0; i < 1000; ++i) {
    sim::Snapshot one;
    one.uuid = array.world().NewUuid();
    one.volume_uuid = volume.uuid;
    one.name = "x" + std::to_string(i);
    array.world().snapshots.Add(std::move(one));
  }
  array.ClearLog();
  const auto all = rig.snapshots().ListAll(std::nullopt, rig.Budget());
  ASSERT_TRUE(all.ok()) << all.error().Line();
  EXPECT_EQ(array.Count(), 3) << "volumes and namespaces, and 1,000 snapshots";
}

TEST_F(SnapshotsTest, AListingThatFailsIsNoEmptyOne) {
  array.AddFault({{"method", "GET"}, {"path", "snapshots"}, {"status", 500}, {"times", -1}});
  EXPECT_FALSE(rig.snapshots().ListAll(std::nullopt, rig.Budget()).ok());
}

TEST_F(SnapshotsTest, WhatDoesNotBelongIntoTheGroupLeavesItBefore) {
  array.MakeStray("t_vm_100_state_s0", "");
  array.MakeStray("t_vm_200_disk_0", "");
  array.MakeStray("t_by_hand", "");
  auto& members = array.world().groups.begin()->volume_uuids;
  for (const char* flexvol :
       {"t_vm_100_cloudinit", "t_vm_100_state_s0", "t_vm_200_disk_0", "t_by_hand"}) {
    members.push_back(array.FindVolume(flexvol)->uuid);
  }
  const auto taken = Take();
  ASSERT_TRUE(taken.ok()) << taken.error().Line();
  EXPECT_EQ(*taken, both);
  EXPECT_EQ(array.Count(), 3);
  EXPECT_THAT(array.MembersOf("t_pve_cg_vm_100"),
              ElementsAre("t_vm_100_disk_0", "t_vm_100_disk_1", "t_by_hand"));
  EXPECT_THAT(array.SnapshotsOf("t_vm_100_cloudinit"), IsEmpty());
  EXPECT_THAT(array.SnapshotsOf("t_vm_200_disk_0"), IsEmpty());
}

TEST_F(SnapshotsTest, WhatCannotLeaveTheGroupIsSnapshottedWithIt) {
  array.world().groups.begin()->volume_uuids.push_back(
      array.FindVolume("t_vm_100_cloudinit")->uuid);
  array.Set("group_change_with_nvme", "refuse_oddly");
  const auto taken = Take();
  ASSERT_TRUE(taken.ok()) << taken.error().Line();
  EXPECT_THAT(array.SnapshotsOf("t_vm_100_disk_1"), ElementsAre("pve_snap_s1"));
  EXPECT_THAT(array.SnapshotsOf("t_vm_100_cloudinit"), ElementsAre("pve_snap_s1"));
  EXPECT_EQ(rig.TakeLog(), "");
}

TEST_F(SnapshotsTest, WhatIsNoOrdinaryDiskIsTakenAlone) {
  EXPECT_EQ(*Take("vm-100-cloudinit"), Coverage{Rig::Name("vm-100-cloudinit")});
  EXPECT_THAT(array.SnapshotsOf("t_vm_100_disk_0"), IsEmpty());
  EXPECT_EQ(rig.TakeLog(), "");
  EXPECT_EQ(*Delete("vm-100-cloudinit"), Coverage{Rig::Name("vm-100-cloudinit")});
  EXPECT_THAT(array.SnapshotsOf("t_vm_100_cloudinit"), IsEmpty());
}

TEST_F(SnapshotsTest, DiskOutsideItsGroupIsTakenAloneWithAWarning) {
  array.world().LeaveGroup(array.FindVolume("t_vm_100_disk_0")->uuid);
  EXPECT_EQ(*Take(), Coverage{Rig::Name("vm-100-disk-0")});
  EXPECT_THAT(rig.TakeLog(), HasSubstr("'vm-100-disk-0' is in no consistency group"));
  EXPECT_EQ(*Delete(), Coverage{Rig::Name("vm-100-disk-0")});
}

TEST_F(SnapshotsTest, LostAnswerIsSettledByTheMark) {
  for (const char* name : {"vm-100-disk-0", "vm-100-cloudinit"}) {
    array.AddFault({{"method", "POST"}, {"drop_after", true}});
    EXPECT_TRUE(Take(name).ok()) << name;
    EXPECT_TRUE(array.FaultFired());
    array.ClearFaults();
    EXPECT_TRUE(Delete(name).ok());
  }
}

TEST_F(SnapshotsTest, SnapshotOfThatNameIsNeverReused) {
  ASSERT_TRUE(Take().ok());
  ASSERT_TRUE(Take("vm-100-cloudinit").ok());
  for (const char* name : {"vm-100-disk-0", "vm-100-cloudinit"}) {
    const auto again = Take(name);
    ASSERT_TRUE(FailedWith(again, ErrorCode::kAlreadyExists)) << name;
    EXPECT_THAT(again.error().Line(),
                HasSubstr("the array has a snapshot 's1' of an earlier operation"));
  }
}

TEST_F(SnapshotsTest, MembersOwnSnapshotBlocksTheGroupsAndIsSaidSo) {
  MakeStray("t_vm_100_disk_1");
  const auto taken = Take();
  ASSERT_TRUE(FailedWith(taken, ErrorCode::kAlreadyExists)) << taken.error().Line();
  EXPECT_THAT(array.SnapshotsOf("t_vm_100_disk_0"), IsEmpty());
}

TEST_F(SnapshotsTest, MissingIsDeleted) {
  EXPECT_EQ(*Delete(), Coverage{Rig::Name("vm-100-disk-0")});
  EXPECT_EQ(*Delete("vm-100-disk-7"), Coverage{Rig::Name("vm-100-disk-7")});
}

TEST_F(SnapshotsTest, VolumeThatIsOnlyNotListedKeepsItsSnapshot) {
  ASSERT_TRUE(Take("vm-100-cloudinit").ok());
  array.sim.Ctl(
      {{"cmd", "fault-add"}, {"path", "/storage/volumes\\?"}, {"times", -1}, {"empty", true}});
  const auto deleted = Delete("vm-100-cloudinit");
  array.sim.Ctl({{"cmd", "fault-clear"}});
  EXPECT_TRUE(FailedWith(deleted, ErrorCode::kUnavailable));
  EXPECT_THAT(array.SnapshotsOf("t_vm_100_cloudinit"), ElementsAre("pve_snap_s1"));
}

TEST_F(SnapshotsTest, SnapshotThatIsOnlyNotListedIsDeleted) {
  ASSERT_TRUE(Take("vm-100-cloudinit").ok());
  array.sim.Ctl(
      {{"cmd", "fault-add"}, {"path", "snapshots.*name="}, {"times", 1}, {"empty", true}});
  EXPECT_TRUE(Delete("vm-100-cloudinit").ok());
  EXPECT_TRUE(array.FaultFired());
  EXPECT_THAT(array.SnapshotsOf("t_vm_100_cloudinit"), testing::IsEmpty());
}

TEST_F(SnapshotsTest, WhatIsLeftOfAGroupsSnapshotGoesToo) {
  ASSERT_TRUE(Take().ok());
  // As where the group was made anew since.
  array.world().group_snapshots.Erase(array.world().group_snapshots.begin()->uuid);
  ASSERT_TRUE(Delete().ok());
  EXPECT_THAT(array.SnapshotsOf("t_vm_100_disk_0"), IsEmpty());
  EXPECT_THAT(array.SnapshotsOf("t_vm_100_disk_1"), ElementsAre("pve_snap_s1"))
      << "asked for one by one then";
}

TEST_F(SnapshotsTest, HoldersOfASnapshotAreNamed) {
  ASSERT_TRUE(Take().ok());
  const auto device = rig.snapshots().MakeDevice(
      {.volume = Rig::Name("vm-100-disk-1"), .snapshot = s1, .host_nqn = "nqn.node1"},
      rig.Budget());
  ASSERT_TRUE(device.ok()) << device.error().Line();
  const auto deleted = Delete();
  ASSERT_TRUE(FailedWith(deleted, ErrorCode::kBusy));
  EXPECT_EQ(deleted.error().origin().refusal, Refusal::kHeldByClones);
  EXPECT_EQ(deleted.error().Fact("clone_names"), "vm-100-disk-1@s1 on nqn.node1");
  ASSERT_TRUE(rig.snapshots().RemoveDevice(*device, rig.Budget()).ok());
  EXPECT_TRUE(Delete().ok());
}

TEST_F(SnapshotsTest, ListShowsAllOfTheVolumeOldestFirst) {
  array.sim.Ctl({{"cmd", "schedule-snapshot"}, {"volume", "t_vm_100_disk_0"}, {"name", "hourly"}});
  array.clock.Advance(std::chrono::seconds(5));
  ASSERT_TRUE(Take().ok());
  const auto listed = rig.snapshots().List(Rig::Name("vm-100-disk-0"), rig.Budget());
  ASSERT_TRUE(listed.ok());
  ASSERT_EQ(listed->size(), 2U);
  EXPECT_EQ(listed->front().name.Text(), "hourly");
  EXPECT_EQ(listed->back().name.OfProxmox(), s1);
  EXPECT_TRUE(FailedWith(rig.snapshots().List(Rig::Name("vm-100-disk-9"), rig.Budget()),
                         ErrorCode::kNotFound));
}

TEST_F(SnapshotsTest, GroupSnapshotWithoutAMarkNeedsItsGroupToBeOurs) {
  ASSERT_TRUE(Take().ok());
  array.world().group_snapshots.begin()->comment = "";
  array.FindVolume("t_vm_100_disk_1")->comment = MarkOf(kOtherCluster, "tank");
  const auto deleted = Delete();
  EXPECT_TRUE(deleted.ok());
  EXPECT_THAT(array.SnapshotsOf("t_vm_100_disk_1"), ElementsAre("pve_snap_s1"))
      << "another owner's";
}

}  // namespace
}  // namespace ontapnvme::catalogue::flexvol
