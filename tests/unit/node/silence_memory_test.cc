// SPDX-License-Identifier: AGPL-3.0-or-later
#include "node/silence_memory.h"

#include <gtest/gtest.h>

#include "fakes/fake_clock.h"
#include "fakes/temporary_folder.h"

namespace ontapnvme::node {
namespace {

using std::chrono::seconds;

class SilenceMemoryTest : public testing::Test {
 protected:
  fakes::TemporaryFolder folder;
  fakes::FakeClock clock;
  const SilenceMemory memory{folder / "run", "tank"};
};

TEST_F(SilenceMemoryTest, FreshFindingIsKnownToAllProcesses) {
  EXPECT_FALSE(memory.Since(clock).has_value());
  const auto since = clock.WallTime();
  clock.Advance(seconds(3));
  memory.Note(since, clock);
  EXPECT_EQ(SilenceMemory(folder / "run", "tank").Since(clock), since);
  EXPECT_FALSE(SilenceMemory(folder / "run", "other").Since(clock).has_value());
}

TEST_F(SilenceMemoryTest, FindingCountsForFifteenSeconds) {
  const auto since = clock.WallTime();
  memory.Note(since, clock);
  clock.Advance(Duration(14'999));
  EXPECT_EQ(memory.Since(clock), since);
  clock.Advance(Duration(1));
  EXPECT_FALSE(memory.Since(clock).has_value());
}

TEST_F(SilenceMemoryTest, PollsOfOneSilenceKeepItsBeginning) {
  const auto first = clock.WallTime();
  memory.Note(first, clock);
  for (int poll = 0; poll < 10; ++poll) {
    clock.Advance(seconds(59));
    memory.Note(clock.WallTime(), clock);
  }
  EXPECT_EQ(memory.Since(clock), first);
}

TEST_F(SilenceMemoryTest, PollsThatAreAMinuteApartAreTwoSilences) {
  memory.Note(clock.WallTime(), clock);
  clock.Advance(seconds(60));
  const auto second = clock.WallTime();
  memory.Note(second, clock);
  EXPECT_EQ(memory.Since(clock), second);
}

TEST_F(SilenceMemoryTest, BeginningIsKeptToTheSecond) {
  const auto since = clock.WallTime();
  memory.Note(since + Duration(999), clock);
  EXPECT_EQ(memory.Since(clock), since);
}

TEST_F(SilenceMemoryTest, ForgottenSilenceIsNone) {
  memory.Note(clock.WallTime(), clock);
  memory.Forget();
  memory.Forget();
  EXPECT_FALSE(memory.Since(clock).has_value());
}

// What a node's clock shows is set by people and by NTP; what runs since its start is not.
class SteadyOnly : public Clock {
 public:
  TimePoint Now() override { return now; }
  std::chrono::system_clock::time_point WallTime() override { return wall; }
  void Sleep(Duration) override {}
  TimePoint now{std::chrono::hours(1)};
  std::chrono::system_clock::time_point wall{seconds(1'700'000'000)};
};

TEST_F(SilenceMemoryTest, WallClockThatIsSetMovesNothing) {
  SteadyOnly set;
  const auto since = set.wall;
  memory.Note(since, set);
  set.wall -= std::chrono::hours(24);
  EXPECT_EQ(memory.Since(set), since);
  set.wall += std::chrono::hours(48);
  EXPECT_EQ(memory.Since(set), since);
}

TEST_F(SilenceMemoryTest, FindingOfAnotherBootDoesNotCount) {
  SteadyOnly booted;
  memory.Note(booted.wall, booted);
  booted.now -= std::chrono::minutes(30);
  EXPECT_FALSE(memory.Since(booted).has_value());
  const auto since = booted.wall + seconds(5);
  memory.Note(since, booted);
  EXPECT_EQ(memory.Since(booted), since) << "and does not lend its beginning";
}

TEST_F(SilenceMemoryTest, FileThatCannotBeReadIsIgnored) {
  memory.Note(clock.WallTime(), clock);
  const std::string whole = folder.Read("run/tank.silent");
  ASSERT_TRUE(memory.Since(clock).has_value());
  for (const std::string& text :
       {std::string(), std::string("since=1\n"), std::string("found_at_ms=1\n"),
        std::string("since=\nfound_at_ms=\n"), std::string("since=1x\nfound_at_ms=3600000000\n"),
        std::string("since=1\nfound_at_ms=-1\n"), std::string("since=1\nfound_at_ms=0x1\n"),
        std::string("since=99999999999999999999\nfound_at_ms=3600000000\n"),
        std::string("since=1\nfound_at_ms=9000000000000\n"),
        std::string("since=1\nfound_at_ms=-9223372036854775808\n"), std::string("\0\xff=\n", 4),
        whole + std::string(256, 'x')}) {
    folder.Write("run/tank.silent", text);
    EXPECT_FALSE(memory.Since(clock).has_value()) << text;
  }
}

TEST_F(SilenceMemoryTest, FileIsForRootOnly) {
  memory.Note(clock.WallTime(), clock);
  EXPECT_EQ(folder.Mode("run"), 0700U);
  EXPECT_EQ(folder.Mode("run/tank.silent"), 0600U);
}

TEST_F(SilenceMemoryTest, WhereNothingCanBeWrittenNothingIsRemembered) {
  const SilenceMemory nowhere(folder / "not/there", "tank");
  nowhere.Note(clock.WallTime(), clock);
  EXPECT_FALSE(nowhere.Since(clock).has_value());
}

}  // namespace
}  // namespace ontapnvme::node
