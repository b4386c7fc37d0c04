// SPDX-License-Identifier: AGPL-3.0-or-later
// What an administrator may rely on, on an undisturbed array.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "fault/storage_rig.h"

namespace ontapnvme::fault {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class StorageTest : public testing::Test {
 protected:
  StorageTest() { EXPECT_TRUE(rig.storage().Activate().ok()); }

  std::vector<std::string> Listed(StorageRig& of) {
    std::vector<std::string> names;
    const auto listed = of.storage().List(std::nullopt);
    EXPECT_TRUE(listed.ok());
    for (const auto& disk : *listed) names.push_back(disk.volume_name);
    return names;
  }

  TestArray array;
  StorageRig rig{array};
};

TEST_F(StorageTest, DiskLivesAndLeavesNothing) {
  const auto disk = rig.MustAllocate(100, "", 540672 / 1024);
  EXPECT_EQ(disk, "vm-100-disk-0");
  const auto info = rig.storage().Info(disk);
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->size.bytes(), 540672U) << "an EFI disk has exactly this size";
  const auto link = rig.storage().ActivateVolume(disk);
  ASSERT_TRUE(link.ok()) << link.error().Line();
  EXPECT_TRUE(std::filesystem::is_symlink(*link));
  EXPECT_THAT(array.Orphans(), IsEmpty());
  ASSERT_TRUE(rig.storage().DeactivateVolume(disk).ok());
  EXPECT_FALSE(std::filesystem::is_symlink(*link));
  EXPECT_EQ(rig.host().flushed.size(), 1U)
      << "what this node has cached goes before another writes";
  ASSERT_TRUE(rig.storage().Free(disk).ok());
  EXPECT_TRUE(rig.storage().Free(disk).ok()) << "freeing is idempotent";
  EXPECT_THAT(Listed(rig), IsEmpty());
  EXPECT_THAT(array.Orphans(), IsEmpty());
}

TEST_F(StorageTest, NamesAreLowestFreeAndGivenOnesAreKept) {
  EXPECT_EQ(rig.MustAllocate(100), "vm-100-disk-0");
  EXPECT_EQ(rig.MustAllocate(100), "vm-100-disk-1");
  EXPECT_EQ(rig.MustAllocate(100, "vm-100-cloudinit", 4096), "vm-100-cloudinit");
  EXPECT_EQ(rig.MustAllocate(100, "vm-100-state-a-b", 4096), "vm-100-state-a-b");
  EXPECT_EQ(rig.MustAllocate(100, "vm-100-fleece-0", 4096), "vm-100-fleece-0");
  ASSERT_TRUE(rig.storage().Free("vm-100-disk-0").ok());
  EXPECT_EQ(rig.MustAllocate(100), "vm-100-disk-0");
  const auto again = rig.storage().Allocate(100, "vm-100-cloudinit", 4096);
  EXPECT_TRUE(FailedWith(again, ErrorCode::kAlreadyExists));
  EXPECT_TRUE(
      FailedWith(rig.storage().Allocate(100, "vm-101-disk-0", 4096), ErrorCode::kInvalidArgument));
  EXPECT_TRUE(FailedWith(rig.storage().Allocate(100, "", 0), ErrorCode::kInvalidArgument));
  EXPECT_THAT(Listed(rig),
              UnorderedElementsAre("vm-100-disk-0", "vm-100-disk-1", "vm-100-cloudinit",
                                   "vm-100-state-a-b", "vm-100-fleece-0"));
}

