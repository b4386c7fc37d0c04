// SPDX-License-Identifier: AGPL-3.0-or-later
// A snapshot's bytes as a device: shown to one node, seen by no listing, and gone when nobody needs
// it any more.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "fakes/members_file.h"
#include "fakes/temporary_folder.h"
#include "fault/schedule.h"
#include "fault/storage_rig.h"

namespace ontapnvme::fault {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class SnapshotDeviceTest : public testing::Test {
 protected:
  SnapshotDeviceTest() {
    EXPECT_TRUE(rig.storage().Activate().ok());
    disk = rig.MustAllocate(100);
    rig.Write(disk, "then");
    EXPECT_TRUE(rig.storage().CreateSnapshot(disk, "s1").ok());
    rig.Write(disk, "now");
  }

  std::string MustActivate(StorageRig& on) {
    const auto link = on.storage().ActivateSnapshot(disk, "s1");
    EXPECT_TRUE(link.ok()) << link.error().Line();
    return link.ok() ? *link : "";
  }
  std::vector<const sim::Volume*> Devices() {
    std::vector<const sim::Volume*> found;
    for (const auto& volume : array.sim.world().volumes) {
      if (volume.name.starts_with("t_pve_snapshot_device_")) found.push_back(&volume);
    }
    return found;
  }
  std::string ContentOf(const sim::Volume& volume) {
    const auto* ns = array.sim.world().NamespacesOf(volume.uuid).front();
    const auto bytes = array.sim.store().Read(ns->uuid, 0, 16);
    return bytes.substr(0, bytes.find('\0'));
  }
  void UseDevices(StorageRig& on) {
    for (const auto* volume : Devices()) {
      const auto* ns = array.sim.world().NamespacesOf(volume->uuid).front();
      on.host().usage[*Uuid::Parse(ns->uuid)] = {.is_used = true, .by = "process 4711 (qemu-img)"};
    }
  }

