// SPDX-License-Identifier: AGPL-3.0-or-later
#include "model/host_port.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

namespace ontapnvme {
namespace {

Error Malformed(std::string_view text) {
  return Error(ErrorCode::kInvalidArgument,
               "'" + CleanText(text) + "' is neither an address nor a host name")
      .Try("use an IPv4 address, an IPv6 address or a host name, with ':port' behind it if needed");
}

bool IsIpv6(const std::string& text) {
  if (text.find('\0') != std::string::npos) return false;  // what follows is not read below
  std::array<unsigned char, 16> address{};
  return inet_pton(AF_INET6, text.c_str(), address.data()) == 1;
}

// IPv4 addresses are host names by their characters too; a resolver tells the rest.
bool IsHostName(const std::string& text) {
  constexpr std::size_t kHostNameMax = 253;
  if (text.empty() || text.size() > kHostNameMax) return false;
  if (text.front() == '-' || text.front() == '.' || text.find("..") != std::string::npos) {
    return false;
  }
  return std::all_of(text.begin(), text.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.' || c == '_';
  });
}

bool ReadPort(std::string_view text, std::uint16_t& port) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), port);
  return failed == std::errc() && end == text.data() + text.size() && port != 0;
}

}  // namespace

Result<HostPort> HostPort::Parse(std::string_view text, std::uint16_t default_port) {
  HostPort parsed{std::string(text), default_port};
  if (IsIpv6(parsed.host)) return parsed;
  if (text.starts_with('[')) {
    const std::size_t closing = text.find(']');
    if (closing == std::string_view::npos) return Malformed(text);
    parsed.host = std::string(text.substr(1, closing - 1));
    const std::string_view behind = text.substr(closing + 1);
    const bool port_ok =
        behind.empty() || (behind.starts_with(':') && ReadPort(behind.substr(1), parsed.port));
    if (!IsIpv6(parsed.host) || !port_ok) return Malformed(text);
    return parsed;
  }
  if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
    parsed.host = std::string(text.substr(0, colon));
    if (!ReadPort(text.substr(colon + 1), parsed.port)) return Malformed(text);
  }
  if (!IsHostName(parsed.host)) return Malformed(text);
  return parsed;
}

}  // namespace ontapnvme
