// SPDX-License-Identifier: AGPL-3.0-or-later
#include "nvme/device_wait.h"

#include <gtest/gtest.h>

#include "fakes/nvme_fakes.h"
#include "fakes/sysfs_tree.h"

namespace ontapnvme::nvme {
namespace {

class DeviceWaitTest : public testing::Test {
 protected:
  DeviceWaitTest() {
    tree_.AddSubsystem(0, kNqn);
    tree_.AddController(0, 1, "10.0.0.1");
    tree_.AddController(0, 2, "10.0.0.2", "connecting");
    tree_.AddSubsystem(3, "nqn.2014-08.com.example:other");
    tree_.AddController(3, 7, "10.0.0.7");
    wanted_.uuid = TestUuid(1);
    wanted_.subsystem_nqn = kNqn;
    wanted_.size = GiB(1);
  }
  Result<Device> Wait(Duration budget = Duration(20000)) {
    return WaitForDevice(resolver_, connections_, events_, wanted_,
                         Deadline(clock_, budget, &interrupt_));
  }
  Status WaitGone(Duration budget = Duration(20000)) {
    return WaitUntilGone(sys_, dev_, connections_, events_, wanted_.uuid,
                         Deadline(clock_, budget, &interrupt_));
  }
  void AddWanted() { tree_.AddHead(0, {.uuid = TestUuid(1).Text()}); }
  std::string Rescan(const std::string& controller) {
    return tree_.Read("sys/class/nvme/" + controller + "/rescan_controller");
  }
  void ForgetRescan() { tree_.Write("sys/class/nvme/nvme1/rescan_controller", ""); }