  TestArray array;
  fakes::TemporaryFolder cluster;  // what all nodes see
  StorageRig rig{array, {.hosts_directory = cluster / "hosts"}};
  std::string disk;
};

TEST_F(SnapshotDeviceTest, ShowsThatMomentAndIsSeenByNobodyElse) {
  const auto link = MustActivate(rig);
  EXPECT_EQ(link, rig.link("vm-100-disk-0@s1"));
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  ASSERT_EQ(Devices().size(), 1U);
  EXPECT_EQ(ContentOf(*Devices().front()), "then");
  EXPECT_EQ(rig.storage().List(std::nullopt)->size(), 1U);
  EXPECT_EQ(MustActivate(rig), link) << "idempotent";
  EXPECT_EQ(Devices().size(), 1U);
  ASSERT_TRUE(rig.storage().DeactivateSnapshot(disk, "s1").ok());
  EXPECT_FALSE(std::filesystem::is_symlink(link));
  EXPECT_THAT(Devices(), IsEmpty());
  EXPECT_TRUE(rig.storage().DeactivateSnapshot(disk, "s1").ok());
  EXPECT_THAT(array.Orphans(), IsEmpty());
}

// As after a full clone: the VM went to another node, and the snapshot was made anew there. The
// device is a volume of its own since it was split from the disk.
TEST_F(SnapshotDeviceTest, SnapshotThatWasMadeAnewIsNotShownAsItWasBefore) {
  MustActivate(rig);
  auto& device = *const_cast<sim::Volume*>(Devices().front());
  StorageRig other(array, {.node = "node2"});
  ASSERT_TRUE(other.storage().Activate().ok());
  for (auto* snapshot : array.sim.world().SnapshotsOf(device.uuid)) snapshot->is_clone_base = false;
  const auto parent = device.clone;
  device.clone.reset();
  ASSERT_TRUE(other.storage().DeleteSnapshot(disk, "s1").ok());
  array.clock->Advance(std::chrono::seconds(1));
  other.Restart();
  ASSERT_TRUE(other.storage().CreateSnapshot(disk, "s1").ok());
  rig.Restart();
  MustActivate(rig);
  ASSERT_EQ(Devices().size(), 1U);
  EXPECT_EQ(ContentOf(*Devices().front()), "now");
  EXPECT_EQ(Devices().front()->clone->volume_uuid, parent->volume_uuid);
}

// The array lets the snapshot that the device stands on be renamed, and another take its name.
TEST_F(SnapshotDeviceTest, SnapshotThatGotTheNameOfAnotherIsShownItself) {
  MustActivate(rig);
  auto& world = array.sim.world();
  const std::string parent = Devices().front()->clone->volume_uuid;
  const std::string flexvol = world.volumes.Find(parent)->name;
  world.FindSnapshot(parent, "pve_snap_s1")->name = "kept_by_hand";
  const auto taken =
      array.sim.Ctl({{"cmd", "schedule-snapshot"}, {"volume", flexvol}, {"name", "pve_snap_s1"}});
  ASSERT_TRUE(taken.at("ok").get<bool>()) << taken.dump();
  rig.Restart();
  MustActivate(rig);
  ASSERT_EQ(Devices().size(), 1U);
  EXPECT_EQ(ContentOf(*Devices().front()), "now");
}

TEST_F(SnapshotDeviceTest, DiskThatGotTheNameOfAnotherIsShownItself) {
  StorageRig other(array, {.node = "node2"});
  ASSERT_TRUE(other.storage().Activate().ok());
  MustActivate(rig);
  ASSERT_TRUE(other.storage().Rename(disk, 200, "").ok());
  const auto heir = other.storage().Allocate(100, disk, 1024);
  ASSERT_TRUE(heir.ok()) << heir.error().Line();
  rig.Write(disk, "heir");
  other.Restart();
  ASSERT_TRUE(other.storage().CreateSnapshot(disk, "s1").ok());
  rig.Restart();
  MustActivate(rig);
  ASSERT_EQ(Devices().size(), 1U);
  EXPECT_EQ(ContentOf(*Devices().front()), "heir");
}

TEST_F(SnapshotDeviceTest, NameIsGivenAwayWithoutTheDevicesThatCarryIt) {
  const auto link = MustActivate(rig);
  UseDevices(rig);
  const auto held = rig.storage().Rename(disk, 200, "");
  ASSERT_TRUE(FailedWith(held, ErrorCode::kBusy));
  EXPECT_THAT(held.error().Line(), HasSubstr("cannot rename volume 'vm-100-disk-0'"));
  rig.host().usage.clear();
  ASSERT_TRUE(rig.storage().Rename(disk, 200, "").ok());
  EXPECT_FALSE(std::filesystem::is_symlink(link));
  EXPECT_THAT(Devices(), IsEmpty());
}

TEST_F(SnapshotDeviceTest, SnapshotOfAnotherClustersVolumeIsNotShown) {
  StorageRig stranger(array, {.cluster_id = "99999999-2222-3333-4444-555555555555"});
  ASSERT_TRUE(stranger.storage().Activate().ok());
  EXPECT_FALSE(stranger.storage().ActivateSnapshot(disk, "s1").ok());
  EXPECT_THAT(Devices(), IsEmpty());
}

TEST_F(SnapshotDeviceTest, NodesDoNotDisturbEachOther) {
  StorageRig other(array, {.node = "node2"});
  ASSERT_TRUE(other.storage().Activate().ok());
  MustActivate(rig);
  MustActivate(other);
  EXPECT_EQ(Devices().size(), 2U);
  ASSERT_TRUE(rig.storage().DeactivateSnapshot(disk, "s1").ok());
  EXPECT_EQ(Devices().size(), 1U);
  ASSERT_TRUE(other.storage().DeactivateSnapshot(disk, "s1").ok());
  EXPECT_THAT(Devices(), IsEmpty());
}

TEST_F(SnapshotDeviceTest, GoesWithTheDeactivationOfTheVolumeUnlessInUse) {
  MustActivate(rig);
  UseDevices(rig);
  EXPECT_TRUE(FailedWith(rig.storage().DeactivateSnapshot(disk, "s1"), ErrorCode::kBusy));
  ASSERT_TRUE(rig.storage().DeactivateVolume(disk).ok());
  EXPECT_EQ(Devices().size(), 1U) << "a reader keeps it";
  rig.host().usage.clear();
  ASSERT_TRUE(rig.storage().DeactivateVolume(disk).ok());
  EXPECT_THAT(Devices(), IsEmpty());
}

TEST_F(SnapshotDeviceTest, GoesWithTheSnapshotAndWithTheVolume) {
  MustActivate(rig);
  rig.Restart();
  const auto deleted = rig.storage().DeleteSnapshot(disk, "s1");
  EXPECT_TRUE(deleted.ok()) << deleted.error().Line();
  EXPECT_THAT(Devices(), IsEmpty());

  ASSERT_TRUE(rig.storage().CreateSnapshot(disk, "s1").ok());
  MustActivate(rig);
  const auto freed = rig.storage().Free(disk);
  EXPECT_TRUE(freed.ok()) << freed.error().Line();
  EXPECT_THAT(Devices(), IsEmpty());
  EXPECT_THAT(array.Orphans(), IsEmpty());
}

TEST_F(SnapshotDeviceTest, DeletingAnotherSnapshotLeavesItAlone) {
  array.clock->Advance(std::chrono::seconds(2));
  ASSERT_TRUE(rig.storage().CreateSnapshot(disk, "s2").ok());
  ASSERT_TRUE(rig.storage().Clone(disk, "s2", 200).ok());
  MustActivate(rig);  // a task is about to read s1
  EXPECT_TRUE(FailedWith(rig.storage().DeleteSnapshot(disk, "s2"), ErrorCode::kBusy));
  EXPECT_EQ(Devices().size(), 1U);
}

TEST_F(SnapshotDeviceTest, ReaderKeepsSnapshotAndVolumeAndIsNamed) {
  MustActivate(rig);
  UseDevices(rig);
  const auto deleted = rig.storage().DeleteSnapshot(disk, "s1");
  ASSERT_TRUE(FailedWith(deleted, ErrorCode::kBusy));
  EXPECT_THAT(deleted.error().Line(), HasSubstr("vm-100-disk-0@s1"));
  EXPECT_TRUE(FailedWith(rig.storage().Free(disk), ErrorCode::kBusy));
  EXPECT_THAT(array.Orphans(), IsEmpty());
}

TEST_F(SnapshotDeviceTest, WhatACrashLeftIsMadeAnew) {
  MustActivate(rig);
  std::filesystem::remove(rig.link("vm-100-disk-0@s1"));  // the node has started again
  const auto before = Devices().front()->uuid;
  MustActivate(rig);
  ASSERT_EQ(Devices().size(), 1U);
  EXPECT_NE(Devices().front()->uuid, before) << "somebody may have written to it";
}

TEST_F(SnapshotDeviceTest, DoesNotKeepTheSnapshotWhereDeletionGoesThroughTheQueue) {
  array.Set("release", "9.10.1");
  rig.Restart();
  ASSERT_TRUE(rig.storage().Verify().ok());
  MustActivate(rig);
  ASSERT_TRUE(rig.storage().DeactivateSnapshot(disk, "s1").ok());
  const auto deleted = rig.storage().DeleteSnapshot(disk, "s1");
  EXPECT_TRUE(deleted.ok()) << deleted.error().Line();
}

TEST_F(SnapshotDeviceTest, MissingSnapshotLeavesNothing) {
  const auto missing = rig.storage().ActivateSnapshot(disk, "s9");
  ASSERT_TRUE(FailedWith(missing, ErrorCode::kNotFound));
  EXPECT_THAT(missing.error().Line(), HasSubstr("s9"));
  EXPECT_THAT(Devices(), IsEmpty());
}

// Its task has ended, and that node's next poll notices.
TEST_F(SnapshotDeviceTest, DeletionFromAnotherNodeWaitsUntilTheDeviceIsLetGo) {
  for (const unsigned seed : SeedList(5)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Schedule schedule(seed);
    StorageRig here(array, {.node = "node2", .schedule = &schedule});
    StorageRig there(array, {.node = "node3", .schedule = &schedule});
    ASSERT_TRUE(here.storage().Activate().ok());
    ASSERT_TRUE(there.storage().Activate().ok());
    ASSERT_TRUE(here.storage().CreateSnapshot(disk, "s2").ok());
    ASSERT_TRUE(there.storage().ActivateSnapshot(disk, "s2").ok());
    schedule.Add("", [&] {
      const auto gone = here.storage().DeleteSnapshot(disk, "s2");
      EXPECT_TRUE(gone.ok()) << gone.error().Line();
    });
    schedule.Add("", [&] {
      for (int i = 0; i < 20; ++i) schedule.Yield();
      EXPECT_TRUE(there.storage().DeactivateSnapshot(disk, "s2").ok());
    });
    schedule.Run();
    EXPECT_FALSE(rig.SnapshotsOnArray(disk).contains("pve_snap_s2"));
    EXPECT_THAT(Devices(), IsEmpty());
    array.clock->Advance(std::chrono::seconds(30));
  }
}

// ---- of a node that is down

class DeadNodeTest : public SnapshotDeviceTest {
 protected:
  static constexpr std::chrono::minutes kAWhile{11};

