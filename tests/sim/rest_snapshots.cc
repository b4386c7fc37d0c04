// SPDX-License-Identifier: AGPL-3.0-or-later
// /storage/volumes/{volume.uuid}/snapshots, and taking a volume back to one.
#include "api_error.h"
#include "routes.h"
#include "snapshot_rules.h"
#include "volume_rules.h"

namespace ontapnvme::sim {
namespace {

using nlohmann::json;

json SnapshotRecord(World& world, const Snapshot& snapshot) {
  const Volume* volume = world.volumes.Find(snapshot.volume_uuid);
  std::uint64_t size_bytes = 0;
  for (const SavedNamespace& saved : snapshot.contents) size_bytes += saved.ns.size_bytes;
  json record = {
      {"uuid", snapshot.uuid},
      {"name", snapshot.name},
      {"create_time", World::Timestamp(snapshot.create_time)},
      {"state", "valid"},
      {"size", 0},
      {"logical_size", size_bytes},
      {"version_uuid", snapshot.version_uuid},
      {"svm", world.SvmReference(volume->svm_uuid)},
      {"volume", {{"uuid", volume->uuid}, {"name", volume->name}}},
      {"reclaimable_space", 0},
      {"delta", {{"size_consumed", 0}, {"time_elapsed", "PT0S"}}},
      {"_links",
       {{"self",
         {{"href", "/api/storage/volumes/" + volume->uuid + "/snapshots/" + snapshot.uuid}}}}},
  };
  if (!snapshot.comment.empty()) record["comment"] = snapshot.comment;
  if (!snapshot.expiry_time.empty()) record["expiry_time"] = snapshot.expiry_time;
  if (!snapshot.snapmirror_label.empty()) record["snapmirror_label"] = snapshot.snapmirror_label;
  const std::vector<std::string> owners = OwnersOf(world, snapshot);
  if (!owners.empty()) record["owners"] = owners;
  return record;
}

Reply GetSnapshots(Call& call) {
  World& world = call.world;
  const bool is_for_all = call.Param("volume.uuid") == "*";
  if (is_for_all && world.settings.switches.Is("bulk_snapshots", "refuse")) {
    Refuse(code::kBadQueryValue, "The value \"*\" is invalid for field \"volume.uuid\"",
           "volume.uuid");
  }
  const Volume* volume = is_for_all ? nullptr : &RequireVolume(call, "volume.uuid");
  return Listing(call, models::Snapshot()).Answer([&](const Emit& emit) {
    for (const Snapshot& snapshot : world.snapshots) {
      const Volume* owner = world.volumes.Find(snapshot.volume_uuid);
      if (owner == nullptr || !call.Sees(owner->svm_uuid)) continue;
      if (volume != nullptr && owner != volume) continue;
      emit(world.snapshots.Order(snapshot.uuid), SnapshotRecord(world, snapshot));
    }
  });
}

Snapshot& RequireSnapshot(const Call& call) {
  const Volume& volume = RequireVolume(call, "volume.uuid");
  Snapshot* snapshot = call.world.snapshots.Find(call.Param("uuid"));
  if (snapshot == nullptr || snapshot->volume_uuid != volume.uuid) {
    RefuseMissing(snapshot_code::kNotFound, "The snapshot was not found", "uuid");
  }
  return *snapshot;
}

Reply GetSnapshot(Call& call) {
  const Single single(call, models::Snapshot());
  return single.Answer(SnapshotRecord(call.world, RequireSnapshot(call)));
}

void ApplyFields(const json& body, Snapshot* snapshot) {
  if (Has(body, "comment")) snapshot->comment = TextAt(body, "comment");
  if (Has(body, "expiry_time")) snapshot->expiry_time = TextAt(body, "expiry_time");
  if (Has(body, "snapmirror_label")) snapshot->snapmirror_label = TextAt(body, "snapmirror_label");
}

Reply PostSnapshot(Call& call) {
  const json body = call.Body(models::Snapshot(), Write::kCreate);
  call.RequireNoMoreParams();
  const Volume& volume = RequireVolume(call, "volume.uuid");
  const std::string name = TextAt(body, "name");
  if (name.empty()) Refuse(code::kRequired, "Field \"name\" is required", "name");
  World& world = call.world;
  const std::string uuid = world.NewUuid();
  Change change;
  change.answer = Change::Answer::kJob;
  change.is_create = true;
  change.description = "POST /api/storage/volumes/" + volume.uuid + "/snapshots";
  change.svm_uuid = volume.svm_uuid;
  change.location = "/api/storage/volumes/" + volume.uuid + "/snapshots/" + uuid;
  change.model = &models::Snapshot();
  change.run = [&world, volume_uuid = volume.uuid, uuid, name, body](Phase phase) -> json {
    const Volume* parent = world.volumes.Find(volume_uuid);
    if (parent == nullptr) RefuseMissing(volume_code::kNotFound, "The volume was not found");
    RequireSnapshotPossible(world, *parent, name);
    if (phase == Phase::kCheck) return nullptr;
    Snapshot snapshot = TakeSnapshot(world, *parent, name);
    snapshot.uuid = uuid;
    ApplyFields(body, &snapshot);
    return SnapshotRecord(world, world.snapshots.Add(std::move(snapshot)));
  };
  return Reply::To(std::move(change));
}

Reply PatchSnapshot(Call& call) {
  const json body = call.Body(models::Snapshot(), Write::kPatch);
  call.RequireNoMoreParams();
  const Snapshot& snapshot = RequireSnapshot(call);
  if (body.empty()) Refuse(code::kNothingToChange, "Nothing to change");
  World& world = call.world;
  Change change;
  change.answer = Change::Answer::kJob;
  change.description = call.request.method + " " + call.request.target;
  change.svm_uuid = RequireVolume(call, "volume.uuid").svm_uuid;
  change.run = [&world, uuid = snapshot.uuid, body](Phase phase) -> json {
    Snapshot* stored = world.snapshots.Find(uuid);
    if (stored == nullptr) RefuseMissing(snapshot_code::kNotFound, "The snapshot was not found");
    const std::string name = TextAt(body, "name");
    const bool is_rename = Has(body, "name") && name != stored->name;
    if (is_rename) RequireRenamable(world, *stored, name);
    if (phase == Phase::kCheck) return nullptr;
    if (is_rename) stored->name = name;
    ApplyFields(body, stored);
    return nullptr;
  };
  return Reply::To(std::move(change));
}

Reply DeleteSnapshot(Call& call) {
  call.RequireNoMoreParams();
  const Snapshot& snapshot = RequireSnapshot(call);
  World& world = call.world;
  Change change;
  change.answer = Change::Answer::kJob;
  change.description = call.request.method + " " + call.request.target;
  change.svm_uuid = RequireVolume(call, "volume.uuid").svm_uuid;
  change.run = [&world, uuid = snapshot.uuid](Phase phase) -> json {
    const Snapshot* stored = world.snapshots.Find(uuid);
    if (stored == nullptr) RefuseMissing(snapshot_code::kNotFound, "The snapshot was not found");
    RequireDeletable(world, *stored);
    if (phase == Phase::kApply) world.RemoveSnapshot(uuid);
    return nullptr;
  };
  return Reply::To(std::move(change));
}

}  // namespace

Reply RestoreVolume(Call& call) {
  const std::string name = call.query.TakeText("restore_to.snapshot.name").value_or("");
  const std::string uuid = call.query.TakeText("restore_to.snapshot.uuid").value_or("");
  // On older releases the parameter is as unknown as any other.
  const bool is_forced =
      call.release().Has(19) && call.query.TakeFlag("restore_to.snapshot.force", false);
  call.RequireNoMoreParams();
  // A restore changes nothing else; the body is checked and must be empty.
  if (!call.Body(models::Volume(), Write::kPatch).empty()) {
    Refuse(code::kFieldConflict, "A restore cannot be combined with other changes");
  }
  const Volume& volume = RequireVolume(call, "uuid");
  World& world = call.world;
  Change change;
  change.answer = Change::Answer::kJob;
  change.description = "PATCH /api/storage/volumes/" + volume.uuid;
  change.svm_uuid = volume.svm_uuid;
  change.run = [&world, volume_uuid = volume.uuid, name, uuid, is_forced](Phase phase) -> json {
    const Volume* stored = world.volumes.Find(volume_uuid);
    if (stored == nullptr) RefuseMissing(volume_code::kNotFound, "The volume was not found");
    const Snapshot* snapshot =
        uuid.empty() ? world.FindSnapshot(volume_uuid, name) : world.snapshots.Find(uuid);
    if (snapshot == nullptr || snapshot->volume_uuid != volume_uuid) {
      RefuseMissing(snapshot_code::kNotFound, "The snapshot was not found", "restore_to.snapshot");
    }
    RequireRestorable(world, *stored, *snapshot, is_forced);
    if (phase == Phase::kApply) RestoreContents(world, volume_uuid, snapshot->uuid);
    return nullptr;
  };
  return Reply::To(std::move(change));
}

void AddSnapshotRoutes(Routes* routes) {
  const std::string all = "storage/volumes/{volume.uuid}/snapshots";
  const std::string one = all + "/{uuid}";
  routes->push_back({"GET", all, GetSnapshots});
  routes->push_back({"POST", all, PostSnapshot, Access::kSvm, Platform::kFlexVol});
  routes->push_back({"GET", one, GetSnapshot});
  routes->push_back({"PATCH", one, PatchSnapshot, Access::kSvm, Platform::kFlexVol});
  routes->push_back({"DELETE", one, DeleteSnapshot, Access::kSvm, Platform::kFlexVol});
}

}  // namespace ontapnvme::sim
