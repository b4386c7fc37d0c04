// SPDX-License-Identifier: AGPL-3.0-or-later
// The transport over libcurl: TLS 1.2 or later, HTTP/1.1, basic authentication, kept-alive
// connections, no redirect, no proxy, no thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/process_owner.h"
#include "base/secret.h"
#include "http/transport.h"

namespace ontapnvme::http {

struct CurlLimits {
  std::size_t body_bytes_max = std::size_t{64} << 20U;
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
};

// After a fork the child abandons what it inherited: it closes its copies of the descriptors
// without a word on the wire, leaks the handles on purpose, and opens its own connection. Not for
// use by two threads.
class CurlTransport : public Transport {
 public:
  explicit CurlTransport(CurlOptions options);
  ~CurlTransport() override;
  CurlTransport(const CurlTransport&) = delete;
  CurlTransport& operator=(const CurlTransport&) = delete;

  Result<Response> Perform(const Request& request, const Deadline& deadline) override;
  std::vector<Result<Response>> PerformAll(const std::vector<Request>& requests,
                                           const Deadline& deadline) override;

 private:
  class Session;
  void AbandonIfForked();

  CurlOptions options_;
  ProcessOwner owner_;
  std::unique_ptr<Session> session_;  // made with the first request
};

}  // namespace ontapnvme::http
