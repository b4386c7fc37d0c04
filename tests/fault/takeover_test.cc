// SPDX-License-Identifier: AGPL-3.0-or-later
// What the predecessor left is taken over: each disk is found under its name and is the disk that it was,
// snapshots and templates serve, and nothing is changed that nobody asked for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "fakes/temporary_folder.h"
#include "fault/estate.h"
#include "model/volume_name.h"

namespace ontapnvme::fault {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

std::string LeafOf(const std::string& volume) {
  return volume.substr(volume.find('/') + 1);
}

class TakeoverTest : public testing::Test {
 protected:
  TakeoverTest() { EXPECT_TRUE(rig.storage().Activate().ok()); }

  void NextTask() {
    array.clock->Advance(std::chrono::seconds(2));
    rig.storage().TakeLog();
    rig.Restart();
  }
  std::vector<std::string> Changes() {
    std::vector<std::string> changes;
    for (const auto& request : array.Requests()) {
      if (!request.starts_with("GET ")) changes.push_back(request);
    }
    return changes;
  }
  // All that is on the array but its queue and what comes and goes with a disk of VM 901.
  std::vector<std::string> Picture() {
    auto& world = array.sim.world();
    std::vector<std::string> lines;
    for (const auto& volume : world.volumes) {
      if (volume.is_svm_root || volume.name.find("_901_") != std::string::npos) continue;
      lines.push_back("volume " + volume.uuid + " " + volume.name + " '" + volume.comment + "' " +
                      world.snapshot_policies.Find(volume.snapshot_policy_uuid)->name);
      for (const auto* ns : world.NamespacesOf(volume.uuid)) {
        lines.push_back("namespace " + ns->uuid + " " + world.PathOf(*ns) + " mapped to '" +
                        ns->subsystem_uuid + "' as " + std::to_string(ns->nsid));
      }
      for (const auto* one : world.SnapshotsOf(volume.uuid)) {
        lines.push_back("snapshot " + one->uuid + " " + one->name);
      }
    }
    for (const auto& group : world.groups) {
      std::string line = "group " + group.name;
      for (const auto& uuid : group.volume_uuids) line += " " + uuid;
      if (!group.volume_uuids.empty()) lines.push_back(line);
    }
    return lines;
  }
  std::vector<std::string> MembersOf(std::uint64_t vmid) {
    auto& world = array.sim.world();
    std::vector<std::string> members;
    const auto* group =
        world.FindGroup(world.FindSvm("svm1")->uuid, "t_pve_cg_vm_" + std::to_string(vmid));
    if (group == nullptr) return members;
    for (const auto& uuid : group->volume_uuids) {
      members.push_back(world.volumes.Find(uuid)->name);
    }
    return members;
  }
  // As Proxmox does it: asks for all, then each.
  void RollBack(const std::vector<std::string>& volumes, const std::string& snapshot) {
    NextTask();
    for (const auto& volume : volumes) {
      const auto blockers = rig.storage().RollbackBlockers(volume, snapshot);
      ASSERT_TRUE(blockers.ok()) << blockers.error().Line();
      ASSERT_THAT(*blockers, IsEmpty()) << volume;
    }
    for (const auto& volume : volumes) {
      const auto back = rig.storage().Rollback(volume, snapshot);
      ASSERT_TRUE(back.ok()) << back.error().Line();
    }
  }
  void DeleteSnapshot(const std::vector<std::string>& volumes, const std::string& snapshot) {
    NextTask();
    for (const auto& volume : volumes) {
      const auto gone = rig.storage().DeleteSnapshot(volume, snapshot);
      ASSERT_TRUE(gone.ok()) << gone.error().Line();
      EXPECT_THAT(rig.SnapshotsOnArray(volume), Not(Contains("pve_snap_" + snapshot))) << volume;
    }
  }
  // The bytes of volumes, in their order.
  std::vector<std::string> Contents(const std::vector<std::string>& volumes) {
    std::vector<std::string> all;
    for (const auto& volume : volumes) all.push_back(rig.Content(volume));
    return all;
  }

