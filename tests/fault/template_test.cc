// SPDX-License-Identifier: AGPL-3.0-or-later
// Templates, linked clones and disks that change their owner, on an undisturbed array.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "fault/storage_rig.h"

namespace ontapnvme::fault {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class TemplateTest : public testing::Test {
 protected:
  TemplateTest() { EXPECT_TRUE(rig.storage().Activate().ok()); }

  std::vector<std::string> Listed() {
    std::vector<std::string> names;
    const auto listed = rig.storage().List(std::nullopt);
    EXPECT_TRUE(listed.ok());
    for (const auto& disk : *listed) names.push_back(disk.volume_name);
    return names;
  }
  std::string MustMakeBase(const std::string& disk) {
    const auto base = rig.storage().CreateBase(disk);
    EXPECT_TRUE(base.ok()) << base.error().Line();
    return base.ok() ? *base : "";
  }
  std::string MustClone(const std::string& disk, const std::string& snapshot, std::uint64_t vmid) {
    const auto clone = rig.storage().Clone(disk, snapshot, vmid);
    EXPECT_TRUE(clone.ok()) << clone.error().Line();
    return clone.ok() ? *clone : "";
  }
  sim::Volume* Volume(const std::string& flexvol) {
    for (auto& volume : array.sim.world().volumes) {
      if (volume.name == flexvol) return &volume;
    }
    return nullptr;
  }

