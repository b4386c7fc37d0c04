// SPDX-License-Identifier: AGPL-3.0-or-later
// The half of the gate that changes the array; gate.cc is the half that looks.
#include <algorithm>

#include "catalogue/flexvol/facts/disk_spec.h"
#include "catalogue/flexvol/gate.h"
#include "catalogue/flexvol/names/copy_name.h"
#include "ontap/rest_client.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

std::vector<ontap::VolumeRef> RefsOf(const std::vector<OwnedVolume>& volumes) {
  std::vector<ontap::VolumeRef> refs;
  for (const auto& volume : volumes) {
    refs.push_back({.uuid = volume->flexvol.uuid, .name = volume->flexvol.name});
  }
  return refs;
}

bool IsTooSmall(const Error& error) {
  const auto refusal = error.origin().refusal;
  return refusal == Refusal::kTooSmall || refusal == Refusal::kUnknownCode;
}

bool IsOfDisk(const ontap::NvmeNamespace& ns) {
  return !IsCopy(ns);
}

bool IsNameLost(const Status& status) {
  return !status.ok() && status.error().origin().refusal == Refusal::kNameLost;
}

}  // namespace

bool IsCopyPath(const std::string& path) {
  return CopyName::Parse(path.substr(path.rfind('/') + 1)).has_value();
}

// ---- records that come back

Result<OwnedVolume> Gate::Readmit(const Volume& volume, const Deadline& deadline) {
  const auto failure = [&](ErrorCode code, const std::string& reason) {
    return Error(code, "cannot use FlexVol '" + CleanText(volume.container_name) + "'")
        .Because(reason);
  };
  VolumeRecord record{.flexvol = {}, .name = volume.name, .mark = volume.mark, .ns = std::nullopt};
  switch (volume.mark.owner) {
    case Owner::kForeign:
      return failure(ErrorCode::kConflict, "it belongs to another cluster or storage");
    case Owner::kOurs: {
      auto comment = volume.mark.mark.Text();
      if (!comment.ok()) return std::move(comment).error();
      record.flexvol.comment = std::move(*comment);
      break;
    }
    case Owner::kUnmarked: {
      TRY(auto found, volumes_.Find(volume.container_name, deadline));
      if (!found || found->uuid != volume.container) {
        return failure(ErrorCode::kNotFound, "it is not what it was a moment ago");
      }
      record.mark = marker_.Read(found->comment);
      if (record.mark.owner == Owner::kForeign) {
        return failure(ErrorCode::kConflict, "it belongs to another cluster or storage by now");
      }
      record.flexvol.comment = std::move(found->comment);
    }
  }
  record.flexvol.uuid = volume.container;
  record.flexvol.name = volume.container_name;
  record.flexvol.size = volume.container_size;
  record.flexvol.used = volume.used;
  record.flexvol.create_time = volume.create_time;
  if (volume.group) {
    record.flexvol.group = {.uuid = volume.group->uuid, .name = volume.group->name};
    record.is_group_shared = volume.group->is_shared;
  }
  return OwnedVolume(std::move(record));
}

OwnedVolume Gate::Readmit(const DiskHistory& disk) const {
  VolumeRecord record;
  record.flexvol.uuid = disk.container;
  record.flexvol.name = disk.container_name;
  record.name = disk.name;
  record.ns = disk.ns;
  return OwnedVolume(std::move(record));
}

OwnedVolume Gate::Readmit(const SnapshotDevice& device) const {
  VolumeRecord record;
  record.flexvol.uuid = device.container;
  record.flexvol.name = device.container_name;
  return OwnedVolume(std::move(record));
}

OwnedNamespace Gate::Readmit(const DiskNamespace& ns) const {
  ontap::NvmeNamespace record;
  record.uuid = ns.uuid;
  record.volume_name = ns.container_name;
  record.size = ns.size;
  return OwnedNamespace(std::move(record));
}

// ---- making

OwnedVolume Gate::Admit(ontap::FlexVol flexvol) const {
  auto name = names_.VolumeOf(flexvol.name);
  return Admit(std::move(flexvol), name.value_or(VolumeName()));
}

