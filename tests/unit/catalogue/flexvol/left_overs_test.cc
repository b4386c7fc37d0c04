// SPDX-License-Identifier: AGPL-3.0-or-later
// What is found and settled, and above all what is left alone.
#include "catalogue/flexvol/left_overs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "catalogue/flexvol/names/array_names.h"
#include "unit/catalogue/flexvol/rig.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class LeftOversTest : public testing::Test {
 protected:
  LeftOversTest() { rig.Make("vm-100-disk-0"); }

  std::vector<LeftOver> Look() {
    array.clock.Advance(std::chrono::seconds(2));
    const auto survey = rig.backend().Look(array.clock.WallTime(), rig.Budget());
    EXPECT_TRUE(survey.ok()) << survey.error().Line();
    return survey.ok() ? survey->left_overs : std::vector<LeftOver>();
  }
  std::vector<std::string> Descriptions() {
    std::vector<std::string> lines;
    for (const auto& one : Look()) lines.push_back(one.description);
    return lines;
  }
  LeftOver Only() {
    const auto found = Look();
    EXPECT_EQ(found.size(), 1U);
    return found.empty() ? LeftOver() : found.front();
  }
  Status Settle(const LeftOver& left_over) { return rig.backend().Settle(left_over, rig.Budget()); }
  void MakeEmpty(const std::string& flexvol = "t_vm_400_disk_0") {
    array.MakeStray(flexvol, MarkOf(RigOptions().cluster_id, "tank", 400), false);
  }

  TestArray array;
  Rig rig{array};
};

TEST_F(LeftOversTest, WholeDisksAreNoFindings) {
  rig.Make("vm-100-cloudinit");
  array.ClearLog();
  EXPECT_THAT(Descriptions(), IsEmpty());
  EXPECT_EQ(array.Count(), 5) << "the SVM, volumes, namespaces, groups, snapshots of clones";
  const auto survey = rig.backend().Look(array.clock.WallTime(), rig.Budget());
  ASSERT_TRUE(survey.ok());
  EXPECT_EQ(survey->namespace_by_volume.at("vm-100-disk-0"),
            rig.MustFind("vm-100-disk-0").ns->uuid);
}

TEST_F(LeftOversTest, EmptyVolumeOfAStoppedAllocationGoes) {
  MakeEmpty();
  EXPECT_TRUE(rig.backend()
                  .Look(array.clock.WallTime() - std::chrono::hours(1), rig.Budget())
                  ->left_overs.empty())
      << "too young";
  const auto found = Only();
  EXPECT_EQ(found.description,
            "FlexVol t_vm_400_disk_0 is empty: an allocation is under way, or was interrupted");
  EXPECT_EQ(found.settled, "removed empty FlexVol t_vm_400_disk_0");
  EXPECT_TRUE(Settle(found).ok());
  EXPECT_THAT(array.VolumeNames(), ElementsAre("t_vm_100_disk_0"));
  EXPECT_EQ(std::distance(array.world().recovery_queue.begin(), array.world().recovery_queue.end()),
            1)
      << "recoverable all the same";
}

TEST_F(LeftOversTest, VolumeThatMayHoldSomethingIsNotEmpty) {
  struct Case {
    const char* what;
    std::function<void(sim::Volume&)> change;
  };
  const std::vector<Case> cases = {
      {"offline", [](auto& volume) { volume.state = "offline"; }},
      {"a clone",
       [](auto& volume) {
         volume.clone = sim::CloneParent{.volume_uuid = "",
                                         .volume_name = "t_base_1_disk_0",
                                         .snapshot_uuid = "",
                                         .snapshot_name = "pve_base"};
       }},
      {"unmarked", [](auto& volume) { volume.comment = ""; }},
      {"another owner's",
       [](auto& volume) { volume.comment = MarkOf(kOtherCluster, "tank", 400); }},
      {"a base image", [](auto& volume) { volume.name = "t_base_400_disk_0"; }}};
  for (const auto& one : cases) {
    SCOPED_TRACE(one.what);
    MakeEmpty();
    auto& volume = *array.FindVolume("t_vm_400_disk_0");
    const std::string uuid = volume.uuid;
    const auto found = Only();
    one.change(volume);
    EXPECT_THAT(Descriptions(), Not(Contains(HasSubstr("is empty"))));
    EXPECT_FALSE(Settle(found).ok()) << "the second look sees it too";
    ASSERT_NE(array.world().volumes.Find(uuid), nullptr);
    array.world().volumes.Erase(uuid);
  }
}

