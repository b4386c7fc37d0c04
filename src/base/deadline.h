// SPDX-License-Identifier: AGPL-3.0-or-later
// The budget that every waiting call carries, the clock it is measured by, and the question whether
// the caller's task was stopped. Perl's alarm cannot interrupt native code, so each wait asks for
// itself.
#pragma once

#include <chrono>

#include "base/result.h"

namespace ontapnvme {

using Duration = std::chrono::milliseconds;
using TimePoint = std::chrono::steady_clock::time_point;

// Asked at every wait: has a signal arrived that the caller's runtime will act on (ALRM, INT, TERM,
// QUIT)?
class Interrupt {
 public:
  virtual ~Interrupt() = default;
  virtual bool Pending() = 0;
};

// Time and waiting, so that tests own both.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint Now() = 0;
  virtual std::chrono::system_clock::time_point WallTime() = 0;
  // Waits `duration`; may return early (a signal arrived). The caller looks at Now() again.
  virtual void Sleep(Duration duration) = 0;
};

// The machine's monotonic clock. Stateless; lives for the whole program.
Clock& SystemClock();

// A point in time that a call must not outlive, with what is needed to wait until then. A value:
// copies are the same budget. Clock and interrupt are borrowed and outlive every copy.
class Deadline {
 public:
  Deadline(Clock& clock, Duration budget, Interrupt* interrupt = nullptr)
      : clock_(&clock), interrupt_(interrupt), end_(clock.Now() + budget) {}

  Duration Remaining() const;  // 0 when over
  bool Expired() const { return Remaining() == Duration::zero(); }
  bool Interrupted() const { return interrupt_ != nullptr && interrupt_->Pending(); }

  // kInterrupted or kTimedOut when going on is of no use; `doing` completes "… while ".
  Status Check(const char* doing) const;

  // Waits `duration` or what remains, in steps short enough to notice an interrupt.
  Status Sleep(Duration duration, const char* doing) const;

  // A deadline that ends after `duration`, or with this one if that is sooner.
  Deadline Within(Duration duration) const;
  // A deadline that leaves `reserved` of this budget to the caller, for compensation.
  Deadline Reserve(Duration reserved) const;
  // A deadline of `budget` from now which also runs when this one is over or interrupted: for
  // undoing.
  Deadline Grace(Duration budget) const;

  Clock& clock() const { return *clock_; }

 private:
  Clock* clock_;
  Interrupt* interrupt_;
  TimePoint end_;
};

}  // namespace ontapnvme