  DeadNodeTest() {
    other.emplace(array, RigOptions{.node = "node2", .hosts_directory = cluster / "hosts"});
    SayMembers(true);
    fakes::WriteMembers(other->members_file(), "node2", {{"node1", true}, {"node2", true}});
    EXPECT_TRUE(other->storage().Activate().ok());
    Connect({"node1", "node2"});
    array.clock->Advance(kAWhile);
    MustActivate(*other);
    array.clock->Advance(kAWhile);
  }
  void SayMembers(bool is_other_online, bool is_quorate = true) {
    fakes::WriteMembers(rig.members_file(), "node1", {{"node1", true}, {"node2", is_other_online}},
                        is_quorate);
  }
  void Connect(const std::vector<std::string>& nodes) {
    nlohmann::json controllers = nlohmann::json::array();
    for (const auto& node : nodes) {
      controllers.push_back(
          {{"id", "0041h"}, {"host", {{"nqn", "nqn.2014-08.org.nvmexpress:uuid:" + node}}}});
    }
    const auto told =
        array.sim.Ctl({{"cmd", "controllers"}, {"subsystem", "pve"}, {"controllers", controllers}});
    ASSERT_TRUE(told.at("ok").get<bool>()) << told.dump();
  }
  // Two tries of a task of this node, some minutes apart.
  Status Delete() {
    rig.Restart();
    const auto first = rig.storage().DeleteSnapshot(disk, "s1");
    if (first.ok()) return first;
    array.clock->Advance(kAWhile);
    rig.Restart();
    return rig.storage().DeleteSnapshot(disk, "s1");
  }

