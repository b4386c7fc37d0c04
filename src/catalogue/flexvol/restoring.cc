// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/flexvol/restoring.h"

#include <algorithm>

#include "catalogue/disk_store.h"
#include "catalogue/flexvol/disk_lookup.h"
#include "catalogue/flexvol/names/copy_name.h"
#include "catalogue/flexvol/records/disk_records.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

DiskHistory HistoryOf(const OwnedVolume& volume) {
  return {.name = volume->name,
          .container_name = volume->flexvol.name,
          .container = volume->flexvol.uuid,
          .ns = volume->ns,
          .snapshots = {}};
}

// Whether a mapped namespace may be reverted, and with which code that is refused, is not stated by
// NetApp: any final refusal may mean it, except those that say what else is in the way.
bool MayBeTheMap(const Error& error) {
  const Refusal refusal = error.origin().refusal;
  const bool is_held = refusal == Refusal::kNewerHeld || refusal == Refusal::kHeldByClones;
  if (is_held || error.outcome_unknown()) return false;
  switch (error.code()) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kUnsupported:
    case ErrorCode::kAlreadyExists:
    case ErrorCode::kBusy:
    case ErrorCode::kConflict:
    case ErrorCode::kInternal:
      return true;
    case ErrorCode::kUnauthenticated:
    case ErrorCode::kPermissionDenied:
    case ErrorCode::kNotFound:
    case ErrorCode::kNoSpace:
    case ErrorCode::kUnavailable:
    case ErrorCode::kTimedOut:
    case ErrorCode::kDeviceMissing:
    case ErrorCode::kInterrupted:
      return false;
  }
  return false;
}

// Of the request itself: another try would be refused as well.
bool RefusesTheForm(const Error& error) {
  if (error.outcome_unknown()) return false;
  const bool is_bad_value =
      error.code() == ErrorCode::kInvalidArgument && error.origin().http_status == 400;
  return error.code() == ErrorCode::kUnsupported || is_bad_value;
}

// Of whatever disk and snapshot: not because something is missing in this one.
bool IsOfTheArray(const Error& error) {
  return error.origin().refusal != Refusal::kGone;
}

// A change that the array is still at may not have been told of for so long.
constexpr std::chrono::seconds kMayBeRunning{60};

}  // namespace

Result<VmHistory> Restoring::ReadHistory(const VolumeName& name, const Deadline& deadline) {
  session_->facts.Remembered();
  VmHistory history;
  TRY(const auto group, session_->groups.Find(name.vmid, deadline));
  if (group) {
    history.group = GroupRef{.uuid = (*group)->uuid, .name = (*group)->name};
    for (const auto& member : (*group)->members) {
      history.members.insert(member->name);
      if (member->name.vmid != 0) history.disks.push_back(HistoryOf(member));
    }
    TRY(const auto snapshots, session_->gate.ListSnapshots((*group)->members, deadline));
    for (const auto& one : snapshots) {
      const auto disk =
          std::find_if(history.disks.begin(), history.disks.end(),
                       [&](const auto& other) { return other.container == one->volume_uuid; });
      if (disk != history.disks.end())
        disk->snapshots.push_back(SnapshotOf(session_->gate.marker(), one));
    }
  }
  if (history.Find(name) == nullptr) {
    TRY(auto alone, ReadDiskHistory(name, deadline));
    history.disks.push_back(std::move(alone));
  }
  return history;
}

Result<DiskHistory> Restoring::ReadDiskHistory(const VolumeName& name, const Deadline& deadline) {
  session_->facts.Remembered();
  TRY(const auto volume, RequireVolume(*session_, name, deadline));
  TRY(const auto snapshots, session_->gate.ListSnapshots({volume}, deadline));
  DiskHistory history = HistoryOf(volume);
  for (const auto& one : snapshots)
    history.snapshots.push_back(SnapshotOf(session_->gate.marker(), one));
  return history;
}

Error Restoring::UnderWay(const DiskHistory& disk, const OwnedNamespace& copy) const {
  return Error(ErrorCode::kBusy,
               "a rollback of volume '" + disk.name.Text() + "' was under way a moment ago")
      .Because("the array may still be overwriting it with what is in '" + CleanText(copy->path) +
               "'")
      .Try("try again in a minute");
}

Status Restoring::RestoreGroup(const VmHistory& history, const SnapshotName& snapshot,
                               const Deadline& deadline) {
  session_->facts.Remembered();
  if (!history.group) {
    return Error(ErrorCode::kInvalidArgument, "the disks are in no consistency group")
        .Try("roll the disks back one by one");
  }
  auto restored = session_->groups.Restore(*history.group, ArraySnapshotName(snapshot), deadline);
  // Not the group's any more (it was made anew, or a disk left it since), or it may not be restored
  // while its disks are mapped: the volumes still have their snapshots.
  const bool is_for_volumes = FailedWith(restored, ErrorCode::kNotFound) ||
                              (!restored.ok() && MayBeTheMap(restored.error()));
  if (!is_for_volumes) return restored;
  for (const auto& disk : history.disks) {
    if (!history.members.contains(disk.name)) continue;
    TRY_STATUS(RestoreDisk(disk, snapshot, deadline));
  }
  return {};
}

