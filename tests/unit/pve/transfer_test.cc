// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/transfer.h"

#include <fcntl.h>

#include "base/unique_fd.h"
#include "operations_test.h"

namespace ontapnvme::pve {
namespace {

class TransferTest : public OperationsTest {
 protected:
  TransferTest() {
    Connect();
    const Uuid uuid = world.AddDisk("vm-100-disk-0").uuid;
    device = DevicePath(uuid).substr(folder.path().size() + 1);
    folder.Write(device, std::string(4096, 'x'));
  }
  UniqueFd Open(const std::string& name) {
    return UniqueFd(::open((folder / name).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  }
  std::string device;
};

TEST_F(TransferTest, DiskIsActivatedAndItsBytesGoOut) {
  const auto out = Open("out");
  ASSERT_TRUE(Succeeds(operations.transfer.Export(Name("vm-100-disk-0"), {}, out.get(), Budget())));
  EXPECT_EQ(folder.Read("out").substr(8), folder.Read(device));
  EXPECT_NE(LinkOf("vm-100-disk-0"), "");
}

TEST_F(TransferTest, WhatWentOutComesIn) {
  {
    const auto out = Open("stream");
    ASSERT_TRUE(operations.transfer.Export(Name("vm-100-disk-0"), {}, out.get(), Budget()).ok());
  }
  const Uuid target = world.AddDisk("vm-100-disk-1").uuid;
  const std::string name = DevicePath(target).substr(folder.path().size() + 1);
  folder.Write(name, std::string(4096, '\0'));
  const auto in = Open("stream");
  const auto size = operations.transfer.ReadImportSize(in.get());
  ASSERT_TRUE(Succeeds(size));
  EXPECT_EQ(*size, 4096U);
  ASSERT_TRUE(
      Succeeds(operations.transfer.Import(Name("vm-100-disk-1"), *size, in.get(), Budget())));
  EXPECT_EQ(folder.Read(name), std::string(4096, 'x'));
}

TEST_F(TransferTest, SnapshotGoesOutOfADeviceOfItsOwn) {
  world.AddSnapshot("vm-100-disk-0", "pve_snap_a", {});
  const auto out = Open("out");
  // The device is not there before: its file cannot be opened.
  EXPECT_FALSE(
      operations.transfer.Export(Name("vm-100-disk-0"), Snap("a"), out.get(), Budget()).ok());
  ASSERT_EQ(world.all().size(), 2U);
  EXPECT_EQ(LinkOf("vm-100-disk-0@a"), DevicePath(world.all().back().uuid));
}

TEST_F(TransferTest, FailureNamesTheVolume) {
  std::filesystem::remove(folder / device);
  const auto out = Open("out");
  const auto sent = operations.transfer.Export(Name("vm-100-disk-0"), {}, out.get(), Budget());
  ASSERT_FALSE(sent.ok());
  EXPECT_EQ(sent.error().sentence(), "cannot export volume 'vm-100-disk-0'");
  const auto in = Open("out");
  const auto received = operations.transfer.Import(Name("vm-100-disk-0"), 4096, in.get(), Budget());
  ASSERT_FALSE(received.ok());
  EXPECT_EQ(received.error().sentence(), "cannot import volume 'vm-100-disk-0'");
}

TEST_F(TransferTest, StoppedTaskStopsTheBytes) {
  interrupt.Raise();
  const auto out = Open("out");
  EXPECT_TRUE(FailedWith(operations.transfer.Export(Name("vm-100-disk-0"), {}, out.get(), Budget()),
                         ErrorCode::kInterrupted));
}

}  // namespace
}  // namespace ontapnvme::pve
