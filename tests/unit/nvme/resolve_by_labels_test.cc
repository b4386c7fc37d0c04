// SPDX-License-Identifier: AGPL-3.0-or-later
#include "nvme/resolve_by_labels.h"

#include <gtest/gtest.h>

#include "fakes/nvme_fakes.h"
#include "fakes/sysfs_tree.h"

namespace ontapnvme::nvme {
namespace {

class ResolveByLabelsTest : public testing::Test {
 protected:
  ResolveByLabelsTest() {
    tree_.AddSubsystem(0, kNqn);
    tree_.AddController(0, 1, "10.0.0.1");
    wanted_.uuid = TestUuid(1);
    wanted_.subsystem_nqn = kNqn;
    wanted_.svm_name = "svm1";
    wanted_.volume_name = "vol1";
  }
  FakeNamespace& Add(unsigned subsystem, unsigned head, unsigned id, const std::string& svm,
                     const std::string& volume) {
    const std::string name =
        tree_.AddHead(subsystem, {.uuid = "", .head = head, .nsid = 100 + head});
    auto& device = devices_.namespaces[dev_.Full(name)];
    device.descriptors = DescriptorPage({{3, TestUuid(id)}});
    device.labels = LabelPage::Of(svm, volume, "ns");
    return device;
  }
  Result<std::string> Resolve(LabelScope scope = LabelScope::kEveryHead) {
    return ResolveByLabels(sys_, dev_, reader_, wanted_, scope);
  }

  SysfsTree tree_;
  RootedFiles sys_{tree_.sys()}, dev_{tree_.dev()};
  FakeDevices devices_;
  LabelReader reader_{devices_};
  WantedDevice wanted_;
};

TEST_F(ResolveByLabelsTest, FindsTheDeviceByWhatItSaysItself) {
  Add(0, 1, 2, "svm1", "vol2");
  Add(0, 2, 1, "svm1", "vol1");
  EXPECT_EQ(*Resolve(), "nvme0n2");
}

TEST_F(ResolveByLabelsTest, DoesNotTakeAnEqualPathOfAnotherArray) {
  // Two arrays, or two SVMs, with the same volume and namespace names: only the UUID tells.
  Add(0, 1, 9, "svm1", "vol1");
  EXPECT_TRUE(FailedWith(Resolve(), ErrorCode::kDeviceMissing));
  tree_.AddSubsystem(1, "nqn.1992-08.com.netapp:sn.other:subsystem.pve");
  tree_.AddController(1, 5, "10.1.0.1");
  Add(1, 1, 1, "svm1", "vol1");
  EXPECT_TRUE(FailedWith(Resolve(), ErrorCode::kDeviceMissing)) << "another subsystem";
}

TEST_F(ResolveByLabelsTest, DoesNotTakeTheUuidWithOtherLabels) {
  Add(0, 1, 1, "svm2", "vol1");
  EXPECT_TRUE(FailedWith(Resolve(), ErrorCode::kDeviceMissing));
  wanted_.svm_name.clear();
  EXPECT_EQ(*Resolve(), "nvme0n1") << "an empty name matches any";
}

TEST_F(ResolveByLabelsTest, AsksNoDeviceWithoutALivePath) {
  Add(0, 1, 1, "svm1", "vol1");
  tree_.Write("sys/class/nvme/nvme1/state", "connecting\n");
  const auto missing = Resolve();
  ASSERT_TRUE(FailedWith(missing, ErrorCode::kDeviceMissing));
  EXPECT_EQ(missing.error().sentence(), "0 devices asked, none is it, 1 have no live path");
  EXPECT_TRUE(devices_.commands.empty());
}

TEST_F(ResolveByLabelsTest, StopsAtTheFirstDeviceThatDoesNotAnswer) {
  Add(0, 1, 2, "svm1", "vol2").model_status = -ETIMEDOUT;
  Add(0, 2, 1, "svm1", "vol1");
  const auto missing = Resolve();
  ASSERT_TRUE(FailedWith(missing, ErrorCode::kDeviceMissing));
  EXPECT_EQ(devices_.commands.size(), 1U);
  EXPECT_NE(missing.error().sentence().find("identify controller: Connection timed out"),
            std::string::npos)
      << missing.error().sentence();
}

TEST_F(ResolveByLabelsTest, CanLeaveOutWhatTheKernelHasIdentified) {
  tree_.AddHead(0, {.uuid = TestUuid(7).Text(), .head = 1});
  Add(0, 2, 1, "svm1", "vol1");
  EXPECT_EQ(*Resolve(LabelScope::kHeadsWithoutUuid), "nvme0n2");
  EXPECT_EQ(devices_.commands.size(), 3U) << "only the one without a UUID was asked";
}

TEST_F(ResolveByLabelsTest, SaysThatTheTargetHasNoLabels) {
  Add(0, 1, 1, "svm1", "vol1").labels_status = 0x4109;
  const auto missing = Resolve();
  EXPECT_EQ(missing.error().sentence(),
            "1 devices asked, none is it, 1 gave no labels (log page C2h: NVMe status 0x109)");
}

}  // namespace
}  // namespace ontapnvme::nvme
