// SPDX-License-Identifier: AGPL-3.0-or-later
// The cluster as it stands when the simulator starts.
#pragma once

#include <nlohmann/json.hpp>

#include "world.h"

namespace ontapnvme::sim {

// Fills an empty world. `config` may hold `cluster`, `nodes`, `portals`, `aggregates`, `svms`,
// `accounts`, `qos_policies`, `snapshot_policies`, `key_manager`, `nvme_licence` and
// `clone_licence`; each one given replaces the default of that name. Throws std::invalid_argument.
void FillInitialState(World* world, const nlohmann::json& config);

}  // namespace ontapnvme::sim
