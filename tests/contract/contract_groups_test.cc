// SPDX-License-Identifier: AGPL-3.0-or-later
// Consistency groups: members, snapshots of all of them, restore.
#include "contract/array_under_test.h"

namespace ontapnvme::contract {
namespace {

using ::testing::UnorderedElementsAre;

class GroupContract : public ContractFixture {
 protected:
  // Names on real arrays are kept short: 30 characters is what NetApp's own driver allows itself.
  std::string GroupName() const { return Name("g"); }

  ontap::ConsistencyGroup MakeGroup(const std::vector<std::string>& parts) {
    std::vector<std::string> names;
    for (const std::string& part : parts) names.push_back(Name(part));
    const Status made = groups_->Create(GroupName(), names, "", Budget());
    if (!made.ok()) {
      ADD_FAILURE() << made.error().Line();
    }
    return TheGroup();
  }
  ontap::ConsistencyGroup TheGroup() {
    auto list = groups_->List(GroupName(), Budget());
    if (list.ok() && list->size() == 1) return list->front();
    ADD_FAILURE() << (list.ok() ? "not one group" : list.error().Line());
    return {};
  }
  std::vector<std::string> Members() {
    std::vector<std::string> names;
    for (const auto& member : TheGroup().members) names.push_back(member.volume_name);
    return names;
  }
  bool CanChange() const { return release() >= ontap::kGroupMembersChange; }
};
INSTANTIATE_TEST_SUITE_P(Array, GroupContract, ::testing::ValuesIn(Variants()), VariantName);

TEST_P(GroupContract, GroupsVolumesAndTellsThemBack) {
  const auto a = MakeDisk("a");
  const auto b = MakeDisk("b");
  const auto group = MakeGroup({"a", "b"});
  ASSERT_EQ(group.members.size(), 2U);
  for (const auto& member : group.members) {
    const auto& disk = member.volume_name == Name("a") ? a : b;
    EXPECT_EQ(member.volume_uuid, disk.volume_uuid);
    EXPECT_EQ(member.comment, "made by the contract suite");
    if (CanChange()) {
      ASSERT_EQ(member.namespaces.size(), 1U);
      EXPECT_EQ(member.namespaces.front().uuid, disk.uuid);
    }
  }
  const auto volume = volumes_->Find(Name("a"), Budget());
  ASSERT_SUCCEEDS(volume);
  ASSERT_TRUE((*volume)->group);
  EXPECT_EQ((*volume)->group->uuid, group.uuid);
  EXPECT_EQ((*volume)->group->name, GroupName());

  EXPECT_FAILS_WITH(groups_->Create(GroupName(), {Name("a")}, "", Budget()),
                    ErrorCode::kAlreadyExists);
  EXPECT_FAILS_WITH(groups_->Create(GroupName() + "2", {Name("a")}, "", Budget()),
                    ErrorCode::kConflict);
  EXPECT_FAILS_WITH(groups_->Create(GroupName() + "2", {Name("none")}, "", Budget()),
                    ErrorCode::kNotFound);
}

TEST_P(GroupContract, ChangesItsMembersWhereItCan) {
  MakeDisk("a");
  MakeDisk("b");
  const auto group = MakeGroup({"a"});
  const Status added = groups_->AddMembers(group.uuid, {Name("b")}, Budget());
  EXPECT_EQ(groups_->AreNamespacesShown(), CanChange());
  if (!CanChange()) {
    EXPECT_FAILS_WITH(added, ErrorCode::kUnsupported);
    return;
  }
  ASSERT_SUCCEEDS(added);
  ASSERT_SUCCEEDS(groups_->AddMembers(group.uuid, {Name("b")}, Budget()));  // twice
  EXPECT_THAT(Members(), UnorderedElementsAre(Name("a"), Name("b")));
  for (int twice = 0; twice < 2; ++twice) {
    ASSERT_SUCCEEDS(groups_->RemoveMembers(group.uuid, {Name("a")}, Budget()));
  }
  EXPECT_THAT(Members(), UnorderedElementsAre(Name("b")));
}

TEST_P(GroupContract, RefusesToChangeAGroupWhereTheArrayDoes) {
  if (IsReal() || !CanChange()) GTEST_SKIP() << "an oddity of 9.17.1 with NVMe, simulated";
  MakeDisk("a");
  MakeDisk("b");
  const auto group = MakeGroup({"a"});
  simulator_->Control({{"cmd", "set"}, {"group_change_with_nvme", "refuse"}});
  EXPECT_FAILS_WITH(groups_->AddMembers(group.uuid, {Name("b")}, Budget()),
                    ErrorCode::kUnsupported);
}

TEST_P(GroupContract, TakesASnapshotPolicy) {
  MakeDisk("a");
  const auto group = MakeGroup({"a"});
  ASSERT_SUCCEEDS(groups_->SetSnapshotPolicy(group.uuid, "default", Budget()));
  ASSERT_SUCCEEDS(groups_->SetSnapshotPolicy(group.uuid, "", Budget()));
}

TEST_P(GroupContract, GoesWithoutItsVolumes) {
  const auto disk = MakeDisk("a");
  const auto group = MakeGroup({"a"});
  const auto there = groups_->Read(group.uuid, Budget());
  ASSERT_SUCCEEDS(there);
  ASSERT_TRUE(*there);
  EXPECT_EQ((*there)->members.size(), 1U);
  for (int twice = 0; twice < 2; ++twice) {
    ASSERT_SUCCEEDS(groups_->Delete(group.uuid, Budget()));
  }
  EXPECT_FALSE(groups_->Read(group.uuid, Budget())->has_value());
  EXPECT_TRUE(groups_->List(GroupName(), Budget())->empty());
  const auto volume = volumes_->Find(Name("a"), Budget());
  ASSERT_SUCCEEDS(volume);
  ASSERT_TRUE(*volume);
  EXPECT_FALSE((*volume)->group);
}

TEST_P(GroupContract, SnapshotsAllMembersAtOnce) {
  const auto a = MakeDisk("a");
  const auto b = MakeDisk("b");
  const auto group = MakeGroup({"a", "b"});
  ASSERT_SUCCEEDS(groups_->CreateSnapshot(group.uuid, "pve_snap_x", "why", Budget()));
  EXPECT_FAILS_WITH(groups_->CreateSnapshot(group.uuid, "pve_snap_x", "", Budget()),
                    ErrorCode::kAlreadyExists);

  const auto found = groups_->FindSnapshot(group.uuid, "pve_snap_x", Budget());
  ASSERT_SUCCEEDS(found);
  ASSERT_TRUE(*found);
  EXPECT_EQ((*found)->comment, "why");
  EXPECT_EQ((*found)->group_uuid, group.uuid);
  EXPECT_EQ((*found)->volumes.size(), CanChange() ? 2U : 0U);  // the same release tells it
  const auto by_pattern = groups_->FindSnapshots(Name("*"), "pve_snap_x", Budget());
  ASSERT_SUCCEEDS(by_pattern);
  ASSERT_EQ(by_pattern->size(), 1U);
  EXPECT_EQ(by_pattern->front().group_uuid, group.uuid);
  EXPECT_EQ(by_pattern->front().uuid, (*found)->uuid);
  EXPECT_TRUE(groups_->FindSnapshots(Name("*"), "pve_snap_y", Budget())->empty());
  const auto all = groups_->ListSnapshots(group.uuid, Budget());
  ASSERT_SUCCEEDS(all);
  ASSERT_EQ(all->size(), 1U);
  EXPECT_EQ(all->front().uuid, (*found)->uuid);

  const std::vector<ontap::VolumeRef> volumes{{a.volume_uuid, Name("a")},
                                              {b.volume_uuid, Name("b")}};
  EXPECT_EQ(snapshots_->FindByName(volumes, "pve_snap_x", Budget())->size(), 2U);
  for (int twice = 0; twice < 2; ++twice) {
    ASSERT_SUCCEEDS(groups_->DeleteSnapshot(group.uuid, (*found)->uuid, Budget()));
  }
  EXPECT_TRUE(snapshots_->FindByName(volumes, "pve_snap_x", Budget())->empty());
}

// Which it need not do: then nothing has changed.
TEST_P(GroupContract, RenamesAGroupsSnapshotOrRefuses) {
  if (!IsReal()) {
    simulator_->Control({{"cmd", "set"}, {"group_snapshot_rename", "members_too"}});
  }
  MakeVolume("a");
  const auto group = MakeGroup({"a"});
  ASSERT_SUCCEEDS(groups_->CreateSnapshot(group.uuid, "before", "", Budget()));
  const auto before = groups_->FindSnapshot(group.uuid, "before", Budget());
  ASSERT_SUCCEEDS(before);
  ASSERT_TRUE(*before);
  Status renamed;
  for (int twice = 0; twice < 2; ++twice) {
    renamed = groups_->RenameSnapshot(group.uuid, (*before)->uuid, "pve_snap_x", Budget());
    EXPECT_TRUE(renamed.ok() || IsReal());
  }
  const std::string name = renamed.ok() ? "pve_snap_x" : "before";
  const auto after = groups_->FindSnapshot(group.uuid, name, Budget());
  ASSERT_SUCCEEDS(after);
  ASSERT_TRUE(*after);
  EXPECT_EQ((*after)->uuid, (*before)->uuid);
}

TEST_P(GroupContract, RestoresAllMembers) {
  const auto disk = MakeDisk("a");
  const auto group = MakeGroup({"a"});
  ASSERT_SUCCEEDS(groups_->CreateSnapshot(group.uuid, "one", "", Budget()));
  if (!IsReal()) {
    simulator_->Control({{"cmd", "write"}, {"uuid", disk.uuid.Text()}, {"text", "later"}});
  }
  ASSERT_SUCCEEDS(groups_->Restore(group.uuid, "one", Budget()));
  if (!IsReal()) {
    const auto read =
        simulator_->Control({{"cmd", "read"}, {"uuid", disk.uuid.Text()}, {"length", 5}});
    EXPECT_EQ(read["hex"], "0000000000");
  }
  EXPECT_FAILS_WITH(groups_->Restore(group.uuid, "none", Budget()), ErrorCode::kNotFound);
}

}  // namespace
}  // namespace ontapnvme::contract
