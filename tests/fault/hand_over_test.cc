// SPDX-License-Identifier: AGPL-3.0-or-later
// Disks that go from one storage to another of the same SVM without a copy: whatever happens on the way,
// exactly one of both lists the disk, and repeating finishes it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/temporary_folder.h"
#include "fault/fault_list.h"
#include "fault/storage_rig.h"

namespace ontapnvme::fault {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

const std::string kDisk = "vm-100-disk-0";

// The settings of the storage that gets the disk.
const Settings kOtherNames = {{"storage_prefix", "o_"}, {"subsystem", "pve2"}};
const Settings kSameNames = {{"snapshot_reserve", "10"}};

struct World {
  explicit World(const Settings& settings = kOtherNames)
      : to(array, {.storage_id = "other", .settings = settings}) {
    EXPECT_TRUE(from.storage().Activate().ok());
    EXPECT_TRUE(to.storage().Activate().ok());
    for (const std::string name : {"vm-100-disk-0", "vm-100-disk-1"}) from.MustAllocate(100, name);
    from.Write(kDisk, "old");
    EXPECT_TRUE(from.storage().CreateSnapshot(kDisk, "s1").ok());
    from.Write(kDisk, "new");
    uuid = from.Namespace(kDisk)->uuid;
    array.clock->Advance(std::chrono::minutes(1));
    array.ClearLog();
  }

  // As the command does it. The name on the other storage.
  Result<std::string> Move(const std::string& wanted = kDisk) {
    TRY(const auto identity, to.storage().Identity());
    TRY(auto moved, from.storage().HandOver(kDisk, "other", identity, wanted));
    if (moved.empty()) {
      TRY(const auto found, to.storage().MovedVolumes(100, "tank:" + kDisk));
      if (found.size() != 1) return Error(ErrorCode::kNotFound, "it is nowhere");
      moved = found.front();
    }
    TRY_STATUS(to.storage().TakeOver(moved));
    return moved;
  }
  static std::vector<std::string> Names(StorageRig& rig) {
    std::vector<std::string> names;
    const auto listed = rig.storage().List(100);
    EXPECT_TRUE(listed.ok()) << listed.error().Line();
    for (const auto& one : listed.ok() ? *listed : std::vector<DiskInfo>()) {
      names.push_back(one.volume_name);
    }
    return names;
  }
  // Besides the other disk.
  void ExpectInExactlyOneList() { EXPECT_EQ(Names(from).size() + Names(to).size(), 2U); }
  void ExpectMoved(const std::string& name = kDisk) {
    EXPECT_THAT(Names(from), ElementsAre("vm-100-disk-1"));
    EXPECT_THAT(Names(to), ElementsAre(name));
    ASSERT_NE(to.Namespace(name), nullptr);
    EXPECT_EQ(to.Namespace(name)->uuid, uuid);
    EXPECT_EQ(to.Content(name), "new");
    const auto active = to.storage().ActivateVolume(name);
    EXPECT_TRUE(active.ok()) << active.error().Line();
    EXPECT_TRUE(to.storage().DeactivateVolume(name).ok());
    EXPECT_THAT(array.Orphans(), IsEmpty());
  }
  // Its snapshots came along.
  void ExpectUsable(const std::string& name = kDisk) {
    auto& storage = to.storage();
    const auto blockers = storage.RollbackBlockers(name, "s1");
    ASSERT_TRUE(blockers.ok()) << blockers.error().Line();
    EXPECT_THAT(*blockers, IsEmpty());
    const auto back = storage.Rollback(name, "s1");
    ASSERT_TRUE(back.ok()) << back.error().Line();
    EXPECT_EQ(to.Content(name), "old");
    EXPECT_TRUE(storage.CreateSnapshot(name, "s2").ok());
    for (const std::string snapshot : {"s2", "s1"}) {
      const auto deleted = storage.DeleteSnapshot(name, snapshot);
      EXPECT_TRUE(deleted.ok()) << deleted.error().Line();
    }
    EXPECT_THAT(*storage.ListSnapshots(name), IsEmpty());
    const auto freed = storage.Free(name);
    EXPECT_TRUE(freed.ok()) << freed.error().Line();
    EXPECT_TRUE(from.storage().DeleteSnapshot("vm-100-disk-1", "s1").ok());
    EXPECT_TRUE(from.storage().Free("vm-100-disk-1").ok());
    EXPECT_THAT(array.Orphans(), IsEmpty());
  }

