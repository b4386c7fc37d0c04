// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/flexvol/vm_group.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/catalogue/flexvol/rig.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class VmGroupTest : public testing::Test {
 protected:
  // Deletes the disk as the operation does.
  void Remove(const std::string& name) {
    const auto disk = rig.MustFind(name);
    ASSERT_TRUE(rig.disks().Unmap(*disk.ns, rig.Budget()).ok());
    array.ClearLog();
    const auto removed = rig.disks().Remove(disk.volume, rig.Budget());
    ASSERT_TRUE(removed.ok()) << removed.error().Line();
  }
  void Take(const std::string& name, const std::string& snapshot) {
    const auto taken =
        rig.snapshots().Take(Rig::Name(name), Rig::Snap(snapshot), NewOperationId(), rig.Budget());
    ASSERT_TRUE(taken.ok()) << taken.error().Line();
  }
  void Rename(const std::string& from, const std::string& to) {
    const auto neighbours = rig.disks().ListNeighbours({Rig::Name(from).vmid, Rig::Name(to).vmid},
                                                       std::nullopt, rig.Budget());
    ASSERT_TRUE(neighbours.ok()) << neighbours.error().Line();
    for (const auto& volume : neighbours->ours) {
      if (volume.name != Rig::Name(from)) continue;
      const auto renamed = rig.disks().Rename(volume, Rig::Name(to), *neighbours, rig.Budget());
      ASSERT_TRUE(renamed.ok()) << renamed.error().Line();
      return;
    }
    FAIL() << from << " is not listed";
  }
  std::vector<std::string> GroupNames() {
    std::vector<std::string> names;
    for (const auto& group : array.world().groups) names.push_back(group.name);
    return names;
  }
  // A group of that name without members, which keeps a snapshot, as a VM of the past leaves it.
  void LeaveEmptyGroup(const std::string& group) {
    const std::string mark = MarkOf(RigOptions().cluster_id, "tank");
    array.MakeStray("t_vm_100_disk_0", mark);
    MakeGroup(group, "t_vm_100_disk_0");
    Take("vm-100-disk-0", "s1");
    TakeOut("t_vm_100_disk_0");
    array.Remove("t_vm_100_disk_0");
  }
  void MakeGroup(const std::string& group, const std::string& flexvol) {
    const auto volumes =
        nlohmann::json::array({{{"name", flexvol}, {"provisioning_options", {{"action", "add"}}}}});
    const auto reply = array.sim.Ctl(
        {{"cmd", "admin"},
         {"method", "POST"},
         {"target", "/api/application/consistency-groups"},
         {"body", {{"svm", {{"name", "svm1"}}}, {"name", group}, {"volumes", volumes}}}});
    ASSERT_TRUE(reply.at("ok").get<bool>()) << reply.dump();
  }
  void TakeOut(const std::string& flexvol) {
    array.world().LeaveGroup(array.FindVolume(flexvol)->uuid);
  }
  // The group of that name goes to a disk of another owner.
  void TakeName(const std::string& group) {
    array.MakeStray("t_vm_999_disk_0", MarkOf(kOtherCluster, "tank", 999));
    MakeGroup(group, "t_vm_999_disk_0");
  }
  std::string TaggedGroup() {
    return "t_pve_cg_vm_100_" + Marker(RigOptions().cluster_id, "tank").ShortTag();
  }

  TestArray array;
  Rig rig{array};
};

TEST_F(VmGroupTest, DisksThatAreInNoGroupJoinWithTheNextOne) {
  rig.Make("vm-100-disk-0");
  rig.Make("vm-100-disk-1");
  rig.Make("vm-100-cloudinit");
  TakeOut("t_vm_100_disk_0");
  rig.Make("vm-100-disk-2");
  EXPECT_THAT(array.MembersOf("t_pve_cg_vm_100"),
              UnorderedElementsAre("t_vm_100_disk_0", "t_vm_100_disk_1", "t_vm_100_disk_2"));
}

