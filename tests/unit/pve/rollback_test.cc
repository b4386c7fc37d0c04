// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/rollback.h"

#include "operations_test.h"

namespace ontapnvme::pve {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class RollbackTest : public OperationsTest {
 protected:
  RollbackTest() {
    Connect();
    for (const char* name : {"vm-100-disk-0", "vm-100-disk-1"}) {
      world.AddDisk(name, "then");
      world.AddSnapshot(name, "pve_snap_a", At(10));
      world.Disk(name)->content = "now";
    }
  }
  static std::chrono::sys_seconds At(int second) {
    return std::chrono::sys_seconds(seconds(second));
  }
  Status Rollback(const std::string& name) {
    return operations.rollbacks.Rollback(Name(name), Snap("a"), Budget());
  }
  std::vector<std::string> Blockers(const std::string& name) {
    const auto blockers = operations.rollbacks.RollbackBlockers(Name(name), Snap("a"), Budget());
    EXPECT_TRUE(Succeeds(blockers));
    return blockers.ok() ? *blockers : std::vector<std::string>{};
  }
  void RefuseToOverwrite() {
    world.can_overwrite = false;
    world.is_refusal_known = true;
  }
  std::string Content(const std::string& name) { return world.Disk(name)->content; }
};

// ---- where each disk is for itself

TEST_F(RollbackTest, OnlyTheDiskThatIsAskedForGoesBack) {
  ASSERT_TRUE(Succeeds(Rollback("vm-100-disk-0")));
  EXPECT_EQ(Content("vm-100-disk-0"), "then");
  EXPECT_EQ(Content("vm-100-disk-1"), "now");
}

TEST_F(RollbackTest, EachRollbackOfADiskIsOne) {
  ASSERT_TRUE(Succeeds(Rollback("vm-100-disk-0")));
  world.Disk("vm-100-disk-0")->content = "later";
  ASSERT_TRUE(Succeeds(Rollback("vm-100-disk-0")));
  EXPECT_EQ(Content("vm-100-disk-0"), "then");
}

TEST_F(RollbackTest, QuestionsAndRollbackNeedOneReadingPerDisk) {
  EXPECT_THAT(Blockers("vm-100-disk-0"), IsEmpty());
  EXPECT_THAT(Blockers("vm-100-disk-1"), IsEmpty());
  ASSERT_TRUE(Succeeds(Rollback("vm-100-disk-0")));
  ASSERT_TRUE(Succeeds(Rollback("vm-100-disk-1")));
  EXPECT_EQ(Content("vm-100-disk-1"), "then");
  EXPECT_THAT(world.TakeCalls(),
              ElementsAre("ReadHistory vm-100-disk-0", "ReadDiskHistory vm-100-disk-1", "Target",
                          "RestoreDisk vm-100-disk-0@a", "Target", "RestoreDisk vm-100-disk-1@a"));
}

TEST_F(RollbackTest, NewerSnapshotsBlockAndAreNamedWhereDisksCannotBeOverwritten) {
  RefuseToOverwrite();
  world.AddSnapshot("vm-100-disk-0", "hourly.0", At(11));
  world.AddSnapshot("vm-100-disk-0", "pve_snap_b", At(12));
  EXPECT_THAT(Blockers("vm-100-disk-0"), ElementsAre("hourly.0", "b"));
  const auto rolled_back = Rollback("vm-100-disk-0");
  ASSERT_TRUE(FailedWith(rolled_back, ErrorCode::kBusy));
  EXPECT_THAT(rolled_back.error().reason(), HasSubstr("'hourly.0', 'b'"));
  EXPECT_EQ(Content("vm-100-disk-0"), "now");
}

// Deleting them first is no way, and the VM need not be stopped to find out.
TEST_F(RollbackTest, SnapshotThatTheArrayHasLockedIsNamedBeforeTheVmIsStopped) {
  RefuseToOverwrite();
  world.AddSnapshot("vm-100-disk-0", "Anti_ransomware_periodic_backup.1", At(11));
  world.Disk("vm-100-disk-0")->snapshots.back().record.is_locked_by_array = true;
  const auto asked =
      operations.rollbacks.RollbackBlockers(Name("vm-100-disk-0"), Snap("a"), Budget());
  const auto rolled_back = Rollback("vm-100-disk-0");
  for (const Error& error : {asked.error(), rolled_back.error()}) {
    EXPECT_EQ(error.code(), ErrorCode::kBusy);
    EXPECT_THAT(error.Line(), HasSubstr("'Anti_ransomware_periodic_backup.1'"));
    EXPECT_THAT(error.Line(), HasSubstr("12 hours"));
    EXPECT_THAT(error.Line(), Not(HasSubstr("delete them first")));
  }
  EXPECT_EQ(Content("vm-100-disk-0"), "now");
}

TEST_F(RollbackTest, SnapshotOfTheSameSecondBlocks) {
  RefuseToOverwrite();
  world.AddSnapshot("vm-100-disk-0", "pve_snap_b", At(10));
  EXPECT_THAT(Blockers("vm-100-disk-0"), ElementsAre("b"));
}

TEST_F(RollbackTest, DiskWithoutThatSnapshotIsNamed) {
  world.AddDisk("vm-100-disk-2");
  const auto rolled_back = Rollback("vm-100-disk-2");
  ASSERT_TRUE(FailedWith(rolled_back, ErrorCode::kNotFound));
  EXPECT_THAT(rolled_back.error().sentence(), HasSubstr("'vm-100-disk-2' has no snapshot 'a'"));
  EXPECT_TRUE(FailedWith(Rollback("vm-100-disk-9"), ErrorCode::kNotFound));
}

TEST_F(RollbackTest, DiskInUseDoesNotGoBack) {
  Use(UuidOf("vm-100-disk-0"));
  EXPECT_TRUE(FailedWith(Rollback("vm-100-disk-0"), ErrorCode::kBusy));
  elsewhere.insert(UuidOf("vm-100-disk-1"));
  EXPECT_TRUE(FailedWith(Rollback("vm-100-disk-1"), ErrorCode::kConflict)) << "unknown is in use";
  EXPECT_EQ(Content("vm-100-disk-0"), "now");
  EXPECT_EQ(Content("vm-100-disk-1"), "now");
}

TEST_F(RollbackTest, CacheOfTheNodeIsDroppedBeforeAndAfter) {
  ASSERT_TRUE(Succeeds(Rollback("vm-100-disk-0")));
  EXPECT_EQ(host.flushed[DevicePath(UuidOf("vm-100-disk-0"))], 2);
  world.FailNext("RestoreDisk", Silence());
  EXPECT_FALSE(Rollback("vm-100-disk-1").ok());
  EXPECT_EQ(host.flushed[DevicePath(UuidOf("vm-100-disk-1"))], 2) << "also after a failure";
}

TEST_F(RollbackTest, SnapshotTakenSinceTheReadingIsNotLost) {
  RefuseToOverwrite();
  EXPECT_THAT(Blockers("vm-100-disk-0"), IsEmpty());
  world.AddSnapshot("vm-100-disk-0", "hourly.0", At(11));
  clock.Advance(seconds(31));
  EXPECT_TRUE(FailedWith(Rollback("vm-100-disk-0"), ErrorCode::kBusy));
  EXPECT_EQ(Content("vm-100-disk-0"), "now");
}

TEST_F(RollbackTest, WhatWasReadIsForgottenWithTheVm) {
  RefuseToOverwrite();
  EXPECT_THAT(Blockers("vm-100-disk-0"), IsEmpty());
  world.AddSnapshot("vm-100-disk-0", "pve_snap_b", At(12));
  operations.rollbacks.Forget(101);
  EXPECT_THAT(Blockers("vm-100-disk-0"), IsEmpty()) << "of another VM";
  operations.rollbacks.Forget(100);
  EXPECT_THAT(Blockers("vm-100-disk-0"), ElementsAre("b"));
}

TEST_F(RollbackTest, FailedRollbackIsReadAnewAndRepeated) {
  world.FailNext("RestoreDisk", Error(ErrorCode::kUnavailable, "answer lost").OutcomeUnknown());
  const auto rolled_back = Rollback("vm-100-disk-0");
  ASSERT_TRUE(FailedWith(rolled_back, ErrorCode::kUnavailable));
  EXPECT_EQ(rolled_back.error().sentence(),
            "cannot roll back volume 'vm-100-disk-0' to snapshot 'a'");
  EXPECT_THAT(rolled_back.error().Line(), HasSubstr("roll back again"));
  (void)world.TakeCalls();
  ASSERT_TRUE(Succeeds(Rollback("vm-100-disk-0")));
  EXPECT_THAT(world.TakeCalls(), Contains("ReadHistory vm-100-disk-0"));
  EXPECT_EQ(Content("vm-100-disk-0"), "then");
}

// ---- past newer snapshots

class NewerSnapshotsTest : public RollbackTest {
 protected:
  NewerSnapshotsTest() {
    for (const char* name : {"vm-100-disk-0", "vm-100-disk-1"}) {
      world.AddSnapshot(name, "hourly.0", At(11));
      world.AddSnapshot(name, "pve_snap_b", At(12));
    }
  }
  void AskAboutBoth() {
    EXPECT_THAT(Blockers("vm-100-disk-0"), IsEmpty());
    EXPECT_THAT(Blockers("vm-100-disk-1"), IsEmpty());
  }
};

TEST_F(NewerSnapshotsTest, AllDisksThatWereAskedForGoBackAndKeepThem) {
  AskAboutBoth();
  ASSERT_TRUE(Succeeds(Rollback("vm-100-disk-0")));
  EXPECT_EQ(Content("vm-100-disk-1"), "then");
  world.Disk("vm-100-disk-1")->content = "written since";
  ASSERT_TRUE(Succeeds(Rollback("vm-100-disk-1")));
  EXPECT_EQ(Content("vm-100-disk-1"), "written since") << "it had gone back already";
  for (const char* name : {"vm-100-disk-0", "vm-100-disk-1"}) {
    EXPECT_THAT(world.SnapshotsOf(name), ElementsAre("pve_snap_a", "hourly.0", "pve_snap_b"));
  }
}

TEST_F(NewerSnapshotsTest, ADiskThatNobodyAskedForStays) {
  ASSERT_TRUE(Succeeds(Rollback("vm-100-disk-0")));
  EXPECT_EQ(Content("vm-100-disk-0"), "then");
  EXPECT_EQ(Content("vm-100-disk-1"), "now");
}

TEST_F(NewerSnapshotsTest, LockedOnesAreInNobodysWay) {
  world.Disk("vm-100-disk-0")->snapshots.back().record.is_locked_by_array = true;
  EXPECT_THAT(Blockers("vm-100-disk-0"), IsEmpty());
  ASSERT_TRUE(Succeeds(Rollback("vm-100-disk-0")));
  EXPECT_EQ(Content("vm-100-disk-0"), "then");
}

TEST_F(NewerSnapshotsTest, AnyDiskInUseKeepsAllOfThem) {
  AskAboutBoth();
  Use(UuidOf("vm-100-disk-1"));
  const auto rolled_back = Rollback("vm-100-disk-0");
  ASSERT_TRUE(FailedWith(rolled_back, ErrorCode::kBusy));
  EXPECT_THAT(rolled_back.error().Line(), HasSubstr("'vm-100-disk-1'"));
  EXPECT_EQ(Content("vm-100-disk-0"), "now");
  EXPECT_EQ(Content("vm-100-disk-1"), "now");
}

TEST_F(NewerSnapshotsTest, CacheOfTheNodeIsDroppedBeforeAndAfter) {
  AskAboutBoth();
  world.FailNext("Overwrite", Silence());
  EXPECT_FALSE(Rollback("vm-100-disk-0").ok());
  for (const char* name : {"vm-100-disk-0", "vm-100-disk-1"}) {
    EXPECT_EQ(host.flushed[DevicePath(UuidOf(name))], 2) << name << ", also after a failure";
  }
}

TEST_F(NewerSnapshotsTest, FailureSaysWhichDisksHaveGoneBackAndARepeatFinishesIt) {
  AskAboutBoth();
  world.FailNext("Overwrite", Silence());
  const auto rolled_back = Rollback("vm-100-disk-0");
  ASSERT_FALSE(rolled_back.ok());
  EXPECT_THAT(rolled_back.error().Line(), HasSubstr("rolled_back=vm-100-disk-1"));
  EXPECT_THAT(rolled_back.error().Line(), HasSubstr("not_rolled_back=vm-100-disk-0"));
  EXPECT_THAT(rolled_back.error().Line(),
              HasSubstr("'qm unlock' it if need be and roll back again"));
  EXPECT_EQ(Content("vm-100-disk-0"), "now");
  EXPECT_EQ(Content("vm-100-disk-1"), "then");
  AskAboutBoth();
  ASSERT_TRUE(Succeeds(Rollback("vm-100-disk-0")));
  EXPECT_EQ(Content("vm-100-disk-0"), "then");
}

TEST_F(NewerSnapshotsTest, ADiskOfWhichNothingIsKnownIsNamedBesideAFailureThatIsKnown) {
  AskAboutBoth();
  world.FailNext("Overwrite", Error(ErrorCode::kNoSpace, "no room"));
  world.FailNext("Overwrite", Silence().OutcomeUnknown(), fakes::PlainWorld::Effect::kDone);
  const auto rolled_back = Rollback("vm-100-disk-0");
  ASSERT_FALSE(rolled_back.ok());
  EXPECT_TRUE(rolled_back.error().outcome_unknown());
  EXPECT_EQ(rolled_back.error().Fact("not_rolled_back"), "vm-100-disk-0");
  EXPECT_EQ(rolled_back.error().Fact("perhaps_rolled_back"), "vm-100-disk-1");
  EXPECT_THAT(rolled_back.error().Line(), HasSubstr("roll back again"));
}

// One needs it, and the array does not do it: the other has not gone back either.
TEST_F(RollbackTest, RefusalKeepsTheDisksWithoutNewerSnapshotsToo) {
  world.AddSnapshot("vm-100-disk-1", "hourly.0", At(11));
  world.can_overwrite = false;
  EXPECT_THAT(Blockers("vm-100-disk-0"), IsEmpty());
  EXPECT_THAT(Blockers("vm-100-disk-1"), IsEmpty());
  for (const char* name : {"vm-100-disk-0", "vm-100-disk-1"}) {
    EXPECT_TRUE(FailedWith(Rollback(name), ErrorCode::kBusy));
  }
  for (const char* name : {"vm-100-disk-0", "vm-100-disk-1"}) EXPECT_EQ(Content(name), "now");
}

TEST_F(NewerSnapshotsTest, ADiskThatIsBackMayGoBack) {
  AskAboutBoth();
  ASSERT_TRUE(Succeeds(Rollback("vm-100-disk-0")));
  clock.Advance(seconds(40));
  world.silence = Silence();
  EXPECT_THAT(Blockers("vm-100-disk-1"), IsEmpty());
  EXPECT_TRUE(Succeeds(Rollback("vm-100-disk-1")));
}

TEST_F(NewerSnapshotsTest, LaterFailureNamesTheDisksThatAreBack) {
  (void)Blockers("vm-100-disk-0");
  ASSERT_TRUE(Succeeds(Rollback("vm-100-disk-0")));
  (void)Blockers("vm-100-disk-1");
  world.FailNext("Overwrite", Error(ErrorCode::kNoSpace, "no room"));
  const auto rolled_back = Rollback("vm-100-disk-1");
  ASSERT_FALSE(rolled_back.ok());
  EXPECT_EQ(rolled_back.error().Fact("rolled_back_before"), "vm-100-disk-0");
  EXPECT_THAT(rolled_back.error().Line(), HasSubstr("roll back again"));
}

TEST_F(RollbackTest, SnapshotThatComesInBetweenIsKept) {
  EXPECT_THAT(Blockers("vm-100-disk-0"), IsEmpty());
  Error held(ErrorCode::kConflict, "a newer snapshot is locked");
  world.FailNext("RestoreDisk", std::move(held).From({.refusal = Refusal::kNewerHeld}));
  world.DuringNext("RestoreDisk",
                   [&] { world.AddSnapshot("vm-100-disk-0", "Anti_ransomware.1", At(99)); });
  ASSERT_TRUE(Succeeds(Rollback("vm-100-disk-0")));
  EXPECT_EQ(Content("vm-100-disk-0"), "then");
  EXPECT_THAT(world.SnapshotsOf("vm-100-disk-0"), Contains("Anti_ransomware.1"));
}

TEST_F(NewerSnapshotsTest, RefusalNamesThemAndTheNextQuestionKnowsIt) {
  world.can_overwrite = false;
  AskAboutBoth();
  const auto rolled_back = Rollback("vm-100-disk-0");
  ASSERT_TRUE(FailedWith(rolled_back, ErrorCode::kBusy));
  EXPECT_THAT(rolled_back.error().Line(), HasSubstr("'hourly.0', 'b'"));
  EXPECT_THAT(rolled_back.error().Line(), HasSubstr("delete them first"));
  EXPECT_THAT(rolled_back.error().Line(), HasSubstr("cannot overwrite a disk in place"));
  EXPECT_THAT(Blockers("vm-100-disk-0"), ElementsAre("hourly.0", "b"));
  EXPECT_EQ(Content("vm-100-disk-0"), "now");
}

// ---- where the disks of a VM go together

class GroupRollbackTest : public RollbackTest {
 protected:
  GroupRollbackTest() { world.has_groups = true; }
};

TEST_F(GroupRollbackTest, GroupGoesBackOnceWhenAllOfItIsAskedFor) {
  EXPECT_THAT(Blockers("vm-100-disk-0"), IsEmpty());
  EXPECT_THAT(Blockers("vm-100-disk-1"), IsEmpty());
  ASSERT_TRUE(Succeeds(Rollback("vm-100-disk-0")));
  EXPECT_EQ(Content("vm-100-disk-1"), "then");
  world.Disk("vm-100-disk-1")->content = "written since";
  ASSERT_TRUE(Succeeds(Rollback("vm-100-disk-1")));
  EXPECT_EQ(Content("vm-100-disk-1"), "written since") << "it had gone back already";
  EXPECT_THAT(world.TakeCalls(),
              ElementsAre("ReadHistory vm-100-disk-0", "Target", "Target", "RestoreGroup a"));
}

TEST_F(GroupRollbackTest, SecondRollbackOfADiskIsANewOne) {
  (void)Blockers("vm-100-disk-0");
  (void)Blockers("vm-100-disk-1");
  ASSERT_TRUE(Succeeds(Rollback("vm-100-disk-0")));
  ASSERT_TRUE(Succeeds(Rollback("vm-100-disk-1")));
  world.Disk("vm-100-disk-1")->content = "later";
  ASSERT_TRUE(Succeeds(Rollback("vm-100-disk-1")));
  EXPECT_EQ(Content("vm-100-disk-1"), "then");
}

TEST_F(GroupRollbackTest, UnusedDiskOfTheGroupDoesNotGoBack) {
  EXPECT_THAT(Blockers("vm-100-disk-0"), IsEmpty());
  ASSERT_TRUE(Succeeds(Rollback("vm-100-disk-0")));
  EXPECT_EQ(Content("vm-100-disk-0"), "then");
  EXPECT_EQ(Content("vm-100-disk-1"), "now");
  EXPECT_THAT(world.TakeCalls(), Not(Contains(HasSubstr("RestoreGroup"))));
}

TEST_F(GroupRollbackTest, DisksAreAskedForWithinFiveMinutes) {
  (void)Blockers("vm-100-disk-0");
  (void)Blockers("vm-100-disk-1");
  clock.Advance(minutes(6));
  ASSERT_TRUE(Succeeds(Rollback("vm-100-disk-0")));
  EXPECT_EQ(Content("vm-100-disk-1"), "now") << "an older question is another rollback's";
}

TEST_F(GroupRollbackTest, AnyDiskInUseKeepsAllOfThem) {
  (void)Blockers("vm-100-disk-0");
  (void)Blockers("vm-100-disk-1");
  Use(UuidOf("vm-100-disk-1"));
  EXPECT_TRUE(FailedWith(Rollback("vm-100-disk-0"), ErrorCode::kBusy));
  EXPECT_EQ(Content("vm-100-disk-0"), "now");
}

TEST_F(GroupRollbackTest, FailureSaysThatDisksMayHaveGoneBack) {
  (void)Blockers("vm-100-disk-0");
  (void)Blockers("vm-100-disk-1");
  world.FailNext("RestoreGroup", Silence(), fakes::PlainWorld::Effect::kDone);
  const auto rolled_back = Rollback("vm-100-disk-0");
  ASSERT_FALSE(rolled_back.ok());
  EXPECT_THAT(rolled_back.error().Line(), HasSubstr("roll back again"));
  EXPECT_TRUE(Succeeds(Rollback("vm-100-disk-0")));
  EXPECT_EQ(Content("vm-100-disk-0"), "then");
}

}  // namespace
}  // namespace ontapnvme::pve
