// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/flexvol/undeleting.h"

#include <algorithm>

#include "base/text.h"
#include "catalogue/flexvol/disk_lookup.h"
#include "catalogue/flexvol/facts/disk_spec.h"
#include "catalogue/flexvol/records/disk_records.h"
#include "catalogue/refusals.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

std::string Failure(const VolumeName& name) {
  return "cannot bring back volume '" + name.LeafText() + "'";
}

Error LeftAlone(const DeletedVolume& deleted, const std::string& reason, const std::string& hint) {
  return Error(ErrorCode::kConflict, "FlexVol '" + CleanText(deleted.queued_as) +
                                         "' has left the recovery queue and is left alone")
      .Because(reason)
      .Try(hint);
}

Error NameTaken(const VolumeName& name, const std::string& queued_as) {
  return Error(ErrorCode::kAlreadyExists, Failure(name))
      .Because("a volume of that name is there, and the deleted one is still in the recovery queue")
      .With("queued_as", CleanText(queued_as))
      .Try("give the one that is there to another VM ('qm disk reassign'), or delete it");
}

std::string NamesOf(const std::vector<DeletedVolume>& deleted) {
  std::string names;
  for (const auto& one : deleted) AppendTo(names, ", ", CleanText(one.queued_as));
  return names;
}

}  // namespace

// What the account lacks, as a line that can be pasted.
Error Undeleting::WithRight(Error error) const {
  if (error.code() != ErrorCode::kPermissionDenied) return error;
  const auto& config = session_->config;
  error.SetHint("security login rest-role create -vserver " +
                (config.is_svm_scoped ? config.svm : std::string("CLUSTER")) +
                " -role ROLE -access all -api /api/private/cli/volume/recovery-queue");
  return error;
}

Result<std::vector<DeletedVolume>> Undeleting::List(const Deadline& deadline) {
  session_->facts.Remembered();
  auto listed = session_->gate.ListDeleted(std::nullopt, deadline);
  if (!listed.ok()) return WithRight(std::move(listed).error());
  if (listed->empty()) {
    if (auto doubt = DoubtOfSvm(*session_, deadline)) return std::move(*doubt);
  }
  return listed;
}

Result<Disk> Undeleting::Undelete(const VolumeName& name, const std::string& queued_as,
                                  bool is_there, const Neighbours& neighbours,
                                  const Deadline& deadline) {
  auto& gate = session_->gate;
  session_->facts.Remembered();
  TRY(const auto taken_out, TakeOut(name, queued_as, is_there, deadline));
  if (taken_out) {
    const DeletedVolume deleted{.name = name, .queued_as = (*taken_out)->flexvol.name};
    TRY(const auto disk, Prove(*taken_out, deleted, deadline));
    TRY(const auto named, GiveName(disk.volume, name, deadline));
    return Connect(named, *disk.ns, neighbours, deadline);
  }
  // An earlier call may have been stopped after it had given the name back. One of the queue's names that is
  // neither there nor half-way back says nothing of the disk that has the name now.
  TRY(const auto disk, gate.FindDisk(name, deadline));
  if (disk && disk->ns && !IsBegun(disk->volume)) {
    if (queued_as.empty()) return Connect(disk->volume, *disk->ns, neighbours, deadline);
    return Error(ErrorCode::kNotFound, Failure(name))
        .Because("the recovery queue has no '" + CleanText(queued_as) +
                 "', and a volume of that name is there")
        .Try(
            "if an earlier call, which was interrupted, brought that one back, give the command again "
            "without --queued-as");
  }
  return Error(ErrorCode::kNotFound, Failure(name))
      .Because("the recovery queue has no such volume: it was purged, or its time was over")
      .Try("look at the list: ontapnvme undelete " + session_->config.storage_id);
}

Result<std::optional<OwnedVolume>> Undeleting::TakeOut(const VolumeName& name,
                                                       const std::string& queued_as, bool is_there,
                                                       const Deadline& deadline) {
  auto& gate = session_->gate;
  auto listed = gate.ListDeleted(name, deadline);
  if (!listed.ok()) return WithRight(std::move(listed).error());
  TRY(auto returning, gate.ListReturning(name, deadline));
  const auto is_not_meant = [&](const std::string& flexvol) {
    return !queued_as.empty() && flexvol != queued_as;
  };
  auto deleted = std::move(*listed);
  std::erase_if(deleted, [&](const auto& one) { return is_not_meant(one.queued_as); });
  std::erase_if(returning, [&](const auto& one) { return is_not_meant(one.volume->flexvol.name); });
  if (deleted.empty() && returning.empty()) return std::optional<OwnedVolume>();
  if (is_there) {
    return NameTaken(name, returning.empty() ? deleted.front().queued_as
                                             : returning.front().volume->flexvol.name);
  }
  // What is half-way back was chosen before.
  if (returning.size() == 1) return std::optional(returning.front().volume);
  for (const auto& one : returning) {
    deleted.push_back({.name = name, .queued_as = one.volume->flexvol.name});
  }
  if (deleted.size() > 1) {
    return Error(ErrorCode::kConflict, Failure(name))
        .Because("several volumes were deleted under that name: " + NamesOf(deleted))
        .Try("say which one: --queued-as NAME; 'ontapnvme undelete " + session_->config.storage_id +
             "' tells when each was deleted");
  }
  TRY(auto recovered, Recover(deleted.front(), deadline));
  return std::optional(std::move(recovered));
}

