// SPDX-License-Identifier: AGPL-3.0-or-later
// How long an array may be silent: at the beginning of a call when the node knows of it, in the
// middle, and who learns of it.
#include "catalogue/alert_transport.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "fakes/fake_clock.h"
#include "fakes/scripted_transport.h"
#include "http/retry.h"

namespace ontapnvme::catalogue {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

constexpr Duration kBudget{45'000};
constexpr Duration kFirstAnswer{5000};

class AlertTransportTest : public testing::Test {
 protected:
  static std::string MakeDirectory() {
    std::string pattern = testing::TempDir() + "/ontapnvme-silence-XXXXXX";
    EXPECT_NE(mkdtemp(pattern.data()), nullptr);
    return pattern;
  }
  ~AlertTransportTest() override { std::filesystem::remove_all(directory); }

  node::SilenceMemory Memory(const std::string& storage_id = "tank") {
    return {directory + "/run", storage_id};
  }
  // As another process, pvestatd, leaves it.
  void NoteByPoll(const std::string& storage_id = "tank") {
    Memory(storage_id).Note(clock.WallTime(), clock);
  }
  Deadline Begin(Duration budget = kBudget) {
    transport.BeginCall(clock);
    return Deadline(clock, budget);
  }
  void TimeOut() {
    inner.Fail(Error(ErrorCode::kTimedOut, "no answer from 'array:443'").OutcomeUnknown());
  }

  std::string directory = MakeDirectory();
  fakes::FakeClock clock;
  fakes::ScriptedTransport inner;
  AlertTransport transport{inner, Memory()};
};

TEST_F(AlertTransportTest, FirstAnswerMustComeSoonWhenAPollHasJustFoundNone) {
  NoteByPoll();
  clock.Advance(seconds(12));
  const auto deadline = Begin();
  TimeOut();
  const auto answer = transport.Perform({}, deadline);
  EXPECT_EQ(inner.budgets(), (std::vector{kFirstAnswer}));
  ASSERT_TRUE(FailedWith(answer, ErrorCode::kTimedOut));
  EXPECT_TRUE(answer.error().outcome_unknown()) << "it may have been carried out";
  const std::string line = answer.error().Line();
  EXPECT_THAT(line, testing::ContainsRegex("management LIF has not answered since 20[0-9-]+ "
                                           "[0-9:]+: no answer from 'array:443'"));
  EXPECT_THAT(line, HasSubstr("then try again"));
  EXPECT_THAT(line, HasSubstr("can be started, stopped and migrated"));
}

TEST_F(AlertTransportTest, TriesShareTheTimeForTheFirstAnswer) {
  NoteByPoll();
  const auto deadline = Begin();
  inner.FailToConnect().FailToConnect();
  const auto refused = transport.Perform({}, deadline);
  ASSERT_TRUE(FailedWith(refused, ErrorCode::kUnavailable));
  EXPECT_EQ(http::CauseOf(refused.error()), http::RetryCause::kNotSent) << "worth another try";
  clock.Advance(seconds(2));
  EXPECT_FALSE(transport.Perform({}, deadline).ok());
  clock.Advance(seconds(9));
  TimeOut();
  EXPECT_FALSE(transport.Perform({}, deadline).ok());
  EXPECT_EQ(inner.budgets(), (std::vector{kFirstAnswer, Duration(3000), Duration(0)}));
}

TEST_F(AlertTransportTest, CallThatWasAnsweredHasAllOfItsBudget) {
  NoteByPoll();
  const auto deadline = Begin();
  inner.Answer(503);
  TimeOut();
  EXPECT_TRUE(transport.Perform({}, deadline).ok());
  const auto answer = transport.Perform({}, deadline);
  EXPECT_EQ(inner.budgets(), (std::vector{kFirstAnswer, kBudget}));
  EXPECT_THAT(answer.error().Line(), Not(HasSubstr("since")));
}

TEST_F(AlertTransportTest, SilenceInTheMiddleOfATaskMayLastAsLongAsAFailover) {
  inner.Answer(200);
  EXPECT_TRUE(transport.Perform({}, Begin()).ok());
  NoteByPoll();  // meanwhile, by pvestatd
  clock.Advance(seconds(10));
  TimeOut();
  EXPECT_FALSE(transport.Perform({}, Begin()).ok());
  EXPECT_EQ(inner.budgets().back(), kBudget) << "the task's next call";
  clock.Advance(seconds(37));
  NoteByPoll();
  TimeOut();
  EXPECT_FALSE(transport.Perform({}, Begin()).ok());
  EXPECT_EQ(inner.budgets().back(), kFirstAnswer) << "it is no failover any more";
}

TEST_F(AlertTransportTest, SideBySideRequestsAreLimitedAndLearntFromAlike) {
  NoteByPoll();
  TimeOut();
  TimeOut();
  const auto silent = transport.PerformAll({{}, {}}, Begin());
  EXPECT_EQ(inner.budgets(), (std::vector{kFirstAnswer, kFirstAnswer}));
  for (const auto& answer : silent) EXPECT_THAT(answer.error().Line(), HasSubstr("since"));
  TimeOut();
  inner.Answer(200);
  EXPECT_TRUE(transport.PerformAll({{}, {}}, Begin())[1].ok());
  EXPECT_FALSE(Memory().Since(clock).has_value());
}

TEST_F(AlertTransportTest, NeitherOldMemoryNorThatOfAnotherStorageShortensAnything) {
  NoteByPoll("other");
  NoteByPoll("tank.two");
  TimeOut();
  EXPECT_THAT(transport.Perform({}, Begin()).error().Line(), Not(HasSubstr("since")));
  NoteByPoll();
  clock.Advance(seconds(16));
  TimeOut();
  EXPECT_THAT(transport.Perform({}, Begin()).error().Line(), Not(HasSubstr("since")));
  EXPECT_EQ(inner.budgets(), (std::vector{kBudget, kBudget}));
}

TEST_F(AlertTransportTest, ShorterBudgetStaysAsItIs) {
  NoteByPoll();
  TimeOut();
  EXPECT_FALSE(transport.Perform({}, Begin(Duration(2000))).ok());
  EXPECT_EQ(inner.budgets(), (std::vector{Duration(2000)}));
}

TEST_F(AlertTransportTest, AnyAnswerEndsTheSilenceForAllProcesses) {
  const auto redirect = Error(ErrorCode::kUnavailable, "it is not the array")
                            .From({.refusal = Refusal::kUnusablePeer});
  const auto untrusted = Error(ErrorCode::kUnavailable, "cannot trust the array")
                             .From({.refusal = Refusal::kUnusablePeer});
  inner.Answer(401).Fail(redirect).Fail(untrusted);
  for (int i = 0; i < 3; ++i) {
    NoteByPoll();
    const auto answer = transport.Perform({}, Begin());
    EXPECT_FALSE(Memory().Since(clock).has_value()) << i;
    EXPECT_TRUE(answer.ok() || answer.error().Line().find("since") == std::string::npos) << i;
    clock.Advance(minutes(1));
  }
}

TEST_F(AlertTransportTest, SignalIsNoAnswerAndNoSilence) {
  NoteByPoll();
  inner.Fail(Error(ErrorCode::kInterrupted, "stopped"));
  const auto deadline = Begin();
  EXPECT_TRUE(FailedWith(transport.Perform({}, deadline), ErrorCode::kInterrupted));
  transport.RememberSilence(clock);
  EXPECT_TRUE(Memory().Since(clock).has_value()) << "what was known stays";
  Memory().Forget();
  inner.Fail(Error(ErrorCode::kInterrupted, "stopped"));
  EXPECT_FALSE(transport.Perform({}, Begin()).ok());
  transport.RememberSilence(clock);
  EXPECT_FALSE(Memory().Since(clock).has_value());
}

TEST_F(AlertTransportTest, OnlyAPollThatNothingAnsweredIsRemembered) {
  inner.Answer(200);
  TimeOut();
  const auto deadline = Begin(Duration(2000));
  (void)transport.Perform({}, deadline);
  (void)transport.Perform({}, deadline);
  transport.RememberSilence(clock);
  EXPECT_FALSE(Memory().Since(clock).has_value()) << "it spoke, and then no more";

  const auto begun = clock.WallTime();
  TimeOut();
  (void)transport.Perform({}, Begin(Duration(2000)));
  EXPECT_FALSE(Memory().Since(clock).has_value()) << "not every call is a poll";
  clock.Advance(seconds(2));
  transport.RememberSilence(clock);
  EXPECT_EQ(Memory().Since(clock), begun);
}

TEST_F(AlertTransportTest, PollsOfOneSilenceTellWhenItBegan) {
  const auto begun = clock.WallTime();
  for (int poll = 0; poll < 30; ++poll) {
    NoteByPoll();
    clock.Advance(seconds(10));
    EXPECT_EQ(Memory().Since(clock), begun);
  }
  clock.Advance(minutes(2));  // nobody polled
  NoteByPoll();
  EXPECT_EQ(Memory().Since(clock), clock.WallTime());
}

TEST_F(AlertTransportTest, UnreadableMemoryIsNone) {
  NoteByPoll();
  const std::string file = directory + "/run/tank.silent";
  struct stat info {};
  ASSERT_EQ(stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  const auto now_ms = std::chrono::duration_cast<Duration>(clock.Now().time_since_epoch()).count();
  const std::string good = "since=1700000000\nfound_at_ms=" + std::to_string(now_ms) + "\n";
  const std::string future = "since=1700000000\nfound_at_ms=" + std::to_string(now_ms + 1) + "\n";
  std::ofstream(file) << good;
  EXPECT_TRUE(Memory().Since(clock).has_value());
  for (const std::string& text :
       {std::string(), std::string("since=x\nfound_at_ms=1\n"), std::string("since=1\n"),
        std::string("since=1\nfound_at_ms=-5\n"), std::string(1000, '='), future}) {
    std::ofstream(file) << text;
    EXPECT_FALSE(Memory().Since(clock).has_value()) << text;
  }
  // Where nothing can be written all stays as patient as ever.
  node::SilenceMemory("/proc/nowhere", "tank").Note(clock.WallTime(), clock);
}

}  // namespace
}  // namespace ontapnvme::catalogue