  TestArray array;
  Estate estate{array};
  fakes::TemporaryFolder memory;
  StorageRig rig{array, {.disk_memory_file = memory / "tank.disks"}};
};

// ---- looking

TEST_F(TakeoverTest, DisksAreListedUnderTheirNamesWithTheirSizes) {
  array.ClearLog();
  const auto listed = rig.storage().List(std::nullopt);
  ASSERT_TRUE(listed.ok()) << listed.error().Line();
  std::map<std::string, std::uint64_t> there;
  for (const auto& one : *listed) there[one.volume_name] = one.size.bytes();
  std::map<std::string, std::uint64_t> left;
  for (const auto& [volume, disk] : estate.disks()) left[disk.listed] = disk.size_bytes;
  EXPECT_EQ(there, left);
  for (const auto& [volume, disk] : estate.disks()) {
    SCOPED_TRACE(disk.configured);
    const auto info = rig.storage().Info(disk.configured);
    ASSERT_TRUE(info.ok()) << info.error().Line();
    EXPECT_EQ(info->size.bytes(), disk.size_bytes);
    if (!VolumeName::Parse(volume)->IsGroupMember()) continue;  // nobody asks for theirs
    std::vector<std::string> expected;
    for (const auto& [name, bytes] : disk.snapshots) expected.push_back(name);
    std::vector<std::string> snapshots;
    const auto found = rig.storage().ListSnapshots(disk.configured);
    ASSERT_TRUE(found.ok()) << found.error().Line();
    for (const auto& one : *found) snapshots.push_back(one.name);
    EXPECT_EQ(snapshots, expected);
  }
  EXPECT_THAT(Changes(), IsEmpty());
}

TEST_F(TakeoverTest, DisksAreShownAsTheNamespacesThatTheyWere) {
  array.ClearLog();
  for (const auto& [volume, disk] : estate.disks()) {
    SCOPED_TRACE(disk.configured);
    const auto link = rig.storage().ActivateVolume(disk.configured);
    ASSERT_TRUE(link.ok()) << link.error().Line();
    // One link for both names of a clone that lost its base image's: Proxmox compares paths before
    // it deletes a disk that it takes for unused.
    EXPECT_EQ(*link, rig.link(LeafOf(disk.listed == disk.configured ? disk.listed : volume)));
    EXPECT_THAT(std::filesystem::read_symlink(*link).string(), HasSubstr(disk.namespace_uuid));
    EXPECT_EQ(rig.ContentOf(disk.namespace_uuid), disk.content);
  }
  EXPECT_THAT(Changes(), ElementsAre("POST /api/protocols/nvme/subsystem-maps"))
      << "of the one that was not mapped";
}

TEST_F(TakeoverTest, CloneWithoutItsBaseImagesNameIsOneDiskUnderBothNames) {
  const auto& disk = estate.At("vm-203-disk-0");
  ASSERT_NE(disk.configured, disk.listed);
  for (const auto& name : {disk.configured, disk.listed}) {
    const auto link = rig.storage().ActivateVolume(name);
    ASSERT_TRUE(link.ok()) << link.error().Line();
    EXPECT_EQ(*link, rig.link("vm-203-disk-0"));
  }
  const auto uuid = *Uuid::Parse(disk.namespace_uuid);
  rig.host().usage[uuid] = {.is_used = true, .by = "process 4711 (kvm)"};
  EXPECT_TRUE(FailedWith(rig.storage().Free(disk.listed), ErrorCode::kBusy));
}

// An hour and a day later, on a node that has seen everything.
TEST_F(TakeoverTest, NothingIsChangedThatNobodyAskedFor) {
  const auto before = Picture();
  for (const auto hours : {0, 2, 25, 25}) {
    array.clock->Advance(std::chrono::hours(hours));
    NextTask();
    ASSERT_TRUE(rig.storage().Verify().ok());
    ASSERT_TRUE(rig.storage().Activate().ok());
    ASSERT_TRUE(rig.storage().Capacity().ok());
    ASSERT_TRUE(rig.storage().List(std::nullopt).ok());
    ASSERT_TRUE(rig.storage().Pending().ok());
    for (const auto& [volume, disk] : estate.disks()) {
      if (volume != "vm-250-disk-0") {
        EXPECT_TRUE(rig.storage().ActivateVolume(disk.configured).ok()) << volume;
      }
      EXPECT_TRUE(rig.storage().DeactivateVolume(disk.configured).ok()) << volume;
    }
    EXPECT_TRUE(rig.storage().Free(rig.MustAllocate(901)).ok());
    EXPECT_EQ(Picture(), before) << "after " << hours << " hours more";
  }
}

TEST_F(TakeoverTest, RemovingTheStorageLeavesEverything) {
  const auto before = Picture();
  EXPECT_TRUE(FailedWith(rig.storage().RequireEmpty(), ErrorCode::kBusy));
  ASSERT_TRUE(rig.storage().ActivateVolume("vm-110-disk-0").ok());
  ASSERT_TRUE(rig.storage().Forget().ok());
  EXPECT_EQ(Picture(), before);
}

// ---- changing

TEST_F(TakeoverTest, SnapshotsAreRolledBackToAndDeleted) {
  std::map<std::uint64_t, std::vector<std::string>> vms;
  for (const auto& [volume, disk] : estate.disks()) {
    if (!disk.snapshots.empty()) vms[VolumeName::Parse(volume)->vmid].push_back(volume);
  }
  for (const auto& [vmid, volumes] : vms) {
    SCOPED_TRACE("VM " + std::to_string(vmid));
    std::vector<std::string> names;
    for (const auto& volume : volumes) {
      for (const auto& [name, bytes] : estate.At(volume).snapshots) {
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
      }
    }
    for (auto name = names.rbegin(); name != names.rend(); ++name) {
      SCOPED_TRACE(*name);
      std::vector<std::string> held;
      std::vector<std::string> bytes;
      for (const auto& volume : volumes) {
        for (const auto& [snapshot, content] : estate.At(volume).snapshots) {
          if (snapshot != *name) continue;
          held.push_back(estate.At(volume).configured);
          bytes.push_back(content);
          rig.Write(volume, "lost by rollback");
        }
      }
      RollBack(held, *name);
      EXPECT_EQ(Contents(held), bytes);
      DeleteSnapshot(held, *name);
      if (HasFailure()) return;
    }
  }
  // What Proxmox does not name stays as it is.
  EXPECT_EQ(rig.Content("vm-100-cloudinit"), "user-data");
  EXPECT_EQ(rig.Content("vm-100-state-two"), "RAM");
  EXPECT_THAT(rig.SnapshotsOnArray("vm-130-disk-0"), ElementsAre("hourly.2026-11-24_1005"));
  EXPECT_THAT(rig.SnapshotsOnArray("vm-131-disk-0"), ElementsAre("hourly.2026-11-24_1105"));
  EXPECT_THAT(rig.SnapshotsOnArray("vm-100-disk-0"), IsEmpty());
}

// RAM goes first, then the disks' snapshots.
TEST_F(TakeoverTest, SnapshotWithRamIsDeletedAsProxmoxDoesIt) {
  ASSERT_TRUE(rig.storage().Free("vm-100-state-two").ok());
  DeleteSnapshot({"vm-100-disk-0", "vm-100-disk-1"}, "two");
  RollBack({"vm-100-disk-0", "vm-100-disk-1"}, "one");
  EXPECT_THAT(Contents({"vm-100-disk-0", "vm-100-disk-1"}), ElementsAre("a0", "b0"));
}

TEST_F(TakeoverTest, GroupsAreWithoutRamAndCloudInitFromTheNextSnapshotOn) {
  ASSERT_EQ(MembersOf(100).size(), 4U);
  const std::vector<std::string> disks = {"vm-100-disk-0", "vm-100-disk-1"};
  for (const auto& disk : disks) {
    const auto taken = rig.storage().CreateSnapshot(disk, "three");
    ASSERT_TRUE(taken.ok()) << taken.error().Line();
  }
  EXPECT_THAT(MembersOf(100), UnorderedElementsAre("t_vm_100_disk_0", "t_vm_100_disk_1"));
  EXPECT_THAT(rig.SnapshotsOnArray("vm-100-cloudinit"), Not(Contains("pve_snap_three")));
  EXPECT_THAT(rig.SnapshotsOnArray("vm-100-cloudinit"), Contains("pve_snap_two"));
  // From now on the group is restored as one.
  for (const auto& disk : disks) rig.Write(disk, "lost by rollback");
  array.ClearLog();
  RollBack(disks, "three");
  EXPECT_THAT(Contents(disks), ElementsAre("a2", "b2"));
  EXPECT_EQ(Changes().size(), 1U);
  // The older ones serve as before.
  DeleteSnapshot(disks, "three");
  RollBack(disks, "two");
  EXPECT_THAT(Contents(disks), ElementsAre("a1", "b1"));
  EXPECT_EQ(MembersOf(270).size(), 1U) << "nobody asked for it";
}

TEST_F(TakeoverTest, WrongMembersAreNoObstacleWhereGroupsCannotBeChanged) {
  array.Set("group_change_with_nvme", "refuse_oddly");
  for (const char* disk : {"vm-100-disk-0", "vm-100-disk-1"}) {
    const auto taken = rig.storage().CreateSnapshot(disk, "three");
    ASSERT_TRUE(taken.ok()) << taken.error().Line();
    EXPECT_THAT(rig.SnapshotsOnArray(disk), Contains("pve_snap_three"));
  }
  EXPECT_EQ(MembersOf(100).size(), 4U);
}

TEST_F(TakeoverTest, NewDisksTakeAlongWhatIsInNoGroup) {
  EXPECT_EQ(rig.MustAllocate(120), "vm-120-disk-2");
  EXPECT_THAT(MembersOf(120),
              UnorderedElementsAre("t_vm_120_disk_0", "t_vm_120_disk_1", "t_vm_120_disk_2"));
  EXPECT_EQ(rig.MustAllocate(290), "vm-290-disk-1") << "the number of an interrupted one is taken";
  EXPECT_THAT(MembersOf(290), ElementsAre("t_vm_290_disk_1"));
  EXPECT_EQ(rig.MustAllocate(240), "vm-240-disk-1");
  EXPECT_EQ(rig.MustAllocate(260), "vm-260-disk-0");
  EXPECT_THAT(*rig.storage().ListSnapshots("vm-260-disk-0"), IsEmpty());
}

TEST_F(TakeoverTest, TemplatesAreClonedWithTheirOwnBytes) {
  for (const char* base : {"base-200-disk-0", "base-210-disk-0", "base-220-disk-0"}) {
    SCOPED_TRACE(base);
    const auto& disk = estate.At(base);
    for (int i = 0; i < 2; ++i) {
      NextTask();
      const auto clone = rig.storage().Clone(disk.configured, "", 300);
      ASSERT_TRUE(clone.ok()) << clone.error().Line();
      EXPECT_THAT(*clone, testing::StartsWith(std::string(base) + "/vm-300-disk-"));
      EXPECT_EQ(rig.Content(*clone), disk.content);
      EXPECT_TRUE(rig.storage().ActivateVolume(*clone).ok());
    }
    EXPECT_EQ(rig.Content(base), disk.content);
  }
  // Their names are what Proxmox has, also once they carry a mark.
  const auto listed = rig.storage().List(220);
  ASSERT_TRUE(listed.ok());
  EXPECT_EQ(listed->front().volume_name, estate.At("base-220-disk-0").listed);
}

TEST_F(TakeoverTest, EverythingCanBeDeleted) {
  array.Set("queued_clones_hold_parent", "no");
  // Clones before their base images.
  std::vector<std::string> order;
  for (const auto& [volume, disk] : estate.disks()) order.push_back(disk.configured);
  std::stable_sort(order.begin(), order.end(), [](const auto& one, const auto& other) {
    const auto rank = [](const std::string& name) {
      const bool is_clone = name.find('/') != std::string::npos;
      const bool is_base = name.find("base-2", is_clone ? 1 : 0) != std::string::npos;
      return is_base ? (is_clone ? 1 : 2) : 0;
    };
    return rank(one) < rank(other);
  });
  order.insert(order.end(), {"base-230-disk-0", "vm-240-disk-0", "vm-290-disk-0"});
  for (const auto& volume : order) {
    NextTask();
    const auto freed = rig.storage().Free(volume);
    EXPECT_TRUE(freed.ok()) << freed.error().Line();
  }
  array.clock->Advance(std::chrono::hours(2));
  NextTask();
  EXPECT_TRUE(rig.storage().Free(rig.MustAllocate(901)).ok());
  EXPECT_THAT(Picture(), IsEmpty());
  EXPECT_EQ(array.sim.world().groups.size(), 0U);
  EXPECT_TRUE(rig.storage().RequireEmpty().ok());
}

TEST_F(TakeoverTest, DisksGrowMoveAndBecomeTemplates) {
  const auto grown = rig.storage().Resize("vm-110-disk-0", 64U << 20U);
  ASSERT_TRUE(grown.ok()) << grown.error().Line();
  EXPECT_EQ(rig.Content("vm-110-disk-0"), "now0");
  NextTask();
  const auto moved = rig.storage().Rename("vm-150-disk-0", 151, "");
  ASSERT_TRUE(moved.ok()) << moved.error().Line();
  EXPECT_EQ(*moved, "vm-151-disk-1");
  EXPECT_THAT(Contents({"vm-151-disk-0", *moved}), ElementsAre("second", "first"));
  NextTask();
  const auto base = rig.storage().CreateBase(estate.At("vm-201-disk-0").configured);
  ASSERT_TRUE(base.ok()) << base.error().Line();
  EXPECT_EQ(*base, "base-200-disk-0/base-201-disk-0");
  const auto clone = rig.storage().Clone(*base, "", 300);
  ASSERT_TRUE(clone.ok()) << clone.error().Line();
  EXPECT_EQ(rig.Content(*clone), "clone2");
  NextTask();
  const auto lost = rig.storage().Rename("vm-203-disk-0", 151, "");
  ASSERT_TRUE(lost.ok()) << lost.error().Line();
  EXPECT_EQ(rig.Content(*lost), "golden");
}

}  // namespace
}  // namespace ontapnvme::fault