// A lost answer is settled by the volume, which has that name in the queue and outside of it.
Result<OwnedVolume> Undeleting::Recover(const DeletedVolume& deleted, const Deadline& deadline) {
  auto& gate = session_->gate;
  auto recovered = gate.Recover(deleted, deadline);
  const bool is_open = !recovered.ok() && (recovered.error().outcome_unknown() ||
                                           FailedWith(recovered, ErrorCode::kNotFound));
  if (!recovered.ok() && !is_open) return WithRight(std::move(recovered).error());
  const auto look = [&] { return gate.FindReturning(deleted, deadline); };
  TRY(auto volume, recovered.ok() ? LookAgainUntilListed(look, deadline) : look());
  if (volume) return std::move(*volume);
  if (!recovered.ok()) return std::move(recovered).error();
  return Error(ErrorCode::kUnavailable, "FlexVol '" + CleanText(deleted.queued_as) +
                                            "' has left the recovery queue and is not listed yet")
      .Try("try again when the array is less busy");
}

Result<OwnedDisk> Undeleting::Prove(OwnedVolume volume, const DeletedVolume& deleted,
                                    const Deadline& deadline) {
  auto& gate = session_->gate;
  if (volume->flexvol.state != "online") {
    const auto online = gate.BringOnline(volume, deadline);
    // An array may show the comment of a volume that is online only, and refuse what is done already.
    TRY(auto seen, gate.FindReturning(deleted, deadline));
    const bool is_online = seen && (*seen)->flexvol.state == "online";
    if (!is_online && !online.ok()) return online.error();
    if (seen) volume = std::move(*seen);
  }
  if (volume->mark.owner != Owner::kOurs) {
    return LeftAlone(
        deleted, "it does not carry this storage's mark",
        "look whose it is; if it is a disk of an installation before the marks, give it its "
        "name on the array ('volume rename')");
  }
  if (IsBegun(volume)) {
    return LeftAlone(deleted, "it is a full clone that was never finished, and nobody's disk",
                     "delete it on the array ('volume delete')");
  }
  auto ns = gate.AwaitNamespaceIn(volume, deadline);
  if (!ns.ok()) return ns.error();
  if ((*ns)->volume_uuid != volume->flexvol.uuid) {
    return LeftAlone(deleted, "the array lists a namespace of another volume in it",
                     "try again when the array is less busy");
  }
  return OwnedDisk{.volume = std::move(volume), .ns = std::move(*ns)};
}

Result<OwnedVolume> Undeleting::GiveName(const OwnedVolume& volume, const VolumeName& name,
                                         const Deadline& deadline) {
  auto full = name;
  full.base_name = volume->mark.mark.base_name;
  auto named = session_->gate.TakeName(volume, full, deadline);
  if (FailedWith(named, ErrorCode::kAlreadyExists)) return NameTaken(name, volume->flexvol.name);
  return named;
}

Result<Disk> Undeleting::Connect(const OwnedVolume& volume, const OwnedNamespace& ns,
                                 const Neighbours& neighbours, const Deadline& deadline) {
  return ConnectAsDisk(*session_, volume, ns, neighbours, "is back", deadline);
}

Result<Disk> ConnectAsDisk(const Session& session, const OwnedVolume& volume,
                           const OwnedNamespace& ns, const Neighbours& neighbours,
                           const std::string& what, const Deadline& deadline) {
  auto& gate = session.gate;
  const std::string shown = "volume '" + volume->name.LeafText() + "'";
  // Schedules of the array are the group's affair, as on every disk.
  ontap::FlexVolSettings settings;
  settings.snapshot_policy = "none";
  TRY(const auto refused, gate.ApplySettings(volume, settings, deadline));
  WarnOfRefused(session.log, shown + " " + what, refused);
  TRY_STATUS(gate.Map(ns, deadline));
  if (volume->name.IsGroupMember() && !volume->flexvol.group) {
    TRY_STATUS(session.groups.JoinOrWarn(volume->name.vmid, {volume}, neighbours.ours, deadline));
  }
  return Disk{.volume = VolumeOf(volume), .ns = NamespaceOf(ns, shown)};
}

}  // namespace ontapnvme::catalogue::flexvol
