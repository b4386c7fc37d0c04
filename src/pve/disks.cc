// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/disks.h"

#include "pve/attachment.h"
#include "pve/disk_lookup.h"

namespace ontapnvme::pve {
namespace {

// Longer than the kernel takes to notice (tens of milliseconds); the array's state does not depend
// on it.
constexpr Duration kGoneBudget{5000};

}  // namespace

Status Disks::Free(const VolumeName& name, const Deadline& deadline) {
  auto& context = *context_;
  TRY(const auto disk, FindDisk(context, name, deadline));
  if (!disk) {
    context.log.Warning("volume '" + name.Text() + "' does not exist on the array any more");
    return context.links.Remove(name);
  }
  if (disk->ns) {
    TRY(const auto facts, facts_->Read(deadline));
    TRY_STATUS(RequireUnusedHere(context, name, WantedDeviceOf(context, facts, *disk->ns)));
    TRY_STATUS(context.links.Remove(name));
    TRY_STATUS(Unmap(name, *disk->ns, deadline.Reserve(kUndoBudget)));
  }
  auto deleted = context.volumes.Delete(disk->volume.uuid, context.config.is_force_delete,
                                        deadline.Reserve(kUndoBudget));
  if (deleted.ok()) return {};
  Error error = deleted.error().Wrap("cannot delete volume '" + name.Text() + "'");
  if (error.outcome_unknown()) return error;  // it may be gone: mapping it again would only fail
  if (disk->ns && disk->ns->subsystem_uuid) {
    const auto mapped = context.subsystems.Map(disk->ns->uuid, disk->ns->subsystem_name,
                                               deadline.Grace(kUndoBudget));
    if (!mapped.ok()) error.AddFact("left_unmapped", disk->volume.name);
  }
  return error;
}

Status Disks::Unmap(const VolumeName& name, const ontap::NvmeNamespace& ns,
                    const Deadline& deadline) {
  auto& context = *context_;
  if (!ns.subsystem_uuid) return {};
  const auto watch = context.host.Arm();
  const auto unmapped = context.subsystems.Unmap(*ns.subsystem_uuid, ns.uuid, deadline);
  if (!unmapped.ok()) {
    return unmapped.error().Wrap("cannot unmap volume '" + name.Text() + "'");
  }
  const auto gone = context.host.WaitGone(*watch, ns.uuid, deadline.Within(kGoneBudget));
  if (!gone.ok()) {
    context.log.Warning("this node still shows a device of volume '" + name.Text() +
                        "' after unmapping: " + gone.error().Line());
  }
  return {};
}

DiskInfo Disks::Describe(const VolumeName& name, const ontap::DiskObjects& disk) const {
  DiskInfo info;
  VolumeName full = name;
  // The parent is part of a linked clone's volume name, and only the array knows it after the fact.
  if (!disk.volume.parent_volume_name.empty() &&
      disk.volume.parent_snapshot_name == kBaseSnapshot) {
    if (const auto parent =
            VolumeNameOfFlexVol(context_->config.prefix, disk.volume.parent_volume_name)) {
      full.base_name = parent->LeafText();
      info.parent = parent->LeafText();
    }
  }
  info.volume_name = full.Text();
  info.vmid = name.vmid;
  info.size = disk.ns->size;
  info.used = disk.ns->used;
  info.create_time_s = disk.volume.create_time.time_since_epoch().count();
  return info;
}

Result<std::vector<DiskInfo>> Disks::List(std::optional<std::uint64_t> vmid,
                                          const Deadline& deadline) {
  auto& context = *context_;
  const std::string& prefix = context.config.prefix;
  const std::string pattern = vmid ? FlexVolPatternOfVm(prefix, *vmid) : FlexVolPattern(prefix);
  TRY(const auto disks, ontap::ReadDiskObjects(context.rest, context.config.svm, pattern, deadline,
                                               {.maps = ontap::NamespaceMaps::kSkip}));
  std::vector<DiskInfo> infos;
  for (const auto& disk : disks) {
    const auto name = VolumeNameOfFlexVol(prefix, disk.volume.name);
    const bool is_ours =
        name && disk.ns && !disk.is_ambiguous && !context.ownership.IsForeign(disk.volume.comment);
    if (is_ours) infos.push_back(Describe(*name, disk));
  }
  return infos;
}

Result<DiskInfo> Disks::Info(const VolumeName& name, const Deadline& deadline) {
  TRY(const auto disk, FindDisk(*context_, name, deadline));
  if (!disk || !disk->ns) return VolumeNotFound(*context_, name);
  return Describe(name, *disk);
}

}  // namespace ontapnvme::pve