  SysfsTree tree_;
  RootedFiles sys_{tree_.sys()}, dev_{tree_.dev()};
  FakeDevices devices_;
  FakeHelpers helpers_;
  HandClock clock_;
  FlagInterrupt interrupt_;
  FakeEvents events_{clock_};
  Connections connections_{sys_, helpers_};
  DeviceResolver resolver_{sys_, dev_, devices_, helpers_};
  WantedDevice wanted_;
};

TEST_F(DeviceWaitTest, GivesADeviceThatIsThereWithoutWaiting) {
  AddWanted();
  EXPECT_TRUE(Wait().ok());
  EXPECT_EQ(events_.waits, 0);
  EXPECT_EQ(clock_.Elapsed(), Duration(0));
}

TEST_F(DeviceWaitTest, WakesByTheEvent) {
  events_.At(Duration(37), [this] { AddWanted(); });
  EXPECT_TRUE(Wait().ok());
  EXPECT_EQ(clock_.Elapsed(), Duration(37));
  EXPECT_EQ(Rescan("nvme1"), "");
}

TEST_F(DeviceWaitTest, WaitsForTheLinkThatUdevMakesAfterTheEvent) {
  const std::string link = "dev/disk/by-id/nvme-uuid." + TestUuid(1).Text();
  tree_.AddHead(0, {.uuid = TestUuid(1).Text(), .has_link = false});
  events_.At(
      Duration(30), [&] { tree_.Link("../../nvme0n1", link); }, false);
  const auto device = Wait();
  ASSERT_TRUE(device.ok());
  EXPECT_EQ(device->stable_path, tree_.Path(link));
  EXPECT_LE(clock_.Elapsed(), Duration(50));
}

TEST_F(DeviceWaitTest, IsNotGoneWhileItCannotBeLookedFor) {
  AddWanted();
  tree_.Link("uuid", SysfsTree::Subsystem(0) + "/nvme0n1/uuid");  // ELOOP
  EXPECT_FALSE(WaitGone().ok());
}

TEST_F(DeviceWaitTest, LooksByItselfWhenTheEventIsLost) {
  events_.At(
      Duration(300), [this] { AddWanted(); }, false);
  EXPECT_TRUE(Wait().ok());
  EXPECT_LE(clock_.Elapsed(), Duration(500));
}

TEST_F(DeviceWaitTest, RescansItsOwnLiveControllersAfterASecondOfSilence) {
  events_.At(
      Duration(999), [this] { EXPECT_EQ(Rescan("nvme1"), ""); }, false);
  events_.At(
      Duration(1300),
      [this] {
        EXPECT_EQ(Rescan("nvme1"), "1");
        EXPECT_EQ(Rescan("nvme2"), "") << "it is not live";
        EXPECT_EQ(Rescan("nvme7"), "") << "it belongs to another subsystem";
        AddWanted();
      },
      false);
  EXPECT_TRUE(Wait().ok());
}

TEST_F(DeviceWaitTest, RescansAtMostEveryFiveSeconds) {
  events_.At(
      Duration(2000), [this] { ForgetRescan(); }, false);
  events_.At(
      Duration(5900), [this] { EXPECT_EQ(Rescan("nvme1"), ""); }, false);
  events_.At(
      Duration(6700), [this] { EXPECT_EQ(Rescan("nvme1"), "1"); }, false);
  EXPECT_FALSE(Wait(Duration(10000)).ok());
}

TEST_F(DeviceWaitTest, DoesNotRescanWhileEventsArrive) {
  for (int i = 1; i < 10; ++i) events_.At(Duration(i * 400), [] {});
  events_.At(Duration(4000), [this] {
    EXPECT_EQ(Rescan("nvme1"), "");
    AddWanted();
  });
  EXPECT_TRUE(Wait().ok());
}

TEST_F(DeviceWaitTest, WaitsForASizeThatIsStillTheOldOne) {
  tree_.AddHead(0, {.uuid = TestUuid(1).Text(), .size_bytes = 1U << 29U});
  events_.At(Duration(55), [this] { AddWanted(); });
  const auto device = Wait();
  ASSERT_TRUE(device.ok());
  EXPECT_EQ(device->size, GiB(1));
  EXPECT_EQ(clock_.Elapsed(), Duration(55));
}

TEST_F(DeviceWaitTest, EndsWithBothSizesWhenTheSizeStaysWrong) {
  tree_.AddHead(0, {.uuid = TestUuid(1).Text(), .size_bytes = 1U << 29U});
  const auto conflict = Wait(Duration(8000));
  ASSERT_TRUE(FailedWith(conflict, ErrorCode::kConflict));
  EXPECT_EQ(conflict.error().Fact("expected_size_bytes"), "1073741824");
  EXPECT_LE(clock_.Elapsed(), Duration(8000));
}

TEST_F(DeviceWaitTest, DoesNotWaitForAnotherSubsystemToBecomeRight) {
  tree_.AddHead(3, {.uuid = TestUuid(1).Text()});
  EXPECT_TRUE(FailedWith(Wait(), ErrorCode::kConflict));
  EXPECT_EQ(clock_.Elapsed(), Duration(0));
}

TEST_F(DeviceWaitTest, WaitsForALivePathAndTellsTheirStates) {
  AddWanted();
  tree_.Write("sys/class/nvme/nvme1/state", "connecting\n");
  events_.At(Duration(80), [this] { tree_.Write("sys/class/nvme/nvme2/state", "live\n"); });
  EXPECT_TRUE(Wait().ok());
  tree_.Write("sys/class/nvme/nvme2/state", "resetting\n");
  const auto dead = Wait(Duration(4000));
  ASSERT_TRUE(FailedWith(dead, ErrorCode::kUnavailable));
  EXPECT_EQ(dead.error().Fact("paths"), "nvme1 connecting/optimized, nvme2 resetting/optimized");
}

TEST_F(DeviceWaitTest, AsksTheTopologyOnceBeforeItGivesUp) {
  helpers_.answers = {FakeHelpers::Answer("ns nvme0n9 " + TestUuid(9).Text() + " x\nok\n")};
  const auto missing = Wait(Duration(8000));
  ASSERT_TRUE(FailedWith(missing, ErrorCode::kDeviceMissing));
  EXPECT_EQ(helpers_.requests.size(), 1U);
  for (const char* strategy : {"by-uuid", "labels", "topology"}) {
    EXPECT_NE(missing.error().Fact(strategy), "") << strategy;
  }
  EXPECT_EQ(clock_.Elapsed(), Duration(6000)) << "a quarter, at most two seconds, is kept for it";
}

TEST_F(DeviceWaitTest, StopsAtOnceWhenTheTaskIsStopped) {
  events_.At(
      Duration(700), [this] { interrupt_.is_pending = true; }, false);
  EXPECT_TRUE(FailedWith(Wait(), ErrorCode::kInterrupted));
  EXPECT_LE(clock_.Elapsed(), Duration(1000));
  EXPECT_TRUE(helpers_.requests.empty());
}

TEST_F(DeviceWaitTest, NeverOutlivesItsDeadline) {
  for (const int budget : {0, 1, 100, 250, 1000, 30000}) {
    const auto before = clock_.Elapsed();
    EXPECT_TRUE(FailedWith(Wait(Duration(budget)), ErrorCode::kDeviceMissing));
    EXPECT_LE(clock_.Elapsed() - before, Duration(budget));
  }
}

TEST_F(DeviceWaitTest, WaitsUntilTheDeviceIsGone) {
  EXPECT_TRUE(WaitGone().ok());
  AddWanted();
  events_.At(Duration(60), [this] { tree_.RemoveHead(0, "nvme0n1"); });
  EXPECT_TRUE(WaitGone().ok());
  EXPECT_EQ(clock_.Elapsed(), Duration(60));
}

TEST_F(DeviceWaitTest, NamesTheDeviceThatIsLeft) {
  AddWanted();
  const auto left = WaitGone(Duration(3000));
  ASSERT_TRUE(FailedWith(left, ErrorCode::kTimedOut));
  EXPECT_NE(left.error().Line().find("device 'nvme0n1' is still there"), std::string::npos);
  EXPECT_EQ(Rescan("nvme1"), "1");
  EXPECT_EQ(Rescan("nvme7"), "");
  interrupt_.is_pending = true;
  EXPECT_TRUE(FailedWith(WaitGone(), ErrorCode::kInterrupted));
}

TEST_F(DeviceWaitTest, DoesNotCallAnUnreadableTreeGone) {
  AddWanted();
  tree_.Remove("dev/disk");
  tree_.Remove("sys/class/nvme-subsystem");
  tree_.Link("nvme-subsystem", "sys/class/nvme-subsystem");
  EXPECT_TRUE(FailedWith(WaitGone(), ErrorCode::kInternal));
}

}  // namespace
}  // namespace ontapnvme::nvme
