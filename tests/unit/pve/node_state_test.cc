// SPDX-License-Identifier: AGPL-3.0-or-later
// What a node keeps in files: remembered facts and device links.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "fakes/fake_clock.h"
#include "pve/device_links.h"
#include "pve/node_lock.h"
#include "pve/node_memory.h"
#include "pve/node_turns.h"

namespace ontapnvme::pve {
namespace {

class NodeStateTest : public testing::Test {
 protected:
  NodeStateTest() {
    std::string pattern = testing::TempDir() + "/ontapnvme-node-XXXXXX";
    EXPECT_NE(mkdtemp(pattern.data()), nullptr);
    directory = pattern;
  }
  ~NodeStateTest() override { std::filesystem::remove_all(directory); }

  std::string directory;
};

ArrayFacts SomeFacts() {
  ArrayFacts facts;
  facts.release = {9, 16, 1};
  facts.svm_uuid = *Uuid::Parse("11111111-1111-1111-1111-111111111111");
  facts.subsystem_uuid = *Uuid::Parse("22222222-2222-2222-2222-222222222222");
  facts.subsystem_nqn = "nqn.1992-08.com.netapp:sn.aa:subsystem.pve";
  facts.host_nqn = "nqn.2014-08.org.nvmexpress:uuid:x";
  facts.lif_addresses = {"192.0.2.1", "2001:db8::1"};
  facts.is_aggregate_encrypted = true;
  facts.read_at_s = 1700000000;
  return facts;
}

TEST_F(NodeStateTest, FactsComeBackAsStored) {
  const NodeMemory memory(directory + "/run", "tank", "settings a");
  EXPECT_FALSE(memory.Load().has_value());
  memory.Store(SomeFacts());
  const auto facts = memory.Load();
  ASSERT_TRUE(facts.has_value());
  EXPECT_EQ(facts->release, (ontap::Release{9, 16, 1}));
  EXPECT_EQ(facts->subsystem_nqn, SomeFacts().subsystem_nqn);
  EXPECT_EQ(facts->lif_addresses, SomeFacts().lif_addresses);
  EXPECT_EQ(facts->read_at_s, 1700000000);
  EXPECT_TRUE(facts->is_aggregate_encrypted);
  memory.Forget();
  EXPECT_FALSE(memory.Load().has_value());
}

TEST_F(NodeStateTest, OneTaskAtATimeHoldsALock) {
  fakes::FakeClock clock;
  const Deadline deadline(clock, std::chrono::seconds(10));
  const NodeLock lock(directory + "/run", "tank", "matter");
  auto held = lock.Take(deadline);
  ASSERT_TRUE(held.ok() && *held);
  EXPECT_TRUE(FailedWith(NodeLock(directory + "/run", "tank", "matter").Take(deadline),
                         ErrorCode::kTimedOut));
  EXPECT_EQ(clock.TakeSlept(), std::chrono::seconds(10));
  const Deadline another(clock, std::chrono::seconds(10));
  EXPECT_TRUE(NodeLock(directory + "/run", "tank", "other").Take(another).ok());
  held->Reset();
  EXPECT_TRUE(lock.Take(another).ok());
}

TEST_F(NodeStateTest, WhereNoLockCanBeMadeNobodyWaits) {
  fakes::FakeClock clock;
  const Deadline deadline(clock, std::chrono::seconds(10));
  const auto held = NodeLock(directory + "/not/there", "tank", "matter").Take(deadline);
  EXPECT_TRUE(held.ok() && !*held);
}

TEST_F(NodeStateTest, FactsOfOtherSettingsAreNotTaken) {
  NodeMemory(directory, "tank", "settings a").Store(SomeFacts());
  EXPECT_FALSE(NodeMemory(directory, "tank", "settings b").Load().has_value());
  EXPECT_FALSE(NodeMemory(directory, "other", "settings a").Load().has_value());
}

TEST_F(NodeStateTest, CutOrForeignFilesAreIgnored) {
  const NodeMemory memory(directory, "tank", "s");
  memory.Store(SomeFacts());
  const std::string path = directory + "/tank.facts";
  const auto whole = std::filesystem::file_size(path);
  for (std::uintmax_t size = 0; size < whole; size += 7) {
    memory.Store(SomeFacts());
    std::filesystem::resize_file(path, size);
    EXPECT_FALSE(memory.Load().has_value()) << "cut at " << size;
  }
  std::ofstream(path) << std::string("\0\xff=\n=\n", 7);
  EXPECT_FALSE(memory.Load().has_value());
}

// Content is none of it: the package's udev rule asks whether the file is there.
TEST_F(NodeStateTest, TheSubsystemIsNotedForUdevAndStaysSo) {
  const NodeMemory memory(directory, "tank", "s");
  memory.Store(SomeFacts());
  const std::string note = directory + "/subsystems/" + SomeFacts().subsystem_nqn;
  EXPECT_TRUE(std::filesystem::exists(note));
  memory.Forget();
  EXPECT_TRUE(std::filesystem::exists(note)) << "another storage may use the subsystem";
  ArrayFacts hostile = SomeFacts();
  hostile.subsystem_nqn = "../../evil";
  memory.Store(hostile);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory + "/subsystems"), {}), 1);
}

