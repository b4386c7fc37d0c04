// SPDX-License-Identifier: AGPL-3.0-or-later
// Disks that move to another aggregate while they are used.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fault/fault_list.h"
#include "fault/storage_rig.h"

namespace ontapnvme::fault {
namespace {

using testing::HasSubstr;

struct World {
  World() {
    EXPECT_TRUE(rig.storage().Activate().ok());
    disk = rig.MustAllocate(100);
    rig.Write(disk, "bytes");
    EXPECT_TRUE(rig.storage().ActivateVolume(disk).ok());
    uuid = rig.Namespace(disk)->uuid;
    array.ClearLog();
  }
  PlaceInfo Where() {
    auto where = rig.storage().WhereIs(disk);
    EXPECT_TRUE(where.ok()) << where.error().Line();
    return where.ok() ? std::move(*where) : PlaceInfo();
  }
  // Whatever becomes of a move: the same disk under the same name, and no other.
  void ExpectSameDisk() {
    const auto listed = rig.storage().List(std::nullopt);
    ASSERT_TRUE(listed.ok());
    ASSERT_EQ(listed->size(), 1U);
    EXPECT_EQ(listed->front().volume_name, disk);
    EXPECT_EQ(rig.Namespace(disk)->uuid, uuid);
    EXPECT_EQ(rig.Content(disk), "bytes");
    EXPECT_TRUE(rig.storage().ActivateVolume(disk).ok());
  }

  TestArray array;
  StorageRig rig{array};
  std::string disk;
  std::string uuid;
};

TEST(RelocationTest, MovesWhileItIsUsedAndSaysHowFarItIs) {
  World world;
  EXPECT_EQ(world.Where().place, "aggr1");
  ASSERT_TRUE(world.rig.storage().StartMove(world.disk, "aggr_nae").ok());
  world.array.clock->Advance(std::chrono::minutes(3));
  const auto halfway = world.Where();
  EXPECT_EQ(halfway.place, "aggr1");
  EXPECT_EQ(halfway.destination, "aggr_nae");
  EXPECT_EQ(halfway.percent, 30U);
  world.ExpectSameDisk();
  EXPECT_TRUE(world.rig.storage().StartMove(world.disk, "aggr_nae").ok()) << "is on its way";
  const auto elsewhere = world.rig.storage().StartMove(world.disk, "aggr1");
  ASSERT_TRUE(FailedWith(elsewhere, ErrorCode::kBusy));
  EXPECT_THAT(elsewhere.error().Line(), HasSubstr("it moves to 'aggr_nae'"));
  world.array.clock->Advance(std::chrono::minutes(7));
  EXPECT_EQ(world.Where().place, "aggr_nae");
  EXPECT_EQ(world.Where().destination, "");
  EXPECT_TRUE(world.rig.storage().StartMove(world.disk, "aggr_nae").ok()) << "is there";
  world.ExpectSameDisk();
}

// The array goes on telling where it was to go.
TEST(RelocationTest, MoveThatHasFailedIsOverAndCanBeginAgain) {
  World world;
  ASSERT_TRUE(world.rig.storage().StartMove(world.disk, "aggr_nae").ok());
  for (auto& volume : world.array.sim.world().volumes) {
    if (volume.movement) volume.movement->has_failed = true;
  }
  const auto where = world.Where();
  EXPECT_EQ(where.place, "aggr1");
  EXPECT_EQ(where.destination, "");
  EXPECT_EQ(where.state, "failed");
  world.ExpectSameDisk();
  ASSERT_TRUE(world.rig.storage().StartMove(world.disk, "aggr_nae").ok());
  EXPECT_EQ(world.Where().destination, "aggr_nae");
  world.array.clock->Advance(std::chrono::minutes(10));
  EXPECT_EQ(world.Where().place, "aggr_nae");
}

TEST(RelocationTest, PlaceThatIsNotThereIsNamed) {
  World world;
  const auto moved = world.rig.storage().StartMove(world.disk, "aggr9");
  ASSERT_TRUE(FailedWith(moved, ErrorCode::kNotFound));
  EXPECT_THAT(moved.error().Line(),
              HasSubstr("cannot move volume 'vm-100-disk-0' to aggregate 'aggr9'"));
  EXPECT_TRUE(
      FailedWith(world.rig.storage().StartMove(world.disk, ""), ErrorCode::kInvalidArgument));
  EXPECT_TRUE(
      FailedWith(world.rig.storage().StartMove("vm-100-disk-9", "aggr1"), ErrorCode::kNotFound));
  world.ExpectSameDisk();
}

TEST(RelocationTest, AccountOfAnSvmIsRefusedBeforeTheArrayIsAsked) {
  TestArray array;
  StorageRig rig(array, {.settings = {{"username", "vsadmin"}, {"svm_scoped", "1"}}});
  ASSERT_TRUE(rig.storage().Activate().ok());
  const auto disk = rig.MustAllocate(100);
  const auto moved = rig.storage().StartMove(disk, "aggr_nae");
  ASSERT_TRUE(FailedWith(moved, ErrorCode::kPermissionDenied));
  EXPECT_THAT(moved.error().Line(), HasSubstr("give the storage an account of the cluster"));
}

TEST(RelocationTest, StaysWhatItIsWhicheverRequestFails) {
  for (const Fault& fault : FaultsByStep(2, 0)) {
    for (int nth = 1;; ++nth) {
      ASSERT_LE(nth, 20);
      SCOPED_TRACE("request " + std::to_string(nth) + ": " + fault.name);
      World world;
      auto rule = fault.rule;
      rule["nth"] = nth;
      world.array.AddFault(rule);
      const auto moved = world.rig.storage().StartMove(world.disk, "aggr_nae");
      const bool fired = world.array.FaultFired();
      world.array.ClearFaults();
      world.rig.Restart();
      world.ExpectSameDisk();
      EXPECT_TRUE(world.rig.storage().StartMove(world.disk, "aggr_nae").ok());
      world.array.clock->Advance(std::chrono::minutes(11));
      EXPECT_EQ(world.Where().place, "aggr_nae");
      world.ExpectSameDisk();
      if (HasFailure()) return;
      if (!fired) {
        EXPECT_TRUE(moved.ok());
        break;
      }
    }
  }
}

}  // namespace
}  // namespace ontapnvme::fault
