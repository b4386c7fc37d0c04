// SPDX-License-Identifier: AGPL-3.0-or-later
// The addresses of this node's interfaces.
#pragma once

#include <string>
#include <vector>

namespace ontapnvme::nvme {

// IPv4 and IPv6, as numbers, without a zone. Empty when the kernel cannot be asked.
std::vector<std::string> LocalAddresses();

}  // namespace ontapnvme::nvme
