// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/flexvol/renaming.h"

#include "catalogue/flexvol/facts/storage_identity.h"
#include "catalogue/flexvol/records/disk_records.h"
#include "catalogue/refusals.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

Status AsNameLost(Status renamed) {
  if (!FailedWith(renamed, ErrorCode::kAlreadyExists)) return renamed;
  Origin origin = renamed.error().origin();
  origin.refusal = Refusal::kNameLost;
  return std::move(renamed.error()).From(origin);
}

// A linked clone shows what its parent had when it was made.
bool IsInherited(const VolumeRecord& volume, const ontap::Snapshot& snapshot) {
  const auto& flexvol = volume.flexvol;
  return snapshot.name == flexvol.parent_snapshot_name ||
         (!flexvol.parent_volume_name.empty() && snapshot.create_time < flexvol.create_time);
}

}  // namespace

Status Renaming::TurnIntoBase(const Disk& disk, const VolumeName& base, const Deadline& deadline) {
  auto& gate = session_->gate;
  session_->facts.Remembered();
  const Deadline working = deadline.Reserve(kUndoBudget);
  TRY(const auto volume, gate.Readmit(disk.volume, working));
  TRY(const auto flexvol, gate.names().FlexVol(base));
  UndoSteps undo;
  const auto convert = [&]() -> Status {
    TRY(const auto snapshot, TakeBaseSnapshot(volume, undo, working));
    TRY_STATUS(LeaveGroup(volume, undo, working));
    Mark mark = gate.marker().Adopt(volume->mark, base.vmid);
    mark.base_name = disk.volume.name.base_name;
    mark.base_snapshot = snapshot.Text() == kBaseSnapshot ? "" : snapshot.Text();
    TRY_STATUS(SetMark(volume, mark, undo, working));
    TRY_STATUS(RenameFlexVol(volume, flexvol, undo, working));
    return StillWanted(working);
  };
  const auto converted = convert();
  return converted.ok() ? Status() : Status(undo.Run(converted.error(), deadline));
}

// A linked clone shows the base snapshot of its own base image, which it cannot lose: then the new
// one has a name of its own.
Result<ArraySnapshotName> Renaming::TakeBaseSnapshot(const OwnedVolume& volume, UndoSteps& undo,
                                                     const Deadline& deadline) {
  auto& gate = session_->gate;
  TRY(const auto there, gate.ListSnapshots({volume}, deadline));
  const Mark mark = gate.marker().New(volume->name.vmid, NewOperationId());
  std::string wanted(kBaseSnapshot);
  for (const auto& one : there) {
    if (!one->name.starts_with(kBaseSnapshot)) continue;
    if (one->owners.empty()) {
      // Of a conversion that was stopped. The disk has been written to since.
      TRY_STATUS(gate.DeleteSnapshot(one, deadline));
    } else if (one->name == wanted) {
      wanted += "_" + mark.operation_id;
    }
  }
  const ArraySnapshotName name(wanted);
  // If it is there, and of this operation.
  const auto find = [&gate, volume, name,
                     mark](const Deadline& when) -> Result<std::optional<OwnedSnapshot>> {
    TRY(auto found, gate.FindSnapshots({volume}, name, when));
    const bool is_ours =
        !found.empty() && gate.marker().IsMadeBy(found.front()->comment, mark.operation_id);
    return is_ours ? std::optional(std::move(found.front())) : std::nullopt;
  };
  undo.Add("snapshot " + wanted, [&gate, find](const Deadline& grace) -> Status {
    TRY(const auto made, find(grace));
    return made ? gate.DeleteSnapshot(*made, grace) : Status();
  });
  auto made = gate.CreateSnapshot(volume, name, mark, deadline);
  if (made.ok()) return name;
  if (!MayHaveHappened(made.error())) return std::move(made).error();
  TRY(const auto ours, find(deadline));
  if (!ours) return std::move(made).error();
  return name;
}

