// SPDX-License-Identifier: AGPL-3.0-or-later
// /storage/luns, as far as a LUN that becomes a namespace needs it: making one, reading, converting.
#include <algorithm>

#include "api_error.h"
#include "listing.h"
#include "namespace_rules.h"
#include "routes.h"

namespace ontapnvme::sim {
namespace {

using nlohmann::json;

constexpr int kNotFound = 5374875;
constexpr int kVolumeUnknown = 918130;
constexpr int kPathTaken = 72089725;
// With which codes a conversion is refused is not documented.
constexpr int kUndocumented = 4242;

std::string PathOf(const World& world, const Lun& lun) {
  return "/vol/" + world.volumes.Find(lun.volume_uuid)->name + "/" + lun.base_name;
}

json Record(World& world, const Lun& lun) {
  const Volume& volume = *world.volumes.Find(lun.volume_uuid);
  json record = {
      {"uuid", lun.uuid},
      {"name", PathOf(world, lun)},
      {"svm", world.SvmReference(volume.svm_uuid)},
      {"os_type", lun.os_type},
      {"create_time", World::Timestamp(lun.create_time)},
      {"location", {{"volume", {{"uuid", volume.uuid}, {"name", volume.name}}}}},
      {"space", {{"size", lun.size_bytes}}},
      {"status",
       {{"state", volume.state == "online" ? "online" : "offline"}, {"mapped", lun.is_mapped}}},
  };
  if (!lun.comment.empty()) record["comment"] = lun.comment;
  return record;
}

Reply GetLuns(Call& call) {
  World& world = call.world;
  const Listing listing(call, models::Lun());
  return listing.Answer([&](const Emit& emit) {
    for (const Lun& lun : world.luns) {
      const Volume* volume = world.volumes.Find(lun.volume_uuid);
      if (volume == nullptr || !call.Sees(volume->svm_uuid)) continue;
      emit(world.luns.Order(lun.uuid), Record(world, lun));
    }
  });
}

Reply PostLun(Call& call) {
  const json body = call.Body(models::Lun(), Write::kCreate);
  call.RequireNoMoreParams();
  const Svm& svm = call.RequireSvm(body);
  for (const char* path : {"name", "os_type", "space.size"}) {
    if (!Has(body, path)) Refuse(code::kRequired, "A field is missing", path);
  }
  World& world = call.world;
  const NamespaceLocation location = RequireNamespacePath(TextAt(body, "name"));
  const Volume* volume = world.FindVolume(svm.uuid, location.volume);
  if (volume == nullptr) RefuseMissing(kVolumeUnknown, "The volume was not found", "name");
  Lun lun;
  lun.uuid = world.NewUuid();
  lun.volume_uuid = volume->uuid;
  lun.base_name = location.base_name;
  lun.comment = TextAt(body, "comment");
  lun.os_type = TextAt(body, "os_type");
  lun.size_bytes = At(body, "space.size").get<std::uint64_t>();
  lun.create_time = world.Now();
  Change change;
  change.is_create = true;
  change.description = "POST /api/storage/luns";
  change.svm_uuid = svm.uuid;
  change.location = "/api/storage/luns/" + lun.uuid;
  change.model = &models::Lun();
  change.run = [&world, lun](Phase phase) -> json {
    if (phase == Phase::kCheck) return nullptr;
    world.blocks().Create(lun.uuid, lun.size_bytes);
    return Record(world, world.luns.Add(lun));
  };
  return Reply::To(std::move(change));
}

const Lun& RequireConvertible(World& world, const std::string& svm_uuid, const json& body) {
  const std::string uuid = TextAt(body, "convert.lun.uuid");
  const std::string name = TextAt(body, "convert.lun.name");
  const auto found = std::find_if(world.luns.begin(), world.luns.end(), [&](const Lun& lun) {
    const Volume* volume = world.volumes.Find(lun.volume_uuid);
    return volume != nullptr && volume->svm_uuid == svm_uuid &&
           (uuid.empty() ? PathOf(world, lun) == name : lun.uuid == uuid);
  });
  if (found == world.luns.end()) RefuseMissing(kNotFound, "The LUN was not found", "convert.lun");
  if (found->is_mapped) RefuseConflict(kUndocumented, "The LUN is mapped");
  if (found->has_streams) RefuseConflict(kUndocumented, "The LUN has a prefix or suffix stream");
  for (const Snapshot* snapshot : world.SnapshotsOf(found->volume_uuid)) {
    const bool holds_it = snapshot->create_time >= found->create_time;
    if (holds_it) RefuseConflict(kUndocumented, "The LUN is in a snapshot");
  }
  if (world.FindNamespace(svm_uuid, PathOf(world, *found)) != nullptr) {
    RefuseConflict(kPathTaken, "A namespace of that name exists", "name");
  }
  return *found;
}

json Convert(World& world, const std::string& svm_uuid, const json& body, NvmeNamespace ns,
             Phase phase) {
  const Lun lun = RequireConvertible(world, svm_uuid, body);
  if (phase == Phase::kCheck) return nullptr;
  ns.volume_uuid = lun.volume_uuid;
  ns.base_name = lun.base_name;
  ns.os_type = lun.os_type;
  ns.size_bytes = lun.size_bytes;
  ns.block_size = 512;
  ns.create_time = world.Now();
  if (world.settings.switches.Is("lun_comment", "kept")) ns.comment = lun.comment;
  BlockStore& blocks = world.blocks();
  const std::string image = world.NewUuid();
  blocks.Save(lun.uuid, image);
  blocks.Clone(image, ns.uuid);
  blocks.DropImage(image);
  blocks.Remove(lun.uuid);
  world.luns.Erase(lun.uuid);
  return NamespaceRecord(world, world.namespaces.Add(std::move(ns)), true);
}

}  // namespace

Reply ConvertLun(Call& call, const json& body, const Svm& svm) {
  for (const char* path : {"name", "os_type", "space", "clone", "comment"}) {
    if (Has(body, path)) Refuse(code::kFieldConflict, "Not allowed in a conversion", path);
  }
  World& world = call.world;
  NvmeNamespace ns;
  ns.uuid = world.NewUuid();
  ns.nguid = world.NewUuid();
  Change change;
  change.answer = Change::Answer::kEither;
  change.is_create = true;
  change.description = "POST /api/storage/namespaces";
  change.svm_uuid = svm.uuid;
  change.location = "/api/storage/namespaces/" + ns.uuid;
  change.model = &models::NvmeNamespace();
  change.run = [&world, body, svm_uuid = svm.uuid, ns](Phase phase) {
    return Convert(world, svm_uuid, body, ns, phase);
  };
  return Reply::To(std::move(change));
}

void AddLunRoutes(Routes* routes) {
  routes->push_back({"GET", "storage/luns", GetLuns});
  routes->push_back({"POST", "storage/luns", PostLun, Access::kSvm, Platform::kFlexVol});
}

}  // namespace ontapnvme::sim
