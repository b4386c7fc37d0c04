// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/flexvol/snapshots.h"

#include <algorithm>
#include <map>
#include <utility>

#include "catalogue/flexvol/disk_lookup.h"
#include "catalogue/flexvol/records/disk_records.h"
#include "catalogue/refusals.h"
#include "node/boot_tag.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

// Proxmox freezes the guest in between, which takes seconds when it is busy. A disk that joins or leaves
// a VM needs its configuration's lock, which the snapshot has.
constexpr std::chrono::seconds kPreparedServes{30};

// Members of a group that are no volumes of Proxmox's are covered too, but nothing asks for them.
Coverage CoverageOf(const VolumeName& name, const std::vector<OwnedVolume>& volumes) {
  Coverage coverage = {name};
  for (const auto& volume : volumes) {
    if (volume->name.vmid != 0) coverage.insert(volume->name);
  }
  return coverage;
}

Mark SnapshotMark(const Marker& marker, const VolumeName& name, const std::string& operation_id,
                  Clock& clock) {
  Mark mark = marker.New(name.vmid, operation_id);
  // Not the time of day, which may be set back between two snapshots.
  mark.taken_by = node::BootTag();
  const auto since_start = clock.Now().time_since_epoch();
  mark.taken_ms = std::chrono::duration_cast<std::chrono::milliseconds>(since_start).count();
  return mark;
}

// `error` is of what comes before the snapshot: what became of that is no matter of the snapshot's.
Error NotTaken(const Error& error) {
  if (!error.outcome_unknown()) return error;
  Error known =
      Error(error.code(), error.sentence())
          .Because(error.reason())
          .From(error.origin())
          .Try("no snapshot was taken; " +
               (error.hint().empty() ? "try again when the array answers" : error.hint()));
  for (const auto& [key, value] : error.facts()) known.AddFact(key, value);
  return known;
}

}  // namespace

Result<std::vector<Snapshot>> Snapshots::List(const VolumeName& name, const Deadline& deadline) {
  session_->facts.Remembered();
  TRY(const auto volume, RequireVolume(*session_, name, deadline));
  TRY(const auto found, session_->gate.ListSnapshots({volume}, deadline));
  std::vector<Snapshot> snapshots;
  for (const auto& one : found) {
    snapshots.push_back(SnapshotOf(session_->gate.marker(), one));
  }
  return snapshots;
}

Result<std::vector<DiskSnapshots>> Snapshots::ListAll(std::optional<std::uint64_t> vmid,
                                                      const Deadline& deadline) {
  auto& gate = session_->gate;
  session_->facts.Remembered();
  TRY(auto disks, gate.ListDisks(vmid, deadline));
  if (disks.empty()) {
    if (auto doubt = DoubtOfSvm(*session_, deadline)) return std::move(*doubt);
  }
  std::erase_if(disks, [](const auto& disk) { return !disk.ns || disk.is_ambiguous; });
  std::vector<OwnedVolume> volumes;
  std::vector<DiskSnapshots> all;
  std::map<Uuid, std::size_t> place;  // in `all`
  for (const auto& disk : disks) {
    place.emplace(disk.volume->flexvol.uuid, all.size());
    volumes.push_back(disk.volume);
    all.push_back({.name = disk.volume->name, .size = (*disk.ns)->size, .snapshots = {}});
  }
  TRY(const auto found, gate.ListSnapshotsWithDetails(volumes, vmid, deadline));
  for (const auto& one : found) {
    all[place.at(one->volume_uuid)].snapshots.push_back(SnapshotOf(gate.marker(), one));
  }
  return all;
}

Status Snapshots::Prepare(const VolumeName& name, const Deadline& deadline) {
  session_->facts.Remembered();
  prepared_.reset();
  if (!name.IsGroupMember()) return {};
  TRY(auto group, GroupFor(name, deadline));
  if (group) prepared_ = Prepared{name.vmid, std::move(*group), deadline.clock().Now()};
  return {};
}

