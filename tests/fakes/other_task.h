// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string>

#include "node/link_tasks.h"

namespace ontapnvme::fakes {

// Another process that notes the link and lives until it is ended.
class OtherTask {
 public:
  OtherTask(const node::LinkTasks& tasks, const std::string& link) {
    std::array<int, 2> noted{};
    EXPECT_EQ(::pipe(noted.data()), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      tasks.Note(link);
      (void)!::write(noted[1], "x", 1);
      while (true) ::pause();
    }
    ::close(noted[1]);
    char byte = 0;
    EXPECT_EQ(::read(noted[0], &byte, 1), 1);
    ::close(noted[0]);
  }
  ~OtherTask() { End(); }
  OtherTask(const OtherTask&) = delete;
  OtherTask& operator=(const OtherTask&) = delete;
  void End() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGKILL);
    EXPECT_EQ(::waitpid(pid_, nullptr, 0), pid_);
    pid_ = 0;
  }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = 0;
};

}  // namespace ontapnvme::fakes
