// SPDX-License-Identifier: AGPL-3.0-or-later
#include "base/ip_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <optional>

namespace ontapnvme {
namespace {

struct Address {
  std::array<unsigned char, 16> bytes{};  // IPv4 as it is mapped into IPv6 (RFC 4291, 2.5.5.2)
  std::string zone;
};

std::optional<Address> Parse(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  const std::size_t percent = std::min(text.find('%'), text.size());
  const std::string number(text.substr(0, percent));
  if (number.find('\0') != std::string::npos) return std::nullopt;  // would end the text for C
  Address address;
  address.zone = text.substr(percent);
  if (::inet_pton(AF_INET6, number.c_str(), address.bytes.data()) == 1) return address;
  constexpr std::size_t kMappedAt = 12;
  address.bytes[kMappedAt - 2] = 0xff;
  address.bytes[kMappedAt - 1] = 0xff;
  if (::inet_pton(AF_INET, number.c_str(), address.bytes.data() + kMappedAt) != 1) {
    return std::nullopt;
  }
  return address;
}

}  // namespace

bool IsSameAddress(std::string_view a, std::string_view b) {
  if (a == b) return true;
  const auto first = Parse(a);
  const auto second = Parse(b);
  if (!first || !second || first->bytes != second->bytes) return false;
  return first->zone.empty() || second->zone.empty() || first->zone == second->zone;
}

std::string WithPort(std::string_view host, unsigned port) {
  const bool is_ipv6 = host.find(':') != std::string_view::npos;
  std::string text(host);
  if (is_ipv6) text = "[" + text + "]";
  return text + ":" + std::to_string(port);
}

std::string WithoutPort(std::string_view text) {
  if (text.starts_with('[')) {
    const auto closing = text.find(']');
    if (closing != std::string_view::npos) return std::string(text.substr(1, closing - 1));
  }
  const auto colon = text.find(':');
  const bool is_ipv6 = colon != text.rfind(':');
  return std::string(is_ipv6 ? text : text.substr(0, colon));
}

}  // namespace ontapnvme