TEST_F(LeftOversTest, EmptyVolumeThatAnOlderReleaseTookIntoTheGroupLeavesItAndGoes) {
  rig.Make("vm-100-disk-1");
  array.world().RemoveNamespace(array.NamespaceIn("t_vm_100_disk_1")->uuid);
  const auto found = Only();
  EXPECT_THAT(found.description, HasSubstr("t_vm_100_disk_1 is empty"));
  const auto settled = Settle(found);
  ASSERT_TRUE(settled.ok()) << settled.error().Line();
  EXPECT_THAT(array.VolumeNames(), ElementsAre("t_vm_100_disk_0"));
  EXPECT_THAT(array.MembersOf("t_pve_cg_vm_100"), ElementsAre("t_vm_100_disk_0"));
  EXPECT_THAT(array.Orphans(), IsEmpty());
}

TEST_F(LeftOversTest, MemberWhoseGroupShowsItsNamespaceIsNotEmpty) {
  const auto hide = [](const http::Request& request, http::Response& response) {
    if (request.target.starts_with("/api/storage/namespaces?")) {
      response.body = R"({"records":[],"num_records":0})";
    }
  };
  rig.transport().tamper = hide;
  const auto settled = Settle(Only());
  EXPECT_TRUE(FailedWith(settled, ErrorCode::kConflict));
  EXPECT_THAT(settled.error().Line(), HasSubstr("does not show that it is empty"));
  // Nor where the group cannot show any.
  array.Set("release", "9.11.1");
  rig.Restart();
  ASSERT_TRUE(rig.backend().RefreshTarget("", rig.Budget()).ok());
  rig.transport().tamper = hide;
  EXPECT_FALSE(Settle(Only()).ok());
  EXPECT_THAT(array.VolumeNames(), ElementsAre("t_vm_100_disk_0"));
  EXPECT_THAT(array.MembersOf("t_pve_cg_vm_100"), ElementsAre("t_vm_100_disk_0"));
}

TEST_F(LeftOversTest, MemberOfAnotherGroupIsNotEmpty) {
  array.world().RemoveNamespace(array.NamespaceIn("t_vm_100_disk_0")->uuid);
  array.world().groups.begin()->name = "somebody_elses";
  EXPECT_THAT(Descriptions(), Not(Contains(HasSubstr("is empty"))));
  const auto settled = Settle({.description = "", .settled = "", .key = "empty vm-100-disk-0"});
  EXPECT_TRUE(FailedWith(settled, ErrorCode::kConflict));
  EXPECT_THAT(array.VolumeNames(), ElementsAre("t_vm_100_disk_0"));
}

TEST_F(LeftOversTest, EmptyGroupGoesWithItsSnapshots) {
  ASSERT_TRUE(rig.snapshots()
                  .Take(Rig::Name("vm-100-disk-0"), Rig::Snap("s1"), NewOperationId(), rig.Budget())
                  .ok());
  array.world().LeaveGroup(array.FindVolume("t_vm_100_disk_0")->uuid);
  array.Remove("t_vm_100_disk_0");
  const auto found = Only();
  EXPECT_EQ(found.description, "consistency group t_pve_cg_vm_100 has no members");
  EXPECT_EQ(found.settled, "removed consistency group t_pve_cg_vm_100, which had no members");
  const auto settled = Settle(found);
  ASSERT_TRUE(settled.ok()) << settled.error().Line();
  EXPECT_EQ(array.world().groups.size(), 0U);
  EXPECT_EQ(array.world().group_snapshots.size(), 0U);
  EXPECT_TRUE(Settle(found).ok()) << "settled already";
}

