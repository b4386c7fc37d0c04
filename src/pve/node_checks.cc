// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/node_checks.h"

#include <algorithm>

#include "pve/lvm_filter.h"

namespace ontapnvme::pve {
namespace {

constexpr std::chrono::hours kEvery{24};
constexpr Duration kBudget{5000};

// The array writes host IDs without dashes, the node's file has them.
std::string PlainId(std::string id) {
  std::erase(id, '-');
  std::transform(id.begin(), id.end(), id.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return id;
}

// What is wrong with that connection, seen from a node of that identity; empty: nothing.
std::string TwinOf(const nvme::HostIdentity& own, const std::vector<std::string>& addresses,
                   const ontap::HostConnection& other) {
  const bool has_own_nqn = other.host_nqn == own.host_nqn;
  const bool has_own_id = PlainId(other.host_id) == PlainId(own.host_id);
  const bool is_from_here =
      other.address.empty() || addresses.empty() ||
      std::find(addresses.begin(), addresses.end(), other.address) != addresses.end();
  const std::string from = other.address.empty() ? "" : " from " + other.address;
  if (has_own_nqn && !other.host_id.empty() && !has_own_id) {
    return "host NQN '" + own.host_nqn + "' is connected" + from + " with host ID '" +
           other.host_id + "', this node's is '" + own.host_id + "'";
  }
  if (has_own_nqn && !is_from_here) {
    return "host NQN '" + own.host_nqn + "' is connected" + from +
           ", which is no address of this node";
  }
  if (!has_own_nqn && !other.host_id.empty() && has_own_id) {
    return "host ID '" + own.host_id + "' is connected" + from + " with host NQN '" +
           other.host_nqn + "', this node's is '" + own.host_nqn + "'";
  }
  return "";
}

}  // namespace

void NodeChecks::RunIfDue(const ArrayFacts& facts, const Deadline& deadline) {
  if (!turns_.Take("checks", kEvery, deadline.clock())) return;
  const std::string lvm = LvmWarning(context_->lvm_config_file);
  if (!lvm.empty()) context_->log.Warning(lvm);
  WarnAboutTwins(facts, deadline.Within(kBudget));
}

void NodeChecks::WarnAboutTwins(const ArrayFacts& facts, const Deadline& deadline) {
  auto& context = *context_;
  const auto identity = context.host.Identity();
  const auto connections = context.subsystems.ListConnections(facts.subsystem_uuid, deadline);
  if (!identity.ok() || !connections.ok()) {
    const Error& error = identity.ok() ? connections.error() : identity.error();
    context.log.Debug("not checked for nodes with one identity: " + error.Line());
    return;
  }
  const auto addresses = context.host.LocalAddresses();
  for (const auto& connection : *connections) {
    const std::string twin = TwinOf(*identity, addresses, connection);
    if (twin.empty()) continue;
    context.log.Warning("two nodes share an NVMe identity: " + twin +
                        "; give one of them new ones in '/etc/nvme/hostnqn' and "
                        "'/etc/nvme/hostid', then restart it");
    return;
  }
}

}  // namespace ontapnvme::pve
