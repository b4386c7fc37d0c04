// SPDX-License-Identifier: AGPL-3.0-or-later
#include "base/deadline.h"

#include <gtest/gtest.h>

#include "fakes/fake_clock.h"

namespace ontapnvme {
namespace {

using fakes::FakeClock;
using fakes::FakeInterrupt;
using std::chrono::seconds;

TEST(DeadlineTest, RunsDownToZeroAndNotBelow) {
  FakeClock clock;
  const Deadline deadline(clock, seconds(5));
  EXPECT_EQ(deadline.Remaining(), seconds(5));
  clock.Advance(seconds(3));
  EXPECT_EQ(deadline.Remaining(), seconds(2));
  EXPECT_FALSE(deadline.Expired());
  clock.Advance(seconds(9));
  EXPECT_EQ(deadline.Remaining(), Duration::zero());
  EXPECT_TRUE(deadline.Expired());
  EXPECT_TRUE(FailedWith(deadline.Check("looking"), ErrorCode::kTimedOut));
}

TEST(DeadlineTest, AnInterruptCountsMoreThanTime) {
  FakeClock clock;
  FakeInterrupt interrupt(0);
  const Deadline deadline(clock, Duration::zero(), &interrupt);
  const Status status = deadline.Check("looking");
  ASSERT_TRUE(FailedWith(status, ErrorCode::kInterrupted));
  EXPECT_EQ(status.error().sentence(), "stopped by a signal while looking");
}

TEST(DeadlineTest, SleepsInStepsThatNoticeAnInterrupt) {
  FakeClock clock;
  FakeInterrupt interrupt(3);
  const Deadline deadline(clock, seconds(60), &interrupt);
  EXPECT_TRUE(FailedWith(deadline.Sleep(seconds(10), "waiting"), ErrorCode::kInterrupted));
  EXPECT_LT(clock.TakeSlept(), seconds(1));
}

TEST(DeadlineTest, SleepsNoLongerThanItLasts) {
  FakeClock clock;
  const Deadline deadline(clock, seconds(2));
  EXPECT_TRUE(FailedWith(deadline.Sleep(seconds(10), "waiting"), ErrorCode::kTimedOut));
  EXPECT_EQ(clock.TakeSlept(), seconds(2));
}

TEST(DeadlineTest, SleepsAsLongAsAsked) {
  FakeClock clock;
  const Deadline deadline(clock, seconds(60));
  EXPECT_TRUE(deadline.Sleep(Duration(130), "waiting").ok());
  EXPECT_EQ(clock.TakeSlept(), Duration(130));
}

TEST(DeadlineTest, WithinTakesTheSoonerEnd) {
  FakeClock clock;
  const Deadline deadline(clock, seconds(10));
  EXPECT_EQ(deadline.Within(seconds(3)).Remaining(), seconds(3));
  EXPECT_EQ(deadline.Within(seconds(30)).Remaining(), seconds(10));
}

TEST(DeadlineTest, ReserveLeavesTimeForTheCaller) {
  FakeClock clock;
  const Deadline deadline(clock, seconds(10));
  EXPECT_EQ(deadline.Reserve(seconds(4)).Remaining(), seconds(6));
  EXPECT_TRUE(deadline.Reserve(seconds(40)).Expired());
}

TEST(DeadlineTest, GraceRunsWhenTheBudgetIsOverOrInterrupted) {
  FakeClock clock;
  FakeInterrupt interrupt(0);
  const Deadline over(clock, Duration::zero(), &interrupt);
  const Deadline grace = over.Grace(seconds(5));
  EXPECT_TRUE(grace.Check("undoing").ok());
  EXPECT_EQ(grace.Remaining(), seconds(5));
}

TEST(DeadlineTest, TheSystemClockMoves) {
  Clock& clock = SystemClock();
  const TimePoint before = clock.Now();
  clock.Sleep(Duration(1));
  EXPECT_GE(clock.Now() - before, Duration(1));
}

}  // namespace
}  // namespace ontapnvme
