// SPDX-License-Identifier: AGPL-3.0-or-later
// Real processes, with small shell scripts in the helper's place.
#include "nvme/helper/helper_process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <string>

#include "fakes/nvme_fakes.h"
#include "fakes/sysfs_tree.h"
#include "nvme/kernel/rooted_files.h"

namespace ontapnvme::nvme {
namespace {

constexpr const char* kSecret = "DHHC-1:00:NeverSeenAnywhereElse=:";
constexpr Duration kLong{20000};
constexpr Duration kShort{150};

class HelperProcessTest : public testing::Test {
 protected:
  // What the script leaves behind it finds under $dir.
  HelperProcesses Script(const std::string& body) {
    tree_.Write("helper", "#!/bin/sh\ndir=" + tree_.Path("") + "\n" + body + "\n");
    std::filesystem::permissions(tree_.Path("helper"), std::filesystem::perms::owner_all);
    return HelperProcesses(tree_.Path("helper"));
  }
  Deadline Within(Duration budget) { return Deadline(SystemClock(), budget, &interrupt_); }
  std::vector<Secret> Requests(std::size_t count = 1) const {
    return std::vector<Secret>(count, Secret(std::string("dhchap_secret=") + kSecret + "\n"));
  }
  static void ExpectNoChildLeft() {
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a zombie or a running child is left";
    EXPECT_EQ(errno, ECHILD);
  }

