// SPDX-License-Identifier: AGPL-3.0-or-later
// Going back past newer snapshots.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "catalogue/flexvol/names/copy_name.h"
#include "catalogue/flexvol/restoring.h"
#include "unit/catalogue/flexvol/rig.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class InPlaceTest : public testing::Test {
 protected:
  InPlaceTest() {
    for (const char* name : kNames) rig.Make(name);
    Write("one");
    Take("s1");
    Write("two");
    Take("s2");
    Write("now");
    array.clock.Advance(std::chrono::minutes(1));
    array.ClearLog();
  }
  void Write(const std::string& bytes) {
    for (const char* flexvol : kFlexVols) {
      array.sim.store().Write(array.NamespaceIn(flexvol)->uuid, 0, bytes);
    }
  }
  void Take(const std::string& snapshot) {
    for (const char* name : {"vm-100-disk-0", "vm-100-cloudinit"}) {
      EXPECT_TRUE(rig.snapshots()
                      .Take(Rig::Name(name), Rig::Snap(snapshot), NewOperationId(), rig.Budget())
                      .ok());
    }
  }
  std::string Content(const std::string& flexvol) {
    return array.sim.store().Read(Live(flexvol)->uuid, 0, 3);
  }
  std::vector<std::string> Contents() {
    std::vector<std::string> contents;
    for (const char* flexvol : kFlexVols) contents.push_back(Content(flexvol));
    return contents;
  }
  // By the name that the disk's namespace was made with.
  sim::NvmeNamespace* Live(const std::string& flexvol) {
    return array.world().FindNamespace(array.FindVolume(flexvol)->svm_uuid,
                                       "/vol/" + flexvol + "/" + flexvol);
  }
  std::vector<std::string> CopiesIn(const std::string& flexvol) {
    std::vector<std::string> names;
    for (const auto* ns : array.world().NamespacesOf(array.FindVolume(flexvol)->uuid)) {
      if (ns->base_name != flexvol) names.push_back(ns->base_name);
    }
    return names;
  }
  std::size_t CountCopies() {
    std::size_t count = 0;
    for (const char* flexvol : kFlexVols) count += CopiesIn(flexvol).size();
    return count;
  }
  std::vector<DiskHistory> Histories(const std::vector<std::string>& names) {
    std::vector<DiskHistory> disks;
    for (const auto& name : names) {
      auto history = rig.snapshots().ReadDiskHistory(Rig::Name(name), rig.Budget());
      EXPECT_TRUE(history.ok()) << history.error().Line();
      if (history.ok()) disks.push_back(std::move(*history));
    }
    return disks;
  }
  static Status Agree(const VolumeName&, const DiskNamespace&) { return {}; }
  Overwritten Overwrite(const std::string& snapshot,
                        const std::vector<std::string>& names = {kNames, kNames + 3}) {
    return rig.snapshots().OverwriteDisks(Histories(names), Rig::Snap(snapshot), Agree,
                                          rig.Budget());
  }
  std::vector<std::string> LeftOvers() {
    const auto survey = rig.backend().Look(array.clock.WallTime(), rig.Budget());
    EXPECT_TRUE(survey.ok());
    std::vector<std::string> lines;
    if (!survey.ok()) return lines;
    for (const auto& one : survey->left_overs) lines.push_back(one.description);
    return lines;
  }
  void SettleAll() {
    const auto survey = rig.backend().Look(array.clock.WallTime(), rig.Budget());
    ASSERT_TRUE(survey.ok());
    for (const auto& one : survey->left_overs) {
      EXPECT_TRUE(rig.backend().Settle(one, rig.Budget()).ok()) << one.description;
    }
  }

  static constexpr const char* kNames[] = {"vm-100-disk-0", "vm-100-disk-1", "vm-100-cloudinit"};
  static constexpr const char* kFlexVols[] = {"t_vm_100_disk_0", "t_vm_100_disk_1",
                                              "t_vm_100_cloudinit"};
  TestArray array;
  Rig rig{array};
};

