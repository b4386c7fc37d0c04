// SPDX-License-Identifier: AGPL-3.0-or-later
// What the probes say and send.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/result.h"

namespace ontapnvme::contract {

inline constexpr const char* kVolumes = "/api/storage/volumes";
inline constexpr const char* kNamespaces = "/api/storage/namespaces";
inline constexpr const char* kGroups = "/api/application/consistency-groups";
inline constexpr std::uint64_t kMiB = 1048576;

inline std::string Unclear(const std::string& why) {
  return "unclear: " + why;
}

inline std::string TakenOrRefused(const Status& status) {
  return status.ok() ? "take" : "refuse";
}

inline nlohmann::json MembersOf(const std::vector<std::string>& names, const char* action) {
  nlohmann::json members = nlohmann::json::array();
  for (const auto& name : names) {
    members.push_back({{"name", name}, {"provisioning_options", {{"action", action}}}});
  }
  return members;
}

}  // namespace ontapnvme::contract