Result<std::optional<OwnedVolume>> Gate::FindMade(const std::string& flexvol, const Mark& mark,
                                                  const Deadline& deadline) {
  const auto look = [&] { return volumes_.Find(flexvol, deadline); };
  TRY(auto found, LookAgainUntilListed(look, deadline));
  if (!found) return std::optional<OwnedVolume>();
  if (marker_.IsMadeBy(found->comment, mark.operation_id)) {
    return std::optional(Admit(std::move(*found)));
  }
  return Error(ErrorCode::kAlreadyExists, "FlexVol '" + flexvol + "' exists by now")
      .Because("another operation made it in the meantime")
      .From({.refusal = Refusal::kNameLost})
      .Try("try again");
}

// Creating again could make a second one.
Result<OwnedVolume> Gate::SettleMade(const Result<Uuid>& made, const std::string& flexvol,
                                     const Mark& mark, UndoSteps& undo, const Deadline& deadline) {
  std::optional<OwnedVolume> volume;
  Status failure;
  if (!made.ok() && !MayHaveHappened(made.error())) return made.error();
  if (made.ok()) {
    TRY(auto comment, mark.Text());
    ontap::FlexVol record;
    record.uuid = *made;
    record.name = flexvol;
    record.comment = std::move(comment);
    volume = Admit(std::move(record));
  } else {
    failure = made.error();
    auto found = FindMade(flexvol, mark, deadline);
    if (found.ok()) {
      volume = std::move(found).value();
    } else {
      failure = std::move(found).error();
    }
    if (IsNameLost(failure)) return std::move(failure).error();
  }
  // New and empty, or a clone that nobody has seen: nothing in it is worth the recovery queue. Where
  // it is not known whether it was made, only its mark can say so.
  undo.Add(
      flexvol,
      [this, volume, flexvol, mark](const Deadline& grace) -> Status {
        if (volume) return Delete(*volume, true, grace);
        const auto found = FindMade(flexvol, mark, grace);
        if (!found.ok())
          return FailedWith(found, ErrorCode::kAlreadyExists) ? Status() : found.error();
        return *found ? Delete(**found, true, grace) : Status();
      },
      "what is left over carries this operation's mark; remove FlexVol '" + flexvol +
          "' on the array if it is still there");
  if (volume) return std::move(*volume);
  return std::move(failure).error();
}

Result<OwnedVolume> Gate::Create(const ontap::FlexVolSpec& spec, const Mark& mark, UndoSteps& undo,
                                 const Deadline& deadline) {
  auto marked = spec;
  TRY(marked.comment, mark.Text());
  return SettleMade(volumes_.Create(marked, deadline), spec.name, mark, undo, deadline);
}

Result<OwnedVolume> Gate::Clone(const OwnedVolume& parent, ontap::FlexCloneSpec spec,
                                const Mark& mark, UndoSteps& undo, const Deadline& deadline) {
  TRY(spec.comment, mark.Text());
  spec.parent_volume = parent->flexvol.name;
  return SettleMade(volumes_.Clone(spec, deadline), spec.name, mark, undo, deadline);
}

Result<ontap::NvmeNamespace> Gate::MakeNamespace(const std::string& flexvol, ByteCount size,
                                                 const Mark& mark, const Deadline& deadline) {
  auto created = namespaces_.Create(flexvol, flexvol, size, mark.ShortText(), deadline);
  if (created.ok() || !MayHaveHappened(created.error())) return created;
  const auto look = [&] { return namespaces_.FindByVolume(flexvol, deadline, IsOfDisk); };
  TRY(auto found, LookAgainUntilListed(look, deadline));
  if (!found || !marker_.IsMadeBy(found->comment, mark.operation_id)) return created;
  return std::move(*found);
}

Result<OwnedNamespace> Gate::CreateNamespace(const OwnedVolume& volume, ByteCount size,
                                             const Mark& mark, const Deadline& deadline) {
  const std::string& flexvol = volume->flexvol.name;
  const bool may_be_larger = size < kNamespaceSureFrom;
  auto created = MakeNamespace(flexvol, size, mark, deadline);
  if (may_be_larger && !created.ok() && IsTooSmall(created.error())) {
    created = MakeNamespace(flexvol, kNamespaceSureFrom, mark, deadline);
  }
  if (!created.ok()) return created.error();
  if (created->size == size || (may_be_larger && created->size > size)) {
    return OwnedNamespace(std::move(*created));
  }
  // An exact size is a promise: mirroring and moving a disk need equal sizes on both sides.
  return Error(ErrorCode::kConflict, "the array made the namespace with another size")
      .With("asked_bytes", std::to_string(size.bytes()))
      .With("made_bytes", std::to_string(created->size.bytes()))
      .Try("ask for a multiple of 1 MiB, and report what the array did");
}

