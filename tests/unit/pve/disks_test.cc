// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/disks.h"

#include "operations_test.h"

namespace ontapnvme::pve {
namespace {

using catalogue::Mapping;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class FreeTest : public OperationsTest {
 protected:
  FreeTest() { Connect(); }
  Status Free(const std::string& name) { return operations.disks.Free(Name(name), Budget()); }
  // A disk that this node has activated.
  void AddActive(const std::string& name) {
    const Uuid uuid = world.AddDisk(name).uuid;
    node.disks.Remember(Name(name), uuid);
    ASSERT_TRUE(node.links.Point(name, DevicePath(uuid)).ok());
  }
  // Nothing was done to it, and nothing about it was forgotten.
  void ExpectUntouched(const std::string& name) {
    ASSERT_NE(world.Disk(name), nullptr);
    EXPECT_EQ(world.Disk(name)->mapping, Mapping::kHere);
    EXPECT_EQ(node.disks.Find(Name(name)), UuidOf(name));
    EXPECT_EQ(LinkOf(name), DevicePath(UuidOf(name)));
  }
};

TEST_F(FreeTest, DiskIsUnmappedRemovedAndForgotten) {
  AddActive("vm-100-disk-0");
  ASSERT_TRUE(Succeeds(Free("vm-100-disk-0")));
  EXPECT_TRUE(world.all().empty());
  EXPECT_FALSE(node.disks.Find(Name("vm-100-disk-0")).has_value());
  EXPECT_EQ(LinkOf("vm-100-disk-0"), "");
  EXPECT_THAT(world.TakeCalls(), ElementsAre("Find vm-100-disk-0", "Target",
                                             "Unmap disk/vm-100-disk-0", "Remove vm-100-disk-0"));
}

TEST_F(FreeTest, MissingDiskIsForgottenWithAWarning) {
  AddActive("vm-100-disk-0");
  world.Erase(UuidOf("vm-100-disk-0"));
  ASSERT_TRUE(Succeeds(Free("vm-100-disk-0")));
  EXPECT_THAT(TakeLines(LogLevel::kWarning), ElementsAre(HasSubstr("'vm-100-disk-0'")));
  EXPECT_FALSE(node.disks.Find(Name("vm-100-disk-0")).has_value());
  EXPECT_EQ(LinkOf("vm-100-disk-0"), "");
}

TEST_F(FreeTest, DiskOfAnotherOwnerIsNotThereAndStays) {
  world.AddForeign("vm-100-disk-0");
  EXPECT_TRUE(Succeeds(Free("vm-100-disk-0")));
  EXPECT_EQ(world.all().size(), 1U);
}

TEST_F(FreeTest, UnknownIsAnErrorAndNothingIsForgotten) {
  AddActive("vm-100-disk-0");
  world.FailNext("Find", Silence());
  const auto freed = Free("vm-100-disk-0");
  ASSERT_TRUE(FailedWith(freed, ErrorCode::kUnavailable));
  EXPECT_EQ(freed.error().sentence(), "cannot delete volume 'vm-100-disk-0'");
  ExpectUntouched("vm-100-disk-0");
  EXPECT_THAT(TakeLines(LogLevel::kWarning), IsEmpty());
}

TEST_F(FreeTest, DiskInUseIsRefused) {
  AddActive("vm-100-disk-0");
  Use(UuidOf("vm-100-disk-0"));
  const auto freed = Free("vm-100-disk-0");
  ASSERT_TRUE(FailedWith(freed, ErrorCode::kBusy));
  EXPECT_THAT(freed.error().reason(), HasSubstr("process 12 (kvm)"));
  ExpectUntouched("vm-100-disk-0");
}

TEST_F(FreeTest, DiskWhoseUseCannotBeToldIsRefused) {
  AddActive("vm-100-disk-0");
  elsewhere.insert(UuidOf("vm-100-disk-0"));
  const auto freed = Free("vm-100-disk-0");
  ASSERT_TRUE(FailedWith(freed, ErrorCode::kConflict));
  EXPECT_THAT(freed.error().reason(), HasSubstr("it is unknown whether this node uses it"));
  ExpectUntouched("vm-100-disk-0");
}

TEST_F(FreeTest, DiskThatAnotherSubsystemHasIsRefused) {
  AddActive("vm-100-disk-0");
  world.Disk("vm-100-disk-0")->mapping = catalogue::Mapping::kElsewhere;
  const auto freed = Free("vm-100-disk-0");
  ASSERT_TRUE(FailedWith(freed, ErrorCode::kConflict));
  EXPECT_EQ(freed.error().reason(), "it is mapped to another subsystem");
  EXPECT_EQ(world.Disk("vm-100-disk-0")->mapping, catalogue::Mapping::kElsewhere);
}

TEST_F(FreeTest, ProtectedDiskIsRefused) {
  AddActive("vm-100-disk-0");
  ASSERT_TRUE(array.disks()
                  .Annotate(Name("vm-100-disk-0"), {.notes = {}, .is_protected = true}, Budget())
                  .ok());
  const auto freed = Free("vm-100-disk-0");
  ASSERT_TRUE(FailedWith(freed, ErrorCode::kBusy));
  EXPECT_EQ(freed.error().reason(), "it is protected");
  ExpectUntouched("vm-100-disk-0");
}

TEST_F(FreeTest, BaseImageWithClonesIsRefusedBeforeItIsTouched) {
  AddActive("base-900-disk-0");
  world.AddSnapshot("base-900-disk-0", kBaseSnapshot, {});
  ASSERT_TRUE(operations.disk_making.Clone(Name("base-900-disk-0"), {}, 100, Budget()).ok());
  (void)world.TakeCalls();
  const auto freed = Free("base-900-disk-0");
  ASSERT_TRUE(FailedWith(freed, ErrorCode::kBusy));
  EXPECT_THAT(freed.error().Line(), HasSubstr("disk/vm-100-disk-0"));
  ExpectUntouched("base-900-disk-0");
  EXPECT_THAT(world.TakeCalls(), Not(Contains(HasSubstr("Unmap"))));
}

TEST_F(FreeTest, NameThatCannotBeForgottenKeepsItsDisk) {
  AddActive("vm-100-disk-0");
  std::filesystem::create_directory(folder / ("disks.tmp." + std::to_string(::getpid())));
  EXPECT_FALSE(Free("vm-100-disk-0").ok());
  EXPECT_EQ(world.Disk("vm-100-disk-0")->mapping, Mapping::kHere);
}

TEST_F(FreeTest, DiskThatCouldNotBeRemovedIsMappedAndRememberedAgain) {
  AddActive("vm-100-disk-0");
  world.FailNext("Remove", Error(ErrorCode::kPermissionDenied, "no right"));
  const auto freed = Free("vm-100-disk-0");
  ASSERT_TRUE(FailedWith(freed, ErrorCode::kPermissionDenied));
  EXPECT_EQ(freed.error().sentence(), "cannot delete volume 'vm-100-disk-0'");
  EXPECT_EQ(freed.error().Fact("left_unmapped"), "");
  EXPECT_EQ(world.Disk("vm-100-disk-0")->mapping, Mapping::kHere);
  EXPECT_EQ(node.disks.Find(Name("vm-100-disk-0")), UuidOf("vm-100-disk-0"));
}

TEST_F(FreeTest, DiskThatWasNotMappedBeforeIsNotMappedAfterAFailure) {
  AddActive("vm-100-disk-0");
  world.Disk("vm-100-disk-0")->mapping = Mapping::kNone;
  world.FailNext("Remove", Error(ErrorCode::kPermissionDenied, "no right"));
  EXPECT_FALSE(Free("vm-100-disk-0").ok());
  EXPECT_EQ(world.Disk("vm-100-disk-0")->mapping, Mapping::kNone);
}

TEST_F(FreeTest, DiskThatStaysUnmappedIsNamed) {
  AddActive("vm-100-disk-0");
  world.FailNext("Remove", Error(ErrorCode::kPermissionDenied, "no right"));
  world.FailNext("Map", Error(ErrorCode::kPermissionDenied, "no right"));
  EXPECT_EQ(Free("vm-100-disk-0").error().Fact("left_unmapped"), "disk/vm-100-disk-0");
}

TEST_F(FreeTest, DiskThatMayBeGoneIsNotMappedAgain) {
  AddActive("vm-100-disk-0");
  world.FailNext("Remove", Error(ErrorCode::kUnavailable, "answer lost").OutcomeUnknown());
  EXPECT_TRUE(FailedWith(Free("vm-100-disk-0"), ErrorCode::kUnavailable));
  EXPECT_THAT(world.TakeCalls(), Not(Contains(HasSubstr("Map disk"))));
  EXPECT_FALSE(node.disks.Find(Name("vm-100-disk-0")).has_value());
}

TEST_F(FreeTest, UndoingHasTimeWhenTheArrayIsTooSlow) {
  AddActive("vm-100-disk-0");
  const Deadline deadline = Budget(std::chrono::seconds(45));
  // Eight of them are kept for undoing.
  world.DuringNext("Remove", [&] { clock.Advance(std::chrono::seconds(37)); });
  EXPECT_TRUE(
      FailedWith(operations.disks.Free(Name("vm-100-disk-0"), deadline), ErrorCode::kTimedOut));
  EXPECT_EQ(world.Disk("vm-100-disk-0")->mapping, Mapping::kHere);
}

TEST_F(FreeTest, StoppedTaskUndoesWhatItBegan) {
  AddActive("vm-100-disk-0");
  world.DuringNext("Remove", [&] { interrupt.Raise(); });
  EXPECT_TRUE(FailedWith(Free("vm-100-disk-0"), ErrorCode::kInterrupted));
  EXPECT_EQ(world.Disk("vm-100-disk-0")->mapping, Mapping::kHere);
  EXPECT_EQ(node.disks.Find(Name("vm-100-disk-0")), UuidOf("vm-100-disk-0"));
}

TEST_F(FreeTest, DiskThatDeletedClonesHoldIsRemovedLater) {
  AddActive("vm-100-disk-0");
  world.Disk("vm-100-disk-0")->is_held_by_deleted = true;
  ASSERT_TRUE(Succeeds(Free("vm-100-disk-0")));
  EXPECT_EQ(world.Disk("vm-100-disk-0"), nullptr) << "out of sight";
  EXPECT_EQ(world.all().size(), 1U);
  EXPECT_THAT(TakeLines(LogLevel::kInfo), ElementsAre(HasSubstr("recovery queue")));
}

TEST_F(FreeTest, WhatThisNodeShowsOfItsSnapshotsDoesNotKeepADisk) {
  AddActive("vm-100-disk-0");
  world.AddSnapshot("vm-100-disk-0", "pve_snap_a", {});
  ASSERT_TRUE(Succeeds(
      operations.snapshot_devices.ActivateSnapshot(Name("vm-100-disk-0"), Snap("a"), Budget())));
  ASSERT_TRUE(Succeeds(Free("vm-100-disk-0")));
  EXPECT_TRUE(world.all().empty());
}

TEST_F(FreeTest, ClonesThatAreNoDevicesOfThisNodeKeepADisk) {
  AddActive("vm-100-disk-0");
  world.AddSnapshot("vm-100-disk-0", "pve_snap_a", {});
  ASSERT_TRUE(array.snapshots()
                  .MakeDevice({Name("vm-100-disk-0"), Snap("a"), "nqn.another-node"}, Budget())
                  .ok());
  const auto freed = Free("vm-100-disk-0");
  ASSERT_TRUE(FailedWith(freed, ErrorCode::kBusy));
  EXPECT_EQ(world.Disk("vm-100-disk-0")->mapping, Mapping::kHere) << "mapped again";
  EXPECT_EQ(world.all().size(), 2U);
}

TEST_F(FreeTest, HalfMadeVolumeIsRemoved) {
  world.AddHalfMade("vm-100-disk-0");
  ASSERT_TRUE(Succeeds(Free("vm-100-disk-0")));
  EXPECT_TRUE(world.all().empty());
}

TEST_F(FreeTest, SecondFreeSucceedsToo) {
  AddActive("vm-100-disk-0");
  world.FailNext("Remove", Error(ErrorCode::kUnavailable, "answer lost").OutcomeUnknown(),
                 fakes::PlainWorld::Effect::kDone);
  EXPECT_FALSE(Free("vm-100-disk-0").ok());
  EXPECT_TRUE(Succeeds(Free("vm-100-disk-0")));
  EXPECT_TRUE(world.all().empty());
}

// ---- listed and described

class ListTest : public OperationsTest {
 protected:
  std::vector<std::string> Listed(std::optional<std::uint64_t> vmid = {}) {
    const auto disks = operations.disks.List(vmid, Budget());
    EXPECT_TRUE(Succeeds(disks));
    std::vector<std::string> names;
    for (const auto& disk : *disks) names.push_back(disk.volume_name);
    return names;
  }
};

TEST_F(ListTest, WholeDisksOfOursAreListed) {
  world.AddDisk("vm-100-disk-0");
  world.AddDisk("base-900-disk-0/vm-101-disk-0");
  world.AddForeign("vm-100-disk-1");
  world.AddHalfMade("vm-100-disk-2");
  EXPECT_THAT(Listed(), ElementsAre("vm-100-disk-0", "base-900-disk-0/vm-101-disk-0"));
  EXPECT_THAT(Listed(100), ElementsAre("vm-100-disk-0"));
}

TEST_F(ListTest, ArrayThatDoesNotAnswerIsNoEmptyStorage) {
  world.silence = Silence();
  EXPECT_TRUE(FailedWith(operations.disks.List({}, Budget()), ErrorCode::kUnavailable));
  EXPECT_TRUE(FailedWith(operations.disks.RequireEmpty(Budget()), ErrorCode::kUnavailable));
}

TEST_F(ListTest, InfoTellsWhatIsKnownOfADisk) {
  world.AddDisk("base-900-disk-0/vm-100-disk-0", "four", GiB(2));
  ASSERT_TRUE(
      array.disks()
          .Annotate(Name("vm-100-disk-0"), {.notes = "a\nb", .is_protected = true}, Budget())
          .ok());
  const auto info = operations.disks.Info(Name("vm-100-disk-0"), Budget());
  ASSERT_TRUE(Succeeds(info));
  EXPECT_EQ(info->volume_name, "base-900-disk-0/vm-100-disk-0");
  EXPECT_EQ(info->vmid, 100U);
  EXPECT_EQ(info->size, GiB(2));
  EXPECT_EQ(info->used, ByteCount{4});
  EXPECT_EQ(info->create_time_s, 1'600'000'000);
  EXPECT_EQ(info->parent, "base-900-disk-0");
  EXPECT_EQ(info->notes, "a\nb");
  EXPECT_TRUE(info->is_protected);
}

TEST_F(ListTest, InfoOfWhatIsNoDiskIsNotFound) {
  EXPECT_TRUE(
      FailedWith(operations.disks.Info(Name("vm-100-disk-0"), Budget()), ErrorCode::kNotFound));
  world.AddHalfMade("vm-100-disk-0");
  EXPECT_TRUE(
      FailedWith(operations.disks.Info(Name("vm-100-disk-0"), Budget()), ErrorCode::kNotFound));
  world.FailNext("Find", Silence());
  EXPECT_TRUE(
      FailedWith(operations.disks.Info(Name("vm-100-disk-0"), Budget()), ErrorCode::kUnavailable));
}

TEST_F(ListTest, StorageWithDisksIsNotEmpty) {
  EXPECT_TRUE(Succeeds(operations.disks.RequireEmpty(Budget())));
  world.AddDisk("vm-100-disk-0");
  const auto required = operations.disks.RequireEmpty(Budget());
  ASSERT_TRUE(FailedWith(required, ErrorCode::kBusy));
  EXPECT_EQ(required.error().Fact("first"), "vm-100-disk-0");
}

TEST_F(ListTest, DisksNearTheirCeilingAreNamedOnceADay) {
  world.AddDisk("vm-100-disk-0");
  world.AddDisk("vm-100-disk-1");
  (void)Listed();
  EXPECT_THAT(TakeLines(LogLevel::kWarning), IsEmpty());
  world.Disk("vm-100-disk-0")->is_near_ceiling = true;
  (void)Listed();
  EXPECT_THAT(
      TakeLines(LogLevel::kWarning),
      ElementsAre(testing::AllOf(HasSubstr("vm-100-disk-0"), Not(HasSubstr("vm-100-disk-1")))));
  clock.Advance(std::chrono::hours(23));
  (void)Listed();
  EXPECT_THAT(TakeLines(LogLevel::kWarning), IsEmpty());
  clock.Advance(std::chrono::hours(1));
  (void)Listed();
  EXPECT_EQ(TakeLines(LogLevel::kWarning).size(), 1U);
}

TEST_F(FreeTest, DeletedDiskIsListedAndComesBack) {
  AddActive("vm-100-disk-0");
  const Uuid uuid = UuidOf("vm-100-disk-0");
  ASSERT_TRUE(Succeeds(Free("vm-100-disk-0")));
  const auto listed = operations.disks.ListDeleted(Budget());
  ASSERT_TRUE(Succeeds(listed));
  ASSERT_EQ(listed->size(), 1U);
  EXPECT_EQ(listed->front().volume_name, "vm-100-disk-0");
  EXPECT_EQ(listed->front().vmid, 100U);
  EXPECT_EQ(listed->front().deleted_at_s, 0) << "this array does not say";
  const auto back = operations.disks.Undelete(Name("vm-100-disk-0"), "", Budget());
  ASSERT_TRUE(Succeeds(back));
  EXPECT_EQ(*back, "vm-100-disk-0");
  EXPECT_EQ(node.disks.Find(Name("vm-100-disk-0")), uuid) << "the cluster knows it again";
}

TEST_F(FreeTest, NameThatMayBeAnotherDisksIsNotGivenAway) {
  AddActive("vm-100-disk-0");
  ASSERT_TRUE(Succeeds(Free("vm-100-disk-0")));
  (void)world.TakeCalls();
  world.FailNext("Find", Silence());
  EXPECT_FALSE(operations.disks.Undelete(Name("vm-100-disk-0"), "", Budget()).ok());
  EXPECT_THAT(world.TakeCalls(), ElementsAre("Find vm-100-disk-0"));
  world.AddDisk("vm-100-disk-0");
  EXPECT_TRUE(FailedWith(operations.disks.Undelete(Name("vm-100-disk-0"), "", Budget()),
                         ErrorCode::kAlreadyExists));
  EXPECT_EQ(world.all().size(), 1U);
}

}  // namespace
}  // namespace ontapnvme::pve
