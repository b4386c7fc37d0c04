// SPDX-License-Identifier: AGPL-3.0-or-later
// What a killed operation left, and the next one that comes by an hour later.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "fault/storage_rig.h"

namespace ontapnvme::fault {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class RecoveryTest : public testing::Test {
 protected:
  RecoveryTest() {
    EXPECT_TRUE(rig.storage().Activate().ok());
    rig.MustAllocate(900);  // takes this hour's turn
  }
  // `operation` is killed before its n-th request, and everything that would be undone with it.
  template <typename F>
  void KillAt(int nth, const F& operation) {
    array.AddFault({{"drop_before", true}, {"nth", nth}, {"times", -1}});
    EXPECT_FALSE(operation().ok());
    array.ClearFaults();
    rig.Restart();
  }
  std::string Later(std::chrono::minutes time) {
    array.clock->Advance(time);
    rig.storage().TakeLog();
    EXPECT_TRUE(rig.storage().Free(rig.MustAllocate(901)).ok());
    std::string lines;
    for (const auto& record : rig.storage().TakeLog()) lines += record.text + "\n";
    return lines;
  }

  TestArray array;
  StorageRig rig{array};
};

TEST_F(RecoveryTest, UnlistedFlexVolOfAKilledAllocationGoes) {
  KillAt(3, [&] { return rig.storage().Allocate(100, "", 4096); });
  ASSERT_THAT(array.Orphans(), testing::Contains("volume without namespace: t_vm_100_disk_0"));
  EXPECT_THAT(Later(std::chrono::minutes(30)), Not(HasSubstr("settled")));
  EXPECT_THAT(array.Orphans(), Not(IsEmpty())) << "too young: somebody may be just at it";
  const auto lines = Later(std::chrono::minutes(40));
  EXPECT_THAT(lines, HasSubstr("removed empty FlexVol t_vm_100_disk_0"));
  EXPECT_THAT(array.Orphans(), IsEmpty());
  EXPECT_THAT(Later(std::chrono::minutes(61)), Not(HasSubstr("settled"))) << "told once";
}

TEST_F(RecoveryTest, VolumeThatOnlyLooksEmptyIsLeftAlone) {
  const auto disk = rig.MustAllocate(100);
  auto& world = array.sim.world();
  auto& volume = *std::find_if(world.volumes.begin(), world.volumes.end(),
                               [](const auto& one) { return one.name == "t_vm_100_disk_0"; });
  const auto count = world.volumes.size();
  // As arrays may show a disk whose volume is offline: without its namespace.
  world.RemoveNamespace(world.NamespacesOf(volume.uuid).front()->uuid);
  volume.state = "offline";
  Later(std::chrono::minutes(70));
  EXPECT_EQ(world.volumes.size(), count);
}

TEST_F(RecoveryTest, OperatorSeesWhatIsPending) {
  array.Set("queued_clones_hold_parent", "yes");
  const auto pending = [&] {
    const auto lines = rig.storage().Pending();
    EXPECT_TRUE(lines.ok());
    std::string text;
    for (const auto& line : *lines) text += line + "\n";
    return text;
  };
  EXPECT_EQ(pending(), "");
  const auto base = rig.storage().CreateBase(rig.MustAllocate(100));
  ASSERT_TRUE(rig.storage().Free(*rig.storage().Clone(*base, "", 200)).ok());
  ASSERT_TRUE(rig.storage().Free(*base).ok());
  const auto disk = rig.MustAllocate(300);
  ASSERT_TRUE(rig.storage().CreateSnapshot(disk, "s1").ok());
  ASSERT_TRUE(rig.storage().ActivateSnapshot(disk, "s1").ok());
  KillAt(3, [&] { return rig.storage().Allocate(400, "", 4096); });
  array.clock->Advance(std::chrono::seconds(2));
  const auto text = pending();
  EXPECT_THAT(text, HasSubstr("waits for its deleted clones"));
  EXPECT_THAT(text, HasSubstr("snapshot s1 of vm-300-disk-0 is shown to"));
  EXPECT_THAT(text, HasSubstr("FlexVol t_vm_400_disk_0 is empty"));
}

TEST_F(RecoveryTest, EveryPointOfEveryLockedOperationIsSettled) {
  const std::vector<std::pair<const char*, std::function<Status(pve::Storage&)>>> operations = {
      {"allocate",
       [](pve::Storage& storage) {
         const auto made = storage.Allocate(100, "", 4096);
         return made.ok() ? Status() : Status(made.error());
       }},
      {"free", [](pve::Storage& storage) { return storage.Free("vm-300-disk-0"); }},
      {"clone",
       [](pve::Storage& storage) {
         const auto made = storage.Clone("vm-300-disk-0", "s1", 100);
         return made.ok() ? Status() : Status(made.error());
       }},
      {"rename",
       [](pve::Storage& storage) {
         const auto made = storage.Rename("vm-300-disk-1", 100, "");
         return made.ok() ? Status() : Status(made.error());
       }},
      {"create_base", [](pve::Storage& storage) {
         const auto made = storage.CreateBase("vm-300-disk-1");
         return made.ok() ? Status() : Status(made.error());
       }}};
  int points = 0;
  for (const auto& [name, operation] : operations) {
    for (int nth = 1; nth < 20; ++nth) {
      SCOPED_TRACE(std::string(name) + ", killed before request " + std::to_string(nth));
      TestArray world;
      StorageRig node(world);
      ASSERT_TRUE(node.storage().Activate().ok());
      for (int i = 0; i < 2; ++i) node.MustAllocate(300);
      ASSERT_TRUE(node.storage().CreateSnapshot("vm-300-disk-0", "s1").ok());
      node.Write("vm-300-disk-1", "precious");
      world.AddFault({{"drop_before", true}, {"nth", nth}, {"times", -1}});
      const bool done = operation(node.storage()).ok();
      const bool fired = world.FaultFired();
      world.ClearFaults();
      if (!fired) {
        EXPECT_TRUE(done);
        break;
      }
      ++points;
      node.Restart();
      world.clock->Advance(std::chrono::minutes(70));
      node.MustAllocate(901);
      EXPECT_THAT(world.Orphans(), IsEmpty());
      std::string content;
      for (const char* disk : {"vm-300-disk-1", "base-300-disk-1", "vm-100-disk-0"}) {
        if (node.Content(disk) == "precious") content = disk;
      }
      EXPECT_NE(content, "") << "the disk that went on a journey is somewhere";
    }
  }
  std::cout << "recovery: " << points << " points settled\n";
}

TEST_F(RecoveryTest, DiskThatIsGroupedAfterItsSnapshotIsRolledBackWithItsVm) {
  std::vector<std::string> disks = {rig.MustAllocate(100)};
  array.AddFault(
      {{"method", "PATCH"}, {"path", "consistency-groups"}, {"drop_before", true}, {"times", -1}});
  disks.push_back(rig.MustAllocate(100));
  ASSERT_TRUE(array.FaultFired());
  array.ClearFaults();
  rig.Restart();
  for (const auto& disk : disks) {
    rig.Write(disk, "then");
    ASSERT_TRUE(rig.storage().CreateSnapshot(disk, "s1").ok());
  }
  EXPECT_THAT(Later(std::chrono::minutes(70)), HasSubstr("grouped the disks of VM 100"));
  rig.Restart();
  for (const auto& disk : disks) {
    rig.Write(disk, "now");
    ASSERT_TRUE(rig.storage().RollbackBlockers(disk, "s1").ok());
  }
  for (const auto& disk : disks) ASSERT_TRUE(rig.storage().Rollback(disk, "s1").ok());
  for (const auto& disk : disks) EXPECT_EQ(rig.Content(disk), "then") << disk;
}

TEST_F(RecoveryTest, OtherOwnersUnmarkedAndCompleteObjectsAreLeftAlone) {
  StorageRig other(array, {.cluster_id = "99999999-2222-3333-4444-555555555555", .node = "node9"});
  ASSERT_TRUE(other.storage().Activate().ok());
  other.MustAllocate(902);
  array.AddFault({{"drop_before", true}, {"nth", 3}, {"times", -1}});
  EXPECT_FALSE(other.storage().Allocate(903, "", 4096).ok());
  array.ClearFaults();
  array.sim.Ctl({{"cmd", "admin"},
                 {"method", "POST"},
                 {"target", "/api/storage/volumes"},
                 {"body",
                  {{"svm", {{"name", "svm1"}}},
                   {"name", "t_vm_100_disk_7"},
                   {"size", 33554432},
                   {"aggregates", nlohmann::json::array({{{"name", "aggr1"}}})}}}});
  const auto before = array.sim.world().volumes.size();
  Later(std::chrono::minutes(70));
  EXPECT_EQ(array.sim.world().volumes.size(), before);
}

TEST_F(RecoveryTest, TemporaryNamespacesOfAKilledRollbackAreNamedAndGo) {
  const std::vector<std::string> disks = {rig.MustAllocate(100), rig.MustAllocate(100)};
  for (const char* snapshot : {"s1", "s2"}) {
    for (const auto& disk : disks) rig.Write(disk, snapshot);
    for (const auto& disk : disks) ASSERT_TRUE(rig.storage().CreateSnapshot(disk, snapshot).ok());
    array.clock->Advance(std::chrono::seconds(5));
  }
  for (const auto& disk : disks) ASSERT_TRUE(rig.storage().RollbackBlockers(disk, "s1").ok());
  // After its two namespaces were looked up and two copies made: the first disk is overwritten.
  KillAt(6, [&] { return rig.storage().Rollback(disks[0], "s1"); });
  EXPECT_EQ(rig.Content(disks[0]), "s1");
  EXPECT_EQ(rig.Content(disks[1]), "s2");
  array.clock->Advance(std::chrono::seconds(5));
  const auto pending = rig.storage().Pending();
  ASSERT_TRUE(pending.ok()) << pending.error().Line();
  for (const auto& disk : disks) {
    EXPECT_THAT(*pending, testing::Contains(HasSubstr("rollback of " + disk + " to snapshot s1")));
    EXPECT_TRUE(rig.storage().Info(disk).ok());
    EXPECT_TRUE(rig.storage().ActivateVolume(disk).ok());
  }
  EXPECT_THAT(array.Orphans(), Not(IsEmpty()));
  const auto lines = Later(std::chrono::minutes(70));
  EXPECT_THAT(lines, HasSubstr("removed the temporary namespace of a rollback"));
  EXPECT_THAT(array.Orphans(), IsEmpty());
  EXPECT_EQ(rig.Content(disks[0]), "s1");
  EXPECT_EQ(rig.Content(disks[1]), "s2");
  for (const auto& disk : disks) ASSERT_TRUE(rig.storage().RollbackBlockers(disk, "s1").ok());
  for (const auto& disk : disks) ASSERT_TRUE(rig.storage().Rollback(disk, "s1").ok());
  EXPECT_EQ(rig.Content(disks[1]), "s1");
}

TEST_F(RecoveryTest, SnapshotDeviceOfTheTimeBeforeTheNodesStartGoes) {
  const auto disk = rig.MustAllocate(100);
  ASSERT_TRUE(rig.storage().CreateSnapshot(disk, "s1").ok());
  ASSERT_TRUE(rig.storage().ActivateSnapshot(disk, "s1").ok());
  const auto before = array.sim.world().volumes.size();
  Later(std::chrono::minutes(70));
  EXPECT_EQ(array.sim.world().volumes.size(), before) << "it has a link: somebody may be reading";
  std::filesystem::remove(rig.link("vm-100-disk-0@s1"));
  EXPECT_THAT(Later(std::chrono::minutes(70)), HasSubstr("removed 1 snapshot device"));
  EXPECT_EQ(array.sim.world().volumes.size(), before - 1);
}

}  // namespace
}  // namespace ontapnvme::fault