TEST_F(StorageTest, OtherOwnersAreInvisibleAndUntouchable) {
  StorageRig other(array, {.cluster_id = "99999999-2222-3333-4444-555555555555", .node = "node9"});
  ASSERT_TRUE(other.storage().Activate().ok());
  const auto mine = rig.MustAllocate(100);
  EXPECT_THAT(Listed(other), IsEmpty());
  // Asked for by name it says why, and is not taken for gone.
  EXPECT_TRUE(FailedWith(other.storage().Info(mine), ErrorCode::kConflict));
  EXPECT_TRUE(FailedWith(other.storage().ActivateVolume(mine), ErrorCode::kConflict));
  EXPECT_TRUE(FailedWith(other.storage().Free(mine), ErrorCode::kConflict));
  EXPECT_EQ(Listed(rig), std::vector<std::string>{mine});
  // The same VMID in both clusters: other number, other group.
  EXPECT_EQ(other.MustAllocate(100), "vm-100-disk-1");
  ASSERT_TRUE(rig.storage().CreateSnapshot(mine, "s1").ok());
  const auto theirs = other.storage().ListSnapshots("vm-100-disk-1");
  ASSERT_TRUE(theirs.ok());
  EXPECT_THAT(*theirs, IsEmpty()) << "a group snapshot reached another owner's disk";
  EXPECT_THAT(array.Orphans(), IsEmpty());
}

TEST_F(StorageTest, UnmarkedDisksOfOlderInstallationsAreOurs) {
  const auto disk = rig.MustAllocate(100);
  for (auto& volume : array.sim.world().volumes) volume.comment.clear();
  for (auto& ns : array.sim.world().namespaces) ns.comment.clear();
  EXPECT_EQ(Listed(rig), std::vector<std::string>{disk});
  EXPECT_TRUE(rig.storage().ActivateVolume(disk).ok());
  EXPECT_TRUE(rig.storage().CreateSnapshot(disk, "s1").ok());
  EXPECT_TRUE(rig.storage().DeleteSnapshot(disk, "s1").ok());
  EXPECT_TRUE(rig.storage().Free(disk).ok());
}

TEST_F(StorageTest, DiskInUseIsNeitherFreedNorReverted) {
  const auto disk = rig.MustAllocate(100);
  ASSERT_TRUE(rig.storage().CreateSnapshot(disk, "s1").ok());
  const auto uuid = *Uuid::Parse(array.sim.world().namespaces.begin()->uuid);
  rig.host().usage[uuid] = {.is_used = true, .by = "process 4711 (kvm)"};
  const auto freed = rig.storage().Free(disk);
  ASSERT_TRUE(FailedWith(freed, ErrorCode::kBusy));
  EXPECT_THAT(freed.error().Line(), HasSubstr("process 4711 (kvm)"));
  EXPECT_TRUE(FailedWith(rig.storage().Rollback(disk, "s1"), ErrorCode::kBusy));
  EXPECT_EQ(Listed(rig), std::vector<std::string>{disk});
  EXPECT_THAT(array.Orphans(), IsEmpty());
}

TEST_F(StorageTest, SnapshotOfTheGroupIsOneMomentAndRollbackRestoresIt) {
  const auto first = rig.MustAllocate(100);
  const auto second = rig.MustAllocate(100);
  rig.Write(first, "old one");
  rig.Write(second, "old two");
  ASSERT_TRUE(rig.storage().CreateSnapshot(first, "s1").ok());
  ASSERT_TRUE(rig.storage().CreateSnapshot(second, "s1").ok());
  EXPECT_EQ(array.sim.world().group_snapshots.size(), 1U);
  rig.Write(first, "new one");
  rig.Write(second, "new two");
  array.clock->Advance(std::chrono::seconds(2));
  for (const auto& disk : {first, second})
    ASSERT_TRUE(rig.storage().CreateSnapshot(disk, "s2").ok());

  // Nobody knows before it was tried that this array overwrites nothing.
  array.Set("namespace_overwrite", "refuse");
  auto blockers = rig.storage().RollbackBlockers(first, "s1");
  ASSERT_TRUE(blockers.ok());
  EXPECT_THAT(*blockers, IsEmpty());
  const auto refused = rig.storage().Rollback(first, "s1");
  ASSERT_TRUE(FailedWith(refused, ErrorCode::kBusy));
  EXPECT_THAT(refused.error().Line(), HasSubstr("'s2'"));
  EXPECT_EQ(rig.Content(first), "new one");

  rig.Restart();  // another task
  blockers = rig.storage().RollbackBlockers(first, "s1");
  ASSERT_TRUE(blockers.ok());
  EXPECT_EQ(*blockers, std::vector<std::string>{"s2"}) << "before the VM is stopped";
  for (const auto& disk : {first, second})
    ASSERT_TRUE(rig.storage().DeleteSnapshot(disk, "s2").ok());
  rig.Restart();
  for (const auto& disk : {first, second}) {
    blockers = rig.storage().RollbackBlockers(disk, "s1");
    ASSERT_TRUE(blockers.ok());
    EXPECT_THAT(*blockers, IsEmpty());
  }
  for (const auto& disk : {first, second}) {
    const auto restored = rig.storage().Rollback(disk, "s1");
    ASSERT_TRUE(restored.ok()) << restored.error().Line();
  }
  EXPECT_EQ(rig.Content(first), "old one");
  EXPECT_EQ(rig.Content(second), "old two");
  EXPECT_GE(rig.host().flushed.size(), 2U) << "the node's cache of the past must go";
}

