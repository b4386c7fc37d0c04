// SPDX-License-Identifier: AGPL-3.0-or-later
// Deleted disks come back, or are left where they are: in the queue, or out of it under one name.
#include "catalogue/flexvol/undeleting.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/catalogue/flexvol/rig.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class UndeletingTest : public testing::Test {
 protected:
  // Made, written to, and deleted again.
  void MakeDeleted(const std::string& name = "vm-100-disk-0", const std::string& bytes = "old") {
    const auto disk = rig.Make(name);
    array.sim.store().Write(disk.ns->uuid.Text(), 0, bytes);
    Delete(name);
  }
  void Delete(const std::string& name) {
    const auto disk = rig.MustFind(name);
    ASSERT_TRUE(rig.disks().Unmap(*disk.ns, rig.Budget()).ok());
    ASSERT_TRUE(rig.disks().Remove(disk.volume, rig.Budget()).ok());
  }
  // Past the gate: whoever owns it.
  void DeleteStray(const std::string& flexvol) {
    const auto reply =
        array.sim.Ctl({{"cmd", "admin"},
                       {"method", "DELETE"},
                       {"target", "/api/storage/volumes/" + array.FindVolume(flexvol)->uuid}});
    ASSERT_TRUE(reply.at("ok").get<bool>()) << reply.dump();
  }
  Result<Disk> Undelete(const std::string& text = "vm-100-disk-0",
                        const std::string& queued_as = "") {
    const auto name = Rig::Name(text);
    const auto there = rig.disks().Find(name, rig.Budget());
    EXPECT_FALSE(there.is_unknown());
    const auto neighbours = rig.NeighboursOf(name);
    array.ClearLog();
    return rig.disks().Undelete(name, queued_as, there.is_present(), neighbours, rig.Budget());
  }
  std::vector<DeletedVolume> List() {
    const auto listed = rig.disks().ListDeleted(rig.Budget());
    EXPECT_TRUE(listed.ok()) << listed.error().Line();
    return listed.ok() ? *listed : std::vector<DeletedVolume>();
  }
  std::string Content(const std::string& flexvol) {
    const auto* ns = array.NamespaceIn(flexvol);
    std::string bytes = ns == nullptr ? "" : array.sim.store().Read(ns->uuid, 0, 16);
    return bytes.substr(0, bytes.find('\0'));
  }
  std::string Policy(const std::string& flexvol) {
    return array.world()
        .snapshot_policies.Find(array.FindVolume(flexvol)->snapshot_policy_uuid)
        ->name;
  }
  void ExpectBack() {
    const auto disk = rig.MustFind("vm-100-disk-0");
    EXPECT_EQ(disk.ns->mapping, Mapping::kHere);
    EXPECT_EQ(Content("t_vm_100_disk_0"), "old");
    EXPECT_EQ(Policy("t_vm_100_disk_0"), "none");
    EXPECT_THAT(array.MembersOf("t_pve_cg_vm_100"), Contains("t_vm_100_disk_0"));
    EXPECT_THAT(array.Orphans(), IsEmpty());
    EXPECT_THAT(List(), IsEmpty());
  }
  std::vector<std::string> Pending() {
    const auto survey = rig.backend().Look(array.clock.WallTime(), rig.Budget());
    EXPECT_TRUE(survey.ok());
    std::vector<std::string> lines;
    for (const auto& one : survey->left_overs) lines.push_back(one.description);
    return lines;
  }

  TestArray array;
  Rig rig{array};
};

TEST_F(UndeletingTest, DiskComesBackWithItsBytesItsMapAndItsGroup) {
  rig.Make("vm-100-disk-1");
  MakeDeleted();
  const auto back = Undelete();
  ASSERT_TRUE(back.ok()) << back.error().Line();
  EXPECT_EQ(back->volume.name.Text(), "vm-100-disk-0");
  EXPECT_EQ(back->ns->uuid.Text(), array.NamespaceIn("t_vm_100_disk_0")->uuid);
  ExpectBack();
  EXPECT_EQ(rig.TakeLog(), "");
  const auto again = Undelete();
  ASSERT_TRUE(again.ok()) << "it is there: " << again.error().Line();
}

