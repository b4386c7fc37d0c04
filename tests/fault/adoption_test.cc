// SPDX-License-Identifier: AGPL-3.0-or-later
// Snapshots that the array took by itself become ones of a VM: what is refused, what a failure or a
// killed process leaves, and that they are like any other afterwards.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fault/fault_list.h"
#include "fault/storage_rig.h"

namespace ontapnvme::fault {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kScheduled = "hourly.2026-01-31_1205";
constexpr const char* kLocked = "Anti_ransomware_periodic_backup.2026-01-31_1205";
const std::vector<std::string> kDisks = {"vm-100-disk-0", "vm-100-disk-1"};

std::string Old(const std::string& disk) {
  return "old " + disk.substr(std::string("vm-100-").size());
}

// How the array takes snapshots by itself.
enum class Taken { kOfVolumes, kOfGroup };

struct World {
  explicit World(const std::string& group_rename = "members_too") {
    array.Set("group_snapshot_rename", group_rename);
    EXPECT_TRUE(rig.storage().Activate().ok());
    for (const auto& name : kDisks) {
      rig.MustAllocate(100, name);
      rig.Write(name, Old(name));
    }
    array.clock->Advance(std::chrono::hours(1));
  }
  // Of what the disks hold now; they hold something else afterwards.
  void Take(Taken taken, const std::string& name = kScheduled) {
    if (taken == Taken::kOfGroup) {
      array.sim.Ctl({{"cmd", "schedule-snapshot"}, {"group", "t_pve_cg_vm_100"}, {"name", name}});
    } else {
      for (const auto& disk : kDisks) {
        array.sim.Ctl(
            {{"cmd", "schedule-snapshot"}, {"volume", rig.FlexVolOf(disk)}, {"name", name}});
      }
    }
    array.clock->Advance(std::chrono::hours(1));
    for (const auto& disk : kDisks) rig.Write(disk, "new");
    array.ClearLog();
  }
  Result<AdoptedInfo> Adopt(const std::string& from = kScheduled, const std::string& to = "noon") {
    return rig.storage().AdoptSnapshot(kDisks, from, to);
  }
  bool HasUnder(const std::string& disk, const std::string& name) {
    return rig.SnapshotsOnArray(disk).contains(name);
  }
  // Nothing is lost, and no disk has it twice.
  void ExpectOneOfBothNames() {
    for (const auto& disk : kDisks) {
      EXPECT_NE(HasUnder(disk, kScheduled), HasUnder(disk, "pve_snap_noon")) << disk;
    }
  }
  void ExpectAdopted() {
    for (const auto& disk : kDisks) {
      EXPECT_TRUE(HasUnder(disk, "pve_snap_noon")) << disk;
      EXPECT_FALSE(HasUnder(disk, kScheduled)) << disk;
    }
    EXPECT_THAT(GroupSnapshots(), Not(Contains(kScheduled)));
  }
  std::set<std::string> GroupSnapshots() {
    std::set<std::string> names;
    for (const auto& one : array.sim.world().group_snapshots) names.insert(one.name);
    return names;
  }
  // As Proxmox does it: asks for all disks, then each.
  void MustRollBack(const std::string& snapshot) {
    for (const auto& disk : kDisks) {
      const auto blockers = rig.storage().RollbackBlockers(disk, snapshot);
      ASSERT_TRUE(blockers.ok()) << blockers.error().Line();
      EXPECT_THAT(*blockers, IsEmpty());
    }
    for (const auto& disk : kDisks) {
      const auto done = rig.storage().Rollback(disk, snapshot);
      ASSERT_TRUE(done.ok()) << done.error().Line();
    }
  }
  // Rolls back, clones and deletes it.
  void ExpectLikeAnyOther() {
    MustRollBack("noon");
    for (const auto& disk : kDisks) EXPECT_EQ(rig.Content(disk), Old(disk));
    const auto clone = rig.storage().Clone(kDisks.front(), "noon", 300);
    ASSERT_TRUE(clone.ok()) << clone.error().Line();
    EXPECT_EQ(rig.Content(*clone), Old(kDisks.front()));
    array.Set("queued_clones_hold_parent", "no");
    ASSERT_TRUE(rig.storage().Free(*clone).ok());
    for (const auto& disk : kDisks) {
      const auto deleted = rig.storage().DeleteSnapshot(disk, "noon");
      ASSERT_TRUE(deleted.ok()) << deleted.error().Line();
      EXPECT_FALSE(HasUnder(disk, "pve_snap_noon"));
    }
    EXPECT_THAT(GroupSnapshots(), IsEmpty());
    EXPECT_THAT(array.Orphans(), IsEmpty());
  }