TEST_F(StorageTest, RollbackLeavesDisksAloneThatProxmoxDidNotName) {
  const auto attached = rig.MustAllocate(100);
  const auto unused = rig.MustAllocate(100);
  rig.Write(attached, "old");
  rig.Write(unused, "old");
  ASSERT_TRUE(rig.storage().CreateSnapshot(attached, "s1").ok());
  rig.Write(attached, "new");
  rig.Write(unused, "precious");
  ASSERT_TRUE(rig.storage().RollbackBlockers(attached, "s1").ok());
  ASSERT_TRUE(rig.storage().Rollback(attached, "s1").ok());
  EXPECT_EQ(rig.Content(attached), "old");
  EXPECT_EQ(rig.Content(unused), "precious");
}

TEST_F(StorageTest, DiskAddedAfterTheSnapshotDoesNotBlockOrSufferTheRollback) {
  const auto old_disk = rig.MustAllocate(100);
  rig.Write(old_disk, "old");
  ASSERT_TRUE(rig.storage().CreateSnapshot(old_disk, "s1").ok());
  const auto new_disk = rig.MustAllocate(100);
  rig.Write(new_disk, "precious");
  rig.Write(old_disk, "new");
  rig.Restart();
  ASSERT_TRUE(rig.storage().RollbackBlockers(old_disk, "s1").ok());
  const auto restored = rig.storage().Rollback(old_disk, "s1");
  ASSERT_TRUE(restored.ok()) << restored.error().Line();
  EXPECT_EQ(rig.Content(old_disk), "old");
  EXPECT_EQ(rig.Content(new_disk), "precious");
}

TEST_F(StorageTest, RollbackWorksWhereMappedNamespacesMayNotBeReverted) {
  array.Set("restore_mapped", "refuse");
  const auto disk = rig.MustAllocate(100);
  rig.Write(disk, "old");
  ASSERT_TRUE(rig.storage().CreateSnapshot(disk, "s1").ok());
  rig.Write(disk, "new");
  ASSERT_TRUE(rig.storage().RollbackBlockers(disk, "s1").ok());
  const auto restored = rig.storage().Rollback(disk, "s1");
  ASSERT_TRUE(restored.ok()) << restored.error().Line();
  EXPECT_EQ(rig.Content(disk), "old");
  EXPECT_THAT(array.Orphans(), IsEmpty()) << "mapped again";
}

TEST_F(StorageTest, LeftOverSnapshotOfThatNameFailsLoudly) {
  const auto disk = rig.MustAllocate(100);
  ASSERT_TRUE(rig.storage().CreateSnapshot(disk, "s1").ok());
  const auto again = rig.storage().CreateSnapshot(disk, "s1");
  ASSERT_TRUE(FailedWith(again, ErrorCode::kAlreadyExists));
  rig.Restart();
  const auto other_task = rig.storage().CreateSnapshot(disk, "s1");
  ASSERT_TRUE(FailedWith(other_task, ErrorCode::kAlreadyExists)) << "never reused";
}

