// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/renaming.h"

#include <algorithm>

#include "pve/volume_names.h"

namespace ontapnvme::pve {

Result<std::string> Renaming::CreateBase(const VolumeName& name, const Deadline& deadline) {
  const std::string failure = "cannot turn volume '" + name.Text() + "' into a base image";
  if (name.is_base) {
    return Error(ErrorCode::kInvalidArgument, failure)
        .Because("it is one already")
        .Try("clone it instead");
  }
  VolumeName base = name;
  base.is_base = true;
  const auto disk = disks_.Find(name, deadline);
  if (disk.is_unknown()) return disk.reason().Wrap(failure);
  if (disk.is_absent() || !disk->ns) {
    // An earlier conversion may have been stopped before Proxmox wrote it down.
    TRY(const auto converted, disks_.Find(base, deadline).Require(VolumeNotFound(config_, name)));
    if (!converted.ns) return VolumeNotFound(config_, name);
    return base.Text();
  }
  TRY_STATUS(LetGo(name, *disk->ns, failure, deadline));
  const auto converted = disks_.TurnIntoBase(*disk, base, deadline);
  if (!converted.ok()) return Unchanged(name, disk->ns->uuid, converted.error()).Wrap(failure);
  node_.disks.Remember(base, disk->ns->uuid);
  TRY_STATUS(node_.links.Remove(node::LinkName(name)));
  return base.Text();
}

Result<std::string> Renaming::Rename(const VolumeName& name, std::uint64_t vmid,
                                     const std::string& new_name, const Deadline& deadline) {
  if (name.is_base) {
    return Error(ErrorCode::kUnsupported, "cannot rename volume '" + name.Text() + "'")
        .Because("the names of its linked clones contain its name")
        .Try("make a full clone of it");
  }
  TRY_STATUS(snapshot_devices_.End(name, "cannot rename volume '" + name.Text() + "'", deadline));
  const auto remembered = node_.disks.Find(name);
  const auto once = [&] { return RenameOnce(name, vmid, new_name, deadline); };
  TRY(const auto target, new_name.empty() ? WithChosenName(once) : once());
  if (remembered) node_.disks.Remember(target, *remembered);
  // An unused disk of a running VM may be active: its device stays, under the new name.
  if (const auto device = node_.links.Target(node::LinkName(name))) {
    TRY_STATUS(node_.links.Point(node::LinkName(target), *device));
    TRY_STATUS(node_.links.Remove(node::LinkName(name)));
  }
  return target.Text();
}

Result<std::string> Renaming::HandOver(const VolumeName& name, const catalogue::OtherStorage& to,
                                       const std::string& new_name, const Deadline& deadline) {
  const std::string failure =
      "cannot give volume '" + name.Text() + "' to storage '" + CleanText(to.storage_id) + "'";
  TRY(const auto target, VolumeName::Parse(new_name));
  if (name.is_base || !name.base_name.empty()) {
    return Error(ErrorCode::kUnsupported, failure)
        .Because(name.is_base
                     ? "the names of its linked clones contain its name"
                     : "its name contains that of its base image, which is on this storage")
        .Try(name.is_base ? "make a full clone of it there" : "copy it with 'qm disk move'");
  }
  if (target.vmid != name.vmid || target.is_base || !target.base_name.empty()) {
    return Error(ErrorCode::kInvalidArgument, failure)
        .Because("'" + target.Text() + "' is no name of a disk of VM " + std::to_string(name.vmid));
  }
  const auto disk = disks_.Find(name, deadline);
  // What is handed over is forgotten first: a name that the cluster remembers is no such disk, but one that
  // the array does not show, and what was once handed over under that name is another one.
  if (!disk.is_present() && node_.disks.Find(name)) {
    const Error error = disk.is_absent() ? VolumeNotFound(config_, name) : disk.reason();
    return error.Wrap(failure);
  }
  if (disk.is_absent()) return std::string();
  if (disk.is_unknown() && disks_.HasNamesOf(to)) {
    // Handed over before it has kept its name, and is another owner's.
    TRY(const auto neighbours, disks_.ListNeighbours({name.vmid}, std::nullopt, deadline));
    const bool is_foreign = std::any_of(neighbours.foreign.begin(), neighbours.foreign.end(),
                                        [&](const auto& one) { return one.name == name; });
    if (is_foreign) return std::string();
  }
  if (disk.is_unknown()) return disk.reason().Wrap(failure);
  if (!disk->ns) return VolumeNotFound(config_, name);
  TRY_STATUS(LetGo(name, *disk->ns, failure, deadline));
  const auto handed_over = disks_.HandOver(disk->volume, to, target, deadline);
  if (!handed_over.ok()) return Unchanged(name, disk->ns->uuid, handed_over.error()).Wrap(failure);
  TRY_STATUS(node_.links.Remove(node::LinkName(name)));
  return target.Text();
}

Result<std::vector<std::string>> Renaming::MovedVolumes(std::uint64_t vmid,
                                                        const std::string& moved_from,
                                                        const Deadline& deadline) {
  TRY(const auto neighbours, disks_.ListNeighbours({vmid}, std::nullopt, deadline));
  std::vector<std::string> moved;
  for (const auto& volume : neighbours.ours) {
    if (volume.mark.mark.moved_from == moved_from) moved.push_back(volume.name.Text());
  }
  return moved;
}

Status Renaming::TakeOver(const VolumeName& name, const Deadline& deadline) {
  const auto taken = disks_.TakeOver(name, deadline);
  if (!taken.ok()) return taken.error().Wrap("cannot take over volume '" + name.Text() + "'");
  node_.disks.Remember(name, taken->ns->uuid);
  return {};
}

Result<VolumeName> Renaming::RenameOnce(const VolumeName& name, std::uint64_t vmid,
                                        const std::string& new_name, const Deadline& deadline) {
  TRY(const auto neighbours, disks_.ListNeighbours({name.vmid, vmid}, std::nullopt, deadline));
  const auto volume = std::find_if(neighbours.ours.begin(), neighbours.ours.end(),
                                   [&](const auto& one) { return one.name == name; });
  if (volume == neighbours.ours.end()) return VolumeNotFound(config_, name);
  TRY(auto target, ChooseName(config_, vmid, new_name, neighbours));
  target.base_name = name.base_name;
  const auto remembered = node_.disks.Find(name);
  TRY_STATUS(node_.disks.Forget(name));
  const auto renamed = disks_.Rename(*volume, target, neighbours, deadline);
  if (renamed.ok()) return target;
  return Unchanged(name, remembered, renamed.error())
      .Wrap("cannot rename volume '" + name.Text() + "'");
}

Status Renaming::LetGo(const VolumeName& name, const catalogue::DiskNamespace& ns,
                       const std::string& failure, const Deadline& deadline) {
  TRY(const auto wanted, devices_.Wanted(ns, deadline));
  TRY_STATUS(devices_.RequireUnused(failure, wanted, kScannerPatience, deadline));
  TRY_STATUS(snapshot_devices_.End(name, failure, deadline));
  return node_.disks.Forget(name);
}

Error Renaming::Unchanged(const VolumeName& name, const std::optional<Uuid>& ns,
                          const Error& failure) {
  const bool is_certain = !failure.outcome_unknown() && failure.Fact("left_over").empty();
  if (ns && is_certain) node_.disks.Remember(name, *ns);
  return failure;
}

}  // namespace ontapnvme::pve