Result<std::optional<OwnedGroup>> Snapshots::GroupFor(const VolumeName& name,
                                                      const Deadline& deadline) {
  auto& groups = session_->groups;
  TRY(const auto flexvol, session_->gate.names().FlexVol(name));
  const auto holds_it = [&](const OwnedGroup& group) {
    return std::any_of(group->members.begin(), group->members.end(),
                       [&](const auto& member) { return member->flexvol.name == flexvol; });
  };
  const auto prepared = std::exchange(prepared_, std::nullopt);
  const bool serves = prepared && prepared->vmid == name.vmid &&
                      deadline.clock().Now() - prepared->at <= kPreparedServes;
  if (serves && holds_it(prepared->group)) return std::optional(prepared->group);
  TRY(const auto found, groups.Find(name.vmid, deadline));
  if (!found || !holds_it(*found)) return std::optional<OwnedGroup>();
  TRY(auto group, groups.PutRight(name.vmid, *found, deadline));
  return std::optional(std::move(group));
}

Result<Coverage> Snapshots::Take(const VolumeName& name, const ArraySnapshotName& snapshot,
                                 const std::string& operation_id, const Deadline& deadline) {
  auto& gate = session_->gate;
  auto& groups = session_->groups;
  session_->facts.Remembered();
  const Mark mark = SnapshotMark(gate.marker(), name, operation_id, deadline.clock());
  if (!name.IsGroupMember()) {
    TRY_STATUS(TakeAlone(name, snapshot, mark, deadline));
    return Coverage{name};
  }
  const bool was_prepared = prepared_.has_value();
  const auto found_group = GroupFor(name, deadline);
  if (!found_group.ok()) return NotTaken(found_group.error());
  const auto& group = *found_group;
  if (!group) {
    TRY_STATUS(TakeAlone(name, snapshot, mark, deadline));
    session_->log.Warning("volume '" + name.Text() +
                          "' is in no consistency group: it was snapshotted alone, not at the same "
                          "point in time as the VM's other disks");
    return Coverage{name};
  }
  const auto taken = groups.CreateSnapshot(*group, snapshot, mark, deadline);
  const auto& members = (*group)->members;
  if (taken.ok()) return CoverageOf(name, members);
  if (taken.error().outcome_unknown()) return taken.error();
  // It was made anew since it was prepared.
  if (was_prepared && FailedWith(taken, ErrorCode::kNotFound)) {
    return Take(name, snapshot, operation_id, deadline);
  }
  // A member's own snapshot of that name blocks the group's too.
  const auto own = gate.FindSnapshots(members, snapshot, deadline);
  const bool is_blocked =
      own.ok() && !own->empty() && !FailedWith(taken, ErrorCode::kAlreadyExists);
  Error failure =
      is_blocked ? SnapshotLeftOver(snapshot, own->front()->create_time) : taken.error();
  failure.AddFact("group", (*group)->name);
  return failure;
}

Status Snapshots::TakeAlone(const VolumeName& name, const ArraySnapshotName& snapshot,
                            const Mark& mark, const Deadline& deadline) {
  auto& gate = session_->gate;
  const auto found_volume = RequireVolume(*session_, name, deadline);
  if (!found_volume.ok()) return NotTaken(found_volume.error());
  const auto& volume = *found_volume;
  auto created = gate.CreateSnapshot(volume, snapshot, mark, deadline.Reserve(kReadBack));
  if (created.ok() || !MayHaveHappened(created.error())) return created;
  const auto found = gate.FindSnapshots({volume}, snapshot, deadline);
  if (!found.ok() || found->empty()) return created;
  const auto& there = *found->front();
  if (gate.marker().IsMadeBy(there.comment, mark.operation_id)) return {};
  return SnapshotLeftOver(snapshot, there.create_time);
}

// The group's goes first: it takes those of its members along, where the array does that.
Result<bool> Snapshots::RemoveTaken(const VolumeName& name, const SnapshotName& snapshot,
                                    const std::string& operation_id, const Deadline& deadline) {
  auto& gate = session_->gate;
  session_->facts.Remembered();
  const ArraySnapshotName array_name(snapshot);
  TRY(const auto disks, gate.ListDisks(name.vmid, deadline));
  if (disks.empty()) {
    if (auto doubt = DoubtOfSvm(*session_, deadline)) return std::move(*doubt);
  }
  TRY(const auto of_group,
      session_->groups.FindTaken(name.vmid, array_name, operation_id, deadline));
  if (of_group) TRY_STATUS(session_->groups.DeleteSnapshot(*of_group, deadline));
  std::vector<OwnedVolume> volumes;
  for (const auto& disk : disks) volumes.push_back(disk.volume);
  TRY(const auto found, gate.FindSnapshots(volumes, array_name, deadline));
  bool is_removed = of_group.has_value();
  for (const auto& one : found) {
    // Whether an array gives the members' the comment of the group's is not stated.
    const bool is_of_group = of_group && gate.marker().Read(one->comment).owner == Owner::kUnmarked;
    if (!is_of_group && !gate.marker().IsMadeBy(one->comment, operation_id)) continue;
    TRY_STATUS(gate.DeleteSnapshot(one, deadline));
    is_removed = true;
  }
  return is_removed;
}

