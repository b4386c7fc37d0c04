// SPDX-License-Identifier: AGPL-3.0-or-later
// /protocols/nvme/subsystems
#include <algorithm>
#include <cctype>

#include "api_error.h"
#include "listing.h"
#include "namespace_rules.h"
#include "routes.h"
#include "subsystem_rules.h"

namespace ontapnvme::sim {
namespace {

using nlohmann::json;

constexpr int kBadName = 72089709;
constexpr int kHasNamespaces = 72090023;
constexpr int kHasHosts = 72090024;
constexpr int kExists = 72090025;
constexpr int kNoService = 72090029;
constexpr std::size_t kNameMaximum = 64;
constexpr std::size_t kSerialCharacters = 20;

bool IsMapped(const World& world, const Subsystem& subsystem) {
  return std::any_of(world.namespaces.begin(), world.namespaces.end(),
                     [&](const NvmeNamespace& ns) { return ns.subsystem_uuid == subsystem.uuid; });
}

json SubsystemRecord(const World& world, const Subsystem& subsystem) {
  json record = {
      {"uuid", subsystem.uuid},
      {"name", subsystem.name},
      {"svm", world.SvmReference(subsystem.svm_uuid)},
      {"os_type", subsystem.os_type},
      {"serial_number", subsystem.serial_number},
      {"target_nqn", subsystem.target_nqn},
      {"delete_on_unmap", subsystem.is_delete_on_unmap},
      {"io_queue", {{"default", {{"count", 4}, {"depth", 32}}}}},
      {"_links", {{"self", {{"href", "/api/protocols/nvme/subsystems/" + subsystem.uuid}}}}},
  };
  if (!subsystem.comment.empty()) record["comment"] = subsystem.comment;
  if (!subsystem.vendor_uuids.empty()) record["vendor_uuids"] = subsystem.vendor_uuids;
  for (const SubsystemHost& host : subsystem.hosts) record["hosts"].push_back(HostRecord(host));
  for (const NvmeNamespace& ns : world.namespaces) {
    if (ns.subsystem_uuid != subsystem.uuid) continue;
    record["subsystem_maps"].push_back(
        {{"nsid", HexNumber(ns.nsid)},
         {"anagrpid", HexNumber(1)},
         {"namespace", {{"uuid", ns.uuid}, {"name", world.PathOf(ns)}}}});
  }
  return record;
}

void RequireName(const std::string& name) {
  if (name.empty()) Refuse(code::kRequired, "Field \"name\" is required", "name");
  if (name.size() > kNameMaximum) Refuse(code::kBadValue, "The name is too long", "name");
  const bool is_clean = std::all_of(name.begin(), name.end(), [](unsigned char byte) {
    return byte < 0x80 && (std::isalnum(byte) != 0 || byte == '_' || byte == '-' || byte == '.');
  });
  if (!is_clean) Refuse(kBadName, "The name has a character that is not allowed", "name");
}

Reply GetSubsystems(Call& call) {
  const World& world = call.world;
  return Listing(call, models::NvmeSubsystem()).Answer([&](const Emit& emit) {
    for (const Subsystem& subsystem : world.subsystems) {
      if (!call.Sees(subsystem.svm_uuid)) continue;
      emit(world.subsystems.Order(subsystem.uuid), SubsystemRecord(world, subsystem));
    }
  });
}

Reply GetSubsystem(Call& call) {
  const Single single(call, models::NvmeSubsystem());
  return single.Answer(SubsystemRecord(call.world, RequireSubsystem(call, "uuid")));
}

Reply PostSubsystem(Call& call) {
  const json body = call.Body(models::NvmeSubsystem(), Write::kCreate);
  call.RequireNoMoreParams();
  const Svm& svm = call.RequireSvm(body);
  RequireName(TextAt(body, "name"));
  if (!Has(body, "os_type")) Refuse(code::kRequired, "Field \"os_type\" is required", "os_type");
  World& world = call.world;
  Subsystem subsystem;
  subsystem.uuid = world.NewUuid();
  subsystem.name = TextAt(body, "name");
  subsystem.svm_uuid = svm.uuid;
  subsystem.comment = TextAt(body, "comment");
  subsystem.os_type = TextAt(body, "os_type");
  subsystem.serial_number = world.NewSerial(kSerialCharacters);
  subsystem.target_nqn =
      "nqn.1992-08.com.netapp:sn." + svm.nqn_hex + ":subsystem." + subsystem.name;
  subsystem.is_delete_on_unmap = body.value("delete_on_unmap", false);
  subsystem.vendor_uuids = body.value("vendor_uuids", std::vector<std::string>());
  for (const json& host : body.value("hosts", json::array())) {
    AddHost(ParseHost(host), &subsystem.hosts);
  }
  Change change;
  change.is_create = true;
  change.svm_uuid = svm.uuid;
  change.location = "/api/protocols/nvme/subsystems/" + subsystem.uuid;
  change.model = &models::NvmeSubsystem();
  change.run = [&world, &svm, subsystem](Phase phase) -> json {
    if (!svm.has_nvme_service) Refuse(kNoService, "The SVM has no NVMe service", "svm.name");
    if (world.FindSubsystem(svm.uuid, subsystem.name) != nullptr) {
      RefuseConflict(kExists, "Subsystem \"" + subsystem.name + "\" exists", "name");
    }
    if (phase == Phase::kCheck) return nullptr;
    const Subsystem& added = world.subsystems.Add(subsystem);
    world.fabric().AddSubsystem(added.target_nqn, added.serial_number);
    for (const SubsystemHost& host : added.hosts) {
      world.fabric().AddHost(added.target_nqn, ToTarget(host));
    }
    return SubsystemRecord(world, added);
  };
  return Reply::To(std::move(change));
}

Reply PatchSubsystem(Call& call) {
  const json body = call.Body(models::NvmeSubsystem(), Write::kPatch);
  call.RequireNoMoreParams();
  Subsystem& subsystem = RequireSubsystem(call, "uuid");
  if (body.empty()) Refuse(code::kNothingToChange, "Nothing to change");
  Change change;
  change.run = [&subsystem, body](Phase phase) -> json {
    if (phase == Phase::kCheck) return nullptr;
    if (Has(body, "comment")) subsystem.comment = TextAt(body, "comment");
    if (Has(body, "delete_on_unmap")) {
      subsystem.is_delete_on_unmap = At(body, "delete_on_unmap");
    }
    return nullptr;
  };
  return Reply::To(std::move(change));
}

Reply DeleteSubsystem(Call& call) {
  const bool may_be_mapped = call.query.TakeFlag("allow_delete_while_mapped", false);
  const bool may_have_hosts = call.query.TakeFlag("allow_delete_with_hosts", false);
  call.RequireNoMoreParams();
  const std::string uuid = RequireSubsystem(call, "uuid").uuid;
  World& world = call.world;
  Change change;
  change.run = [&world, uuid, may_be_mapped, may_have_hosts](Phase phase) -> json {
    Subsystem& subsystem = *world.subsystems.Find(uuid);
    if (IsMapped(world, subsystem) && !may_be_mapped) {
      RefuseConflict(kHasNamespaces, "The subsystem has mapped namespaces");
    }
    if (!subsystem.hosts.empty() && !may_have_hosts) {
      RefuseConflict(kHasHosts, "The subsystem has hosts");
    }
    if (phase == Phase::kCheck) return nullptr;
    subsystem.is_delete_on_unmap = false;  // it goes below, once
    for (NvmeNamespace& ns : world.namespaces) {
      if (ns.subsystem_uuid == uuid) world.Unmap(&ns);
    }
    world.fabric().RemoveSubsystem(subsystem.target_nqn);
    world.subsystems.Erase(uuid);
    return nullptr;
  };
  return Reply::To(std::move(change));
}

}  // namespace

Subsystem& RequireSubsystem(const Call& call, const std::string& param) {
  Subsystem* subsystem = call.world.subsystems.Find(call.Param(param));
  if (subsystem == nullptr || !call.Sees(subsystem->svm_uuid)) {
    RefuseMissing(subsystem_code::kNotFound, "The subsystem was not found", param);
  }
  return *subsystem;
}

void AddSubsystemRoutes(Routes* routes) {
  routes->push_back({"GET", "protocols/nvme/subsystems", GetSubsystems});
  routes->push_back({"POST", "protocols/nvme/subsystems", PostSubsystem});
  routes->push_back({"GET", "protocols/nvme/subsystems/{uuid}", GetSubsystem});
  routes->push_back({"PATCH", "protocols/nvme/subsystems/{uuid}", PatchSubsystem});
  routes->push_back({"DELETE", "protocols/nvme/subsystems/{uuid}", DeleteSubsystem});
}

}  // namespace ontapnvme::sim
