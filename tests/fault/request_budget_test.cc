// SPDX-License-Identifier: AGPL-3.0-or-later
// What operations cost in requests on a warm process. A request more is a regression: budgets are
// what keeps a poll cheap, a storage lock short and a frozen guest frozen for milliseconds.
#include <gtest/gtest.h>

#include "fault/storage_rig.h"

namespace ontapnvme::fault {
namespace {

class RequestBudgetTest : public testing::Test {
 protected:
  RequestBudgetTest() {
    EXPECT_TRUE(rig.storage().Activate().ok());  // facts are read, paths are made
    // Takes the node's turn of this hour to look for what interrupted operations left.
    EXPECT_TRUE(rig.storage().Free(rig.MustAllocate(999)).ok());
    array.ClearLog();
  }

  void ExpectRequests(int most, const std::string& operation) {
    const int count = array.Count();
    std::cout << "requests: " << operation << " = " << count << " (budget " << most << ")\n";
    EXPECT_LE(count, most) << operation << ": " << testing::PrintToString(array.Requests());
    EXPECT_GT(count, -1);
    array.ClearLog();
  }

  std::vector<std::string> AllocateDisks(int count) {
    std::vector<std::string> disks;
    for (int i = 0; i < count; ++i) disks.push_back(rig.MustAllocate(100));
    array.ClearLog();
    return disks;
  }

