// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/flexvol/renaming.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/catalogue/flexvol/rig.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

class RenamingTest : public testing::Test {
 protected:
  Status Rename(const std::string& from, const std::string& to) {
    return Rename(from, to, rig.Budget());
  }
  Status Rename(const std::string& from, const std::string& to, const Deadline& deadline) {
    const auto name = Rig::Name(from);
    const auto target = Rig::Name(to);
    const auto neighbours =
        rig.disks().ListNeighbours({name.vmid, target.vmid}, std::nullopt, rig.Budget());
    EXPECT_TRUE(neighbours.ok());
    for (const auto& one : neighbours->ours) {
      if (one.name != name) continue;
      array.ClearLog();
      return rig.disks().Rename(one, target, *neighbours, deadline);
    }
    return Error(ErrorCode::kNotFound, "no " + from);
  }
  Status TurnIntoBase(const std::string& from, const std::string& base) {
    const auto disk = rig.MustFind(from);
    array.ClearLog();
    return rig.disks().TurnIntoBase(disk, Rig::Name(base), rig.Budget());
  }

  TestArray array;
  Rig rig{array};
};

TEST_F(RenamingTest, DiskGoesToAnotherVmWithItsGroupAndMark) {
  const auto uuid = rig.Make("vm-100-disk-0").ns->uuid;
  rig.Make("vm-100-disk-1");
  rig.Make("vm-200-disk-0");
  ASSERT_TRUE(
      rig.disks()
          .Annotate(Rig::Name("vm-100-disk-0"), {.notes = "n", .is_protected = true}, rig.Budget())
          .ok());
  const auto renamed = Rename("vm-100-disk-0", "vm-200-disk-1");
  ASSERT_TRUE(renamed.ok()) << renamed.error().Line();
  EXPECT_LE(array.Count(), 4);
  const auto disk = rig.MustFind("vm-200-disk-1");
  EXPECT_EQ(disk.ns->uuid, uuid);
  EXPECT_EQ(disk.volume.mark.mark.vmid, 200U);
  EXPECT_EQ(disk.volume.mark.mark.notes, "n");
  EXPECT_TRUE(disk.volume.mark.mark.is_protected);
  EXPECT_THAT(array.MembersOf("t_pve_cg_vm_100"), ElementsAre("t_vm_100_disk_1"));
  EXPECT_THAT(array.MembersOf("t_pve_cg_vm_200"),
              UnorderedElementsAre("t_vm_200_disk_0", "t_vm_200_disk_1"));
}

TEST_F(RenamingTest, NameWithinTheVmChangesAndTheGroupStays) {
  rig.Make("vm-100-disk-0");
  rig.Make("vm-100-disk-1");
  ASSERT_TRUE(Rename("vm-100-disk-0", "vm-100-data").ok());
  EXPECT_THAT(array.MembersOf("t_pve_cg_vm_100"),
              UnorderedElementsAre("t_vm_100_x_data", "t_vm_100_disk_1"));
  ASSERT_TRUE(Rename("vm-100-disk-1", "vm-100-disk-0").ok());
  EXPECT_THAT(array.MembersOf("t_pve_cg_vm_100"),
              UnorderedElementsAre("t_vm_100_x_data", "t_vm_100_disk_0"));
}

TEST_F(RenamingTest, EveryStepThatFailsIsUndone) {
  for (const std::string what : {"rename", "base"}) {
    for (const std::string how : {"refused", "drop_before", "drop_after"}) {
      for (int nth = 1; nth <= 5; ++nth) {
        SCOPED_TRACE(what + ", " + how + ", request " + std::to_string(nth));
        TestArray world;
        Rig party(world);
        party.Make("vm-100-disk-0");
        party.Make("vm-100-disk-1");
        party.Make("vm-200-disk-0");
        const std::string before = Picture(world);
        const auto disk = party.MustFind("vm-100-disk-0");
        const auto neighbours =
            party.disks().ListNeighbours({100, 200}, std::nullopt, world.Budget());
        ASSERT_TRUE(neighbours.ok());
        nlohmann::json rule{{"nth", nth}, {"times", how == "drop_before" ? 5 : 1}};
        if (how == "refused") rule.update({{"status", 403}, {"code", 6}});
        if (how != "refused") rule[how] = true;
        world.AddFault(rule);
        const auto done =
            what == "rename"
                ? party.disks().Rename(disk.volume, Rig::Name("vm-200-disk-1"), *neighbours,
                                       world.Budget())
                : party.disks().TurnIntoBase(disk, Rig::Name("base-100-disk-0"), world.Budget());
        const bool fired = world.FaultFired();
        world.ClearFaults();
        if (!fired) continue;
        if (!done.ok()) {
          EXPECT_EQ(done.error().Fact("left_over"), "");
          EXPECT_EQ(Picture(world), before);
        } else if (party.TakeLog().find("is not in the consistency group") != std::string::npos) {
          // The last step, which a disk can do without.
          EXPECT_EQ(nth, 4);
          EXPECT_THAT(world.Orphans(), ElementsAre("volume outside its group: t_vm_200_disk_1"));
        } else {
          EXPECT_NE(how, "refused");
          EXPECT_THAT(world.Orphans(), IsEmpty());
        }
      }
    }
  }
}

