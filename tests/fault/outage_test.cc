// SPDX-License-Identifier: AGPL-3.0-or-later
// The array's management LIF does not answer; its data LIFs do. Disks that are there keep working
// on every node, and no node is told a wrong one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "fault/storage_rig.h"

namespace ontapnvme::fault {
namespace {

using testing::HasSubstr;

class OutageTest : public testing::Test {
 protected:
  OutageTest() {
    for (auto* rig : {&one, &two}) EXPECT_TRUE(rig->storage().Activate().ok());
  }
  ~OutageTest() override { std::filesystem::remove_all(directory); }

  static std::string MakeDirectory() {
    std::string pattern = testing::TempDir() + "/ontapnvme-cluster-XXXXXX";
    EXPECT_NE(mkdtemp(pattern.data()), nullptr);
    return pattern;
  }
  void Silence() { array.AddFault({{"never_answer", true}, {"times", -1}}); }
  std::string TargetOf(StorageRig& rig, const std::string& leaf) {
    return std::filesystem::read_symlink(rig.link(leaf));
  }

  std::string directory = MakeDirectory();
  TestArray array;
  StorageRig one{array, {.node = "one", .disk_memory_file = directory + "/tank.disks"}};
  StorageRig two{array, {.node = "two", .disk_memory_file = directory + "/tank.disks"}};
};

TEST_F(OutageTest, DisksStartStopAndMigrateWithoutTheArray) {
  const auto disk = one.MustAllocate(100);
  ASSERT_TRUE(one.storage().ActivateVolume(disk).ok());
  const auto device = TargetOf(one, disk);
  ASSERT_TRUE(one.storage().DeactivateVolume(disk).ok());
  Silence();
  for (auto* rig : {&one, &two}) {  // `two` has never had it
    rig->Restart();
    const auto begun = array.clock->Now();
    EXPECT_TRUE(rig->storage().CheckConnection());
    EXPECT_TRUE(rig->storage().Activate().ok());
    const auto link = rig->storage().ActivateVolume(disk);
    ASSERT_TRUE(link.ok()) << link.error().Line();
    EXPECT_EQ(TargetOf(*rig, disk), device);
    EXPECT_LE(array.clock->Now() - begun, std::chrono::seconds(10));
    EXPECT_TRUE(rig->storage().DeactivateVolume(disk).ok());
  }
}

TEST_F(OutageTest, PollsAreQuickHoweverLongItLasts) {
  Silence();
  array.clock->Advance(std::chrono::hours(5));  // what is remembered is not fresh any more
  for (int poll = 0; poll < 3; ++poll) {
    const auto begun = array.clock->Now();
    EXPECT_TRUE(one.storage().CheckConnection());
    EXPECT_TRUE(one.storage().Activate().ok());
    EXPECT_FALSE(one.storage().Capacity().ok());
    EXPECT_LE(array.clock->Now() - begun, std::chrono::seconds(6)) << "poll " << poll;
  }
}

TEST_F(OutageTest, WhatNeedsTheArrayFailsClearlyAndInTime) {
  const auto disk = one.MustAllocate(100);
  Silence();
  const auto begun = array.clock->Now();
  const auto made = one.storage().Allocate(100, "", 1024);
  ASSERT_FALSE(made.ok());
  EXPECT_TRUE(FailedWith(made, ErrorCode::kUnavailable) || FailedWith(made, ErrorCode::kTimedOut))
      << made.error().Line();
  EXPECT_LE(array.clock->Now() - begun, std::chrono::seconds(55));
  EXPECT_FALSE(one.storage().Free(disk).ok());
  EXPECT_FALSE(one.storage().CreateSnapshot(disk, "s1").ok());
}

TEST_F(OutageTest, NameThatWentToAnotherDiskIsNotRemembered) {
  const auto renamed = one.MustAllocate(100);
  const auto freed = one.MustAllocate(101);
  const auto template_disk = one.MustAllocate(102);
  ASSERT_TRUE(two.storage().Rename(renamed, 200, "").ok());
  ASSERT_TRUE(two.storage().Free(freed).ok());
  ASSERT_TRUE(two.storage().CreateBase(template_disk).ok());
  Silence();
  for (const auto& name : {renamed, freed, template_disk}) {
    const auto link = one.storage().ActivateVolume(name);
    ASSERT_FALSE(link.ok()) << name << " is another VM's by now";
    EXPECT_FALSE(std::filesystem::is_symlink(one.link(name)));
  }
  EXPECT_TRUE(one.storage().ActivateVolume("vm-200-disk-0").ok());
  EXPECT_TRUE(one.storage().ActivateVolume("base-102-disk-0").ok());
}

TEST_F(OutageTest, DiskWithoutADeviceHereSaysBothReasons) {
  const auto disk = one.MustAllocate(100);
  for (auto& ns : array.sim.world().namespaces) ns.subsystem_uuid.clear();
  Silence();
  const auto link = one.storage().ActivateVolume(disk);
  ASSERT_FALSE(link.ok());
  EXPECT_THAT(link.error().Line(), HasSubstr("does not answer"));
  EXPECT_THAT(link.error().Line(), HasSubstr("device"));
}

TEST_F(OutageTest, ArrayThatAnswersIsAlwaysBelieved) {
  const auto disk = one.MustAllocate(100);
  array.AddFault({{"status", 403}, {"code", 6}, {"times", -1}});
  EXPECT_TRUE(FailedWith(one.storage().ActivateVolume(disk), ErrorCode::kPermissionDenied));
}

TEST_F(OutageTest, NameIsNotGivenUpWhileTheClusterCannotTakeNote) {
  const auto disk = one.MustAllocate(100);
  one.Write(disk, "precious");
  // As a cluster file system without quorum: nothing can be written.
  std::filesystem::create_directory(directory + "/tank.disks.tmp." + std::to_string(getpid()));
  const auto freed = one.storage().Free(disk);
  ASSERT_FALSE(freed.ok());
  EXPECT_THAT(freed.error().Line(), HasSubstr("quorum"));
  EXPECT_EQ(one.Content(disk), "precious");
  EXPECT_THAT(array.Orphans(), testing::IsEmpty());
}

TEST_F(OutageTest, OlderDisksAreRememberedWithinAnHour) {
  StorageRig before(array, {.node = "old"});
  const auto disk = before.MustAllocate(100);
  array.clock->Advance(std::chrono::minutes(61));
  one.MustAllocate(101);
  Silence();
  EXPECT_TRUE(two.storage().ActivateVolume(disk).ok());
}

}  // namespace
}  // namespace ontapnvme::fault