TEST_F(LeftOversTest, GroupThatHasMembersByNowIsLeftAlone) {
  LeftOver found{.description = "", .settled = "", .key = "empty_group t_pve_cg_vm_100"};
  EXPECT_TRUE(FailedWith(Settle(found), ErrorCode::kConflict));
  EXPECT_THAT(array.MembersOf("t_pve_cg_vm_100"), ElementsAre("t_vm_100_disk_0"));
  // And what only begins like a group of ours.
  array.world().groups.begin()->name = "t_pve_cg_vm_100_backup";
  array.world().LeaveGroup(array.FindVolume("t_vm_100_disk_0")->uuid);
  EXPECT_THAT(Descriptions(), Not(Contains(HasSubstr("has no members"))));
  found.key = "empty_group t_pve_cg_vm_100_backup";
  EXPECT_TRUE(Settle(found).ok());
  EXPECT_EQ(array.world().groups.size(), 1U);
}

TEST_F(LeftOversTest, VolumeWithASnapshotIsLeftAlone) {
  MakeEmpty();
  const auto found = Only();
  array.sim.Ctl({{"cmd", "schedule-snapshot"}, {"volume", "t_vm_400_disk_0"}, {"name", "hourly"}});
  const auto settled = Settle(found);
  EXPECT_TRUE(FailedWith(settled, ErrorCode::kConflict));
  EXPECT_THAT(settled.error().Line(), HasSubstr("it has snapshots"));
  EXPECT_THAT(array.VolumeNames(), Contains("t_vm_400_disk_0"));
}

TEST_F(LeftOversTest, ListingThatHidesTheNamespaceDoesNotCostADisk) {
  // Its space says that there is something.
  array.sim.store().Write(array.NamespaceIn("t_vm_100_disk_0")->uuid, 0, "precious");
  const auto hide = [&](ByteCount used) {
    rig.transport().tamper = [used](const http::Request& request, http::Response& response) {
      if (request.method != http::Method::kGet) return;
      if (request.target.starts_with("/api/storage/namespaces?")) {
        response.body = R"({"records":[],"num_records":0})";
      } else if (request.target.starts_with("/api/storage/volumes?")) {
        auto answer = nlohmann::json::parse(response.body);
        for (auto& record : answer.at("records")) {
          record["space"]["used"] = used.bytes();
          record.erase("consistency_group");
        }
        response.body = answer.dump();
      }
    };
  };
  hide(MiB(100));
  EXPECT_THAT(Descriptions(), IsEmpty());
  LeftOver found{.description = "", .settled = "", .key = "empty vm-100-disk-0"};
  EXPECT_FALSE(Settle(found).ok());
  // And where even that is little, its snapshots do.
  hide(MiB(1));
  ASSERT_TRUE(rig.snapshots()
                  .Take(Rig::Name("vm-100-disk-0"), Rig::Snap("s1"), NewOperationId(), rig.Budget())
                  .ok());
  EXPECT_FALSE(Settle(found).ok());
  EXPECT_THAT(array.VolumeNames(), Contains("t_vm_100_disk_0"));
}

TEST_F(LeftOversTest, WhatCannotBeToldIsLeftAlone) {
  MakeEmpty();
  const auto found = Only();
  for (int nth = 1; nth <= 3; ++nth) {
    array.DropFrom(nth);
    EXPECT_FALSE(Settle(found).ok());
    array.ClearFaults();
    EXPECT_THAT(array.VolumeNames(), Contains("t_vm_400_disk_0"));
  }
}

TEST_F(LeftOversTest, UnmappedDiskIsMapped) {
  ASSERT_TRUE(rig.disks().Unmap(*rig.MustFind("vm-100-disk-0").ns, rig.Budget()).ok());
  const auto found = Only();
  EXPECT_EQ(found.description, "FlexVol t_vm_100_disk_0 is not mapped");
  EXPECT_TRUE(Settle(found).ok());
  EXPECT_THAT(Look(), IsEmpty());
  EXPECT_TRUE(Settle(found).ok()) << "settled already";
}

