// SPDX-License-Identifier: AGPL-3.0-or-later
// /storage/namespaces: reading, growing, overwriting and deleting. Creating is in namespace_create.cc.
#include "api_error.h"
#include "listing.h"
#include "namespace_rules.h"
#include "routes.h"

namespace ontapnvme::sim {
namespace {

using nlohmann::json;

constexpr int kNotFound = 72090006;
constexpr int kMapped = 72089796;
constexpr int kVolumeOffline = 72090017;
constexpr int kShrink = 72090038;
constexpr int kSourceInSnapshot = 72089730;
constexpr int kNotAllowedForClone = 72090012;
constexpr int kUndocumented = 4242;

// Those in deleted volumes are as invisible as the volumes.
bool IsVisible(const Call& call, const NvmeNamespace& ns) {
  return call.world.volumes.Find(ns.volume_uuid) != nullptr && call.Sees(call.world.SvmOf(ns));
}

NvmeNamespace& RequireNamespace(const Call& call) {
  NvmeNamespace* ns = call.world.namespaces.Find(call.Param("uuid"));
  if (ns == nullptr || !IsVisible(call, *ns)) {
    RefuseMissing(kNotFound, "Namespace with UUID \"" + call.Param("uuid") + "\" was not found",
                  "uuid");
  }
  return *ns;
}

// By itself, or because its volume is offline and the array shows nothing of what is in there.
bool IsListed(const World& world, const NvmeNamespace& ns) {
  const bool is_offline = world.volumes.Find(ns.volume_uuid)->state == "offline";
  if (is_offline && world.settings.switches.Is("offline_volume", "bare")) return false;
  return world.IsListed(ns.create_time);
}

Reply GetNamespaces(Call& call) {
  const World& world = call.world;
  const Listing listing(call, models::NvmeNamespace());
  return listing.Answer([&](const Emit& emit) {
    for (const NvmeNamespace& ns : world.namespaces) {
      if (!IsVisible(call, ns) || !IsListed(world, ns)) continue;
      emit(world.namespaces.Order(ns.uuid),
           NamespaceRecord(call.world, ns, listing.NeedsBelow("space")));
    }
  });
}

Reply GetNamespace(Call& call) {
  const Single single(call, models::NvmeNamespace());
  const NvmeNamespace& ns = RequireNamespace(call);
  if (!call.world.IsFoundByUuid(ns.create_time)) {
    RefuseMissing(kNotFound, "Namespace with UUID \"" + ns.uuid + "\" was not found", "uuid");
  }
  return single.Answer(NamespaceRecord(call.world, ns, single.NeedsBelow("space")));
}

// Another namespace of the same volume; whether one in a snapshot would do is not documented.
const NvmeNamespace& RequireOverwritable(World& world, const NvmeNamespace& ns,
                                         const Volume& volume, const json& body) {
  const Switches& switches = world.settings.switches;
  if (Has(body, "space.size")) {
    Refuse(kNotAllowedForClone, "Field \"space.size\" is not allowed for a clone", "space.size");
  }
  if (switches.Is("namespace_overwrite", "refuse")) {
    Refuse(code::kFieldNotPatchable, "Field \"clone.source\" cannot be set in this operation",
           "clone");
  }
  if (switches.Is("namespace_overwrite", "refuse_mapped") && !ns.subsystem_uuid.empty()) {
    RefuseConflict(kUndocumented, "The namespace is mapped");
  }
  const std::string name = TextAt(body, "clone.source.name");
  if (name.find("/.snapshot/") != std::string::npos) {
    Refuse(kSourceInSnapshot, "The source lies in a snapshot", "clone.source.name");
  }
  const NvmeNamespace* source = Has(body, "clone.source.uuid")
                                    ? world.namespaces.Find(TextAt(body, "clone.source.uuid"))
                                    : world.FindNamespace(volume.svm_uuid, name);
  if (source == nullptr || source->volume_uuid != ns.volume_uuid || source->uuid == ns.uuid) {
    RefuseMissing(kNotFound, "The source namespace was not found in this volume", "clone.source");
  }
  return *source;
}

// UUID, map and path stay; bytes and size are the source's.
void Overwrite(World& world, NvmeNamespace* ns, const NvmeNamespace& source) {
  BlockStore& blocks = world.blocks();
  const std::string image = world.NewUuid();
  blocks.Save(source.uuid, image);
  blocks.Restore(image, ns->uuid);
  blocks.DropImage(image);
  if (world.settings.switches.Is("overwrite_comment", "of_source")) ns->comment = source.comment;
  if (ns->size_bytes == source.size_bytes) return;
  ns->size_bytes = source.size_bytes;
  if (const Subsystem* subsystem = world.subsystems.Find(ns->subsystem_uuid)) {
    world.fabric().SizeChanged(subsystem->target_nqn, ns->nsid);
  }
}

json ApplyPatch(World& world, const std::string& uuid, const json& body, Phase phase) {
  NvmeNamespace* ns = world.namespaces.Find(uuid);
  const Volume* volume = ns == nullptr ? nullptr : world.volumes.Find(ns->volume_uuid);
  if (volume == nullptr) RefuseMissing(kNotFound, "The namespace was not found", "uuid");
  if (volume->state != "online") Refuse(kVolumeOffline, "The volume is not online");
  const NvmeNamespace* source =
      Has(body, "clone.source") ? &RequireOverwritable(world, *ns, *volume, body) : nullptr;
  std::uint64_t size_bytes = ns->size_bytes;
  if (Has(body, "space.size")) {
    size_bytes = At(body, "space.size").get<std::uint64_t>();
    if (size_bytes < ns->size_bytes) {
      Refuse(kShrink, "A namespace cannot be made smaller", "space.size");
    }
    RequireNamespaceFits(world, *volume, size_bytes, ns->size_bytes, ns->block_size);
  }
  if (phase == Phase::kCheck) return nullptr;
  if (source != nullptr) {
    Overwrite(world, ns, *source);
    size_bytes = ns->size_bytes;
  }
  if (Has(body, "comment")) ns->comment = TextAt(body, "comment");
  if (Has(body, "auto_delete")) ns->is_auto_delete = At(body, "auto_delete");
  if (size_bytes == ns->size_bytes) return nullptr;
  world.blocks().Resize(uuid, size_bytes);
  ns->size_bytes = size_bytes;
  if (const Subsystem* subsystem = world.subsystems.Find(ns->subsystem_uuid)) {
    world.fabric().SizeChanged(subsystem->target_nqn, ns->nsid);
  }
  return nullptr;
}

Reply PatchNamespace(Call& call) {
  const json body = call.Body(models::NvmeNamespace(), Write::kPatch);
  call.RequireNoMoreParams();
  const NvmeNamespace& ns = RequireNamespace(call);
  if (body.empty()) Refuse(code::kNothingToChange, "Nothing to change");
  World& world = call.world;
  Change change;
  change.answer = Change::Answer::kEither;
  change.description = "PATCH /api/storage/namespaces/" + ns.uuid;
  change.svm_uuid = world.SvmOf(ns);
  change.run = [&world, uuid = ns.uuid, body](Phase phase) {
    return ApplyPatch(world, uuid, body, phase);
  };
  return Reply::To(std::move(change));
}

Reply DeleteNamespace(Call& call) {
  const bool may_be_mapped = call.query.TakeFlag("allow_delete_while_mapped", false);
  call.RequireNoMoreParams();
  const NvmeNamespace* found = call.world.namespaces.Find(call.Param("uuid"));
  if (found == nullptr || !IsVisible(call, *found)) {
    RefuseMissing(code::kNoEntry, "entry doesn't exist", "uuid");
  }
  World& world = call.world;
  Change change;
  change.answer = Change::Answer::kEither;
  change.description = "DELETE /api/storage/namespaces/" + found->uuid;
  change.svm_uuid = world.SvmOf(*found);
  change.run = [&world, uuid = found->uuid, may_be_mapped](Phase phase) -> json {
    const NvmeNamespace* ns = world.namespaces.Find(uuid);
    if (ns == nullptr) RefuseMissing(code::kNoEntry, "entry doesn't exist", "uuid");
    if (!ns->subsystem_uuid.empty() && !may_be_mapped) {
      RefuseConflict(kMapped, "Namespace \"" + world.PathOf(*ns) + "\" is mapped");
    }
    if (phase == Phase::kApply) world.RemoveNamespace(uuid);
    return nullptr;
  };
  return Reply::To(std::move(change));
}

}  // namespace

json NamespaceRecord(World& world, const NvmeNamespace& ns, bool with_space) {
  const Volume* volume = world.volumes.Find(ns.volume_uuid);
  const Aggregate* aggregate = world.aggregates.Find(volume->aggregate_uuid);
  const bool is_online = volume->state == "online";
  const bool is_reserved = volume->is_thick && volume->fractional_reserve == 100;
  json record = {
      {"uuid", ns.uuid},
      {"name", world.PathOf(ns)},
      {"svm", world.SvmReference(volume->svm_uuid)},
      {"os_type", ns.os_type},
      {"enabled", true},
      {"auto_delete", ns.is_auto_delete},
      {"create_time", World::Timestamp(ns.create_time)},
      {"location",
       {{"namespace", ns.base_name},
        {"volume", {{"uuid", volume->uuid}, {"name", volume->name}}},
        {"node",
         {{"name", aggregate->node_name}, {"uuid", world.FindNode(aggregate->node_name)->uuid}}}}},
      {"space",
       {{"size", ns.size_bytes},
        {"block_size", ns.block_size},
        {"guarantee", {{"requested", is_reserved}, {"reserved", is_reserved}}}}},
      {"status",
       {{"state", is_online ? "online" : "offline"},
        {"container_state", is_online ? "online" : "volume_offline"},
        {"mapped", !ns.subsystem_uuid.empty()},
        {"read_only", false}}},
      {"encryption",
       {{"state", volume->encryption_type == "none" ? "unencrypted" : "software_encrypted"}}},
      {"_links", {{"self", {{"href", "/api/storage/namespaces/" + ns.uuid}}}}},
  };
  if (!ns.comment.empty()) record["comment"] = ns.comment;
  if (with_space) record["space"]["used"] = world.blocks().AllocatedBytes(ns.uuid);
  if (const Subsystem* subsystem = world.subsystems.Find(ns.subsystem_uuid)) {
    record["subsystem_map"] = {
        {"nsid", HexNumber(ns.nsid)},
        {"anagrpid", HexNumber(1)},
        {"subsystem", {{"uuid", subsystem->uuid}, {"name", subsystem->name}}}};
  }
  if (const ConsistencyGroup* group = world.GroupOf(volume->uuid)) {
    record["consistency_group"] = {{"uuid", group->uuid}, {"name", group->name}};
  }
  return record;
}

void AddNamespaceRoutes(Routes* routes) {
  routes->push_back({"GET", "storage/namespaces", GetNamespaces});
  routes->push_back(
      {"POST", "storage/namespaces", PostNamespace, Access::kSvm, Platform::kFlexVol});
  routes->push_back({"GET", "storage/namespaces/{uuid}", GetNamespace});
  routes->push_back({"PATCH", "storage/namespaces/{uuid}", PatchNamespace});
  routes->push_back({"DELETE", "storage/namespaces/{uuid}", DeleteNamespace});
}

}  // namespace ontapnvme::sim