TEST_F(VmGroupTest, NameThatAnotherOwnerHasGetsATag) {
  TakeName("t_pve_cg_vm_100");
  rig.Make("vm-100-disk-0");
  rig.Make("vm-100-disk-1");
  EXPECT_THAT(array.MembersOf("t_pve_cg_vm_100"), ElementsAre("t_vm_999_disk_0"));
  EXPECT_THAT(array.MembersOf(TaggedGroup()),
              UnorderedElementsAre("t_vm_100_disk_0", "t_vm_100_disk_1"));
  const auto taken = rig.snapshots().Take(Rig::Name("vm-100-disk-0"), Rig::Snap("s1"),
                                          NewOperationId(), rig.Budget());
  ASSERT_TRUE(taken.ok()) << taken.error().Line();
  EXPECT_EQ(taken->size(), 2U);
  EXPECT_THAT(array.SnapshotsOf("t_vm_999_disk_0"), IsEmpty());
}

TEST_F(VmGroupTest, GroupWithAForeignMemberIsNotTouched) {
  rig.Make("vm-100-disk-0");
  rig.Make("vm-100-disk-1");
  array.FindVolume("t_vm_100_disk_1")->comment = MarkOf(kOtherCluster, "tank");
  const auto taken = rig.snapshots().Take(Rig::Name("vm-100-disk-0"), Rig::Snap("s1"),
                                          NewOperationId(), rig.Budget());
  ASSERT_TRUE(taken.ok());
  EXPECT_EQ(taken->size(), 1U);
  EXPECT_THAT(array.SnapshotsOf("t_vm_100_disk_1"), IsEmpty());
  EXPECT_THAT(rig.TakeLog(), HasSubstr("in no consistency group"));
  const auto history = rig.snapshots().ReadHistory(Rig::Name("vm-100-disk-0"), rig.Budget());
  ASSERT_TRUE(history.ok());
  EXPECT_FALSE(history->group.has_value());
}

TEST_F(VmGroupTest, GroupThatCannotBeChangedIsMadeAnew) {
  array.Set("group_change_with_nvme", "refuse_oddly");
  rig.Make("vm-100-disk-0");
  const auto first = array.world().groups.begin()->uuid;
  rig.Make("vm-100-disk-1");
  EXPECT_THAT(array.MembersOf("t_pve_cg_vm_100"),
              UnorderedElementsAre("t_vm_100_disk_0", "t_vm_100_disk_1"));
  EXPECT_NE(array.world().groups.begin()->uuid, first);
  // And anew without the one that leaves.
  const auto disk = rig.MustFind("vm-100-disk-0");
  ASSERT_TRUE(rig.disks().TurnIntoBase(disk, Rig::Name("base-100-disk-0"), rig.Budget()).ok());
  EXPECT_THAT(array.MembersOf("t_pve_cg_vm_100"), ElementsAre("t_vm_100_disk_1"));
}

TEST_F(VmGroupTest, SnapshotsOfAGroupThatWasMadeAnewStay) {
  array.Set("group_change_with_nvme", "refuse");
  rig.Make("vm-100-disk-0");
  const auto name = Rig::Name("vm-100-disk-0");
  ASSERT_TRUE(rig.snapshots().Take(name, Rig::Snap("s1"), NewOperationId(), rig.Budget()).ok());
  rig.Make("vm-100-disk-1");
  EXPECT_THAT(array.SnapshotsOf("t_vm_100_disk_0"), ElementsAre("pve_snap_s1"));
}

// ---- the last member

struct ArrayHabits {
  std::string empty_groups;
  std::string deleted_volume_in_group;
  std::string group_change_with_nvme = "take";
};

class HabitsTest : public VmGroupTest, public testing::WithParamInterface<ArrayHabits> {
 protected:
  HabitsTest() {
    array.Set("empty_groups", GetParam().empty_groups);
    array.Set("deleted_volume_in_group", GetParam().deleted_volume_in_group);
    array.Set("group_change_with_nvme", GetParam().group_change_with_nvme);
  }
};

