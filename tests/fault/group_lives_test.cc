// SPDX-License-Identifier: AGPL-3.0-or-later
// One VMID serves VM after VM, on every array that there may be: each begins with nothing of the one
// before, and leaves nothing to the next.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "fault/positions.h"
#include "fault/storage_rig.h"

namespace ontapnvme::fault {
namespace {

using testing::IsEmpty;

class GroupLivesTest : public testing::TestWithParam<Position> {
 protected:
  GroupLivesTest() {
    array.Set(GetParam().name, GetParam().value);
    EXPECT_TRUE(rig.storage().Activate().ok());
  }

  // Each disk by a task of its own, as Proxmox does.
  template <typename Run>
  void ForEach(const std::vector<std::string>& disks, Run run) {
    for (const auto& disk : disks) {
      const Status done = run(disk);
      ASSERT_TRUE(done.ok()) << disk << ": " << done.error().Line();
    }
    array.clock->Advance(std::chrono::seconds(10));  // until all of it is listed
    rig.Restart();
  }
  std::vector<std::string> Groups() {
    std::vector<std::string> lines;
    for (const auto& group : array.sim.world().groups) lines.push_back(group.name);
    for (const auto& one : array.sim.world().group_snapshots) lines.push_back(one.name);
    return lines;
  }

  TestArray array;
  StorageRig rig{array};
};

TEST_P(GroupLivesTest, FiveVmsOfOneNumberLeaveNothing) {
  auto& world = array.sim.world();
  for (int life = 1; life <= 5; ++life) {
    SCOPED_TRACE("VM " + std::to_string(life));
    const std::vector<std::string> disks = {rig.MustAllocate(100), rig.MustAllocate(100)};
    ASSERT_EQ(world.groups.size(), 1U);
    EXPECT_EQ(world.groups.begin()->volume_uuids.size(), 2U);
    EXPECT_EQ(world.snapshot_policies.Find(world.groups.begin()->snapshot_policy_uuid)->name,
              "none");
    EXPECT_EQ(world.group_snapshots.size(), 0U) << "of the VM before";
    array.clock->Advance(std::chrono::seconds(10));
    rig.Restart();
    ForEach(disks, [&](const auto& disk) { return rig.storage().CreateSnapshot(disk, "s1"); });
    EXPECT_EQ(world.group_snapshots.size(), 1U) << "both disks at one moment";
    ForEach(disks, [&](const auto& disk) { return rig.storage().Free(disk); });
    EXPECT_THAT(Groups(), IsEmpty());
    EXPECT_THAT(array.Orphans(), IsEmpty());
    if (HasFailure()) return;
  }
}

// A group that is made anew loses its own snapshots; those of its volumes are what a rollback needs.
TEST_P(GroupLivesTest, RollbackWorksAfterADiskHasCome) {
  std::vector<std::string> disks = {rig.MustAllocate(100), rig.MustAllocate(100)};
  for (const auto& disk : disks) rig.Write(disk, "old");
  rig.Restart();
  ForEach(disks, [&](const auto& disk) { return rig.storage().CreateSnapshot(disk, "s1"); });
  for (const auto& disk : disks) rig.Write(disk, "new");
  const auto later = rig.MustAllocate(100);
  rig.Write(later, "kept");
  rig.Restart();
  ForEach(disks, [&](const auto& disk) -> Status {
    const auto blockers = rig.storage().RollbackBlockers(disk, "s1");
    if (!blockers.ok()) return blockers.error();
    EXPECT_THAT(*blockers, IsEmpty());
    return {};
  });
  ForEach(disks, [&](const auto& disk) { return rig.storage().Rollback(disk, "s1"); });
  for (const auto& disk : disks) EXPECT_EQ(rig.Content(disk), "old") << disk;
  EXPECT_EQ(rig.Content(later), "kept");
  ForEach(disks, [&](const auto& disk) { return rig.storage().DeleteSnapshot(disk, "s1"); });
  for (const auto& disk : disks) EXPECT_THAT(*rig.storage().ListSnapshots(disk), IsEmpty()) << disk;
  disks.push_back(later);
  ForEach(disks, [&](const auto& disk) { return rig.storage().CreateSnapshot(disk, "s1"); });
  EXPECT_EQ(array.sim.world().group_snapshots.size(), 1U) << "all disks at one moment";
}

INSTANTIATE_TEST_SUITE_P(Arrays, GroupLivesTest, testing::ValuesIn(Positions()),
                         [](const auto& position) {
                           return AsTestName(position.param.name + "_" + position.param.value);
                         });

}  // namespace
}  // namespace ontapnvme::fault
