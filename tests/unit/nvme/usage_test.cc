// SPDX-License-Identifier: AGPL-3.0-or-later
#include "nvme/usage.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <vector>

#include "base/unique_fd.h"
#include "fakes/nvme_fakes.h"
#include "fakes/sysfs_tree.h"
#include "nvme/topology.h"

namespace ontapnvme::nvme {
namespace {

constexpr const char* kRootMount = "21 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n";

class UsageTest : public testing::Test {
 protected:
  UsageTest() {
    tree_.AddSubsystem(0, kNqn);
    tree_.AddController(0, 1, "10.0.0.1");
    tree_.AddHead(0, {.uuid = TestUuid(1).Text()});
    device_.name = "nvme0n1";
    device_.path = tree_.Path("dev/nvme0n1");
    device_.live_paths = 1;
    tree_.Write("sys/class/block/nvme0n1/nvme0n1p1/dev", "259:50\n");
    tree_.Write("sys/class/block/nvme0n1/nvme0n1p1/partition", "1\n");
    tree_.Write("sys/class/block/nvme0n1/nvme0n1p1/holders/.keep", "");
    tree_.Remove("sys/class/block/nvme0n1/nvme0n1p1/holders/.keep");
    tree_.Write("proc/self/mountinfo", kRootMount);
    tree_.Write("proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n/dev/sda2 partition 1 0 -2\n");
    AddProcess("1", "systemd");
    devices_.numbers["/dev/nvme0n1"] = makedev(259, 1);
    devices_.numbers["/dev/nvme0n1p1"] = makedev(259, 50);
    devices_.numbers["/dev/sda2"] = makedev(8, 2);
  }
  void AddProcess(const std::string& pid, const std::string& program,
                  const std::string& mount_namespace = "mnt:[1]") {
    tree_.Write("proc/" + pid + "/comm", program + "\n");
    tree_.Write("proc/" + pid + "/mountinfo", kRootMount);
    tree_.Link(mount_namespace, "proc/" + pid + "/ns/mnt");
    tree_.Link("/dev/null", "proc/" + pid + "/fd/0");
    tree_.Link("socket:[1234]", "proc/" + pid + "/fd/3");
  }
  void OpenFile(const std::string& pid, const std::string& fd, const std::string& target,
                dev_t number) {
    tree_.Link(target, "proc/" + pid + "/fd/" + fd);
    devices_.numbers[tree_.Path("proc/" + pid + "/fd/" + fd)] = number;
  }
  DeviceUsage Usage() { return FindUsage(sys_, proc_, devices_, device_); }