TEST_P(HabitsTest, DeletedDiskLeavesAndTheLastTakesGroupAndSnapshotsAlong) {
  rig.Make("vm-100-disk-0");
  rig.Make("vm-100-disk-1");
  Take("vm-100-disk-0", "s1");
  Remove("vm-100-disk-0");
  EXPECT_THAT(array.MembersOf("t_pve_cg_vm_100"), ElementsAre("t_vm_100_disk_1"));
  EXPECT_THAT(array.Orphans(), IsEmpty());
  EXPECT_THAT(array.SnapshotsOf("t_vm_100_disk_1"), ElementsAre("pve_snap_s1"));
  Take("vm-100-disk-1", "s2");
  Remove("vm-100-disk-1");
  EXPECT_THAT(GroupNames(), IsEmpty());
  EXPECT_EQ(array.world().group_snapshots.size(), 0U);
  EXPECT_EQ(rig.TakeLog(), "");
}

TEST_P(HabitsTest, DiskThatGoesToAnotherVmKeepsItsSnapshots) {
  rig.Make("vm-100-disk-0");
  rig.Make("vm-100-disk-1");
  Take("vm-100-disk-0", "s1");
  Rename("vm-100-disk-0", "vm-200-disk-0");
  EXPECT_THAT(array.MembersOf("t_pve_cg_vm_100"), ElementsAre("t_vm_100_disk_1"));
  Rename("vm-100-disk-1", "vm-200-disk-1");
  EXPECT_THAT(GroupNames(), ElementsAre("t_pve_cg_vm_200"));
  EXPECT_EQ(array.MembersOf("t_pve_cg_vm_200").size(), 2U);
  for (const char* flexvol : {"t_vm_200_disk_0", "t_vm_200_disk_1"}) {
    EXPECT_THAT(array.SnapshotsOf(flexvol), ElementsAre("pve_snap_s1")) << flexvol;
  }
  EXPECT_EQ(rig.TakeLog(), "");
}