  TestArray array;
  StorageRig rig{array};
};

TEST(AdoptionTest, IsLikeAnyOtherAfterwards) {
  for (const Taken taken : {Taken::kOfVolumes, Taken::kOfGroup}) {
    for (const std::string rename : {"members_too", "group_only"}) {
      SCOPED_TRACE(rename);
      World world(rename);
      world.Take(taken);
      const auto adopted = world.Adopt();
      ASSERT_TRUE(adopted.ok()) << adopted.error().Line();
      EXPECT_EQ(adopted->is_of_one_moment, taken == Taken::kOfGroup);
      EXPECT_EQ(adopted->locked_until_s, 0);
      world.ExpectAdopted();
      const auto listed = *world.rig.storage().ListSnapshots(kDisks.front());
      ASSERT_EQ(listed.size(), 1U);
      EXPECT_EQ(listed.front().name, "noon");
      EXPECT_EQ(listed.front().create_time_s, adopted->create_time_s);
      const auto again = world.Adopt();
      ASSERT_TRUE(again.ok()) << again.error().Line();
      EXPECT_EQ(again->is_of_one_moment, adopted->is_of_one_moment);
      EXPECT_EQ(again->create_time_s, adopted->create_time_s);
      world.ExpectLikeAnyOther();
      if (testing::Test::HasFailure()) return;
    }
  }
}

TEST(AdoptionTest, CostsTwoListingsALookAndAChangeADisk) {
  World world;
  world.Take(Taken::kOfVolumes);
  ASSERT_TRUE(world.Adopt().ok());
  EXPECT_LE(world.array.Count(), 3 + 2) << testing::PrintToString(world.array.Requests());
}

TEST(AdoptionTest, NamesTheDiskThatLacksIt) {
  World world;
  world.Take(Taken::kOfVolumes);
  world.rig.MustAllocate(100, "vm-100-disk-2");
  world.array.ClearLog();
  auto disks = kDisks;
  disks.emplace_back("vm-100-disk-2");
  const auto adopted = world.rig.storage().AdoptSnapshot(disks, kScheduled, "noon");
  ASSERT_TRUE(FailedWith(adopted, ErrorCode::kNotFound));
  EXPECT_THAT(adopted.error().Line(),
              HasSubstr(std::string("the array has no snapshot '") + kScheduled +
                        "' of volume vm-100-disk-2; choose one that all disks of the VM have: "
                        "'ontapnvme snapshots tank 100'"));
  for (const auto& request : world.array.Requests()) EXPECT_THAT(request, HasSubstr("GET "));
}

TEST(AdoptionTest, TakesNoNameThatAnotherSnapshotHas) {
  World world;
  world.Take(Taken::kOfVolumes);
  ASSERT_TRUE(world.rig.storage().CreateSnapshot(kDisks[0], "noon").ok());
  world.array.ClearLog();
  const auto adopted = world.Adopt();
  ASSERT_TRUE(FailedWith(adopted, ErrorCode::kAlreadyExists));
  EXPECT_THAT(adopted.error().Line(), HasSubstr("cannot make snapshot"));
  for (const auto& request : world.array.Requests()) EXPECT_THAT(request, HasSubstr("GET "));
  // Nor one that was adopted from another.
  ASSERT_TRUE(world.Adopt(kScheduled, "one").ok());
  world.Take(Taken::kOfVolumes, "hourly.2026-01-31_1305");
  EXPECT_TRUE(FailedWith(world.Adopt("hourly.2026-01-31_1305", "one"), ErrorCode::kAlreadyExists));
}

TEST(AdoptionTest, WhatIsNoSnapshotOfTheArrayIsRefusedBeforeAnythingIsAsked) {
  World world;
  auto& storage = world.rig.storage();
  world.array.ClearLog();
  for (const std::string from : {"pve_snap_s1", "pve_base", "pve_clone_1", "", "a b", "x/y"}) {
    EXPECT_TRUE(FailedWith(world.Adopt(from), ErrorCode::kInvalidArgument)) << from;
  }
  for (const auto& disks : std::vector<std::vector<std::string>>{{},
                                                                 {"vm-100-disk-0", "vm-101-disk-0"},
                                                                 {"vm-100-disk-0", "vm-100-disk-0"},
                                                                 {"x"},
                                                                 {"base-100-disk-0"}}) {
    EXPECT_TRUE(
        FailedWith(storage.AdoptSnapshot(disks, kScheduled, "noon"), ErrorCode::kInvalidArgument));
  }
  EXPECT_TRUE(FailedWith(world.Adopt(kScheduled, "~x"), ErrorCode::kInvalidArgument));
  EXPECT_EQ(world.array.Count(), 0);
}

TEST(AdoptionTest, SnapshotOfTheDiskThatItWasClonedFromIsNotItsOwn) {
  World world;
  const std::vector<std::string> source = {"vm-100-disk-0"};
  world.Take(Taken::kOfVolumes);
  ASSERT_TRUE(world.rig.storage().CreateSnapshot(source[0], "s1").ok());
  const auto clone = world.rig.storage().Clone(source[0], "s1", 300);
  ASSERT_TRUE(clone.ok());
  const auto adopted = world.rig.storage().AdoptSnapshot({*clone}, kScheduled, "noon");
  ASSERT_TRUE(FailedWith(adopted, ErrorCode::kConflict));
  EXPECT_THAT(adopted.error().Line(),
              HasSubstr("it shows the disk that the volume was cloned from"));
}

TEST(AdoptionTest, GroupThatDoesNotRenameIsToldWithNothingChanged) {
  World world("refuse");
  world.Take(Taken::kOfGroup);
  const auto adopted = world.Adopt();
  ASSERT_TRUE(FailedWith(adopted, ErrorCode::kUnsupported));
  EXPECT_THAT(adopted.error().Line(), HasSubstr("of the VM's consistency group"));
  EXPECT_THAT(adopted.error().Line(), HasSubstr("with the setting 'snapshot_import'"));
  EXPECT_THAT(adopted.error().Line(), Not(HasSubstr("left_over")));
  EXPECT_THAT(world.GroupSnapshots(), Contains(kScheduled));
  for (const auto& snapshot : world.array.sim.world().snapshots) {
    EXPECT_EQ(snapshot.name, kScheduled);
    EXPECT_EQ(snapshot.comment, "") << "it is the array's, as before";
  }
}

// Another VM's disks are in a group that someone made by hand.
TEST(AdoptionTest, DiskInAStrangeGroupIsRefused) {
  World world;
  world.Take(Taken::kOfVolumes);
  for (auto& group : world.array.sim.world().groups) group.name = "by_hand";
  const auto adopted = world.Adopt();
  ASSERT_TRUE(FailedWith(adopted, ErrorCode::kConflict));
  EXPECT_THAT(adopted.error().Line(), HasSubstr("'by_hand'"));
}

class LockedTest : public testing::Test {
 protected:
  LockedTest() {
    world_.Take(Taken::kOfVolumes, kLocked);
    for (auto& snapshot : world_.array.sim.world().snapshots) {
      snapshot.is_of_protection = true;
      snapshot.expiry_time = "2099-01-01T00:00:00Z";
    }
    world_.array.Set("release", "9.18.1");
  }
  World world_;
};

TEST_F(LockedTest, IsAdoptedAndStaysLocked) {
  const auto adopted = world_.Adopt(kLocked);
  ASSERT_TRUE(adopted.ok()) << adopted.error().Line();
  EXPECT_GT(adopted->locked_until_s, 0);
  world_.MustRollBack("noon");
  for (const auto& disk : kDisks) EXPECT_EQ(world_.rig.Content(disk), Old(disk));
  EXPECT_FALSE(world_.rig.storage().DeleteSnapshot(kDisks[0], "noon").ok());
}

TEST_F(LockedTest, IsRefusedWithTheRemedyWhereTheArrayKeepsItsName) {
  world_.array.Set("locked_snapshot_rename", "refuse");
  const auto adopted = world_.Adopt(kLocked);
  ASSERT_FALSE(adopted.ok());
  EXPECT_THAT(adopted.error().Line(), HasSubstr("the array has locked this snapshot"));
  EXPECT_THAT(adopted.error().Line(), Not(HasSubstr("left_over")));
  for (const auto& disk : kDisks) EXPECT_TRUE(world_.HasUnder(disk, kLocked));
}

// Whichever request fails, each disk has it under one of both names, and repeating goes on from there.
TEST(AdoptionTest, GoesOnWhicheverRequestFails) {
  int points = 0;
  for (const Taken taken : {Taken::kOfVolumes, Taken::kOfGroup}) {
    for (const std::string rename : {"members_too", "group_only"}) {
      if (taken == Taken::kOfVolumes && rename == "group_only") continue;
      for (const Fault& fault : FaultsByStep(3, 2)) {
        for (int nth = 1;; ++nth) {
          ASSERT_LE(nth, 60) << "the sweep never ran clean";
          SCOPED_TRACE(rename + ", request " + std::to_string(nth) + ": " + fault.name);
          World world(rename);
          world.Take(taken);
          auto rule = fault.rule;
          rule["nth"] = nth;
          world.array.AddFault(rule);
          const auto adopted = world.Adopt();
          const bool fired = world.array.FaultFired();
          world.array.ClearFaults();
          world.ExpectOneOfBothNames();
          if (adopted.ok()) {
            world.ExpectAdopted();
          } else {
            const bool is_begun = world.HasUnder(kDisks[0], "pve_snap_noon") ||
                                  world.HasUnder(kDisks[1], "pve_snap_noon");
            if (is_begun) EXPECT_THAT(adopted.error().Line(), HasSubstr("repeat the command"));
          }
          world.rig.Restart();
          const auto again = world.Adopt();
          ASSERT_TRUE(again.ok()) << again.error().Line();
          world.ExpectAdopted();
          world.ExpectLikeAnyOther();
          if (testing::Test::HasFailure()) return;
          if (!fired) break;
          ++points;
        }
      }
    }
  }
  std::cout << "adoption: " << points << " points kept all promises\n";
}

// From the nth request on nothing leaves this process any more: as if it had been killed there.
TEST(AdoptionTest, GoesOnAfterAKill) {
  for (const Taken taken : {Taken::kOfVolumes, Taken::kOfGroup}) {
    for (const std::string rename : {"members_too", "group_only"}) {
      bool was_half_done = false;
      for (int nth = 1;; ++nth) {
        ASSERT_LE(nth, 40);
        SCOPED_TRACE(rename + ", killed before request " + std::to_string(nth));
        World world(rename);
        world.Take(taken);
        world.array.AddFault({{"drop_before", true}, {"nth", nth}, {"times", -1}});
        const bool is_done = world.Adopt().ok();
        const bool fired = world.array.FaultFired();
        world.array.ClearFaults();
        world.ExpectOneOfBothNames();
        was_half_done = was_half_done || world.HasUnder(kDisks[0], "pve_snap_noon") !=
                                             world.HasUnder(kDisks[1], "pve_snap_noon");
        world.rig.Restart();
        const auto again = world.Adopt();
        ASSERT_TRUE(again.ok()) << again.error().Line();
        world.ExpectAdopted();
        world.ExpectLikeAnyOther();
        if (testing::Test::HasFailure()) return;
        if (is_done && !fired) break;
      }
      EXPECT_EQ(was_half_done, taken == Taken::kOfVolumes || rename == "group_only");
    }
  }
}

}  // namespace
}  // namespace ontapnvme::fault