  TestArray array;
  fakes::TemporaryFolder folder;
  StorageRig from{array, {.disk_memory_file = folder.path() + "/tank.disks"}};
  StorageRig to;
  std::string uuid;
};

// The mark of the one that moved says that it was called so.
TEST(HandOverTest, DiskThatIsNotShownIsNotTakenForOneThatWasCalledSoBefore) {
  World world;
  ASSERT_TRUE(world.Move().ok());
  world.from.MustAllocate(100, kDisk);
  world.from.Write(kDisk, "another");
  for (const char* path : {"/storage/volumes", "/storage/namespaces"}) {
    world.array.AddFault({{"empty", true}, {"method", "GET"}, {"path", path}, {"times", -1}});
  }
  const auto handed_over = world.from.storage().HandOver(
      kDisk, "other", *world.to.storage().Identity(), "vm-100-disk-2");
  ASSERT_FALSE(handed_over.ok()) << "as what: '" << *handed_over << "'";
  world.array.ClearFaults();
  EXPECT_EQ(world.from.Content(kDisk), "another");
  EXPECT_EQ(world.to.Content(kDisk), "new");
}

// Deleted where the memory of this cluster is not known, for example by the array's administrator.
TEST(HandOverTest, DiskThatIsGoneIsNotTakenForOneThatWasCalledSoBefore) {
  World world;
  ASSERT_TRUE(world.Move().ok());
  world.from.MustAllocate(100, kDisk);
  StorageRig elsewhere(world.array, {.node = "node2"});
  ASSERT_TRUE(elsewhere.storage().Activate().ok());
  ASSERT_TRUE(elsewhere.storage().Free(kDisk).ok());
  const auto handed_over = world.from.storage().HandOver(
      kDisk, "other", *world.to.storage().Identity(), "vm-100-disk-2");
  ASSERT_FALSE(handed_over.ok()) << "as what: '" << *handed_over << "'";
  EXPECT_TRUE(FailedWith(handed_over, ErrorCode::kNotFound)) << handed_over.error().Line();
  EXPECT_EQ(world.to.Content(kDisk), "new");
}

TEST(HandOverTest, GoesWithItsSnapshotsAndWithoutACopy) {
  for (const auto& settings : {kOtherNames, kSameNames}) {
    World world(settings);
    const auto moved = world.Move();
    ASSERT_TRUE(moved.ok()) << moved.error().Line();
    EXPECT_EQ(*moved, kDisk);
    world.ExpectMoved();
    EXPECT_THAT(*world.to.storage().MovedVolumes(100, "tank:" + kDisk), ElementsAre(kDisk));
    const auto again = world.Move();
    ASSERT_TRUE(again.ok()) << again.error().Line();
    world.ExpectMoved();
    world.ExpectUsable();
    if (HasFailure()) return;
  }
}

TEST(HandOverTest, GoesBackAgain) {
  World world;
  ASSERT_TRUE(world.Move().ok());
  const auto identity = world.from.storage().Identity();
  ASSERT_TRUE(identity.ok());
  const auto back = world.to.storage().HandOver(kDisk, "tank", *identity, kDisk);
  ASSERT_TRUE(back.ok()) << back.error().Line();
  ASSERT_TRUE(world.from.storage().TakeOver(kDisk).ok());
  EXPECT_THAT(World::Names(world.from), UnorderedElementsAre(kDisk, "vm-100-disk-1"));
  EXPECT_THAT(World::Names(world.to), IsEmpty());
  EXPECT_THAT(*world.to.storage().MovedVolumes(100, "tank:" + kDisk), IsEmpty());
  EXPECT_TRUE(world.from.storage().ActivateVolume(kDisk).ok());
  EXPECT_THAT(world.array.Orphans(), IsEmpty());
}

TEST(HandOverTest, GetsAnotherNameWhereItsOwnIsTaken) {
  World world;
  world.to.MustAllocate(100, kDisk);
  const auto taken = world.Move();
  ASSERT_TRUE(FailedWith(taken, ErrorCode::kAlreadyExists));
  world.from.Restart();
  EXPECT_THAT(World::Names(world.from), UnorderedElementsAre(kDisk, "vm-100-disk-1"));
  const auto moved = world.Move("vm-100-disk-5");
  ASSERT_TRUE(moved.ok()) << moved.error().Line();
  EXPECT_EQ(world.to.Content("vm-100-disk-5"), "new");
  EXPECT_THAT(World::Names(world.to), UnorderedElementsAre(kDisk, "vm-100-disk-5"));
}

TEST(HandOverTest, WhatCannotGoIsToldWithNothingChanged) {
  World world;
  auto& storage = world.from.storage();
  const auto identity = *world.to.storage().Identity();
  const auto elsewhere =
      storage.HandOver(kDisk, "other", "ontapnvme:11111111-2222-3333-4444-555555555555:o_", kDisk);
  ASSERT_TRUE(FailedWith(elsewhere, ErrorCode::kUnsupported));
  EXPECT_THAT(elsewhere.error().Line(),
              HasSubstr("its disks are on another SVM; copy it with 'qm disk move'"));
  const auto no_ontap = storage.HandOver(kDisk, "other", "lvm", kDisk);
  EXPECT_TRUE(FailedWith(no_ontap, ErrorCode::kUnsupported));
  EXPECT_TRUE(FailedWith(storage.HandOver(kDisk, "other", identity, "vm-101-disk-0"),
                         ErrorCode::kInvalidArgument));

  ASSERT_TRUE(storage.ActivateVolume(kDisk).ok());
  world.from.host().usage[*Uuid::Parse(world.uuid)] = {.is_used = true, .by = "process 1 (kvm)"};
  const auto used = world.Move();
  ASSERT_TRUE(FailedWith(used, ErrorCode::kBusy));
  world.from.host().usage.clear();
  ASSERT_TRUE(storage.DeactivateVolume(kDisk).ok());
  EXPECT_THAT(World::Names(world.from), UnorderedElementsAre(kDisk, "vm-100-disk-1"));
  EXPECT_EQ(world.from.Namespace(kDisk)->uuid, world.uuid);

  const auto base = storage.CreateBase("vm-100-disk-1");
  ASSERT_TRUE(base.ok());
  const auto clone = storage.Clone(*base, "", 200);
  ASSERT_TRUE(clone.ok());
  for (const auto& [name, target] :
       {std::pair(*base, kDisk), std::pair(*clone, std::string("vm-200-disk-0"))}) {
    EXPECT_TRUE(
        FailedWith(storage.HandOver(name, "other", identity, target), ErrorCode::kUnsupported));
  }
}

// A name of the one storage would be a name of the other one as well.
TEST(HandOverTest, NamesThatCannotBeToldApartAreRefused) {
  World world({{"storage_prefix", "t_vm_100_state_"}});
  const auto moved = world.Move();
  ASSERT_TRUE(FailedWith(moved, ErrorCode::kUnsupported));
  EXPECT_THAT(moved.error().Line(), HasSubstr("cannot be told apart"));
}

TEST(HandOverTest, IsInExactlyOneListWhicheverRequestFails) {
  int points = 0;
  for (const auto& settings : {kOtherNames, kSameNames}) {
    for (const Fault& fault : FaultsByStep(3, 1)) {
      for (int nth = 1;; ++nth) {
        ASSERT_LE(nth, 60) << "the sweep never ran clean";
        SCOPED_TRACE("request " + std::to_string(nth) + ": " + fault.name);
        World world(settings);
        auto rule = fault.rule;
        rule["nth"] = nth;
        world.array.AddFault(rule);
        const auto moved = world.Move();
        const bool fired = world.array.FaultFired();
        world.array.ClearFaults();
        world.from.Restart();
        world.to.Restart();
        world.ExpectInExactlyOneList();
        const auto again = world.Move();
        ASSERT_TRUE(again.ok()) << again.error().Line();
        world.ExpectMoved();
        if (nth % 4 == 0) world.ExpectUsable();
        if (HasFailure()) return;
        if (!fired) {
          EXPECT_TRUE(moved.ok());
          break;
        }
        ++points;
      }
    }
  }
  std::cout << "hand-over: " << points << " points kept all promises\n";
}

// From the nth request on nothing leaves this process any more: as if it had been killed there.
TEST(HandOverTest, IsInExactlyOneListAfterAKill) {
  for (const auto& settings : {kOtherNames, kSameNames}) {
    bool was_stopped_here = false;
    bool was_stopped_there = false;
    for (int nth = 1;; ++nth) {
      ASSERT_LE(nth, 60);
      SCOPED_TRACE("killed before request " + std::to_string(nth));
      World world(settings);
      world.array.AddFault({{"drop_before", true}, {"nth", nth}, {"times", -1}});
      const bool is_done = world.Move().ok();
      const bool fired = world.array.FaultFired();
      world.array.ClearFaults();
      world.from.Restart();
      world.to.Restart();
      world.ExpectInExactlyOneList();
      const bool is_there = !World::Names(world.to).empty();
      was_stopped_there = was_stopped_there || (is_there && !is_done);
      was_stopped_here = was_stopped_here || !is_there;
      const auto again = world.Move();
      ASSERT_TRUE(again.ok()) << again.error().Line();
      world.ExpectMoved();
      world.ExpectUsable();
      if (HasFailure()) return;
      if (is_done && !fired) break;
    }
    EXPECT_TRUE(was_stopped_here);
    EXPECT_TRUE(was_stopped_there);
  }
}

}  // namespace
}  // namespace ontapnvme::fault
