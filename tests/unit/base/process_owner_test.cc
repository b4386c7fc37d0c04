// SPDX-License-Identifier: AGPL-3.0-or-later
#include "base/process_owner.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include "base/unique_fd.h"

namespace ontapnvme {
namespace {

TEST(ProcessOwnerTest, AChildIsNotTheOwnerUntilItTakesOver) {
  ProcessOwner owner;
  EXPECT_TRUE(owner.IsThisProcess());
  const pid_t child = ::fork();
  if (child == 0) {
    const bool was_foreign = !owner.IsThisProcess();
    owner.TakeOver();
    ::_exit(was_foreign && owner.IsThisProcess() ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(owner.IsThisProcess());
}

TEST(UniqueFdTest, ClosesWhatItOwnsOnce) {
  int number = -1;
  {
    UniqueFd fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    ASSERT_TRUE(fd);
    number = fd.get();
    UniqueFd other = std::move(fd);
    EXPECT_FALSE(fd);  // NOLINT: the state after a move is part of the contract
    EXPECT_EQ(other.get(), number);
  }
  EXPECT_EQ(::fcntl(number, F_GETFD), -1);
}

}  // namespace
}  // namespace ontapnvme
