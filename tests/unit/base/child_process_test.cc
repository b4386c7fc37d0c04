// SPDX-License-Identifier: AGPL-3.0-or-later
// tests/unit/nvme/helper/helper_process_test.cc holds it to the rest: descriptors, signals, groups,
// children that hang and that somebody else reaps.
#include "base/child_process.h"

#include <gtest/gtest.h>

namespace ontapnvme {
namespace {

constexpr Duration kLong{20'000};

bool Never(const std::string& /*output*/) {
  return false;
}

std::vector<ChildOutcome> RunAll(const std::vector<ChildTask>& tasks) {
  return ChildProcesses().Run(tasks, Never, Deadline(SystemClock(), kLong));
}

TEST(ChildProcessTest, GivesArgumentsAndInputAndTakesAllOfTheOutput) {
  const auto outcomes =
      RunAll({{.program = "/bin/sh",
               .arguments = {"-c", "printf '%s|' \"$@\"; cat", "sh", "a b", "$HOME", ""},
               .input = Secret("in\nput")}});
  ASSERT_EQ(outcomes.size(), 1U);
  EXPECT_EQ(outcomes[0].end, ChildOutcome::End::kDone);
  EXPECT_EQ(outcomes[0].output, "a b|$HOME||in\nput");
}

TEST(ChildProcessTest, OutcomesStandInTheOrderOfTheTasks) {
  const auto outcomes = RunAll({{.program = "/bin/sh", .arguments = {"-c", "cat; echo 1"}},
                                {.program = "/nowhere/at-all"},
                                {.program = "/bin/sh", .arguments = {"-c", "echo 3"}}});
  EXPECT_EQ(outcomes[0].output, "1\n");
  EXPECT_EQ(outcomes[1].end, ChildOutcome::End::kFailed);
  EXPECT_NE(outcomes[1].reason.find("/nowhere/at-all"), std::string::npos);
  EXPECT_EQ(outcomes[2].output, "3\n");
}

TEST(ChildProcessTest, NothingToDoIsDone) {
  EXPECT_TRUE(RunAll({}).empty());
}

}  // namespace
}  // namespace ontapnvme
