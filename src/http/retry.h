// SPDX-License-Identifier: AGPL-3.0-or-later
// When a request that failed is sent again: a rule by cause and idempotence, a growing delay, and
// two ends (tries and deadline). HTTP codes are not known here; the layer above names the cause.
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
  kBusy,  // a running operation is in the way and will end: likewise, for as long as there is time
  kLost,  // it may have been carried out: only an idempotent one is sent again
};

bool MayRepeat(RetryCause cause, bool is_idempotent);

// The cause of an error of a Transport.
RetryCause CauseOf(const Error& error);

struct RetryPolicy {
  unsigned tries_max = 5;
  Duration first_delay{200};
  Duration delay_max{4000};
  // NetApp's own driver asks a busy volume again 2 to 10 s apart, for 60 s.
  Duration busy_first_delay{1000};
  Duration busy_delay_max{5000};
  // A server that asks for more than this is not asked again: the storage lock would not hold so
  // long.
  Duration retry_after_max{15000};
};

// A number in [0, 1), so that nodes that were refused together do not come back together.
using Jitter = std::function<double()>;

// The delays between tries: doubling, each spread over its upper half.
class Backoff {
 public:
  Backoff(Duration first, Duration most, Jitter jitter)
      : delay_(first), delay_max_(most), jitter_(std::move(jitter)) {}

  // The next delay; not less than what the server asked for.
  Duration Next(std::optional<Duration> retry_after);

 private:
  Duration delay_;
  Duration delay_max_;
  Jitter jitter_;
};

// The loop around one request.
class RetryLoop {
 public:
  RetryLoop(const RetryPolicy& policy, Jitter jitter, bool is_idempotent, const Deadline& deadline)
      : policy_(policy),
        backoff_(policy.first_delay, policy.delay_max, jitter),
        busy_backoff_(policy.busy_first_delay, policy.busy_delay_max, std::move(jitter)),
        is_idempotent_(is_idempotent),
        deadline_(deadline) {}

  // Called after each failed try. True: the delay has passed, send it again. False: `error` is
  // final and has the number of tries as a fact (`tries`, from the second try on). Waits as long as
  // the delay, never beyond the deadline: where the delay does not fit, the error stands.
  // Once a try was lost, the outcome stays unknown whatever the later tries end with.
  bool TryAgain(RetryCause cause, std::optional<Duration> retry_after, Error& error);

 private:
  RetryPolicy policy_;
  Backoff backoff_;
  Backoff busy_backoff_;
  bool is_idempotent_;
  Deadline deadline_;
  unsigned tries_ = 0;
  bool was_lost_ = false;
};

}  // namespace ontapnvme::http
