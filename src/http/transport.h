// SPDX-License-Identifier: AGPL-3.0-or-later
// One HTTP exchange, as the layers above see it. An answer with a status of 404 or 500 is a
// *successful* exchange: what it means is for the layer above.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"

namespace ontapnvme::http {

enum class Method { kGet, kPost, kPatch, kDelete };

std::string_view ToString(Method method);

struct Request {
  Method method = Method::kGet;
  std::string target;  // path and query as they go on the wire, already escaped; begins with '/'
  std::string body;    // JSON; empty for none
  // Whether sending it twice does no harm. Others go out on a fresh connection, because libcurl
  // re-sends a request by itself when a reused connection dies before the first byte of the answer.
  bool is_idempotent = true;
};

struct Response {
  int status = 0;
  std::string body;
  std::string location;                 // header Location, empty when absent
  std::optional<Duration> retry_after;  // header Retry-After
};

// Errors of both calls: kUnavailable (no connection, connection lost, TLS or certificate refused,
// answer larger than the limit, redirect), kTimedOut, kInterrupted, kInvalidArgument (host).
// outcome_unknown() is set when the request may have reached the server. Blocks until answered,
// refused, or `deadline`.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual Result<Response> Perform(const Request& request, const Deadline& deadline) = 0;
  // The same for several independent requests at once; the results stand in the order of the
  // requests.
  virtual std::vector<Result<Response>> PerformAll(const std::vector<Request>& requests,
                                                   const Deadline& deadline) = 0;
};

// Somebody is there, but nobody to talk to; another try cannot cure that. A fact says why: `tls`
// (the certificate is not trusted), `http` (a redirect), `limit` (an answer too large).
bool IsRefusal(const Error& error);
// Nobody is there, or nobody who speaks.
bool IsSilence(const Error& error);

}  // namespace ontapnvme::http