TEST_F(InPlaceTest, DisksGoBackAndForthAndKeepEverySnapshot) {
  const auto disks = Histories({kNames, kNames + 3});
  const auto before = *Live("t_vm_100_disk_0");
  array.ClearLog();
  const auto back = rig.snapshots().OverwriteDisks(disks, Rig::Snap("s1"), Agree, rig.Budget());
  ASSERT_FALSE(back.failure) << back.failure->Line();
  EXPECT_THAT(back.disks, SizeIs(3));
  EXPECT_EQ(array.Count(), 4 * 3);
  EXPECT_THAT(Contents(), ElementsAre("one", "one", "one"));
  EXPECT_FALSE(Overwrite("s2").failure);
  EXPECT_THAT(Contents(), ElementsAre("two", "two", "two"));
  EXPECT_THAT(array.SnapshotsOf("t_vm_100_disk_1"), ElementsAre("pve_snap_s1", "pve_snap_s2"));
  EXPECT_EQ(CountCopies(), 0U);
  const auto& after = *Live("t_vm_100_disk_0");
  EXPECT_EQ(after.uuid, before.uuid);
  EXPECT_EQ(after.nsid, before.nsid);
  EXPECT_EQ(after.subsystem_uuid, before.subsystem_uuid);
  EXPECT_THAT(array.Orphans(), IsEmpty());
}

TEST_F(InPlaceTest, TheSizeIsThatOfTheSnapshot) {
  const auto disk = rig.MustFind("vm-100-disk-0");
  ASSERT_TRUE(rig.disks().Grow(disk, MiB(8), rig.Budget()).ok());
  ASSERT_EQ(rig.MustFind("vm-100-disk-0").ns->size, MiB(8));
  EXPECT_FALSE(Overwrite("s1", {"vm-100-disk-0"}).failure);
  EXPECT_EQ(rig.MustFind("vm-100-disk-0").ns->size, MiB(4));
}

TEST_F(InPlaceTest, NothingChangesUnlessTheCallerAgreesToEachDisk) {
  const auto disks = Histories({kNames, kNames + 3});
  array.ClearLog();
  std::vector<std::string> asked;
  const auto done = rig.snapshots().OverwriteDisks(
      disks, Rig::Snap("s1"),
      [&](const VolumeName& name, const DiskNamespace& ns) -> Status {
        asked.push_back(name.Text());
        EXPECT_FALSE(ns.uuid == Uuid());
        if (asked.size() < 3) return {};
        return Error(ErrorCode::kBusy, "it is in use");
      },
      rig.Budget());
  ASSERT_TRUE(done.failure);
  EXPECT_EQ(done.failure->code(), ErrorCode::kBusy);
  EXPECT_THAT(asked, SizeIs(3));
  for (const auto& line : array.Requests()) EXPECT_TRUE(line.starts_with("GET")) << line;
}

TEST_F(InPlaceTest, WhatMayNotBeMappedIsUnmappedForTheMoment) {
  array.Set("namespace_overwrite", "refuse_mapped");
  const auto done = Overwrite("s1");
  ASSERT_FALSE(done.failure) << done.failure->Line();
  EXPECT_THAT(Contents(), ElementsAre("one", "one", "one"));
  EXPECT_THAT(array.Orphans(), IsEmpty());
  EXPECT_TRUE(rig.snapshots().CanOverwrite());
}

class RefusedTest : public InPlaceTest,
                    public testing::WithParamInterface<std::pair<const char*, const char*>> {};

TEST_P(RefusedTest, NothingChangesAndTheNodeRemembersIt) {
  array.Set(GetParam().first, GetParam().second);
  EXPECT_TRUE(rig.snapshots().CanOverwrite());
  const auto done = Overwrite("s1");
  ASSERT_TRUE(done.failure);
  EXPECT_TRUE(done.is_refused) << done.failure->Line();
  EXPECT_THAT(done.disks, IsEmpty());
  EXPECT_THAT(Contents(), ElementsAre("now", "now", "now"));
  EXPECT_THAT(array.Orphans(), IsEmpty());
  EXPECT_FALSE(rig.snapshots().CanOverwrite());
  rig.Restart();
  EXPECT_FALSE(rig.snapshots().CanOverwrite()) << "another process of the node";
  array.clock.Advance(std::chrono::minutes(61));
  ASSERT_TRUE(rig.backend().RefreshTarget(RigOptions().host_nqn, rig.Budget()).ok());
  EXPECT_TRUE(rig.snapshots().CanOverwrite()) << "another release may do it";
}

INSTANTIATE_TEST_SUITE_P(Each, RefusedTest,
                         testing::Values(std::pair("namespace_overwrite", "refuse"),
                                         std::pair("clone_from_snapshot", "refuse")));

TEST_F(InPlaceTest, WhatIsMissingInOneSnapshotSaysNothingOfOthers) {
  array.Set("clone_from_snapshot", "hide");
  const auto done = Overwrite("s1");
  EXPECT_TRUE(done.is_refused);
  EXPECT_THAT(Contents(), ElementsAre("now", "now", "now"));
  EXPECT_TRUE(rig.snapshots().CanOverwrite());
}

