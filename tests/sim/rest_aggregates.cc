// SPDX-License-Identifier: AGPL-3.0-or-later
// /storage/aggregates: a cluster resource, so SVM accounts are kept out by the route.
#include "api_error.h"
#include "listing.h"
#include "routes.h"

namespace ontapnvme::sim {
namespace {

using nlohmann::json;

json AggregateRecord(World& world, const Aggregate& aggregate) {
  const std::uint64_t used = world.AggregateUsedBytes(aggregate);
  const std::uint64_t used_percent =
      aggregate.size_bytes == 0 ? 100 : used * 100 / aggregate.size_bytes;
  json record = {
      {"uuid", aggregate.uuid},
      {"name", aggregate.name},
      {"state", aggregate.state},
      {"snaplock_type", "non_snaplock"},
      {"node",
       {{"name", aggregate.node_name}, {"uuid", world.FindNode(aggregate.node_name)->uuid}}},
      {"data_encryption",
       {{"software_encryption_enabled", aggregate.is_encrypted},
        {"drive_protection_enabled", false}}},
      {"cloud_storage", {{"attach_eligible", !aggregate.is_fabric_pool}}},
      {"space",
       {{"footprint", used},
        {"cloud_storage", {{"used", 0}}},
        {"block_storage",
         {{"size", aggregate.size_bytes},
          {"available", world.AggregateAvailableBytes(aggregate)},
          {"used", used},
          {"used_percent", used_percent},
          {"used_including_snapshot_reserve", used},
          {"used_including_snapshot_reserve_percent", used_percent},
          {"physical_used", used},
          {"physical_used_percent", used_percent},
          {"volume_footprints_percent", used_percent},
          {"full_threshold_percent", 98}}}}},
      {"_links", {{"self", {{"href", "/api/storage/aggregates/" + aggregate.uuid}}}}},
  };
  if (aggregate.is_fabric_pool) {
    record["cloud_storage"]["stores"] = json::array(
        {{{"cloud_store", {{"name", "store1"}, {"uuid", aggregate.uuid}}}, {"used", 0}}});
    record["cloud_storage"]["tiering_fullness_threshold"] = 50;
  }
  return record;
}

Reply GetAggregates(Call& call) {
  return Listing(call, models::Aggregate()).Answer([&](const Emit& emit) {
    if (call.world.settings.personality == Personality::kAsaR2) return;
    for (const Aggregate& aggregate : call.world.aggregates) {
      emit(call.world.aggregates.Order(aggregate.uuid), AggregateRecord(call.world, aggregate));
    }
  });
}

Reply GetAggregate(Call& call) {
  const Single single(call, models::Aggregate());
  const Aggregate* aggregate = call.world.aggregates.Find(call.Param("uuid"));
  if (aggregate == nullptr || call.world.settings.personality == Personality::kAsaR2) {
    RefuseMissing(code::kNoEntry, "entry doesn't exist", "uuid");
  }
  return single.Answer(AggregateRecord(call.world, *aggregate));
}

}  // namespace

void AddAggregateRoutes(Routes* routes) {
  routes->push_back({"GET", "storage/aggregates", GetAggregates, Access::kCluster});
  routes->push_back({"GET", "storage/aggregates/{uuid}", GetAggregate, Access::kCluster});
}

}  // namespace ontapnvme::sim
