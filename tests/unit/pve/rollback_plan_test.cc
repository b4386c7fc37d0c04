// SPDX-License-Identifier: AGPL-3.0-or-later
// What a rollback may do, decided from the histories of a VM's disks.
#include "pve/rollback_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ontapnvme::pve {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using Outcome = RollbackPlan::Outcome;

VolumeName Name(const std::string& text) {
  return *VolumeName::Parse(text);
}

// A VM whose disks 0 and 1 are in its group; snapshots are told by name and second.
class RollbackPlanTest : public testing::Test {
 protected:
  using Taken = std::vector<std::pair<const char*, int>>;

  RollbackPlanTest() {
    history.group = catalogue::GroupRef{NewUuid(), "group"};
    history.members = {first, second};
  }

  void Add(const VolumeName& disk, const Taken& taken) {
    catalogue::DiskHistory one{.name = disk,
                               .container_name = disk.LeafText(),
                               .container = NewUuid(),
                               .ns = std::nullopt,
                               .snapshots = {}};
    for (const auto& [name, second_taken] : taken) {
      one.snapshots.push_back({.name = ArraySnapshotName(std::string(name)),
                               .uuid = NewUuid(),
                               .create_time = std::chrono::sys_seconds(seconds(second_taken)),
                               // of all disks by one operation
                               .taken_in = name});
    }
    history.disks.push_back(std::move(one));
  }

  RollbackPlan Plan(std::set<VolumeName> asked, const VolumeName& disk,
                    const char* snapshot = "s1") const {
    return PlanRollback(history, std::move(asked), disk, *SnapshotName::Parse(snapshot),
                        can_overwrite);
  }

  const VolumeName first = Name("vm-100-disk-0");
  const VolumeName second = Name("vm-100-disk-1");
  catalogue::VmHistory history;
  bool can_overwrite = false;

 private:
  Uuid NewUuid() {
    std::array<std::uint8_t, 16> bytes{};
    bytes[15] = ++last_;
    return Uuid(bytes);
  }
  std::uint8_t last_ = 0;
};

TEST_F(RollbackPlanTest, GroupIsRestoredWhenExactlyItsMembersAreAskedFor) {
  for (const auto& disk : {first, second}) Add(disk, {{"pve_snap_s0", 5}, {"pve_snap_s1", 10}});
  const auto plan = Plan({first, second}, first);
  EXPECT_EQ(plan.outcome, Outcome::kRestoreGroup);
  EXPECT_THAT(plan.disks, ElementsAre(first, second));
  EXPECT_THAT(plan.blockers, IsEmpty());
}

TEST_F(RollbackPlanTest, TheDiskOfTheCallCountsAsAskedFor) {
  for (const auto& disk : {first, second}) Add(disk, {{"pve_snap_s1", 10}});
  EXPECT_EQ(Plan({first}, second).outcome, Outcome::kRestoreGroup);
}

TEST_F(RollbackPlanTest, AMemberThatNobodyAskedForIsNotReverted) {
  for (const auto& disk : {first, second}) Add(disk, {{"pve_snap_s1", 10}});
  const auto plan = Plan({}, first);
  EXPECT_EQ(plan.outcome, Outcome::kRestoreDisk);
  EXPECT_THAT(plan.disks, ElementsAre(first));
}

TEST_F(RollbackPlanTest, ADiskOutsideTheGroupIsRestoredAlone) {
  const auto outside = Name("vm-100-disk-2");
  for (const auto& disk : {first, second, outside}) Add(disk, {{"pve_snap_s1", 10}});
  const auto plan = Plan({first, second, outside}, first);
  EXPECT_EQ(plan.outcome, Outcome::kRestoreDisk);
  EXPECT_THAT(plan.disks, ElementsAre(first));
}

TEST_F(RollbackPlanTest, WithoutAGroupTheDiskIsRestoredAlone) {
  history.group.reset();
  history.members.clear();
  Add(first, {{"pve_snap_s1", 10}});
  EXPECT_EQ(Plan({first}, first).outcome, Outcome::kRestoreDisk);
}

TEST_F(RollbackPlanTest, AMemberWithoutTheSnapshotKeepsTheGroupFromBeingRestored) {
  Add(first, {{"pve_snap_s1", 10}});
  Add(second, {});
  EXPECT_EQ(Plan({first, second}, first).outcome, Outcome::kRestoreDisk);
  EXPECT_EQ(Plan({first, second}, second).outcome, Outcome::kNoSuchSnapshot);
}

TEST_F(RollbackPlanTest, AMemberThatWasNotReadKeepsTheGroupFromBeingRestored) {
  Add(first, {{"pve_snap_s1", 10}});
  EXPECT_EQ(Plan({first, second}, first).outcome, Outcome::kRestoreDisk);
}

// It joined the group later, and the group's snapshot does not hold it.
TEST_F(RollbackPlanTest, AMemberThatWasSnapshottedAloneKeepsTheGroupFromBeingRestored) {
  for (const auto& disk : {first, second}) Add(disk, {{"pve_snap_s1", 10}});
  auto& one = history.disks[0].snapshots[0];
  auto& other = history.disks[1].snapshots[0];
  one.taken_in = other.taken_in = "0123456789abcdef";
  EXPECT_EQ(Plan({first, second}, first).outcome, Outcome::kRestoreGroup);
  other.create_time += seconds(1);
  EXPECT_EQ(Plan({first, second}, first).outcome, Outcome::kRestoreGroup) << "one operation";
  other.taken_in = "fedcba9876543210";
  EXPECT_EQ(Plan({first, second}, first).outcome, Outcome::kRestoreDisk);
  EXPECT_EQ(Plan({first, second}, second).outcome, Outcome::kRestoreDisk);
  one.taken_in.clear();
  EXPECT_EQ(Plan({first, second}, first).outcome, Outcome::kRestoreDisk) << "only one has a mark";
  other.taken_in.clear();
  EXPECT_EQ(Plan({first, second}, first).outcome, Outcome::kRestoreDisk) << "at other times";
  other.create_time = one.create_time;
  EXPECT_EQ(Plan({first, second}, first).outcome, Outcome::kRestoreDisk)
      << "one second may hold two snapshots";
}

