// SPDX-License-Identifier: AGPL-3.0-or-later
// Numbers and names that come to mean another namespace: whoever asks for a UUID gets that
// namespace, or none.
#include <gtest/gtest.h>

#include "fakes/nvme_fakes.h"
#include "fakes/sysfs_tree.h"
#include "nvme/device_resolver.h"

namespace ontapnvme::nvme {
namespace {

class DeviceIdentityTest : public testing::Test {
 protected:
  DeviceIdentityTest() {
    tree_.AddSubsystem(0, kNqn);
    tree_.AddController(0, 1, "10.0.0.1");
    tree_.AddController(0, 2, "10.0.0.2");
  }
  // A namespace of that number with the labels of volume vol<number>.
  void Add(unsigned number, unsigned head, unsigned nsid, std::uint64_t size_bytes = 1U << 30U) {
    const auto name = tree_.AddHead(0, {.uuid = TestUuid(number).Text(),
                                        .head = head,
                                        .nsid = nsid,
                                        .size_bytes = size_bytes,
                                        .has_link = false});
    auto& device = devices_.namespaces[dev_.Full(name)];
    device.labels = LabelPage::Of("svm1", "vol" + std::to_string(number), "ns");
    device.descriptors = DescriptorPage({{3, TestUuid(number)}});
  }
  void Link(unsigned number, unsigned head) {
    const std::string link = "dev/disk/by-id/nvme-uuid." + TestUuid(number).Text();
    tree_.Remove(link);
    tree_.Link("../../nvme0n" + std::to_string(head), link);
  }
  Result<Device> Find(unsigned number, const std::string& volume = "") {
    WantedDevice wanted;
    wanted.uuid = TestUuid(number);
    wanted.subsystem_nqn = kNqn;
    wanted.size = GiB(1);
    wanted.svm_name = "svm1";
    wanted.volume_name = volume.empty() ? "vol" + std::to_string(number) : volume;
    return resolver_.Find(wanted);
  }
  std::string NameOf(unsigned number) {
    const auto device = Find(number);
    return device.ok() ? device->name : std::string(ToString(device.error().code()));
  }

  SysfsTree tree_;
  RootedFiles sys_{tree_.sys()}, dev_{tree_.dev()};
  FakeDevices devices_;
  FakeHelpers helpers_;
  DeviceResolver resolver_{sys_, dev_, devices_, helpers_};
};

// A deleted disk's NSID goes to the next one, and so does the kernel's name.
TEST_F(DeviceIdentityTest, AnNsidThatIsUsedAgainIsAnotherNamespace) {
  Add(1, 3, 5);
  Link(1, 3);
  EXPECT_EQ(NameOf(1), "nvme0n3");
  tree_.RemoveHead(0, "nvme0n3");
  Add(2, 3, 5);  // udev has not yet seen either event: the old link stands, the new one does not
  EXPECT_EQ(NameOf(1), "device-missing");
  EXPECT_EQ(NameOf(2), "nvme0n3");
}

TEST_F(DeviceIdentityTest, KernelNamesThatAReconnectHasSwappedAreToldApart) {
  Add(1, 1, 1);
  Add(2, 2, 2);
  Link(1, 1);
  Link(2, 2);
  for (const char* name : {"nvme0n1", "nvme0n2"}) tree_.RemoveHead(0, name);
  Add(1, 2, 1);
  Add(2, 1, 2);  // the links are those of before
  EXPECT_EQ(NameOf(1), "nvme0n2");
  EXPECT_EQ(NameOf(2), "nvme0n1");
}

// A disk goes to another VM under a new name, and another disk gets the old name: what is asked for
// by the old UUID with the new owner of the name is neither.
TEST_F(DeviceIdentityTest, ANameThatIsUsedAgainIsNotTheOldNamespace) {
  Add(1, 1, 1);
  Add(2, 2, 2);
  Link(1, 1);
  Link(2, 2);
  const auto conflict = Find(1, "vol2");
  ASSERT_TRUE(FailedWith(conflict, ErrorCode::kConflict));
  EXPECT_EQ(conflict.error().Fact("found_volume"), "vol1");
  EXPECT_EQ(Find(2, "vol2")->name, "nvme0n2");
}

// A restore that makes a new namespace in place of the old one, under the same NSID.
TEST_F(DeviceIdentityTest, ANamespaceThatWasReplacedIsWaitedForNotTakenForTheOld) {
  Add(1, 1, 1);
  Link(1, 1);
  EXPECT_EQ(NameOf(2), "device-missing") << "the kernel still shows the old one";
  tree_.RemoveHead(0, "nvme0n1");
  Add(2, 1, 1);
  EXPECT_EQ(NameOf(2), "nvme0n1");
  EXPECT_EQ(NameOf(1), "device-missing") << "through the link that is left";
}

TEST_F(DeviceIdentityTest, ADeviceThatWasResizedElsewhereTellsBothSizes) {
  Add(1, 1, 1, 2U << 20U);
  Link(1, 1);
  const auto device = Find(1);
  ASSERT_TRUE(device.ok());
  WantedDevice wanted;
  wanted.uuid = TestUuid(1);
  wanted.size = GiB(1);
  const auto status = CheckSize(*device, wanted);
  ASSERT_TRUE(FailedWith(status, ErrorCode::kConflict));
  EXPECT_EQ(status.error().Fact("found_size_bytes"), std::to_string(2U << 20U));
}

}  // namespace
}  // namespace ontapnvme::nvme