Result<OwnedNamespace> Gate::RequireNamespaceIn(const OwnedVolume& volume,
                                                const Deadline& deadline) {
  TRY(auto found, RequireWithCopies(volume, deadline));
  return std::move(found.ns);
}

Result<OwnedNamespace> Gate::AwaitNamespaceIn(const OwnedVolume& clone, const Deadline& deadline) {
  const auto is_up = [](const std::string& state) { return state.empty() || state == "online"; };
  const auto is_served = [&](const OwnedNamespace& ns) {
    return is_up(ns->state) && is_up(ns->container_state);
  };
  TRY(auto ns, LookAgain([&] { return RequireNamespaceIn(clone, deadline); }, is_served, deadline));
  if (is_served(ns)) return ns;
  return Error(ErrorCode::kUnavailable, "FlexVol '" + clone->flexvol.name + "' is not online yet")
      .With("state", ns->state)
      .With("container_state", ns->container_state)
      .Try("try again, and look at its aggregate on the array");
}

Result<OwnedVolume> Gate::TakeName(const OwnedVolume& volume, const VolumeName& name,
                                   const Deadline& deadline) {
  TRY(auto flexvol, names_.FlexVol(name));
  auto renamed = Rename(volume, flexvol, deadline);
  if (!renamed.ok()) {
    if (!MayHaveHappened(renamed.error())) return renamed.error();
    TRY(const bool has_name, HasName(volume, flexvol, deadline));
    if (!has_name && FailedWith(renamed, ErrorCode::kAlreadyExists)) {
      Origin origin = renamed.error().origin();
      origin.refusal = Refusal::kNameLost;
      return std::move(renamed.error()).From(origin);
    }
    if (!has_name) return renamed.error();
  }
  return Renamed(volume, std::move(flexvol), name);
}

Status Gate::UnmapAnywhere(const OwnedNamespace& ns, const Deadline& deadline) {
  TRY(const auto found, namespaces_.FindByUuid(ns->uuid, deadline));
  if (!found || !found->subsystem_uuid) return {};
  return subsystems_.Unmap(*found->subsystem_uuid, ns->uuid, deadline);
}

Status Gate::SetRansomwareProtection(const OwnedVolume& volume, bool is_on,
                                     const Deadline& deadline) {
  if (!rest_->IsOlderThan(ontap::kSanRansomware)) {
    return volumes_.SetRansomwareProtection(volume->flexvol.uuid, is_on, deadline);
  }
  if (!is_on) return {};
  return Error(ErrorCode::kUnsupported, "disks have no anti-ransomware protection on this array")
      .With("release", rest_->release()->Text())
      .Try("upgrade to ONTAP " + ontap::kSanRansomware.Text() + " or later");
}

Status Gate::KeepUnprotected(const OwnedVolume& volume, const Deadline& deadline) {
  if (!rest_->IsKnownAtLeast(ontap::kRansomwareByDefault)) return {};
  return SetRansomwareProtection(volume, false, deadline);
}

// ---- bringing back from the recovery queue

Result<std::vector<DeletedVolume>> Gate::ListDeleted(const std::optional<VolumeName>& name,
                                                     const Deadline& deadline) {
  std::string pattern = names_.Pattern();
  if (name) {
    TRY(pattern, names_.FlexVol(*name));
    pattern += "_*";
  }
  TRY(const auto queued, queue_.List(pattern, deadline));
  std::vector<DeletedVolume> deleted;
  for (const auto& one : queued) {
    auto was = VolumeOfQueued(one.name);
    if (!was || (name && *was != *name)) continue;
    DeletedVolume found{
        .name = std::move(*was), .queued_as = one.name, .deleted_at = one.deleted_at};
    if (one.deleted_at && one.retention) found.kept_until = *one.deleted_at + *one.retention;
    deleted.push_back(std::move(found));
  }
  return deleted;
}

