// SPDX-License-Identifier: AGPL-3.0-or-later
#include "nvme/topology.h"

#include <gtest/gtest.h>

#include "fakes/nvme_fakes.h"
#include "fakes/sysfs_tree.h"

namespace ontapnvme::nvme {
namespace {

class TopologyTest : public testing::Test {
 protected:
  TopologyTest() {
    tree_.AddSubsystem(0, kNqn);
    tree_.AddController(0, 1, "10.0.0.1");
    tree_.AddController(0, 2, "fd00::2", "connecting");
    tree_.AddSubsystem(3, std::string(kNqn) + "2");
    tree_.AddController(3, 4, "10.0.0.9");
  }
  SysfsTree tree_;
  RootedFiles sys_{tree_.sys()};
  Topology topology_{sys_};
};

TEST_F(TopologyTest, ListsTheControllersOfOneSubsystemAndNotOfOneWhoseNqnBeginsAlike) {
  const auto controllers = topology_.Controllers(kNqn);
  ASSERT_TRUE(controllers.ok());
  ASSERT_EQ(controllers->size(), 2U);
  EXPECT_EQ((*controllers)[0].name, "nvme1");
  EXPECT_EQ((*controllers)[0].traddr, "10.0.0.1");
  EXPECT_EQ((*controllers)[0].trsvcid, "4420");
  EXPECT_EQ((*controllers)[0].transport, "tcp");
  EXPECT_TRUE((*controllers)[0].is_live());
  EXPECT_EQ((*controllers)[1].traddr, "fd00::2");
  EXPECT_FALSE((*controllers)[1].is_live());
  EXPECT_EQ(topology_.Controllers("")->size(), 3U);
}

TEST_F(TopologyTest, IsEmptyWithoutTheDriver) {
  tree_.Remove("sys/class/nvme");
  tree_.Remove("sys/class/nvme-subsystem");
  EXPECT_TRUE(topology_.Controllers(kNqn)->empty());
  EXPECT_TRUE(topology_.Heads("")->empty());
  EXPECT_TRUE(topology_.PathsOf("nvme0n1", kNqn).empty());
}

TEST_F(TopologyTest, LeavesOutAControllerThatGoesAwayWhileItIsRead) {
  tree_.Remove("sys/devices/virtual/nvme-fabrics/ctl/nvme1/state");
  EXPECT_EQ(topology_.Controllers(kNqn)->size(), 1U);
}

TEST(TopologyAddressTest, TakesWholeKeysOnly) {
  Controller controller;
  ParseAddress("host_traddr=10.9.9.9,traddr=10.0.0.1,trsvcid=4420,src_addr=10.0.0.5", controller);
  EXPECT_EQ(controller.traddr, "10.0.0.1");
  EXPECT_EQ(controller.trsvcid, "4420");
  for (const char* odd : {"", ",", ",,=,", "traddr", "trsvcid=", "0000:01:00.0"}) {
    Controller none;
    ParseAddress(odd, none);
    EXPECT_EQ(none.traddr, "") << odd;
  }
}

TEST_F(TopologyTest, ListsHeadsWithoutPathsPartitionsAndControllers) {
  tree_.AddHead(0, {.uuid = TestUuid(1).Text(), .head = 1});
  tree_.AddHead(0, {.uuid = TestUuid(2).Text(), .head = 2});
  tree_.Write(SysfsTree::Subsystem(0) + "/nvme0n1p1/partition", "1");
  tree_.Write(SysfsTree::Subsystem(0) + "/nvme0c1n1/hidden", "1");
  const auto heads = topology_.Heads(kNqn);
  ASSERT_EQ(heads->size(), 2U);
  EXPECT_EQ((*heads)[0].name, "nvme0n1");
  EXPECT_EQ((*heads)[1].subsystem_nqn, kNqn);
}

TEST_F(TopologyTest, CallsAPathLiveByControllerAndAna) {
  tree_.AddHead(0, {.uuid = TestUuid(1).Text(), .ana_state = "non-optimized"});
  auto paths = topology_.PathsOf("nvme0n1", kNqn);
  ASSERT_EQ(paths.size(), 2U);
  EXPECT_TRUE(paths[0].IsLive());
  EXPECT_FALSE(paths[1].IsLive());
  EXPECT_EQ(Describe(paths), "nvme1 live/non-optimized, nvme2 connecting/non-optimized");
  const std::string ana = "sys/class/nvme/nvme1/nvme0c1n1/ana_state";
  for (const char* state : {"inaccessible", "persistent-loss", "change"}) {
    tree_.Write(ana, state);
    EXPECT_FALSE(topology_.PathsOf("nvme0n1", kNqn)[0].IsLive()) << state;
  }
  tree_.Remove(ana);  // a target without ANA
  EXPECT_TRUE(topology_.PathsOf("nvme0n1", kNqn)[0].IsLive());
  EXPECT_EQ(Describe({}), "none");
}

TEST_F(TopologyTest, FallsBackToTheWwid) {
  const std::string uuid = TestUuid(7).Text();
  tree_.AddHead(0, {.uuid = "", .head = 1, .wwid = "uuid." + uuid});
  tree_.AddHead(0, {.uuid = "", .head = 2, .wwid = "eui.6b1c00112233445586778899aabb0007"});
  tree_.AddHead(0, {.uuid = "", .head = 3, .wwid = "eui.0025385b71b00001"});
  tree_.AddHead(0, {.uuid = "", .head = 4, .wwid = "nvme.1234-5678"});
  tree_.AddHead(0, {.uuid = "00000000-0000-0000-0000-000000000000", .head = 5});
  tree_.AddHead(0, {.uuid = "not a uuid", .head = 6, .wwid = "uuid." + uuid});
  EXPECT_EQ(topology_.UuidOf(BlockDirectory("nvme0n1")), TestUuid(7));
  EXPECT_EQ(topology_.UuidOf(BlockDirectory("nvme0n2")), TestUuid(7)) << "an NGUID";
  for (const char* none : {"nvme0n3", "nvme0n4", "nvme0n5", "nvme0n9"}) {
    EXPECT_EQ(topology_.UuidOf(BlockDirectory(none)), std::nullopt) << none;
  }
  EXPECT_EQ(topology_.UuidOf(BlockDirectory("nvme0n6")), TestUuid(7));
}

TEST_F(TopologyTest, NamespaceIsAbsentOnlyWhenEachOneSaysThatItIsAnother) {
  tree_.AddHead(0, {.uuid = TestUuid(1).Text(), .head = 1});
  tree_.AddHead(0, {.uuid = "", .head = 2, .wwid = "eui.0025385b71b00001"});  // a local disk
  EXPECT_TRUE(*topology_.HasNamespace(TestUuid(1)));
  EXPECT_FALSE(*topology_.HasNamespace(TestUuid(2)));
  // Loops of links give ELOOP, for root too.
  const std::string directory = SysfsTree::Subsystem(0) + "/nvme0n1";
  tree_.Link("uuid", directory + "/uuid");
  EXPECT_FALSE(topology_.HasNamespace(TestUuid(2)).ok());
  tree_.Remove(directory + "/uuid");
  EXPECT_TRUE(*topology_.HasNamespace(TestUuid(1))) << "by its wwid";
  tree_.Remove(directory + "/wwid");
  EXPECT_FALSE(topology_.HasNamespace(TestUuid(2)).ok()) << "it says nothing";
  tree_.RemoveHead(0, "nvme0n1");
  EXPECT_FALSE(*topology_.HasNamespace(TestUuid(1)));
  tree_.Link("subsysnqn", SysfsTree::Subsystem(0) + "/subsysnqn");
  EXPECT_FALSE(topology_.HasNamespace(TestUuid(2)).ok());
  EXPECT_FALSE(topology_.Heads(kNqn).ok()) << "they may be this subsystem's";
}

TEST_F(TopologyTest, RefusesSizesThatDoNotFit) {
  tree_.AddHead(0, {.uuid = TestUuid(1).Text(), .size_bytes = 4096});
  EXPECT_EQ(topology_.SizeOf("nvme0n1"), ByteCount(4096));
  tree_.Write("sys/class/block/nvme0n1/size", "36028797018963968\n");  // 2^64 bytes
  EXPECT_EQ(topology_.SizeOf("nvme0n1"), std::nullopt);
}

TEST_F(TopologyTest, RefusesAKernelWithoutNativeMultipath) {
  EXPECT_TRUE(topology_.RequireNativeMultipath().ok());
  tree_.Write("sys/module/nvme_core/parameters/multipath", "N\n");
  const auto off = topology_.RequireNativeMultipath();
  ASSERT_TRUE(FailedWith(off, ErrorCode::kUnsupported));
  EXPECT_NE(off.error().Line().find("nvme_core.multipath=N"), std::string::npos);
  tree_.Remove("sys/module/nvme_core/parameters");
  EXPECT_TRUE(FailedWith(topology_.RequireNativeMultipath(), ErrorCode::kUnsupported));
  tree_.Remove("sys/module/nvme_core");
  EXPECT_TRUE(topology_.RequireNativeMultipath().ok()) << "not loaded yet";
}

}  // namespace
}  // namespace ontapnvme::nvme
