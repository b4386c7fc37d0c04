// SPDX-License-Identifier: AGPL-3.0-or-later
// The simulated array as the transport of the library under test: no socket, no waiting but on the
// deadline's own clock.
#pragma once

#include <string>
#include <vector>

#include "array.h"
#include "http/transport.h"

namespace ontapnvme::sim {

class SimTransport : public http::Transport {
 public:
  // `array` is borrowed.
  SimTransport(Array* array, std::string username, std::string password);

  Result<http::Response> Perform(const http::Request& request, const Deadline& deadline) override;
  // One after the other, in the given order.
  std::vector<Result<http::Response>> PerformAll(const std::vector<http::Request>& requests,
                                                 const Deadline& deadline) override;

 private:
  Array* array_;
  std::string authorization_;
  std::uint64_t connections_ = 0;
};

}  // namespace ontapnvme::sim