// One array behaves so, another so.
class UndeletingOddlyTest
    : public UndeletingTest,
      public testing::WithParamInterface<std::pair<const char*, const char*>> {};
INSTANTIATE_TEST_SUITE_P(Arrays, UndeletingOddlyTest,
                         testing::Values(std::pair("offline_volume", "bare"),
                                         std::pair("recovered_namespace", "new_uuid"),
                                         std::pair("recovered_policy", "default"),
                                         std::pair("queue_fields", "names"),
                                         std::pair("late_listing_ms", "2000")),
                         [](const auto& tested) { return tested.param.first; });

TEST_P(UndeletingOddlyTest, DiskComesBack) {
  MakeDeleted();
  array.clock.Advance(std::chrono::minutes(1));
  array.Set(GetParam().first, GetParam().second);
  const auto back = Undelete();
  ASSERT_TRUE(back.ok()) << back.error().Line();
  array.clock.Advance(std::chrono::minutes(1));
  ExpectBack();
}

TEST_F(UndeletingTest, QueueIsListedByNamesOfThisStorage) {
  MakeDeleted();
  MakeDeleted("base-107-disk-3");
  array.MakeStray("other_vm_100_disk_0", "", true);
  DeleteStray("other_vm_100_disk_0");
  array.MakeStray("t_vm_books", "", true);
  DeleteStray("t_vm_books");
  auto listed = List();
  ASSERT_THAT(listed, SizeIs(2));
  EXPECT_EQ(listed[0].name.Text(), "vm-100-disk-0");
  EXPECT_THAT(listed[0].queued_as, testing::MatchesRegex("t_vm_100_disk_0_[0-9]+"));
  EXPECT_EQ(listed[1].name.Text(), "base-107-disk-3");
  ASSERT_TRUE(listed[0].deleted_at && listed[0].kept_until);
  EXPECT_EQ(*listed[0].kept_until - *listed[0].deleted_at, std::chrono::hours(12));
  array.Set("queue_fields", "names");
  listed = List();
  ASSERT_THAT(listed, SizeIs(2));
  EXPECT_FALSE(listed[0].deleted_at || listed[0].kept_until);
}

TEST_F(UndeletingTest, EmptyQueueOfAnSvmThatIsNotThereIsNoAnswer) {
  EXPECT_THAT(List(), IsEmpty());
  array.Set("svm_state", {{"svm1", "stopped"}});
  EXPECT_FALSE(rig.disks().ListDeleted(rig.Budget()).ok());
}

TEST_F(UndeletingTest, NameThatIsTakenAgainIsRefusedBeforeAnythingChanges) {
  MakeDeleted();
  rig.Make("vm-100-disk-0");
  const auto before = Picture(array);
  const auto refused = Undelete();
  ASSERT_TRUE(FailedWith(refused, ErrorCode::kAlreadyExists));
  EXPECT_THAT(refused.error().Line(), HasSubstr("qm disk reassign"));
  EXPECT_EQ(Picture(array), before);
  EXPECT_THAT(List(), SizeIs(1));
}

TEST_F(UndeletingTest, NameThatIsLostOnTheWayStaysWithTheOther) {
  MakeDeleted();
  array.clock.Advance(std::chrono::minutes(1));
  // Made by somebody else, and listed a moment too late.
  array.Set("late_listing_ms", "2000");
  array.MakeStray("t_vm_100_disk_0", MarkOf(kOtherCluster, "tank"));
  const auto refused = Undelete();
  ASSERT_TRUE(FailedWith(refused, ErrorCode::kAlreadyExists)) << refused.error().Line();
  array.clock.Advance(std::chrono::minutes(1));
  EXPECT_THAT(Pending(), Contains(HasSubstr("'ontapnvme undelete tank:vm-100-disk-0' again")));
  array.Remove("t_vm_100_disk_0");
  ASSERT_TRUE(Undelete().ok());
  ExpectBack();
}