Result<std::optional<ArraySnapshotName>> Renaming::AddBaseSnapshot(const VolumeName& base,
                                                                   const Deadline& deadline) {
  const Deadline working = deadline.Reserve(kUndoBudget);
  // With its parent, and with the namespace that a snapshot is to hold.
  TRY(const auto disk, session_->gate.FindDisk(base, working));
  if (!disk || !disk->ns) return VolumeNotFound(session_->config, base);
  const OwnedVolume& volume = disk->volume;
  const ArraySnapshotName recorded(volume->mark.mark.BaseSnapshot());
  TRY(const auto there, session_->gate.ListSnapshots({volume}, working));
  for (const auto& one : there) {
    const bool is_its_own = one->name == recorded.Text() && !IsInherited(*volume, *one);
    if (is_its_own) return std::optional<ArraySnapshotName>();
  }
  UndoSteps undo;
  const auto take = [&]() -> Result<ArraySnapshotName> {
    TRY(const auto taken, TakeBaseSnapshot(volume, undo, working));
    Mark mark = session_->gate.marker().Adopt(volume->mark, base.vmid);
    mark.base_name = volume->name.base_name;
    mark.base_snapshot = taken.Text() == kBaseSnapshot ? "" : taken.Text();
    TRY_STATUS(SetMark(volume, mark, undo, working));
    return taken;
  };
  auto taken = take();
  if (!taken.ok()) return undo.Run(std::move(taken).error(), deadline);
  session_->log.Warning("base image '" + base.Text() +
                        "' had no snapshot to make linked clones from; it has been taken now");
  return std::optional(std::move(*taken));
}

Status Renaming::Rename(const Volume& listed, const VolumeName& new_name,
                        const Neighbours& neighbours, const Deadline& deadline) {
  auto& gate = session_->gate;
  session_->facts.Remembered();
  const Deadline working = deadline.Reserve(kUndoBudget);
  TRY(const auto volume, gate.Readmit(listed, working));
  TRY(const auto flexvol, gate.names().FlexVol(new_name));
  UndoSteps undo;
  const auto rename = [&]() -> Status {
    Mark mark = gate.marker().Adopt(volume->mark, new_name.vmid);
    if (!new_name.base_name.empty()) mark.base_name = new_name.base_name;
    TRY_STATUS(LeaveGroup(volume, undo, working));
    TRY_STATUS(SetMark(volume, mark, undo, working));
    TRY_STATUS(RenameFlexVol(volume, flexvol, undo, working));
    TRY_STATUS(JoinGroup(volume, new_name, neighbours, undo, working));
    return StillWanted(working);
  };
  const auto renamed = rename();
  return renamed.ok() ? Status() : Status(undo.Run(renamed.error(), deadline));
}

Result<std::string> Renaming::FlexVolThere(const OwnedVolume& volume, const OtherStorage& to,
                                           const VolumeName& new_name, const Deadline& deadline) {
  const auto refused = [&](const std::string& reason) {
    return Error(ErrorCode::kUnsupported,
                 "cannot give a disk to storage '" + CleanText(to.storage_id) + "' without a copy")
        .Because(reason)
        .Try("copy it with 'qm disk move'");
  };
  TRY(const auto facts, session_->facts.Read(deadline));
  const auto there = StorageIdentity::Parse(to.identity);
  if (!there || there->svm != facts.svm_uuid) return refused("its disks are on another SVM");
  const ArrayNames names(there->prefix);
  TRY(auto flexvol, names.FlexVol(new_name));
  const bool is_told_apart =
      !session_->gate.names().VolumeOf(flexvol) && !names.VolumeOf(volume->flexvol.name);
  if (flexvol != volume->flexvol.name && !is_told_apart) {
    return refused("what begins with '" + session_->config.prefix + "' and what begins with '" +
                   CleanText(there->prefix) + "' cannot be told apart");
  }
  return flexvol;
}

bool Renaming::HasNamesOf(const OtherStorage& other) {
  const auto there = StorageIdentity::Parse(other.identity);
  return there && there->prefix == session_->config.prefix;
}

Status Renaming::HandOver(const Volume& listed, const OtherStorage& to, const VolumeName& new_name,
                          const Deadline& deadline) {
  auto& gate = session_->gate;
  const Deadline working = deadline.Reserve(kUndoBudget);
  TRY(const auto volume, gate.Readmit(listed, working));
  TRY(const auto flexvol, FlexVolThere(volume, to, new_name, working));
  UndoSteps undo;
  const auto hand_over = [&]() -> Status {
    Mark mark = gate.marker().Adopt(volume->mark, listed.name.vmid);
    mark.moved_from = session_->config.storage_id + ":" + listed.name.Text();
    const bool is_same_name = flexvol == volume->flexvol.name;
    (is_same_name ? mark.storage_id : mark.moving_to) = to.storage_id;
    TRY_STATUS(LeaveGroup(volume, undo, working));
    TRY_STATUS(SetMark(volume, mark, undo, working));
    if (!is_same_name) TRY_STATUS(RenameFlexVol(volume, flexvol, undo, working));
    return StillWanted(working);
  };
  const auto handed_over = hand_over();
  return handed_over.ok() ? Status() : Status(undo.Run(handed_over.error(), deadline));
}