// It may work a moment later: nobody is to delete a snapshot for it.
TEST_F(InPlaceTest, AnArrayThatFailsHasNotRefused) {
  for (const char* method : {"POST", "PATCH"}) {
    array.AddFault({{"method", method},
                    {"path", "storage/namespaces"},
                    {"times", -1},
                    {"status", 500},
                    {"code", 4711}});
    const auto done = Overwrite("s1");
    ASSERT_TRUE(done.failure);
    EXPECT_FALSE(done.is_refused) << done.failure->Line();
    EXPECT_TRUE(rig.snapshots().CanOverwrite());
    array.ClearFaults();
    array.clock.Advance(std::chrono::minutes(2));
  }
}

// The first ones of a call are whole; the others are for the next calls, and untouched.
TEST_F(InPlaceTest, WhatDoesNotFitIntoOneCallIsLeftForTheNext) {
  rig.transport().tamper = [&](const http::Request& request, http::Response&) {
    if (request.method != http::Method::kGet) array.clock.Advance(std::chrono::seconds(10));
  };
  const auto first = Overwrite("s1");
  ASSERT_FALSE(first.failure) << first.failure->Line();
  EXPECT_THAT(first.disks, ElementsAre(Rig::Name("vm-100-disk-0")));
  EXPECT_THAT(Contents(), ElementsAre("one", "now", "now"));
  for (const char* name : {"vm-100-disk-1", "vm-100-cloudinit"}) {
    EXPECT_FALSE(Overwrite("s1", {name}).failure);
  }
  EXPECT_THAT(Contents(), ElementsAre("one", "one", "one"));
  EXPECT_EQ(CountCopies(), 0U);
}

TEST_F(InPlaceTest, NothingIsBegunThatCannotEndInTime) {
  rig.transport().tamper = [&](const http::Request& request, http::Response&) {
    if (request.method == http::Method::kPost) array.clock.Advance(std::chrono::seconds(25));
  };
  const auto done = Overwrite("s1");
  ASSERT_TRUE(done.failure);
  EXPECT_EQ(done.failure->code(), ErrorCode::kTimedOut);
  EXPECT_FALSE(done.failure->outcome_unknown());
  EXPECT_THAT(Contents(), ElementsAre("now", "now", "now"));
}

TEST_F(InPlaceTest, WithoutRoomNothingChangesAndNothingIsRemembered) {
  array.Set("clone_space", "counted");
  for (const char* flexvol : kFlexVols) {
    auto* volume = array.FindVolume(flexvol);
    volume->autosize.mode = "off";
    volume->size_bytes = Live(flexvol)->size_bytes * 3 / 2;
  }
  const auto done = Overwrite("s1");
  ASSERT_TRUE(done.failure);
  EXPECT_EQ(done.failure->code(), ErrorCode::kNoSpace);
  EXPECT_THAT(Contents(), ElementsAre("now", "now", "now"));
  EXPECT_TRUE(rig.snapshots().CanOverwrite());
  EXPECT_EQ(CountCopies(), 0U);
}

// Whatever a namespace has in its comment, by its name it is known.
TEST_F(InPlaceTest, CommentsThatTravelMislead) {
  array.Set("overwrite_comment", "of_source");
  array.Set("clone_comment", "of_source");
  ASSERT_FALSE(Overwrite("s1").failure);
  ASSERT_FALSE(Overwrite("s2").failure);
  for (const char* name : kNames) EXPECT_TRUE(rig.MustFind(name).ns) << name;
  EXPECT_THAT(Contents(), ElementsAre("two", "two", "two"));
  // Of a former owner of the storage, under whom the snapshot was taken.
  for (const char* flexvol : kFlexVols) {
    Live(flexvol)->comment = MarkOf(kOtherCluster, "tank");
  }
  for (const char* name : kNames) {
    EXPECT_TRUE(rig.disks().FindNamespace(Rig::Name(name), rig.Budget()).is_present()) << name;
  }
}

// ---- what is left of a rollback that was interrupted

class InterruptedTest : public InPlaceTest {
 protected:
  // Killed once two disks of three are overwritten.
  void Interrupt() {
    array.AddFault({{"method", "PATCH"},
                    {"path", "storage/namespaces"},
                    {"nth", 3},
                    {"times", -1},
                    {"drop_before", true}});
    array.AddFault({{"method", "DELETE"}, {"times", -1}, {"drop_before", true}});
    const auto done = Overwrite("s1");
    EXPECT_TRUE(done.failure);
    EXPECT_THAT(done.disks, SizeIs(2));
    array.ClearFaults();
    rig.Restart();
    EXPECT_EQ(CountCopies(), 3U);
    array.clock.Advance(std::chrono::minutes(1));
  }
};

