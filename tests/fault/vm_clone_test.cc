// SPDX-License-Identifier: AGPL-3.0-or-later
// Full clones of a VM's disks that the array makes: what they hold, how their copying goes on, what
// becomes of their sources, and what a failure or a killed process leaves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "fault/fault_list.h"
#include "fault/schedule.h"
#include "fault/storage_rig.h"

namespace ontapnvme::fault {
namespace {

using testing::AnyOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

const std::vector<std::string> kSources = {"vm-100-disk-0", "vm-100-disk-1", "vm-100-cloudinit"};

std::string OldContent(const std::string& source) {
  return "old " + source.substr(std::string("vm-100-").size());
}

// One array, one storage, and a VM of three disks: two in its group and its cloud-init drive.
struct World {
  World() {
    EXPECT_TRUE(rig.storage().Activate().ok());
    for (const auto& name : kSources) {
      rig.MustAllocate(100, name);
      rig.Write(name, OldContent(name));
    }
    array.ClearLog();
  }

  Result<std::vector<std::string>> Clone(const std::string& snapshot = "") {
    return rig.storage().CloneVm(kSources, snapshot, 200);
  }
  std::vector<std::string> MustClone(const std::string& snapshot = "") {
    auto clones = Clone(snapshot);
    EXPECT_TRUE(clones.ok()) << clones.error().Line();
    return clones.ok() ? std::move(*clones) : std::vector<std::string>();
  }
  // The hourly look for left-overs, of a new process; what it has to say.
  std::string Recover() {
    array.clock->Advance(std::chrono::minutes(70));
    rig.Restart();
    rig.storage().TakeLog();
    EXPECT_TRUE(rig.storage().Free("vm-999-disk-9").ok());
    std::string lines;
    for (const auto& record : rig.storage().TakeLog()) lines += record.text + "\n";
    return lines;
  }
  std::string Pending() {
    // What was made in this second is not old enough.
    array.clock->Advance(std::chrono::seconds(2));
    const auto lines = rig.storage().Pending();
    EXPECT_TRUE(lines.ok());
    std::string text;
    for (const auto& line : lines.ok() ? *lines : std::vector<std::string>()) text += line + "\n";
    return text;
  }
  std::vector<std::string> ClonesOnArray() {
    std::vector<std::string> names;
    for (const auto& volume : array.sim.world().volumes) {
      if (volume.name.starts_with("t_vm_200_")) names.push_back(volume.name);
    }
    return names;
  }
  std::vector<std::string> CloneSnapshots() {
    std::vector<std::string> found;
    for (const auto& snapshot : array.sim.world().snapshots) {
      const auto* volume = array.sim.world().volumes.Find(snapshot.volume_uuid);
      const bool is_ours = volume != nullptr && snapshot.name.starts_with("pve_clone_");
      if (is_ours) found.push_back(volume->name + "@" + snapshot.name);
    }
    return found;
  }
  void ExpectSourcesUntouched() {
    for (const auto& name : kSources) EXPECT_EQ(rig.Content(name), OldContent(name));
  }
  bool IsSplit(const std::string& flexvol) {
    const auto& volumes = array.sim.world().volumes;
    return std::any_of(volumes.begin(), volumes.end(),
                       [&](const auto& volume) { return volume.name == flexvol && !volume.clone; });
  }

