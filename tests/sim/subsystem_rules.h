// SPDX-License-Identifier: AGPL-3.0-or-later
// Hosts of a subsystem, which come with the subsystem or later.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "call.h"
#include "world.h"

namespace ontapnvme::sim {

namespace subsystem_code {
inline constexpr int kNotFound = 72090001;
}  // namespace subsystem_code

// By its uuid in the path; throws when it is missing or not visible.
Subsystem& RequireSubsystem(const Call& call, const std::string& param);

// A host as a body describes it. Throws for a malformed NQN or secrets that do not go together.
SubsystemHost ParseHost(const nlohmann::json& body);
// Throws when the NQN is in the list already.
void AddHost(SubsystemHost host, std::vector<SubsystemHost>* hosts);

// Without the secrets: they are write-only.
nlohmann::json HostRecord(const SubsystemHost& host);
TargetHost ToTarget(const SubsystemHost& host);

}  // namespace ontapnvme::sim