TEST_F(NodeStateTest, StateIsForRootOnly) {
  NodeMemory(directory + "/run", "tank", "s").Store(SomeFacts());
  struct stat info {};
  ASSERT_EQ(stat((directory + "/run").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0700U);
  ASSERT_EQ(stat((directory + "/run/tank.facts").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

TEST_F(NodeStateTest, LinkIsPointedMovedAndRemoved) {
  const DeviceLinks links(directory + "/dev", "tank");
  const auto name = *VolumeName::Parse("base-100-disk-0/vm-101-disk-3");
  EXPECT_EQ(links.Path(LinkName(name)), directory + "/dev/tank/vm-101-disk-3");
  EXPECT_FALSE(links.Target(LinkName(name)).has_value());
  ASSERT_TRUE(links.Point(LinkName(name), "/dev/nvme0n1").ok());
  EXPECT_EQ(links.Target(LinkName(name)), "/dev/nvme0n1");
  ASSERT_TRUE(links.Point(LinkName(name), "/dev/nvme0n2").ok());
  EXPECT_EQ(links.Target(LinkName(name)), "/dev/nvme0n2");
  ASSERT_TRUE(links.Remove(LinkName(name)).ok());
  ASSERT_TRUE(links.Remove(LinkName(name)).ok());
  EXPECT_FALSE(links.Target(LinkName(name)).has_value());
}

TEST_F(NodeStateTest, RightLinkIsNotWrittenAgain) {
  const DeviceLinks links(directory + "/dev", "tank");
  const auto name = *VolumeName::Parse("vm-101-disk-3");
  ASSERT_TRUE(links.Point(LinkName(name), "/dev/nvme0n1").ok());
  struct stat before {};
  struct stat after {};
  ASSERT_EQ(lstat(links.Path(LinkName(name)).c_str(), &before), 0);
  ASSERT_TRUE(links.Point(LinkName(name), "/dev/nvme0n1").ok());
  ASSERT_EQ(lstat(links.Path(LinkName(name)).c_str(), &after), 0);
  EXPECT_EQ(before.st_ino, after.st_ino);
}

TEST_F(NodeStateTest, TurnIsTakenOncePerPeriodByWhicheverProcess) {
  fakes::FakeClock clock;
  const NodeTurns one(directory + "/run", "tank");
  const NodeTurns other(directory + "/run", "tank");
  EXPECT_TRUE(one.Take("recovery", std::chrono::hours(1), clock));
  EXPECT_FALSE(other.Take("recovery", std::chrono::hours(1), clock));
  EXPECT_TRUE(other.Take("ceiling", std::chrono::hours(1), clock));
  clock.Advance(std::chrono::minutes(61));
  EXPECT_TRUE(other.Take("recovery", std::chrono::hours(1), clock));
  const NodeTurns longer(directory + "/run", "tank.two");
  EXPECT_TRUE(longer.Take("recovery", std::chrono::hours(1), clock));
  one.Forget();
  EXPECT_TRUE(one.Take("recovery", std::chrono::hours(1), clock));
  EXPECT_FALSE(longer.Take("recovery", std::chrono::hours(1), clock)) << "another storage's";
  EXPECT_FALSE(NodeTurns("/proc/nowhere", "tank").Take("x", std::chrono::hours(1), clock))
      << "what cannot be written down is not done each time";
}

}  // namespace
}  // namespace ontapnvme::pve