  TestArray array;
  StorageRig rig{array};
};

TEST(VmCloneTest, HoldsWhatAllDisksHeldAtOneMoment) {
  World world;
  const auto clones = world.MustClone();
  ASSERT_THAT(clones, ElementsAre("vm-200-disk-0", "vm-200-disk-1", "vm-200-cloudinit"));
  int group_snapshots = 0;
  for (const auto& request : world.array.Requests()) {
    if (request.starts_with("POST") && request.find("/snapshots") != std::string::npos &&
        request.find("/consistency-groups/") != std::string::npos) {
      ++group_snapshots;
    }
  }
  EXPECT_EQ(group_snapshots, 1);
  for (const auto& name : kSources) world.rig.Write(name, "new");
  for (std::size_t i = 0; i < clones.size(); ++i) {
    EXPECT_EQ(world.rig.Content(clones[i]), OldContent(kSources[i]));
    EXPECT_TRUE(world.rig.storage().ActivateVolume(clones[i]).ok());
    EXPECT_EQ(world.rig.storage().Info(clones[i])->parent, "") << "a full clone has no parent";
  }
  EXPECT_THAT(world.array.Orphans(), IsEmpty()) << "mapped, and in the group of VM 200";
}

TEST(VmCloneTest, OfASnapshotHoldsWhatTheSnapshotHas) {
  World world;
  for (const auto& name : kSources) {
    ASSERT_TRUE(world.rig.storage().CreateSnapshot(name, "s1").ok());
    world.rig.Write(name, "new");
  }
  const auto clones = world.MustClone("s1");
  ASSERT_THAT(clones, SizeIs(3));
  for (std::size_t i = 0; i < clones.size(); ++i) {
    EXPECT_EQ(world.rig.Content(clones[i]), OldContent(kSources[i]));
  }
  EXPECT_THAT(world.CloneSnapshots(), IsEmpty()) << "none but the one that was there";
  const auto missing = world.rig.storage().CloneVm(kSources, "s2", 300);
  ASSERT_TRUE(FailedWith(missing, ErrorCode::kNotFound));
  EXPECT_THAT(missing.error().Line(), HasSubstr("cannot clone the disks of VM 100"));
  EXPECT_TRUE(world.rig.storage().List(300)->empty());
}

TEST(VmCloneTest, OfATemplateHasNoParentAndOutlivesIt) {
  World world;
  const auto base = world.rig.storage().CreateBase("vm-100-disk-0");
  ASSERT_TRUE(base.ok());
  const auto clones = world.rig.storage().CloneVm({*base}, "", 200);
  ASSERT_TRUE(clones.ok()) << clones.error().Line();
  EXPECT_THAT(*clones, ElementsAre("vm-200-disk-0"));
  EXPECT_EQ(world.rig.storage().List(200)->front().volume_name, "vm-200-disk-0");
  EXPECT_THAT(world.CloneSnapshots(), IsEmpty()) << "a base image is as it was";
  const auto freed = world.rig.storage().Free(*base);
  ASSERT_TRUE(freed.ok()) << freed.error().Line();
  EXPECT_EQ(world.rig.Content("vm-200-disk-0"), OldContent("vm-100-disk-0"));
}

TEST(VmCloneTest, WhatIsNoVmIsRefusedBeforeAnythingIsAsked) {
  World world;
  world.rig.MustAllocate(101);
  world.array.ClearLog();
  auto& storage = world.rig.storage();
  for (const auto& sources : std::vector<std::vector<std::string>>{
           {}, {"vm-100-disk-0", "vm-101-disk-0"}, {"vm-100-disk-0", "vm-100-disk-0"}, {"x"}}) {
    EXPECT_TRUE(FailedWith(storage.CloneVm(sources, "", 200), ErrorCode::kInvalidArgument));
  }
  EXPECT_TRUE(FailedWith(storage.CloneVm(kSources, "", 100), ErrorCode::kInvalidArgument));
  EXPECT_EQ(world.array.Count(), 0);
}

TEST(VmCloneTest, IsCopiedInTheBackgroundAndItsSnapshotGoes) {
  World world;
  world.MustClone();
  const auto percents = [&] {
    std::vector<unsigned> all;
    const auto progress = world.rig.storage().CopyProgress(200);
    for (const auto& one : *progress) {
      EXPECT_TRUE(one.has_begun) << one.volume_name;
      all.push_back(one.percent);
    }
    return all;
  };
  EXPECT_THAT(percents(), ElementsAre(0U, 0U, 0U));
  world.array.clock->Advance(std::chrono::minutes(5));
  EXPECT_THAT(percents(), ElementsAre(50U, 50U, 50U));
  const auto pending = world.Pending();
  EXPECT_THAT(pending, HasSubstr("FlexVol t_vm_200_disk_0 is being split from FlexVol "
                                 "t_vm_100_disk_0: 50 %"));
  EXPECT_THAT(pending, HasSubstr("is kept until the array has split the full clones"));
  world.array.clock->Advance(std::chrono::minutes(5));
  EXPECT_THAT(percents(), ElementsAre(100U, 100U, 100U));
  EXPECT_THAT(world.CloneSnapshots(), Not(IsEmpty()));
  EXPECT_THAT(world.Recover(), HasSubstr("deleted snapshot pve_clone_"));
  EXPECT_THAT(world.CloneSnapshots(), IsEmpty());
  EXPECT_EQ(world.Pending(), "");
  world.ExpectSourcesUntouched();
}

TEST(VmCloneTest, CopyingThatDidNotBeginIsBegunByRecovery) {
  World world;
  world.array.AddFault({{"method", "PATCH"},
                        {"path", "/storage/volumes/"},
                        {"nth", 4},  // after the three that mark them as whole
                        {"times", -1},
                        {"status", 409},
                        {"code", 4242}});
  EXPECT_THAT(world.MustClone(), SizeIs(3));
  world.array.ClearFaults();
  EXPECT_FALSE(world.rig.storage().CopyProgress(200)->front().has_begun);
  EXPECT_THAT(world.Pending(), HasSubstr("waits for the array to begin to split it"));
  EXPECT_THAT(world.Recover(), HasSubstr("had the array split full clone t_vm_200_disk_0"));
  EXPECT_TRUE(world.rig.storage().CopyProgress(200)->front().has_begun);
  EXPECT_THAT(world.Recover(), Not(HasSubstr("had the array split")));
  EXPECT_TRUE(world.IsSplit("t_vm_200_disk_0"));
}

TEST(VmCloneTest, SourcesCanBeDeletedAtOnce) {
  World world;
  const auto clones = world.MustClone();
  for (const auto& name : kSources) {
    const auto freed = world.rig.storage().Free(name);
    ASSERT_TRUE(freed.ok()) << freed.error().Line();
    EXPECT_TRUE(FailedWith(world.rig.storage().Info(name), ErrorCode::kNotFound));
  }
  EXPECT_THAT(world.Pending(), HasSubstr("for its full clones to be split from it"));
  world.Recover();
  world.Recover();
  EXPECT_EQ(world.Pending(), "");
  for (const auto& volume : world.array.sim.world().volumes) {
    EXPECT_FALSE(volume.name.starts_with("t_pve_deleted_")) << volume.name;
  }
  for (std::size_t i = 0; i < clones.size(); ++i) {
    EXPECT_EQ(world.rig.Content(clones[i]), OldContent(kSources[i]));
  }
}

TEST(VmCloneTest, SnapshotThatItHoldsSaysUntilWhen) {
  World world;
  for (const auto& name : kSources) {
    ASSERT_TRUE(world.rig.storage().CreateSnapshot(name, "s1").ok());
  }
  world.MustClone("s1");
  world.array.clock->Advance(std::chrono::minutes(3));
  const auto held = world.rig.storage().DeleteSnapshot("vm-100-disk-0", "s1");
  ASSERT_TRUE(FailedWith(held, ErrorCode::kBusy));
  EXPECT_THAT(held.error().Line(), HasSubstr("vm-200-disk-0 (30 % copied)"));
  EXPECT_THAT(held.error().Line(), HasSubstr("try again when it has copied them"));
  world.array.clock->Advance(std::chrono::minutes(7));
  EXPECT_TRUE(world.rig.storage().DeleteSnapshot("vm-100-disk-0", "s1").ok());
}

// Whichever request fails: all of them are there, or none, and no snapshot that nobody needs.
TEST(VmCloneTest, AllOrNoneWhicheverRequestFails) {
  int points = 0;
  for (const Fault& fault : FaultsByStep(3, 0)) {
    for (int nth = 1;; ++nth) {
      ASSERT_LE(nth, 80) << "the sweep never ran clean";
      SCOPED_TRACE("request " + std::to_string(nth) + ": " + fault.name);
      World world;
      auto rule = fault.rule;
      rule["nth"] = nth;
      world.array.AddFault(rule);
      const auto clones = world.Clone();
      const bool fired = world.array.FaultFired();
      world.array.ClearFaults();
      world.ExpectSourcesUntouched();
      world.rig.Restart();
      EXPECT_THAT(*world.rig.storage().List(200), SizeIs(clones.ok() ? 3 : 0));
      EXPECT_THAT(world.ClonesOnArray(), SizeIs(clones.ok() ? 3 : 0));
      if (!clones.ok()) {
        EXPECT_THAT(world.CloneSnapshots(), IsEmpty());
      }
      world.Recover();
      world.Recover();
      EXPECT_THAT(world.CloneSnapshots(), IsEmpty());
      EXPECT_EQ(world.Pending(), "");
      if (HasFailure()) return;
      if (!fired) break;
      ++points;
    }
  }
  std::cout << "full clone: " << points << " points kept all promises\n";
}

// From the nth request on nothing leaves this process any more: as if it had been killed there.
TEST(VmCloneTest, AllOrNoneAfterAKill) {
  bool was_finished = false;
  bool was_removed = false;
  for (int nth = 1;; ++nth) {
    ASSERT_LE(nth, 80);
    SCOPED_TRACE("killed before request " + std::to_string(nth));
    World world;
    world.array.AddFault({{"drop_before", true}, {"nth", nth}, {"times", -1}});
    const auto clones = world.Clone();
    world.array.ClearFaults();
    if (clones.ok() && !world.array.FaultFired() && nth > 20) break;
    world.rig.Restart();
    const auto left = world.ClonesOnArray();
    const auto whole = world.rig.storage().List(200);
    ASSERT_TRUE(whole.ok());
    // What is no disk yet is none for Proxmox either.
    for (const auto& one : *whole) {
      EXPECT_THAT(world.rig.Content(one.volume_name), HasSubstr("old "));
    }
    const auto pending = world.Pending();
    if (!left.empty() && whole->size() < 3) {
      EXPECT_THAT(pending, HasSubstr("t_vm_200_"));
    }
    if (!world.CloneSnapshots().empty()) {
      EXPECT_THAT(pending, HasSubstr("pve_clone_"));
    }
    for (int hour = 0; hour < 4; ++hour) world.Recover();
    const auto after = world.ClonesOnArray();
    EXPECT_THAT(after, AnyOf(SizeIs(0), SizeIs(3)));
    EXPECT_THAT(*world.rig.storage().List(200), SizeIs(after.size()));
    for (const auto& flexvol : after) EXPECT_TRUE(world.IsSplit(flexvol)) << flexvol;
    was_finished = was_finished || (after.size() == 3 && whole->size() < 3);
    was_removed = was_removed || (after.empty() && !left.empty());
    world.ExpectSourcesUntouched();
    EXPECT_THAT(world.array.Orphans(), IsEmpty());
    if (HasFailure()) return;
  }
  EXPECT_TRUE(was_finished);
  EXPECT_TRUE(was_removed);
}

// Somebody has mapped it by hand: whatever it holds by now, it stays.
TEST(VmCloneTest, UnfinishedCloneThatIsMappedIsLeftAlone) {
  World world;
  world.array.AddFault({{"method", "PATCH"}, {"drop_before", true}, {"times", -1}});
  world.array.AddFault({{"method", "DELETE"}, {"drop_before", true}, {"times", -1}});
  EXPECT_FALSE(world.Clone().ok());
  world.array.ClearFaults();
  ASSERT_THAT(world.ClonesOnArray(), SizeIs(3));
  const auto& subsystem = *world.array.sim.world().subsystems.begin();
  auto* ns = world.rig.Namespace("vm-200-disk-0");
  ns->subsystem_uuid = subsystem.uuid;
  const std::string volume = ns->volume_uuid;
  world.array.ClearLog();
  world.Recover();
  EXPECT_THAT(world.ClonesOnArray(), ElementsAre("t_vm_200_disk_0"));
  // That the array refuses it is no reason to ask.
  EXPECT_THAT(world.array.Requests(), Not(Contains("DELETE /api/storage/volumes/" + volume)));
}

// An operation that was killed while it told of its clones that they are disks: one is, the others are
// not yet.
class NearlyDoneTest : public testing::Test {
 protected:
  void Make(World& world) {
    // Whether a deleted clone holds its parent is told by template_test.cc.
    world.array.Set("queued_clones_hold_parent", "no");
    world.array.AddFault({{"method", "PATCH"}, {"drop_before", true}, {"times", -1}});
    world.array.AddFault({{"method", "DELETE"}, {"drop_before", true}, {"times", -1}});
    EXPECT_FALSE(world.Clone().ok());
    world.array.ClearFaults();
    ASSERT_THAT(world.ClonesOnArray(), SizeIs(3));
    // The one that was made last, which is what a short listing lacks.
    auto& sim = world.array.sim.world();
    std::string last;
    for (const auto& volume : sim.volumes) {
      if (volume.name.starts_with("t_vm_200_")) last = volume.uuid;
    }
    auto& comment = sim.volumes.Find(last)->comment;
    ASSERT_NE(comment.find("begun"), std::string::npos) << comment;
    comment.replace(comment.find("begun"), 5, "whole");
    (*sim.NamespacesOf(last).begin())->subsystem_uuid = sim.subsystems.begin()->uuid;
  }
};

TEST_F(NearlyDoneTest, ListingThatLacksTheWholeOneRemovesNone) {
  for (int nth = 1;; ++nth) {
    ASSERT_LE(nth, 40);
    SCOPED_TRACE("short listing " + std::to_string(nth));
    World world;
    Make(world);
    if (HasFailure()) return;
    world.array.AddFault(
        {{"method", "GET"}, {"path", "/storage/volumes"}, {"short", 1}, {"nth", nth}});
    world.Recover();
    const bool fired = world.array.FaultFired();
    world.array.ClearFaults();
    EXPECT_THAT(world.ClonesOnArray(), SizeIs(3));
    for (int hour = 0; hour < 3; ++hour) world.Recover();
    EXPECT_THAT(*world.rig.storage().List(200), SizeIs(3)) << "they are finished";
    EXPECT_EQ(world.Pending(), "");
    if (HasFailure()) return;
    if (!fired) break;
  }
}

// The look for left-overs has not seen the whole one, and of the two questions before a removal one does
// not either.
TEST_F(NearlyDoneTest, OneQuestionThatKnowsOfTheWholeOneIsEnough) {
  for (const char* question : {"name=t_vm_\\*%7Ct_base_\\*&", "name=t_vm_200_\\*%7Ct_base_200"}) {
    SCOPED_TRACE(question);
    World world;
    Make(world);
    if (HasFailure()) return;
    for (const char* path : {"storage/volumes.*pve_deleted", question}) {
      world.array.AddFault({{"method", "GET"}, {"path", path}, {"short", 1}, {"times", -1}});
    }
    world.Recover();
    for (const auto& rule : world.array.sim.array().faults().ToJson()) {
      EXPECT_GT(rule.at("fired").get<int>(), 0) << rule.dump();
    }
    world.array.ClearFaults();
    EXPECT_THAT(world.ClonesOnArray(), SizeIs(3));
    for (int hour = 0; hour < 3; ++hour) world.Recover();
    EXPECT_THAT(*world.rig.storage().List(200), SizeIs(3)) << "they are finished";
  }
}

// The lock of the storage may have been taken from the first, which was slow.
TEST_F(NearlyDoneTest, TwoNodesThatSettleOneDoItOnce) {
  for (const unsigned seed : SeedList(10)) {
    for (const bool is_one_whole : {false, true}) {
      SCOPED_TRACE("seed " + std::to_string(seed) + (is_one_whole ? ", one is whole" : ""));
      World world;
      Make(world);
      if (HasFailure()) return;
      if (!is_one_whole) {
        for (auto& volume : world.array.sim.world().volumes) {
          const auto at = volume.comment.find("whole");
          if (at == std::string::npos) continue;
          volume.comment.replace(at, 5, "begun");
          for (auto* ns : world.array.sim.world().NamespacesOf(volume.uuid)) {
            ns->subsystem_uuid.clear();
          }
        }
      }
      world.array.clock->Advance(std::chrono::minutes(70));
      Schedule schedule(seed);
      StorageRig one(world.array, {.node = "node2", .schedule = &schedule});
      StorageRig two(world.array, {.node = "node3", .schedule = &schedule});
      for (auto* rig : {&one, &two}) {
        EXPECT_TRUE(rig->storage().Activate().ok());
        schedule.Add("", [rig] { EXPECT_TRUE(rig->storage().Free("vm-999-disk-9").ok()); });
      }
      schedule.Run();
      for (int hour = 0; hour < 3; ++hour) world.Recover();
      EXPECT_THAT(*world.rig.storage().List(200), SizeIs(is_one_whole ? 3 : 0));
      EXPECT_THAT(world.ClonesOnArray(), SizeIs(is_one_whole ? 3 : 0));
      for (const auto& source : kSources) {
        if (!is_one_whole) break;
        std::string clone = source;
        clone.replace(clone.find("100"), 3, "200");
        EXPECT_EQ(world.rig.Content(clone), OldContent(source));
      }
      world.ExpectSourcesUntouched();
      EXPECT_THAT(world.array.Orphans(), IsEmpty());
      EXPECT_EQ(world.Pending(), "");
      if (HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace ontapnvme::fault