Result<Coverage> Snapshots::Delete(const VolumeName& name, const ArraySnapshotName& snapshot,
                                   const Deadline& deadline) {
  session_->facts.Remembered();
  TRY(auto covered, DeleteOfGroup(name, snapshot, deadline));
  if (covered) return std::move(*covered);
  const auto volume = RequireVolume(*session_, name, deadline);
  if (FailedWith(volume, ErrorCode::kNotFound)) {
    // A volume that is gone has taken its snapshots along. Two questions tell whether it is.
    const auto disk = DiskLookup(*session_).Find(name, deadline);
    if (disk.is_unknown()) return disk.reason();
    if (disk.is_absent()) return Coverage{name};
  }
  if (!volume.ok()) return volume.error();
  auto deleted = DeleteOfVolume(*volume, snapshot, deadline);
  if (deleted.ok()) return Coverage{name};
  return NamingHolders(std::move(deleted).error(), {*volume}, snapshot, deadline);
}

Result<std::optional<Coverage>> Snapshots::DeleteOfGroup(const VolumeName& name,
                                                         const ArraySnapshotName& snapshot,
                                                         const Deadline& deadline) {
  auto& groups = session_->groups;
  if (!name.IsGroupMember()) return std::optional<Coverage>();
  TRY(const auto flexvol, session_->gate.names().FlexVol(name));
  TRY(const auto found, groups.FindSnapshot(name.vmid, {flexvol}, snapshot, deadline));
  if (!found) return std::optional<Coverage>();
  const auto& volumes = (*found)->volumes;
  auto deleted = groups.DeleteSnapshot(*found, deadline);
  // That the members' snapshots go with the group's is implied by NetApp's reference, not stated.
  if (deleted.ok()) deleted = DeleteOfVolumes(volumes, snapshot, deadline);
  // It was of an empty group, and its volumes are gone: the one that has the name now is asked.
  if (!deleted.ok() && deleted.error().origin().refusal == Refusal::kGone) {
    return std::optional<Coverage>();
  }
  if (deleted.ok()) return std::optional(CoverageOf(name, volumes));
  return NamingHolders(std::move(deleted).error(), volumes, snapshot, deadline);
}

Status Snapshots::DeleteOfVolumes(const std::vector<OwnedVolume>& volumes,
                                  const ArraySnapshotName& snapshot, const Deadline& deadline) {
  auto& gate = session_->gate;
  TRY(const auto found, gate.FindSnapshots(volumes, snapshot, deadline));
  for (const auto& one : found) TRY_STATUS(gate.DeleteSnapshot(one, deadline));
  return {};
}

// That it is gone already is told by two questions: one for its name, and one for all.
Status Snapshots::DeleteOfVolume(const OwnedVolume& volume, const ArraySnapshotName& snapshot,
                                 const Deadline& deadline) {
  auto& gate = session_->gate;
  TRY(auto found, gate.FindSnapshots({volume}, snapshot, deadline));
  if (found.empty()) {
    TRY(found, gate.ListSnapshots({volume}, deadline));
  }
  for (const auto& one : found) {
    if (one->name == snapshot.Text()) TRY_STATUS(gate.DeleteSnapshot(one, deadline));
  }
  return {};
}

Error Snapshots::NamingHolders(Error error, const std::vector<OwnedVolume>& volumes,
                               const ArraySnapshotName& snapshot, const Deadline& deadline) {
  if (!IsHeldByClones(error)) return error;
  std::vector<std::string> holders;
  bool are_full = true;
  for (const auto& volume : volumes) {
    const auto clones = session_->gate.ListClones(volume, deadline);
    if (!clones.ok()) return error;
    for (const auto& clone : *clones) {
      if (clone.parent_snapshot != snapshot.Text()) continue;
      holders.push_back(clone.text);
      are_full = are_full && clone.is_full;
    }
  }
  return HeldByClones(std::move(error), holders, are_full);
}

}  // namespace ontapnvme::catalogue::flexvol
