// SPDX-License-Identifier: AGPL-3.0-or-later
#include "node/node_turns.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>

#include "base/unique_fd.h"
#include "fakes/fake_clock.h"
#include "fakes/temporary_folder.h"

namespace ontapnvme::node {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

class NodeTurnsTest : public testing::Test {
 protected:
  fakes::TemporaryFolder folder;
  fakes::FakeClock clock;
  const NodeTurns turns{folder / "run", "tank"};
};

TEST_F(NodeTurnsTest, TurnIsTakenOncePerPeriodByWhicheverProcess) {
  const NodeTurns other_process(folder / "run", "tank");
  EXPECT_TRUE(turns.Take("recovery", hours(1), clock));
  EXPECT_FALSE(other_process.Take("recovery", hours(1), clock));
  clock.Advance(seconds(3599));
  EXPECT_FALSE(other_process.Take("recovery", hours(1), clock));
  clock.Advance(seconds(1));
  EXPECT_TRUE(other_process.Take("recovery", hours(1), clock));
  EXPECT_FALSE(turns.Take("recovery", hours(1), clock));
}

TEST_F(NodeTurnsTest, TurnThatIsNotTakenDoesNotPutOffTheNext) {
  EXPECT_TRUE(turns.Take("recovery", hours(1), clock));
  clock.Advance(std::chrono::minutes(40));
  EXPECT_FALSE(turns.Take("recovery", hours(1), clock));
  clock.Advance(std::chrono::minutes(20));
  EXPECT_TRUE(turns.Take("recovery", hours(1), clock));
}

TEST_F(NodeTurnsTest, MattersAndStoragesHaveTheirOwnTurns) {
  EXPECT_TRUE(turns.Take("recovery", hours(1), clock));
  EXPECT_TRUE(turns.Take("ceiling", hours(1), clock));
  EXPECT_TRUE(NodeTurns(folder / "run", "tank2").Take("recovery", hours(1), clock));
}

TEST_F(NodeTurnsTest, ClockThatWasSetBackDoesNotSilenceItForEver) {
  EXPECT_TRUE(turns.Take("recovery", hours(1), clock));
  fakes::FakeClock set_back;
  set_back.Advance(-hours(24 * 365));
  EXPECT_TRUE(turns.Take("recovery", hours(1), set_back));
  EXPECT_FALSE(turns.Take("recovery", hours(1), set_back));
}

TEST_F(NodeTurnsTest, FileThatCannotBeReadCountsAsNever) {
  for (const std::string& text :
       {std::string(), std::string("x"), std::string("\n"), std::string("\0\xff", 2),
        std::string("99999999999999999999\n"), std::string(5000, ' ')}) {
    std::filesystem::create_directory(folder / "run");
    folder.Write("run/tank.recovery.turn", text);
    EXPECT_TRUE(turns.Take("recovery", hours(1), clock)) << text;
    EXPECT_FALSE(turns.Take("recovery", hours(1), clock)) << text;
  }
}

TEST_F(NodeTurnsTest, TurnThatAnotherProcessIsTakingIsNotTaken) {
  std::filesystem::create_directory(folder / "run");
  const UniqueFd other(
      ::open(folder.Write("run/tank.recovery.turn", "").c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_EQ(::flock(other.get(), LOCK_EX | LOCK_NB), 0);
  EXPECT_FALSE(turns.Take("recovery", hours(1), clock));
}

TEST_F(NodeTurnsTest, WhatCannotBeWrittenDownIsNotDoneEachTime) {
  EXPECT_FALSE(NodeTurns(folder / "not/there", "tank").Take("x", hours(1), clock));
  std::filesystem::create_directory(folder / "run");
  std::filesystem::create_symlink("/dev/full", folder / "run/tank.full.turn");
  EXPECT_FALSE(turns.Take("full", hours(1), clock));
}

TEST_F(NodeTurnsTest, ForgottenTurnsWereNever) {
  const NodeTurns longer(folder / "run", "tank.two");
  const NodeTurns as_long(folder / "run", "pool");
  ASSERT_TRUE(turns.Take("recovery", hours(1), clock));
  ASSERT_TRUE(turns.Take("ceiling", hours(1), clock));
  ASSERT_TRUE(longer.Take("recovery", hours(1), clock));
  ASSERT_TRUE(as_long.Take("recovery", hours(1), clock));
  folder.Write("run/tank.facts", "kept");
  turns.Forget();
  EXPECT_TRUE(turns.Take("recovery", hours(1), clock));
  EXPECT_TRUE(turns.Take("ceiling", hours(1), clock));
  EXPECT_FALSE(longer.Take("recovery", hours(1), clock)) << "another storage's";
  EXPECT_FALSE(as_long.Take("recovery", hours(1), clock)) << "another storage's";
  EXPECT_TRUE(folder.Has("run/tank.facts"));
}

TEST_F(NodeTurnsTest, FilesAreForRootOnly) {
  ASSERT_TRUE(turns.Take("recovery", hours(1), clock));
  EXPECT_EQ(folder.Mode("run"), 0700U);
  EXPECT_EQ(folder.Mode("run/tank.recovery.turn"), 0600U);
}

}  // namespace
}  // namespace ontapnvme::node
