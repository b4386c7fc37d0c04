// SPDX-License-Identifier: AGPL-3.0-or-later
#include "nvme/kernel/local_addresses.h"

#include <arpa/inet.h>
#include <ifaddrs.h>

#include <array>
#include <memory>

namespace ontapnvme::nvme {

std::vector<std::string> LocalAddresses() {
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(all, &::freeifaddrs);
  std::vector<std::string> addresses;
  for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr) continue;
    const int family = one->ifa_addr->sa_family;
    const void* number = nullptr;
    // The kernel's own way to say that what follows is an address of that family.
    if (family == AF_INET) {
      number = &reinterpret_cast<const sockaddr_in*>(one->ifa_addr)->sin_addr;
    } else if (family == AF_INET6) {
      number = &reinterpret_cast<const sockaddr_in6*>(one->ifa_addr)->sin6_addr;
    }
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (number == nullptr) continue;
    if (::inet_ntop(family, number, text.data(), text.size()) == nullptr) continue;
    addresses.emplace_back(text.data());
  }
  return addresses;
}

}  // namespace ontapnvme::nvme