TEST_F(StorageTest, DeletedSnapshotDoesNotAnswerForALaterOne) {
  const auto first = rig.MustAllocate(100);
  const auto second = rig.MustAllocate(100);
  ASSERT_TRUE(rig.storage().CreateSnapshot(first, "s1").ok());
  ASSERT_TRUE(rig.storage().DeleteSnapshot(first, "s1").ok());
  // Proxmox gave the first attempt up after one disk; the next begins with the other disk.
  ASSERT_TRUE(rig.storage().CreateSnapshot(second, "s1").ok());
  EXPECT_EQ(rig.storage().ListSnapshots(second)->size(), 1U);
}

TEST_F(StorageTest, CloudInitAndStateAreNotInTheGroupAndAreSnapshottedAlone) {
  rig.MustAllocate(100);
  const auto ci = rig.MustAllocate(100, "vm-100-cloudinit", 4096);
  EXPECT_EQ(array.sim.world().groups.begin()->volume_uuids.size(), 1U);
  ASSERT_TRUE(rig.storage().CreateSnapshot(ci, "s1").ok());
  EXPECT_EQ(array.sim.world().group_snapshots.size(), 0U);
  ASSERT_TRUE(rig.storage().DeleteSnapshot(ci, "s1").ok());
  EXPECT_THAT(*rig.storage().ListSnapshots(ci), IsEmpty());
}

TEST_F(StorageTest, ResizeGrowsVolumeAndNamespaceAndNeverShrinks) {
  const auto disk = rig.MustAllocate(100, "", 1024);
  ASSERT_TRUE(rig.storage().ActivateVolume(disk).ok());
  const auto resized = rig.storage().Resize(disk, std::uint64_t{10} << 30U);
  ASSERT_TRUE(resized.ok()) << resized.error().Line();
  EXPECT_EQ(rig.storage().Info(disk)->size, GiB(10));
  EXPECT_GT(array.sim.world().volumes.begin()->size_bytes, 0U);
  EXPECT_TRUE(FailedWith(rig.storage().Resize(disk, 4096), ErrorCode::kInvalidArgument));
  EXPECT_TRUE(rig.storage().Resize(disk, std::uint64_t{10} << 30U).ok()) << "idempotent";
}

TEST_F(StorageTest, UnmappedDiskIsMappedAgainByActivation) {
  const auto disk = rig.MustAllocate(100);
  array.sim.world().Unmap(&*array.sim.world().namespaces.begin());
  const auto link = rig.storage().ActivateVolume(disk);
  ASSERT_TRUE(link.ok()) << link.error().Line();
  EXPECT_THAT(array.Orphans(), IsEmpty());
}

TEST_F(StorageTest, DeviceWhosePathsAreAllDeadIsNotHandedOut) {
  const auto disk = rig.MustAllocate(100);
  rig.live_paths = 0;
  const auto refused = rig.storage().ActivateVolume(disk);
  ASSERT_TRUE(FailedWith(refused, ErrorCode::kUnavailable));
  EXPECT_NE(refused.error().Line().find("every path"), std::string::npos);
  EXPECT_FALSE(std::filesystem::is_symlink(rig.link(disk)));
  rig.live_paths = 1;
  EXPECT_TRUE(rig.storage().ActivateVolume(disk).ok());
}

// The disk has gone to another VM, and a new one has its name: a link that was left is turned.
TEST_F(StorageTest, NameThatIsUsedAgainAfterARenameIsTheNewDisk) {
  const auto disk = rig.MustAllocate(100);
  ASSERT_TRUE(rig.storage().ActivateVolume(disk).ok());
  const auto old_device = std::filesystem::read_symlink(rig.link(disk));
  const auto renamed = rig.storage().Rename(disk, 200, "");
  ASSERT_TRUE(renamed.ok());
  ASSERT_EQ(rig.MustAllocate(100), disk);
  ASSERT_TRUE(rig.storage().ActivateVolume(disk).ok());
  ASSERT_TRUE(rig.storage().ActivateVolume(*renamed).ok());
  EXPECT_NE(std::filesystem::read_symlink(rig.link(disk)), old_device);
  EXPECT_EQ(std::filesystem::read_symlink(rig.link(*renamed)), old_device);
}