TEST_F(InterruptedTest, ADiskBesideACopyIsADisk) {
  Interrupt();
  for (const char* name : kNames) {
    EXPECT_EQ(rig.MustFind(name).ns->size, MiB(4)) << name;
    const auto ns = rig.disks()
                        .FindNamespace(Rig::Name(name), rig.Budget())
                        .Require(Error(ErrorCode::kNotFound, "no namespace"));
    ASSERT_TRUE(ns.ok()) << ns.error().Line();
    EXPECT_EQ(ns->mapping, Mapping::kHere);
  }
  EXPECT_THAT(*rig.disks().List(100, rig.Budget()), SizeIs(3));
  // A snapshot has the copies in it, and so have its clones.
  Take("s3");
  const auto device = rig.snapshots().MakeDevice(
      {Rig::Name("vm-100-disk-0"), Rig::Snap("s3"), RigOptions().host_nqn}, rig.Budget());
  ASSERT_TRUE(device.ok()) << device.error().Line();
  EXPECT_TRUE(device->ns);
  EXPECT_TRUE(rig.snapshots().RemoveDevice(*device, rig.Budget()).ok());
}

// A disk in use must be found in use, whatever lies beside it.
TEST_F(InterruptedTest, TheGroupShowsTheDiskNotTheCopy) {
  Interrupt();
  const auto history = rig.snapshots().ReadHistory(Rig::Name("vm-100-disk-0"), rig.Budget());
  ASSERT_TRUE(history.ok());
  for (const char* name : {"vm-100-disk-0", "vm-100-disk-1"}) {
    const auto* disk = history->Find(Rig::Name(name));
    ASSERT_NE(disk, nullptr);
    EXPECT_EQ(disk->ns, rig.MustFind(name).ns->uuid);
  }
}

TEST_F(InterruptedTest, WhatMayStillRunIsWaitedFor) {
  Interrupt();
  array.clock.Advance(-std::chrono::seconds(30));
  const auto done = Overwrite("s2");
  ASSERT_TRUE(done.failure);
  EXPECT_EQ(done.failure->code(), ErrorCode::kBusy);
  EXPECT_EQ(CountCopies(), 3U);
}

// Neither is the copy's time the array's, nor is it that of what it was made of.
TEST_F(InterruptedTest, AgeOfACopyIsInItsName) {
  Interrupt();
  for (auto& ns : array.world().namespaces) ns.create_time -= std::chrono::hours(100);
  const auto survey =
      rig.backend().Look(array.clock.WallTime() - std::chrono::hours(1), rig.Budget());
  ASSERT_TRUE(survey.ok());
  EXPECT_THAT(survey->left_overs, IsEmpty());
}

TEST_F(InterruptedTest, RepeatingFinishesItAndTakesTheCopiesAway) {
  Interrupt();
  const auto done = Overwrite("s1");
  ASSERT_FALSE(done.failure) << done.failure->Line();
  EXPECT_THAT(Contents(), ElementsAre("one", "one", "one"));
  EXPECT_EQ(CountCopies(), 0U);
}

TEST_F(InterruptedTest, ItIsNamedAndRecoveryTakesTheCopiesAway) {
  Interrupt();
  EXPECT_THAT(LeftOvers(), SizeIs(3));
  EXPECT_THAT(LeftOvers().front(), HasSubstr("to snapshot s1"));
  EXPECT_THAT(LeftOvers().front(), HasSubstr("roll back again"));
  const auto young =
      rig.backend().Look(array.clock.WallTime() - std::chrono::hours(1), rig.Budget());
  EXPECT_THAT(young->left_overs, IsEmpty()) << "a rollback may be under way";
  const auto before = Contents();
  SettleAll();
  EXPECT_EQ(CountCopies(), 0U);
  EXPECT_EQ(Contents(), before);
  EXPECT_THAT(LeftOvers(), IsEmpty());
}

