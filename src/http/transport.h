// SPDX-License-Identifier: AGPL-3.0-or-later
// One HTTP exchange, as the layers above see it. An answer with a status of 404 or 500 is a
// *successful* exchange: what it means is for the layer above.
#pragma once

#include <chrono>
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
  // Whether sending it twice does no harm. libcurl repeats such a request by itself when a reused
  // connection dies before the answer begins; others are sent once, on a kept connection as well.
  bool is_idempotent = true;
  // How long the server may say nothing, before its answer and in the middle of it. It is not a limit
  // for an answer that is arriving, however large. One request that silence ended is lost, and its
  // call goes on; for all requests together there is the deadline.
  Duration silence_max = Duration::max();
};

struct Response {
  int status = 0;
  std::string body;
  std::string location;  // header Location, empty when absent
  std::optional<Duration>
      retry_after;  // header Retry-After: an hour at most, absent when it is over
  std::optional<std::chrono::sys_seconds> date;  // header Date; absent when there is none
};

// Errors of both calls: kUnavailable (no connection, connection lost or silent, TLS or certificate
// refused, answer larger than the limit, redirect), kTimedOut, kInterrupted, kInvalidArgument (host).
// outcome_unknown() is set when the request may have reached the server. Blocks until answered,
// refused, silent for too long, or `deadline`. A connection that did not answer in time carries no
// further request.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual Result<Response> Perform(const Request& request, const Deadline& deadline) = 0;
  // The same for several independent requests at once; the results stand in the order of the
  // requests.
  virtual std::vector<Result<Response>> PerformAll(const std::vector<Request>& requests,
                                                   const Deadline& deadline) = 0;
};

// Something answers that cannot be talked to, and another try does not cure it: its certificate is
// not trusted, it redirects, or its answer is too large.
bool IsUnusablePeer(const Error& error);
// There is no answer.
bool IsSilence(const Error& error);

}  // namespace ontapnvme::http