TEST_P(HabitsTest, VmidServesManyVmsInTurn) {
  for (int life = 1; life <= 5; ++life) {
    SCOPED_TRACE("VM " + std::to_string(life) + " of that number");
    rig.Make("vm-100-disk-0");
    EXPECT_THAT(array.MembersOf("t_pve_cg_vm_100"), ElementsAre("t_vm_100_disk_0"));
    EXPECT_EQ(array.world().group_snapshots.size(), 0U) << "of a VM before";
    Take("vm-100-disk-0", "s1");
    rig.Restart();
    Remove("vm-100-disk-0");
    rig.Restart();
  }
  EXPECT_THAT(GroupNames(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    Arrays, HabitsTest,
    testing::Values(ArrayHabits{"vanish", "leaves"}, ArrayHabits{"vanish", "stays"},
                    ArrayHabits{"stay", "leaves"}, ArrayHabits{"stay", "stays"},
                    ArrayHabits{"stay", "leaves", "refuse"}, ArrayHabits{"stay", "stays", "refuse"},
                    ArrayHabits{"stay", "stays", "refuse_oddly"}),
    [](const auto& habits) {
      return habits.param.empty_groups + "_" + habits.param.deleted_volume_in_group + "_" +
             habits.param.group_change_with_nvme;
    });

// With the number of requests to delete the volume itself, which is one.
TEST_F(VmGroupTest, DeletingCostsALookUntilTheHabitOfTheArrayIsSeen) {
  for (const char* name : {"vm-100-disk-0", "vm-100-disk-1", "vm-100-disk-2"}) rig.Make(name);
  Remove("vm-100-disk-0");
  EXPECT_EQ(array.Count(), 2) << "deleted, and looked at";
  Remove("vm-100-disk-1");
  EXPECT_EQ(array.Count(), 1) << "others remain";
  Remove("vm-100-disk-2");
  EXPECT_EQ(array.Count(), 3) << "the last one: looked at, and the group deleted";
  EXPECT_THAT(GroupNames(), IsEmpty());
}

TEST_F(VmGroupTest, EmptyGroupsOfAnotherTimeAreInNobodysWay) {
  LeaveEmptyGroup("t_pve_cg_vm_100");
  LeaveEmptyGroup(TaggedGroup());
  ASSERT_EQ(array.world().group_snapshots.size(), 2U);
  rig.Make("vm-100-disk-0");
  EXPECT_THAT(GroupNames(), ElementsAre("t_pve_cg_vm_100"));
  EXPECT_THAT(array.MembersOf("t_pve_cg_vm_100"), ElementsAre("t_vm_100_disk_0"));
  EXPECT_EQ(array.world().group_snapshots.size(), 0U) << "snapshots of a VM of the past";
  EXPECT_EQ(rig.TakeLog(), "");
}

TEST_F(VmGroupTest, SnapshotOfAVmOfThePastIsNotTakenForTheVms) {
  // As older releases left it: the first name is an empty group's, the VM has the second.
  LeaveEmptyGroup("t_pve_cg_vm_100");
  array.MakeStray("t_vm_100_disk_0", MarkOf(RigOptions().cluster_id, "tank"));
  array.MakeStray("t_vm_100_disk_1", MarkOf(RigOptions().cluster_id, "tank"));
  MakeGroup(TaggedGroup(), "t_vm_100_disk_0");
  for (const char* name : {"vm-100-disk-0", "vm-100-disk-1"}) {
    Take(name, "s1");
    const auto deleted = rig.snapshots().Delete(Rig::Name(name), Rig::Snap("s1"), rig.Budget());
    ASSERT_TRUE(deleted.ok()) << deleted.error().Line();
    EXPECT_THAT(
        array.SnapshotsOf(array.FindVolume(*rig.disks().ContainerName(Rig::Name(name)))->name),
        IsEmpty())
        << name;
  }
  // Where it is the only one of that name.
  TakeOut("t_vm_100_disk_0");
  Take("vm-100-disk-0", "s1");
  ASSERT_TRUE(
      rig.snapshots().Delete(Rig::Name("vm-100-disk-0"), Rig::Snap("s1"), rig.Budget()).ok());
  EXPECT_THAT(array.SnapshotsOf("t_vm_100_disk_0"), IsEmpty());
}

TEST_F(VmGroupTest, EmptyGroupKeepsTheSnapshotThatAVolumeElsewhereHas) {
  rig.Make("vm-100-disk-0");
  rig.Make("vm-100-disk-1");
  Take("vm-100-disk-0", "s1");
  Rename("vm-100-disk-1", "vm-200-disk-0");
  Remove("vm-100-disk-0");
  EXPECT_THAT(array.SnapshotsOf("t_vm_200_disk_0"), ElementsAre("pve_snap_s1"));
  EXPECT_THAT(rig.TakeLog(), HasSubstr("'t_vm_200_disk_0', which left it, still has its snapshot"));
  // A VM of that number gets its disks and a group all the same.
  rig.Make("vm-100-disk-0");
  EXPECT_THAT(array.MembersOf(TaggedGroup()), ElementsAre("t_vm_100_disk_0"));
  EXPECT_THAT(array.SnapshotsOf("t_vm_200_disk_0"), ElementsAre("pve_snap_s1"));
}

// As a busy array may answer: the group is there, its members are not told.
TEST_F(VmGroupTest, GroupThatShowsNoMemberIsNotTakenForOneThatEnds) {
  rig.Make("vm-100-disk-0");
  rig.Make("vm-100-disk-1");
  Take("vm-100-disk-0", "s1");
  rig.transport().tamper = [](const http::Request& request, http::Response& response) {
    const bool is_group = request.target.starts_with("/api/application/consistency-groups/") &&
                          request.target.find("snapshots") == std::string::npos;
    if (request.method != http::Method::kGet || !is_group) return;
    auto answer = nlohmann::json::parse(response.body);
    answer.erase("volumes");
    response.body = answer.dump();
  };
  auto disk = rig.MustFind("vm-100-disk-1");
  ASSERT_TRUE(disk.volume.group);
  disk.volume.group->is_shared = false;  // as a listing of that disk alone shows it
  const auto converted = rig.disks().TurnIntoBase(disk, Rig::Name("base-100-disk-1"), rig.Budget());
  ASSERT_TRUE(converted.ok()) << converted.error().Line();
  EXPECT_THAT(array.MembersOf("t_pve_cg_vm_100"), ElementsAre("t_vm_100_disk_0"));
  EXPECT_EQ(array.world().group_snapshots.size(), 1U);
}

TEST_F(VmGroupTest, EmptyGroupThatDoesNotSayWhatItsSnapshotsHoldKeepsThemToo) {
  rig.Make("vm-100-disk-0");
  rig.Make("vm-100-disk-1");
  Take("vm-100-disk-0", "s1");
  Rename("vm-100-disk-1", "vm-200-disk-0");
  rig.transport().tamper = [](const http::Request& request, http::Response& response) {
    if (request.target.find("/snapshots?") == std::string::npos) return;
    auto answer = nlohmann::json::parse(response.body);
    for (auto& record : answer.at("records")) record.erase("snapshot_volumes");
    response.body = answer.dump();
  };
  Remove("vm-100-disk-0");
  EXPECT_THAT(array.SnapshotsOf("t_vm_200_disk_0"), ElementsAre("pve_snap_s1"));
  EXPECT_EQ(array.world().group_snapshots.size(), 1U);
  // And lets go of those that nobody else has.
  array.world().RemoveSnapshot(
      array.world().FindSnapshot(array.FindVolume("t_vm_200_disk_0")->uuid, "pve_snap_s1")->uuid);
  const auto removed = rig.backend().Look(array.clock.WallTime(), rig.Budget());
  ASSERT_TRUE(removed.ok());
  ASSERT_EQ(removed->left_overs.size(), 1U);
  const auto settled = rig.backend().Settle(removed->left_overs.front(), rig.Budget());
  ASSERT_TRUE(settled.ok()) << settled.error().Line();
  EXPECT_THAT(GroupNames(), ElementsAre("t_pve_cg_vm_200"));
}

// ---- groups that fail

TEST_F(VmGroupTest, FailingGroupCostsNoDiskAndIsTriedAgain) {
  for (const int status : {403, 400, 409, 500}) {
    SCOPED_TRACE(status);
    array.AddFault({{"method", "POST"},
                    {"path", "/api/application/consistency-groups"},
                    {"status", status},
                    {"times", -1}});
    rig.Make("vm-100-disk-0");
    array.ClearFaults();
    EXPECT_THAT(GroupNames(), IsEmpty());
    EXPECT_THAT(rig.TakeLog(),
                AllOf(HasSubstr("volume 'vm-100-disk-0' is not in the consistency group of VM 100"),
                      HasSubstr("not of one point in time")));
    // Its snapshots are its own meanwhile.
    Take("vm-100-disk-0", "s1");
    ASSERT_TRUE(
        rig.snapshots().Delete(Rig::Name("vm-100-disk-0"), Rig::Snap("s1"), rig.Budget()).ok());
    rig.Make("vm-100-disk-1");
    EXPECT_EQ(array.MembersOf("t_pve_cg_vm_100").size(), 2U);
    rig.TakeLog();
    Remove("vm-100-disk-0");
    Remove("vm-100-disk-1");
  }
}

TEST_F(VmGroupTest, GroupThatMayNotBeMadeAnewIsAsBefore) {
  rig.Make("vm-100-disk-0");
  array.Set("group_change_with_nvme", "refuse_oddly");
  // Refused with all of them, taken with those that it had.
  array.AddFault({{"method", "POST"},
                  {"path", "/api/application/consistency-groups"},
                  {"status", 400},
                  {"times", 1}});
  rig.Make("vm-100-disk-1");
  EXPECT_THAT(array.MembersOf("t_pve_cg_vm_100"), ElementsAre("t_vm_100_disk_0"));
  EXPECT_THAT(rig.TakeLog(), HasSubstr("volume 'vm-100-disk-1' is not in the consistency group"));
}

TEST_F(VmGroupTest, NewGroupHasThePolicyThatIsSet) {
  rig.Make("vm-100-disk-0");
  const auto& policy = array.world().groups.begin()->snapshot_policy_uuid;
  EXPECT_EQ(array.world().snapshot_policies.Find(policy)->name, "none");
}

TEST_F(VmGroupTest, VolumeWithoutANamespaceJoinsNoGroup) {
  rig.Make("vm-100-disk-0");
  array.MakeStray("t_vm_100_disk_1", MarkOf(RigOptions().cluster_id, "tank"), false);
  rig.Make("vm-100-disk-2");
  EXPECT_THAT(array.MembersOf("t_pve_cg_vm_100"),
              UnorderedElementsAre("t_vm_100_disk_0", "t_vm_100_disk_2"));
}

class ManyMembersTest : public VmGroupTest,
                        public testing::WithParamInterface<std::pair<const char*, const char*>> {};

TEST_P(ManyMembersTest, JoinInSteps) {
  const auto& [create, change] = GetParam();
  array.Set("group_create_above_16", create);
  for (int i = 0; i < 20; ++i) {
    array.MakeStray("t_vm_100_disk_" + std::to_string(i), MarkOf(RigOptions().cluster_id, "tank"));
  }
  array.Set("group_change_with_nvme", change);
  rig.Make("vm-100-disk-20");
  const bool is_whole = std::string(change) == "take" || std::string(create) == "take";
  EXPECT_EQ(array.MembersOf("t_pve_cg_vm_100").size(), is_whole ? 21U : 16U);
  EXPECT_EQ(rig.TakeLog().empty(), is_whole);
}

INSTANTIATE_TEST_SUITE_P(Arrays, ManyMembersTest,
                         testing::Values(std::pair{"take", "take"}, std::pair{"refuse", "take"},
                                         std::pair{"take", "refuse"},
                                         std::pair{"refuse", "refuse"}));

// ---- names

TEST_F(VmGroupTest, LongPrefixMakesNoLongGroupNameAndFormerOnesAreFound) {
  const std::string prefix = "datacenter_east_production_";
  Rig named(array, {.settings = {{"storage_prefix", prefix}}});
  named.Make("vm-100-disk-0");
  ASSERT_EQ(array.world().groups.size(), 1U);
  const std::string name = array.world().groups.begin()->name;
  EXPECT_LE(name.size(), 30U) << name;
  named.Make("vm-100-disk-1");
  EXPECT_EQ(array.MembersOf(name).size(), 2U);
  // As an older release made it on an array that takes long names.
  array.world().groups.begin()->name = prefix + "pve_cg_vm_100";
  named.Make("vm-100-disk-2");
  EXPECT_EQ(array.MembersOf(prefix + "pve_cg_vm_100").size(), 3U);
  const auto taken = named.snapshots().Take(Rig::Name("vm-100-disk-0"), Rig::Snap("s1"),
                                            NewOperationId(), named.Budget());
  ASSERT_TRUE(taken.ok()) << taken.error().Line();
  EXPECT_EQ(taken->size(), 3U);
}

TEST_F(VmGroupTest, FullGroupTakesNoMoreAndSaysSo) {
  auto neighbours = rig.NeighboursOf(Rig::Name("vm-100-disk-0"));
  for (int i = 0; i < 80; ++i) {
    Volume member;
    member.name = Rig::Name("vm-100-disk-" + std::to_string(i + 1));
    member.container_name = "t_vm_100_disk_" + std::to_string(i + 1);
    member.group = GroupRef{.uuid = Uuid(), .name = "t_pve_cg_vm_100"};
    member.container = *Uuid::Parse("00000000-0000-0000-0000-0000000000" +
                                    std::string(i < 10 ? "0" : "") + std::to_string(i));
    neighbours.ours.push_back(member);
  }
  const auto made = rig.disks().Make(Rig::Name("vm-100-disk-0"), MiB(4), neighbours, rig.Budget());
  ASSERT_TRUE(made.ok()) << made.error().Line();
  EXPECT_THAT(rig.TakeLog(), HasSubstr("as many disks as a consistency group takes"));
  EXPECT_THAT(array.MembersOf("t_pve_cg_vm_100"), IsEmpty());
}

TEST_F(VmGroupTest, GroupThatWentAwayInBetweenIsMadeAgainWithTheMembersItHad) {
  rig.Make("vm-100-disk-0");
  array.Set("group_at_add", "gone");
  rig.Make("vm-100-disk-1");
  EXPECT_THAT(array.MembersOf("t_pve_cg_vm_100"),
              UnorderedElementsAre("t_vm_100_disk_0", "t_vm_100_disk_1"));
  EXPECT_EQ(rig.TakeLog(), "");
}

}  // namespace
}  // namespace ontapnvme::catalogue::flexvol
