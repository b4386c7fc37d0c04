// SPDX-License-Identifier: AGPL-3.0-or-later
#include "nvme/device_resolver.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <limits>

#include "fakes/nvme_fakes.h"
#include "fakes/sysfs_tree.h"

namespace ontapnvme::nvme {
namespace {

class DeviceResolverTest : public testing::Test {
 protected:
  DeviceResolverTest() {
    tree_.AddSubsystem(0, kNqn);
    tree_.AddController(0, 1, "10.0.0.1");
    tree_.AddController(0, 2, "10.0.0.2");
    wanted_.uuid = TestUuid(1);
    wanted_.subsystem_nqn = kNqn;
    wanted_.size = GiB(1);
    wanted_.svm_name = "svm1";
    wanted_.volume_name = "vol1";
  }
  std::string Add(FakeHead head, unsigned subsystem = 0) {
    const std::string name = tree_.AddHead(subsystem, head);
    devices_.namespaces[dev_.Full(name)].labels = LabelPage::Of("svm1", "vol1", "ns");
    return name;
  }
  Result<Device> ResolveBy(Strategy strategy) {
    return resolver_.ResolveBy(strategy, wanted_, Deadline(clock_, Duration(1000)));
  }

  SysfsTree tree_;
  RootedFiles sys_{tree_.sys()}, dev_{tree_.dev()};
  FakeDevices devices_;
  FakeHelpers helpers_;
  HandClock clock_;
  DeviceResolver resolver_{sys_, dev_, devices_, helpers_};
  WantedDevice wanted_;
};

TEST_F(DeviceResolverTest, ProvesWhatItGives) {
  Add({.uuid = TestUuid(1).Text(), .head = 63, .nsid = 202});
  const auto device = resolver_.Find(wanted_);
  ASSERT_TRUE(device.ok()) << device.error().Line();
  EXPECT_EQ(device->name, "nvme0n63");
  EXPECT_EQ(device->path, dev_.Full("nvme0n63"));
  EXPECT_EQ(device->uuid, wanted_.uuid);
  EXPECT_EQ(device->subsystem_nqn, kNqn);
  EXPECT_EQ(device->size, GiB(1));
  EXPECT_EQ(device->live_paths, 2U);
  EXPECT_EQ(device->path_states, "nvme1 live/optimized, nvme2 live/optimized");
  EXPECT_EQ(device->found_by, "by-uuid");
  ASSERT_EQ(devices_.commands.size(), 1U) << "the labels";
  EXPECT_EQ(devices_.commands[0].nsid, 202U);
  EXPECT_TRUE(helpers_.requests.empty());
}

TEST_F(DeviceResolverTest, SendsNoCommandWhereNoLabelsAreWanted) {
  Add({.uuid = TestUuid(1).Text()});
  wanted_.svm_name.clear();
  wanted_.volume_name.clear();
  EXPECT_TRUE(resolver_.Find(wanted_).ok());
  EXPECT_TRUE(devices_.commands.empty());
}

TEST_F(DeviceResolverTest, RefusesAnotherSubsystemWithBothNqns) {
  const std::string other = "nqn.1992-08.com.netapp:sn.eeee:subsystem.pve";
  tree_.AddSubsystem(1, other);
  Add({.uuid = TestUuid(1).Text()}, 1);
  const auto conflict = resolver_.Find(wanted_);
  ASSERT_TRUE(FailedWith(conflict, ErrorCode::kConflict));
  EXPECT_EQ(conflict.error().Fact("found_subsystem_nqn"), other);
  EXPECT_EQ(conflict.error().Fact("expected_subsystem_nqn"), kNqn);
}

TEST_F(DeviceResolverTest, RefusesOtherLabelsWithBothNames) {
  const auto name = Add({.uuid = TestUuid(1).Text()});
  auto& labels = devices_.namespaces[dev_.Full(name)].labels;
  labels = LabelPage::Of("svm2", "vol1", "ns");
  auto conflict = resolver_.Find(wanted_);
  ASSERT_TRUE(FailedWith(conflict, ErrorCode::kConflict));
  EXPECT_EQ(conflict.error().Fact("found_svm"), "svm2");
  EXPECT_EQ(conflict.error().Fact("expected_svm"), "svm1");
  labels = LabelPage::Of("svm1", "vol2", "ns");
  conflict = resolver_.Find(wanted_);
  ASSERT_TRUE(FailedWith(conflict, ErrorCode::kConflict));
  EXPECT_EQ(conflict.error().Fact("found_volume"), "vol2");
}

TEST_F(DeviceResolverTest, IgnoresLabelsThatAreNotAnswered) {
  const auto name = Add({.uuid = TestUuid(1).Text()});
  auto& device = devices_.namespaces[dev_.Full(name)];
  for (const int status : {0x4109, -EAGAIN, -EACCES}) {
    device.labels_status = status;
    EXPECT_TRUE(resolver_.Find(wanted_).ok()) << status;
  }
  tree_.Write(SysfsTree::Subsystem(0) + "/model", "Linux\n");
  devices_.commands.clear();
  EXPECT_TRUE(resolver_.Find(wanted_).ok());
  EXPECT_TRUE(devices_.commands.empty()) << "no vendor command to another model";
}

TEST_F(DeviceResolverTest, GivesADeviceWithoutLivePathAndSaysSo) {
  Add({.uuid = TestUuid(1).Text()});
  for (const char* name : {"nvme1", "nvme2"}) {
    tree_.Write(std::string("sys/class/nvme/") + name + "/state", "connecting\n");
  }
  const auto device = resolver_.Find(wanted_);
  ASSERT_TRUE(device.ok());
  EXPECT_EQ(device->live_paths, 0U);
  EXPECT_EQ(device->path_states, "nvme1 connecting/optimized, nvme2 connecting/optimized");
  EXPECT_TRUE(devices_.commands.empty()) << "a command would wait";
}

TEST_F(DeviceResolverTest, TellsWhatEachStrategySaw) {
  Add({.uuid = TestUuid(2).Text()});
  const auto missing = resolver_.Find(wanted_);
  ASSERT_TRUE(FailedWith(missing, ErrorCode::kDeviceMissing));
  EXPECT_NE(missing.error().Fact("by-uuid"), "");
  EXPECT_NE(missing.error().Fact("labels"), "");
  EXPECT_EQ(missing.error().Fact("topology"), "") << "starts a process";
  EXPECT_TRUE(helpers_.requests.empty());
  EXPECT_TRUE(devices_.commands.empty());
}

TEST_F(DeviceResolverTest, WaitsForTheNodeOfADeviceThatHasJustCome) {
  const auto name = Add({.uuid = TestUuid(1).Text()});
  tree_.Remove("dev/" + name);
  const auto missing = resolver_.Find(wanted_);
  ASSERT_TRUE(FailedWith(missing, ErrorCode::kDeviceMissing));
  EXPECT_EQ(missing.error().Fact("by-uuid"), "device 'nvme0n1' has no device node yet");
}

TEST_F(DeviceResolverTest, LooksAtASizeApart) {
  Add({.uuid = TestUuid(1).Text(), .size_bytes = 1U << 20U});
  const auto device = resolver_.Find(wanted_);
  ASSERT_TRUE(device.ok());
  EXPECT_EQ(device->size, MiB(1));
  const auto status = CheckSize(*device, wanted_);
  ASSERT_TRUE(FailedWith(status, ErrorCode::kConflict));
  EXPECT_EQ(status.error().Fact("found_size_bytes"), "1048576");
  EXPECT_EQ(status.error().Fact("expected_size_bytes"), "1073741824");
}

TEST_F(DeviceResolverTest, FindsByLabelsWhatTheKernelCannotIdentify) {
  const auto name = Add({.uuid = "", .head = 4});
  devices_.namespaces[dev_.Full(name)].descriptors = DescriptorPage({{3, TestUuid(1)}});
  const auto device = resolver_.Find(wanted_);
  ASSERT_TRUE(device.ok()) << device.error().Line();
  EXPECT_EQ(device->found_by, "labels");
}

TEST_F(DeviceResolverTest, RunsEachStrategyAlone) {
  const auto name = Add({.uuid = TestUuid(1).Text(), .head = 4});
  devices_.namespaces[dev_.Full(name)].descriptors = DescriptorPage({{3, TestUuid(1)}});
  helpers_.answers = {FakeHelpers::Answer("ns nvme0n4 " + TestUuid(1).Text() + " x\nok\n")};
  for (const auto strategy : {Strategy::kByUuid, Strategy::kLabels, Strategy::kTopology}) {
    const auto device = ResolveBy(strategy);
    ASSERT_TRUE(device.ok()) << ToString(strategy) << ": " << device.error().Line();
    EXPECT_EQ(device->name, "nvme0n4");
    EXPECT_EQ(device->found_by, ToString(strategy));
  }
  EXPECT_EQ(helpers_.requests.size(), 1U);
  wanted_.uuid = TestUuid(77);
  helpers_.answers = {FakeHelpers::Answer("ok\n")};
  for (const auto strategy : {Strategy::kByUuid, Strategy::kLabels, Strategy::kTopology}) {
    const auto missing = ResolveBy(strategy);
    ASSERT_TRUE(FailedWith(missing, ErrorCode::kDeviceMissing));
    EXPECT_NE(missing.error().Fact(ToString(strategy)), "");
  }
}

TEST_F(DeviceResolverTest, DoesNotTrustWhatTheTopologySays) {
  Add({.uuid = TestUuid(2).Text(), .head = 4});
  helpers_.answers = {FakeHelpers::Answer("ns nvme0n4 " + TestUuid(1).Text() + " x\nok\n")};
  const auto conflict = ResolveBy(Strategy::kTopology);
  ASSERT_TRUE(FailedWith(conflict, ErrorCode::kConflict));
  EXPECT_EQ(conflict.error().Fact("found_uuid"), TestUuid(2).Text());
}

// The target is 200 us. Judged is only how it compares with reading one attribute, which is as slow
// as the machine is: the figures are for whoever reads the log.
TEST_F(DeviceResolverTest, CostsTheSameAmongAThousandNamespaces) {
  Add({.uuid = TestUuid(1).Text(), .head = 1});
  wanted_.svm_name.clear();
  wanted_.volume_name.clear();
  const auto cost = [&] {
    const auto before = sys_.operations() + dev_.operations();
    EXPECT_TRUE(resolver_.Find(wanted_).ok());
    return sys_.operations() + dev_.operations() - before;
  };
  const auto among_one = cost();
  for (unsigned i = 2; i <= 1000; ++i) tree_.AddHead(0, {.uuid = TestUuid(i).Text(), .head = i});
  EXPECT_LE(cost(), among_one);
  EXPECT_LE(cost(), 20U);

  // The quickest of several rounds: what else the machine does makes rounds slower, never quicker.
  const auto quickest_us = [](const auto& act) {
    constexpr int kRounds = 20;
    constexpr int kTimes = 20;
    double best = std::numeric_limits<double>::max();
    for (int round = 0; round < kRounds; ++round) {
      const auto start = std::chrono::steady_clock::now();
      for (int i = 0; i < kTimes; ++i) act();
      const std::chrono::duration<double, std::micro> took =
          std::chrono::steady_clock::now() - start;
      best = std::min(best, took.count() / kTimes);
    }
    return best;
  };
  const std::string attribute = SysfsTree::Subsystem(0).substr(4) + "/subsysnqn";
  ASSERT_TRUE(sys_.Attribute(attribute).has_value()) << attribute;
  const double one = quickest_us([&] { (void)sys_.Attribute(attribute); });
  const double resolution = quickest_us([&] { (void)resolver_.Find(wanted_); });
  std::cout << "[   COST   ] " << cost() << " file operations, " << resolution
            << " us per resolution among 1000 namespaces: " << resolution / one
            << " times reading one attribute (" << one << " us)\n";
  constexpr double kAttributesMax = 60;  // a search of the 1000 would be 1000 or more
  EXPECT_LT(resolution / one, kAttributesMax);
  EXPECT_TRUE(devices_.commands.empty()) << "no admin command";
  EXPECT_TRUE(helpers_.requests.empty()) << "no process";
}

}  // namespace
}  // namespace ontapnvme::nvme
