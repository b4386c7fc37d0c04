// SPDX-License-Identifier: AGPL-3.0-or-later
// Base images that others have converted, and what linked clones of them begin with.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/catalogue/flexvol/rig.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class BaseSnapshotTest : public testing::Test {
 protected:
  BaseSnapshotTest() {
    MakeBase("vm-100-disk-0", "base-100-disk-0");
    Write("t_base_100_disk_0", "first");
  }
  void MakeBase(const std::string& name, const std::string& base) {
    const auto made = rig.disks().TurnIntoBase(rig.Make(name), Rig::Name(base), rig.Budget());
    ASSERT_TRUE(made.ok()) << made.error().Line();
  }
  void Write(const std::string& flexvol, const std::string& text) {
    array.sim.store().Write(array.NamespaceIn(flexvol)->uuid, 0, text);
  }
  Result<Disk> Clone(const std::string& base, const std::string& text) {
    const auto name = Rig::Name(text);
    const auto neighbours = rig.disks().ListNeighbours({name.vmid}, Rig::Name(base), rig.Budget());
    EXPECT_TRUE(neighbours.ok());
    array.ClearLog();
    return rig.disks().Clone({.volume = Rig::Name(base), .snapshot = std::nullopt}, name,
                             *neighbours, rig.Budget());
  }
  // As an earlier release leaves it.
  void Unmark(const std::string& flexvol) { array.FindVolume(flexvol)->comment.clear(); }
  void RemoveSnapshot(const std::string& flexvol) {
    auto& world = array.world();
    world.RemoveSnapshot(
        world.FindSnapshot(array.FindVolume(flexvol)->uuid, std::string(kBaseSnapshot))->uuid);
  }
  // A linked clone of the base image that an earlier release has converted: it takes no snapshot of
  // its own, since one of that name is shown.
  void ConvertClone() {
    ASSERT_TRUE(Clone("base-100-disk-0", "base-100-disk-0/vm-200-disk-0").ok());
    auto* volume = array.FindVolume("t_vm_200_disk_0");
    array.world().LeaveGroup(volume->uuid);
    volume->name = "t_base_200_disk_0";
    Unmark("t_base_200_disk_0");
    array.clock.Advance(std::chrono::seconds(2));
  }
  std::string ParentSnapshotOf(const std::string& flexvol) {
    return array.FindVolume(flexvol)->clone->snapshot_name;
  }

  TestArray array;
  Rig rig{array};
};

TEST_F(BaseSnapshotTest, IsTakenWithTheFirstCloneWhereItIsMissing) {
  Unmark("t_base_100_disk_0");
  RemoveSnapshot("t_base_100_disk_0");
  for (const char* clone : {"vm-300-disk-0", "vm-300-disk-1"}) {
    const auto made = Clone("base-100-disk-0", std::string("base-100-disk-0/") + clone);
    ASSERT_TRUE(made.ok()) << made.error().Line();
  }
  EXPECT_EQ(array.Count(), 5) << "the second clone costs what any does";
  EXPECT_THAT(array.SnapshotsOf("t_base_100_disk_0"), ElementsAre("pve_base"));
  EXPECT_THAT(rig.TakeLog(), HasSubstr("'base-100-disk-0' had no snapshot"));
}

TEST_F(BaseSnapshotTest, OfItsOwnBaseImageIsNotTakenForIt) {
  ConvertClone();
  const auto made = Clone("base-100-disk-0/base-200-disk-0", "base-200-disk-0/vm-300-disk-0");
  ASSERT_TRUE(made.ok()) << made.error().Line();
  EXPECT_THAT(ParentSnapshotOf("t_vm_300_disk_0"), StartsWith("pve_base_"));
  // Proxmox knows it by that name, and it is cloned from the same snapshot again.
  EXPECT_EQ(rig.MustFind("base-200-disk-0").volume.name.Text(), "base-100-disk-0/base-200-disk-0");
  ASSERT_TRUE(Clone("base-100-disk-0/base-200-disk-0", "base-200-disk-0/vm-300-disk-1").ok());
  EXPECT_EQ(ParentSnapshotOf("t_vm_300_disk_1"), ParentSnapshotOf("t_vm_300_disk_0"));
  EXPECT_EQ(array.SnapshotsOf("t_base_200_disk_0").size(), 2U);
}