TEST_F(StorageTest, EveryMissingPathIsRepairedAndALiveOneDoesNotHideIt) {
  ASSERT_EQ(rig.host().controllers.size(), 2U);
  rig.host().controllers.pop_back();
  ASSERT_TRUE(rig.storage().Activate().ok());
  EXPECT_EQ(rig.host().controllers.size(), 2U);
  // An address that refuses is a warning once, and not tried again at the next poll.
  const auto gone = rig.host().controllers.back().traddr;
  rig.host().controllers.pop_back();
  rig.host().unreachable.insert(gone);
  const auto tries = rig.host().connect_calls.size();
  ASSERT_TRUE(rig.storage().Activate().ok());
  ASSERT_TRUE(rig.storage().Activate().ok());
  EXPECT_EQ(rig.host().connect_calls.size(), tries + 1);
  array.clock->Advance(std::chrono::minutes(2));
  rig.host().unreachable.clear();
  ASSERT_TRUE(rig.storage().Activate().ok());
  EXPECT_EQ(rig.host().controllers.size(), 2U);
}

TEST(PathSpellingTest, APathInAnotherSpellingIsNotMissing) {
  TestArray ipv6;
  int number = 0;
  for (auto& lif : ipv6.sim.world().lifs) lif.address = "fd00::" + std::to_string(++number);
  StorageRig rig(ipv6);
  ASSERT_TRUE(rig.storage().Activate().ok());
  const auto made = rig.host().connect_calls.size();
  ASSERT_FALSE(rig.host().controllers.empty());
  for (auto& controller : rig.host().controllers) {
    controller.traddr = "FD00:0:0:0::000" + controller.traddr.substr(6);
  }
  ASSERT_TRUE(rig.storage().Activate().ok());
  EXPECT_EQ(rig.host().connect_calls.size(), made);
}

TEST_F(StorageTest, NoPathAtAllIsAnErrorThatNamesEachAddress) {
  rig.host().controllers.clear();
  for (const auto& lif : array.sim.world().lifs) rig.host().unreachable.insert(lif.address);
  const auto activated = rig.storage().Activate();
  ASSERT_TRUE(FailedWith(activated, ErrorCode::kUnavailable));
  EXPECT_THAT(activated.error().Line(), HasSubstr("connection refused"));
}

TEST_F(StorageTest, SilentArrayDoesNotTakeDisksAwayFromANodeWithLivePaths) {
  array.AddFault({{"never_answer", true}, {"times", -1}});
  EXPECT_TRUE(rig.storage().CheckConnection());
  EXPECT_TRUE(rig.storage().Activate().ok()) << "from what the node remembers";
  const auto before = array.clock->Now();
  const auto capacity = rig.storage().Capacity();
  EXPECT_TRUE(FailedWith(capacity, ErrorCode::kTimedOut));
  EXPECT_EQ(array.clock->Now(), before) << "a silent array is waited for once per poll";
  rig.host().controllers.clear();
  EXPECT_FALSE(rig.storage().CheckConnection());
}

TEST_F(StorageTest, StorageWithDisksIsNotRemoved) {
  const auto disk = rig.MustAllocate(100);
  const auto refused = rig.storage().RequireEmpty();
  ASSERT_TRUE(FailedWith(refused, ErrorCode::kBusy));
  EXPECT_THAT(refused.error().Line(), HasSubstr(disk));
  ASSERT_TRUE(rig.storage().Free(disk).ok());
  EXPECT_TRUE(rig.storage().RequireEmpty().ok());
  EXPECT_TRUE(rig.storage().Forget().ok());
  EXPECT_THAT(rig.host().controllers, IsEmpty());
}

// A unit that is stopped by hand, say, while guests run.
TEST_F(StorageTest, ForgettingLeavesAloneWhatIsInUse) {
  StorageRig node(array, {.has_device_files = true});
  ASSERT_TRUE(node.storage().Activate().ok());
  const auto used = node.MustAllocate(100);
  const auto idle = node.MustAllocate(101);
  for (const auto& disk : {used, idle}) ASSERT_TRUE(node.storage().ActivateVolume(disk).ok());
  const auto uuid = *Uuid::Parse(array.sim.world().namespaces.begin()->uuid);
  node.host().usage[uuid] = {.is_used = true, .by = "process 4711 (kvm)"};
  ASSERT_TRUE(node.storage().Forget().ok());
  EXPECT_TRUE(std::filesystem::is_symlink(node.link(used)));
  EXPECT_FALSE(std::filesystem::is_symlink(node.link(idle)));
  EXPECT_FALSE(node.host().controllers.empty());
}

