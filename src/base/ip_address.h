// SPDX-License-Identifier: AGPL-3.0-or-later
// One IP address has many spellings: the array, the kernel and an administrator each have theirs.
#pragma once

#include <string>
#include <string_view>

namespace ontapnvme {

// Whether both texts name one IP address: IPv6 in any spelling, with or without brackets, IPv4 also
// when it is mapped into IPv6 (::ffff:10.0.0.1). Zones ("%eth0") tell two addresses apart only when
// both have one: other machines do not know ours. What is not an address equals only itself.
bool IsSameAddress(std::string_view a, std::string_view b);

// "host:port", with brackets around an IPv6 address.
std::string WithPort(std::string_view host, unsigned port);
// "10.0.0.1:4420" and "[::1]:4420" without port and brackets; a bare address as it is.
std::string WithoutPort(std::string_view text);

}  // namespace ontapnvme
