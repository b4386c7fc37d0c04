// SPDX-License-Identifier: AGPL-3.0-or-later
// Where and how the transport over libcurl connects.
#pragma once

#include <cstddef>
#include <string>

#include "base/deadline.h"
#include "base/ip_address.h"
#include "base/secret.h"

namespace ontapnvme::http {

struct CurlLimits {
  std::size_t body_bytes_max = std::size_t{32} << 20U;  // 10,000 records of 3 KiB each
  std::size_t header_bytes_max = std::size_t{64} << 10U;
  Duration connect_timeout{5000};
  // ONTAP counts requests in flight per management LIF; NetApp's own driver stays below 20.
  unsigned connections_max = 6;
};

struct CurlOptions {
  std::string host;  // IPv4, IPv6 (without brackets) or name
  unsigned port = 443;
  std::string username;
  Secret password;
  std::string ca_file;     // PEM; empty: the certificates of the system
  bool verify = true;      // chain and name
  std::string client_app;  // header X-Dot-Client-App, by which ONTAP counts sessions
  CurlLimits limits;

  // "host:port" as it stands in a URL and in a message.
  std::string Peer() const { return WithPort(host, port); }
};

}  // namespace ontapnvme::http