  std::optional<StorageRig> other;
};

TEST_F(DeadNodeTest, ItsDeviceGoesWhenTheArrayAndTheClusterHaveLostIt) {
  other.reset();
  Connect({"node1"});
  SayMembers(false);
  rig.Restart();
  EXPECT_FALSE(rig.storage().DeleteSnapshot(disk, "s1").ok()) << "one look is none";
  const auto gone = Delete();
  EXPECT_TRUE(gone.ok()) << gone.error().Line();
  EXPECT_THAT(Devices(), IsEmpty());
  EXPECT_THAT(rig.SnapshotsOnArray(disk), IsEmpty());
}

TEST_F(DeadNodeTest, ItsDeviceGoesWithTheHourlyLookOfAnother) {
  other.reset();
  Connect({"node1"});
  SayMembers(false);
  for (int hour = 0; hour < 3; ++hour) {
    array.clock->Advance(std::chrono::minutes(70));
    rig.Restart();
    rig.MustAllocate(901);
  }
  EXPECT_THAT(Devices(), IsEmpty());
}

TEST_F(DeadNodeTest, EachOfTheTwoAloneMayBeWrong) {
  Connect({"node1"});
  const auto of_array = Delete();
  ASSERT_FALSE(of_array.ok())
      << "its data network is gone, or the list lags: it waits for its paths";
  EXPECT_EQ(of_array.error().code(), ErrorCode::kBusy);
  EXPECT_THAT(of_array.error().Line(), HasSubstr("node2"));
  Connect({"node1", "node2"});
  SayMembers(false);
  EXPECT_FALSE(Delete().ok()) << "its cluster network is gone: it still reads";
  Connect({"node1"});
  SayMembers(false, /*is_quorate=*/false);
  EXPECT_FALSE(Delete().ok()) << "it is this node that is alone";
  std::filesystem::remove(rig.members_file());
  EXPECT_FALSE(Delete().ok()) << "nothing is known";
  EXPECT_EQ(Devices().size(), 1U);
}

// What the array lists of connections is some minutes old: a node that came up a moment ago is not in
// it yet. Of the two, the cluster's word is wrong here as well: it is told late.
TEST_F(DeadNodeTest, TwoLooksHoldAgainstAListThatLags) {
  array.Set("connection_list_lag_s", "300");
  Connect({"node1"});
  array.clock->Advance(std::chrono::minutes(6));
  SayMembers(false);
  rig.Restart();
  Connect({"node1", "node2"});  // it is back, and the list does not show it for 5 minutes
  EXPECT_FALSE(rig.storage().DeleteSnapshot(disk, "s1").ok());
  array.clock->Advance(std::chrono::minutes(4));
  rig.Restart();
  EXPECT_FALSE(rig.storage().DeleteSnapshot(disk, "s1").ok());
  for (int i = 0; i < 4; ++i) {
    array.clock->Advance(std::chrono::minutes(4));
    rig.Restart();
    EXPECT_FALSE(rig.storage().DeleteSnapshot(disk, "s1").ok()) << i;
  }
  EXPECT_EQ(Devices().size(), 1U) << "it is read from";
}

}  // namespace
}  // namespace ontapnvme::fault
