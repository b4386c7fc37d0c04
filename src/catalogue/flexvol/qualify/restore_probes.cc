// SPDX-License-Identifier: AGPL-3.0-or-later
// Ways back to a snapshot: the whole volume, or one namespace of it.
#include "catalogue/flexvol/qualify/probe.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

constexpr const char* kFirst = "pve_probe_1";
constexpr const char* kSecond = "pve_probe_2";
constexpr const char* kCopy = "pve_probe_copy";

// A mapped disk, and a restore of its volume.
struct Restored {
  Scratch::MappedDisk disk;
  Status status;
};

Result<Restored> RestoreMapped(Scratch& scratch) {
  TRY(auto disk, scratch.MakeMappedDisk());
  TRY_STATUS(scratch.Snapshot(disk.volume, kFirst));
  auto status = scratch.volumes.Restore(disk.volume.uuid, kFirst, scratch.deadline());
  return Restored{std::move(disk), std::move(status)};
}

// A mapped namespace before and after its volume was restored.
struct Namespaces {
  ontap::NvmeNamespace before;
  ontap::NvmeNamespace after;
};

Result<Namespaces> NamespacesOfRestore(Scratch& scratch) {
  TRY(const auto restored, RestoreMapped(scratch));
  TRY_STATUS(restored.status);
  const auto look = [&] {
    return scratch.namespaces.FindByVolume(restored.disk.volume.name, scratch.deadline());
  };
  TRY(auto ns, LookAgainUntilListed(look, scratch.deadline()));
  if (!ns) return Error(ErrorCode::kNotFound, "the restored namespace is not listed");
  return Namespaces{restored.disk.ns, std::move(*ns)};
}

Result<Answer> TryRestoreMapped(Scratch& scratch) {
  TRY(const auto restored, RestoreMapped(scratch));
  return TakenOrRefused(restored.status);
}

Result<Answer> LookAtMap(Scratch& scratch) {
  TRY(const auto namespaces, NamespacesOfRestore(scratch));
  return Answer{namespaces.after.subsystem_uuid ? "kept" : "gone"};
}

Result<Answer> LookAtIdentity(Scratch& scratch) {
  TRY(const auto namespaces, NamespacesOfRestore(scratch));
  return Answer{namespaces.after.uuid == namespaces.before.uuid ? "kept" : "new_uuid"};
}

Result<Answer> RestorePastNewer(Scratch& scratch) {
  TRY(const auto volume, scratch.MakeVolume());
  TRY_STATUS(scratch.MakeNamespace(volume));
  TRY_STATUS(scratch.Snapshot(volume, kFirst));
  TRY_STATUS(scratch.Snapshot(volume, kSecond));
  return TakenOrRefused(scratch.volumes.Restore(volume.uuid, kFirst, scratch.deadline()));
}

// A namespace, and a copy of it out of a snapshot beside it.
struct Pair {
  ontap::NvmeNamespace ns;
  Result<ontap::NvmeNamespace> copy;
};

Result<Pair> CopyOutOfSnapshot(Scratch& scratch) {
  TRY(const auto disk, scratch.MakeMappedDisk());
  TRY_STATUS(scratch.Snapshot(disk.volume, kFirst));
  auto copy = scratch.namespaces.CloneFromSnapshot(disk.ns, kFirst, kCopy, scratch.deadline());
  return Pair{disk.ns, std::move(copy)};
}

Result<Answer> TryCopy(Scratch& scratch) {
  TRY(const auto pair, CopyOutOfSnapshot(scratch));
  if (pair.copy.ok()) return Answer{"take"};
  const Error& error = pair.copy.error();
  if (!IsRefusal(error)) return error;
  const bool is_hidden = error.origin().refusal == Refusal::kGone;
  return Answer{is_hidden ? "hide" : "refuse", CodeOf(error)};
}

Result<Answer> LookAtComment(Scratch& scratch) {
  TRY(const auto pair, CopyOutOfSnapshot(scratch));
  if (!pair.copy.ok()) return pair.copy.error();
  const auto look = [&] {
    return scratch.namespaces.FindByUuid(pair.copy->uuid, scratch.deadline());
  };
  TRY(const auto copy, LookAgainUntilListed(look, scratch.deadline()));
  if (!copy) return Answer{"unknown", "the copy is not listed"};
  return Answer{copy->comment.empty() ? "empty" : "of_source"};
}

Result<Answer> TryOverwrite(Scratch& scratch) {
  TRY(const auto pair, CopyOutOfSnapshot(scratch));
  if (!pair.copy.ok()) return pair.copy.error();
  const auto mapped =
      scratch.namespaces.Overwrite(pair.ns.uuid, pair.copy->uuid, scratch.deadline());
  if (mapped.ok()) return Answer{"take"};
  if (!IsRefusal(mapped.error())) return mapped.error();
  TRY(const auto now, scratch.namespaces.FindByUuid(pair.ns.uuid, scratch.deadline()));
  if (!now || !now->subsystem_uuid) return Answer{"unknown", "its map is not shown"};
  TRY_STATUS(scratch.subsystems.Unmap(*now->subsystem_uuid, pair.ns.uuid, scratch.deadline()));
  const auto unmapped =
      scratch.namespaces.Overwrite(pair.ns.uuid, pair.copy->uuid, scratch.deadline());
  if (unmapped.ok()) return Answer{"refuse_mapped", CodeOf(mapped.error())};
  if (!IsRefusal(unmapped.error())) return unmapped.error();
  return Answer{"refuse", CodeOf(unmapped.error())};
}

}  // namespace

const std::vector<Probe>& RestoreProbes() {
  static const std::vector<Probe> probes = {
      {.name = "restore_mapped",
       .question = "whether a volume is restored while its namespace is mapped",
       .steps = "makes a mapped namespace and a snapshot, and restores the volume",
       .positions = {"take", "refuse"},
       .run = TryRestoreMapped},
      {.name = "restore_map",
       .question = "whether a restored namespace keeps its map",
       .steps = "the same, and reads the namespace",
       .positions = {"kept", "gone"},
       .run = LookAtMap},
      {.name = "restore_identity",
       .question = "whether a restored namespace keeps its UUID",
       .steps = "the same, and compares",
       .positions = {"kept", "new_uuid"},
       .run = LookAtIdentity},
      {.name = "restore_past_newer",
       .question = "whether a volume is restored past a newer snapshot",
       .steps = "makes two snapshots, and restores the volume to the first",
       .positions = {"take", "refuse"},
       .run = RestorePastNewer},
      {.name = "clone_from_snapshot",
       .question = "whether a namespace can be made of what is in a snapshot, in the same volume",
       .steps =
           "makes a mapped namespace and a snapshot, and a namespace of the snapshot beside it",
       .positions = {"take", "refuse", "hide"},
       .run = TryCopy},
      {.name = "clone_comment",
       .question = "whether such a namespace has the comment of its source",
       .steps = "the same, and reads the comment",
       .positions = {"empty", "of_source"},
       .run = LookAtComment},
      {.name = "namespace_overwrite",
       .question =
           "whether a namespace can be overwritten with another one, also while it is mapped",
       .steps = "the same, and overwrites the first namespace with the second",
       .positions = {"take", "refuse_mapped", "refuse"},
       .run = TryOverwrite},
  };
  return probes;
}

}  // namespace ontapnvme::catalogue::flexvol