// Its name says nothing of a base image when it was made of a disk's snapshot.
TEST_F(BaseSnapshotTest, OfAnAncestorIsNotTakenForItEither) {
  ConvertClone();
  array.world().FindSnapshot(array.FindVolume("t_base_200_disk_0")->uuid, "pve_base")->name =
      "pve_snap_s1";
  array.FindVolume("t_base_200_disk_0")->clone->snapshot_name = "pve_snap_s1";
  auto older = *array.world().FindSnapshot(array.FindVolume("t_base_100_disk_0")->uuid, "pve_base");
  older.uuid = array.world().NewUuid();
  older.volume_uuid = array.FindVolume("t_base_200_disk_0")->uuid;
  older.create_time -= std::chrono::hours(1);
  array.world().snapshots.Add(older);
  const auto made = Clone("base-200-disk-0", "base-200-disk-0/vm-300-disk-0");
  ASSERT_TRUE(made.ok()) << made.error().Line();
  EXPECT_NE(array.FindVolume("t_vm_300_disk_0")->clone->snapshot_uuid, older.uuid);
}

TEST_F(BaseSnapshotTest, OfItsOwnServesACloneThatWasConverted) {
  ConvertClone();
  array.world().FindSnapshot(array.FindVolume("t_base_200_disk_0")->uuid, "pve_base")->name =
      "pve_snap_s1";
  array.FindVolume("t_base_200_disk_0")->clone->snapshot_name = "pve_snap_s1";
  array.sim.Ctl(
      {{"cmd", "schedule-snapshot"}, {"volume", "t_base_200_disk_0"}, {"name", "pve_base"}});
  ASSERT_TRUE(Clone("base-200-disk-0", "base-200-disk-0/vm-300-disk-0").ok());
  EXPECT_EQ(ParentSnapshotOf("t_vm_300_disk_0"), "pve_base");
  EXPECT_THAT(array.FindVolume("t_base_200_disk_0")->comment, IsEmpty());
}

TEST_F(BaseSnapshotTest, IsNotTakenOfAnEmptyVolume) {
  RemoveSnapshot("t_base_100_disk_0");
  const auto* ns = array.NamespaceIn("t_base_100_disk_0");
  array.world().RemoveNamespace(std::string(ns->uuid));
  const auto made = Clone("base-100-disk-0", "base-100-disk-0/vm-300-disk-0");
  EXPECT_TRUE(FailedWith(made, ErrorCode::kNotFound));
  EXPECT_THAT(array.SnapshotsOf("t_base_100_disk_0"), IsEmpty());
}

// The array says what else is missing in the same words.
TEST_F(BaseSnapshotTest, IsNotTakenWhereItIsThere) {
  array.AddFault({{"method", "POST"},
                  {"path", "/storage/volumes"},
                  {"status", 404},
                  {"code", 1638600},
                  {"times", -1}});
  const auto made = Clone("base-100-disk-0", "base-100-disk-0/vm-300-disk-0");
  ASSERT_TRUE(FailedWith(made, ErrorCode::kNotFound));
  EXPECT_THAT(made.error().Line(), HasSubstr("array_snapshot=pve_base"));
  EXPECT_THAT(array.SnapshotsOf("t_base_100_disk_0"), ElementsAre("pve_base"));
}

TEST_F(BaseSnapshotTest, IsGoneAgainWhenItCannotBeWrittenDown) {
  ConvertClone();
  array.AddFault(
      {{"method", "PATCH"}, {"path", "/storage/volumes/"}, {"status", 500}, {"code", 1}});
  const auto made = Clone("base-100-disk-0/base-200-disk-0", "base-200-disk-0/vm-300-disk-0");
  EXPECT_FALSE(made.ok());
  EXPECT_THAT(array.SnapshotsOf("t_base_200_disk_0"), ElementsAre("pve_base"));
  EXPECT_EQ(array.FindVolume("t_vm_300_disk_0"), nullptr);
}

}  // namespace
}  // namespace ontapnvme::catalogue::flexvol