Result<Disk> Renaming::TakeOver(const VolumeName& name, const Deadline& deadline) {
  auto& gate = session_->gate;
  TRY(const auto facts, session_->facts.Read(deadline));
  TRY(const auto found, gate.FindDisk(name, deadline));
  if (!found || !found->ns) return VolumeNotFound(session_->config, name);
  const auto& ns = *found->ns;
  const Mark mark = gate.marker().Adopt(found->volume->mark, name.vmid);
  TRY(const auto volume, gate.SetMark(found->volume, mark, deadline));
  if (ns->subsystem_uuid && *ns->subsystem_uuid != facts.subsystem_uuid) {
    TRY_STATUS(gate.Unmap(ns, *ns->subsystem_uuid, deadline));
  }
  TRY_STATUS(gate.Map(ns, deadline));
  if (name.IsGroupMember()) {
    TRY(const auto listed, gate.ListVolumes({name.vmid}, std::nullopt, Listed::kVms, deadline));
    std::vector<Volume> siblings;
    for (const auto& one : listed.ours) siblings.push_back(VolumeOf(one));
    TRY_STATUS(session_->groups.JoinOrWarn(name.vmid, {volume}, siblings, deadline));
  }
  Disk disk{.volume = VolumeOf(volume), .ns = NamespaceOf(ns, "volume '" + name.Text() + "'")};
  disk.ns->mapping = Mapping::kHere;
  return disk;
}

Status Renaming::LeaveGroup(const OwnedVolume& volume, UndoSteps& undo, const Deadline& deadline) {
  if (!volume->flexvol.group || !volume->name.IsGroupMember()) return {};
  auto& groups = session_->groups;
  const auto vmid = volume->name.vmid;
  undo.Add("volume outside its group: " + volume->flexvol.name,
           [&groups, volume, vmid](const Deadline& grace) {
             return groups.Join(vmid, {volume}, {}, grace);
           });
  return groups.Leave(vmid, volume, deadline);
}

Status Renaming::SetMark(const OwnedVolume& volume, const Mark& mark, UndoSteps& undo,
                         const Deadline& deadline) {
  auto& gate = session_->gate;
  TRY(const auto comment, mark.Text());
  if (comment == volume->flexvol.comment) return {};
  undo.Add("comment of " + volume->flexvol.name, [&gate, volume](const Deadline& grace) {
    return gate.SetComment(volume, volume->flexvol.comment, grace);
  });
  return gate.SetComment(volume, comment, deadline);
}

// A lost answer is settled by the UUID behind the name.
Status Renaming::RenameFlexVol(const OwnedVolume& volume, const std::string& flexvol,
                               UndoSteps& undo, const Deadline& deadline) {
  auto& gate = session_->gate;
  auto renamed = gate.Rename(volume, flexvol, deadline);
  if (!renamed.ok() && !MayHaveHappened(renamed.error())) return renamed;
  undo.Add("FlexVol " + flexvol, [&gate, volume, flexvol](const Deadline& grace) -> Status {
    TRY(const bool is_renamed, gate.HasName(volume, flexvol, grace));
    return is_renamed ? gate.Rename(volume, volume->flexvol.name, grace) : Status();
  });
  if (renamed.ok()) return {};
  TRY(const bool is_renamed, gate.HasName(volume, flexvol, deadline));
  return is_renamed ? Status() : AsNameLost(std::move(renamed));
}

Status Renaming::JoinGroup(const OwnedVolume& volume, const VolumeName& new_name,
                           const Neighbours& neighbours, UndoSteps& undo,
                           const Deadline& deadline) {
  if (!new_name.IsGroupMember()) return {};
  auto& gate = session_->gate;
  auto& groups = session_->groups;
  TRY(auto flexvol, gate.names().FlexVol(new_name));
  const auto renamed = Gate::Renamed(volume, std::move(flexvol), new_name);
  undo.Add("group of VM " + std::to_string(new_name.vmid),
           [&gate, &groups, new_name](const Deadline& grace) -> Status {
             TRY(const auto joined, gate.FindVolume(new_name, grace));
             return joined ? groups.Leave(new_name.vmid, *joined, grace) : Status();
           });
  return groups.JoinOrWarn(new_name.vmid, {renamed}, neighbours.ours, deadline);
}

}  // namespace ontapnvme::catalogue::flexvol
