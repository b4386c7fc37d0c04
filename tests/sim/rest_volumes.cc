// SPDX-License-Identifier: AGPL-3.0-or-later
// /storage/volumes: reading, and the routes of all that changes a volume.
#include "api_error.h"
#include "ransomware.h"
#include "routes.h"
#include "volume_rules.h"

namespace ontapnvme::sim {
namespace {

using nlohmann::json;

json QosRecord(const World& world, const Volume& volume) {
  if (!volume.inline_qos.is_null()) return {{"policy", volume.inline_qos}};
  const QosPolicy* policy = world.qos_policies.Find(volume.qos_policy_uuid);
  if (policy == nullptr) return nullptr;
  return {{"policy", {{"name", policy->name}, {"uuid", policy->uuid}}}};
}

json CloneRecord(World& world, const Volume& volume) {
  json record = {{"is_flexclone", volume.clone.has_value()},
                 {"has_flexclone", !world.ClonesOf(volume.uuid).empty()}};
  if (!volume.clone) return record;
  const Volume* parent = world.volumes.Find(volume.clone->volume_uuid);
  record["parent_volume"] = {
      {"uuid", volume.clone->volume_uuid},
      {"name", parent == nullptr ? volume.clone->volume_name : parent->name}};
  record["parent_snapshot"] = {{"uuid", volume.clone->snapshot_uuid},
                               {"name", volume.clone->snapshot_name}};
  const auto percent = world.SplitPercent(volume);
  record["split_initiated"] = percent.has_value();
  if (percent) record["split_complete_percent"] = *percent;
  record["split_estimate"] = volume.size_bytes;
  return record;
}

json AutosizeRecord(const Autosize& autosize) {
  return {{"mode", autosize.mode},
          {"maximum", autosize.maximum_bytes},
          {"minimum", autosize.minimum_bytes},
          {"grow_threshold", autosize.grow_threshold},
          {"shrink_threshold", autosize.shrink_threshold}};
}

void AddSpace(World& world, const Volume& volume, json* record) {
  const std::uint64_t reserve =
      volume.size_bytes / 100 * static_cast<std::uint64_t>(volume.snapshot_reserve_percent);
  const std::uint64_t used = world.UsedBytes(volume);
  const std::uint64_t room = volume.size_bytes - reserve;
  json& space = (*record)["space"];
  space["size"] = volume.size_bytes;
  space["used"] = used;
  space["available"] = room > used ? room - used : 0;
  space["percent_used"] = used * 100 / volume.size_bytes;
  space["physical_used"] = used;
  space["fractional_reserve"] = volume.fractional_reserve;
  space["snapshot"]["reserve_percent"] = volume.snapshot_reserve_percent;
  space["snapshot"]["reserve_size"] = reserve;
  space["snapshot"]["reserve_available"] = reserve;
  space["snapshot"]["used"] = 0;
  space["snapshot"]["space_used_percent"] = 0;
  space["logical_space"]["used"] = used;
  space["logical_space"]["available"] = space["available"];
}

Reply GetVolumes(Call& call) {
  // Constituents belong to FlexGroups, of which there are none.
  call.query.TakeFlag("is_constituent", false);
  World& world = call.world;
  const Listing listing(call, models::Volume());
  return listing.Answer([&](const Emit& emit) {
    for (const Volume& volume : world.volumes) {
      if (!call.Sees(volume.svm_uuid) || !world.IsListed(volume.create_time)) continue;
      emit(world.volumes.Order(volume.uuid), VolumeRecord(world, volume, listing));
    }
  });
}

Reply GetVolume(Call& call) {
  call.query.TakeFlag("is_constituent", false);
  const Single single(call, models::Volume());
  const Volume* volume = call.world.volumes.Find(call.Param("uuid"));
  const bool is_seen = volume != nullptr && call.Sees(volume->svm_uuid) &&
                       call.world.IsFoundByUuid(volume->create_time);
  if (!is_seen) {
    RefuseMissing(code::kNoEntry, "entry doesn't exist", "uuid");
  }
  return single.Answer(VolumeRecord(call.world, *volume, single));
}

Reply PatchOrRestore(Call& call) {
  for (const auto& [name, value] : call.query.params) {
    if (name.rfind("restore_to.", 0) == 0) return RestoreVolume(call);
  }
  return PatchVolume(call);
}

}  // namespace

json VolumeRecord(World& world, const Volume& volume, bool with_space, bool with_snapshots) {
  json record = volume.extras;
  const Aggregate* aggregate = world.aggregates.Find(volume.aggregate_uuid);
  record["uuid"] = volume.uuid;
  record["name"] = volume.name;
  record["svm"] = world.SvmReference(volume.svm_uuid);
  record["aggregates"] = json::array({{{"name", aggregate->name}, {"uuid", aggregate->uuid}}});
  record["style"] = "flexvol";
  record["type"] = "rw";
  record["state"] = volume.state;
  record["create_time"] = World::Timestamp(volume.create_time);
  record["size"] = volume.size_bytes;
  record["is_svm_root"] = volume.is_svm_root;
  record["guarantee"] = {{"type", volume.is_thick ? "volume" : "none"}, {"honored", true}};
  record["autosize"] = AutosizeRecord(volume.autosize);
  record["encryption"] = {
      {"enabled", volume.encryption_type != "none"},
      {"type", volume.encryption_type},
      {"state", volume.encryption_type == "none" ? "unencrypted" : "encrypted"}};
  record["tiering"]["policy"] = volume.tiering_policy;
  record["tiering"]["supported"] = aggregate->is_fabric_pool;
  if (volume.min_cooling_days) record["tiering"]["min_cooling_days"] = *volume.min_cooling_days;
  record["qos"] = QosRecord(world, volume);
  record["clone"] = CloneRecord(world, volume);
  if (volume.movement) {
    const Aggregate* target = world.aggregates.Find(volume.movement->aggregate_uuid);
    record["movement"] = {
        {"state", volume.movement->has_failed ? "failed" : "replicating"},
        {"percent_complete", world.MovePercent(*volume.movement)},
        {"destination_aggregate", {{"name", target->name}, {"uuid", target->uuid}}}};
  }
  if (const auto* policy = world.snapshot_policies.Find(volume.snapshot_policy_uuid)) {
    record["snapshot_policy"] = {{"name", policy->name}, {"uuid", policy->uuid}};
  }
  if (const ConsistencyGroup* group = world.GroupOf(volume.uuid)) {
    record["consistency_group"] = {{"name", group->name}, {"uuid", group->uuid}};
  }
  // An empty comment is an unset one.
  const bool is_bare =
      volume.state == "offline" && world.settings.switches.Is("offline_volume", "bare");
  if (!volume.comment.empty() && !is_bare) record["comment"] = volume.comment;
  if (!volume.tags.empty()) record["_tags"] = volume.tags;
  if (with_space) AddSpace(world, volume, &record);
  if (with_snapshots && world.settings.switches.Is("snapshot_count", "told"))
    record["snapshot_count"] = world.SnapshotsOf(volume.uuid).size();
  AddProtection(world, volume, &record);
  record["_links"]["self"]["href"] = "/api/storage/volumes/" + volume.uuid;
  return record;
}

void AddVolumeRoutes(Routes* routes) {
  routes->push_back({"GET", "storage/volumes", GetVolumes});
  routes->push_back({"POST", "storage/volumes", PostVolume, Access::kSvm, Platform::kFlexVol});
  routes->push_back({"GET", "storage/volumes/{uuid}", GetVolume});
  routes->push_back(
      {"PATCH", "storage/volumes/{uuid}", PatchOrRestore, Access::kSvm, Platform::kFlexVol});
  routes->push_back(
      {"DELETE", "storage/volumes/{uuid}", DeleteVolume, Access::kSvm, Platform::kFlexVol});
}

}  // namespace ontapnvme::sim