TEST_F(InterruptedTest, ACopyOfAnotherStorageIsLeftAloneAndInNobodysWay) {
  auto& world = array.world();
  sim::NvmeNamespace copy = *Live("t_vm_100_disk_0");
  copy.uuid = world.NewUuid();
  copy.subsystem_uuid = "";
  copy.base_name =
      CopyName{.owner = "0000aaaa", .operation_id = "0123456789abcdef", .snapshot = "pve_snap_s1"}
          .Text();
  array.sim.store().Create(copy.uuid, copy.size_bytes);
  world.namespaces.Add(copy);
  EXPECT_TRUE(rig.MustFind("vm-100-disk-0").ns);
  EXPECT_THAT(LeftOvers(), IsEmpty());
  EXPECT_FALSE(Overwrite("s1").failure);
  const LeftOver named{
      .description = "", .settled = "", .key = "copy " + copy.uuid + " vm-100-disk-0"};
  EXPECT_TRUE(FailedWith(rig.backend().Settle(named, rig.Budget()), ErrorCode::kConflict));
  EXPECT_THAT(CopiesIn("t_vm_100_disk_0"), ElementsAre(copy.base_name));
}

TEST_F(InterruptedTest, ADiskWithACopyIsDeletedWithIt) {
  Interrupt();
  const auto disk = rig.MustFind("vm-100-disk-0");
  ASSERT_TRUE(rig.disks().Unmap(*disk.ns, rig.Budget()).ok());
  ASSERT_TRUE(rig.disks().Remove(disk.volume, rig.Budget()).ok());
  EXPECT_EQ(array.FindVolume("t_vm_100_disk_0"), nullptr);
}

TEST_F(InterruptedTest, AVolumeWithNothingButACopyIsNotEmpty) {
  Interrupt();
  array.world().RemoveNamespace(Live("t_vm_100_disk_0")->uuid);
  for (const auto& line : LeftOvers()) EXPECT_THAT(line, testing::Not(HasSubstr("is empty")));
}

// It does for one disk what it refuses for the other: that is no refusal of the form.
TEST_F(InPlaceTest, ARefusalBehindAChangeIsAFailure) {
  array.AddFault({{"method", "PATCH"},
                  {"path", "storage/namespaces"},
                  {"nth", 2},
                  {"times", -1},
                  {"status", 400},
                  {"code", 262196}});
  const auto done = Overwrite("s1");
  ASSERT_TRUE(done.failure);
  EXPECT_FALSE(done.is_refused);
  EXPECT_THAT(done.disks, SizeIs(1));
  EXPECT_TRUE(rig.snapshots().CanOverwrite());
}

// The array may be at it still.
TEST_F(InPlaceTest, ACopyStaysWhenNobodyKnowsWhatBecameOfTheOverwrite) {
  array.AddFault({{"method", "PATCH"},
                  {"path", "storage/namespaces"},
                  {"nth", 3},
                  {"times", -1},
                  {"drop_after", true}});
  const auto done = Overwrite("s1");
  ASSERT_TRUE(done.failure);
  EXPECT_TRUE(done.failure->outcome_unknown());
  EXPECT_EQ(CountCopies(), 1U);
  EXPECT_THAT(CopiesIn("t_vm_100_cloudinit"), SizeIs(1));
}

TEST_F(InPlaceTest, LostAnswersAreSettledByTheNameOfTheCopy) {
  array.AddFault({{"method", "POST"}, {"path", "storage/namespaces"}, {"drop_after", true}});
  const auto done = Overwrite("s1");
  ASSERT_FALSE(done.failure) << done.failure->Line();
  EXPECT_EQ(CountCopies(), 0U);
}

// ---- the name

TEST(CopyNameTest, IsReadBackAndNothingElseIs) {
  const CopyName name{.owner = "01234567", .operation_id = "0123456789abcdef", .snapshot = "a-b.c"};
  EXPECT_EQ(name.Text(), "rollback-01234567-0123456789abcdef-a-b.c");
  const auto read = CopyName::Parse(name.Text());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->owner, name.owner);
  EXPECT_EQ(read->operation_id, name.operation_id);
  EXPECT_EQ(read->snapshot, name.snapshot);
  for (const char* other :
       {"", "rollback-", "rollback-01234567-0123456789abcdef-",
        "rollback-01234567-0123456789abcdef", "rollback-0123456-0123456789abcdef-s",
        "rollback-0123456X-0123456789abcdef-s", "rollback-01234567-0123456789abcdeg-s",
        "rollback_01234567_0123456789abcdef_s", "Rollback-01234567-0123456789abcdef-s",
        "t_vm_100_disk_0"}) {
    EXPECT_FALSE(CopyName::Parse(other)) << other;
  }
}

}  // namespace
}  // namespace ontapnvme::catalogue::flexvol
