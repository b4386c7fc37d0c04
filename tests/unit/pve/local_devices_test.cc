// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/local_devices.h"

#include "unit/pve/operations_test.h"

namespace ontapnvme::pve {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class LocalDevicesTest : public OperationsTest {
 protected:
  LocalDevicesTest() {
    Connect();
    EXPECT_TRUE(Succeeds(operations.disk_making.Allocate(100, "", 1024, Budget())));
    const auto found = array.disks().FindNamespace(Name("vm-100-disk-0"), Budget());
    EXPECT_TRUE(found.is_present());
    const auto read = devices.Wanted(*found, Budget());
    EXPECT_TRUE(Succeeds(read));
    wanted = *read;
  }
  LocalDevices devices{config, array, host, log};
  nvme::WantedDevice wanted;
};

TEST_F(LocalDevicesTest, DeviceIsWantedWithAllThatItsNamespaceIs) {
  EXPECT_EQ(wanted.uuid, UuidOf("vm-100-disk-0"));
  EXPECT_EQ(wanted.svm_name, "svm1");
  EXPECT_EQ(wanted.size, ByteCount{1024 * 1024});
  EXPECT_FALSE(wanted.subsystem_nqn.empty());
  EXPECT_FALSE(wanted.volume_name.empty());
}

TEST_F(LocalDevicesTest, UnusedOrAbsentDevicesAreNobodys) {
  EXPECT_TRUE(
      Succeeds(devices.RequireUnused("cannot delete it", wanted, kScannerPatience, Budget())));
  hidden.insert(wanted.uuid);
  Use(wanted.uuid);
  EXPECT_TRUE(
      Succeeds(devices.RequireUnused("cannot delete it", wanted, kScannerPatience, Budget())));
}

TEST_F(LocalDevicesTest, UserIsNamed) {
  Use(wanted.uuid);
  const auto refused =
      devices.RequireUnused("cannot delete it", wanted, kScannerPatience, Budget());
  ASSERT_TRUE(FailedWith(refused, ErrorCode::kBusy));
  EXPECT_THAT(refused.error().Line(), HasSubstr("cannot delete it: "));
  EXPECT_THAT(refused.error().Line(), HasSubstr("process 12 (kvm)"));
}

TEST_F(LocalDevicesTest, WhatCannotBeToldIsInUse) {
  elsewhere.insert(wanted.uuid);  // a device with that UUID that is another subsystem's
  const auto refused =
      devices.RequireUnused("cannot delete it", wanted, kScannerPatience, Budget());
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().Line(), HasSubstr("cannot delete it"));
}

TEST_F(LocalDevicesTest, CacheIsDroppedWhereTheDeviceIs) {
  devices.FlushCache(wanted);
  EXPECT_THAT(host.flushed, SizeIs(1));
  host.flushed.clear();
  hidden.insert(wanted.uuid);
  devices.FlushCache(wanted);
  EXPECT_THAT(host.flushed, IsEmpty());
  EXPECT_THAT(TakeLines(LogLevel::kWarning), IsEmpty());
}

TEST_F(LocalDevicesTest, DeviceThatCannotBeLookedForIsInUse) {
  host.blindness = Error(ErrorCode::kInternal, "cannot list '/sys/class/nvme-subsystem'");
  const auto refused =
      devices.RequireUnused("cannot delete it", wanted, kScannerPatience, Budget());
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().Line(),
              HasSubstr("cannot delete it: it is unknown whether this node uses it"));
  EXPECT_THAT(refused.error().Line(), HasSubstr("nvme-subsystem"));
}

TEST_F(LocalDevicesTest, ScannerIsWaitedFor) {
  auto& usage = host.usage[wanted.uuid];
  usage = {.is_used = true, .by = "process 12 (vgs)", .may_pass = true};
  host.on_usage = [&, looks = 0]() mutable {
    if (++looks == 3) usage = {};
  };
  EXPECT_TRUE(
      Succeeds(devices.RequireUnused("cannot delete it", wanted, kScannerPatience, Budget())));
  EXPECT_EQ(clock.TakeSlept(), Duration(200));
  EXPECT_THAT(TakeLines(LogLevel::kInfo), testing::ElementsAre(HasSubstr("process 12 (vgs)")));
}

TEST_F(LocalDevicesTest, ReaderThatStaysUsesIt) {
  host.usage[wanted.uuid] = {.is_used = true, .by = "process 12 (kvm)", .may_pass = true};
  const auto refused =
      devices.RequireUnused("cannot delete it", wanted, kScannerPatience, Budget());
  ASSERT_TRUE(FailedWith(refused, ErrorCode::kBusy));
  EXPECT_THAT(refused.error().Line(), HasSubstr("process 12 (kvm)"));
  EXPECT_EQ(clock.TakeSlept(), kScannerPatience);
}

}  // namespace
}  // namespace ontapnvme::pve
