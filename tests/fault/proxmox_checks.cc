// SPDX-License-Identifier: AGPL-3.0-or-later
// What must be there; proxmox_cluster.cc has what is done.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "fault/proxmox_cluster.h"
#include "model/volume_name.h"

namespace ontapnvme::fault {
namespace {

using testing::AnyOf;

std::uint64_t VmidOf(const std::string& name) {
  return VolumeName::Parse(name)->vmid;
}

}  // namespace

std::set<std::string> ProxmoxCluster::Listed(std::uint64_t vmid) {
  std::set<std::string> names;
  const auto disks = storage().List(vmid);
  if (!disks.ok()) return names;
  for (const auto& disk : *disks) EXPECT_TRUE(names.insert(disk.volume_name).second);
  return names;
}

void ProxmoxCluster::ExpectShown(const std::string& leaf, const Disk& disk) {
  std::error_code error;
  const std::string target = std::filesystem::read_symlink(node().link(leaf), error);
  ASSERT_FALSE(error) << leaf << ": " << error.message();
  EXPECT_EQ(node().ContentOf(target.substr(target.find("nvme-uuid.") + 10)), disk.content) << leaf;
}

void ProxmoxCluster::CompareWithArray() {
  for (const auto& [name, disk] : model_.disks) {
    if (IsResting(VmidOf(name)) || hidden_.contains(name)) continue;
    ASSERT_EQ(node().Content(name), disk.content) << name;
    ASSERT_EQ(node().Namespace(name)->size_bytes, disk.size_bytes) << name;
    const auto there = node().SnapshotsOnArray(name);
    for (const auto& shot : model_.shots[VmidOf(name)]) {
      if (!shot.disks.contains(name)) continue;
      ASSERT_TRUE(there.contains("pve_snap_" + shot.name)) << name << "@" << shot.name;
    }
  }
}

void ProxmoxCluster::ExpectBeforeOrAfter(const ModelOperation& operation) {
  Model after = model_;
  operation.apply(after);
  int kept = 0;
  int lost = 0;
  for (const auto& [name, disk] : model_.disks) {
    if (!operation.vms.contains(VmidOf(name)) || hidden_.contains(name)) continue;
    const auto then = after.disks.find(name);
    const auto content = node().Content(name);
    if (then != after.disks.end()) {
      EXPECT_THAT(content, AnyOf(disk.content, then->second.content)) << name;
      continue;
    }
    if (node().Namespace(name) == nullptr) {
      ++lost;
    } else {
      EXPECT_EQ(content, disk.content) << name;
    }
  }
  for (const auto& [name, disk] : after.disks) {
    if (model_.disks.contains(name) || node().Namespace(name) == nullptr) continue;
    ++kept;
    EXPECT_EQ(node().Content(name), disk.content) << name;
  }
  // What got another name is there under one of the two.
  if (after.disks.size() == model_.disks.size()) {
    EXPECT_EQ(lost, kept) << operation.name;
  }
}

void ProxmoxCluster::CompareWithStorage() {
  const auto disks = storage().List(std::nullopt);
  ASSERT_TRUE(disks.ok()) << disks.error().Line();
  std::set<std::string> listed;
  for (const auto& disk : *disks) EXPECT_TRUE(listed.insert(disk.volume_name).second);
  std::set<std::string> expected;
  for (const auto& [name, disk] : model_.disks) expected.insert(name);
  ASSERT_EQ(listed, expected);
  for (const auto& [name, disk] : model_.disks) {
    const auto info = storage().Info(name);
    ASSERT_TRUE(info.ok()) << info.error().Line();
    ASSERT_EQ(info->size.bytes(), disk.size_bytes) << name;
    ASSERT_EQ(info->is_protected, disk.is_protected) << name;
    const auto snapshots = storage().ListSnapshots(name);
    ASSERT_TRUE(snapshots.ok()) << snapshots.error().Line();
    std::set<std::string> there;
    for (const auto& one : *snapshots) there.insert(one.name);
    std::set<std::string> shots;
    for (const auto& shot : model_.shots[VmidOf(name)]) {
      if (shot.disks.contains(name)) shots.insert(shot.name);
    }
    // A clone shows its parent's snapshots too.
    if (disk.parent.empty()) {
      ASSERT_EQ(there, shots) << name;
    } else {
      ASSERT_TRUE(std::includes(there.begin(), there.end(), shots.begin(), shots.end())) << name;
    }
  }
}

void ProxmoxCluster::HideSnapshots() {
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    GoTo(i);
    for (const auto& [vmid, shots] : model_.shots) {
      for (const auto& shot : shots) {
        for (const auto& [disk, was] : shot.disks) {
          const auto hidden = storage().DeactivateSnapshot(disk, shot.name);
          EXPECT_TRUE(hidden.ok()) << hidden.error().Line();
        }
      }
    }
  }
}

void ProxmoxCluster::ExpectSnapshotsHoldTheirBytes() {
  for (std::uint64_t vmid = 100; vmid < 100 + vms_; ++vmid) {
    while (!model_.shots[vmid].empty()) {
      const Shot shot = model_.shots[vmid].back();
      SCOPED_TRACE(shot.name + " of VM " + std::to_string(vmid));
      // The array's times have whole seconds, and snapshots of one second block each other.
      array_->clock->Advance(std::chrono::seconds(2));
      for (const auto& [name, disk] : shot.disks) node().Write(name, "lost by rollback");
      node().Restart();
      const Status back = RollBackTo(shot);
      ASSERT_TRUE(back.ok()) << back.error().Line();
      for (const auto& [name, disk] : shot.disks) {
        ASSERT_EQ(node().Content(name), disk.content) << name;
        model_.disks[name].content = disk.content;
        model_.disks[name].size_bytes = disk.size_bytes;
      }
      CompareWithArray();
      if (testing::Test::HasFailure() || IsHeld(shot)) break;
      const ModelOperation deletion = DeleteSnapshot(vmid, shot);
      const Status gone = deletion.run();
      ASSERT_TRUE(gone.ok()) << gone.error().Line();
      Apply(deletion);
    }
  }
}

std::set<std::string> ProxmoxCluster::FlexVols() {
  std::set<std::string> names;
  for (const auto& [name, disk] : model_.disks) names.insert(node().FlexVolOf(name));
  return names;
}

}  // namespace ontapnvme::fault
