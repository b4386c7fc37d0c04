// SPDX-License-Identifier: AGPL-3.0-or-later
#include "node/node_lock.h"

#include <gtest/gtest.h>

#include "fakes/fake_clock.h"
#include "fakes/temporary_folder.h"

namespace ontapnvme::node {
namespace {

class NodeLockTest : public testing::Test {
 protected:
  Deadline InTenSeconds() { return {clock, std::chrono::seconds(10), &interrupt}; }
  NodeLock Lock(const std::string& matter, const std::string& storage = "tank") const {
    return {folder / "run", storage, matter};
  }

  fakes::TemporaryFolder folder;
  fakes::FakeClock clock;
  fakes::FakeInterrupt interrupt;
};

TEST_F(NodeLockTest, OneTaskAtATimeHoldsIt) {
  auto held = Lock("matter").Take(InTenSeconds());
  ASSERT_TRUE(held.ok() && *held);
  EXPECT_TRUE(FailedWith(Lock("matter").Take(InTenSeconds()), ErrorCode::kTimedOut));
  EXPECT_EQ(clock.TakeSlept(), std::chrono::seconds(10)) << "waits as long as it may";
  held->Reset();
  const auto next = Lock("matter").Take(InTenSeconds());
  EXPECT_TRUE(next.ok() && *next);
  EXPECT_EQ(clock.TakeSlept(), Duration::zero());
}

TEST_F(NodeLockTest, OtherMattersAndStoragesDoNotWait) {
  const auto held = Lock("matter").Take(InTenSeconds());
  const auto other_matter = Lock("other").Take(InTenSeconds());
  const auto other_storage = Lock("matter", "pool").Take(InTenSeconds());
  EXPECT_TRUE(other_matter.ok() && *other_matter);
  EXPECT_TRUE(other_storage.ok() && *other_storage);
  EXPECT_EQ(clock.TakeSlept(), Duration::zero());
}

TEST_F(NodeLockTest, StoppedTaskWaitsNoLonger) {
  const auto held = Lock("matter").Take(InTenSeconds());
  interrupt.Raise();
  EXPECT_TRUE(FailedWith(Lock("matter").Take(InTenSeconds()), ErrorCode::kInterrupted));
  EXPECT_LT(clock.TakeSlept(), std::chrono::seconds(1));
}

TEST_F(NodeLockTest, WhereNoFileCanBeMadeTasksAreNotKeptApart) {
  const auto held = NodeLock(folder / "not/there", "tank", "matter").Take(InTenSeconds());
  EXPECT_TRUE(held.ok() && !*held);
}

TEST_F(NodeLockTest, LinkInPlaceOfTheFileIsNotFollowed) {
  std::filesystem::create_directory(folder / "run");
  std::filesystem::create_symlink(folder / "elsewhere", folder / "run/tank.matter.lock");
  const auto held = Lock("matter").Take(InTenSeconds());
  EXPECT_TRUE(held.ok() && !*held);
  EXPECT_FALSE(folder.Has("elsewhere"));
}

TEST_F(NodeLockTest, FileIsForRootOnlyAndGoesWithTheStorage) {
  { const auto held = Lock("matter").Take(InTenSeconds()); }
  EXPECT_EQ(folder.Mode("run"), 0700U);
  EXPECT_EQ(folder.Mode("run/tank.matter.lock"), 0600U);
  Lock("matter").Forget();
  Lock("matter").Forget();
  EXPECT_EQ(folder.Count("run"), 0U);
}

}  // namespace
}  // namespace ontapnvme::node
