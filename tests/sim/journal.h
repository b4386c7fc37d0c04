// SPDX-License-Identifier: AGPL-3.0-or-later
// What was asked and answered, for tests to count and inspect. Secrets never enter it.
#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <vector>

#include "request.h"

namespace ontapnvme::sim {

class Journal {
 public:
  void Record(const Request& request, const Outcome& outcome, std::chrono::milliseconds took);
  void Clear() { entries_.clear(); }
  std::size_t size() const { return entries_.size(); }
  nlohmann::json ToJson() const { return entries_; }

 private:
  std::uint64_t next_sequence_ = 1;
  std::vector<nlohmann::json> entries_;
};

// The same value with everything under a secret-sounding name replaced.
nlohmann::json Redact(const nlohmann::json& value);

}  // namespace ontapnvme::sim
