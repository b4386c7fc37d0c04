// SPDX-License-Identifier: AGPL-3.0-or-later
// The transport over libcurl: TLS 1.2 or later, HTTP/1.1, basic authentication, kept-alive
// connections, no redirect, no proxy, no thread.
#pragma once

#include <memory>
#include <vector>

#include "base/process_owner.h"
#include "http/curl_options.h"
#include "http/transport.h"

namespace ontapnvme::http {

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
