// SPDX-License-Identifier: AGPL-3.0-or-later
// /storage/qos/policies
#include <algorithm>

#include "api_error.h"
#include "listing.h"
#include "routes.h"

namespace ontapnvme::sim {
namespace {

using nlohmann::json;

constexpr int kNameTaken = 8454154;
constexpr int kNameTakenByFixed = 8454277;
constexpr int kNameTakenByAdaptive = 8454278;
constexpr int kMinimumAboveMaximum = 8454194;
constexpr int kBadRatio = 8454260;
constexpr int kPresetReadOnly = 8454286;
constexpr int kFixedStaysFixed = 8454327;
constexpr int kAdaptiveStaysAdaptive = 8454328;
constexpr std::int64_t kRatioMaximum = 4096;

std::size_t UsersOf(const World& world, const QosPolicy& policy) {
  return static_cast<std::size_t>(
      std::count_if(world.volumes.begin(), world.volumes.end(),
                    [&](const Volume& volume) { return volume.qos_policy_uuid == policy.uuid; }));
}

json PolicyRecord(const World& world, const QosPolicy& policy) {
  json record = policy.limits;
  record["uuid"] = policy.uuid;
  record["name"] = policy.name;
  record["svm"] = world.SvmReference(policy.svm_uuid);
  record["scope"] = "svm";
  record["policy_class"] = policy.policy_class;
  record["pgid"] = 1000 + world.qos_policies.Order(policy.uuid);
  record["object_count"] = UsersOf(world, policy);
  record["_links"]["self"]["href"] = "/api/storage/qos/policies/" + policy.uuid;
  return record;
}

void RequireSoundLimits(const json& limits) {
  if (!limits.contains("fixed")) return;
  const json& fixed = limits["fixed"];
  const std::int64_t max_iops = fixed.value("max_throughput_iops", std::int64_t{0});
  const std::int64_t max_mbps = fixed.value("max_throughput_mbps", std::int64_t{0});
  const std::int64_t min_iops = fixed.value("min_throughput_iops", std::int64_t{0});
  if (max_iops != 0 && min_iops > max_iops) {
    Refuse(kMinimumAboveMaximum, "The minimum throughput exceeds the maximum");
  }
  if (max_iops != 0 && max_mbps != 0 &&
      (max_iops < max_mbps || max_iops > max_mbps * kRatioMaximum)) {
    Refuse(kBadRatio, "The ratio of IOPS to MB/s must be within 1..4096");
  }
}

QosPolicy& RequirePolicy(const Call& call) {
  QosPolicy* policy = call.world.qos_policies.Find(call.Param("uuid"));
  if (policy == nullptr || !call.Sees(policy->svm_uuid)) {
    RefuseMissing(code::kNoEntry, "entry doesn't exist", "uuid");
  }
  return *policy;
}

Reply GetPolicies(Call& call) {
  return Listing(call, models::QosPolicy()).Answer([&](const Emit& emit) {
    for (const QosPolicy& policy : call.world.qos_policies) {
      if (!call.Sees(policy.svm_uuid)) continue;
      emit(call.world.qos_policies.Order(policy.uuid), PolicyRecord(call.world, policy));
    }
  });
}

Reply GetPolicy(Call& call) {
  const Single single(call, models::QosPolicy());
  return single.Answer(PolicyRecord(call.world, RequirePolicy(call)));
}

Reply PostPolicy(Call& call) {
  const json body = call.Body(models::QosPolicy(), Write::kCreate);
  call.RequireNoMoreParams();
  const Svm& svm = call.RequireSvm(body);
  const std::string name = TextAt(body, "name");
  if (name.empty()) Refuse(code::kRequired, "Field \"name\" is required", "name");
  const char* kind = body.contains("adaptive") ? "adaptive" : "fixed";
  if (body.contains("adaptive") == body.contains("fixed")) {
    Refuse(code::kFieldConflict, "Give either \"fixed\" or \"adaptive\"");
  }
  QosPolicy policy;
  policy.uuid = call.world.NewUuid();
  policy.name = name;
  policy.svm_uuid = svm.uuid;
  policy.limits[kind] = body[kind];
  World& world = call.world;
  Change change;
  change.answer = Change::Answer::kJob;
  change.is_create = true;
  change.description = "POST /api/storage/qos/policies";
  change.svm_uuid = svm.uuid;
  change.location = "/api/storage/qos/policies/" + policy.uuid;
  change.model = &models::QosPolicy();
  change.run = [&world, policy](Phase phase) -> json {
    if (const QosPolicy* taken = world.FindQosPolicy(policy.svm_uuid, policy.name)) {
      if (taken->IsAdaptive() == policy.IsAdaptive()) {
        RefuseConflict(kNameTaken, "QoS policy \"" + policy.name + "\" exists");
      }
      RefuseConflict(taken->IsAdaptive() ? kNameTakenByAdaptive : kNameTakenByFixed,
                     "A QoS policy of another kind has this name");
    }
    RequireSoundLimits(policy.limits);
    if (phase == Phase::kCheck) return nullptr;
    return PolicyRecord(world, world.qos_policies.Add(policy));
  };
  return Reply::To(std::move(change));
}

Reply PatchPolicy(Call& call) {
  const json body = call.Body(models::QosPolicy(), Write::kPatch);
  call.RequireNoMoreParams();
  const std::string uuid = RequirePolicy(call).uuid;
  World& world = call.world;
  Change change;
  change.answer = Change::Answer::kJob;
  change.description = "PATCH /api/storage/qos/policies/" + uuid;
  change.svm_uuid = RequirePolicy(call).svm_uuid;
  change.run = [&world, uuid, body](Phase phase) -> json {
    QosPolicy* policy = world.qos_policies.Find(uuid);
    if (policy == nullptr) RefuseMissing(code::kNoEntry, "entry doesn't exist", "uuid");
    if (policy->policy_class == "preset") Refuse(kPresetReadOnly, "A preset policy is read-only");
    if (body.contains("adaptive") && !policy->IsAdaptive()) {
      Refuse(kFixedStaysFixed, "A fixed policy cannot become adaptive");
    }
    if (body.contains("fixed") && policy->IsAdaptive()) {
      Refuse(kAdaptiveStaysAdaptive, "An adaptive policy cannot become fixed");
    }
    json limits = policy->limits;
    for (const char* kind : {"fixed", "adaptive"}) {
      if (body.contains(kind)) limits[kind].update(body[kind]);
    }
    RequireSoundLimits(limits);
    if (phase == Phase::kCheck) return nullptr;
    policy->limits = std::move(limits);
    if (Has(body, "name")) policy->name = TextAt(body, "name");
    return nullptr;
  };
  return Reply::To(std::move(change));
}

Reply DeletePolicy(Call& call) {
  call.RequireNoMoreParams();
  const std::string uuid = RequirePolicy(call).uuid;
  World& world = call.world;
  Change change;
  change.run = [&world, uuid](Phase phase) -> json {
    const QosPolicy* policy = world.qos_policies.Find(uuid);
    if (policy->policy_class == "preset") Refuse(kPresetReadOnly, "A preset policy is read-only");
    if (phase == Phase::kCheck) return nullptr;
    for (Volume& volume : world.volumes) {
      if (volume.qos_policy_uuid == uuid) volume.qos_policy_uuid.clear();
    }
    world.qos_policies.Erase(uuid);
    return nullptr;
  };
  return Reply::To(std::move(change));
}

}  // namespace

void AddQosPolicyRoutes(Routes* routes) {
  routes->push_back({"GET", "storage/qos/policies", GetPolicies});
  routes->push_back({"POST", "storage/qos/policies", PostPolicy});
  routes->push_back({"GET", "storage/qos/policies/{uuid}", GetPolicy});
  routes->push_back({"PATCH", "storage/qos/policies/{uuid}", PatchPolicy});
  routes->push_back({"DELETE", "storage/qos/policies/{uuid}", DeletePolicy});
}

}  // namespace ontapnvme::sim
