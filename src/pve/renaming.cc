// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/renaming.h"

#include <algorithm>

#include "pve/attachment.h"
#include "pve/disk_lookup.h"
#include "pve/name_choice.h"
#include "pve/volume_details.h"

namespace ontapnvme::pve {

Result<std::string> Renaming::CreateBase(const VolumeName& name, const Deadline& deadline) {
  auto& context = *context_;
  const std::string failure = "cannot turn volume '" + name.Text() + "' into a base image";
  if (name.is_base) {
    return Error(ErrorCode::kInvalidArgument, failure).Because("it is one already").Try("clone it");
  }
  VolumeName base = name;
  base.is_base = true;
  TRY(const auto disk, FindDisk(context, name, deadline));
  if (!disk || !disk->ns) {
    // Perhaps an earlier conversion that was stopped before Proxmox wrote it down.
    TRY(const auto converted, FindDisk(context, base, deadline));
    if (converted && converted->ns) return base.Text();
    return VolumeNotFound(context, name);
  }
  TRY(const auto facts, facts_->Read(deadline));
  const auto unused = RequireUnusedHere(context, name, WantedDeviceOf(context, facts, *disk->ns));
  if (!unused.ok()) return unused.error().Wrap(failure);
  TRY(const auto base_flexvol, FlexVolName(context.config.prefix, base));

  const Deadline working = deadline.Reserve(kUndoBudget);
  UndoSteps undo;
  const auto convert = [&]() -> Status {
    auto details = ReadDetails(disk->volume.comment);
    details.base_name = name.base_name;
    TRY_STATUS(TakeBaseSnapshot(name, disk->volume, details.base_snapshot, undo, working));
    TRY_STATUS(LeaveGroup(name, disk->volume, undo, working));
    TRY(const auto comment,
        WithDetails(context.ownership.Remark(disk->volume.comment, name.vmid), details));
    TRY_STATUS(SetComment(disk->volume, comment, undo, working));
    TRY_STATUS(context.disk_memory.Forget(name));
    return RenameFlexVol(disk->volume, base_flexvol, undo, working);
  };
  if (const auto converted = convert(); !converted.ok()) {
    return undo.Run(converted.error().Wrap(failure), deadline.Grace(kUndoBudget));
  }
  context.disk_memory.Remember(base, disk->ns->uuid);
  TRY_STATUS(context.links.Remove(LinkName(name)));
  return base.Text();
}

// A linked clone shows the base snapshot of its own base image, which it cannot lose: then the new
// one has a name of its own.
Status Renaming::TakeBaseSnapshot(const VolumeName& name, const ontap::FlexVol& volume,
                                  std::string& array_name, UndoSteps& undo,
                                  const Deadline& deadline) {
  auto& context = *context_;
  TRY(const auto there, context.snapshots.List({{volume.uuid, volume.name}}, deadline));
  const std::string operation_id = NewOperationId();
  std::string wanted(kBaseSnapshot);
  for (const auto& one : there) {
    if (!one.name.starts_with(kBaseSnapshot)) continue;
    if (one.owners.empty()) {
      // Of a conversion that was stopped. The disk has been written to since.
      TRY_STATUS(context.snapshots.Delete(volume.uuid, one.uuid, deadline));
    } else if (one.name == wanted) {
      wanted += "_" + operation_id;
    }
  }
  undo.Add("snapshot " + wanted, [this, volume, wanted, operation_id](const Deadline& grace) {
    const auto made = context_->snapshots.FindByName({{volume.uuid, volume.name}}, wanted, grace);
    if (!made.ok()) return Status(made.error());
    if (made->empty() || !context_->ownership.IsMadeBy(made->front().comment, operation_id)) {
      return Status();
    }
    return context_->snapshots.Delete(volume.uuid, made->front().uuid, grace);
  });
  const auto made = context.snapshots.Create(
      volume.uuid, wanted, context.ownership.Mark(name.vmid, operation_id), deadline);
  if (!made.ok()) {
    if (!MayHaveHappened(made.error())) return made;
    TRY(const auto found,
        context.snapshots.FindByName({{volume.uuid, volume.name}}, wanted, deadline));
    const bool is_ours =
        !found.empty() && context.ownership.IsMadeBy(found.front().comment, operation_id);
    if (!is_ours) return made;
  }
  array_name = wanted == kBaseSnapshot ? "" : wanted;
  return {};
}

Status Renaming::LeaveGroup(const VolumeName& name, const ontap::FlexVol& volume, UndoSteps& undo,
                            const Deadline& deadline) {
  if (!volume.group || !name.IsGroupMember()) return {};
  undo.Add("volume outside its group: " + volume.name,
           [this, volume, vmid = name.vmid](const Deadline& grace) {
             return groups_.Join(vmid, volume.name, {}, grace);
           });
  return groups_.Leave(name.vmid, volume, deadline);
}

Status Renaming::SetComment(const ontap::FlexVol& volume, const std::string& comment,
                            UndoSteps& undo, const Deadline& deadline) {
  if (comment == volume.comment) return {};
  undo.Add("comment of " + volume.name, [this, volume](const Deadline& grace) {
    return context_->volumes.SetComment(volume.uuid, volume.comment, grace);
  });
  return context_->volumes.SetComment(volume.uuid, comment, deadline);
}

// A lost answer is settled by the UUID behind the name.
Status Renaming::RenameFlexVol(const ontap::FlexVol& volume, const std::string& new_name,
                               UndoSteps& undo, const Deadline& deadline) {
  auto& context = *context_;
  const auto renamed = context.volumes.Rename(volume.uuid, new_name, deadline);
  if (!renamed.ok() && !MayHaveHappened(renamed.error())) return renamed;
  undo.Add("FlexVol " + new_name, [this, volume, new_name](const Deadline& grace) -> Status {
    TRY(const bool is_renamed, HasName(*context_, volume, new_name, grace));
    return is_renamed ? context_->volumes.Rename(volume.uuid, volume.name, grace) : Status();
  });
  if (renamed.ok()) return {};
  TRY(const bool is_renamed, HasName(context, volume, new_name, deadline));
  return is_renamed ? Status() : renamed;
}

// Another owner has another lock, and chooses among the same names: who loses one takes the next.
Result<std::string> Renaming::Rename(const VolumeName& name, std::uint64_t vmid,
                                     const std::string& new_name, const Deadline& deadline) {
  constexpr int kTriesMax = 10;
  for (int tries = 1;; ++tries) {
    bool is_name_lost = false;
    auto renamed = RenameOnce(name, vmid, new_name, deadline, is_name_lost);
    if (!is_name_lost || !new_name.empty() || tries == kTriesMax) return renamed;
  }
}

Result<std::string> Renaming::RenameOnce(const VolumeName& name, std::uint64_t vmid,
                                         const std::string& new_name, const Deadline& deadline,
                                         bool& is_name_lost) {
  auto& context = *context_;
  const std::string& prefix = context.config.prefix;
  const std::string failure = "cannot rename volume '" + name.Text() + "'";
  if (name.is_base) {
    return Error(ErrorCode::kUnsupported, failure)
        .Because("the names of its linked clones hold its name")
        .Try("make a full clone of it");
  }
  TRY(const auto flexvol, FlexVolName(prefix, name));
  TRY(const auto listed, context.volumes.List(FlexVolPatternOfVm(prefix, name.vmid) + "|" +
                                                  FlexVolPatternOfVm(prefix, vmid),
                                              deadline));
  const auto volume = std::find_if(listed.begin(), listed.end(), [&](const auto& one) {
    return one.name == flexvol && !context.ownership.IsForeign(one.comment);
  });
  if (volume == listed.end()) return VolumeNotFound(context, name);
  TRY(auto target, ChooseName(context, vmid, new_name, listed));
  TRY(const auto target_flexvol, FlexVolName(prefix, target));
  target.base_name = name.base_name;
  const auto remembered = context.disk_memory.Find(name);

  const Deadline working = deadline.Reserve(kUndoBudget);
  UndoSteps undo;
  const auto rename = [&]() -> Status {
    auto details = ReadDetails(volume->comment);
    details.base_name = name.base_name;
    TRY(const auto comment, WithDetails(context.ownership.Remark(volume->comment, vmid), details));
    TRY_STATUS(context.disk_memory.Forget(name));
    TRY_STATUS(LeaveGroup(name, *volume, undo, working));
    TRY_STATUS(SetComment(*volume, comment, undo, working));
    TRY_STATUS(RenameFlexVol(*volume, target_flexvol, undo, working));
    if (!target.IsGroupMember()) return {};
    undo.Add("group of VM " + std::to_string(vmid), [&](const Deadline& grace) -> Status {
      TRY(const auto joined, context.volumes.Find(target_flexvol, grace));
      return joined ? groups_.Leave(vmid, *joined, grace) : Status();
    });
    return groups_.Join(vmid, target_flexvol, listed, working);
  };
  if (const auto renamed = rename(); !renamed.ok()) {
    is_name_lost = FailedWith(renamed, ErrorCode::kAlreadyExists);
    return undo.Run(renamed.error().Wrap(failure), deadline.Grace(kUndoBudget));
  }
  if (remembered) context.disk_memory.Remember(target, *remembered);
  // An unused disk of a running VM may be active: its device stays, under the new name.
  if (const auto device = context.links.Target(LinkName(name))) {
    TRY_STATUS(context.links.Point(LinkName(target), *device));
    TRY_STATUS(context.links.Remove(LinkName(name)));
  }
  return target.Text();
}

}  // namespace ontapnvme::pve
