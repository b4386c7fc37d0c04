// SPDX-License-Identifier: AGPL-3.0-or-later
// Nodes that were installed from one image have one host NQN or host ID: the array then takes their
// connections for those of one host, and ends one node's in favour of the other's.
#pragma once

#include <string>
#include <vector>

#include "catalogue/records.h"
#include "nvme/host.h"

namespace ontapnvme::pve {

// What is wrong with one of the connections, seen from a node of that identity and with these
// addresses; empty: nothing. What is not known is no evidence.
std::string TwinAmong(const nvme::HostIdentity& own, const std::vector<std::string>& addresses,
                      const std::vector<catalogue::HostConnection>& connections);

// What to do about it.
inline constexpr const char* kTwinRemedy =
    "give one of them new ones in '/etc/nvme/hostnqn' and '/etc/nvme/hostid', then restart it";

}  // namespace ontapnvme::pve
