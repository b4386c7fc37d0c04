// SPDX-License-Identifier: AGPL-3.0-or-later
#include "nvme/uevent_watch.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <random>
#include <string>

namespace ontapnvme::nvme {
namespace {

std::string Message(std::initializer_list<const char*> items) {
  std::string message;
  for (const char* item : items) message.append(item).push_back('\0');
  return message;
}

TEST(UeventTest, KnowsEventsOfNvme) {
  const char* const head = "DEVPATH=/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1";
  EXPECT_TRUE(IsNvmeUevent(Message(
      {"add@/devices/x", "ACTION=add", head, "SUBSYSTEM=block", "MAJOR=259", "DEVNAME=nvme0n1"})));
  EXPECT_TRUE(IsNvmeUevent(Message({"change@/x", head, "SUBSYSTEM=block", "RESIZE=1"})));
  EXPECT_TRUE(IsNvmeUevent(
      Message({"add@/devices/virtual/nvme-fabrics/ctl/nvme1",
               "DEVPATH=/devices/virtual/nvme-fabrics/ctl/nvme1/nvme0c1n1", "SUBSYSTEM=block"})));
  EXPECT_TRUE(IsNvmeUevent(Message({"change@/x", "SUBSYSTEM=nvme", "NVME_EVENT=connected"})));
  EXPECT_TRUE(IsNvmeUevent(Message({"add@/x", "SUBSYSTEM=nvme-subsystem"})));
}

TEST(UeventTest, LetsOthersPass) {
  EXPECT_FALSE(IsNvmeUevent(Message(
      {"change@/x", "DEVPATH=/devices/virtual/block/dm-3", "SUBSYSTEM=block", "DEVNAME=dm-3"})));
  EXPECT_FALSE(IsNvmeUevent(
      Message({"add@/x", "DEVPATH=/devices/virtual/nvme-generic/ng0n1", "SUBSYSTEM=tty"})));
  EXPECT_FALSE(IsNvmeUevent(Message({"add@/x", "SUBSYSTEM=net", "INTERFACE=nvme0"})));
  EXPECT_FALSE(IsNvmeUevent(""));
  EXPECT_FALSE(IsNvmeUevent(std::string(10, '\0')));
  EXPECT_FALSE(IsNvmeUevent("libudev"));
}

TEST(UeventTest, ReadsAnyBytesWithoutFault) {
  std::mt19937 random(3);
  for (int round = 0; round < 1000; ++round) {
    std::string text(random() % 200, '\0');
    for (auto& c : text) c = static_cast<char>(random());
    (void)IsNvmeUevent(text);
  }
}

TEST(UeventTest, OpensAndWaitsWithoutPrivilege) {
  const auto events = OpenUevents();
  // Whether the socket can be had here or not, a wait of no length comes back.
  EXPECT_FALSE(events->Wait(Duration(0)));
}

}  // namespace
}  // namespace ontapnvme::nvme
