// SPDX-License-Identifier: AGPL-3.0-or-later
#include "http/retry.h"

#include <algorithm>
#include <string>
#include <utility>

#include "http/transport.h"

namespace ontapnvme::http {

bool MayRepeat(RetryCause cause, bool is_idempotent) {
  switch (cause) {
    case RetryCause::kFinal:
      return false;
    case RetryCause::kNotSent:
    case RetryCause::kRefused:
    case RetryCause::kBusy:
      return true;
    case RetryCause::kLost:
      return is_idempotent;
  }
  return false;
}

RetryCause CauseOf(const Error& error) {
  if (error.code() != ErrorCode::kUnavailable || IsUnusablePeer(error)) return RetryCause::kFinal;
  return error.outcome_unknown() ? RetryCause::kLost : RetryCause::kNotSent;
}

Duration Backoff::Next(std::optional<Duration> retry_after) {
  const double share = std::clamp(jitter_ ? jitter_() : 0.0, 0.0, 1.0);
  const auto half = static_cast<double>(delay_.count()) / 2;
  const Duration spread{static_cast<Duration::rep>(half + half * share)};
  delay_ = std::min(delay_ * 2, delay_max_);
  return std::max(spread, retry_after.value_or(Duration::zero()));
}

bool RetryLoop::TryAgain(RetryCause cause, std::optional<Duration> retry_after, Error& error) {
  ++tries_;
  was_lost_ = was_lost_ || cause == RetryCause::kLost;
  const auto give_up = [&] {
    if (tries_ > 1) error.AddFact("tries", std::to_string(tries_));
    if (was_lost_) error = std::move(error).OutcomeUnknown();
    return false;
  };
  const bool is_busy = cause == RetryCause::kBusy;
  if (!MayRepeat(cause, is_idempotent_)) return give_up();
  if (!is_busy && tries_ >= policy_.tries_max) return give_up();
  if (retry_after.value_or(Duration::zero()) > policy_.retry_after_max) return give_up();
  const Duration delay = (is_busy ? busy_backoff_ : backoff_).Next(retry_after);
  // A try that could not even be sent before the deadline says less than the error at hand.
  if (delay >= deadline_.Remaining()) return give_up();
  const Status waited = deadline_.Sleep(delay, "waiting to repeat a request");
  if (waited.ok()) return true;
  if (FailedWith(waited, ErrorCode::kInterrupted)) {
    error = Error(ErrorCode::kInterrupted, waited.error().sentence()).Because(error.sentence());
  }
  return give_up();
}

}  // namespace ontapnvme::http
