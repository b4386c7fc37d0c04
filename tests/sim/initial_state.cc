// SPDX-License-Identifier: AGPL-3.0-or-later
#include "initial_state.h"

#include <stdexcept>

namespace ontapnvme::sim {
namespace {

using nlohmann::json;

constexpr std::uint64_t kTebibyte = std::uint64_t{1} << 40U;
constexpr std::uint64_t kGibibyte = std::uint64_t{1} << 30U;
constexpr std::uint64_t kRootVolumeBytes = kGibibyte;

json Defaults() {
  return json::parse(R"({
    "cluster": "sim",
    "nodes": ["sim-01", "sim-02"],
    "portals": ["127.0.0.1", "127.0.0.2"],
    "aggregates": [
      {"name": "aggr1", "node": "sim-01", "fabric_pool": true},
      {"name": "aggr_nae", "node": "sim-02", "nae": true}
    ],
    "svms": [
      {"name": "svm1", "nvme": true, "has_portals": true, "aggregates": ["aggr1", "aggr_nae"]},
      {"name": "svm2", "nvme": true, "aggregates": ["aggr1"]}
    ],
    "accounts": [
      {"name": "admin", "password": "secret"},
      {"name": "vsadmin", "password": "secret", "svm": "svm1"}
    ],
    "qos_policies": [
      {"name": "gold", "svm": "svm1", "fixed": {"max_throughput_iops": 5000}},
      {"name": "adaptive1", "svm": "svm1",
       "adaptive": {"expected_iops": 1000, "peak_iops": 2000, "absolute_min_iops": 100}}
    ],
    "snapshot_policies": ["none", "default", "default-1weekly", "hourly"],
    "key_manager": true,
    "nvme_licence": true,
    "clone_licence": true
  })");
}

void AddNodes(World* world, const json& nodes) {
  for (const json& name : nodes) world->nodes.push_back({world->NewUuid(), name});
  if (world->nodes.empty()) throw std::invalid_argument("config: a cluster needs a node");
}

void AddAggregates(World* world, const json& aggregates) {
  for (const json& entry : aggregates) {
    Aggregate aggregate;
    aggregate.uuid = world->NewUuid();
    aggregate.name = entry.at("name");
    aggregate.node_name = entry.value("node", world->nodes.front().name);
    aggregate.size_bytes = entry.value("size", kTebibyte);
    aggregate.is_encrypted = entry.value("nae", false);
    aggregate.is_fabric_pool = entry.value("fabric_pool", false);
    aggregate.state = entry.value("state", std::string("online"));
    world->aggregates.Add(std::move(aggregate));
  }
}

void AddLif(World* world, const Svm& svm, const std::string& name, const std::string& address,
            const std::string& node, const std::vector<std::string>& services) {
  Lif lif;
  lif.uuid = world->NewUuid();
  lif.name = name;
  lif.svm_uuid = svm.uuid;
  lif.address = address;
  lif.node_name = lif.home_node_name = node;
  lif.services = services;
  world->lifs.Add(std::move(lif));
}

// One data LIF a portal, spread over the nodes, as hosts need a path through each of them.
void AddPortals(World* world, const Svm& svm, const json& portals) {
  static const std::vector<std::string> kServices = {"data_core", "data_nvme_tcp"};
  std::size_t number = 0;
  for (const json& address : portals) {
    AddLif(world, svm, svm.name + "_nvme_" + std::to_string(number + 1), address,
           world->nodes[number % world->nodes.size()].name, kServices);
    ++number;
  }
}

void AddRootVolume(World* world, const Svm& svm) {
  Volume root;
  root.uuid = world->NewUuid();
  root.name = svm.name + "_root";
  root.svm_uuid = svm.uuid;
  root.aggregate_uuid = world->FindAggregate(svm.aggregate_names.front())->uuid;
  root.create_time = world->Now();
  root.size_bytes = kRootVolumeBytes;
  root.is_svm_root = true;
  root.tiering_policy = "none";
  root.snapshot_policy_uuid = world->FindSnapshotPolicy(svm.uuid, "none")->uuid;
  world->volumes.Add(std::move(root));
}

void AddSvms(World* world, const json& svms, const json& portals) {
  for (const json& entry : svms) {
    Svm svm;
    svm.uuid = world->NewUuid();
    svm.name = entry.at("name");
    svm.nqn_hex = world->NewHex(32);
    svm.is_nvme_allowed = entry.value("nvme_allowed", true);
    svm.has_nvme_service = entry.contains("nvme");
    svm.is_nvme_enabled = entry.value("nvme", false);
    if (entry.contains("storage_limit")) {
      svm.storage_limit_bytes = entry["storage_limit"].get<std::uint64_t>();
    }
    for (const json& name : entry.at("aggregates")) {
      if (world->FindAggregate(name) == nullptr) {
        throw std::invalid_argument("config: no aggregate " + name.dump());
      }
      svm.aggregate_names.push_back(name);
    }
    if (svm.aggregate_names.empty()) {
      throw std::invalid_argument("config: SVM " + svm.name + " has no aggregate");
    }
    const Svm& added = world->svms.Add(std::move(svm));
    AddLif(world, added, added.name + "_mgmt", "192.0.2." + std::to_string(world->svms.size()),
           world->nodes.front().name, {"management_https", "management_ssh"});
    if (entry.value("has_portals", false)) AddPortals(world, added, portals);
    for (const json& lif : entry.value("lifs", json::array())) {
      AddLif(world, added, lif.at("name"), lif.at("address"), lif.at("node"),
             lif.value("services", std::vector<std::string>{"data_core", "data_nvme_tcp"}));
    }
    AddRootVolume(world, added);
  }
}

void AddPolicies(World* world, const json& config) {
  for (const json& entry : config.at("qos_policies")) {
    const Svm* svm = world->FindSvm(entry.at("svm"));
    if (svm == nullptr) throw std::invalid_argument("config: QoS policy of an unknown SVM");
    QosPolicy policy;
    policy.uuid = world->NewUuid();
    policy.name = entry.at("name");
    policy.svm_uuid = svm->uuid;
    const char* kind = entry.contains("adaptive") ? "adaptive" : "fixed";
    policy.limits[kind] = entry.at(kind);
    world->qos_policies.Add(std::move(policy));
  }
}

json ScheduleCopies(const std::string& name) {
  if (name == "none") return json::array();
  const std::string schedule = name == "hourly" ? "hourly" : "weekly";
  return json::array({{{"count", 6}, {"prefix", schedule}, {"schedule", {{"name", schedule}}}}});
}

}  // namespace

