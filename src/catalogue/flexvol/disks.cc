// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/flexvol/disks.h"

#include <algorithm>

#include "catalogue/flexvol/facts/disk_spec.h"
#include "catalogue/refusals.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

std::vector<std::string> TextsOf(const std::vector<CloneName>& clones) {
  std::vector<std::string> texts;
  for (const auto& clone : clones) texts.push_back(clone.text);
  return texts;
}

// The array answers when it has begun. Should it answer when it is done, that is not waited for.
constexpr Duration kMoveBudget{5000};

// Of a move that is over: the array goes on telling where it went, or was to go.
bool IsOver(const std::string& state) {
  return state == "success" || state == "failed" || state == "aborted";
}

bool AreFull(const std::vector<CloneName>& clones) {
  return !clones.empty() && std::all_of(clones.begin(), clones.end(),
                                        [](const CloneName& clone) { return clone.is_full; });
}

}  // namespace

Status Disks::Map(const DiskNamespace& ns, const Deadline& deadline) {
  session_->facts.Remembered();
  return session_->gate.Map(session_->gate.Readmit(ns), deadline);
}

// A record may be older than the map: what it calls unmapped is unmapped from our subsystem all the
// same, which succeeds where there is nothing to do.
Status Disks::Unmap(const DiskNamespace& ns, const Deadline& deadline) {
  auto& gate = session_->gate;
  TRY(const auto facts, session_->facts.Read(deadline));
  const auto owned = gate.Readmit(ns);
  const bool is_here = ns.mapping == Mapping::kHere || ns.mapping == Mapping::kNone;
  return is_here ? gate.Unmap(owned, facts.subsystem_uuid, deadline)
                 : gate.UnmapAnywhere(owned, deadline);
}

// The volume first: a namespace that does not fit its volume stops writes. Never smaller than it is,
// since autosize may have grown it.
Status Disks::Grow(const Disk& disk, ByteCount size, const Deadline& deadline) {
  auto& gate = session_->gate;
  const auto& config = session_->config;
  session_->facts.Remembered();
  if (!disk.ns) return VolumeNotFound(config, disk.volume.name);
  TRY(const auto volume, gate.Readmit(disk.volume, deadline));
  const ByteCount needed = FlexVolSizeFor(size, config.snapshot_reserve_percent);
  if (disk.volume.container_size < needed) {
    // Its ceiling first, which must not be below the size.
    ontap::FlexVolSettings settings;
    if (const auto ceiling = AutosizeMaximum(config, needed)) {
      settings.autosize = ontap::AutosizeSetting{ceiling};
    }
    TRY(const auto refused, gate.ApplySettings(volume, settings, deadline));
    TRY_STATUS(gate.Resize(volume, needed, deadline));
    WarnOfRefused(session_->log, "volume '" + disk.volume.name.Text() + "' was grown", refused);
  }
  if (disk.ns->size >= size) return {};
  return gate.Grow(gate.Readmit(*disk.ns), size, deadline);
}

Result<Place> Disks::ReadPlace(const Volume& volume, const Deadline& deadline) {
  auto& gate = session_->gate;
  session_->facts.Remembered();
  TRY(const auto owned, gate.Readmit(volume, deadline));
  TRY(auto read, gate.ReadPlace(owned, deadline));
  const bool is_moving =
      !read.destination.empty() && read.destination != read.aggregate && !IsOver(read.state);
  return Place{.place = std::move(read.aggregate),
               .destination = is_moving ? std::move(read.destination) : "",
               .percent = is_moving ? read.percent : 100,
               .state = std::move(read.state)};
}

Status Disks::StartMove(const Volume& volume, const std::string& aggregate,
                        const Deadline& deadline) {
  auto& gate = session_->gate;
  const auto refused = [&](ErrorCode code, const std::string& reason, const std::string& hint) {
    return Error(code, "cannot move volume '" + volume.name.Text() + "' to aggregate '" +
                           CleanText(aggregate) + "'")
        .Because(reason)
        .Try(hint);
  };
  // NetApp's SVM accounts cannot: seen, the job fails.
  const std::string elsewhere =
      "move it on the array ('volume move start'), or give the storage an account of the cluster";
  if (session_->config.is_svm_scoped) {
    return refused(ErrorCode::kPermissionDenied, "the storage has an account of the SVM",
                   elsewhere);
  }
  TRY(const auto before, ReadPlace(volume, deadline));
  const auto is_on_its_way = [&](const Place& place) {
    return place.destination == aggregate ||
           (place.destination.empty() && place.place == aggregate);
  };
  if (is_on_its_way(before)) return {};
  if (!before.destination.empty()) {
    return refused(ErrorCode::kBusy, "it moves to '" + CleanText(before.destination) + "'",
                   "wait until it is there, or stop that move on the array ('volume move abort')");
  }
  TRY(const auto owned, gate.Readmit(volume, deadline));
  auto started = gate.StartMove(owned, aggregate, deadline.Within(kMoveBudget));
  if (started.ok()) return {};
  const auto after = ReadPlace(volume, deadline);
  if (after.ok() && is_on_its_way(*after)) return {};
  Error error = started.error().Wrap("cannot move volume '" + volume.name.Text() +
                                     "' to aggregate '" + CleanText(aggregate) + "'");
  if (FailedWith(started, ErrorCode::kPermissionDenied)) error.SetHint(elsewhere);
  return error;
}

