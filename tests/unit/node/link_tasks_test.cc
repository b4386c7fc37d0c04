// SPDX-License-Identifier: AGPL-3.0-or-later
#include "node/link_tasks.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <ctime>
#include <fstream>
#include <string>
#include <utility>

#include "fakes/other_task.h"
#include "fakes/temporary_folder.h"

namespace ontapnvme::node {
namespace {

using fakes::OtherTask;
using testing::ElementsAre;
using testing::IsEmpty;

class LinkTasksTest : public testing::Test {
 protected:
  fakes::TemporaryFolder folder;
  LinkTasks tasks{folder / "run", "tank"};
  std::string NoteOf(const std::string& link) { return folder / "run/tank.link-tasks/" + link; }
};

TEST_F(LinkTasksTest, WithoutNotesNothingHasEnded) {
  EXPECT_THAT(tasks.Ended(), IsEmpty());
  EXPECT_FALSE(tasks.OtherTask("a").has_value());
}

TEST_F(LinkTasksTest, LinkWaitsForTheLastOfItsTasks) {
  OtherTask first(tasks, "vm-100-disk-0@a");
  OtherTask second(tasks, "vm-100-disk-0@a");
  OtherTask other(tasks, "vm-100-disk-1@a");
  EXPECT_THAT(tasks.Ended(), IsEmpty());
  EXPECT_EQ(tasks.OtherTask("vm-100-disk-0@a"), "process " + std::to_string(first.pid()));
  first.End();
  EXPECT_THAT(tasks.Ended(), IsEmpty());
  EXPECT_EQ(tasks.OtherTask("vm-100-disk-0@a"), "process " + std::to_string(second.pid()));
  second.End();
  EXPECT_THAT(tasks.Ended(), ElementsAre("vm-100-disk-0@a"));
  EXPECT_FALSE(tasks.OtherTask("vm-100-disk-0@a").has_value());
  tasks.Forget("vm-100-disk-0@a");
  EXPECT_THAT(tasks.Ended(), IsEmpty());
}

TEST_F(LinkTasksTest, ThisProcessIsNoOtherTaskAndHasNotEnded) {
  tasks.Note("a");
  tasks.Note("a");
  EXPECT_FALSE(tasks.OtherTask("a").has_value());
  EXPECT_THAT(tasks.Ended(), IsEmpty());
  OtherTask task(tasks, "a");
  EXPECT_TRUE(tasks.OtherTask("a").has_value());
}

TEST_F(LinkTasksTest, NumberThatWasGivenAnewIsAnotherProcess) {
  tasks.Note("a");
  std::ofstream(NoteOf("a")) << ::getpid() << " 1\n";
  EXPECT_THAT(tasks.Ended(), ElementsAre("a"));
}

TEST_F(LinkTasksTest, NoteThatIsJustBeingWrittenIsNone) {
  tasks.Note("a");
  std::ofstream(NoteOf("b.tmp.123")) << "";
  EXPECT_THAT(tasks.Ended(), IsEmpty());
}

TEST_F(LinkTasksTest, WhatCannotBeReadHasNotEnded) {
  tasks.Note("a");
  for (const char* text : {"\n", "x\n", "1\n", "-1 1\n", "99999999999999999999 1\n", "0 1\n"}) {
    std::ofstream(NoteOf("a")) << text;
    EXPECT_THAT(tasks.Ended(), IsEmpty()) << text;
  }
  std::ofstream(NoteOf("a")) << "";
  EXPECT_THAT(tasks.Ended(), ElementsAre("a")) << "nobody";
}

// As Proxmox's daemons and tasks call themselves.
class Named {
 public:
  explicit Named(const std::string& name) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::execl("/bin/sleep", name.c_str(), "600", nullptr);
      ::_exit(1);
    }
    ::close(ends[1]);
    char byte = 0;
    EXPECT_EQ(::read(ends[0], &byte, 1), 0) << "it runs under its name by now";
    ::close(ends[0]);
  }
  ~Named() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Named(const Named&) = delete;
  Named& operator=(const Named&) = delete;
  std::string Line() const {
    std::ifstream stat("/proc/" + std::to_string(pid_) + "/stat");
    std::string field;
    for (int i = 0; i < 22; ++i) stat >> field;
    return std::to_string(pid_) + " " + field + "\n";
  }

 private:
  pid_t pid_ = 0;
};

TEST_F(LinkTasksTest, DaemonCountsForSomeMinutesAndATaskUntilItEnds) {
  for (const auto& [name, has_ended] :
       {std::pair("pvedaemon worker", true), {"pvestatd", true}, {"task UPID:node1:x", false}}) {
    SCOPED_TRACE(name);
    const Named process(name);
    tasks.Note("a");
    std::ofstream(NoteOf("a")) << process.Line();
    EXPECT_THAT(tasks.Ended(), IsEmpty()) << "it has just asked";
    EXPECT_TRUE(tasks.IsAwaited("a"));
    const timeval then{.tv_sec = ::time(nullptr) - 400, .tv_usec = 0};
    const std::array<timeval, 2> times{then, then};
    ASSERT_EQ(::utimes(NoteOf("a").c_str(), times.data()), 0);
    EXPECT_EQ(!tasks.Ended().empty(), has_ended);
    EXPECT_EQ(!tasks.IsAwaited("a"), has_ended);
    EXPECT_EQ(!tasks.OtherTask("a").has_value(), has_ended);
    tasks.Forget("a");
  }
}

TEST_F(LinkTasksTest, WhoeverAskedIsAwaitedEvenThisProcess) {
  EXPECT_FALSE(tasks.IsAwaited("a"));
  tasks.Note("a");
  EXPECT_TRUE(tasks.IsAwaited("a"));
}

TEST_F(LinkTasksTest, NothingStaysWhenAllIsForgotten) {
  tasks.Note("a");
  tasks.Note("b");
  tasks.ForgetAll();
  EXPECT_NE(::access((folder / "run/tank.link-tasks").c_str(), F_OK), 0);
}

}  // namespace
}  // namespace ontapnvme::node