void FillInitialState(World* world, const json& config) {
  json merged = Defaults();
  for (const auto& [key, value] : config.items()) {
    if (!merged.contains(key)) throw std::invalid_argument("config: unknown key '" + key + "'");
    merged[key] = value;
  }
  world->cluster_name = merged["cluster"];
  world->settings.has_key_manager = merged["key_manager"];
  world->settings.has_nvme_licence = merged["nvme_licence"];
  world->settings.has_clone_licence = merged["clone_licence"];
  AddNodes(world, merged["nodes"]);
  AddAggregates(world, merged["aggregates"]);
  // Every cluster has these two; volumes refer to them.
  for (const json& name : merged["snapshot_policies"]) {
    SnapshotPolicy policy{world->NewUuid(), name, "", ScheduleCopies(name)};
    world->snapshot_policies.Add(std::move(policy));
  }
  for (const char* name : {"none", "default"}) {
    if (world->FindSnapshotPolicy("", name) == nullptr) {
      throw std::invalid_argument(std::string("config: snapshot policy missing: ") + name);
    }
  }
  AddSvms(world, merged["svms"], merged["portals"]);
  AddPolicies(world, merged);
  for (const json& entry : merged["accounts"]) {
    Account account{entry.at("name"), entry.at("password"), entry.value("svm", std::string()),
                    entry.value("denied", std::vector<std::string>())};
    world->accounts.push_back(std::move(account));
  }
  // Hosts find the portals of the data LIFs as soon as the array is up.
  for (const Lif& lif : world->lifs) {
    if (lif.CarriesNvme()) world->fabric().SetPortal({lif.address, lif.node_name}, true);
  }
}

}  // namespace ontapnvme::sim
