// SPDX-License-Identifier: AGPL-3.0-or-later
// One exchange as the simulated array sees it, without sockets: an in-process test and the HTTPS
// front end use the same types.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace ontapnvme::sim {

using Headers = std::vector<std::pair<std::string, std::string>>;

// The value of the header, whose name is compared without regard to case; empty when absent.
std::string HeaderValue(const Headers& headers, const std::string& name);

struct Request {
  std::string method = "GET";
  std::string target;  // path and query, raw as on the wire
  Headers headers;
  std::string body;
  std::uint64_t connection_id = 0;
};

// What becomes of the reply on its way. Nothing is slept or cut in the core: the caller does it.
enum class Delivery {
  kComplete,
  kDropBefore,    // connection lost, nothing was applied
  kDropAfter,     // connection lost, the request was applied
  kTruncated,     // status line and headers arrive, the body breaks off in the middle
  kNeverAnswered  // the connection stays open and silent
};

struct Outcome {
  int status = 200;
  Headers headers;
  std::string body;
  Delivery delivery = Delivery::kComplete;
  std::chrono::milliseconds delay{0};
};

}  // namespace ontapnvme::sim
