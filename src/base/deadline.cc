// SPDX-License-Identifier: AGPL-3.0-or-later
#include "base/deadline.h"

#include <algorithm>
#include <thread>

namespace ontapnvme {
namespace {

// Short enough that a stopped task does not feel stuck, long enough to cost nothing.
constexpr Duration kInterruptPoll{50};

class MonotonicClock : public Clock {
 public:
  TimePoint Now() override { return std::chrono::steady_clock::now(); }
  std::chrono::system_clock::time_point WallTime() override {
    return std::chrono::system_clock::now();
  }
  void Sleep(Duration duration) override { std::this_thread::sleep_for(duration); }
};

}  // namespace

Clock& SystemClock() {
  static MonotonicClock clock;
  return clock;
}

Duration Deadline::Remaining() const {
  const auto left = std::chrono::duration_cast<Duration>(end_ - clock_->Now());
  return std::max(left, Duration::zero());
}

Status Deadline::Check(const char* doing) const {
  if (Interrupted()) {
    return Error(ErrorCode::kInterrupted, std::string("stopped by a signal while ") + doing);
  }
  if (Expired()) {
    return Error(ErrorCode::kTimedOut, std::string("time is used up while ") + doing);
  }
  return {};
}

Status Deadline::Sleep(Duration duration, const char* doing) const {
  const TimePoint wake = clock_->Now() + duration;
  while (true) {
    TRY_STATUS(Check(doing));
    const auto left = std::chrono::duration_cast<Duration>(wake - clock_->Now());
    if (left <= Duration::zero()) return {};
    clock_->Sleep(std::min({left, kInterruptPoll, Remaining()}));
  }
}

Deadline Deadline::Within(Duration duration) const {
  Deadline sooner = *this;
  sooner.end_ = std::min(end_, clock_->Now() + duration);
  return sooner;
}

Deadline Deadline::Reserve(Duration reserved) const {
  Deadline sooner = *this;
  sooner.end_ = end_ - reserved;
  return sooner;
}

Deadline Deadline::Grace(Duration budget) const {
  return Deadline(*clock_, budget);
}

}  // namespace ontapnvme
