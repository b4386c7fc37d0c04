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

Result<Recovery::Findings> Recovery::Look(std::chrono::system_clock::time_point oldest,
                                          const Deadline& deadline) {
  auto& context = *context_;
  TRY(const auto disks, ontap::ReadDiskObjects(context.rest, context.config.svm,
                                               FlexVolPattern(context.config.prefix), deadline));
  Findings found;
  for (const auto& disk : disks) {
    found.volumes.push_back(disk.volume);
    const auto name = VolumeNameOfFlexVol(context.config.prefix, disk.volume.name);
    if (!name || disk.is_ambiguous || context.ownership.IsForeign(disk.volume.comment)) continue;
    if (disk.ns) found.known.emplace(name->LeafText(), disk.ns->uuid);
    const bool is_suspect = disk.volume.create_time < oldest &&
                            context.ownership.Judge(disk.volume.comment) == Owner::kOurs;
    if (!is_suspect) continue;
    if (IsEmpty(disk)) found.empty.push_back(disk.volume);
    if (disk.ns && !disk.ns->subsystem_uuid) found.unmapped.push_back(*disk.ns);
    const bool is_outside = disk.ns && name->IsGroupMember() && !disk.volume.group;
    if (is_outside) found.ungrouped_vmids.insert(name->vmid);
  }
  return found;
}

Result<std::vector<std::string>> Recovery::Pending(const Deadline& deadline) {
  auto& context = *context_;
  TRY(const auto found, Look(deadline.clock().WallTime(), deadline));
  TRY(const auto parked, context.volumes.List(ParkedPattern(context.config.prefix), deadline));
  std::vector<std::string> lines;
  for (const auto& volume : found.empty) {
    lines.push_back("FlexVol " + volume.name +
                    " is empty: an allocation is under way, or was interrupted");
  }
  for (const auto& ns : found.unmapped) {
    lines.push_back("FlexVol " + ns.volume_name + " is not mapped");
  }
  for (const auto vmid : found.ungrouped_vmids) {
    lines.push_back("VM " + std::to_string(vmid) + " has disks outside its consistency group");
  }
  for (const auto& volume : parked) {
    if (context.ownership.Judge(volume.comment) != Owner::kOurs) continue;
    lines.push_back("FlexVol " + volume.name +
                    " is deleted, and waits for its deleted clones to leave the recovery queue");
  }
  TRY(const auto shown, devices_->Describe(deadline));
  lines.insert(lines.end(), shown.begin(), shown.end());
  return lines;
}

void Recovery::RunIfDue(const Deadline& deadline) {
  auto& context = *context_;
  if (!turns_.Take("recovery", kEvery, deadline.clock())) return;
  const Deadline working = deadline.Within(kBudget);
  const auto oldest = deadline.clock().WallTime() - kLeftAlone;
  const auto found = Look(oldest, working);
  if (!found.ok()) {
    context.log.Debug(found.error().Line());
    return;
  }
  context.disk_memory.Replace(found->known);

  std::string settled;
  const auto settle = [&](const std::string& what, const Status& status) {
    if (!status.ok()) {
      context.log.Debug(status.error().Line());
      return;
    }
    settled += (settled.empty() ? "" : ", ") + what;
  };
  for (const auto& volume : found->empty) {
    settle("removed empty FlexVol " + volume.name, RemoveEmpty(volume, working));
  }
  for (const auto& ns : found->unmapped) {
    settle("mapped " + ns.volume_name,
           context.subsystems.Map(ns.uuid, context.config.subsystem, working));
  }
  for (const auto vmid : found->ungrouped_vmids) {
    settle("grouped the disks of VM " + std::to_string(vmid),
           Regroup(vmid, found->volumes, working));
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

// Whether an array lists the namespaces of a volume that is offline is not stated, and a disk must
// never be taken for an empty volume: what an allocation leaves is online, in no group and no
// clone.
bool Recovery::IsEmpty(const ontap::DiskObjects& disk) {
  return !disk.ns && disk.volume.state == "online" && !disk.volume.group &&
         disk.volume.parent_volume_name.empty();
}

Status Recovery::RemoveEmpty(const ontap::FlexVol& volume, const Deadline& deadline) {
  // Looked at once more, alone.
  TRY(const auto ns, context_->namespaces.FindByVolume(volume.name, deadline));
  if (ns) return Error(ErrorCode::kConflict, "FlexVol '" + volume.name + "' is not empty");
  // Into the recovery queue, as everything that is deleted without being asked for.
  return context_->volumes.Delete(volume.uuid, false, deadline);
}

int Recovery::DeleteParked(const Deadline& deadline) {
  auto& context = *context_;
  const auto parked = ontap::ReadDiskObjects(context.rest, context.config.svm,
                                             ParkedPattern(context.config.prefix), deadline);
  if (!parked.ok()) return 0;
  int count = 0;
  for (const auto& [volume, ns, is_ambiguous] : *parked) {
    if (context.ownership.Judge(volume.comment) != Owner::kOurs) continue;
    // Parking may have been taken for a failure, and the disk have been mapped again.
    if (ns && ns->subsystem_uuid &&
        !context.subsystems.Unmap(*ns->subsystem_uuid, ns->uuid, deadline).ok()) {
      continue;
    }
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
