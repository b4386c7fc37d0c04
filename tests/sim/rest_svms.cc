// SPDX-License-Identifier: AGPL-3.0-or-later
// /svm/svms: aggregates, limits and what an SVM account can learn about free space.
#include "api_error.h"
#include "listing.h"
#include "routes.h"

namespace ontapnvme::sim {
namespace {

using nlohmann::json;

json SvmRecord(World& world, const Svm& svm) {
  json record = {
      {"uuid", svm.uuid},
      {"name", svm.name},
      {"state", svm.state},
      {"subtype", "default"},
      {"max_volumes", "unlimited"},
      {"nvme", {{"allowed", svm.is_nvme_allowed}, {"enabled", svm.is_nvme_enabled}}},
      {"_links", {{"self", {{"href", "/api/svm/svms/" + svm.uuid}}}}},
  };
  const SnapshotPolicy* policy = world.FindSnapshotPolicy(svm.uuid, "default");
  record["snapshot_policy"] = {{"uuid", policy->uuid}, {"name", policy->name}};

  if (world.settings.personality == Personality::kUnified) {
    record["aggregates_delegated"] = !svm.aggregate_names.empty();
    for (const std::string& name : svm.aggregate_names) {
      const Aggregate* aggregate = world.FindAggregate(name);
      record["aggregates"].push_back({{"name", aggregate->name},
                                      {"uuid", aggregate->uuid},
                                      {"available_size", world.AggregateAvailableBytes(*aggregate)},
                                      {"state", aggregate->state},
                                      {"type", "ssd"},
                                      {"snaplock_type", "non_snaplock"}});
    }
  }

  std::uint64_t queued_count = 0;
  std::uint64_t queued_bytes = 0;
  for (const QueuedVolume& queued : world.recovery_queue) {
    if (queued.volume.svm_uuid != svm.uuid) continue;
    ++queued_count;
    queued_bytes += queued.volume.size_bytes;
  }
  record["number_of_volumes_in_recovery_queue"] = queued_count;
  record["total_volume_size_in_recovery_queue"] = queued_bytes;

  // The other figures exist only where a limit is set.
  if (svm.storage_limit_bytes) {
    const std::uint64_t limit = *svm.storage_limit_bytes;
    const std::uint64_t allocated = world.SvmAllocatedBytes(svm);
    record["storage"] = {{"limit", limit},
                         {"allocated", allocated},
                         {"available", limit > allocated ? limit - allocated : 0},
                         {"used_percentage", limit == 0 ? 100 : allocated * 100 / limit},
                         {"limit_threshold_alert", 90},
                         {"limit_threshold_exceeded", allocated > limit / 10 * 9}};
  }
  return record;
}

Reply GetSvms(Call& call) {
  return Listing(call, models::Svm()).Answer([&](const Emit& emit) {
    for (const Svm& svm : call.world.svms) {
      if (!call.Sees(svm.uuid)) continue;
      json record = SvmRecord(call.world, svm);
      if (call.IsShownLess()) record.erase("aggregates");
      emit(call.world.svms.Order(svm.uuid), std::move(record));
    }
  });
}

Reply GetSvm(Call& call) {
  const Single single(call, models::Svm());
  const Svm* svm = call.world.svms.Find(call.Param("uuid"));
  if (svm == nullptr || !call.Sees(svm->uuid)) {
    RefuseMissing(code::kNoEntry, "entry doesn't exist", "uuid");
  }
  return single.Answer(SvmRecord(call.world, *svm));
}

}  // namespace

void AddSvmRoutes(Routes* routes) {
  routes->push_back({"GET", "svm/svms", GetSvms});
  routes->push_back({"GET", "svm/svms/{uuid}", GetSvm});
}

}  // namespace ontapnvme::sim
