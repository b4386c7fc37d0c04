// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/checkup/twins.h"

#include <algorithm>

#include "base/ip_address.h"
#include "base/text.h"

namespace ontapnvme::pve {
namespace {

// The array writes host IDs without hyphens, the node's file has them.
std::string PlainId(std::string id) {
  std::erase(id, '-');
  return LowerCase(id);
}

// What is wrong with that connection, seen from a node of that identity; empty: nothing.
std::string TwinOf(const nvme::HostIdentity& own, const std::vector<std::string>& addresses,
                   const catalogue::HostConnection& other) {
  const bool has_own_nqn = other.host_nqn == own.host_nqn;
  const bool has_own_id = PlainId(other.host_id) == PlainId(own.host_id);
  const bool is_from_here =
      other.address.empty() || addresses.empty() ||
      std::any_of(addresses.begin(), addresses.end(), [&](const std::string& address) {
        return IsSameAddress(address, other.address);
      });
  const std::string from = other.address.empty() ? "" : " from " + other.address;
  if (has_own_nqn && !other.host_id.empty() && !has_own_id) {
    return "host NQN '" + own.host_nqn + "' is connected" + from + " with host ID '" +
           other.host_id + "', while this node's is '" + own.host_id + "'";
  }
  if (has_own_nqn && !is_from_here) {
    return "host NQN '" + own.host_nqn + "' is connected" + from +
           ", which is not an address of this node";
  }
  if (!has_own_nqn && !other.host_id.empty() && has_own_id) {
    return "host ID '" + own.host_id + "' is connected" + from + " with host NQN '" +
           other.host_nqn + "', while this node's is '" + own.host_nqn + "'";
  }
  return "";
}

}  // namespace

std::string TwinAmong(const nvme::HostIdentity& own, const std::vector<std::string>& addresses,
                      const std::vector<catalogue::HostConnection>& connections) {
  for (const auto& connection : connections) {
    std::string twin = TwinOf(own, addresses, connection);
    if (!twin.empty()) return twin;
  }
  return "";
}

}  // namespace ontapnvme::pve
