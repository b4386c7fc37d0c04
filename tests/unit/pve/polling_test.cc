// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/polling.h"

#include "operations_test.h"

namespace ontapnvme::pve {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class PollingTest : public OperationsTest {
 protected:
  PollingTest() { Connect(); }
  bool Check() { return operations.polling.CheckConnection(Budget()); }
  Result<CapacityInfo> Capacity() { return operations.polling.Capacity(Budget()); }
};

TEST_F(PollingTest, PollOfAHealthyStorageAsksOnce) {
  EXPECT_TRUE(Check());
  const auto capacity = Capacity();
  ASSERT_TRUE(Succeeds(capacity));
  EXPECT_EQ(capacity->total, GiB(100));
  EXPECT_THAT(world.TakeCalls(), ElementsAre("Capacity"));
}

TEST_F(PollingTest, FigureIsKeptForOneCallAndFiveSeconds) {
  EXPECT_TRUE(Check());
  ASSERT_TRUE(Capacity().ok());
  ASSERT_TRUE(Capacity().ok());
  EXPECT_EQ(world.TakeCalls().size(), 2U);
  EXPECT_TRUE(Check());
  clock.Advance(Duration(5001));
  ASSERT_TRUE(Capacity().ok());
  EXPECT_EQ(world.TakeCalls().size(), 2U);
}

TEST_F(PollingTest, SilentArrayIsUsableWhileAPathIsLive) {
  world.silence = Silence();
  EXPECT_TRUE(Check());
  host.controllers.clear();
  EXPECT_FALSE(Check());
}

TEST_F(PollingTest, SilentArrayOfWhichNothingIsKnownIsNotUsable) {
  array.Forget();
  world.silence = Silence();
  EXPECT_FALSE(Check());
}

TEST_F(PollingTest, SilentArrayIsNotWaitedForTwice) {
  world.silence = Silence();
  (void)Check();
  EXPECT_TRUE(FailedWith(Capacity(), ErrorCode::kUnavailable));
  EXPECT_EQ(world.TakeCalls().size(), 1U);
}

TEST_F(PollingTest, RefusalComesFromALivingArrayAndAStoppedTaskSaysNothing) {
  host.controllers.clear();
  world.FailNext("Capacity", Error(ErrorCode::kUnauthenticated, "wrong password"));
  EXPECT_TRUE(Check());
  world.FailNext("Capacity", Error(ErrorCode::kInterrupted, "stopped"));
  EXPECT_FALSE(Check());
}

}  // namespace
}  // namespace ontapnvme::pve