  SysfsTree tree_;
  RootedFiles sys_{tree_.sys()}, proc_{tree_.proc()};
  FakeDevices devices_;
  Device device_;
};

TEST_F(UsageTest, SaysNoOnlyAfterLookingEverywhere) {
  AddProcess("77", "kvm");
  OpenFile("77", "12", "/dev/nvme0n2", makedev(259, 2));
  const auto usage = Usage();
  EXPECT_FALSE(usage.is_used) << usage.by;
}

TEST_F(UsageTest, SeesTheVirtualMachineThatHasItOpen) {
  AddProcess("4711", "kvm");
  OpenFile("4711", "12", "/dev/nvme0n1", makedev(259, 1));
  EXPECT_TRUE(Usage().is_used);
  EXPECT_EQ(Usage().by, "process 4711 (kvm)");
}

TEST_F(UsageTest, GoesByTheNumberNotTheName) {
  AddProcess("4711", "mysqld");
  OpenFile("4711", "5", "/dev/xvda (deleted)", makedev(259, 50));  // a node of a container
  EXPECT_EQ(Usage().by, "process 4711 (mysqld)");
}

TEST_F(UsageTest, LeavesOutItsOwnProcess) {
  const std::string self = std::to_string(::getpid());
  AddProcess(self, "test");
  OpenFile(self, "9", "/dev/nvme0n1", makedev(259, 1));
  EXPECT_FALSE(Usage().is_used);
}

TEST_F(UsageTest, DoesNotCountTheGlanceOfUdev) {
  AddProcess("300", "(udev-worker)");
  OpenFile("300", "9", "/dev/nvme0n1", makedev(259, 1));
  EXPECT_TRUE(Usage().is_used) << "a name alone proves nothing";
  tree_.Link("/usr/bin/udevadm", "proc/300/exe");
  EXPECT_FALSE(Usage().is_used);
}

TEST_F(UsageTest, SeesHoldersOfTheDiskAndOfItsPartitions) {
  tree_.Write("sys/class/block/nvme0n1/nvme0n1p1/holders/dm-3", "");
  EXPECT_EQ(Usage().by, "holder dm-3");
  tree_.Write("sys/class/block/nvme0n1/holders/md127", "");
  EXPECT_EQ(Usage().by, "holder md127");
}

TEST_F(UsageTest, SeesMountsOfEveryNamespace) {
  AddProcess("900", "init", "mnt:[2]");  // a container
  tree_.Write("proc/900/mountinfo",
              "40 30 259:50 / /var/lib/data rw shared:1 master:2 - ext4 /dev/nvme0n1p1 rw\n");
  EXPECT_EQ(Usage().by, "mounted at /var/lib/data");
}

TEST_F(UsageTest, SeesMountsOfFileSystemsWithNumbersOfTheirOwn) {
  tree_.Write("proc/self/mountinfo",
              std::string(kRootMount) + "41 21 0:44 /@ /mnt rw - btrfs /dev/nvme0n1 rw\n");
  EXPECT_EQ(Usage().by, "mounted at /mnt");
}

TEST_F(UsageTest, SeesSwapAndLoopDevices) {
  tree_.Write("proc/swaps", "Filename\n/dev/nvme0n1p1\tpartition\t1\t0\t-2\n");
  EXPECT_EQ(Usage().by, "swap on /dev/nvme0n1p1");
  tree_.Remove("proc/swaps");
  EXPECT_FALSE(Usage().is_used) << "a kernel without swap";
  tree_.Write("sys/class/block/loop3/loop/backing_file", "/dev/nvme0n1\n");
  EXPECT_EQ(Usage().by, "loop device loop3");
}

TEST_F(UsageTest, BelievesTheKernelsClaim) {
  devices_.claimed.insert(device_.path);
  EXPECT_TRUE(Usage().is_used);
  device_.live_paths = 0;
  EXPECT_FALSE(Usage().is_used) << "opening would wait";
}

TEST_F(UsageTest, CountsWhatCannotBeToldAsUsed) {
  // Loops of links give ELOOP, for root too.
  tree_.Remove("proc/1/fd");
  tree_.Link("fd", "proc/1/fd");
  auto usage = Usage();
  EXPECT_TRUE(usage.is_used);
  EXPECT_TRUE(usage.by.starts_with("unknown: cannot list")) << usage.by;
  tree_.Remove("proc/1/fd");
  tree_.Link("mountinfo", "proc/self/mountinfo");
  EXPECT_TRUE(Usage().by.starts_with("unknown: cannot open"));
  tree_.Write("sys/class/block/nvme0n1/dev", "259\n");
  EXPECT_TRUE(Usage().by.starts_with("unknown: no device number"));
  tree_.Remove("sys/class/block/nvme0n1");
  EXPECT_TRUE(Usage().by.starts_with("unknown: cannot list"));
}

TEST_F(UsageTest, ProcessWhoseMountsCannotBeToldApartIsUnknown) {
  tree_.Remove("proc/1/ns/mnt");
  tree_.Write("proc/1/ns/mnt", "");  // no link: the kernel's error for one that it cannot resolve
  EXPECT_TRUE(Usage().is_used);
  EXPECT_TRUE(Usage().by.starts_with("unknown: cannot read the link")) << Usage().by;
}

TEST_F(UsageTest, ClaimThatCannotBeTriedIsUnknown) {
  devices_.exclusive_failure = EMFILE;
  EXPECT_TRUE(Usage().by.starts_with("unknown: cannot open")) << Usage().by;
}

TEST_F(UsageTest, ReaderMayPassUnlessSomebodyElseUsesIt) {
  AddProcess("4711", "vgs");
  OpenFile("4711", "5", "/dev/nvme0n1", makedev(259, 1));
  EXPECT_FALSE(Usage().may_pass) << "how it is open cannot be read";
  tree_.Write("proc/4711/fdinfo/5", "pos:\t0\nflags:\t02100000\nmnt_id:\t5\n");
  auto usage = Usage();
  EXPECT_TRUE(usage.is_used);
  EXPECT_TRUE(usage.may_pass);
  EXPECT_EQ(usage.by, "process 4711 (vgs)");
  AddProcess("4712", "kvm");
  OpenFile("4712", "9", "/dev/nvme0n1", makedev(259, 1));
  tree_.Write("proc/4712/fdinfo/9", "pos:\t0\nflags:\t02100002\n");
  usage = Usage();
  EXPECT_FALSE(usage.may_pass);
  EXPECT_EQ(usage.by, "process 4712 (kvm)");
}

// Whatever is missing to look, the answer is never that nobody uses it.
TEST_F(UsageTest, WithoutFileDescriptorsItIsInUse) {
#if defined(__has_feature)
#if __has_feature(undefined_behavior_sanitizer)
  GTEST_SKIP() << "the sanitizer needs descriptors itself to look at objects";
#endif
#endif
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  std::vector<UniqueFd> free;
  for (int i = 0; i < 6; ++i) free.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const auto top = static_cast<rlim_t>(free.back().get()) + 1;
  const rlimit none{.rlim_cur = top, .rlim_max = before.rlim_max};
  int refused = 0;
  for (std::size_t left = 0; left <= free.size(); ++left) {
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    const auto usage = Usage();
    const auto is_here = Topology(sys_).HasNamespace(TestUuid(2));
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    const bool is_seen = is_here.ok();
    EXPECT_TRUE(usage.is_used || left > 0) << left;
    EXPECT_TRUE(!usage.is_used || usage.by.starts_with("unknown:")) << usage.by;
    refused += usage.is_used || !is_seen ? 1 : 0;
    if (!free.empty()) free.pop_back();
  }
  EXPECT_GE(refused, 1);
}

TEST_F(UsageTest, SkipsAProcessThatEndsMeanwhile) {
  tree_.Remove("proc/1/fd");
  tree_.Remove("proc/1/mountinfo");
  EXPECT_FALSE(Usage().is_used);
}

TEST_F(UsageTest, SurvivesMalformedMountLines) {
  tree_.Write("proc/self/mountinfo",
              "\n1\n1 2\n1 2 259:\n1 2 :1 / / -\n1 2 259:1x / /p rw - a b\n- - -");
  EXPECT_FALSE(Usage().is_used);
}

}  // namespace
}  // namespace ontapnvme::nvme
