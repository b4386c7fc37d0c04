// SPDX-License-Identifier: AGPL-3.0-or-later
// What does not fit, and what is many.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "fault/storage_rig.h"

namespace ontapnvme::fault {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

// What was sent that changes something.
std::vector<std::string> Changes(TestArray& array) {
  std::vector<std::string> changes;
  for (const auto& request : array.Requests()) {
    if (!request.starts_with("GET ")) changes.push_back(request);
  }
  return changes;
}

constexpr std::uint64_t kGiBInKiB = 1024 * 1024;

TEST(CapacityTest, ThickDiskThatDoesNotFitIsRefusedAndLeavesNothing) {
  TestArray array;
  array.Set("free_space", {{"aggr1", GiB(4).bytes()}});
  StorageRig rig(array, {.settings = {{"space_reserve", "volume"}}});
  ASSERT_TRUE(rig.storage().Activate().ok());
  array.ClearLog();
  const auto refused = rig.storage().Allocate(100, "", 10 * kGiBInKiB);
  ASSERT_TRUE(FailedWith(refused, ErrorCode::kNoSpace)) << refused.error().Line();
  EXPECT_THAT(refused.error().Line(), HasSubstr("aggr1"));
  EXPECT_THAT(Changes(array), testing::ElementsAre("POST /api/storage/volumes"))
      << "the array refuses the first thing it is asked for";
  EXPECT_THAT(array.Orphans(), IsEmpty());
}

TEST(CapacityTest, DiskBeyondSvmCapacityIsRefusedBeforeAnythingIsSent) {
  TestArray array;
  StorageRig rig(
      array, {.settings = {{"username", "vsadmin"}, {"svm_scoped", "1"}, {"svm_capacity", "5"}}});
  ASSERT_TRUE(rig.storage().Activate().ok());
  EXPECT_EQ(rig.MustAllocate(100, "", 2 * kGiBInKiB), "vm-100-disk-0");
  array.ClearLog();
  const auto refused = rig.storage().Allocate(100, "", 6 * kGiBInKiB);
  ASSERT_TRUE(FailedWith(refused, ErrorCode::kNoSpace)) << refused.error().Line();
  EXPECT_THAT(refused.error().Line(), HasSubstr("svm_capacity"));
  EXPECT_THAT(Changes(array), IsEmpty());
  EXPECT_EQ(rig.MustAllocate(101, "", kGiBInKiB), "vm-101-disk-0");
}

TEST(CapacityTest, SvmLimitIsTheArraysToKeep) {
  TestArray array;
  array.Set("storage_limit", {{"svm1", GiB(8).bytes()}});
  StorageRig rig(array);
  ASSERT_TRUE(rig.storage().Activate().ok());
  EXPECT_EQ(rig.MustAllocate(100, "", kGiBInKiB), "vm-100-disk-0");
  const auto refused = rig.storage().Allocate(100, "", 20 * kGiBInKiB);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(array.Orphans(), IsEmpty());
}

TEST(CapacityTest, VolumeNearItsCeilingIsWarnedAboutOnceADay) {
  TestArray array;
  StorageRig rig(array, {.settings = {{"autosize_max_percent", "105"}}});
  ASSERT_TRUE(rig.storage().Activate().ok());
  const auto disk = rig.MustAllocate(100, "", 16 * 1024);
  const auto listed = [&] {
    rig.storage().TakeLog();
    EXPECT_TRUE(rig.storage().List(std::nullopt).ok());
    std::string lines;
    for (const auto& record : rig.storage().TakeLog()) {
      if (record.level == LogLevel::kWarning) lines += record.text;
    }
    return lines;
  };
  EXPECT_EQ(listed(), "");
  // As if snapshots had filled it: more blocks than the disk has.
  const auto uuid = array.sim.world().namespaces.begin()->uuid;
  array.sim.store().Resize(uuid, 64 << 20);
  array.sim.store().Write(uuid, 0, std::string(37 << 20, 'x'));
  EXPECT_THAT(listed(), HasSubstr(disk));
  EXPECT_EQ(listed(), "");
  array.clock->Advance(std::chrono::hours(25));
  EXPECT_THAT(listed(), HasSubstr(disk));
}

class ManyDisksTest : public testing::TestWithParam<const char*> {};

TEST_P(ManyDisksTest, AreInOneGroupAndSnapshottedByOneCall) {
  TestArray array;
  array.Set("release", GetParam());
  StorageRig rig(array);
  ASSERT_TRUE(rig.storage().Activate().ok());
  std::vector<std::string> disks;
  for (int i = 0; i < 20; ++i) disks.push_back(rig.MustAllocate(100, "", 64));
  EXPECT_EQ(array.sim.world().groups.begin()->volume_uuids.size(), 20U);
  for (const auto& disk : disks) rig.Write(disk, "old");
  for (const auto& disk : disks) ASSERT_TRUE(rig.storage().CreateSnapshot(disk, "s1").ok());
  for (const auto& disk : disks) rig.Write(disk, "new");
  EXPECT_EQ(array.sim.world().group_snapshots.size(), 1U);
  for (const auto& disk : disks) ASSERT_TRUE(rig.storage().RollbackBlockers(disk, "s1").ok());
  for (const auto& disk : disks) {
    const auto restored = rig.storage().Rollback(disk, "s1");
    ASSERT_TRUE(restored.ok()) << restored.error().Line();
  }
  for (const auto& disk : disks) EXPECT_EQ(rig.Content(disk), "old");
}

INSTANTIATE_TEST_SUITE_P(Releases, ManyDisksTest, testing::Values("9.10.1", "9.12.1", "9.16.1"),
                         [](const auto& tested) {
                           std::string name = std::string("v") + tested.param;
                           std::replace(name.begin(), name.end(), '.', '_');
                           return name;
                         });

TEST(ManyDisksLimitTest, MoreThanSixteenUngroupedOnesJoinTogether) {
  TestArray array;
  StorageRig rig(array);
  ASSERT_TRUE(rig.storage().Activate().ok());
  for (int i = 0; i < 20; ++i) rig.MustAllocate(100, "", 64);
  array.sim.world().groups.begin()->volume_uuids.resize(1);  // an older installation's
  rig.MustAllocate(100, "", 64);
  EXPECT_THAT(array.Orphans(), IsEmpty());
}

TEST(ManyDisksLimitTest, DiskBeyondWhatAGroupTakesIsMadeWithAWarning) {
  TestArray array;
  StorageRig rig(array);
  ASSERT_TRUE(rig.storage().Activate().ok());
  for (int i = 0; i < 80; ++i) rig.MustAllocate(100, "", 64);
  rig.storage().TakeLog();
  const auto disk = rig.MustAllocate(100, "", 64);
  EXPECT_EQ(disk, "vm-100-disk-80");
  std::string lines;
  for (const auto& record : rig.storage().TakeLog()) lines += record.text;
  EXPECT_THAT(lines, HasSubstr("takes (80)"));
  EXPECT_TRUE(rig.storage().CreateSnapshot(disk, "s1").ok()) << "alone";
}

}  // namespace
}  // namespace ontapnvme::fault
