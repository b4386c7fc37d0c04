// SPDX-License-Identifier: AGPL-3.0-or-later
#include "roles.h"

#include <algorithm>
#include <vector>

#include "api_error.h"

namespace ontapnvme::sim {
namespace {

// A custom role of an SVM with the seven paths without which no disk can be used, and one of the
// cluster with two more. Other plugins of this kind document roles of that size.
const std::vector<std::string> kSvmPaths = {
    "/api/svm/svms",
    "/api/storage/volumes",
    "/api/storage/namespaces",
    "/api/protocols/nvme/subsystems",
    "/api/protocols/nvme/subsystem-maps",
    "/api/application/consistency-groups",
    "/api/network/ip/interfaces",
};
const std::vector<std::string> kClusterPaths = {"/api/cluster/jobs", "/api/storage/aggregates"};

bool IsUnder(const std::string& path, const std::vector<std::string>& granted) {
  return std::any_of(granted.begin(), granted.end(), [&](const std::string& one) {
    return path == one || path.rfind(one + "/", 0) == 0;
  });
}

}  // namespace

bool MayCall(const World& world, const std::string& method, const std::string& path) {
  const Switches& switches = world.settings.switches;
  const bool is_job = path.rfind("/api/cluster/jobs", 0) == 0;
  if (is_job && method == "GET" && switches.Is("job_reads", "denied")) return false;
  if (switches.Is("role", "full")) return true;
  return IsUnder(path, kSvmPaths) ||
         (switches.Is("role", "cluster_nine") && IsUnder(path, kClusterPaths));
}

void RefuseForbidden(const World& world) {
  const auto number = static_cast<int>(world.settings.switches.Number("denied_code"));
  throw ApiError(403, number, "not authorized for that command");
}

}  // namespace ontapnvme::sim
