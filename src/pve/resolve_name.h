// SPDX-License-Identifier: AGPL-3.0-or-later
// Host names of portals to addresses, which is what the kernel connects to.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace ontapnvme::pve {

// All addresses of the name, in the resolver's order, without duplicates; an address is its own
// result and asks nobody. Blocks as long as the system's resolver does. kUnavailable when the name
// is unknown.
Result<std::vector<std::string>> ResolveName(const std::string& name);

}  // namespace ontapnvme::pve
