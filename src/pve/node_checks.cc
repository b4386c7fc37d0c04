// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/node_checks.h"

#include "node/lvm_filter.h"
#include "pve/checkup/twins.h"

namespace ontapnvme::pve {
namespace {

constexpr std::chrono::hours kEvery{24};
constexpr Duration kBudget{5000};

}  // namespace

void NodeChecks::RunIfDue(const Deadline& deadline) {
  // Without a target nothing is known of the subsystem to ask for.
  if (!array_.RememberedTarget()) return;
  if (!node_.turns.Take("checks", kEvery, deadline.clock())) return;
  const std::string lvm = node::LvmWarning(node_.lvm_config_file);
  if (!lvm.empty()) log_.Warning(lvm);
  WarnAboutTwins(deadline.Within(kBudget));
}

void NodeChecks::WarnAboutTwins(const Deadline& deadline) {
  const auto identity = host_.Identity();
  const auto connections = array_.Connections(deadline);
  if (!identity.ok() || !connections.ok()) {
    const Error& error = identity.ok() ? connections.error() : identity.error();
    const std::string line = "did not check for nodes that share an NVMe identity: " + error.Line();
    if (FailedWith(connections, ErrorCode::kPermissionDenied)) {
      log_.Warning(line);
    } else {
      log_.Debug(line);
    }
    return;
  }
  const auto addresses = host_.LocalAddresses();
  const std::string twin = TwinAmong(*identity, addresses, *connections);
  if (!twin.empty()) {
    log_.Warning("two nodes share an NVMe identity: " + twin + "; " + kTwinRemedy);
  }
}

}  // namespace ontapnvme::pve
