// SPDX-License-Identifier: AGPL-3.0-or-later
// "host", "host:port", "[IPv6]:port" or a bare IPv6 address, as an administrator writes it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace ontapnvme {

struct HostPort {
  std::string host;  // without brackets
  std::uint16_t port = 0;

  // kInvalidArgument when it is none of those forms.
  static Result<HostPort> Parse(std::string_view text, std::uint16_t default_port);
};

}  // namespace ontapnvme
