// SPDX-License-Identifier: AGPL-3.0-or-later
#include "nvme/label_reader.h"

#include <gtest/gtest.h>

#include "fakes/nvme_fakes.h"

namespace ontapnvme::nvme {
namespace {

constexpr int kInvalidOpcode = 0x4001;  // with the do-not-retry bit, as a target sends it
constexpr int kInvalidField = 0x4002;
constexpr int kInvalidLogPage = 0x4109;
constexpr int kAnaTransition = 0x303;

class LabelReaderTest : public testing::Test {
 protected:
  LabelReaderTest() {
    auto& device = devices_.namespaces["/dev/nvme0n2"];
    device.labels = LabelPage::Of("svm1", "vol1", "ns1");
    device.descriptors = DescriptorPage({{2, TestUuid(8)}, {3, TestUuid(1)}});
  }
  FakeNamespace& device() { return devices_.namespaces["/dev/nvme0n2"]; }

  FakeDevices devices_;
  LabelReader reader_{devices_};
  LabelQuestion question_{"/dev/nvme0n2", 202, kNqn};
};

TEST_F(LabelReaderTest, AsksOneBoundedCommandForTheLabels) {
  const auto answer = reader_.Labels(question_);
  ASSERT_TRUE(answer.labels.has_value()) << answer.why_none;
  EXPECT_EQ(answer.labels->svm_name, "svm1");
  ASSERT_EQ(devices_.commands.size(), 1U);
  const auto& command = devices_.commands[0];
  EXPECT_EQ(command.opcode, 0x02);
  EXPECT_EQ(command.nsid, 202U);
  EXPECT_EQ(command.cdw10, 0x03FF01C2U);
  EXPECT_EQ(command.cdw11, 0U);
  EXPECT_EQ(command.data_len, 4096U);
  EXPECT_GT(command.timeout_ms, 0U);
  EXPECT_LE(command.timeout_ms, 2000U);
}

TEST_F(LabelReaderTest, IdentifiesByModelDescriptorsAndLabels) {
  const auto answer = reader_.Identify(question_);
  EXPECT_EQ(answer.uuid, TestUuid(1));
  EXPECT_TRUE(answer.labels.has_value());
  ASSERT_EQ(devices_.commands.size(), 3U);
  EXPECT_EQ(devices_.commands[0].cdw10, 1U);
  EXPECT_EQ(devices_.commands[1].cdw10, 3U);
  EXPECT_EQ(devices_.commands[1].nsid, 202U);
}

TEST_F(LabelReaderTest, SendsNoVendorCommandToAnotherModel) {
  device().model = ModelPage("Linux");
  const auto answer = reader_.Identify(question_);
  EXPECT_FALSE(answer.labels.has_value());
  EXPECT_EQ(answer.why_none, "model is 'Linux'");
  EXPECT_EQ(devices_.commands.size(), 1U);
}

TEST_F(LabelReaderTest, AsksASubsystemThatHasNoSuchPageOnce) {
  for (const int status : {kInvalidOpcode, kInvalidField, kInvalidLogPage}) {
    LabelReader reader(devices_);
    devices_.commands.clear();
    device().labels_status = status;
    EXPECT_FALSE(reader.Labels(question_).labels.has_value());
    EXPECT_FALSE(reader.Labels(question_).labels.has_value());
    EXPECT_EQ(devices_.commands.size(), 1U) << status;
    const auto other = reader.Labels({"/dev/nvme0n2", 202, "nqn.other"});
    EXPECT_EQ(devices_.commands.size(), 2U) << "another subsystem is asked";
  }
}

TEST_F(LabelReaderTest, AsksAgainAfterAFailureThatMayPass) {
  for (const int status : {kAnaTransition, -EAGAIN, -ETIMEDOUT, -EACCES, -EIO}) {
    device().labels_status = status;
    const auto answer = reader_.Labels(question_);
    EXPECT_FALSE(answer.labels.has_value());
    EXPECT_FALSE(answer.why_none.empty());
    EXPECT_EQ(answer.timed_out, status == -ETIMEDOUT);
  }
  device().labels_status = 0;
  EXPECT_TRUE(reader_.Labels(question_).labels.has_value());
}

TEST_F(LabelReaderTest, NamesTheStatus) {
  device().labels_status = kAnaTransition;
  EXPECT_EQ(reader_.Labels(question_).why_none, "log page C2h: NVMe status 0x303");
  device().labels_status = -EACCES;
  EXPECT_EQ(reader_.Labels(question_).why_none, "log page C2h: Permission denied");
}

TEST_F(LabelReaderTest, GivesNoLabelsOfTheDeviceAskedBefore) {
  EXPECT_TRUE(reader_.Labels(question_).labels.has_value());
  device().labels = LabelPage().Add(0x11, "svm1").page();
  const auto answer = reader_.Labels(question_);
  EXPECT_FALSE(answer.labels.has_value());
  EXPECT_EQ(answer.why_none, "log page C2h holds no complete names");
}

TEST_F(LabelReaderTest, GivesNoLabelsWhereTheDeviceCannotBeOpened) {
  const auto answer = reader_.Labels({"/dev/nvme9n9", 1, kNqn});
  EXPECT_FALSE(answer.labels.has_value());
  EXPECT_NE(answer.why_none.find("/dev/nvme9n9"), std::string::npos);
}

}  // namespace
}  // namespace ontapnvme::nvme
