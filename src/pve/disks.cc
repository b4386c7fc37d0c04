// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/disks.h"

#include "ontap/ontap_errors.h"
#include "pve/attachment.h"
#include "pve/clone_holders.h"
#include "pve/disk_lookup.h"
#include "pve/disk_spec.h"
#include "pve/volume_details.h"

namespace ontapnvme::pve {
namespace {

// Longer than the kernel takes to notice (tens of milliseconds); the array's state does not depend
// on it.
constexpr Duration kGoneBudget{5000};
constexpr std::chrono::hours kWarnEvery{24};

// The ceiling is reckoned from the settings: the array tells its own at an extra cost per volume.
bool IsNearCeiling(const StorageConfig& config, const ontap::DiskObjects& disk) {
  const ByteCount first_size = FlexVolSizeFor(disk.ns->size, config.snapshot_reserve_percent);
  const auto ceiling = AutosizeMaximum(config, first_size);
  return ceiling && disk.volume.used.bytes() / 9 >= ceiling->bytes() / 10;
}

}  // namespace

Status Disks::Free(const VolumeName& name, const Deadline& deadline) {
  auto& context = *context_;
  TRY(const auto disk, FindDisk(context, name, deadline));
  if (!disk) {
    TRY_STATUS(context.disk_memory.Forget(name));
    context.log.Warning("volume '" + name.Text() + "' does not exist on the array any more");
    return context.links.Remove(LinkName(name));
  }
  TRY_STATUS(RequireFreeable(name, *disk, deadline));
  if (disk->ns) {
    TRY(const auto facts, facts_->Read(deadline));
    TRY_STATUS(RequireUnusedHere(context, name, WantedDeviceOf(context, facts, *disk->ns)));
    TRY_STATUS(context.disk_memory.Forget(name));
    TRY_STATUS(context.links.Remove(LinkName(name)));
    TRY_STATUS(Unmap(name, *disk->ns, deadline.Reserve(kUndoBudget)));
  }
  auto deleted = Delete(disk->volume, deadline.Reserve(kUndoBudget));
  if (deleted.ok()) return {};
  Error error = deleted.error().Wrap("cannot delete volume '" + name.Text() + "'");
  if (error.outcome_unknown()) return error;  // it may be gone: mapping it again would only fail
  const Deadline grace = deadline.Grace(kUndoBudget);
  if (ontap::IsHeldByClones(error)) {
    const auto clones = context.volumes.ListClones(disk->volume.name, grace);
    if (clones.ok() && clones->empty() && Park(name, disk->volume, grace).ok()) return {};
    if (clones.ok()) error = HeldByClones(context, std::move(error), *clones);
  }
  if (disk->ns && disk->ns->subsystem_uuid) {
    const auto mapped = context.subsystems.Map(disk->ns->uuid, disk->ns->subsystem_name, grace);
    if (!mapped.ok()) error.AddFact("left_unmapped", disk->volume.name);
  }
  if (disk->ns) context.disk_memory.Remember(name, disk->ns->uuid);
  return error;
}

Status Disks::Park(const VolumeName& name, const ontap::FlexVol& volume, const Deadline& deadline) {
  auto& context = *context_;
  // Recovery deletes only what is marked.
  TRY(const auto comment, WithDetails(context.ownership.Remark(volume.comment, name.vmid),
                                      ReadDetails(volume.comment)));
  TRY_STATUS(groups_.Leave(name.vmid, volume, deadline));
  if (comment != volume.comment) {
    TRY_STATUS(context.volumes.SetComment(volume.uuid, comment, deadline));
  }
  const std::string parked = ParkedName(context.config.prefix, volume.uuid.Text());
  const auto renamed = context.volumes.Rename(volume.uuid, parked, deadline);
  if (!renamed.ok()) {
    if (!MayHaveHappened(renamed.error())) return renamed;
    TRY(const bool is_parked, HasName(context, volume, parked, deadline));
    if (!is_parked) return renamed;
  }
  context.log.Info(
      "volume '" + name.Text() +
      "' will be deleted when its deleted clones have left the array's recovery queue");
  return {};
}

Status Disks::RequireFreeable(const VolumeName& name, const ontap::DiskObjects& disk,
                              const Deadline& deadline) {
  auto& context = *context_;
  const std::string failure = "cannot delete volume '" + name.Text() + "'";
  if (ReadDetails(disk.volume.comment).is_protected) {
    return Error(ErrorCode::kBusy, failure)
        .Because("it is protected")
        .Try("take the protection away first");
  }
  if (!name.is_base) return {};
  // Asked before anything is done: another node may just be reading the base image.
  TRY(const auto clones, context.volumes.ListClones(disk.volume.name, deadline));
  if (clones.empty()) return {};
  return HeldByClones(context, Error(ErrorCode::kBusy, failure).Because("it has linked clones"),
                      clones);
}

// What this node has shown of the volume's snapshots must not keep it.
Status Disks::Delete(const ontap::FlexVol& volume, const Deadline& deadline) {
  auto& context = *context_;
  const bool is_final = context.config.is_force_delete;
  const auto deleted = context.volumes.Delete(volume.uuid, is_final, deadline);
  if (deleted.ok() || !ontap::IsHeldByClones(deleted.error())) return deleted;
  if (!devices_->Reap({volume.name}, "", deadline)) return deleted;
  return context.volumes.Delete(volume.uuid, is_final, deadline);
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
  const auto details = ReadDetails(disk.volume.comment);
  full.base_name = details.base_name;
  // An older installation did not write it down.
  const bool is_of_base = disk.volume.parent_snapshot_name == kBaseSnapshot;
  if (full.base_name.empty() && is_of_base) {
    const auto parent =
        VolumeNameOfFlexVol(context_->config.prefix, disk.volume.parent_volume_name);
    if (parent) full.base_name = parent->LeafText();
  }
  info.parent = full.base_name;
  info.notes = details.notes;
  info.is_protected = details.is_protected;
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
  std::vector<std::string> near_ceiling;
  for (const auto& disk : disks) {
    const auto name = VolumeNameOfFlexVol(prefix, disk.volume.name);
    const bool is_ours =
        name && disk.ns && !disk.is_ambiguous && !context.ownership.IsForeign(disk.volume.comment);
    if (!is_ours) continue;
    infos.push_back(Describe(*name, disk));
    if (IsNearCeiling(context.config, disk)) near_ceiling.push_back(name->LeafText());
  }
  WarnOfCeilings(near_ceiling, deadline);
  return infos;
}

void Disks::WarnOfCeilings(const std::vector<std::string>& names, const Deadline& deadline) {
  if (names.empty() || !turns_.Take("ceiling", kWarnEvery, deadline.clock())) return;
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  context_->log.Warning(
      "volumes have used nine tenths of what autosize lets them grow to, and stop taking writes "
      "when all of it is used: " +
      text + "; delete snapshots, or raise autosize_max_percent");
}

Result<DiskInfo> Disks::Info(const VolumeName& name, const Deadline& deadline) {
  TRY(const auto disk, FindDisk(*context_, name, deadline));
  if (!disk || !disk->ns) return VolumeNotFound(*context_, name);
  return Describe(name, *disk);
}

}  // namespace ontapnvme::pve