TEST_F(RollbackPlanTest, AnotherMembersNewerSnapshotIsNotLost) {
  Add(first, {{"pve_snap_s1", 10}});
  Add(second, {{"pve_snap_s1", 10}, {"hourly.1", 11}});
  for (const auto& disk : {first, second}) {
    const auto plan = Plan({first, second}, disk);
    EXPECT_EQ(plan.outcome, Outcome::kBlocked) << "all of the VM or none";
    EXPECT_THAT(plan.disks, ElementsAre(second));
  }
  EXPECT_EQ(Plan({}, first).outcome, Outcome::kRestoreDisk) << "nobody asked for the other";
}

TEST_F(RollbackPlanTest, NewerSnapshotsBlockWhoeverMadeThem) {
  Add(first, {{"pve_snap_s0", 5}, {"pve_snap_s1", 10}, {"hourly.1", 11}, {"pve_snap_s2", 12}});
  const auto plan = Plan({first}, first);
  EXPECT_EQ(plan.outcome, Outcome::kBlocked);
  EXPECT_THAT(plan.blockers, ElementsAre("hourly.1", "s2"));
}

TEST_F(RollbackPlanTest, DisksWithNewerSnapshotsAreOverwrittenWhereTheArrayCan) {
  const auto third = Name("vm-100-cloudinit");
  can_overwrite = true;
  Add(first, {{"pve_snap_s1", 10}, {"hourly.1", 11}});
  Add(second, {{"pve_snap_s1", 10}});
  Add(third, {{"pve_snap_s1", 10}, {"pve_snap_s2", 12}});
  const auto plan = Plan({first, second, third}, first);
  EXPECT_EQ(plan.outcome, Outcome::kOverwrite);
  EXPECT_THAT(plan.disks, testing::UnorderedElementsAre(first, second, third))
      << "all one way, also the second, which has nothing newer";
  EXPECT_FALSE(plan.blockers.empty());
  EXPECT_EQ(Plan({first, second, third}, second).outcome, Outcome::kOverwrite);
  EXPECT_EQ(Plan({}, second).outcome, Outcome::kRestoreDisk);
  EXPECT_THAT(Plan({}, third).disks, ElementsAre(third)) << "nobody asked for the first";
}

TEST_F(RollbackPlanTest, SnapshotsOfOneSecondBlockEachOther) {
  Add(first, {{"pve_snap_s1", 10}, {"pve_snap_s2", 10}});
  EXPECT_THAT(Plan({first}, first, "s1").blockers, ElementsAre("s2"));
  EXPECT_THAT(Plan({first}, first, "s2").blockers, ElementsAre("s1"));
  EXPECT_EQ(Plan({first}, first, "s2").outcome, Outcome::kBlocked);
}

TEST_F(RollbackPlanTest, MarksTellWhichOfOneSecondCameFirst) {
  Add(first, {{"pve_snap_s1", 10}, {"pve_snap_s2", 10}});
  auto& snapshots = history.disks.front().snapshots;
  for (auto& one : snapshots) one.taken_by = "0123abcd";
  snapshots[0].taken_ms = 10'400;
  snapshots[1].taken_ms = 10'900;
  EXPECT_THAT(Plan({first}, first, "s1").blockers, ElementsAre("s2"));
  EXPECT_EQ(Plan({first}, first, "s2").outcome, Outcome::kRestoreDisk);
  snapshots[0].taken_by = "";
  EXPECT_THAT(Plan({first}, first, "s2").blockers, ElementsAre("s1")) << "one mark is not enough";
  snapshots[0].taken_by = "ffff0000";
  EXPECT_THAT(Plan({first}, first, "s2").blockers, ElementsAre("s1")) << "two nodes, two clocks";
}

TEST_F(RollbackPlanTest, ASnapshotIsNotNewerThanItself) {
  Add(first, {{"pve_snap_s1", 10}});
  EXPECT_EQ(Plan({first}, first).outcome, Outcome::kRestoreDisk);
}

TEST_F(RollbackPlanTest, TheOrderOfTheReadingDoesNotCount) {
  Add(first, {{"hourly.1", 11}, {"pve_snap_s1", 10}});
  EXPECT_THAT(Plan({first}, first).blockers, ElementsAre("hourly.1"));
}

TEST_F(RollbackPlanTest, AScheduledSnapshotOfThatNameIsNotProxmoxs) {
  Add(first, {{"s1", 10}});
  EXPECT_EQ(Plan({first}, first).outcome, Outcome::kNoSuchSnapshot);
}

TEST_F(RollbackPlanTest, AnUnknownDiskHasNoSuchSnapshot) {
  const auto plan = Plan({}, first);
  EXPECT_EQ(plan.outcome, Outcome::kNoSuchSnapshot);
  EXPECT_THAT(plan.disks, IsEmpty());
}

}  // namespace
}  // namespace ontapnvme::pve