  TestArray array;
  StorageRig rig{array};
};

TEST_F(TemplateTest, DiskBecomesBaseImageAndCloneBeginsWithItsBytes) {
  const auto disk = rig.MustAllocate(100);
  const auto sibling = rig.MustAllocate(100);
  rig.Write(disk, "golden");
  const auto base = MustMakeBase(disk);
  EXPECT_EQ(base, "base-100-disk-0");
  EXPECT_THAT(Listed(), UnorderedElementsAre("base-100-disk-0", sibling));
  EXPECT_EQ(array.sim.world().GroupOf(Volume("t_base_100_disk_0")->uuid), nullptr);

  const auto clone = MustClone(base, "", 200);
  EXPECT_EQ(clone, "base-100-disk-0/vm-200-disk-0");
  EXPECT_EQ(rig.Content(clone), "golden");
  rig.Write(clone, "changed");
  EXPECT_EQ(rig.Content(base), "golden");
  EXPECT_THAT(Listed(), UnorderedElementsAre(base, sibling, clone));
  EXPECT_EQ(rig.storage().Info(clone)->parent, base);
  EXPECT_TRUE(rig.storage().ActivateVolume(clone).ok());
  EXPECT_TRUE(rig.storage().CreateSnapshot(clone, "s1").ok());
  EXPECT_TRUE(rig.storage().DeleteSnapshot(clone, "s1").ok());
  EXPECT_THAT(array.Orphans(), IsEmpty());
}

TEST_F(TemplateTest, ConvertedTwiceIsConvertedOnce) {
  const auto base = MustMakeBase(rig.MustAllocate(100));
  EXPECT_EQ(MustMakeBase("vm-100-disk-0"), base) << "Proxmox did not write the first one down";
  EXPECT_TRUE(FailedWith(rig.storage().CreateBase(base), ErrorCode::kInvalidArgument));
  EXPECT_TRUE(FailedWith(rig.storage().CreateBase("vm-100-disk-7"), ErrorCode::kNotFound));
}

TEST_F(TemplateTest, CloneGetsTheSettingsOfTheStorage) {
  StorageRig gold(array, {.settings = {{"qos_policy", "gold"},
                                       {"tiering_policy", "auto"},
                                       {"snapshot_reserve", "10"},
                                       {"autosize_max_percent", "200"}}});
  ASSERT_TRUE(gold.storage().Activate().ok());
  const auto base = MustMakeBase(rig.MustAllocate(100));
  const auto clone = gold.storage().Clone(base, "", 200);
  ASSERT_TRUE(clone.ok()) << clone.error().Line();
  const auto* volume = Volume("t_vm_200_disk_0");
  EXPECT_EQ(volume->tiering_policy, "auto");
  EXPECT_EQ(volume->snapshot_reserve_percent, 10);
  EXPECT_EQ(volume->autosize.mode, "grow");
  EXPECT_GE(volume->autosize.maximum_bytes, volume->size_bytes / 100 * 200);
  EXPECT_FALSE(volume->qos_policy_uuid.empty());
  EXPECT_THAT(volume->comment, HasSubstr(" vm=200 "));
}

TEST_F(TemplateTest, CloneKeepsItsNameWhenTheArrayForgetsItsParent) {
  const auto base = MustMakeBase(rig.MustAllocate(100));
  const auto clone = MustClone(base, "", 200);
  Volume("t_vm_200_disk_0")->clone.reset();  // an administrator split it
  EXPECT_THAT(Listed(), UnorderedElementsAre(base, clone))
      << "under another name a rescan would take it for an unused disk";
}

TEST_F(TemplateTest, OlderInstallationsClonesAreNamedByTheirParent) {
  const auto base = MustMakeBase(rig.MustAllocate(100));
  const auto clone = MustClone(base, "", 200);
  for (auto& volume : array.sim.world().volumes) volume.comment.clear();
  for (auto& ns : array.sim.world().namespaces) ns.comment.clear();
  EXPECT_THAT(Listed(), UnorderedElementsAre(base, clone));
}

TEST_F(TemplateTest, CloneOfASnapshotIsThatMoment) {
  const auto disk = rig.MustAllocate(100);
  rig.Write(disk, "then");
  ASSERT_TRUE(rig.storage().CreateSnapshot(disk, "s1").ok());
  rig.Write(disk, "now");
  const auto clone = MustClone(disk, "s1", 200);
  EXPECT_EQ(clone, "vm-200-disk-0") << "no parent in the name: the disk is not a base image";
  EXPECT_EQ(rig.Content(clone), "then");
  const auto held = rig.storage().DeleteSnapshot(disk, "s1");
  ASSERT_TRUE(FailedWith(held, ErrorCode::kBusy));
  EXPECT_THAT(held.error().Line(), HasSubstr("vm-200-disk-0"));
  const auto kept = rig.storage().Free(disk);
  ASSERT_TRUE(FailedWith(kept, ErrorCode::kBusy));
  EXPECT_THAT(kept.error().Line(), HasSubstr("vm-200-disk-0"));
  EXPECT_THAT(array.Orphans(), IsEmpty()) << "mapped again";
  EXPECT_TRUE(FailedWith(rig.storage().Clone(disk, "s9", 200), ErrorCode::kNotFound));
  EXPECT_TRUE(FailedWith(rig.storage().Clone(disk, "", 200), ErrorCode::kInvalidArgument));
}

TEST_F(TemplateTest, BaseWithClonesIsKeptAndNamesThem) {
  array.Set("queued_clones_hold_parent", "no");
  const auto base = MustMakeBase(rig.MustAllocate(100));
  const auto clone = MustClone(base, "", 200);
  array.ClearLog();
  const auto kept = rig.storage().Free(base);
  ASSERT_TRUE(FailedWith(kept, ErrorCode::kBusy));
  EXPECT_THAT(kept.error().Line(), AllOf(HasSubstr("vm-200-disk-0"), HasSubstr("split")));
  for (const auto& request : array.Requests()) EXPECT_THAT(request, HasSubstr("GET "));
  ASSERT_TRUE(rig.storage().Free(clone).ok());
  const auto freed = rig.storage().Free(base);
  EXPECT_TRUE(freed.ok()) << freed.error().Line();
  EXPECT_THAT(Listed(), IsEmpty());
}

TEST_F(TemplateTest, BaseThatDeletedClonesHoldGoesWhenTheyHaveLeftTheQueue) {
  const auto base = MustMakeBase(rig.MustAllocate(100));
  ASSERT_TRUE(rig.storage().Free(MustClone(base, "", 200)).ok());
  const auto freed = rig.storage().Free(base);
  ASSERT_TRUE(freed.ok()) << freed.error().Line();
  EXPECT_THAT(Listed(), IsEmpty());
  EXPECT_EQ(MustMakeBase(rig.MustAllocate(100)), base) << "its name is free again";
  ASSERT_TRUE(rig.storage().Free(base).ok());
  const auto count = array.sim.world().volumes.size();
  array.clock->Advance(std::chrono::hours(2));
  EXPECT_TRUE(rig.storage().Free(rig.MustAllocate(900)).ok());
  EXPECT_EQ(array.sim.world().volumes.size(), count) << "the queue still holds it";
  array.Set("queued_clones_hold_parent", "no");
  array.clock->Advance(std::chrono::hours(2));
  rig.storage().TakeLog();
  EXPECT_TRUE(rig.storage().Free(rig.MustAllocate(900)).ok());
  EXPECT_EQ(array.sim.world().volumes.size(), count - 1);
  std::string lines;
  for (const auto& record : rig.storage().TakeLog()) lines += record.text;
  EXPECT_THAT(lines, HasSubstr("which nothing holds any more"));
}

// Proxmox compares volume names as texts: a clone that lost its base part would be a second disk.
TEST_F(TemplateTest, CloneOfAnOlderInstallationKeepsItsNameWhenItIsMarked) {
  const auto base = MustMakeBase(rig.MustAllocate(100));
  const auto clone = MustClone(base, "", 200);
  Volume("t_vm_200_disk_0")->comment = "";
  EXPECT_THAT(Listed(), UnorderedElementsAre(base, clone));
  ASSERT_TRUE(rig.storage().SetNotes(clone, "hello").ok());
  EXPECT_THAT(Listed(), UnorderedElementsAre(base, clone));
  EXPECT_THAT(Volume("t_vm_200_disk_0")->comment, HasSubstr(" base=base-100-disk-0 "));
  // As release 2.0.0 marked it: without the base image.
  auto& comment = Volume("t_vm_200_disk_0")->comment;
  comment.erase(comment.find(" base=base-100-disk-0"), std::string(" base=base-100-disk-0").size());
  EXPECT_THAT(Listed(), UnorderedElementsAre(base, clone));
}

TEST_F(TemplateTest, DiskThatIsBusyForAnotherReasonStaysWhereItIs) {
  const auto disk = rig.MustAllocate(100);
  array.AddFault({{"method", "DELETE"},
                  {"path", "/storage/volumes/"},
                  {"status", 409},
                  {"code", 524486},
                  {"times", -1}});
  EXPECT_TRUE(FailedWith(rig.storage().Free(disk), ErrorCode::kBusy));
  array.ClearFaults();
  EXPECT_THAT(Listed(), UnorderedElementsAre(disk));
  EXPECT_THAT(array.Orphans(), IsEmpty()) << "mapped again";
}

TEST_F(TemplateTest, OnlyClonesOfThatSnapshotAreNamed) {
  const auto disk = rig.MustAllocate(100);
  for (const char* snapshot : {"s1", "s2"}) {
    ASSERT_TRUE(rig.storage().CreateSnapshot(disk, snapshot).ok());
    array.clock->Advance(std::chrono::seconds(2));
  }
  MustClone(disk, "s1", 200);
  ASSERT_TRUE(rig.storage().Free(MustClone(disk, "s2", 300)).ok());
  const auto kept = rig.storage().DeleteSnapshot(disk, "s2");
  ASSERT_TRUE(FailedWith(kept, ErrorCode::kBusy));
  EXPECT_THAT(kept.error().Line(), AllOf(HasSubstr("recovery queue"), Not(HasSubstr("vm-200"))));
}

TEST_F(TemplateTest, SnapshotThatDeletedClonesHoldSaysSo) {
  const auto disk = rig.MustAllocate(100);
  ASSERT_TRUE(rig.storage().CreateSnapshot(disk, "s1").ok());
  ASSERT_TRUE(rig.storage().Free(MustClone(disk, "s1", 200)).ok());
  const auto kept = rig.storage().DeleteSnapshot(disk, "s1");
  ASSERT_TRUE(FailedWith(kept, ErrorCode::kBusy));
  EXPECT_THAT(kept.error().Line(), HasSubstr("recovery queue"));
}

TEST_F(TemplateTest, CloneCanBecomeABaseImageOfItsOwn) {
  const auto base = MustMakeBase(rig.MustAllocate(100));
  const auto clone = MustClone(base, "", 200);
  rig.Write(clone, "second");
  const auto second = MustMakeBase(clone);
  EXPECT_EQ(second, "base-100-disk-0/base-200-disk-0");
  const auto third = MustClone(second, "", 300);
  EXPECT_EQ(third, "base-200-disk-0/vm-300-disk-0");
  EXPECT_EQ(rig.Content(third), "second") << "not the first image's snapshot of the same name";
  EXPECT_THAT(Listed(), UnorderedElementsAre(base, second, third));
  EXPECT_THAT(array.Orphans(), IsEmpty());
}

TEST_F(TemplateTest, BaseImageIsRefusedWhileItIsInUse) {
  const auto disk = rig.MustAllocate(100);
  const auto uuid = *Uuid::Parse(array.sim.world().namespaces.begin()->uuid);
  rig.host().usage[uuid] = {.is_used = true, .by = "process 4711 (kvm)"};
  array.ClearLog();
  EXPECT_TRUE(FailedWith(rig.storage().CreateBase(disk), ErrorCode::kBusy));
  for (const auto& request : array.Requests()) EXPECT_THAT(request, HasSubstr("GET "));
}

TEST_F(TemplateTest, DiskGoesToAnotherVmWithItsDataAndLeavesItsGroup) {
  const auto disk = rig.MustAllocate(100);
  const auto staying = rig.MustAllocate(100);
  const auto there = rig.MustAllocate(200);
  rig.Write(disk, "mine");
  const auto link = rig.storage().ActivateVolume(disk);
  ASSERT_TRUE(link.ok());
  const auto renamed = rig.storage().Rename(disk, 200, "");
  ASSERT_TRUE(renamed.ok()) << renamed.error().Line();
  EXPECT_EQ(*renamed, "vm-200-disk-1");
  EXPECT_EQ(rig.Content(*renamed), "mine");
  EXPECT_THAT(Listed(), UnorderedElementsAre(staying, there, *renamed));
  EXPECT_THAT(array.Orphans(), IsEmpty());
  const auto* group = array.sim.world().GroupOf(Volume("t_vm_200_disk_1")->uuid);
  ASSERT_NE(group, nullptr);
  EXPECT_EQ(group->name, "t_pve_cg_vm_200");
  EXPECT_THAT(Volume("t_vm_200_disk_1")->comment, HasSubstr(" vm=200 "));
  EXPECT_FALSE(std::filesystem::is_symlink(rig.link("vm-100-disk-0")));
  EXPECT_TRUE(std::filesystem::is_symlink(rig.link("vm-200-disk-1"))) << "it was active";
  // A new disk of the old VM gets the number that has become free.
  EXPECT_EQ(rig.MustAllocate(100), "vm-100-disk-0");
  EXPECT_EQ(rig.Content("vm-100-disk-0"), "");
}

TEST_F(TemplateTest, RenameKeepsTheParentAndRefusesTakenNames) {
  const auto base = MustMakeBase(rig.MustAllocate(100));
  const auto clone = MustClone(base, "", 200);
  rig.MustAllocate(300);
  const auto taken = rig.storage().Rename(clone, 300, "vm-300-disk-0");
  EXPECT_TRUE(FailedWith(taken, ErrorCode::kAlreadyExists));
  const auto renamed = rig.storage().Rename(clone, 300, "vm-300-disk-5");
  ASSERT_TRUE(renamed.ok()) << renamed.error().Line();
  EXPECT_EQ(*renamed, "base-100-disk-0/vm-300-disk-5");
  EXPECT_THAT(Listed(), testing::Contains(*renamed));
  EXPECT_TRUE(FailedWith(rig.storage().Rename(base, 300, ""), ErrorCode::kUnsupported));
  EXPECT_TRUE(FailedWith(rig.storage().Rename("vm-999-disk-0", 300, ""), ErrorCode::kNotFound));
}

TEST_F(TemplateTest, RollbackWorksAfterADiskHasLeftTheGroup) {
  const auto staying = rig.MustAllocate(100);
  const auto leaving = rig.MustAllocate(100);
  rig.Write(staying, "old");
  ASSERT_TRUE(rig.storage().CreateSnapshot(staying, "s1").ok());
  rig.Write(staying, "new");
  ASSERT_TRUE(rig.storage().Rename(leaving, 200, "").ok());
  rig.Restart();
  ASSERT_TRUE(rig.storage().RollbackBlockers(staying, "s1").ok());
  const auto restored = rig.storage().Rollback(staying, "s1");
  ASSERT_TRUE(restored.ok()) << restored.error().Line();
  EXPECT_EQ(rig.Content(staying), "old");
  EXPECT_THAT(array.Orphans(), IsEmpty());
}

TEST_F(TemplateTest, EverythingWorksOnEveryRelease) {
  for (const char* release : {"9.10.1", "9.11.1", "9.12.1", "9.16.1", "9.17.1"}) {
    SCOPED_TRACE(release);
    TestArray old;
    old.Set("release", release);
    if (std::string(release) == "9.17.1") old.Set("group_change_with_nvme", "refuse");
    StorageRig on(old);
    ASSERT_TRUE(on.storage().Activate().ok());
    for (int i = 0; i < 3; ++i) on.MustAllocate(100);
    on.Write("vm-100-disk-0", "golden");
    const auto base = on.storage().CreateBase("vm-100-disk-0");
    ASSERT_TRUE(base.ok()) << base.error().Line();
    const auto clone = on.storage().Clone(*base, "", 200);
    ASSERT_TRUE(clone.ok()) << clone.error().Line();
    EXPECT_EQ(on.Content(*clone), "golden");
    const auto renamed = on.storage().Rename("vm-100-disk-1", 200, "");
    ASSERT_TRUE(renamed.ok()) << renamed.error().Line();
    ASSERT_TRUE(on.storage().CreateSnapshot(*clone, "s1").ok());
    ASSERT_TRUE(on.storage().CreateSnapshot(*renamed, "s1").ok());
    EXPECT_EQ(old.sim.world().group_snapshots.size(), 1U) << "both are in one group";
    EXPECT_THAT(old.Orphans(), IsEmpty());
  }
}

TEST_F(TemplateTest, AttributesStayWithTheVolumeAndProtectIt) {
  const auto disk = rig.MustAllocate(100);
  const std::string notes = "two\nlines = 50 % of ümlaut";
  ASSERT_TRUE(rig.storage().SetNotes(disk, notes).ok());
  ASSERT_TRUE(rig.storage().SetProtected(disk, true).ok());
  const auto info = rig.storage().Info(disk);
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->notes, notes);
  EXPECT_TRUE(info->is_protected);
  const auto kept = rig.storage().Free(disk);
  ASSERT_TRUE(FailedWith(kept, ErrorCode::kBusy));
  EXPECT_THAT(kept.error().Line(), HasSubstr("protected"));
  const auto renamed = rig.storage().Rename(disk, 200, "");
  ASSERT_TRUE(renamed.ok());
  EXPECT_EQ(rig.storage().Info(*renamed)->notes, notes);
  ASSERT_TRUE(rig.storage().SetProtected(*renamed, false).ok());
  EXPECT_TRUE(rig.storage().Free(*renamed).ok());
  const auto other = rig.MustAllocate(100);
  EXPECT_TRUE(FailedWith(rig.storage().SetNotes(other, std::string(2000, 'x')),
                         ErrorCode::kInvalidArgument));
  EXPECT_EQ(rig.storage().Info(other)->notes, "");
}

TEST_F(TemplateTest, IdentityIsOfWhatIsShown) {
  StorageRig same(array, {.storage_id = "pool", .node = "node2"});
  StorageRig other(array, {.settings = {{"storage_prefix", "u_"}}});
  const auto mine = rig.storage().Identity();
  ASSERT_TRUE(mine.ok());
  EXPECT_EQ(*mine, *same.storage().Identity());
  EXPECT_NE(*mine, *other.storage().Identity());
}

}  // namespace
}  // namespace ontapnvme::fault
