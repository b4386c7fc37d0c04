// SPDX-License-Identifier: AGPL-3.0-or-later
#include "node/lvm_filter.h"

#include <gmock/gmock.h>

#include "fakes/temporary_folder.h"

namespace ontapnvme::node {
namespace {

TEST(LvmFilterTest, WhatDebianAndProxmoxShipLetsLvmIn) {
  EXPECT_FALSE(KeepsLvmOut(""));
  EXPECT_FALSE(
      KeepsLvmOut("devices {\n\t# global_filter = [ \"r|.*|\" ]\n\tuse_devicesfile = 0\n}"));
  EXPECT_FALSE(
      KeepsLvmOut("devices {\n     # added by pve-manager to avoid scanning\n"
                  "     global_filter=[\"r|/dev/zd.*|\",\"r|/dev/rbd.*|\"]\n }\n"));
  EXPECT_FALSE(KeepsLvmOut("global_filter = [ \"a|/dev/nvme.*|\" ]"));
  EXPECT_FALSE(KeepsLvmOut("x = 1 # global_filter=[\"r|/dev/disk/by-ontapnvme/.*|\"]"));
}

TEST(LvmFilterTest, AFilterThatRejectsTheLinksTheDevicesOrTheRestKeepsItOut) {
  EXPECT_TRUE(
      KeepsLvmOut("devices {\n     global_filter=[\"r|/dev/zd.*|\",\"r|/dev/rbd.*|\","
                  "\"r|/dev/disk/by-ontapnvme/.*|\"]\n}"));
  EXPECT_TRUE(KeepsLvmOut("filter = [ \"a|/dev/sda3|\",\n  \"r|.*|\" ]"));
  EXPECT_TRUE(KeepsLvmOut("global_filter = \"r#/dev/nvme.*#\""));
  EXPECT_TRUE(KeepsLvmOut("devices { use_devicesfile = 1 }"));
}

TEST(LvmFilterTest, AnyFileIsReadToItsEnd) {
  EXPECT_FALSE(KeepsLvmOut("filter"));
  EXPECT_FALSE(KeepsLvmOut("filter ="));
  EXPECT_FALSE(KeepsLvmOut("filter = ["));
  EXPECT_FALSE(KeepsLvmOut("filter = [ \"a|x|"));
  EXPECT_FALSE(KeepsLvmOut("my_filter = \"r|.*|\""));
  EXPECT_FALSE(KeepsLvmOut("use_devicesfile = 10"));
  // Longer than any stack is deep.
  const std::string many(1'000'000, 'x');
  EXPECT_FALSE(KeepsLvmOut("filter = [ \"a|" + many + "|\" ]"));
  EXPECT_TRUE(KeepsLvmOut("filter = [ \"a|" + many + "|\", \"r|.*|\" ]"));
}

TEST(LvmFilterTest, TheWarningNamesTheLineAndTheFile) {
  const fakes::TemporaryFolder folder;
  const std::string file = folder / "lvm.conf";
  EXPECT_EQ(LvmWarning(file), "") << "a node without LVM";
  EXPECT_EQ(LvmWarning(""), "");
  folder.Write("lvm.conf", "devices {\n}\n");
  EXPECT_THAT(LvmWarning(file), testing::HasSubstr("\"r|/dev/disk/by-ontapnvme/.*|\""));
  EXPECT_THAT(LvmWarning(file), testing::HasSubstr(file));
  folder.Write("lvm.conf", "global_filter=[\"r|/dev/disk/by-ontapnvme/.*|\"]\n");
  EXPECT_EQ(LvmWarning(file), "");
}

}  // namespace
}  // namespace ontapnvme::node
