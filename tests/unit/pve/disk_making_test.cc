// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/disk_making.h"

#include "operations_test.h"

namespace ontapnvme::pve {
namespace {

using testing::ElementsAre;

class DiskMakingTest : public OperationsTest {
 protected:
  Result<std::string> Allocate(const std::string& name = "", std::uint64_t size_kib = 1024) {
    return operations.disk_making.Allocate(100, name, size_kib, Budget());
  }
  Result<std::string> Clone(const std::string& source, std::optional<SnapshotName> snapshot = {}) {
    return operations.disk_making.Clone(Name(source), snapshot, 100, Budget());
  }
};

TEST_F(DiskMakingTest, NewDiskIsMadeUnderTheLowestFreeNameAndRemembered) {
  world.AddDisk("vm-100-disk-0");
  const auto made = Allocate();
  ASSERT_TRUE(Succeeds(made));
  EXPECT_EQ(*made, "vm-100-disk-1");
  EXPECT_EQ(world.Disk("vm-100-disk-1")->size, MiB(1));
  EXPECT_EQ(node.disks.Find(Name("vm-100-disk-1")), UuidOf("vm-100-disk-1"));
  EXPECT_THAT(world.TakeCalls(), ElementsAre("ListNeighbours", "Make vm-100-disk-1"));
}

TEST_F(DiskMakingTest, SizeIsRoundedUpToABlock) {
  ASSERT_TRUE(Succeeds(Allocate("", 5)));
  EXPECT_EQ(world.Disk("vm-100-disk-0")->size, KiB(8));
}

TEST_F(DiskMakingTest, SizeThatNoDiskCanHaveIsRefusedBeforeAnythingIsAsked) {
  constexpr std::uint64_t kMost_kib = std::uint64_t{128} << 30U;
  EXPECT_TRUE(Succeeds(Allocate("", kMost_kib)));
  (void)world.TakeCalls();
  for (const std::uint64_t size_kib : {std::uint64_t{0}, kMost_kib + 1, ~std::uint64_t{0}}) {
    EXPECT_TRUE(FailedWith(Allocate("", size_kib), ErrorCode::kInvalidArgument)) << size_kib;
  }
  EXPECT_THAT(world.TakeCalls(), ElementsAre());
}

TEST_F(DiskMakingTest, ChosenNameThatIsLostIsFollowedByTheNext) {
  world.names_to_lose = 2;
  const auto made = Allocate();
  ASSERT_TRUE(Succeeds(made));
  EXPECT_EQ(*made, "vm-100-disk-2");
}

// Whenever the task is stopped, down to the moment after the last request: either Proxmox is told of
// the disk, or there is none.
TEST_F(DiskMakingTest, TaskThatIsStoppedHasItsDiskOrLeavesNone) {
  bool was_stopped = false;
  for (const bool is_clone : {false, true}) {
    world.disks().clear();
    ASSERT_TRUE(Succeeds(node.disks.Forget(Name("vm-100-disk-0"))));
    world.AddDisk("base-200-disk-0");
    world.AddSnapshot("base-200-disk-0", kBaseSnapshot, {});
    for (int polls = 0;; ++polls) {
      SCOPED_TRACE("stopped at poll " + std::to_string(polls));
      interrupt = fakes::FakeInterrupt(polls);
      const auto made = is_clone ? Clone("base-200-disk-0") : Allocate();
      interrupt = fakes::FakeInterrupt();
      const bool is_there = world.Disk("vm-100-disk-0") != nullptr;
      EXPECT_EQ(is_there, made.ok());
      EXPECT_EQ(node.disks.Find(Name("vm-100-disk-0")).has_value(), made.ok());
      if (made.ok()) break;
      EXPECT_EQ(made.error().code(), ErrorCode::kInterrupted) << made.error().Line();
      was_stopped = true;
      ASSERT_LT(polls, 50);
    }
  }
  EXPECT_TRUE(was_stopped);
}

TEST_F(DiskMakingTest, TaskThatIsStoppedBehindItsLastRequestLeavesNone) {
  world.AfterNext("Make", [&] { interrupt = fakes::FakeInterrupt(0); });
  EXPECT_TRUE(FailedWith(Allocate(), ErrorCode::kInterrupted));
  EXPECT_EQ(world.Disk("vm-100-disk-0"), nullptr);
  EXPECT_FALSE(node.disks.Find(Name("vm-100-disk-0")));
}

TEST_F(DiskMakingTest, DisksOfAVmAreClonedUnderNamesOfTheirOwn) {
  world.AddDisk("vm-200-disk-3", "three");
  world.AddDisk("base-300-disk-0/vm-200-disk-1", "one");
  world.AddDisk("vm-200-cloudinit", "seed");
  world.AddDisk("vm-100-disk-1");
  const auto made = operations.disk_making.CloneVm(
      {Name("vm-200-disk-3"), Name("vm-200-cloudinit"), Name("vm-200-disk-1")}, {}, 100, Budget());
  ASSERT_TRUE(Succeeds(made));
  EXPECT_THAT(*made, ElementsAre("vm-100-disk-0", "vm-100-cloudinit", "vm-100-disk-2"));
  EXPECT_EQ(world.Disk("vm-100-disk-0")->content, "three");
  EXPECT_EQ(world.Disk("vm-100-cloudinit")->content, "seed");
  EXPECT_EQ(world.Disk("vm-100-disk-2")->content, "one");
  EXPECT_EQ(node.disks.Find(Name("vm-100-disk-2")), UuidOf("vm-100-disk-2"));
  EXPECT_THAT(world.TakeCalls(), ElementsAre("ListNeighbours", "CloneFully vm-100-disk-0"));
  const auto progress = operations.disk_making.CopyProgress(100, Budget());
  ASSERT_TRUE(Succeeds(progress));
  EXPECT_EQ(progress->size(), 3U);
}

TEST_F(DiskMakingTest, LostNameOfAFullCloneIsFollowedByTheNext) {
  world.AddDisk("vm-200-disk-0");
  world.names_to_lose = 1;
  const auto made = operations.disk_making.CloneVm({Name("vm-200-disk-0")}, {}, 100, Budget());
  ASSERT_TRUE(Succeeds(made));
  EXPECT_THAT(*made, ElementsAre("vm-100-disk-1"));
}

TEST_F(DiskMakingTest, VmWhoseDisksAreNotAllThereIsNotCloned) {
  world.AddDisk("vm-200-disk-0");
  const auto made = operations.disk_making.CloneVm({Name("vm-200-disk-0"), Name("vm-200-disk-1")},
                                                   {}, 100, Budget());
  EXPECT_TRUE(FailedWith(made, ErrorCode::kNotFound));
  EXPECT_THAT(world.TakeCalls(), ElementsAre("ListNeighbours"));
}

TEST_F(DiskMakingTest, NamesAreTriedTenTimesAndNoMore) {
  world.names_to_lose = 100;
  EXPECT_TRUE(FailedWith(Allocate(), ErrorCode::kAlreadyExists));
  EXPECT_EQ(world.names_to_lose, 90);
  EXPECT_FALSE(node.disks.Find(Name("vm-100-disk-0")).has_value());
}

TEST_F(DiskMakingTest, RequestedNameThatIsLostIsAnError) {
  world.names_to_lose = 1;
  const auto made = Allocate("vm-100-disk-5");
  ASSERT_TRUE(FailedWith(made, ErrorCode::kAlreadyExists));
  EXPECT_EQ(made.error().sentence(), "cannot allocate volume 'vm-100-disk-5'");
  EXPECT_EQ(world.names_to_lose, 0);
}

TEST_F(DiskMakingTest, NameOfAnotherOwnerIsLeftAlone) {
  world.AddForeign("vm-100-disk-0");
  EXPECT_TRUE(FailedWith(Allocate("vm-100-disk-0"), ErrorCode::kConflict));
  const auto made = Allocate();
  ASSERT_TRUE(Succeeds(made));
  EXPECT_EQ(*made, "vm-100-disk-1");
}

TEST_F(DiskMakingTest, HalfMadeVolumeKeepsItsName) {
  world.AddHalfMade("vm-100-disk-0");
  EXPECT_TRUE(FailedWith(Allocate("vm-100-disk-0"), ErrorCode::kAlreadyExists));
  EXPECT_EQ(*Allocate(), "vm-100-disk-1");
}

TEST_F(DiskMakingTest, ArrayThatDoesNotAnswerMakesNoDisk) {
  world.FailNext("ListNeighbours", Silence());
  EXPECT_TRUE(FailedWith(Allocate(), ErrorCode::kUnavailable));
  world.FailNext("Make", Error(ErrorCode::kNoSpace, "full"));
  const auto made = Allocate();
  ASSERT_TRUE(FailedWith(made, ErrorCode::kNoSpace));
  EXPECT_EQ(made.error().sentence(), "cannot allocate volume 'vm-100-disk-0'");
  EXPECT_TRUE(world.all().empty());
  EXPECT_FALSE(folder.Has("disks"));
}

TEST_F(DiskMakingTest, DiskThatDoesNotFitIntoTheAgreedCapacityIsNotMade) {
  config.svm_capacity = GiB(10);
  EXPECT_TRUE(Succeeds(Allocate("", 1 << 20U))) << "what the array did not say is no limit";
  world.used_on_svm = GiB(9);
  EXPECT_TRUE(Succeeds(Allocate("", 1 << 20U))) << "to the last byte";
  EXPECT_TRUE(FailedWith(Allocate("", (1 << 20U) + 1), ErrorCode::kNoSpace));
  world.used_on_svm = GiB(11);
  EXPECT_TRUE(FailedWith(Allocate("", 1), ErrorCode::kNoSpace));
}

// ---- clones

TEST_F(DiskMakingTest, LinkedCloneOfABaseImageSaysWhatItIsOf) {
  world.AddDisk("base-900-disk-0", "golden");
  world.AddSnapshot("base-900-disk-0", kBaseSnapshot, {});
  world.Disk("base-900-disk-0")->content = "changed since";
  const auto made = Clone("base-900-disk-0");
  ASSERT_TRUE(Succeeds(made));
  EXPECT_EQ(*made, "base-900-disk-0/vm-100-disk-0");
  EXPECT_EQ(world.Disk("vm-100-disk-0")->content, "golden");
  EXPECT_EQ(node.disks.Find(Name("vm-100-disk-0")), UuidOf("vm-100-disk-0"));
}

TEST_F(DiskMakingTest, CloneOfASnapshotIsADiskOfItsOwnName) {
  world.AddDisk("vm-200-disk-0", "then");
  world.AddSnapshot("vm-200-disk-0", "pve_snap_before", {});
  world.Disk("vm-200-disk-0")->content = "now";
  const auto made = Clone("vm-200-disk-0", Snap("before"));
  ASSERT_TRUE(Succeeds(made));
  EXPECT_EQ(*made, "vm-100-disk-0");
  EXPECT_EQ(world.Disk("vm-100-disk-0")->content, "then");
}

TEST_F(DiskMakingTest, DiskIsNotClonedWithoutASnapshot) {
  world.AddDisk("vm-200-disk-0");
  EXPECT_TRUE(FailedWith(Clone("vm-200-disk-0"), ErrorCode::kInvalidArgument));
  EXPECT_THAT(world.TakeCalls(), ElementsAre());
}

TEST_F(DiskMakingTest, CloneOfWhatIsNotThereIsRefused) {
  EXPECT_TRUE(FailedWith(Clone("base-900-disk-0"), ErrorCode::kNotFound));
  world.AddForeign("base-900-disk-0");
  EXPECT_TRUE(FailedWith(Clone("base-900-disk-0"), ErrorCode::kNotFound)) << "another owner's";
  world.AddDisk("vm-200-disk-0");
  EXPECT_TRUE(FailedWith(Clone("vm-200-disk-0", Snap("none")), ErrorCode::kNotFound));
}

TEST_F(DiskMakingTest, CloneWhoseNameIsLostGetsTheNext) {
  world.AddDisk("base-900-disk-0", "golden");
  world.AddSnapshot("base-900-disk-0", kBaseSnapshot, {});
  world.names_to_lose = 1;
  EXPECT_EQ(*Clone("base-900-disk-0"), "base-900-disk-0/vm-100-disk-1");
}

}  // namespace
}  // namespace ontapnvme::pve
