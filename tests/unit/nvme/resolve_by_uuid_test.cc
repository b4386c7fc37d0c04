// SPDX-License-Identifier: AGPL-3.0-or-later
#include "nvme/resolve_by_uuid.h"

#include <gtest/gtest.h>

#include "fakes/nvme_fakes.h"
#include "fakes/sysfs_tree.h"

namespace ontapnvme::nvme {
namespace {

class ResolveByUuidTest : public testing::Test {
 protected:
  ResolveByUuidTest() {
    tree_.AddSubsystem(0, kNqn);
    tree_.AddController(0, 1, "10.0.0.1");
    tree_.AddController(0, 2, "10.0.0.2");
    wanted_.uuid = TestUuid(1);
    wanted_.subsystem_nqn = kNqn;
  }
  Result<std::string> Resolve() { return ResolveByUuid(sys_, dev_, wanted_); }
  std::string LinkPath() const { return "dev/disk/by-id/nvme-uuid." + wanted_.uuid.Text(); }

  SysfsTree tree_;
  RootedFiles sys_{tree_.sys()}, dev_{tree_.dev()};
  WantedDevice wanted_;
};

TEST_F(ResolveByUuidTest, FollowsTheLinkAndVerifiesOnce) {
  for (unsigned i = 1; i <= 50; ++i) tree_.AddHead(0, {.uuid = TestUuid(i).Text(), .head = i});
  wanted_.uuid = TestUuid(42);
  EXPECT_EQ(*Resolve(), "nvme0n42");
  EXPECT_EQ(dev_.operations(), 1U) << "one readlink";
  EXPECT_EQ(sys_.operations(), 1U) << "one read";
}

TEST_F(ResolveByUuidTest, ScansWhereUdevHasNotMadeTheLink) {
  tree_.AddHead(0, {.uuid = TestUuid(9).Text(), .head = 1});
  // The number behind the n is not the NSID.
  tree_.AddHead(0, {.uuid = TestUuid(1).Text(), .head = 63, .nsid = 202, .has_link = false});
  EXPECT_EQ(*Resolve(), "nvme0n63");
}

TEST_F(ResolveByUuidTest, FindsTheDeviceBehindAStaleLink) {
  tree_.AddHead(0, {.uuid = TestUuid(1).Text(), .head = 5, .has_link = false});
  tree_.Link("../../nvme0n77", LinkPath());
  EXPECT_EQ(*Resolve(), "nvme0n5") << "the link points nowhere";
  tree_.AddHead(0, {.uuid = TestUuid(2).Text(), .head = 6});
  tree_.Link("../../nvme0n6", LinkPath());
  EXPECT_EQ(*Resolve(), "nvme0n5") << "the kernel's name was given to another namespace";
}

TEST_F(ResolveByUuidTest, NeverGivesAPathOrAPartition) {
  tree_.AddHead(0, {.uuid = TestUuid(1).Text(), .head = 5, .has_link = false});
  for (const char* odd : {"nvme0c1n5", "nvme0n5p1", "sda", "../../../etc/passwd", "..", "/"}) {
    tree_.Write(std::string("sys/class/block/") + "nvme0c1n5/uuid", TestUuid(1).Text());
    tree_.Write(std::string("sys/class/block/") + "nvme0n5p1/uuid", TestUuid(1).Text());
    tree_.Link(odd, LinkPath());
    EXPECT_EQ(*Resolve(), "nvme0n5") << odd;
  }
}

TEST_F(ResolveByUuidTest, UsesTheWwidWhereThereIsNoUuid) {
  tree_.AddHead(0, {.uuid = "", .head = 3, .wwid = "uuid." + TestUuid(1).Text()});
  EXPECT_EQ(*Resolve(), "nvme0n3");
}

TEST_F(ResolveByUuidTest, PrefersTheWantedSubsystem) {
  tree_.AddSubsystem(1, std::string(kNqn) + "-two");
  tree_.AddHead(1, {.uuid = TestUuid(1).Text(), .head = 1, .has_link = false});
  EXPECT_EQ(*Resolve(), "nvme1n1") << "the proof refuses it, with both NQNs";
  tree_.AddHead(0, {.uuid = TestUuid(1).Text(), .head = 1, .has_link = false});
  EXPECT_EQ(*Resolve(), "nvme0n1");
}

TEST_F(ResolveByUuidTest, ReportsWhatItLookedAt) {
  tree_.AddHead(0, {.uuid = TestUuid(2).Text(), .head = 1});
  tree_.AddHead(0, {.uuid = std::string(5000, 'a'), .head = 2, .has_link = false});
  tree_.AddHead(0, {.uuid = std::string("6b1c\0011", 7), .head = 3, .has_link = false});
  const auto missing = Resolve();
  ASSERT_TRUE(FailedWith(missing, ErrorCode::kDeviceMissing));
  EXPECT_EQ(missing.error().sentence(),
            "no by-id link, none of 3 namespaces in sysfs has this UUID");
  tree_.Link("../../nvme0n1", LinkPath());
  EXPECT_EQ(Resolve().error().sentence(),
            "by-id link to 'nvme0n1' is stale, none of 3 namespaces in sysfs has this UUID");
}

TEST_F(ResolveByUuidTest, DoesNotCallUnreadableMissing) {
  tree_.Remove("sys/class/nvme-subsystem");
  tree_.Link("nvme-subsystem", "sys/class/nvme-subsystem");  // a loop: ELOOP
  EXPECT_TRUE(FailedWith(Resolve(), ErrorCode::kInternal));
}

}  // namespace
}  // namespace ontapnvme::nvme
