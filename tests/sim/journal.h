// SPDX-License-Identifier: AGPL-3.0-or-later
// What was asked and answered, for tests to count and inspect. Secrets never enter it.
#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <vector>

#include "request.h"

namespace ontapnvme::sim {

// On the wire, records of TLS with their headers; an HTTPS server counts it.
struct Traffic {
  std::uint64_t tcp_sessions = 0;
  std::uint64_t tls_sessions = 0;
  std::uint64_t tls_resumed = 0;  // of these
  std::uint64_t bytes_received = 0;
  std::uint64_t bytes_sent = 0;

  nlohmann::json ToJson() const;
};

class Journal {
 public:
  void Record(const Request& request, const Outcome& outcome, std::chrono::milliseconds took);
  void Clear() {
    entries_.clear();
    traffic_ = {};
  }
  std::size_t size() const { return entries_.size(); }
  nlohmann::json ToJson() const { return entries_; }
  Traffic& traffic() { return traffic_; }

 private:
  std::uint64_t next_sequence_ = 1;
  std::vector<nlohmann::json> entries_;
  Traffic traffic_;
};

// The same value with everything under a secret-sounding name replaced.
nlohmann::json Redact(const nlohmann::json& value);

}  // namespace ontapnvme::sim