// Proxmox keeps the old name in the VM's configuration when the task fails.
TEST_F(RenamingTest, TaskThatIsStoppedAtTheEndKeepsTheOldName) {
  rig.Make("vm-100-disk-0");
  rig.Make("vm-100-disk-1");
  const std::string before = Picture(array);
  for (int polls = 0;; ++polls) {
    SCOPED_TRACE("stopped at poll " + std::to_string(polls));
    fakes::FakeInterrupt interrupt(polls);
    const Deadline deadline(array.clock, std::chrono::seconds(45), &interrupt);
    const auto renamed = Rename("vm-100-disk-0", "vm-200-disk-0", deadline);
    if (renamed.ok()) {
      EXPECT_GT(polls, 0) << "never asked";
      break;
    }
    EXPECT_EQ(renamed.error().code(), ErrorCode::kInterrupted) << renamed.error().Line();
    EXPECT_EQ(Picture(array), before);
    ASSERT_LT(polls, 100);
  }
}

TEST_F(RenamingTest, LostNameIsSaidAsSuchAndAllIsAsBefore) {
  rig.Make("vm-100-disk-0");
  const auto neighbours = rig.disks().ListNeighbours({100, 200}, std::nullopt, rig.Budget());
  ASSERT_TRUE(neighbours.ok());
  array.MakeStray("t_vm_200_disk_0", MarkOf(kOtherCluster, "tank", 200));
  const std::string before = Picture(array);
  const auto renamed = rig.disks().Rename(neighbours->ours.front(), Rig::Name("vm-200-disk-0"),
                                          *neighbours, rig.Budget());
  ASSERT_TRUE(FailedWith(renamed, ErrorCode::kAlreadyExists));
  EXPECT_EQ(renamed.error().origin().refusal, Refusal::kNameLost);
  EXPECT_EQ(Picture(array), before);
}

TEST_F(RenamingTest, CommentOfAnUnmarkedVolumeComesBackWhenItIsUndone) {
  array.MakeStray("t_vm_100_disk_0", "see ticket 4711");
  const auto neighbours = rig.disks().ListNeighbours({100, 200}, std::nullopt, rig.Budget());
  ASSERT_TRUE(neighbours.ok());
  array.AddFault({{"method", "PATCH"}, {"nth", 2}, {"status", 403}, {"code", 6}});
  EXPECT_FALSE(
      rig.disks()
          .Rename(neighbours->ours.front(), Rig::Name("vm-200-disk-0"), *neighbours, rig.Budget())
          .ok());
  EXPECT_EQ(array.FindVolume("t_vm_100_disk_0")->comment, "see ticket 4711");
}

TEST_F(RenamingTest, BaseImageHasItsSnapshotAndNoGroup) {
  rig.Make("vm-100-disk-0");
  rig.Make("vm-100-disk-1");
  const auto converted = TurnIntoBase("vm-100-disk-0", "base-100-disk-0");
  ASSERT_TRUE(converted.ok()) << converted.error().Line();
  EXPECT_LE(array.Count(), 4);
  EXPECT_THAT(array.SnapshotsOf("t_base_100_disk_0"), ElementsAre("pve_base"));
  EXPECT_THAT(array.MembersOf("t_pve_cg_vm_100"), ElementsAre("t_vm_100_disk_1"));
}

TEST_F(RenamingTest, SnapshotOfAConversionThatWasStoppedIsTakenAnew) {
  rig.Make("vm-100-disk-0");
  array.sim.Ctl(
      {{"cmd", "schedule-snapshot"}, {"volume", "t_vm_100_disk_0"}, {"name", "pve_base"}});
  const auto old = array.world().snapshots.begin()->uuid;
  ASSERT_TRUE(TurnIntoBase("vm-100-disk-0", "base-100-disk-0").ok());
  EXPECT_THAT(array.SnapshotsOf("t_base_100_disk_0"), ElementsAre("pve_base"));
  EXPECT_EQ(array.world().snapshots.Find(old), nullptr);
}

TEST_F(RenamingTest, LinkedCloneBecomesABaseImageWithASnapshotOfItsOwn) {
  const auto disk = rig.Make("vm-100-disk-0");
  ASSERT_TRUE(TurnIntoBase("vm-100-disk-0", "base-100-disk-0").ok());
  const auto neighbours =
      rig.disks().ListNeighbours({200}, Rig::Name("base-100-disk-0"), rig.Budget());
  ASSERT_TRUE(neighbours.ok());
  const auto name = Rig::Name("base-100-disk-0/vm-200-disk-0");
  ASSERT_TRUE(rig.disks()
                  .Clone({.volume = Rig::Name("base-100-disk-0"), .snapshot = std::nullopt}, name,
                         *neighbours, rig.Budget())
                  .ok());
  const auto converted = TurnIntoBase("vm-200-disk-0", "base-100-disk-0/base-200-disk-0");
  ASSERT_TRUE(converted.ok()) << converted.error().Line();
  const auto base = rig.MustFind("base-200-disk-0");
  EXPECT_EQ(base.volume.name.base_name, "base-100-disk-0");
  EXPECT_NE(base.volume.mark.mark.base_snapshot, "");
  EXPECT_THAT(array.SnapshotsOf("t_base_200_disk_0"),
              Contains(base.volume.mark.mark.BaseSnapshot()));
}

}  // namespace
}  // namespace ontapnvme::catalogue::flexvol