  SysfsTree tree_;
  FlagInterrupt interrupt_;
};

TEST_F(HelperProcessTest, GivesTheRequestAndTakesTheReply) {
  auto helpers = Script("read -r line; echo \"ok got $line\"");
  const auto outcome = helpers.RunOne(Requests()[0], Within(kLong));
  EXPECT_EQ(outcome.end, HelperOutcome::End::kAnswered);
  EXPECT_EQ(outcome.Reply()->text, std::string("got dhchap_secret=") + kSecret);
  ExpectNoChildLeft();
}

TEST_F(HelperProcessTest, PutsNoSecretWhereOthersCanRead) {
  auto helpers = Script(
      "tr '\\0' '\\n' </proc/$$/cmdline >${dir}cmdline; tr '\\0' '\\n' </proc/$$/environ "
      ">${dir}environ; echo ok");
  EXPECT_EQ(helpers.RunOne(Requests()[0], Within(kLong)).end, HelperOutcome::End::kAnswered);
  EXPECT_EQ(tree_.Read("cmdline").find("DHHC"), std::string::npos);
  EXPECT_EQ(tree_.Read("environ"), "PATH=/usr/sbin:/usr/bin:/sbin:/bin\nLC_ALL=C\n");
}

TEST_F(HelperProcessTest, PassesOnNoDescriptorAndNoSignalMask) {
  constexpr int kLeaky = 77;
  ASSERT_EQ(::dup2(STDERR_FILENO, kLeaky), kLeaky);  // as Perl's sockets: not close-on-exec
  sigset_t blocked, before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &before);
  auto helpers = Script(
      "[ -e /proc/self/fd/77 ] && echo 'error 1 leaked' && exit\n"
      "grep -q 'SigBlk:.0000000000000000' /proc/self/status || { echo 'error 2 mask'; exit; }\n"
      "echo ok");
  const auto reply = helpers.RunOne(Requests()[0], Within(kLong)).Reply();
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::close(kLeaky);
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ(reply->error, 0) << reply->text;
}

TEST_F(HelperProcessTest, RunsAllAtTheSameTime) {
  auto helpers = Script(
      ": >${dir}started.$$; while [ $(ls ${dir} | grep -c started) -lt 4 ]; do :; done; echo ok");
  for (const auto& outcome : helpers.Run(Requests(4), Within(kLong))) {
    EXPECT_EQ(outcome.end, HelperOutcome::End::kAnswered);
  }
  ExpectNoChildLeft();
}

TEST_F(HelperProcessTest, LeavesAHelperThatHangsWhenTheTimeIsUp) {
  auto helpers = Script("echo 'ns partial'; exec sleep 1000");
  const auto start = std::chrono::steady_clock::now();
  const auto outcomes = helpers.Run(Requests(3), Within(kShort));
  for (const auto& outcome : outcomes) {
    EXPECT_EQ(outcome.end, HelperOutcome::End::kTimedOut);
    EXPECT_TRUE(FailedWith(outcome.Reply(), ErrorCode::kTimedOut));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
  ExpectNoChildLeft();
}

TEST_F(HelperProcessTest, KillsTheWorkerThatAHelperHasLeftBehind) {
  // As the real helper does it: the work is done by a grandchild, the child ends at once.
  auto helpers = Script("sleep 1000 & echo $! >${dir}worker; exit 0");
  EXPECT_EQ(helpers.RunOne(Requests()[0], Within(kShort)).end, HelperOutcome::End::kTimedOut);
  ExpectNoChildLeft();
  const std::string worker = tree_.Read("worker");
  const RootedFiles proc("/proc");
  bool is_dead = false;
  // Killed by then, but init may take a moment to reap it.
  for (int i = 0; i < 1000 && !is_dead; ++i) {
    const auto stat = proc.Attribute(worker.substr(0, worker.size() - 1) + "/stat");
    is_dead = !stat || stat->find(") Z ") != std::string::npos;
    ::usleep(1000);
  }
  EXPECT_TRUE(is_dead);
}

// Pending from the third time it is asked on.
class LateInterrupt : public Interrupt {
 public:
  bool Pending() override { return ++asked_ > 2; }

 private:
  int asked_ = 0;
};

TEST_F(HelperProcessTest, StopsWhenTheTaskIsStopped) {
  auto helpers = Script("exec sleep 1000");
  LateInterrupt interrupt;
  const auto outcome = helpers.RunOne(Requests()[0], Deadline(SystemClock(), kLong, &interrupt));
  EXPECT_EQ(outcome.end, HelperOutcome::End::kInterrupted);
  ExpectNoChildLeft();
}

TEST_F(HelperProcessTest, StartsNothingWhenThereIsNoTimeLeft) {
  auto helpers = Script(": >${dir}started; echo ok");
  EXPECT_EQ(helpers.RunOne(Requests()[0], Within(Duration(0))).end, HelperOutcome::End::kTimedOut);
  interrupt_.is_pending = true;
  EXPECT_EQ(helpers.RunOne(Requests()[0], Within(kLong)).end, HelperOutcome::End::kInterrupted);
  EXPECT_FALSE(std::filesystem::exists(tree_.Path("started")));
}

TEST_F(HelperProcessTest, DoesNotMindWhenSomebodyElseReapsItsChildren) {
  const auto before = ::signal(SIGCHLD, SIG_IGN);  // the kernel reaps at once
  auto helpers = Script("echo ok nvme3; exit 1");
  const auto outcome = helpers.RunOne(Requests()[0], Within(kLong));
  ::signal(SIGCHLD, before);
  EXPECT_EQ(outcome.end, HelperOutcome::End::kAnswered) << "the exit status does not count";
}

TEST_F(HelperProcessTest, ReportsAHelperThatEndsWithoutAnAnswer) {
  auto silent = Script("exit 0");
  EXPECT_TRUE(
      FailedWith(silent.RunOne(Requests()[0], Within(kLong)).Reply(), ErrorCode::kInternal));
  auto half = Script("printf 'ok nvme3'");
  EXPECT_TRUE(FailedWith(half.RunOne(Requests()[0], Within(kLong)).Reply(), ErrorCode::kInternal));
  HelperProcesses missing(tree_.Path("no-such-helper"));
  const auto reply = missing.RunOne(Requests()[0], Within(kLong)).Reply();
  ASSERT_TRUE(FailedWith(reply, ErrorCode::kInternal));
  EXPECT_NE(reply.error().Line().find("no-such-helper"), std::string::npos);
  ExpectNoChildLeft();
}

TEST_F(HelperProcessTest, SurvivesAHelperThatReadsNothing) {
  // Would be SIGPIPE, the end of a Perl daemon.
  auto helpers = Script("exec <&-; echo ok");
  EXPECT_EQ(helpers.RunOne(Requests()[0], Within(kLong)).end, HelperOutcome::End::kAnswered);
}

TEST_F(HelperProcessTest, EndsWithAHelperThatNeverStopsWriting) {
  auto helpers = Script("exec cat /dev/zero");
  EXPECT_EQ(helpers.RunOne(Requests()[0], Within(kLong)).end, HelperOutcome::End::kFailed);
}

TEST_F(HelperProcessTest, WorksInADaemonThatHasClosedItsStandardFiles) {
  auto helpers = Script("read -r line; echo \"ok $line\"");
  const UniqueFd input(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 100));
  const UniqueFd output(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 100));
  ::close(STDIN_FILENO);
  ::close(STDOUT_FILENO);
  const auto reply = helpers.RunOne(Secret("hello\n"), Within(kLong)).Reply();
  ::dup2(output.get(), STDOUT_FILENO);
  if (input) ::dup2(input.get(), STDIN_FILENO);
  ASSERT_TRUE(reply.ok()) << reply.error().Line();
  EXPECT_EQ(reply->text, "hello");
}

TEST_F(HelperProcessTest, RefusesARequestThatMightBlock) {
  auto helpers = Script("echo ok");
  const auto outcome = helpers.RunOne(Secret(std::string(4097, 'x')), Within(kLong));
  EXPECT_EQ(outcome.end, HelperOutcome::End::kFailed);
}

}  // namespace
}  // namespace ontapnvme::nvme