TEST_F(StorageTest, DeletedDiskStaysRecoverableUnlessForced) {
  ASSERT_TRUE(rig.storage().Free(rig.MustAllocate(100)).ok());
  EXPECT_EQ(array.sim.world().recovery_queue.size(), 1U);
  StorageRig forced(array, {.settings = {{"force_delete", "1"}}});
  ASSERT_TRUE(forced.storage().Activate().ok());
  ASSERT_TRUE(forced.storage().Free(forced.MustAllocate(101)).ok());
  EXPECT_EQ(array.sim.world().recovery_queue.size(), 1U);
}

TEST_F(StorageTest, SnapshotTakenWhileTheVmStoppedIsNotLost) {
  const auto disk = rig.MustAllocate(100);
  rig.Write(disk, "old");
  ASSERT_TRUE(rig.storage().CreateSnapshot(disk, "s1").ok());
  ASSERT_THAT(*rig.storage().RollbackBlockers(disk, "s1"), IsEmpty());
  array.clock->Advance(std::chrono::minutes(1));
  array.sim.Ctl(
      {{"cmd", "schedule-snapshot"}, {"volume", "t_vm_100_disk_0"}, {"name", "hourly.1"}});
  rig.Write(disk, "new");
  array.Set("namespace_overwrite", "refuse");
  const auto refused = rig.storage().Rollback(disk, "s1");
  ASSERT_TRUE(FailedWith(refused, ErrorCode::kBusy));
  EXPECT_THAT(refused.error().Line(), HasSubstr("hourly.1"));
  array.Set("namespace_overwrite", "take");
  array.clock->Advance(std::chrono::hours(2));  // what the node remembers is read anew
  ASSERT_TRUE(rig.storage().Activate().ok());
  const auto done = rig.storage().Rollback(disk, "s1");
  ASSERT_TRUE(done.ok()) << done.error().Line();
  EXPECT_EQ(rig.Content(disk), "old");
  EXPECT_EQ(array.sim.world().snapshots.size(), 2U);
}

TEST_F(StorageTest, SlowStopOfTheVmKeepsTheGroupRestore) {
  const auto first = rig.MustAllocate(100);
  const auto second = rig.MustAllocate(100);
  for (const auto& disk : {first, second}) rig.Write(disk, "old");
  for (const auto& disk : {first, second}) {
    ASSERT_TRUE(rig.storage().CreateSnapshot(disk, "s1").ok());
  }
  for (const auto& disk : {first, second}) rig.Write(disk, "new");
  for (const auto& disk : {first, second})
    ASSERT_TRUE(rig.storage().RollbackBlockers(disk, "s1").ok());
  array.clock->Advance(std::chrono::minutes(2));
  array.ClearLog();
  for (const auto& disk : {first, second}) ASSERT_TRUE(rig.storage().Rollback(disk, "s1").ok());
  EXPECT_EQ(array.Count(), 3) << testing::PrintToString(array.Requests());
  EXPECT_EQ(rig.Content(second), "old");
}

TEST_F(StorageTest, SubsystemMadeAnewIsNoticedAtOnce) {
  const auto disk = rig.MustAllocate(100);
  auto& world = array.sim.world();
  world.Unmap(&*world.namespaces.begin());
  world.subsystems.Clear();
  StorageRig other(array, {.node = "node2"});  // makes the subsystem and maps the disk
  ASSERT_TRUE(other.storage().Activate().ok());
  ASSERT_TRUE(other.storage().ActivateVolume(disk).ok());
  const auto link = rig.storage().ActivateVolume(disk);
  ASSERT_TRUE(link.ok()) << link.error().Line();
}