Status Restoring::RestoreDisk(const DiskHistory& disk, const SnapshotName& snapshot,
                              const Deadline& deadline) {
  auto& gate = session_->gate;
  session_->facts.Remembered();
  const auto volume = gate.Readmit(disk);
  const ArraySnapshotName array_name(snapshot);
  return RestoreUnmapped(
      disk, [&] { return gate.Restore(volume, array_name, deadline); }, deadline);
}

// Where the array refuses, the map is taken away for the moment. The VM is stopped, so nothing misses
// the device.
Status Restoring::RestoreUnmapped(const DiskHistory& disk, const std::function<Status()>& restore,
                                  const Deadline& deadline) {
  auto& gate = session_->gate;
  auto first = restore();
  if (first.ok() || !MayBeTheMap(first.error())) return first;
  TRY(const auto facts, session_->facts.Read(deadline));
  // Its namespace is not told with the group before 9.12.1, and may be mapped to another subsystem.
  TRY(const auto ns, gate.RequireNamespaceIn(gate.Readmit(disk), deadline));
  if (ns->subsystem_uuid != facts.subsystem_uuid) return first;
  Status second = gate.Unmap(ns, facts.subsystem_uuid, deadline);
  if (second.ok()) second = restore();
  MapAgain(disk, ns, deadline.Grace(kUndoBudget));
  return second;
}

// Also after a failure, since an answer that was lost does not say what was done. Whether a restore
// leaves a namespace its UUID is not stated either, so it is looked up anew. Activation and recovery
// map what is not mapped, so that a failure here is none of the restore.
void Restoring::MapAgain(const DiskHistory& disk, const OwnedNamespace& before,
                         const Deadline& deadline) {
  auto& gate = session_->gate;
  const auto now = gate.RequireNamespaceIn(gate.Readmit(disk), deadline);
  const auto mapped = gate.Map(now.ok() ? *now : before, deadline);
  if (!mapped.ok()) session_->log.Warning(mapped.error().Line());
}

// ---- past newer snapshots
//
// NetApp's REST reference (namespaces, PATCH with clone.source) lets a namespace be overwritten with
// another one of its volume, which is made of the snapshot for that. All copies are there before the
// first disk changes, so that what can be refused is refused while nothing has changed; their names
// say to later tasks what was under way.

bool Restoring::CanOverwrite() {
  const auto facts = session_->facts.Remembered();
  return !facts || !facts->refuses_overwrite;
}

Overwritten Restoring::OverwriteDisks(const std::vector<DiskHistory>& disks,
                                      const SnapshotName& snapshot,
                                      const SnapshotStore::MayChange& may_change,
                                      const Deadline& deadline) {
  session_->facts.Remembered();
  const Deadline working = deadline.Reserve(kUndoBudget);
  auto tasks = Prepare(disks, may_change, working);
  if (!tasks.ok()) return {.disks = {}, .failure = tasks.error()};
  Overwritten result;
  if (auto made = MakeCopies(*tasks, ArraySnapshotName(snapshot), working); !made.ok()) {
    result.failure = made.error();
    result.is_refused = RefusesTheForm(made.error());
    // Of which nothing is known may not be there: its name says to later tasks what it is.
    for (auto& task : *tasks) {
      if (task.copy) task.obsolete.push_back(*task.copy);
    }
  } else {
    result = OverwriteEach(*tasks, working);
  }
  RemoveObsolete(*tasks, deadline);
  if (result.is_refused && IsOfTheArray(*result.failure)) session_->facts.NoteOverwriteRefused();
  return result;
}

Result<std::vector<Restoring::Task>> Restoring::Prepare(const std::vector<DiskHistory>& disks,
                                                        const SnapshotStore::MayChange& may_change,
                                                        const Deadline& deadline) {
  auto& gate = session_->gate;
  std::vector<Task> tasks;
  for (const auto& disk : disks) {
    TRY(auto found, gate.RequireWithCopies(gate.Readmit(disk), deadline));
    Task task{.disk = &disk, .ns = std::move(found.ns)};
    // Of a rollback that was interrupted: this one does what it was for, or something else.
    for (auto& copy : found.copies) {
      if (!gate.IsOurs(copy)) continue;
      if (gate.AgeOf(copy, deadline.clock()) < kMayBeRunning) return UnderWay(disk, copy);
      task.obsolete.push_back(std::move(copy));
    }
    tasks.push_back(std::move(task));
  }
  for (const auto& task : tasks) {
    const auto& name = task.disk->name;
    TRY_STATUS(may_change(name, NamespaceOf(task.ns, "volume '" + name.Text() + "'")));
  }
  return tasks;
}

