// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/flexvol/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <type_traits>

#include "unit/catalogue/flexvol/rig.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

using testing::Contains;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

// Nothing but the gates can call a record ours.
static_assert(!std::is_constructible_v<OwnedVolume, VolumeRecord>);
static_assert(!std::is_constructible_v<OwnedNamespace, ontap::NvmeNamespace>);
static_assert(!std::is_constructible_v<OwnedSnapshot, ontap::Snapshot>);
static_assert(!std::is_constructible_v<OwnedGroup, GroupRecord>);
static_assert(!std::is_default_constructible_v<OwnedVolume>);
static_assert(!std::is_invocable_v<decltype(&Gate::Delete), Gate&, const ontap::FlexVol&, bool,
                                   const Deadline&>);

// Who has marked an object, and whether it is ours then.
struct OwnerCase {
  const char* what;
  std::string comment;
  bool is_ours;
};

std::vector<OwnerCase> Owners() {
  const std::string cluster = RigOptions().cluster_id;
  const std::string ours = MarkOf(cluster, "tank");
  return {{"our mark", ours, true},
          {"no mark", "", true},
          {"a comment of an administrator", "see ticket 4711", true},
          {"another cluster", MarkOf(kOtherCluster, "tank"), false},
          {"another storage", MarkOf(cluster, "tank2"), false},
          {"a mark that cannot be read", "pve-storage-ontapnvme v=9 by=me", false},
          {"our mark with something behind it", ours + " x=1", false}};
}

class OwnersTest : public testing::TestWithParam<std::size_t> {
 protected:
  OwnersTest() : owner(Owners()[GetParam()]) { array.MakeStray("t_vm_100_disk_0", owner.comment); }

  const OwnerCase owner;
  TestArray array;
  Rig rig{array};
  const VolumeName name = Rig::Name("vm-100-disk-0");
};

TEST_P(OwnersTest, IsSeenEverywhereOrNowhere) {
  SCOPED_TRACE(owner.what);
  EXPECT_EQ(rig.disks().Find(name, rig.Budget()).is_present(), owner.is_ours);
  EXPECT_EQ(rig.disks().Find(name, rig.Budget()).is_unknown(), !owner.is_ours)
      << "what has another owner is not gone";
  EXPECT_EQ(rig.disks().FindNamespace(name, rig.Budget()).is_present(), owner.is_ours);
  for (const auto vmid : {std::optional<std::uint64_t>(), std::optional<std::uint64_t>(100)}) {
    const auto listed = rig.disks().List(vmid, rig.Budget());
    ASSERT_TRUE(listed.ok());
    EXPECT_EQ(listed->size(), owner.is_ours ? 1U : 0U);
  }
  const auto neighbours = rig.NeighboursOf(name);
  EXPECT_EQ(neighbours.ours.size(), owner.is_ours ? 1U : 0U);
  EXPECT_EQ(neighbours.foreign.size(), owner.is_ours ? 0U : 1U);
  EXPECT_EQ(rig.snapshots().List(name, rig.Budget()).ok(), owner.is_ours);
  EXPECT_EQ(rig.snapshots().ReadHistory(name, rig.Budget()).ok(), owner.is_ours);
  const auto survey = rig.backend().Look(array.clock.WallTime(), rig.Budget());
  ASSERT_TRUE(survey.ok());
  EXPECT_EQ(survey->namespace_by_volume.size(), owner.is_ours ? 1U : 0U);
}

TEST_P(OwnersTest, IsTouchedOnlyWhenItIsOurs) {
  SCOPED_TRACE(owner.what);
  const std::string before = Picture(array);
  const auto ours = [&](bool is_ok) { EXPECT_EQ(is_ok, owner.is_ours); };
  ours(rig.disks()
           .Annotate(name, {.notes = "mine", .is_protected = std::nullopt}, rig.Budget())
           .ok());
  ours(rig.snapshots().Take(name, Rig::Snap("s1"), NewOperationId(), rig.Budget()).ok());
  ours(rig.snapshots()
           .MakeDevice({.volume = name, .snapshot = Rig::Snap("s1"), .host_nqn = "nqn.x"},
                       rig.Budget())
           .ok());
  const auto neighbours = rig.NeighboursOf(name);
  ours(rig.disks()
           .Clone({.volume = name, .snapshot = Rig::Snap("s1")}, Rig::Name("vm-200-disk-0"),
                  neighbours, rig.Budget())
           .ok());
  // Also where the array is told to make one of that name.
  EXPECT_FALSE(rig.disks().Make(name, MiB(4), neighbours, rig.Budget()).ok());
  EXPECT_EQ(Picture(array) == before, !owner.is_ours);
}

