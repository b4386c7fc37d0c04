// SPDX-License-Identifier: AGPL-3.0-or-later
// POST /storage/volumes: new FlexVols and FlexClones.
#include <algorithm>

#include "api_error.h"
#include "snapshot_rules.h"
#include "volume_rules.h"

namespace ontapnvme::sim {
namespace {

using nlohmann::json;

constexpr int kOneAggregateOnly = 918242;
constexpr int kCloneRefused = 524819;
constexpr int kParentUnknown = 524601;
constexpr int kSnapshotMismatch = 918243;

// The aggregate that the body names, which must be delegated to the SVM.
const Aggregate& RequireAggregate(World& world, const Svm& svm, const json& body) {
  const json& list = At(body, "aggregates");
  if (list.is_null() || list.empty()) {
    Refuse(volume_code::kAggregateMissing, "No aggregate was specified", "aggregates.name");
  }
  if (list.size() != 1) {
    Refuse(kOneAggregateOnly, "A FlexVol takes exactly one aggregate", "aggregates");
  }
  const std::string name = TextAt(list[0], "name");
  const std::string uuid = TextAt(list[0], "uuid");
  const Aggregate* aggregate =
      uuid.empty() ? world.FindAggregate(name) : world.aggregates.Find(uuid);
  const bool is_delegated =
      aggregate != nullptr && std::find(svm.aggregate_names.begin(), svm.aggregate_names.end(),
                                        aggregate->name) != svm.aggregate_names.end();
  if (!is_delegated) {
    Refuse(volume_code::kAggregateUnknown,
           "Aggregate \"" + (name.empty() ? uuid : name) + "\" was not found", "aggregates.name");
  }
  if (!name.empty() && aggregate->name != name) {
    Refuse(volume_code::kAggregateMismatch, "The aggregate name and UUID do not match",
           "aggregates");
  }
  return *aggregate;
}

const Volume& RequireParent(World& world, const Svm& svm, const json& body) {
  const std::string name = TextAt(body, "clone.parent_volume.name");
  const std::string uuid = TextAt(body, "clone.parent_volume.uuid");
  const Volume* parent = uuid.empty() ? world.FindVolume(svm.uuid, name) : world.volumes.Find(uuid);
  if (parent == nullptr || parent->svm_uuid != svm.uuid) {
    Refuse(kParentUnknown, "The parent volume of the clone was not found",
           "clone.parent_volume.name");
  }
  return *parent;
}

// Null when the body names none: ONTAP takes one then.
const Snapshot* FindParentSnapshot(World& world, const Volume& parent, const json& body) {
  const std::string name = TextAt(body, "clone.parent_snapshot.name");
  const std::string uuid = TextAt(body, "clone.parent_snapshot.uuid");
  if (name.empty() && uuid.empty()) return nullptr;
  const Snapshot* snapshot =
      uuid.empty() ? world.FindSnapshot(parent.uuid, name) : world.snapshots.Find(uuid);
  if (snapshot == nullptr || snapshot->volume_uuid != parent.uuid) {
    RefuseMissing(snapshot_code::kNotFound, "The parent snapshot of the clone was not found",
                  "clone.parent_snapshot.name");
  }
  if (!name.empty() && snapshot->name != name) {
    Refuse(kSnapshotMismatch, "The snapshot name and UUID do not match", "clone.parent_snapshot");
  }
  return snapshot;
}

// A clone shows its parent's snapshots up to the one it stands on, and holds that one.
void InheritSnapshots(World& world, const Volume& clone, const Snapshot& base) {
  std::vector<Snapshot> inherited;
  for (const Snapshot* older : world.SnapshotsOf(base.volume_uuid)) {
    Snapshot copy = *older;
    copy.uuid = world.NewUuid();
    copy.volume_uuid = clone.uuid;
    copy.is_clone_base = older->uuid == base.uuid;
    inherited.push_back(std::move(copy));
    if (older->uuid == base.uuid) break;
  }
  for (Snapshot& copy : inherited) world.snapshots.Add(std::move(copy));
}

void CloneNamespaces(World& world, const Volume& clone, const Snapshot& base) {
  for (const SavedNamespace& saved : base.contents) {
    NvmeNamespace ns = saved.ns;
    ns.uuid = world.NewUuid();
    ns.nguid = world.NewUuid();
    ns.volume_uuid = clone.uuid;
    ns.create_time = world.Now();
    ns.subsystem_uuid.clear();
    ns.nsid = 0;
    world.blocks().Clone(saved.image->id(), ns.uuid);
    world.namespaces.Add(std::move(ns));
  }
}

json ApplyClone(World& world, const json& body, Volume clone, Phase phase) {
  if (!world.settings.has_clone_licence) Refuse(kCloneRefused, "FlexClone is not licensed");
  RequireVolumeName(world, clone.svm_uuid, clone.name);
  const Svm& svm = *world.svms.Find(clone.svm_uuid);
  const Volume& parent = RequireParent(world, svm, body);
  const Snapshot* base = FindParentSnapshot(world, parent, body);

  clone.aggregate_uuid = parent.aggregate_uuid;
  clone.size_bytes = parent.size_bytes;
  clone.snapshot_reserve_percent = parent.snapshot_reserve_percent;
  clone.tiering_policy = parent.tiering_policy;
  clone.encryption_type = parent.encryption_type;
  clone.autosize = parent.autosize;
  clone.is_thick = parent.is_thick;
  clone.fractional_reserve = parent.fractional_reserve;
  clone.snapshot_policy_uuid = parent.snapshot_policy_uuid;
  ApplyVolumeSettings(world, body, &clone, false);
  RequireSpaceFor(world, clone);
  if (phase == Phase::kCheck) return nullptr;

  if (base == nullptr) {
    Snapshot automatic = TakeSnapshot(
        world, parent, "clone_" + clone.name + "." + World::Timestamp(world.Now()).substr(0, 10));
    base = &world.snapshots.Add(std::move(automatic));
  }
  clone.create_time = world.Now();
  const std::chrono::milliseconds offline(world.settings.switches.Number("clone_online_ms"));
  if (offline.count() > 0) {
    clone.state = "offline";
    clone.online_time = world.Now() + offline;
  }
  clone.clone = CloneParent{parent.uuid, parent.name, base->uuid, base->name, std::nullopt};
  const Volume& added = world.volumes.Add(std::move(clone));
  CloneNamespaces(world, added, *base);
  InheritSnapshots(world, added, *base);
  return VolumeRecord(world, added, true, true);
}

json ApplyCreate(World& world, const json& body, Volume volume, Phase phase) {
  RequireVolumeName(world, volume.svm_uuid, volume.name);
  const Svm& svm = *world.svms.Find(volume.svm_uuid);
  volume.aggregate_uuid = RequireAggregate(world, svm, body).uuid;
  ApplyVolumeSettings(world, body, &volume, true);
  RequireSpaceFor(world, volume);
  if (phase == Phase::kCheck) return nullptr;
  volume.create_time = world.Now();
  return VolumeRecord(world, world.volumes.Add(std::move(volume)), true, true);
}

[[noreturn]] void RefuseAtCreation(const std::string& path) {
  Refuse(code::kFieldNotSettable, "Field \"" + path + "\" cannot be set in this operation", path);
}

// What clients disagree on, or do not send at all.
void RequireCreatable(const World& world, const json& body, bool is_clone) {
  const Switches& switches = world.settings.switches;
  if (switches.Is("fractional_reserve_create", "refuse") && Has(body, "space.fractional_reserve")) {
    RefuseAtCreation("space.fractional_reserve");
  }
  if (!is_clone || switches.Is("clone_create", "take")) return;
  if (Has(body, "qos")) RefuseAtCreation("qos");
  if (!switches.Is("clone_create", "minimal")) return;
  for (const char* path : {"guarantee", "snapshot_policy", "space", "autosize", "tiering", "state",
                           "efficiency", "anti_ransomware"}) {
    if (Has(body, path)) RefuseAtCreation(path);
  }
}

void RequireNoConflictWithClone(const json& body) {
  for (const char* path : {"aggregates", "size", "space.size", "encryption.enabled"}) {
    if (Has(body, path)) {
      Refuse(code::kFieldConflict,
             std::string("Field \"") + path + "\" is not allowed for a FlexClone", path);
    }
  }
}

}  // namespace

Reply PostVolume(Call& call) {
  const json body = call.Body(models::Volume(), Write::kCreate);
  call.RequireNoMoreParams();
  const Svm& svm = call.RequireSvm(body);
  const bool is_clone = At(body, "clone.is_flexclone") == true;
  if (Has(body, "style") && TextAt(body, "style") != "flexvol") {
    Refuse(code::kBadValue, "Only FlexVols are simulated", "style");
  }
  if (Has(body, "type") && TextAt(body, "type") != "rw") {
    Refuse(code::kBadValue, "Only read-write volumes are simulated", "type");
  }
  if (is_clone) {
    RequireNoConflictWithClone(body);
  } else if (Has(body, "clone.parent_volume")) {
    Refuse(code::kFieldConflict, "\"clone.parent_volume\" needs \"clone.is_flexclone\"", "clone");
  }

  World& world = call.world;
  RequireCreatable(world, body, is_clone);
  Volume volume;
  volume.uuid = world.NewUuid();
  volume.name = TextAt(body, "name");
  volume.svm_uuid = svm.uuid;
  Change change;
  change.answer = Change::Answer::kJob;
  change.is_create = true;
  change.description = "POST /api/storage/volumes";
  change.svm_uuid = svm.uuid;
  change.location = world.settings.switches.Is("volume_location", "name")
                        ? "/api/storage/volumes/?name=" + volume.name
                        : "/api/storage/volumes/" + volume.uuid;
  change.model = &models::Volume();
  change.run = [&world, body, volume, is_clone](Phase phase) {
    return is_clone ? ApplyClone(world, body, volume, phase)
                    : ApplyCreate(world, body, volume, phase);
  };
  return Reply::To(std::move(change));
}

}  // namespace ontapnvme::sim
