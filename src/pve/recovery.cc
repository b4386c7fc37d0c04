// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/recovery.h"

#include <set>

#include "pve/volume_name.h"

namespace ontapnvme::pve {
namespace {

constexpr std::chrono::hours kEvery{1};
// Longer than any operation may take, and than clocks of array and node may differ.
constexpr std::chrono::hours kLeftAlone{1};
// The operation that found time for it must not fail for it.
constexpr Duration kBudget{10'000};

}  // namespace

void Recovery::RunIfDue(const Deadline& deadline) {
  auto& context = *context_;
  if (!turns_.Take("recovery", kEvery, deadline.clock())) return;
  const Deadline working = deadline.Within(kBudget);
  const auto disks = ontap::ReadDiskObjects(context.rest, context.config.svm,
                                            FlexVolPattern(context.config.prefix), working);
  if (!disks.ok()) {
    context.log.Debug(disks.error().Line());
    return;
  }
  const auto oldest = deadline.clock().WallTime() - kLeftAlone;
  std::vector<ontap::FlexVol> volumes;
  std::set<std::uint64_t> ungrouped_vmids;
  std::vector<const ontap::DiskObjects*> suspects;
  DiskMemory::Disks known;
  for (const auto& disk : *disks) {
    volumes.push_back(disk.volume);
    const auto name = VolumeNameOfFlexVol(context.config.prefix, disk.volume.name);
    const bool is_disk =
        name && disk.ns && !disk.is_ambiguous && !context.ownership.IsForeign(disk.volume.comment);
    if (is_disk) known.emplace(name->LeafText(), disk.ns->uuid);
    const bool is_suspect = name && disk.volume.create_time < oldest && !disk.is_ambiguous &&
                            context.ownership.Judge(disk.volume.comment) == Owner::kOurs;
    if (!is_suspect) continue;
    suspects.push_back(&disk);
    const bool is_outside = disk.ns && name->IsGroupMember() && !disk.volume.group;
    if (is_outside) ungrouped_vmids.insert(name->vmid);
  }

  context.disk_memory.Replace(known);

  std::string settled;
  const auto settle = [&](const std::string& what, const Status& status) {
    if (!status.ok()) {
      context.log.Debug(status.error().Line());
      return;
    }
    settled += (settled.empty() ? "" : ", ") + what;
  };
  for (const auto* disk : suspects) {
    const std::string& flexvol = disk->volume.name;
    if (!disk->ns) {
      settle("removed empty FlexVol " + flexvol, RemoveEmpty(disk->volume, working));
    } else if (!disk->ns->subsystem_uuid) {
      settle("mapped " + flexvol,
             context.subsystems.Map(disk->ns->uuid, context.config.subsystem, working));
    }
  }
  for (const auto vmid : ungrouped_vmids) {
    settle("grouped the disks of VM " + std::to_string(vmid), Regroup(vmid, volumes, working));
  }
  if (const int removed = devices_->ReapAbandoned(oldest, working); removed > 0) {
    settle("removed " + std::to_string(removed) + " snapshot device" + (removed == 1 ? "" : "s"),
           {});
  }
  if (const int deleted = DeleteParked(working); deleted > 0) {
    settle("deleted " + std::to_string(deleted) + " whose clones are gone", {});
  }
  if (settled.empty()) return;
  context.log.Warning("settled what an interrupted operation had left: " + settled);
}

Status Recovery::RemoveEmpty(const ontap::FlexVol& volume, const Deadline& deadline) {
  // Into the recovery queue, as everything that is deleted without being asked for.
  return context_->volumes.Delete(volume.uuid, false, deadline);
}

int Recovery::DeleteParked(const Deadline& deadline) {
  auto& context = *context_;
  const auto parked = context.volumes.List(ParkedPattern(context.config.prefix), deadline);
  if (!parked.ok()) return 0;
  int count = 0;
  for (const auto& volume : *parked) {
    if (context.ownership.Judge(volume.comment) != Owner::kOurs) continue;
    // Busy is what it waits for.
    if (context.volumes.Delete(volume.uuid, context.config.is_force_delete, deadline).ok()) ++count;
  }
  return count;
}

Status Recovery::Regroup(std::uint64_t vmid, const std::vector<ontap::FlexVol>& volumes,
                         const Deadline& deadline) {
  for (const auto& volume : volumes) {
    const auto name = VolumeNameOfFlexVol(context_->config.prefix, volume.name);
    const bool is_outside = name && name->vmid == vmid && name->IsGroupMember() && !volume.group &&
                            !context_->ownership.IsForeign(volume.comment);
    // One joins, and the others that are outside with it.
    if (is_outside) return groups_.Join(vmid, volume.name, volumes, deadline);
  }
  return {};
}

}  // namespace ontapnvme::pve
