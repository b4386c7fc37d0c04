// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/vm_snapshots.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "ontap/ontap_errors.h"
#include "pve/clone_holders.h"
#include "pve/disk_lookup.h"

namespace ontapnvme::pve {
namespace {

// Never reused: whoever asks for a snapshot now believes in this point in time, and the left-over
// holds another.
Error LeftOver(const VolumeName& name, const std::string& snapshot,
               std::chrono::sys_seconds create_time) {
  return Error(ErrorCode::kAlreadyExists, "cannot snapshot volume '" + name.Text() + "'")
      .Because("the array has a snapshot '" + snapshot + "' of an earlier operation")
      .With("array_name", ArraySnapshotName(snapshot))
      .With("created_s", std::to_string(create_time.time_since_epoch().count()))
      .Try(
          "use another name, or delete the left-over on the array; a clone keeps the snapshots "
          "that "
          "it was made from");
}

std::vector<ontap::VolumeRef> VolumesOf(const ontap::ConsistencyGroup& group) {
  std::vector<ontap::VolumeRef> volumes;
  for (const auto& member : group.members) {
    volumes.push_back({.uuid = member.volume_uuid, .name = member.volume_name});
  }
  return volumes;
}

std::set<std::string> NamesOf(const std::vector<ontap::VolumeRef>& volumes) {
  std::set<std::string> names;
  for (const auto& volume : volumes) names.insert(volume.name);
  return names;
}

}  // namespace

Status VmSnapshots::Create(const VolumeName& name, const std::string& snapshot,
                           const Deadline& deadline) {
  TRY(const auto flexvol, FlexVolName(context_->config.prefix, name));
  const SnapshotKey key{name.vmid, snapshot};
  if (TakeCovered(created_, key, flexvol, deadline.clock().Now())) return {};
  deleted_.erase(key);
  if (name.IsGroupMember()) {
    TRY(const auto group, groups_.Find(name.vmid, deadline));
    const auto is_this = [&](const auto& member) { return member.volume_name == flexvol; };
    if (group && std::any_of(group->members.begin(), group->members.end(), is_this)) {
      TRY_STATUS(CreateOfGroup(*group, name, snapshot, deadline));
      created_[key] = CoveredVolumes(NamesOf(VolumesOf(*group)), deadline.clock().Now());
      created_[key].Take(flexvol, deadline.clock().Now());
      return {};
    }
  }
  TRY_STATUS(CreateOfVolume(name, snapshot, deadline));
  if (name.IsGroupMember()) {
    context_->log.Warning("volume '" + name.Text() +
                          "' is in no consistency group: it was snapshotted alone, not at the same "
                          "point in time as the VM's other disks");
  }
  return {};
}

Status VmSnapshots::CreateOfGroup(const ontap::ConsistencyGroup& group, const VolumeName& name,
                                  const std::string& snapshot, const Deadline& deadline) {
  auto& context = *context_;
  const std::string array_name = ArraySnapshotName(snapshot);
  const std::string operation_id = NewOperationId();
  const auto created = context.groups.CreateSnapshot(
      group.uuid, array_name, context.ownership.Mark(name.vmid, operation_id), deadline);
  if (created.ok()) return {};
  Error failure = created.error().Wrap("cannot snapshot volume '" + name.Text() + "'");
  failure.AddFact("group", group.name);
  if (MayHaveHappened(created.error())) {
    TRY(const auto found, context.groups.FindSnapshot(group.uuid, array_name, deadline));
    if (found && context.ownership.IsMadeBy(found->comment, operation_id)) return {};
    if (found) return LeftOver(name, snapshot, found->create_time);
  }
  // A member's own snapshot of that name blocks the group's too.
  const auto own = context.snapshots.FindByName(VolumesOf(group), array_name, deadline);
  if (own.ok() && !own->empty()) return LeftOver(name, snapshot, own->front().create_time);
  return failure;
}

Status VmSnapshots::CreateOfVolume(const VolumeName& name, const std::string& snapshot,
                                   const Deadline& deadline) {
  auto& context = *context_;
  TRY(const auto volume, RequireVolume(context, name, deadline));
  const std::string array_name = ArraySnapshotName(snapshot);
  const std::string operation_id = NewOperationId();
  const auto created = context.snapshots.Create(
      volume.uuid, array_name, context.ownership.Mark(name.vmid, operation_id), deadline);
  if (created.ok()) return {};
  if (MayHaveHappened(created.error())) {
    TRY(const auto found,
        context.snapshots.FindByName({{volume.uuid, volume.name}}, array_name, deadline));
    if (!found.empty()) {
      if (context.ownership.IsMadeBy(found.front().comment, operation_id)) return {};
      return LeftOver(name, snapshot, found.front().create_time);
    }
  }
  return created.error().Wrap("cannot snapshot volume '" + name.Text() + "'");
}

Status VmSnapshots::Delete(const VolumeName& name, const std::string& snapshot,
                           const Deadline& deadline) {
  TRY(const auto flexvol, FlexVolName(context_->config.prefix, name));
  const SnapshotKey key{name.vmid, snapshot};
  created_.erase(key);  // what is deleted covers nothing any more
  if (TakeCovered(deleted_, key, flexvol, deadline.clock().Now())) return {};
  TRY(const bool was_in_group, DeleteOfGroup(name, flexvol, snapshot, deadline));
  if (was_in_group) return {};
  const auto volume = RequireVolume(*context_, name, deadline);
  // A volume that is gone has taken its snapshots along.
  if (FailedWith(volume, ErrorCode::kNotFound)) return {};
  if (!volume.ok()) return volume.error();
  const std::vector<ontap::VolumeRef> alone = {{volume->uuid, volume->name}};
  const auto deleted = DeleteHeld(
      alone, ArraySnapshotName(snapshot),
      [&] { return DeleteOfVolumes(alone, snapshot, deadline); }, deadline);
  if (deleted.ok()) return {};
  return deleted.error().Wrap("cannot delete snapshot '" + snapshot + "' of volume '" +
                              name.Text() + "'");
}

// Deletes the group's snapshot if it holds the volume; false when there is none that does.
Result<bool> VmSnapshots::DeleteOfGroup(const VolumeName& name, const std::string& flexvol,
                                        const std::string& snapshot, const Deadline& deadline) {
  auto& context = *context_;
  if (!name.IsGroupMember()) return false;
  const std::string array_name = ArraySnapshotName(snapshot);
  TRY(const auto found,
      context.groups.FindSnapshots(GroupPattern(context, name.vmid), array_name, deadline));
  for (const auto& one : found) {
    if (context.ownership.IsForeign(one.comment)) continue;
    std::vector<ontap::VolumeRef> volumes = one.volumes;
    if (volumes.empty()) {  // not told before 9.12.1
      TRY(const auto group, groups_.Find(name.vmid, deadline));
      if (!group || group->uuid != one.group_uuid) continue;
      volumes = VolumesOf(*group);
    }
    auto covered = NamesOf(volumes);
    if (!covered.contains(flexvol)) continue;
    const auto deleted = DeleteHeld(
        volumes, array_name,
        [&] { return context.groups.DeleteSnapshot(one.group_uuid, one.uuid, deadline); },
        deadline);
    if (!deleted.ok()) {
      return deleted.error().Wrap("cannot delete snapshot '" + snapshot + "' of volume '" +
                                  name.Text() + "'");
    }
    // That the members' snapshots go with the group's is implied by NetApp's reference, not stated.
    TRY_STATUS(DeleteOfVolumes(volumes, snapshot, deadline));
    covered.erase(flexvol);
    deleted_[{name.vmid, snapshot}] = CoveredVolumes(std::move(covered), deadline.clock().Now());
    return true;
  }
  return false;
}

Status VmSnapshots::DeleteHeld(const std::vector<ontap::VolumeRef>& volumes,
                               const std::string& array_name, const std::function<Status()>& remove,
                               const Deadline& deadline) {
  const auto is_held = [](const Status& removed) {
    return !removed.ok() && ontap::IsHeldByClones(removed.error());
  };
  auto removed = remove();
  if (is_held(removed) && devices_->Reap(NamesOf(volumes), array_name, deadline)) {
    removed = remove();
  }
  if (!is_held(removed)) return removed;
  std::vector<ontap::FlexVol> holders;
  for (const auto& volume : volumes) {
    auto clones = context_->volumes.ListClones(volume.name, deadline);
    if (!clones.ok()) return removed;
    std::copy_if(clones->begin(), clones->end(), std::back_inserter(holders),
                 [&](const auto& clone) { return clone.parent_snapshot_name == array_name; });
  }
  return HeldByClones(*context_, removed.error(), holders);
}

Status VmSnapshots::DeleteOfVolumes(const std::vector<ontap::VolumeRef>& volumes,
                                    const std::string& snapshot, const Deadline& deadline) {
  auto& context = *context_;
  TRY(const auto found,
      context.snapshots.FindByName(volumes, ArraySnapshotName(snapshot), deadline));
  for (const auto& one : found) {
    TRY_STATUS(context.snapshots.Delete(one.volume_uuid, one.uuid, deadline));
  }
  return {};
}

Result<std::vector<SnapshotInfo>> VmSnapshots::List(const VolumeName& name,
                                                    const Deadline& deadline) {
  TRY(const auto volume, RequireVolume(*context_, name, deadline));
  TRY(const auto found, context_->snapshots.List({{volume.uuid, volume.name}}, deadline));
  std::vector<SnapshotInfo> infos;
  for (const auto& one : found) {
    if (auto pve_name = PveSnapshotName(one.name)) {
      infos.push_back({.name = std::move(*pve_name),
                       .id = one.uuid.Text(),
                       .create_time_s = one.create_time.time_since_epoch().count()});
    }
  }
  return infos;
}

}  // namespace ontapnvme::pve
