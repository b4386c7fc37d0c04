// SPDX-License-Identifier: AGPL-3.0-or-later
#include "fault/proxmox_cluster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "model/volume_name.h"

namespace ontapnvme::fault {
namespace {

using testing::IsEmpty;

constexpr std::size_t kDisksMax = 10;
constexpr int kDrawsMax = 10;
constexpr std::uint64_t kMiB = 1048576;

std::uint64_t VmidOf(const std::string& name) {
  return VolumeName::Parse(name)->vmid;
}

std::string LeafOf(const std::string& name) {
  return name.substr(name.find('/') + 1);
}

// The same with another last part.
std::string WithLeaf(const std::string& name, const std::string& leaf) {
  return name.substr(0, name.size() - LeafOf(name).size()) + leaf;
}

template <typename T>
Status Done(const Result<T>& result) {
  return result.ok() ? Status() : Status(result.error());
}

}  // namespace

ProxmoxCluster::ProxmoxCluster(TestArray& array, std::mt19937& random, const Shape& shape)
    : array_(&array), random_(&random), vms_(shape.vms) {
  for (int i = 0; i < shape.nodes; ++i) {
    RigOptions options;
    options.cluster_id = shape.cluster_id;
    options.node = shape.cluster_id.substr(0, 4) + "-" + std::to_string(i);
    options.disk_memory_file = memory_ / "tank.disks";
    nodes_.push_back(std::make_unique<StorageRig>(array, std::move(options)));
    EXPECT_TRUE(nodes_.back()->storage().Activate().ok());
  }
}

// ---- what may be done

bool ProxmoxCluster::IsHeld(const std::string& what) const {
  return std::any_of(model_.disks.begin(), model_.disks.end(),
                     [&](const auto& disk) { return disk.second.parent == what; });
}

bool ProxmoxCluster::IsHeld(const Shot& shot) const {
  return std::any_of(shot.disks.begin(), shot.disks.end(),
                     [&](const auto& disk) { return IsHeld(disk.first + "@" + shot.name); });
}

bool ProxmoxCluster::IsInShot(const std::string& disk) const {
  const auto shots = model_.shots.find(VmidOf(disk));
  return shots != model_.shots.end() &&
         std::any_of(shots->second.begin(), shots->second.end(),
                     [&](const Shot& shot) { return shot.disks.contains(disk); });
}

std::string ProxmoxCluster::Draw(
    const std::function<bool(const std::string&, const Disk&)>& is_wanted) {
  std::vector<std::string> names;
  for (const auto& [name, disk] : model_.disks) {
    if (!IsResting(VmidOf(name)) && is_wanted(name, disk)) names.push_back(name);
  }
  return names.empty() ? "" : names[Below(names.size())];
}

std::string ProxmoxCluster::DrawLoose() {
  return Draw([&](const auto& name, const Disk& disk) { return !disk.is_base && !IsInShot(name); });
}

std::string ProxmoxCluster::DrawOrdinary() {
  return Draw([](const auto&, const Disk& disk) { return !disk.is_base; });
}

std::pair<std::uint64_t, const Shot*> ProxmoxCluster::DrawLastShot() {
  const std::uint64_t vmid = AnyVmid();
  const auto shots = model_.shots.find(vmid);
  const bool is_there = !IsResting(vmid) && shots != model_.shots.end() && !shots->second.empty();
  return {vmid, is_there ? &shots->second.back() : nullptr};
}

// ---- operations

// A name that is taken at the second try is the first one's, if it is a disk.
ModelOperation ProxmoxCluster::Allocate(int step) {
  const std::uint64_t vmid = AnyVmid();
  if (model_.disks.size() >= kDisksMax || IsResting(vmid)) return {};
  const std::string name = "vm-" + std::to_string(vmid) + "-disk-" + std::to_string(step);
  const auto run = [=, this] {
    const auto made = storage().Allocate(vmid, name, kMiB / 1024);
    return FailedWith(made, ErrorCode::kAlreadyExists) ? Done(storage().Info(name)) : Done(made);
  };
  return {"allocate " + name, {vmid}, run, [=](Model& model) { model.disks[name] = {}; }};
}

ModelOperation ProxmoxCluster::Free() {
  const auto name = Draw([&](const auto& volume, const Disk& disk) {
    return !IsInShot(volume) && !IsHeld(volume) && !disk.is_protected;
  });
  if (name.empty()) return {};
  return {"free " + name,
          {VmidOf(name)},
          [=, this] { return storage().Free(name); },
          [=](Model& model) { model.disks.erase(name); }};
}

// A second try looks first whether the first one made it.
ModelOperation ProxmoxCluster::CloneOf(const std::string& source, const std::string& snapshot,
                                       const Disk& as) {
  const std::uint64_t vmid = AnyVmid();
  if (IsResting(vmid) || IsResting(VmidOf(source))) return {};
  const auto made = std::make_shared<std::string>();
  const auto tries = std::make_shared<int>(0);
  const auto run = [=, this]() -> Status {
    if (++*tries > 1) {
      for (const auto& name : Listed(vmid)) {
        if (!model_.disks.contains(name)) *made = name;
      }
    }
    if (!made->empty()) return {};
    const auto clone = storage().Clone(source, snapshot, vmid);
    if (clone.ok()) *made = *clone;
    return Done(clone);
  };
  Disk disk;
  disk.content = as.content;
  disk.size_bytes = as.size_bytes;
  disk.parent = snapshot.empty() ? source : source + "@" + snapshot;
  return {"clone " + disk.parent + " for VM " + std::to_string(vmid),
          {vmid, VmidOf(source)},
          run,
          [=](Model& model) {
            if (!made->empty()) model.disks[*made] = disk;
          }};
}

ModelOperation ProxmoxCluster::Clone() {
  if (model_.disks.size() >= kDisksMax) return {};
  const auto base = Draw([](const auto&, const Disk& disk) { return disk.is_base; });
  if (!base.empty() && Below(2) == 0) return CloneOf(base, "", model_.disks[base]);
  const auto [vmid, shot] = DrawLastShot();
  if (shot == nullptr) return {};
  const auto source =
      std::next(shot->disks.begin(), static_cast<std::ptrdiff_t>(Below(shot->disks.size())));
  return CloneOf(source->first, shot->name, source->second);
}

ModelOperation ProxmoxCluster::CreateBase() {
  const auto name = DrawLoose();
  if (name.empty()) return {};
  const auto base = WithLeaf(name, "base" + LeafOf(name).substr(2));
  const auto run = [=, this] {
    const auto made = storage().CreateBase(name);
    if (made.ok()) {
      EXPECT_EQ(*made, base);
    }
    return Done(made);
  };
  return {"create_base " + name, {VmidOf(name)}, run, [=](Model& model) {
            auto disk = model.disks.extract(name);
            disk.mapped().is_base = true;
            model.disks[base] = disk.mapped();
          }};
}

ModelOperation ProxmoxCluster::Rename(int step) {
  const auto name = DrawLoose();
  const std::uint64_t vmid = AnyVmid();
  if (name.empty() || IsResting(vmid)) return {};
  const std::string leaf = "vm-" + std::to_string(vmid) + "-disk-" + std::to_string(step);
  const std::string target = WithLeaf(name, leaf);
  const auto run = [=, this] {
    const auto renamed = storage().Rename(name, vmid, leaf);
    return FailedWith(renamed, ErrorCode::kNotFound) ? Done(storage().Info(target)) : Done(renamed);
  };
  return {"rename " + name + " to " + target, {VmidOf(name), vmid}, run, [=](Model& model) {
            auto disk = model.disks.extract(name);
            model.disks[target] = disk.mapped();
          }};
}

ModelOperation ProxmoxCluster::Resize() {
  const auto name = DrawOrdinary();
  if (name.empty()) return {};
  const std::uint64_t bytes = model_.disks[name].size_bytes + kMiB * (1 + Below(4));
  return {"resize " + name,
          {VmidOf(name)},
          [=, this] { return storage().Resize(name, bytes); },
          [=](Model& model) { model.disks[name].size_bytes = bytes; }};
}

ModelOperation ProxmoxCluster::Protect() {
  const auto name = Draw([](const auto&, const Disk&) { return true; });
  if (name.empty()) return {};
  const bool is_protected = !model_.disks[name].is_protected;
  return {"protect " + name,
          {VmidOf(name)},
          [=, this] { return storage().SetProtected(name, is_protected); },
          [=](Model& model) { model.disks[name].is_protected = is_protected; }};
}

ModelOperation ProxmoxCluster::Show() {
  const auto name = DrawOrdinary();
  if (name.empty()) return {};
  if (Below(3) == 0) {
    return {"deactivate " + name, {VmidOf(name)}, [=, this] {
              return storage().DeactivateVolume(name);
            }};
  }
  return {"activate " + name, {VmidOf(name)}, [=, this] {
            const auto shown = storage().ActivateVolume(name);
            if (shown.ok()) ExpectShown(LeafOf(name), model_.disks[name]);
            return Done(shown);
          }};
}

// All disks of a VM; what fails is deleted again, as Proxmox does.
ModelOperation ProxmoxCluster::Snapshot(int step) {
  const std::uint64_t vmid = AnyVmid();
  Shot shot{"s" + std::to_string(step), {}};
  for (const auto& [name, disk] : model_.disks) {
    if (VmidOf(name) == vmid && !disk.is_base) shot.disks[name] = disk;
  }
  if (shot.disks.empty() || IsResting(vmid)) return {};
  const auto run = [=, this]() -> Status {
    for (const auto& [name, disk] : shot.disks) {
      const auto taken = storage().CreateSnapshot(name, shot.name);
      if (taken.ok()) continue;
      node().Restart();
      for (const auto& other : shot.disks) (void)storage().DeleteSnapshot(other.first, shot.name);
      return taken;
    }
    return {};
  };
  return {
      "snapshot " + shot.name + " of VM " + std::to_string(vmid), {vmid}, run, [=](Model& model) {
        model.shots[vmid].push_back(shot);
      }};
}

ModelOperation ProxmoxCluster::DeleteSnapshot(std::uint64_t vmid, const Shot& shot) {
  const auto run = [=, this]() -> Status {
    for (const auto& [name, disk] : shot.disks) {
      if (auto gone = storage().DeleteSnapshot(name, shot.name); !gone.ok()) return gone;
    }
    // What is missing counts as deleted, and one listing tells: where it is short, the snapshot stays.
    for (const auto& [name, disk] : shot.disks) {
      if (!node().SnapshotsOnArray(name).contains("pve_snap_" + shot.name)) continue;
      return Error(ErrorCode::kUnavailable, "the array did not list snapshot '" + shot.name + "'");
    }
    return {};
  };
  return {"delete snapshot " + shot.name + " of VM " + std::to_string(vmid),
          {vmid},
          run,
          [=](Model& model) {
            std::erase_if(model.shots[vmid],
                          [&](const Shot& other) { return other.name == shot.name; });
          }};
}

ModelOperation ProxmoxCluster::DrawDeleteSnapshot() {
  const std::uint64_t vmid = AnyVmid();
  const auto& shots = model_.shots[vmid];
  if (shots.empty() || IsResting(vmid)) return {};
  const Shot& shot = shots[Below(shots.size())];
  return IsHeld(shot) ? ModelOperation() : DeleteSnapshot(vmid, shot);
}

Status ProxmoxCluster::RollBackTo(const Shot& shot) {
  for (const auto& [name, disk] : shot.disks) {
    const auto blockers = storage().RollbackBlockers(name, shot.name);
    if (!blockers.ok()) return blockers.error();
    EXPECT_THAT(*blockers, IsEmpty());
  }
  for (const auto& [name, disk] : shot.disks) {
    if (auto back = storage().Rollback(name, shot.name); !back.ok()) return back;
  }
  return {};
}

ModelOperation ProxmoxCluster::Rollback() {
  const auto [vmid, last] = DrawLastShot();
  if (last == nullptr) return {};
  const Shot shot = *last;
  return {"roll VM " + std::to_string(vmid) + " back to " + shot.name,
          {vmid},
          [=, this] { return RollBackTo(shot); },
          [=](Model& model) {
            for (const auto& [name, disk] : shot.disks) {
              model.disks[name].content = disk.content;
              model.disks[name].size_bytes = disk.size_bytes;
            }
          }};
}

ModelOperation ProxmoxCluster::ShowSnapshot() {
  const auto [vmid, shot] = DrawLastShot();
  if (shot == nullptr) return {};
  const auto [disk, as_it_was] =
      *std::next(shot->disks.begin(), static_cast<std::ptrdiff_t>(Below(shot->disks.size())));
  const std::string name = shot->name;
  if (Below(2) != 0) {
    return {"deactivate " + disk + "@" + name, {vmid}, [=, this, volume = disk] {
              return storage().DeactivateSnapshot(volume, name);
            }};
  }
  return {"activate " + disk + "@" + name, {vmid}, [=, this, volume = disk, was = as_it_was] {
            may_show_snapshots_ = true;
            const auto shown = storage().ActivateSnapshot(volume, name);
            if (shown.ok()) ExpectShown(LeafOf(volume) + "@" + name, was);
            return Done(shown);
          }};
}

ModelOperation ProxmoxCluster::DrawOperation(int step) {
  ModelOperation drawn;
  for (int i = 0; i < kDrawsMax && drawn.name.empty(); ++i) drawn = DrawKind(step);
  return drawn;
}

ModelOperation ProxmoxCluster::DrawKind(int step) {
  switch (Below(16)) {
    case 0:
    case 1:
    case 2:
      return Allocate(step);
    case 3:
      return Free();
    case 4:
    case 5:
      return Clone();
    case 6:
      return CreateBase();
    case 7:
      return Rename(step);
    case 8:
      return Resize();
    case 9:
      return Protect();
    case 10:
      return Show();
    case 11:
    case 12:
      return Snapshot(step);
    case 13:
      return DrawDeleteSnapshot();
    case 14:
      return Rollback();
    default:
      return ShowSnapshot();
  }
}

void ProxmoxCluster::LetGuestsWrite(int step) {
  const std::string text = "w" + std::to_string(step);
  const std::string also = Below(2) == 0 ? DrawOrdinary() : "";
  for (auto& [name, disk] : model_.disks) {
    const bool is_fresh = disk.content.empty() && !disk.is_base && !IsResting(VmidOf(name));
    if ((!is_fresh && name != also) || hidden_.contains(name)) continue;
    disk.content = text;
    node().Write(name, text);
  }
}

void ProxmoxCluster::Recover() {
  HideSnapshots();
  array_->clock->Advance(std::chrono::minutes(70));
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    GoTo(i);
    node().Restart();
    ASSERT_TRUE(storage().Activate().ok());
    EXPECT_TRUE(storage().Free(node().MustAllocate(901)).ok());
  }
  may_show_snapshots_ = false;
}

}  // namespace ontapnvme::fault