TEST_F(LeftOversTest, DiskOutsideItsGroupJoinsIt) {
  rig.Make("vm-100-disk-1");
  array.world().LeaveGroup(array.FindVolume("t_vm_100_disk_0")->uuid);
  const auto found = Only();
  EXPECT_EQ(found.description, "VM 100 has disks outside its consistency group");
  EXPECT_TRUE(Settle(found).ok());
  EXPECT_THAT(array.Orphans(), IsEmpty());
  EXPECT_THAT(Look(), IsEmpty());
}

TEST_F(LeftOversTest, ParkedVolumeGoesWhenItsClonesHaveGone) {
  array.Set("queued_clones_hold_parent", "yes");
  const auto base = Rig::Name("base-100-disk-0");
  ASSERT_TRUE(rig.disks().TurnIntoBase(rig.MustFind("vm-100-disk-0"), base, rig.Budget()).ok());
  const auto neighbours = rig.disks().ListNeighbours({200}, base, rig.Budget());
  const auto clone = rig.disks().Clone({.volume = base, .snapshot = std::nullopt},
                                       Rig::Name("vm-200-disk-0"), *neighbours, rig.Budget());
  ASSERT_TRUE(clone.ok());
  for (const char* name : {"vm-200-disk-0", "base-100-disk-0"}) {
    const auto disk = rig.MustFind(name);
    ASSERT_TRUE(rig.disks().Unmap(*disk.ns, rig.Budget()).ok());
    ASSERT_TRUE(rig.disks().Remove(disk.volume, rig.Budget()).ok());
  }
  const auto found = Only();
  EXPECT_THAT(found.description, HasSubstr("waits for its deleted clones"));
  EXPECT_TRUE(FailedWith(Settle(found), ErrorCode::kBusy));
  array.Set("queued_clones_hold_parent", "no");
  EXPECT_TRUE(Settle(found).ok());
  EXPECT_THAT(array.VolumeNames(), IsEmpty());
}

TEST_F(LeftOversTest, OnlyWhatParkingNamedAndMarkedIsParked) {
  for (const auto& comment :
       {MarkOf(RigOptions().cluster_id, "tank"), std::string(), MarkOf(kOtherCluster, "tank")}) {
    array.MakeStray("t_pve_deleted_by_hand", comment);
    EXPECT_THAT(Look(), IsEmpty());
    EXPECT_TRUE(
        Settle({.description = "", .settled = "", .key = "parked t_pve_deleted_by_hand"}).ok());
    EXPECT_THAT(array.VolumeNames(), Contains("t_pve_deleted_by_hand"));
    array.Remove("t_pve_deleted_by_hand");
  }
}

TEST_F(LeftOversTest, NameOfParkingWithoutItsMarkIsNotParked) {
  for (const auto& comment : {std::string(), MarkOf(kOtherCluster, "tank")}) {
    array.MakeStray("t_stray", comment);
    auto* volume = array.FindVolume("t_stray");
    const std::string name = ArrayNames("t_").Parked(*Uuid::Parse(volume->uuid));
    volume->name = name;
    EXPECT_THAT(Look(), IsEmpty());
    (void)Settle({.description = "", .settled = "", .key = "parked " + name});
    EXPECT_THAT(array.VolumeNames(), Contains(name));
    array.Remove(name);
  }
}

// Of the plugin before this one, or made by hand: it is served, and nothing is done about it unasked.
TEST_F(LeftOversTest, DiskWithoutAMarkIsNoFinding) {
  array.MakeStray("t_vm_300_disk_0", "");
  array.MakeStray("t_vm_300_disk_1", "");
  EXPECT_FALSE(array.Orphans().empty()) << "neither mapped nor in a group";
  EXPECT_THAT(Look(), IsEmpty());
}

}  // namespace
}  // namespace ontapnvme::catalogue::flexvol
