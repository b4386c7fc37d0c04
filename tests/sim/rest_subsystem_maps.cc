// SPDX-License-Identifier: AGPL-3.0-or-later
// /protocols/nvme/subsystem-maps
#include <algorithm>
#include <set>

#include "api_error.h"
#include "listing.h"
#include "namespace_rules.h"
#include "routes.h"
#include "subsystem_rules.h"

namespace ontapnvme::sim {
namespace {

using nlohmann::json;

constexpr int kAlreadyMapped = 72089790;
constexpr int kNodeWithoutLif = 72089902;
constexpr int kNodesWithoutLif = 72089903;
constexpr int kUuidNameMismatch = 72090005;
constexpr int kNamespaceUuidUnknown = 72090006;
constexpr int kNamespaceNameUnknown = 72090007;
constexpr int kNotMapped = 72090019;
constexpr int kSubsystemMismatch = 72090020;
constexpr int kVolumeOffline = 72090017;
constexpr int kSubsystemNameUnknown = 72090021;
constexpr std::size_t kNamespacesPerSubsystemMaximum = 1024;

json MapRecord(const World& world, const NvmeNamespace& ns) {
  const Subsystem* subsystem = world.subsystems.Find(ns.subsystem_uuid);
  const Volume* volume = world.volumes.Find(ns.volume_uuid);
  const Aggregate* aggregate = world.aggregates.Find(volume->aggregate_uuid);
  return {
      {"svm", world.SvmReference(subsystem->svm_uuid)},
      {"subsystem", {{"uuid", subsystem->uuid}, {"name", subsystem->name}}},
      {"namespace",
       {{"uuid", ns.uuid}, {"name", world.PathOf(ns)}, {"node", {{"name", aggregate->node_name}}}}},
      {"nsid", HexNumber(ns.nsid)},
      {"anagrpid", HexNumber(1)},
      {"_links",
       {{"self",
         {{"href", "/api/protocols/nvme/subsystem-maps/" + subsystem->uuid + "/" + ns.uuid}}}}},
  };
}

Reply GetMaps(Call& call) {
  const World& world = call.world;
  return Listing(call, models::NvmeSubsystemMap()).Answer([&](const Emit& emit) {
    for (const NvmeNamespace& ns : world.namespaces) {
      if (ns.subsystem_uuid.empty() || !call.Sees(world.SvmOf(ns))) continue;
      emit(world.namespaces.Order(ns.uuid), MapRecord(world, ns));
    }
  });
}

NvmeNamespace& RequireMapped(const Call& call) {
  NvmeNamespace* ns = call.world.namespaces.Find(call.Param("namespace.uuid"));
  if (ns == nullptr || !call.Sees(call.world.SvmOf(*ns)) ||
      ns->subsystem_uuid != call.Param("subsystem.uuid")) {
    RefuseMissing(kNotMapped, "The namespace is not mapped to the subsystem", "namespace.uuid");
  }
  return *ns;
}

Reply GetMap(Call& call) {
  const Single single(call, models::NvmeSubsystemMap());
  return single.Answer(MapRecord(call.world, RequireMapped(call)));
}

NvmeNamespace& RequireNamespace(World& world, const Svm& svm, const json& body) {
  const std::string name = TextAt(body, "namespace.name");
  const std::string uuid = TextAt(body, "namespace.uuid");
  if (name.empty() && uuid.empty()) {
    Refuse(code::kRequired, "Field \"namespace\" is required", "namespace.name");
  }
  NvmeNamespace* ns =
      uuid.empty() ? world.FindNamespace(svm.uuid, name) : world.namespaces.Find(uuid);
  if (ns == nullptr || world.SvmOf(*ns) != svm.uuid) {
    RefuseMissing(uuid.empty() ? kNamespaceNameUnknown : kNamespaceUuidUnknown,
                  "The namespace was not found", "namespace");
  }
  if (!name.empty() && world.PathOf(*ns) != name) {
    Refuse(kUuidNameMismatch, "The namespace name and UUID do not match", "namespace");
  }
  return *ns;
}

const Subsystem& RequireSubsystemOf(World& world, const Svm& svm, const json& body) {
  const std::string name = TextAt(body, "subsystem.name");
  const std::string uuid = TextAt(body, "subsystem.uuid");
  if (name.empty() && uuid.empty()) {
    Refuse(code::kRequired, "Field \"subsystem\" is required", "subsystem.name");
  }
  const Subsystem* subsystem =
      uuid.empty() ? world.FindSubsystem(svm.uuid, name) : world.subsystems.Find(uuid);
  if (subsystem == nullptr || subsystem->svm_uuid != svm.uuid) {
    RefuseMissing(uuid.empty() ? kSubsystemNameUnknown : subsystem_code::kNotFound,
                  "The subsystem was not found", "subsystem");
  }
  if (!name.empty() && subsystem->name != name) {
    Refuse(kSubsystemMismatch, "The subsystem name and UUID do not match", "subsystem");
  }
  return *subsystem;
}

// The node of the namespace and its partner must have an NVMe LIF; here all nodes are partners.
void RequireLifs(const World& world, const Svm& svm) {
  std::set<std::string> without;
  for (const Node& node : world.nodes) without.insert(node.name);
  for (const Lif& lif : world.lifs) {
    if (lif.svm_uuid == svm.uuid && lif.CarriesNvme()) without.erase(lif.home_node_name);
  }
  if (without.size() == 1) Refuse(kNodeWithoutLif, "A node has no NVMe interface");
  if (without.size() > 1) Refuse(kNodesWithoutLif, "Several nodes have no NVMe interface");
}

unsigned LowestFreeNsid(const World& world, const Subsystem& subsystem) {
  std::set<unsigned> taken;
  for (const NvmeNamespace& ns : world.namespaces) {
    if (ns.subsystem_uuid == subsystem.uuid) taken.insert(ns.nsid);
  }
  unsigned nsid = 1;
  while (taken.count(nsid) != 0) ++nsid;
  if (nsid > kNamespacesPerSubsystemMaximum) {
    throw ApiError(503, 7, "The subsystem has the maximum number of namespaces");
  }
  return nsid;
}

json ApplyPost(World& world, const json& body, const Svm& svm, Phase phase) {
  NvmeNamespace& ns = RequireNamespace(world, svm, body);
  const Subsystem& subsystem = RequireSubsystemOf(world, svm, body);
  if (ns.subsystem_uuid == subsystem.uuid) {
    RefuseConflict(kAlreadyMapped, "The namespace is mapped to this subsystem already");
  }
  if (!ns.subsystem_uuid.empty()) {
    RefuseConflict(code::kInUse, "The namespace is mapped to another subsystem");
  }
  if (world.volumes.Find(ns.volume_uuid)->state != "online") {
    Refuse(kVolumeOffline, "The volume of the namespace is not online");
  }
  RequireLifs(world, svm);
  const unsigned nsid = LowestFreeNsid(world, subsystem);
  if (phase == Phase::kCheck) return nullptr;
  ns.subsystem_uuid = subsystem.uuid;
  ns.nsid = nsid;
  world.fabric().Attach(subsystem.target_nqn, world.TargetOf(ns));
  return MapRecord(world, ns);
}

Reply PostMap(Call& call) {
  const json body = call.Body(models::NvmeSubsystemMap(), Write::kCreate);
  call.RequireNoMoreParams();
  const Svm& svm = call.RequireSvm(body);
  World& world = call.world;
  Change change;
  change.is_create = true;
  change.svm_uuid = svm.uuid;
  const NvmeNamespace& ns = RequireNamespace(world, svm, body);
  const Subsystem& subsystem = RequireSubsystemOf(world, svm, body);
  change.location = "/api/protocols/nvme/subsystem-maps/" + subsystem.uuid + "/" + ns.uuid;
  change.model = &models::NvmeSubsystemMap();
  change.run = [&world, &svm, body](Phase phase) { return ApplyPost(world, body, svm, phase); };
  return Reply::To(std::move(change));
}

Reply DeleteMap(Call& call) {
  call.RequireNoMoreParams();
  NvmeNamespace& ns = RequireMapped(call);
  World& world = call.world;
  Change change;
  change.run = [&world, &ns](Phase phase) -> json {
    if (phase == Phase::kApply) world.Unmap(&ns);
    return nullptr;
  };
  return Reply::To(std::move(change));
}

}  // namespace

void AddSubsystemMapRoutes(Routes* routes) {
  const std::string all = "protocols/nvme/subsystem-maps";
  const std::string one = all + "/{subsystem.uuid}/{namespace.uuid}";
  routes->push_back({"GET", all, GetMaps});
  routes->push_back({"POST", all, PostMap});
  routes->push_back({"GET", one, GetMap});
  routes->push_back({"DELETE", one, DeleteMap});
}

}  // namespace ontapnvme::sim