TEST_F(UndeletingTest, OneOfSeveralHasToBeNamed) {
  MakeDeleted();
  MakeDeleted("vm-100-disk-0", "newer");
  const auto listed = List();
  ASSERT_THAT(listed, SizeIs(2));
  const auto before = Picture(array);
  const auto refused = Undelete();
  ASSERT_TRUE(FailedWith(refused, ErrorCode::kConflict));
  for (const auto& one : listed) EXPECT_THAT(refused.error().Line(), HasSubstr(one.queued_as));
  EXPECT_EQ(Picture(array), before);
  ASSERT_TRUE(Undelete("vm-100-disk-0", listed[0].queued_as).ok());
  EXPECT_EQ(Content("t_vm_100_disk_0"), "old");
  ASSERT_THAT(List(), SizeIs(1));
  EXPECT_EQ(List()[0].queued_as, listed[1].queued_as);
}

TEST_F(UndeletingTest, WhatIsNotInTheQueueIsNotFound) {
  EXPECT_TRUE(FailedWith(Undelete(), ErrorCode::kNotFound));
  MakeDeleted();
  EXPECT_TRUE(FailedWith(Undelete("vm-100-disk-0", "t_vm_100_disk_0_7"), ErrorCode::kNotFound));
}

TEST_F(UndeletingTest, NameOfTheQueueSaysNothingOfTheDiskThatIsThere) {
  rig.Make("vm-100-disk-0");
  const auto disk = Undelete("vm-100-disk-0", "t_vm_100_disk_0_4711");
  ASSERT_TRUE(FailedWith(disk, ErrorCode::kNotFound));
  EXPECT_THAT(disk.error().Line(), HasSubstr("without --queued-as"));
  for (const auto& request : array.Requests()) EXPECT_TRUE(request.starts_with("GET")) << request;
}

TEST_F(UndeletingTest, WhatIsNotOursIsLeftAloneUnderItsNameOfTheQueue) {
  struct Case {
    const char* what;
    std::string comment;
    bool has_namespace;
    const char* said;
  };
  Mark begun = Marker(RigOptions().cluster_id, "tank").New(100, "0011223344556677");
  const std::string ours = *begun.Text();
  begun.full_clone = FullClone::kBegun;
  const std::vector<Case> cases = {
      {"another cluster's", MarkOf(kOtherCluster, "tank"), true, "another cluster or storage"},
      {"another storage's", MarkOf(RigOptions().cluster_id, "other"), true, "another cluster"},
      {"unmarked", "", true, "does not carry this storage's mark"},
      {"unfinished", *begun.Text(), true, "never finished"},
      {"empty", ours, false, "holds no namespace"}};
  for (const auto& one : cases) {
    SCOPED_TRACE(one.what);
    array.MakeStray("t_vm_100_disk_0", one.comment, one.has_namespace);
    DeleteStray("t_vm_100_disk_0");
    const auto queued_as = List().at(0).queued_as;
    const auto refused = Undelete();
    ASSERT_FALSE(refused.ok());
    EXPECT_THAT(refused.error().Line(), HasSubstr(one.said));
    const auto* volume = array.FindVolume(queued_as);
    ASSERT_NE(volume, nullptr);
    EXPECT_EQ(volume->comment, one.comment);
    for (const auto* ns : array.world().NamespacesOf(volume->uuid)) {
      EXPECT_EQ(ns->subsystem_uuid, "");
    }
    EXPECT_EQ(array.FindVolume("t_vm_100_disk_0"), nullptr);
    array.Remove(queued_as);
  }
}

