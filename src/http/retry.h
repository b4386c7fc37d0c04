// SPDX-License-Identifier: AGPL-3.0-or-later
// When a request that failed is sent again: a rule by cause and idempotence, a growing delay, and
// two ends (tries and deadline). Nothing here knows HTTP codes; the layer above names the cause.
#pragma once

#include <functional>
#include <optional>

#include "base/deadline.h"
#include "base/error.h"

namespace ontapnvme::http {

// Why a try failed, as far as sending it again is concerned.
enum class RetryCause {
  kFinal,    // the same request would fail the same way
  kNotSent,  // it never reached the server: safe to send again whatever it does
  kRefused,  // the server says "later" and did nothing: likewise
  kLost,     // it may have been carried out: only an idempotent one is sent again
};

bool MayRepeat(RetryCause cause, bool is_idempotent);

// The cause of an error of a Transport.
RetryCause CauseOf(const Error& error);

struct RetryPolicy {
  unsigned tries_max = 5;
  Duration first_delay{200};
  Duration delay_max{4000};
  // A server that asks for more than this gets its answer later anyway: the storage lock does not
  // wait for it.
  Duration retry_after_max{15000};
};

// A number in [0, 1), so that nodes that were refused together do not come back together.
using Jitter = std::function<double()>;

// The delays between tries: doubling, each spread over its upper half.
class Backoff {
 public:
  Backoff(const RetryPolicy& policy, Jitter jitter)
      : policy_(policy), jitter_(std::move(jitter)), delay_(policy.first_delay) {}

  // The next delay; not less than what the server asked for.
  Duration Next(std::optional<Duration> retry_after);

 private:
  RetryPolicy policy_;
  Jitter jitter_;
  Duration delay_;
};

// The loop around one request.
class RetryLoop {
 public:
  RetryLoop(const RetryPolicy& policy, Jitter jitter, bool is_idempotent, const Deadline& deadline)
      : policy_(policy),
        backoff_(policy, std::move(jitter)),
        is_idempotent_(is_idempotent),
        deadline_(deadline) {}

  // Called after each failed try. True: the delay has passed, send it again. False: `error` is
  // final and now tells how often it was tried (fact `tries`, from the second try on). Waits as
  // long as the delay, never beyond the deadline: where the delay does not fit, the error stands.
  // Once a try was lost, the outcome stays unknown whatever the later tries end with.
  bool TryAgain(RetryCause cause, std::optional<Duration> retry_after, Error& error);

 private:
  RetryPolicy policy_;
  Backoff backoff_;
  bool is_idempotent_;
  Deadline deadline_;
  unsigned tries_ = 0;
  bool was_lost_ = false;
};

}  // namespace ontapnvme::http
