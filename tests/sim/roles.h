// SPDX-License-Identifier: AGPL-3.0-or-later
// What an account may call, beyond what its own list denies: the switches `role` and `job_reads`.
#pragma once

#include <string>

#include "world.h"

namespace ontapnvme::sim {

// `path` begins with "/api/".
bool MayCall(const World& world, const std::string& method, const std::string& path);

// The refusal of what an account may not do.
[[noreturn]] void RefuseForbidden(const World& world);

}  // namespace ontapnvme::sim