std::optional<VolumeName> Gate::ReturningAs(const ontap::FlexVol& flexvol) const {
  const auto owner = marker_.Read(flexvol.comment).owner;
  const bool may_be_ours =
      owner == Owner::kOurs || (owner == Owner::kUnmarked && flexvol.state == "offline");
  return may_be_ours ? VolumeOfQueued(flexvol.name) : std::nullopt;
}

Result<std::vector<OwnedDisk>> Gate::ListReturning(const VolumeName& name,
                                                   const Deadline& deadline) {
  TRY(const auto flexvol, names_.FlexVol(name));
  TRY(auto found, ontap::ReadDiskObjects(*rest_, svm_, flexvol + "_*", deadline));
  std::vector<OwnedDisk> returning;
  for (auto& one : found) {
    const auto was = ReturningAs(one.volume);
    if (!was || *was != name) continue;
    // The RAM of a snapshot "s_12" looks like that of a snapshot "s" that comes back: then only a
    // namespace that was made under the shorter name tells.
    const bool is_ambiguous = names_.VolumeOf(one.volume.name).has_value();
    auto disk = Admit(std::move(one), *was);
    if (is_ambiguous && !(disk.ns && (*disk.ns)->BaseName() == flexvol)) continue;
    returning.push_back(std::move(disk));
  }
  return returning;
}

Result<std::optional<OwnedVolume>> Gate::FindReturning(const DeletedVolume& deleted,
                                                       const Deadline& deadline) {
  TRY(auto found, volumes_.Find(deleted.queued_as, deadline));
  if (!found) return std::optional<OwnedVolume>();
  if (marker_.Read(found->comment).owner == Owner::kForeign) {
    return Error(ErrorCode::kConflict,
                 "FlexVol '" + CleanText(deleted.queued_as) +
                     "' has left the recovery queue and is left alone, offline")
        .Because("it belongs to another cluster or storage, as its comment says")
        .Try("bring it back on the cluster that it belongs to, or by hand on the array");
  }
  return std::optional(Admit(std::move(*found), deleted.name));
}

// ---- going back in place

bool Gate::IsOurs(const OwnedNamespace& copy) const {
  const auto name = CopyName::Parse(copy->BaseName());
  return name && name->owner == marker_.ShortTag();
}

Duration Gate::AgeOf(const OwnedNamespace& copy, Clock& clock) {
  const auto name = CopyName::Parse(copy->BaseName());
  return name ? std::chrono::duration_cast<Duration>(clock.WallTime() - name->MadeAt())
              : Duration::zero();
}

Result<NamespaceAndCopies> Gate::RequireWithCopies(const OwnedVolume& volume,
                                                   const Deadline& deadline) {
  std::vector<OwnedNamespace> copies;
  const auto is_of_disk = [&](const ontap::NvmeNamespace& ns) {
    if (!IsCopy(ns)) return true;
    copies.push_back(OwnedNamespace(ns));
    return false;
  };
  const std::string& flexvol = volume->flexvol.name;
  const auto look = [&] {
    copies.clear();
    return namespaces_.FindByVolume(flexvol, deadline, is_of_disk);
  };
  TRY(auto found, LookAgainUntilListed(look, deadline));
  if (!found) {
    return Error(ErrorCode::kUnavailable, "FlexVol '" + flexvol + "' holds no namespace")
        .Because("its snapshot holds none, or the array does not list it")
        .Try("try again, and look at the volume on the array");
  }
  return NamespaceAndCopies{OwnedNamespace(std::move(*found)), std::move(copies)};
}

Result<OwnedNamespace> Gate::MakeCopy(const OwnedNamespace& ns, const ArraySnapshotName& snapshot,
                                      const std::string& operation_id, const Deadline& deadline) {
  const CopyName name{
      .owner = marker_.ShortTag(), .operation_id = operation_id, .snapshot = snapshot.Text()};
  auto made = namespaces_.CloneFromSnapshot(*ns, snapshot.Text(), name.Text(), deadline);
  if (made.ok()) return OwnedNamespace(std::move(*made));
  if (!MayHaveHappened(made.error())) return made.error();
  const auto is_this = [&](const ontap::NvmeNamespace& one) {
    return one.BaseName() == name.Text();
  };
  const auto look = [&] { return namespaces_.FindByVolume(ns->volume_name, deadline, is_this); };
  TRY(auto found, LookAgainUntilListed(look, deadline));
  if (!found) return made.error();
  // Its end was not seen: it may be listed while it is being filled.
  const bool is_whole = found->state == "online" && found->size.bytes() > 0;
  if (!is_whole) {
    return made.error().Wrap("namespace '" + CleanText(found->path) + "' is still being made");
  }
  return OwnedNamespace(std::move(*found));
}