TEST_P(OwnersTest, ARecordThatIsNotOursIsRefused) {
  SCOPED_TRACE(owner.what);
  const auto* stray = array.FindVolume("t_vm_100_disk_0");
  Volume record{.name = name,
                .container_name = stray->name,
                .container = *Uuid::Parse(stray->uuid),
                .container_size = {},
                .used = {},
                .mark = Marker(RigOptions().cluster_id, "tank").Read(owner.comment),
                .group = std::nullopt};
  const auto removed = rig.disks().Remove(record, rig.Budget());
  EXPECT_EQ(removed.ok(), owner.is_ours);
  EXPECT_EQ(array.FindVolume("t_vm_100_disk_0") == nullptr, owner.is_ours);
}

INSTANTIATE_TEST_SUITE_P(Owners, OwnersTest, testing::Range(std::size_t{0}, std::size_t{7}));

TEST(GateTest, UnmarkedRecordIsLookedAtAgainBeforeItIsTouched) {
  TestArray array;
  array.MakeStray("t_vm_100_disk_0", "");
  Rig rig(array);
  const auto disk = rig.MustFind("vm-100-disk-0");
  array.FindVolume("t_vm_100_disk_0")->comment = MarkOf(kOtherCluster, "tank");
  EXPECT_TRUE(FailedWith(rig.disks().Remove(disk.volume, rig.Budget()), ErrorCode::kConflict));
  EXPECT_THAT(array.VolumeNames(), Contains("t_vm_100_disk_0"));
}

TEST(GateTest, FormerNameIsReadOnlyWhenItIsUnmarked) {
  TestArray array;
  array.MakeStray("t_vm_100_state_before_upgrade", "");
  Rig rig(array);
  const auto found = rig.disks().Find(Rig::Name("vm-100-state-before-upgrade"), rig.Budget());
  ASSERT_TRUE(found.is_present());
  EXPECT_EQ(found->volume.name.Text(), "vm-100-state-before-upgrade");
  EXPECT_EQ(found->volume.container_name, "t_vm_100_state_before_upgrade");
  array.FindVolume("t_vm_100_state_before_upgrade")->comment =
      MarkOf(RigOptions().cluster_id, "tank");
  EXPECT_TRUE(rig.disks().Find(Rig::Name("vm-100-state-before-upgrade"), rig.Budget()).is_absent());
  EXPECT_TRUE(
      rig.disks().Find(Rig::Name("vm-100-state-before_upgrade"), rig.Budget()).is_present());
}

TEST(GateTest, NeighboursAreOfTheAskedVmsAndTheOneVolume) {
  TestArray array;
  Rig rig(array);
  for (const char* name : {"vm-100-disk-0", "vm-101-disk-0", "vm-102-disk-0", "vm-102-disk-1"}) {
    rig.Make(name);
  }
  array.ClearLog();
  const auto listed =
      rig.disks().ListNeighbours({100, 101}, Rig::Name("vm-102-disk-1"), rig.Budget());
  EXPECT_EQ(array.Count(), 1);
  ASSERT_TRUE(listed.ok());
  std::vector<std::string> names;
  for (const auto& one : listed->ours) names.push_back(one.name.Text());
  EXPECT_THAT(names, UnorderedElementsAre("vm-100-disk-0", "vm-101-disk-0", "vm-102-disk-1"));
  EXPECT_FALSE(listed->used_on_svm.has_value());
}

TEST(GateTest, SpaceOfTheWholeSvmIsReadOnlyWhereItIsLimited) {
  TestArray array;
  Rig rig(array, {.settings = {{"svm_scoped", "1"}, {"svm_capacity", "100"}}});
  rig.Make("vm-100-disk-0");
  array.MakeStray("other", "");
  const auto listed = rig.disks().ListNeighbours({200}, std::nullopt, rig.Budget());
  ASSERT_TRUE(listed.ok());
  EXPECT_THAT(listed->ours, IsEmpty());
  EXPECT_TRUE(listed->used_on_svm.has_value());
}

TEST(GateTest, VolumeWithTwoNamespacesIsNoDisk) {
  TestArray array;
  Rig rig(array);
  rig.Make("vm-100-disk-0");
  array.sim.Ctl({{"cmd", "admin"},
                 {"method", "POST"},
                 {"target", "/api/storage/namespaces"},
                 {"body",
                  {{"svm", {{"name", "svm1"}}},
                   {"name", "/vol/t_vm_100_disk_0/second"},
                   {"os_type", "linux"},
                   {"space", {{"size", 4194304}}}}}});
  const auto name = Rig::Name("vm-100-disk-0");
  const auto found = rig.disks().Find(name, rig.Budget());
  ASSERT_TRUE(found.is_unknown());
  EXPECT_EQ(found.reason().code(), ErrorCode::kConflict);
  const auto ns = rig.disks().FindNamespace(name, rig.Budget());
  ASSERT_TRUE(ns.is_unknown());
  EXPECT_EQ(ns.reason().code(), ErrorCode::kConflict);
  const auto listed = rig.disks().List(std::nullopt, rig.Budget());
  ASSERT_TRUE(listed.ok());
  EXPECT_THAT(*listed, IsEmpty());
}

}  // namespace
}  // namespace ontapnvme::catalogue::flexvol
