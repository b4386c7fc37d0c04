// SPDX-License-Identifier: AGPL-3.0-or-later
#include "http/retry.h"

#include <gtest/gtest.h>

#include "fakes/fake_clock.h"

namespace ontapnvme::http {
namespace {

using fakes::FakeClock;
using fakes::FakeInterrupt;
using std::chrono::seconds;

constexpr auto kNoJitter = [] { return 0.0; };

Error Broken() {
  return Error(ErrorCode::kUnavailable, "broken");
}

class RetryTest : public ::testing::Test {
 protected:
  RetryLoop Loop(bool is_idempotent, Duration budget = seconds(60)) {
    return RetryLoop(policy_, kNoJitter, is_idempotent, Deadline(clock_, budget, &interrupt_));
  }

  FakeClock clock_;
  FakeInterrupt interrupt_;
  RetryPolicy policy_{.tries_max = 4,
                      .first_delay = Duration(100),
                      .delay_max = Duration(300),
                      .retry_after_max = seconds(10)};
};

TEST(MayRepeatTest, GoesByCauseAndIdempotence) {
  for (const bool is_idempotent : {false, true}) {
    EXPECT_FALSE(MayRepeat(RetryCause::kFinal, is_idempotent));
    EXPECT_TRUE(MayRepeat(RetryCause::kNotSent, is_idempotent));
    EXPECT_TRUE(MayRepeat(RetryCause::kRefused, is_idempotent));
    EXPECT_TRUE(MayRepeat(RetryCause::kBusy, is_idempotent));
    EXPECT_EQ(MayRepeat(RetryCause::kLost, is_idempotent), is_idempotent);
  }
}

TEST(CauseOfTest, ReadsTheTransportsErrors) {
  EXPECT_EQ(CauseOf(Broken()), RetryCause::kNotSent);
  EXPECT_EQ(CauseOf(Broken().OutcomeUnknown()), RetryCause::kLost);
  const Origin unusable{.refusal = Refusal::kUnusablePeer};
  EXPECT_EQ(CauseOf(Broken().From(unusable)), RetryCause::kFinal);
  EXPECT_EQ(CauseOf(Broken().From(unusable).OutcomeUnknown()), RetryCause::kFinal);
  EXPECT_EQ(CauseOf(Broken().With("http", "302")), RetryCause::kNotSent) << "facts are for people";
  EXPECT_EQ(CauseOf(Error(ErrorCode::kTimedOut, "x")), RetryCause::kFinal);
  EXPECT_EQ(CauseOf(Error(ErrorCode::kInterrupted, "x")), RetryCause::kFinal);
}

TEST(BackoffTest, DoublesUpToItsMaximum) {
  Backoff backoff(Duration(100), Duration(300), [] { return 0.999; });
  EXPECT_EQ(backoff.Next({}), Duration(99));
  EXPECT_EQ(backoff.Next({}), Duration(199));
  EXPECT_EQ(backoff.Next({}), Duration(299));
  EXPECT_EQ(backoff.Next({}), Duration(299));
}

TEST(BackoffTest, SpreadsOverTheUpperHalf) {
  Backoff low(Duration(100), Duration(300), kNoJitter);
  EXPECT_EQ(low.Next({}), Duration(50));
  Backoff odd(Duration(100), Duration(300), [] { return 7.0; });  // a jitter out of its range
  EXPECT_EQ(odd.Next({}), Duration(100));
}

TEST(BackoffTest, HonoursTheServersWish) {
  Backoff backoff(Duration(100), Duration(300), kNoJitter);
  EXPECT_EQ(backoff.Next(seconds(7)), seconds(7));
  EXPECT_EQ(backoff.Next(Duration(1)), Duration(100));
}

TEST_F(RetryTest, GivesUpAfterTheLastTry) {
  auto loop = Loop(true);
  Error error = Broken();
  EXPECT_TRUE(loop.TryAgain(RetryCause::kNotSent, {}, error));
  EXPECT_TRUE(loop.TryAgain(RetryCause::kNotSent, {}, error));
  EXPECT_TRUE(loop.TryAgain(RetryCause::kNotSent, {}, error));
  EXPECT_FALSE(loop.TryAgain(RetryCause::kNotSent, {}, error));
  EXPECT_EQ(error.Fact("tries"), "4");
  EXPECT_EQ(clock_.TakeSlept(), Duration(50 + 100 + 150));
}

TEST_F(RetryTest, WhatIsBusyIsAskedAgainUntilTheBudgetIsOver) {
  auto loop = Loop(false, seconds(37));
  Error error(ErrorCode::kBusy, "busy");
  int tries = 1;
  while (loop.TryAgain(RetryCause::kBusy, {}, error)) ++tries;
  EXPECT_EQ(clock_.TakeSlept(), Duration(500 + 1000 + 2000 + 13 * 2500));
  EXPECT_EQ(tries, 17);
  EXPECT_EQ(error.Fact("tries"), "17");
  EXPECT_FALSE(error.outcome_unknown());
}

TEST_F(RetryTest, SaysNothingOfTriesWhenThereWasOne) {
  auto loop = Loop(true);
  Error error = Broken();
  EXPECT_FALSE(loop.TryAgain(RetryCause::kFinal, {}, error));
  EXPECT_EQ(error.Fact("tries"), "");
}

TEST_F(RetryTest, ALostRequestIsRepeatedOnlyWhenIdempotent) {
  Error error = Broken();
  EXPECT_TRUE(Loop(true).TryAgain(RetryCause::kLost, {}, error));
  EXPECT_FALSE(Loop(false).TryAgain(RetryCause::kLost, {}, error));
  EXPECT_TRUE(error.outcome_unknown());
}

TEST_F(RetryTest, OnceLostTheOutcomeStaysUnknown) {
  auto loop = Loop(true);
  Error lost = Broken();
  ASSERT_TRUE(loop.TryAgain(RetryCause::kLost, {}, lost));
  Error refused(ErrorCode::kBusy, "busy");
  EXPECT_FALSE(loop.TryAgain(RetryCause::kFinal, {}, refused));
  EXPECT_TRUE(refused.outcome_unknown());
  EXPECT_EQ(refused.Fact("tries"), "2");
}

TEST_F(RetryTest, ADelayThatDoesNotFitEndsItAtOnce) {
  auto loop = Loop(true, Duration(50));
  Error error = Broken();
  EXPECT_FALSE(loop.TryAgain(RetryCause::kNotSent, {}, error));
  EXPECT_EQ(clock_.TakeSlept(), Duration::zero());
  EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
}

TEST_F(RetryTest, AServerThatWantsTooLongIsNotWaitedFor) {
  auto loop = Loop(true);
  Error error = Broken();
  EXPECT_TRUE(loop.TryAgain(RetryCause::kRefused, seconds(10), error));
  EXPECT_EQ(clock_.TakeSlept(), seconds(10));
  EXPECT_FALSE(loop.TryAgain(RetryCause::kRefused, seconds(11), error));
}

TEST_F(RetryTest, ASignalEndsTheWait) {
  auto loop = Loop(true);
  interrupt_.Raise();
  Error error = Broken();
  EXPECT_FALSE(loop.TryAgain(RetryCause::kNotSent, {}, error));
  EXPECT_EQ(error.code(), ErrorCode::kInterrupted);
  EXPECT_EQ(error.reason(), "broken");
}

}  // namespace
}  // namespace ontapnvme::http
