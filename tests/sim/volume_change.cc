// SPDX-License-Identifier: AGPL-3.0-or-later
// PATCH and DELETE of /storage/volumes/{uuid}.
#include <algorithm>

#include "api_error.h"
#include "ransomware.h"
#include "roles.h"
#include "snapshot_rules.h"
#include "volume_rules.h"

namespace ontapnvme::sim {
namespace {

using nlohmann::json;

constexpr int kHasClones = 524615;
constexpr int kIsRoot = 917531;
constexpr int kNamespaceMapped = 72089796;
constexpr int kUndocumented = 4242;
constexpr int kBusy = 524486;
constexpr int kSameAggregate = 918265;
constexpr int kMoveTargetUnknown = 918267;

Volume& RequireStored(World& world, const std::string& uuid) {
  Volume* volume = world.volumes.Find(uuid);
  if (volume == nullptr) {
    RefuseMissing(volume_code::kNotFound, "Volume with UUID \"" + uuid + "\" was not found");
  }
  return *volume;
}

void ApplyMove(World& world, const json& body, Volume* volume) {
  const std::string name = TextAt(body, "movement.destination_aggregate.name");
  const std::string uuid = TextAt(body, "movement.destination_aggregate.uuid");
  if (name.empty() && uuid.empty()) return;
  const Aggregate* target = uuid.empty() ? world.FindAggregate(name) : world.aggregates.Find(uuid);
  if (target == nullptr) {
    Refuse(kMoveTargetUnknown, "The destination aggregate was not found",
           "movement.destination_aggregate.name");
  }
  if (target->uuid == volume->aggregate_uuid) {
    Refuse(kSameAggregate, "The volume is on that aggregate already",
           "movement.destination_aggregate.name");
  }
  if (volume->movement && !volume->movement->has_failed) {
    RefuseConflict(kUndocumented, "Volume \"" + volume->name + "\" is being moved");
  }
  volume->movement = Movement{target->uuid, world.Now(), false};
}

void RequireRoomForNamespaces(World& world, const Volume& before, const Volume& after) {
  if (NamespaceRoomBytes(after) >= NamespaceRoomBytes(before)) return;
  std::uint64_t needed = 0;
  for (const NvmeNamespace* ns : world.NamespacesOf(after.uuid)) needed += ns->size_bytes;
  if (needed > NamespaceRoomBytes(after)) {
    RefuseNoSpace("The namespaces of volume \"" + after.name + "\" would not fit");
  }
}

json ApplyPatch(World& world, const std::string& uuid, const json& body, Phase phase) {
  Volume& stored = RequireStored(world, uuid);
  Volume candidate = stored;
  const std::string name = TextAt(body, "name");
  if (Has(body, "name") && name != stored.name) {
    RequireVolumeName(world, stored.svm_uuid, name);
    candidate.name = name;
  }
  ApplyMove(world, body, &candidate);
  ApplyVolumeSettings(world, body, &candidate, false);
  RequireRoomForNamespaces(world, stored, candidate);
  if (world.FootprintBytes(candidate) > world.FootprintBytes(stored) ||
      candidate.aggregate_uuid != stored.aggregate_uuid ||
      candidate.autosize.maximum_bytes > stored.autosize.maximum_bytes) {
    RequireSpaceFor(world, candidate);
  }
  const bool is_split = At(body, "clone.split_initiated") == true;
  if (is_split && !stored.clone) {
    Refuse(code::kBadValue, "The volume is not a FlexClone", "clone.split_initiated");
  }
  if (is_split && stored.clone->split_since) {
    RefuseConflict(kUndocumented, "Volume \"" + stored.name + "\" is being split");
  }
  if (is_split) candidate.clone->split_since = world.Now();
  if (phase == Phase::kCheck) return nullptr;
  stored = std::move(candidate);
  world.Republish(stored);
  if (is_split) world.FinishSplits();
  world.FinishMoves();
  return nullptr;
}

// Recovered volumes come back under the suffixed name.
void MoveToRecoveryQueue(World& world, const Volume& volume) {
  QueuedVolume queued;
  queued.uuid = volume.uuid;
  queued.volume = volume;
  queued.name_before = volume.name;
  queued.deletion_time = world.Now();
  const QueuedVolume& added = world.recovery_queue.Add(std::move(queued));
  world.recovery_queue.Find(added.uuid)->volume.name +=
      "_" + std::to_string(1000 + world.recovery_queue.Order(added.uuid));
}

// The first try finds it busy, and so do those that come too soon after it.
void RequireIdle(const World& world, Volume* volume) {
  const std::chrono::seconds busy(world.settings.switches.Number("volume_busy_s"));
  if (busy.count() == 0) return;
  if (!volume->busy_until) volume->busy_until = world.Now() + busy;
  if (world.Now() < *volume->busy_until) {
    RefuseConflict(kBusy, "Volume \"" + volume->name + "\" is busy");
  }
}

json ApplyDelete(World& world, const std::string& uuid, bool is_forced, Phase phase) {
  Volume& volume = RequireStored(world, uuid);
  if (volume.is_svm_root) Refuse(kIsRoot, "The root volume cannot be deleted");
  const std::vector<std::string> clones = world.ClonesOf(uuid);
  if (!clones.empty()) {
    RefuseConflict(kHasClones, "Volume \"" + volume.name + "\" has FlexClones: " + clones.front());
  }
  const bool may_be_mapped = world.settings.switches.Is("delete_mapped", "take");
  if (world.IsMapped(uuid) && !may_be_mapped) {
    RefuseConflict(kNamespaceMapped, "Volume \"" + volume.name + "\" has a mapped namespace");
  }
  if (world.settings.switches.Is("ransomware_locks", "delete_refused") && HasLocked(world, uuid)) {
    RefuseConflict(kUndocumented, "Volume \"" + volume.name + "\" has locked snapshots");
  }
  RequireIdle(world, &volume);
  for (NvmeNamespace* ns : world.NamespacesOf(uuid)) {
    if (phase == Phase::kApply) world.Unmap(ns);
  }
  if (phase == Phase::kCheck) return nullptr;
  world.LeaveGroupDeleted(volume);
  if (is_forced) {
    world.DestroyVolumeContents(uuid);
  } else {
    MoveToRecoveryQueue(world, volume);
  }
  world.volumes.Erase(uuid);
  return nullptr;
}

}  // namespace

Reply PatchVolume(Call& call) {
  const json body = call.Body(models::Volume(), Write::kPatch);
  const bool is_dry_run = call.query.TakeFlag("validate_only", false);
  call.query.TakeFlag("clone.match_parent_storage_tier", false);
  call.query.TakeText("sizing_method");
  call.RequireNoMoreParams();
  const Volume& volume = RequireVolume(call, "uuid");
  if (body.empty()) Refuse(code::kNothingToChange, "Nothing to change");
  const bool is_both = Has(body, "size") && Has(body, "autosize.maximum");
  if (is_both && call.world.settings.switches.Is("autosize_with_size", "refuse")) {
    Refuse(code::kFieldConflict, "\"size\" and \"autosize.maximum\" exclude each other", "size");
  }
  // Aggregates are the cluster's, so only its accounts may move volumes between them.
  if (Has(body, "movement") && !call.account.svm_name.empty()) {
    RefuseForbidden(call.world);
  }
  World& world = call.world;
  Change change;
  change.answer = Change::Answer::kJob;
  change.description = "PATCH /api/storage/volumes/" + volume.uuid;
  change.svm_uuid = volume.svm_uuid;
  change.run = [&world, uuid = volume.uuid, body, is_dry_run](Phase phase) {
    return ApplyPatch(world, uuid, body, is_dry_run ? Phase::kCheck : phase);
  };
  return Reply::To(std::move(change));
}

Reply DeleteVolume(Call& call) {
  // On older releases the parameter is as unknown as any other.
  const bool is_forced = call.release().Has(12) && call.query.TakeFlag("force", false);
  call.RequireNoMoreParams();
  const Volume& volume = RequireVolume(call, "uuid");
  World& world = call.world;
  Change change;
  change.answer = Change::Answer::kJob;
  change.description = "DELETE /api/storage/volumes/" + volume.uuid;
  change.svm_uuid = volume.svm_uuid;
  change.run = [&world, uuid = volume.uuid, is_forced](Phase phase) {
    return ApplyDelete(world, uuid, is_forced, phase);
  };
  return Reply::To(std::move(change));
}

}  // namespace ontapnvme::sim
