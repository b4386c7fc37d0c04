// SPDX-License-Identifier: AGPL-3.0-or-later
#include "nvme/linux_host.h"

#include <gtest/gtest.h>
#include <sys/sysmacros.h>

#include "fakes/nvme_fakes.h"
#include "fakes/sysfs_tree.h"

namespace ontapnvme::nvme {
namespace {

class LinuxHostTest : public testing::Test {
 protected:
  LinuxHostTest() : host_(Options()) {
    tree_.AddSubsystem(0, kNqn);
    tree_.AddController(0, 1, "10.0.0.1");
    tree_.Write("proc/self/mountinfo", "");
    wanted_.uuid = TestUuid(1);
    wanted_.subsystem_nqn = kNqn;
    wanted_.size = GiB(1);
  }
  LinuxHostOptions Options() {
    LinuxHostOptions options;
    options.sys_root = tree_.sys();
    options.dev_root = tree_.dev();
    options.proc_root = tree_.proc();
    options.etc_root = tree_.Path("etc");
    options.modules_root = tree_.Path("modules");
    options.devices = &devices_;
    options.helpers = &helpers_;
    options.open_events = [this] {
      auto events = std::make_unique<FakeEvents>(clock_);
      events_ = events.get();
      return events;
    };
    return options;
  }

  SysfsTree tree_;
  FakeDevices devices_;
  FakeHelpers helpers_;
  HandClock clock_;
  FakeEvents* events_ = nullptr;
  Deadline deadline_{clock_, Duration(10000)};
  LinuxHost host_;
  WantedDevice wanted_;
};

TEST_F(LinuxHostTest, ChecksTheNodeBeforeItsIdentity) {
  EXPECT_TRUE(FailedWith(host_.Identity(), ErrorCode::kUnsupported)) << "no files";
  tree_.Write("etc/nvme/hostnqn", "nqn.2014-08.com.example:node1\n");
  tree_.Write("etc/nvme/hostid", "3c2f4d1e-0a1b-4c2d-8e3f-112233445566\n");
  EXPECT_EQ(host_.Identity()->host_nqn, "nqn.2014-08.com.example:node1");
  tree_.Write("sys/module/nvme_core/parameters/multipath", "N\n");
  EXPECT_TRUE(FailedWith(host_.Identity(), ErrorCode::kUnsupported));
}

TEST_F(LinuxHostTest, FindsOnlyTheRightSizeUnlessToldOtherwise) {
  tree_.AddHead(0, {.uuid = TestUuid(1).Text(), .size_bytes = 1U << 20U});
  EXPECT_TRUE(FailedWith(host_.Find(wanted_), ErrorCode::kConflict));
  EXPECT_EQ(host_.FindAnySize(wanted_)->size, MiB(1));
  wanted_.size = MiB(1);
  EXPECT_TRUE(host_.Find(wanted_).ok());
}

TEST_F(LinuxHostTest, HandsOutOnlyWhatUdevHasALinkTo) {
  const std::string link = "dev/disk/by-id/nvme-uuid." + TestUuid(1).Text();
  tree_.AddHead(0, {.uuid = TestUuid(1).Text()});
  EXPECT_EQ(host_.Find(wanted_)->stable_path, tree_.Path(link));
  EXPECT_EQ(host_.DeviceAt(tree_.Path(link)).name, "nvme0n1");
  tree_.Link("../../nvme0n9", link);  // of the device that had the UUID before
  EXPECT_TRUE(FailedWith(host_.Find(wanted_), ErrorCode::kDeviceMissing));
  EXPECT_EQ(host_.DeviceAt(tree_.Path(link)).name, "") << "it leads nowhere";
  tree_.Remove(link);
  const auto missing = host_.Find(wanted_);
  ASSERT_TRUE(FailedWith(missing, ErrorCode::kDeviceMissing));
  EXPECT_NE(missing.error().Line().find("systemd-udevd"), std::string::npos);
  EXPECT_TRUE(host_.FindAnySize(wanted_).ok()) << "its users are found all the same";
  EXPECT_TRUE(*host_.HasNamespace(TestUuid(1)));
  EXPECT_FALSE(*host_.HasNamespace(TestUuid(2)));
}

TEST_F(LinuxHostTest, WaitsOnTheWatchThatWasArmedBefore) {
  const auto watch = host_.Arm();
  events_->At(Duration(40), [this] { tree_.AddHead(0, {.uuid = TestUuid(1).Text()}); });
  EXPECT_TRUE(host_.WaitFor(*watch, wanted_, deadline_).ok());
  EXPECT_EQ(clock_.Elapsed(), Duration(40));
  events_->At(Duration(90), [this] { tree_.RemoveHead(0, "nvme0n1"); });
  EXPECT_TRUE(host_.WaitGone(*watch, TestUuid(1), deadline_).ok());
  EXPECT_EQ(clock_.Elapsed(), Duration(90));
}

TEST_F(LinuxHostTest, ConnectsAndDisconnectsThroughTheHelper) {
  ConnectSpec spec;
  spec.subsystem_nqn = kNqn;
  spec.host.host_nqn = "nqn.2014-08.org.nvmexpress:uuid:node";
  spec.paths = {{"10.0.0.1"}, {"10.0.0.2"}};
  EXPECT_EQ(host_.Connect(spec, deadline_).size(), 2U);
  EXPECT_TRUE(host_.Disconnect(kNqn, deadline_).ok());
  EXPECT_EQ(helpers_.requests.size(), 2U);
  EXPECT_EQ(host_.Controllers(kNqn)->size(), 1U);
}

TEST_F(LinuxHostTest, TellsWhoUsesADevice) {
  tree_.AddHead(0, {.uuid = TestUuid(1).Text()});
  const auto device = host_.Find(wanted_);
  ASSERT_TRUE(device.ok());
  EXPECT_FALSE(host_.Usage(*device).is_used) << host_.Usage(*device).by;
  devices_.claimed.insert(device->path);
  EXPECT_TRUE(host_.Usage(*device).is_used);
}

TEST_F(LinuxHostTest, FlushesOnlyWhereItDoesNotWait) {
  tree_.AddHead(0, {.uuid = TestUuid(1).Text()});
  const auto device = host_.Find(wanted_);
  devices_.namespaces[device->path];
  EXPECT_TRUE(host_.FlushCache(*device).ok());
  EXPECT_EQ(devices_.flushed, std::vector<std::string>{device->path});
  devices_.flush_failure = EACCES;
  EXPECT_TRUE(FailedWith(host_.FlushCache(*device), ErrorCode::kUnavailable));
  tree_.Write("sys/class/nvme/nvme1/state", "connecting\n");
  const auto dead = host_.FlushCache(*device);
  ASSERT_TRUE(FailedWith(dead, ErrorCode::kUnavailable));
  EXPECT_EQ(dead.error().Fact("paths"), "nvme1 connecting/optimized");
  EXPECT_EQ(devices_.flushed.size(), 2U);
}

}  // namespace
}  // namespace ontapnvme::nvme