Status Disks::Annotate(const VolumeName& name, const Annotation& annotation,
                       const Deadline& deadline) {
  auto& gate = session_->gate;
  session_->facts.Remembered();
  const std::string failure = "cannot change the attributes of volume '" + name.Text() + "'";
  TRY(const auto volume, RequireVolume(*session_, name, deadline));
  Mark mark = gate.marker().Adopt(volume->mark, name.vmid);
  // From now on the mark alone has it; a clone of an older installation has it from Proxmox.
  if (mark.base_name.empty()) mark.base_name = volume->name.base_name;
  if (mark.base_name.empty()) mark.base_name = name.base_name;
  if (annotation.notes) mark.notes = *annotation.notes;
  if (annotation.is_protected) mark.is_protected = *annotation.is_protected;
  const bool is_changed = volume->mark.owner != Owner::kOurs || mark != volume->mark.mark;
  if (!is_changed) return {};
  const auto comment = mark.Text();
  if (!comment.ok()) return comment.error().Wrap(failure);
  // What is marked is looked for under its present name only.
  TRY(const auto flexvol, gate.names().FlexVol(name));
  if (volume->flexvol.name != flexvol) {
    const auto renamed = gate.Rename(volume, flexvol, deadline);
    if (!renamed.ok()) return renamed.error().Wrap(failure);
  }
  const auto set = gate.SetComment(volume, *comment, deadline);
  return set.ok() ? Status() : Status(set.error().Wrap(failure));
}

Status Disks::RequireNoClones(const Volume& volume, const Deadline& deadline) {
  auto& gate = session_->gate;
  session_->facts.Remembered();
  TRY(const auto owned, gate.Readmit(volume, deadline));
  TRY(const auto clones, gate.ListClones(owned, deadline));
  // Where full clones hold it, it waits for them out of sight.
  if (clones.empty() || AreFull(clones)) return {};
  return HeldByClones(
      Error(ErrorCode::kBusy, "volume '" + volume.name.Text() + "' has linked clones"),
      TextsOf(clones));
}

Result<Removal> Disks::Remove(const Volume& volume, const Deadline& deadline) {
  auto& gate = session_->gate;
  session_->facts.Remembered();
  TRY(const auto owned, gate.Readmit(volume, deadline));
  auto deleted = gate.Delete(owned, session_->config.is_force_delete, deadline);
  if (deleted.ok()) {
    session_->groups.FollowDeleted(owned, deadline);
    return Removal::kRemoved;
  }
  const bool is_held = IsHeldByClones(deleted.error());
  // An array may say so with a code that is in no table: then the clones themselves tell.
  const bool is_unclear = deleted.error().origin().refusal == Refusal::kUnknownCode;
  const Deadline grace = deadline.Grace(kUndoBudget);
  if (!is_held && !is_unclear) return Defer(owned, std::move(deleted).error(), grace);
  const auto clones = gate.ListClones(owned, grace);
  if (!clones.ok()) return std::move(deleted).error();
  if (is_unclear && clones->empty()) return Defer(owned, std::move(deleted).error(), grace);
  const bool are_full = AreFull(*clones);
  Error error = HeldByClones(std::move(deleted).error(), TextsOf(*clones), are_full);
  if (are_full) return ParkOr(owned, std::move(error), Removal::kDeferredByCopy, grace);
  if (!clones->empty()) return error;
  return ParkOr(owned, std::move(error), Removal::kDeferred, grace);
}

// With which code an array refuses to delete what holds locked snapshots is not known, nor whether it
// does: the snapshots tell.
Result<Removal> Disks::Defer(const OwnedVolume& volume, Error refused, const Deadline& deadline) {
  auto& gate = session_->gate;
  if (!MayBeLock(refused)) return refused;
  const auto is_locked = gate.HasLockedSnapshot(volume, deadline);
  if (!is_locked.ok() || !*is_locked) return refused;
  refused.SetHint(
      "the array's anti-ransomware protection has locked snapshots of it, for about 12 hours: try "
      "again then");
  return ParkOr(volume, std::move(refused), Removal::kDeferredByLock, deadline);
}

Result<Removal> Disks::ParkOr(const OwnedVolume& volume, Error error, Removal removal,
                              const Deadline& deadline) {
  if (!PrepareParking(volume, deadline).ok()) return error;
  const auto parked = Park(volume, deadline);
  if (parked.ok()) {
    // Protection against ransomware would go on taking snapshots that nobody can delete. Where it may
    // not be turned off, recovery tries again.
    const auto stopped = session_->gate.SetRansomwareProtection(volume, false, deadline);
    if (!stopped.ok()) session_->log.Debug(stopped.error().Line());
    return removal;
  }
  // It may be parked: then nobody may be shown its device again.
  if (parked.error().outcome_unknown()) return std::move(error).OutcomeUnknown();
  return error;
}

Status Disks::PrepareParking(const OwnedVolume& volume, const Deadline& deadline) {
  const auto vmid = volume->name.vmid;
  // LeftOvers deletes only what is marked.
  TRY(const auto comment, session_->gate.marker().Adopt(volume->mark, vmid).Text());
  TRY_STATUS(session_->groups.Leave(vmid, volume, deadline));
  if (comment == volume->flexvol.comment) return {};
  return session_->gate.SetComment(volume, comment, deadline);
}

Status Disks::Park(const OwnedVolume& volume, const Deadline& deadline) {
  auto& gate = session_->gate;
  const std::string parked = gate.names().Parked(volume->flexvol.uuid);
  auto renamed = gate.Rename(volume, parked, deadline);
  if (renamed.ok() || !MayHaveHappened(renamed.error())) return renamed;
  const auto is_parked = gate.HasName(volume, parked, deadline);
  return is_parked.ok() && *is_parked ? Status() : renamed;
}

}  // namespace ontapnvme::catalogue::flexvol
