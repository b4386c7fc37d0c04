// SPDX-License-Identifier: AGPL-3.0-or-later
// The array's management LIF does not answer; its data LIFs do. Disks that are there keep working
// on every node, and no node is told a wrong one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <map>

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

// pvestatd of this node has told that the array is silent; a task begins.
class KnownOutageTest : public OutageTest {
 protected:
  KnownOutageTest() {
    EXPECT_TRUE(one.storage().CreateSnapshot(disk, "s1").ok());
    array.clock->Advance(std::chrono::minutes(5));
  }

  int PollAsPvestatd() {
    StorageRig pvestatd(array, {.node = "one", .directory = one.directory()});
    array.ClearLog();
    (void)pvestatd.storage().CheckConnection();
    return array.Count();
  }
  // Each by a process of its own; empty: it succeeded.
  std::map<std::string, std::string> Failures() {
    const std::map<std::string, std::function<Status(pve::Storage&)>> operations = {
        {"allocate", [](auto& s) { return Outcome(s.Allocate(100, "", 1024)); }},
        {"free", [&](auto& s) { return s.Free(disk); }},
        {"resize", [&](auto& s) { return s.Resize(disk, std::uint64_t{1} << 30U); }},
        {"snapshot", [&](auto& s) { return s.CreateSnapshot(disk, "s2"); }},
        {"delete a snapshot", [&](auto& s) { return s.DeleteSnapshot(disk, "s1"); }},
        {"ask for a rollback", [&](auto& s) { return Outcome(s.RollbackBlockers(disk, "s1")); }},
        {"rollback", [&](auto& s) { return s.Rollback(disk, "s1"); }},
        {"clone", [&](auto& s) { return Outcome(s.Clone(disk, "s1", 200)); }},
        {"template", [&](auto& s) { return Outcome(s.CreateBase(disk)); }},
        {"rename", [&](auto& s) { return Outcome(s.Rename(disk, 200, "")); }},
        {"notes", [&](auto& s) { return s.SetNotes(disk, "n"); }},
        {"snapshot device", [&](auto& s) { return Outcome(s.ActivateSnapshot(disk, "s1")); }},
        {"list", [](auto& s) { return Outcome(s.List(std::nullopt)); }},
        {"list snapshots", [&](auto& s) { return Outcome(s.ListSnapshots(disk)); }},
        {"size", [&](auto& s) { return Outcome(s.Info(disk)); }},
        {"verify", [](auto& s) { return s.Verify(); }},
    };
    std::map<std::string, std::string> failures;
    for (const auto& [name, run] : operations) {
      PollAsPvestatd();
      one.Restart();
      const auto begun = array.clock->Now();
      const Status done = run(one.storage());
      took[name] = std::chrono::duration_cast<Duration>(array.clock->Now() - begun);
      failures[name] = done.ok() ? "" : done.error().Line();
    }
    return failures;
  }

  template <typename T>
  static Status Outcome(const Result<T>& result) {
    return result.ok() ? Status() : Status(result.error());
  }

  std::string disk = one.MustAllocate(100);
  std::map<std::string, Duration> took;
};

TEST_F(KnownOutageTest, WhatNeedsTheArrayFailsFastAndSaysWhatIsTheMatter) {
  Silence();
  for (const auto& [name, line] : Failures()) {
    EXPECT_THAT(line, HasSubstr("management LIF has not answered since")) << name;
    EXPECT_THAT(line, HasSubstr("then try again")) << name;
    EXPECT_LE(took[name], std::chrono::seconds(5)) << name;
  }
  array.ClearFaults();
  EXPECT_TRUE(one.storage().CreateSnapshot(disk, "s2").ok()) << "nothing was left half-made";
}

TEST_F(KnownOutageTest, RefusedConnectionsFailFastToo) {
  array.AddFault({{"drop_before", true}, {"times", -1}});
  PollAsPvestatd();
  one.Restart();
  const auto begun = array.clock->Now();
  const auto snapshot = one.storage().CreateSnapshot(disk, "s2");
  ASSERT_FALSE(snapshot.ok());
  EXPECT_THAT(snapshot.error().Line(), HasSubstr("has not answered since"));
  EXPECT_LE(array.clock->Now() - begun, std::chrono::seconds(5));
}

TEST_F(KnownOutageTest, PollIsOneRequestWhateverItFinds) {
  Silence();
  for (int poll = 0; poll < 3; ++poll) EXPECT_EQ(PollAsPvestatd(), 1) << poll;
  array.ClearFaults();
  for (int poll = 0; poll < 3; ++poll) EXPECT_EQ(PollAsPvestatd(), 1) << poll;
}

TEST_F(KnownOutageTest, ActivationNeedsTheArrayAsLittleAsBefore) {
  Silence();
  PollAsPvestatd();
  one.Restart();
  EXPECT_TRUE(one.storage().Activate().ok());
  EXPECT_TRUE(one.storage().ActivateVolume(disk).ok());
  EXPECT_TRUE(one.storage().DeactivateVolume(disk).ok());
}

TEST_F(KnownOutageTest, SilenceOnlyInTheMiddleIsWaitedFor) {
  // What it reads is answered, the first change not for 20 s: a LIF that moves to another port.
  array.AddFault({{"never_answer", true}, {"times", 1}});
  PollAsPvestatd();
  array.AddFault({{"method", "PATCH"}, {"delay_ms", 20'000}, {"times", 1}});
  one.Restart();
  const auto begun = array.clock->Now();
  const auto made = one.storage().Resize(disk, std::uint64_t{1} << 30U);
  EXPECT_TRUE(made.ok()) << made.error().Line();
  EXPECT_GE(array.clock->Now() - begun, std::chrono::seconds(20));
}

TEST_F(KnownOutageTest, ArrayThatIsBackIsAskedAsEver) {
  Silence();
  PollAsPvestatd();
  array.ClearFaults();
  array.AddFault({{"delay_ms", 4'000}, {"times", 1}});  // slow, but there
  one.Restart();
  EXPECT_TRUE(one.storage().List(100).ok());
  // Known to all: the next process does not hurry.
  array.AddFault({{"delay_ms", 20'000}, {"times", 1}});
  StorageRig next(array, {.node = "one", .directory = one.directory()});
  EXPECT_TRUE(next.storage().Resize(disk, std::uint64_t{1} << 30U).ok());
}

TEST_F(KnownOutageTest, AnotherStoragesSilenceAndAnOldOneDoNotMatter) {
  array.AddFault({{"never_answer", true}, {"times", 1}});
  PollAsPvestatd();
  StorageRig other(array, {.storage_id = "other", .node = "one", .directory = one.directory()});
  array.AddFault({{"delay_ms", 9'000}, {"times", 1}});
  const auto listed = other.storage().List(std::nullopt);
  EXPECT_TRUE(listed.ok()) << listed.error().Line();
  array.clock->Advance(std::chrono::seconds(10));  // 19 s since the poll
  array.AddFault({{"delay_ms", 9'000}, {"times", 1}});
  one.Restart();
  EXPECT_TRUE(one.storage().List(std::nullopt).ok());
}

TEST_F(KnownOutageTest, RemovedStorageLeavesNoMemoryOfIt) {
  Silence();
  PollAsPvestatd();
  EXPECT_TRUE(std::filesystem::exists(one.directory() + "/run/tank.silent"));
  EXPECT_TRUE(one.storage().Forget().ok());
  EXPECT_FALSE(std::filesystem::exists(one.directory() + "/run/tank.silent"));
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
