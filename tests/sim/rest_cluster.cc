// SPDX-License-Identifier: AGPL-3.0-or-later
// /cluster: release and personality.
#include "listing.h"
#include "routes.h"

namespace ontapnvme::sim {
namespace {

using nlohmann::json;

// `fields=**` does not show the personality to an SVM's account; naming the flags does.
json ClusterRecord(const Call& call) {
  const World& world = call.world;
  const Release& release = call.release();
  const bool is_asa = world.settings.personality == Personality::kAsaR2;
  json record = {
      {"name", world.cluster_name},
      {"uuid", world.cluster_uuid},
      {"version",
       {{"full", "NetApp Release " + release.Text() + ": Mon Jan 01 00:00:00 UTC 2024"},
        {"generation", 9},
        {"major", release.major},
        {"minor", 1}}},
      {"_links", {{"self", {{"href", "/api/cluster"}}}}},
  };
  const bool is_named = call.account.svm_name.empty() ||
                        call.query.fields.find("san_optimized") != std::string::npos ||
                        call.query.fields.find("disaggregated") != std::string::npos;
  if (is_named) {
    record["san_optimized"] = is_asa;
    record["disaggregated"] = is_asa;
  }
  return record;
}

Reply GetCluster(Call& call) {
  return Single(call, models::Cluster()).Answer(ClusterRecord(call));
}

}  // namespace

void AddClusterRoutes(Routes* routes) {
  routes->push_back({"GET", "cluster", GetCluster});
}

}  // namespace ontapnvme::sim