TEST_F(UndeletingTest, StoppedAnywhereItIsUnderOneNameAndGoesOn) {
  int points = 0;
  for (int nth = 1;; ++nth) {
    SCOPED_TRACE("stopped before request " + std::to_string(nth));
    TestArray other;
    Rig one(other);
    one.Make("vm-100-disk-0");
    const auto disk = one.MustFind("vm-100-disk-0");
    other.sim.store().Write(disk.ns->uuid.Text(), 0, "old");
    ASSERT_TRUE(one.disks().Unmap(*disk.ns, one.Budget()).ok());
    ASSERT_TRUE(one.disks().Remove(disk.volume, one.Budget()).ok());
    const auto name = Rig::Name("vm-100-disk-0");
    const auto undelete = [&] {
      const bool is_there = one.disks().Find(name, one.Budget()).is_present();
      return one.disks().Undelete(name, "", is_there, one.NeighboursOf(name), one.Budget());
    };
    other.DropFrom(nth + 6);  // the looks before it
    const auto stopped = undelete();
    const bool fired = other.FaultFired();
    other.ClearFaults();
    // Recovery comes by, an hour later, and deletes nothing of it.
    other.clock.Advance(std::chrono::hours(2));
    const auto survey = one.backend().Look(other.clock.WallTime(), one.Budget());
    ASSERT_TRUE(survey.ok());
    const auto queued =
        std::distance(other.world().recovery_queue.begin(), other.world().recovery_queue.end());
    EXPECT_EQ(static_cast<std::size_t>(queued) + other.VolumeNames().size(), 1U);
    const bool is_returning = queued == 0 && other.FindVolume("t_vm_100_disk_0") == nullptr;
    for (const auto& left_over : survey->left_overs) {
      const auto settled = one.backend().Settle(left_over, one.Budget());
      EXPECT_EQ(settled.ok(), !is_returning) << left_over.description;
    }
    if (queued == 1) EXPECT_THAT(survey->left_overs, IsEmpty());
    if (queued == 0 && !stopped.ok()) EXPECT_FALSE(survey->left_overs.empty()) << "it is told";
    EXPECT_EQ(
        std::distance(other.world().recovery_queue.begin(), other.world().recovery_queue.end()),
        queued);
    const auto again = undelete();
    ASSERT_TRUE(again.ok()) << again.error().Line();
    EXPECT_EQ(other.sim.store().Read(other.NamespaceIn("t_vm_100_disk_0")->uuid, 0, 3), "old");
    EXPECT_THAT(other.Orphans(), IsEmpty());
    if (!fired) break;
    ++points;
  }
  EXPECT_GE(points, 7);
}

TEST_F(UndeletingTest, RamOfASnapshotIsNotTakenForAnotherThatComesBack) {
  rig.Make("vm-100-state-s_12");
  MakeDeleted("vm-100-state-s");
  ASSERT_TRUE(Undelete("vm-100-state-s").ok());
  EXPECT_NE(array.FindVolume("t_vm_100_state_s_12"), nullptr);
  EXPECT_EQ(Content("t_vm_100_state_s"), "old");
}

TEST_F(UndeletingTest, AccountWithoutTheRightIsToldTheLine) {
  MakeDeleted();
  array.Set("permissions", {{"admin", {"GET /api/private/cli/volume/recovery-queue"}}});
  const std::string line =
      "security login rest-role create -vserver CLUSTER -role ROLE -access all -api "
      "/api/private/cli/volume/recovery-queue";
  const auto listed = rig.disks().ListDeleted(rig.Budget());
  ASSERT_TRUE(FailedWith(listed, ErrorCode::kPermissionDenied));
  EXPECT_THAT(listed.error().Line(), HasSubstr(line));
  EXPECT_THAT(Undelete().error().Line(), HasSubstr(line));
  array.Set("permissions", {{"admin", {"POST /api/private/cli/volume/recovery-queue/recover"}}});
  EXPECT_THAT(Undelete().error().Line(), HasSubstr(line));
  EXPECT_THAT(List(), SizeIs(1));
}

}  // namespace
}  // namespace ontapnvme::catalogue::flexvol
