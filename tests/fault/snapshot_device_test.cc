// SPDX-License-Identifier: AGPL-3.0-or-later
// A snapshot's bytes as a device: shown to one node, seen by no listing, and gone when nobody needs
// it any more.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

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
  StorageRig rig{array};
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

}  // namespace
}  // namespace ontapnvme::fault