TEST_F(StorageTest, MovedLifsAreNoticedWhenNoPathIsLeft) {
  rig.host().controllers.clear();
  for (auto& lif : array.sim.world().lifs) {
    rig.host().unreachable.insert(lif.address);
    if (lif.CarriesNvme())
      lif.address = "198.51.100." + std::to_string(rig.host().unreachable.size());
  }
  const auto activated = rig.storage().Activate();
  ASSERT_TRUE(activated.ok()) << activated.error().Line();
}

TEST_F(StorageTest, DisksWithoutAGroupJoinWithTheNextNewDisk) {
  const auto first = rig.MustAllocate(100);
  const auto second = rig.MustAllocate(100);
  rig.MustAllocate(100, "vm-100-cloudinit", 4096);
  array.sim.world().groups.Clear();  // as a crash between deleting and making a group leaves it
  rig.MustAllocate(100);
  ASSERT_EQ(array.sim.world().groups.size(), 1U);
  EXPECT_EQ(array.sim.world().groups.begin()->volume_uuids.size(), 3U);
  EXPECT_THAT(array.Orphans(), IsEmpty());
}

class ReleaseTest : public testing::TestWithParam<const char*> {};

TEST_P(ReleaseTest, WholeLifeWorks) {
  TestArray array;
  array.Set("release", GetParam());
  StorageRig rig(array);
  const auto verified = rig.storage().Verify();
  ASSERT_TRUE(verified.ok()) << verified.error().Line();
  ASSERT_TRUE(rig.storage().Activate().ok());
  const auto first = rig.MustAllocate(100);
  const auto second = rig.MustAllocate(100);
  rig.Write(first, "old");
  rig.Write(second, "old");
  // Newer ones take snapshots of their own of a new volume: two of one second count as newer.
  array.clock->Advance(std::chrono::seconds(1));
  for (const auto& disk : {first, second}) {
    const auto made = rig.storage().CreateSnapshot(disk, "s1");
    ASSERT_TRUE(made.ok()) << made.error().Line();
  }
  EXPECT_EQ(array.sim.world().group_snapshots.size(), 1U) << "both disks at one moment";
  rig.Write(first, "new");
  rig.Restart();
  for (const auto& disk : {first, second}) {
    const auto blockers = rig.storage().RollbackBlockers(disk, "s1");
    ASSERT_TRUE(blockers.ok()) << blockers.error().Line();
  }
  for (const auto& disk : {first, second}) {
    const auto restored = rig.storage().Rollback(disk, "s1");
    ASSERT_TRUE(restored.ok()) << restored.error().Line();
  }
  EXPECT_EQ(rig.Content(first), "old");
  rig.Restart();
  for (const auto& disk : {first, second}) {
    const auto deleted = rig.storage().DeleteSnapshot(disk, "s1");
    ASSERT_TRUE(deleted.ok()) << deleted.error().Line();
    EXPECT_THAT(*rig.storage().ListSnapshots(disk), IsEmpty());
  }
  const auto resized = rig.storage().Resize(first, std::uint64_t{1} << 30U);
  ASSERT_TRUE(resized.ok()) << resized.error().Line();
  for (const auto& disk : {first, second}) {
    const auto freed = rig.storage().Free(disk);
    ASSERT_TRUE(freed.ok()) << freed.error().Line();
  }
  EXPECT_THAT(array.Orphans(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Releases, ReleaseTest,
                         testing::Values("9.10.1", "9.11.1", "9.12.1", "9.13.1", "9.14.1", "9.15.1",
                                         "9.16.1", "9.17.1", "9.18.1"));

TEST(GroupTest, IsMadeAnewWhereTheArrayRefusesToChangeIt) {
  TestArray array;
  array.Set("release", "9.17.1");
  array.Set("group_change_with_nvme", "refuse");
  StorageRig rig(array);
  ASSERT_TRUE(rig.storage().Activate().ok());
  for (int i = 0; i < 3; ++i) rig.MustAllocate(100);
  EXPECT_EQ(array.sim.world().groups.size(), 1U);
  EXPECT_EQ(array.sim.world().groups.begin()->volume_uuids.size(), 3U);
  EXPECT_THAT(array.Orphans(), IsEmpty());
}

}  // namespace
}  // namespace ontapnvme::fault