// Each copy takes one more change of about the time that it took itself. What would not fit into this
// call is none of its tasks any more.
Status Restoring::MakeCopies(std::vector<Task>& tasks, const ArraySnapshotName& snapshot,
                             const Deadline& deadline) {
  const std::string operation_id = CopyName::NewOperationId(deadline.clock());
  const TimePoint begun = deadline.clock().Now();
  for (std::size_t made = 0; made < tasks.size();) {
    TRY(tasks[made].copy, MakeCopy(tasks[made], snapshot, operation_id, deadline));
    ++made;
    const auto taken = std::chrono::duration_cast<Duration>(deadline.clock().Now() - begun);
    if (deadline.Remaining() < taken) {
      return Error(ErrorCode::kTimedOut, "cannot overwrite the disk in the time of one call")
          .Because("the array needs " + std::to_string(taken.count()) + " ms for " +
                   std::to_string(made) + " changes")
          .Try("try again when the array is less busy; nothing was changed");
    }
    const Duration next = 2 * taken / static_cast<int>(made);
    if (deadline.Remaining() < taken + next) {
      tasks.erase(tasks.begin() + static_cast<std::ptrdiff_t>(made), tasks.end());
    }
  }
  return {};
}

Result<OwnedNamespace> Restoring::MakeCopy(const Task& task, const ArraySnapshotName& snapshot,
                                           const std::string& operation_id,
                                           const Deadline& deadline) {
  auto& gate = session_->gate;
  const auto make = [&] { return gate.MakeCopy(task.ns, snapshot, operation_id, deadline); };
  const auto is_not_found = [](const auto& made) {
    return !made.ok() && made.error().origin().refusal == Refusal::kGone;
  };
  auto made = make();
  if (is_not_found(made)) {
    // The snapshot may be gone, or an array may not show what is in it.
    TRY(const auto there, gate.FindSnapshots({gate.Readmit(*task.disk)}, snapshot, deadline));
    if (there.empty()) return made;
    made = make();
    if (is_not_found(made)) {
      return Error(ErrorCode::kUnsupported, "cannot make a namespace of what is in a snapshot")
          .Because("the array lists snapshot '" + CleanText(snapshot.Text()) +
                   "', and does not find the namespace in it")
          .From(made.error().origin());
    }
  }
  return made;
}

Overwritten Restoring::OverwriteEach(std::vector<Task>& tasks, const Deadline& deadline) {
  auto& gate = session_->gate;
  Overwritten result;
  for (auto& task : tasks) {
    const auto overwrite = [&] { return gate.Overwrite(task.ns, *task.copy, deadline); };
    const auto done =
        result.is_refused ? Status() : RestoreUnmapped(*task.disk, overwrite, deadline);
    // Where it is not known what became of it, the array may still read the copy.
    const bool is_open = !done.ok() && done.error().outcome_unknown();
    if (!is_open) task.obsolete.push_back(*task.copy);
    if (result.is_refused) continue;
    if (done.ok()) {
      result.disks.insert(task.disk->name);
      continue;
    }
    if (is_open) result.unknown.insert(task.disk->name);
    const bool is_unchanged = result.disks.empty() && result.unknown.empty();
    result.is_refused = is_unchanged && RefusesTheForm(done.error());
    if (!result.failure) result.failure = done.error();
  }
  if (!result.unknown.empty()) result.failure = std::move(*result.failure).OutcomeUnknown();
  return result;
}

// What cannot be taken away takes hardly any space, and is found by its name. One answer that does not
// come must not cost the others their time.
void Restoring::RemoveObsolete(const std::vector<Task>& tasks, const Deadline& deadline) {
  auto& gate = session_->gate;
  std::vector<OwnedNamespace> left;
  const Deadline first = deadline.Within(kUndoBudget);
  for (const auto& task : tasks) {
    for (const auto& copy : task.obsolete) {
      if (!gate.RemoveCopy(copy, first).ok()) left.push_back(copy);
    }
  }
  const Deadline again = deadline.Grace(kUndoBudget);
  for (const auto& copy : left) {
    const auto removed = gate.RemoveCopy(copy, again);
    if (removed.ok()) continue;
    const std::string stays = "the temporary namespace of a rollback stays in FlexVol '" +
                              CleanText(copy->volume_name) + "' for the present";
    session_->log.Warning(removed.error().Wrap(stays).Line());
  }
}

}  // namespace ontapnvme::catalogue::flexvol
