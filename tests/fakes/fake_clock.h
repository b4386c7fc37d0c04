// SPDX-License-Identifier: AGPL-3.0-or-later
// Time and signals that a test moves by hand: nothing here waits.
#pragma once

#include <vector>

#include "base/deadline.h"

namespace ontapnvme::fakes {

// Stands still until moved; Sleep moves it and remembers by how much.
class FakeClock : public Clock {
 public:
  TimePoint Now() override { return now_; }
  std::chrono::system_clock::time_point WallTime() override { return wall_; }
  void Sleep(Duration duration) override {
    naps_.push_back(duration);
    Advance(duration);
  }

  void Advance(Duration duration) {
    now_ += duration;
    wall_ += duration;
  }
  // The time slept since the last call of this.
  Duration TakeSlept() {
    Duration sum{0};
    for (const Duration nap : std::exchange(naps_, {})) sum += nap;
    return sum;
  }

 private:
  TimePoint now_{std::chrono::hours(1000)};
  std::chrono::system_clock::time_point wall_{std::chrono::seconds(1700000000)};
  std::vector<Duration> naps_;
};

// Pending once it was asked more often than `quiet_polls`.
class FakeInterrupt : public Interrupt {
 public:
  static constexpr int kNever = -1;
  explicit FakeInterrupt(int quiet_polls = kNever) : quiet_polls_(quiet_polls) {}
  bool Pending() override {
    if (quiet_polls_ == kNever) return false;
    return polls_++ >= quiet_polls_;
  }
  void Raise() { quiet_polls_ = 0; }

 private:
  int quiet_polls_;
  int polls_ = 0;
};

}  // namespace ontapnvme::fakes