  TestArray array;
  StorageRig rig{array};
};

TEST_F(RequestBudgetTest, PollIsOneRequestAndConnectsNothing) {
  const auto connected = rig.host().connect_calls.size();
  EXPECT_TRUE(rig.storage().CheckConnection());
  EXPECT_TRUE(rig.storage().Activate().ok());
  EXPECT_TRUE(rig.storage().Capacity().ok());
  EXPECT_EQ(array.Count(), 1);
  ExpectRequests(1, "poll");
  EXPECT_EQ(rig.host().connect_calls.size(), connected);
}

TEST_F(RequestBudgetTest, NewProcessPollsWithOneRequestToo) {
  rig.Restart();
  EXPECT_TRUE(rig.storage().CheckConnection());
  EXPECT_TRUE(rig.storage().Activate().ok());
  EXPECT_TRUE(rig.storage().Capacity().ok());
  ExpectRequests(1, "poll of a new process");
}

TEST_F(RequestBudgetTest, AllocateFirstAndSecondDisk) {
  rig.MustAllocate(100);
  ExpectRequests(5, "allocate the first disk of a VM");
  rig.MustAllocate(100);
  ExpectRequests(5, "allocate the second disk of a VM");
}

TEST_F(RequestBudgetTest, ActivatePresentDisk) {
  const auto disks = AllocateDisks(1);
  ASSERT_TRUE(rig.storage().ActivateVolume(disks[0]).ok());
  ExpectRequests(1, "activate a present disk");
  ASSERT_TRUE(rig.storage().DeactivateVolume(disks[0]).ok());
  ExpectRequests(0, "deactivate");
}

TEST_F(RequestBudgetTest, ListIsOneRequestPerListingWhateverTheNumber) {
  for (std::uint64_t vmid = 100; vmid < 130; ++vmid) rig.MustAllocate(vmid);
  array.ClearLog();
  const auto listed = rig.storage().List(std::nullopt);
  ASSERT_TRUE(listed.ok()) << listed.error().Line();
  EXPECT_EQ(listed->size(), 30U);
  ExpectRequests(2, "list 30 disks");
}

TEST_F(RequestBudgetTest, ListOfAllSnapshotsIsOneRequestMore) {
  AllocateDisks(3);
  for (const char* snapshot : {"s1", "s2", "s3"}) {
    ASSERT_TRUE(rig.storage().CreateSnapshot("vm-100-disk-0", snapshot).ok());
  }
  array.ClearLog();
  const auto listed = rig.storage().ListVmSnapshots(std::nullopt);
  ASSERT_TRUE(listed.ok()) << listed.error().Line();
  EXPECT_EQ(listed->size(), 3U);
  ExpectRequests(3, "list the snapshots of all disks");
}

TEST_F(RequestBudgetTest, FreeDisk) {
  const auto disks = AllocateDisks(2);
  ASSERT_TRUE(rig.storage().Free(disks[1]).ok());
  ExpectRequests(4, "free a disk");
  ASSERT_TRUE(rig.storage().Free(disks[0]).ok());
  ExpectRequests(6, "free the last disk of a VM, and its group");
}

TEST_F(RequestBudgetTest, BringADiskBack) {
  const auto disks = AllocateDisks(2);
  ASSERT_TRUE(rig.storage().Free(disks[1]).ok());
  array.ClearLog();
  ASSERT_TRUE(rig.storage().ListDeleted().ok());
  ExpectRequests(1, "list deleted disks");
  ASSERT_TRUE(rig.storage().Undelete(disks[1], "").ok());
  ExpectRequests(18, "bring a disk back");
}

TEST_F(RequestBudgetTest, ResizeDisk) {
  const auto disks = AllocateDisks(1);
  ASSERT_TRUE(rig.storage().Resize(disks[0], std::uint64_t{1} << 30U).ok());
  ExpectRequests(5, "resize a disk");
}

TEST_F(RequestBudgetTest, TemplatesAndClones) {
  const auto disks = AllocateDisks(3);
  const auto base = rig.storage().CreateBase(disks[0]);
  ASSERT_TRUE(base.ok()) << base.error().Line();
  ExpectRequests(6, "turn a disk into a base image");
  ASSERT_TRUE(rig.storage().Clone(*base, "", 200).ok());
  ExpectRequests(6, "linked clone");
  ASSERT_TRUE(rig.storage().Rename(disks[1], 200, "").ok());
  ExpectRequests(5, "give a disk to another VM");
  ASSERT_TRUE(rig.storage().Rename(disks[2], 200, "").ok());
  ExpectRequests(6, "give the last disk of a VM to another VM");
}

TEST_F(RequestBudgetTest, FullCloneOfAVm) {
  const auto disks = AllocateDisks(3);
  ASSERT_TRUE(rig.storage().CloneVm(disks, "", 200).ok());
  ExpectRequests(4 + 6 * 3, "full clone of a VM with 3 disks");
  for (const auto& disk : disks) ASSERT_TRUE(rig.storage().CreateSnapshot(disk, "s1").ok());
  array.ClearLog();
  ASSERT_TRUE(rig.storage().CloneVm(disks, "s1", 300).ok());
  ExpectRequests(2 + 6 * 3, "full clone of a snapshot of a VM with 3 disks");
  ASSERT_TRUE(rig.storage().CopyProgress(300).ok());
  ExpectRequests(1, "how far the full clones are");
}

TEST_F(RequestBudgetTest, SnapshotDevice) {
  const auto disks = AllocateDisks(1);
  ASSERT_TRUE(rig.storage().CreateSnapshot(disks[0], "s1").ok());
  array.ClearLog();
  ASSERT_TRUE(rig.storage().ActivateSnapshot(disks[0], "s1").ok());
  ExpectRequests(5, "activate a snapshot");
  ASSERT_TRUE(rig.storage().DeactivateSnapshot(disks[0], "s1").ok());
  ExpectRequests(4, "deactivate a snapshot");
}

TEST_F(RequestBudgetTest, RollbackOfADiskOutsideTheGroup) {
  const auto disk = rig.MustAllocate(100, "vm-100-cloudinit");
  for (const char* snapshot : {"s1", "s2"}) {
    ASSERT_TRUE(rig.storage().CreateSnapshot(disk, snapshot).ok());
    array.clock->Advance(std::chrono::minutes(1));
  }
  array.ClearLog();
  ASSERT_TRUE(rig.storage().Rollback(disk, "s1").ok());
  ExpectRequests(4 + 3, "rollback of a cloud-init drive past a newer snapshot");
}

class SnapshotBudgetTest : public RequestBudgetTest, public testing::WithParamInterface<int> {};

TEST_P(SnapshotBudgetTest, DoesNotDependOnTheNumberOfDisks) {
  const std::string of = " of a VM with " + std::to_string(GetParam()) + " disks";
  const auto disks = AllocateDisks(GetParam());
  for (const auto& disk : disks) {
    const auto made = rig.storage().CreateSnapshot(disk, "s1");
    ASSERT_TRUE(made.ok()) << made.error().Line();
  }
  ExpectRequests(2, "snapshot" + of);

  for (const auto& disk : disks) ASSERT_TRUE(rig.storage().RollbackBlockers(disk, "s1").ok());
  for (const auto& disk : disks) {
    ASSERT_TRUE(rig.storage().RollbackBlockers(disk, "s1").ok());
    const auto restored = rig.storage().Rollback(disk, "s1");
    ASSERT_TRUE(restored.ok()) << restored.error().Line();
  }
  ExpectRequests(3, "rollback" + of);

  for (const auto& disk : disks) ASSERT_TRUE(rig.storage().CreateSnapshot(disk, "s2").ok());
  array.ClearLog();
  for (const auto& disk : disks) ASSERT_TRUE(rig.storage().RollbackBlockers(disk, "s1").ok());
  for (const auto& disk : disks) {
    const auto restored = rig.storage().Rollback(disk, "s1");
    ASSERT_TRUE(restored.ok()) << restored.error().Line();
  }
  ExpectRequests(4 * GetParam() + 2, "rollback past a newer snapshot" + of);
  for (const auto& disk : disks) ASSERT_TRUE(rig.storage().DeleteSnapshot(disk, "s2").ok());
  array.ClearLog();

  for (const auto& disk : disks) {
    const auto deleted = rig.storage().DeleteSnapshot(disk, "s1");
    ASSERT_TRUE(deleted.ok()) << deleted.error().Line();
  }
  ExpectRequests(3, "delete of the snapshot" + of);
}

INSTANTIATE_TEST_SUITE_P(Disks, SnapshotBudgetTest, testing::Values(1, 3, 8));

}  // namespace
}  // namespace ontapnvme::fault
