// SPDX-License-Identifier: AGPL-3.0-or-later
// /storage/snapshot-policies: read only; what exists comes from the initial state.
#include "api_error.h"
#include "listing.h"
#include "routes.h"

namespace ontapnvme::sim {
namespace {

using nlohmann::json;

json PolicyRecord(const World& world, const SnapshotPolicy& policy) {
  json record = {
      {"uuid", policy.uuid},
      {"name", policy.name},
      {"enabled", true},
      {"scope", policy.svm_uuid.empty() ? "cluster" : "svm"},
      {"copies", policy.copies},
      {"_links", {{"self", {{"href", "/api/storage/snapshot-policies/" + policy.uuid}}}}},
  };
  if (!policy.svm_uuid.empty()) record["svm"] = world.SvmReference(policy.svm_uuid);
  return record;
}

// The cluster's policies are everybody's.
bool IsVisible(const Call& call, const SnapshotPolicy& policy) {
  return policy.svm_uuid.empty() || call.Sees(policy.svm_uuid);
}

Reply GetPolicies(Call& call) {
  return Listing(call, models::SnapshotPolicy()).Answer([&](const Emit& emit) {
    for (const SnapshotPolicy& policy : call.world.snapshot_policies) {
      if (!IsVisible(call, policy)) continue;
      emit(call.world.snapshot_policies.Order(policy.uuid), PolicyRecord(call.world, policy));
    }
  });
}

Reply GetPolicy(Call& call) {
  const Single single(call, models::SnapshotPolicy());
  const SnapshotPolicy* policy = call.world.snapshot_policies.Find(call.Param("uuid"));
  if (policy == nullptr || !IsVisible(call, *policy)) {
    RefuseMissing(code::kNoEntry, "entry doesn't exist", "uuid");
  }
  return single.Answer(PolicyRecord(call.world, *policy));
}

}  // namespace

void AddSnapshotPolicyRoutes(Routes* routes) {
  routes->push_back({"GET", "storage/snapshot-policies", GetPolicies});
  routes->push_back({"GET", "storage/snapshot-policies/{uuid}", GetPolicy});
}

}  // namespace ontapnvme::sim
