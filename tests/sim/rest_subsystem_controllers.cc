// SPDX-License-Identifier: AGPL-3.0-or-later
// /protocols/nvme/subsystem-controllers: which hosts are connected, by the fabric or by a test.
#include <cstdio>

#include "listing.h"
#include "routes.h"

namespace ontapnvme::sim {
namespace {

using nlohmann::json;

// A controller that a test says is there: {"id", "host": {"nqn", …}, …}.
json WithOwner(const World& world, const Subsystem& subsystem, json record) {
  record["subsystem"] = {{"uuid", subsystem.uuid}, {"name", subsystem.name}};
  record["svm"] = world.SvmReference(subsystem.svm_uuid);
  return record;
}

// Those that the array says are there, which may be those of a while ago.
json Told(const World& world, const Subsystem& subsystem) {
  const auto lag_s = world.settings.switches.Number("connection_list_lag_s");
  const auto now_s =
      std::chrono::floor<std::chrono::seconds>(world.Now()).time_since_epoch().count();
  json told = json::array();
  for (const auto& one : subsystem.controllers) {
    if (one.at("since_s").get<std::int64_t>() + lag_s <= now_s) told = one.at("controllers");
  }
  return told;
}

json FabricRecord(const World& world, const TargetController& controller) {
  char id[16];
  std::snprintf(id, sizeof id, "%04xh", controller.id);
  json record = {{"id", id},
                 {"host",
                  {{"nqn", controller.host_nqn},
                   {"id", controller.host_id},
                   {"transport_address", controller.host_address}}},
                 {"interface", {{"transport_address", controller.portal_address}}},
                 {"io_queue", {{"count", controller.io_queues}}},
                 {"transport_protocol", "nvme_tcp"}};
  for (const Lif& lif : world.lifs) {
    if (lif.address != controller.portal_address || !lif.CarriesNvme()) continue;
    record["interface"]["uuid"] = lif.uuid;
    record["interface"]["name"] = lif.name;
    record["node"] = world.NodeReference(lif.node_name);
  }
  return record;
}

Reply GetControllers(Call& call) {
  const World& world = call.world;
  return Listing(call, models::NvmeSubsystemController()).Answer([&](const Emit& emit) {
    std::uint64_t order = 0;
    for (const Subsystem& subsystem : world.subsystems) {
      if (!call.Sees(subsystem.svm_uuid)) continue;
      for (const json& controller : Told(world, subsystem)) {
        emit(++order, WithOwner(world, subsystem, controller));
      }
      for (const auto& controller : world.fabric().Controllers(subsystem.target_nqn)) {
        emit(++order, WithOwner(world, subsystem, FabricRecord(world, controller)));
      }
    }
  });
}

}  // namespace

void AddSubsystemControllerRoutes(Routes* routes) {
  routes->push_back({"GET", "protocols/nvme/subsystem-controllers", GetControllers});
}

}  // namespace ontapnvme::sim