Status Gate::RemoveCopy(const OwnedNamespace& copy, const Deadline& deadline) {
  if (!IsOurs(copy)) {
    return Error(ErrorCode::kConflict, "namespace '" + CleanText(copy->path) + "' is left alone")
        .Because("no rollback of this storage made it");
  }
  return namespaces_.Delete(copy->uuid, deadline);
}

// ---- snapshots of volumes

Result<bool> Gate::HasLockedSnapshot(const OwnedVolume& volume, const Deadline& deadline) {
  TRY(const auto snapshots, ListSnapshots({volume}, deadline));
  return std::any_of(snapshots.begin(), snapshots.end(),
                     [&](const auto& one) { return IsOfAntiRansomware(marker_, one); });
}

Result<std::vector<OwnedSnapshot>> Gate::ListSnapshots(const std::vector<OwnedVolume>& volumes,
                                                       const Deadline& deadline) {
  TRY(auto found, snapshots_.List(RefsOf(volumes), deadline));
  std::vector<OwnedSnapshot> snapshots;
  for (auto& one : found) snapshots.push_back(OwnedSnapshot(std::move(one)));
  return snapshots;
}

Result<std::vector<OwnedSnapshot>> Gate::ListSnapshotsWithDetails(
    const std::vector<OwnedVolume>& volumes, std::optional<std::uint64_t> vmid,
    const Deadline& deadline) {
  const std::string pattern = vmid ? names_.PatternOfVm(*vmid) : names_.Pattern();
  TRY(auto found, snapshots_.ListDetailed(RefsOf(volumes), pattern, deadline));
  std::vector<OwnedSnapshot> snapshots;
  for (auto& one : found) snapshots.push_back(OwnedSnapshot(std::move(one)));
  return snapshots;
}

Result<std::vector<OwnedSnapshot>> Gate::FindSnapshots(const std::vector<OwnedVolume>& volumes,
                                                       const ArraySnapshotName& snapshot,
                                                       const Deadline& deadline) {
  TRY(auto found, snapshots_.FindByName(RefsOf(volumes), snapshot.Text(), deadline));
  std::vector<OwnedSnapshot> snapshots;
  for (auto& one : found) {
    const bool is_of_these = std::any_of(volumes.begin(), volumes.end(), [&](const auto& volume) {
      return volume->flexvol.uuid == one.volume_uuid;
    });
    if (!is_of_these) {
      return Error(ErrorCode::kNotFound, "cannot look up snapshot " + snapshot.Text())
          .Because("FlexVol '" + CleanText(one.volume_name) + "' is not the one that it was")
          .From({.refusal = Refusal::kGone});
    }
    snapshots.push_back(OwnedSnapshot(std::move(one)));
  }
  return snapshots;
}

Result<std::vector<OwnedSnapshot>> Gate::FindCloneSnapshots(const std::vector<OwnedVolume>& volumes,
                                                            const Deadline& deadline) {
  const std::string stem(kCloneSnapshotStem);
  TRY(auto found, snapshots_.FindByPrefix(RefsOf(volumes), stem, deadline));
  std::vector<OwnedSnapshot> snapshots;
  for (auto& one : found) {
    if (marker_.Read(one.comment).owner != Owner::kOurs) continue;
    snapshots.push_back(OwnedSnapshot(std::move(one)));
  }
  return snapshots;
}

Status Gate::CreateSnapshot(const OwnedVolume& volume, const ArraySnapshotName& snapshot,
                            const Mark& mark, const Deadline& deadline) {
  TRY(const auto comment, mark.Text());
  return snapshots_.Create(volume->flexvol.uuid, snapshot.Text(), comment, deadline);
}

Status Gate::DeleteSnapshot(const OwnedSnapshot& snapshot, const Deadline& deadline) {
  return snapshots_.Delete(snapshot->volume_uuid, snapshot->uuid, deadline);
}

}  // namespace ontapnvme::catalogue::flexvol
