// SPDX-License-Identifier: AGPL-3.0-or-later
// /security/multi-admin-verify: whether administrators need the approval of others, and for what. What a
// call that waits for approval is answered is not known: nothing here waits.
#include "listing.h"
#include "routes.h"

namespace ontapnvme::sim {
namespace {

using nlohmann::json;

Reply GetMultiAdmin(Call& call) {
  return Single(call, models::MultiAdminVerify())
      .Answer({{"enabled", call.world.settings.is_multi_admin_on},
               {"required_approvers", 1},
               {"_links", {{"self", {{"href", "/api/security/multi-admin-verify"}}}}}});
}

Reply GetRules(Call& call) {
  return Listing(call, models::MultiAdminRule()).Answer([&](const Emit& emit) {
    std::uint64_t order = 0;  // from 1 on: pages begin after the one they name
    for (const std::string& operation : call.world.settings.multi_admin_rules) {
      emit(++order,
           {{"operation", operation},
            {"owner", {{"uuid", call.world.cluster_uuid}, {"name", call.world.cluster_name}}},
            {"system_defined", false}});
    }
  });
}

}  // namespace

void AddMultiAdminRoutes(Routes* routes) {
  routes->push_back({"GET", "security/multi-admin-verify", GetMultiAdmin, Access::kCluster});
  routes->push_back({"GET", "security/multi-admin-verify/rules", GetRules, Access::kCluster});
}

}  // namespace ontapnvme::sim
