// SPDX-License-Identifier: AGPL-3.0-or-later
// Proxmox takes snapshots while its guest's file systems are frozen, disk by disk, and ends at the
// first failure: what an array costs is what the guest stands still. An array that answers late, or
// not, or with a job, costs seconds; and what it has taken by then, or takes later, is no snapshot of
// Proxmox's and must not stay.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "fault/storage_rig.h"

namespace ontapnvme::fault {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr seconds kFrozenMax{8};
// Longer than the array holds a change, and than it remembers a job.
constexpr minutes kLater{11};

class FreezeTest : public testing::Test {
 protected:
  FreezeTest() {
    EXPECT_TRUE(storage().Activate().ok());
    for (int i = 0; i < 3; ++i) disks.push_back(rig.MustAllocate(100));
    array.ClearLog();
  }
  pve::Storage& storage() { return rig.storage(); }

  // As Proxmox's task does it while the guest is frozen. Says how long that was.
  Status Snapshot(const std::string& name) {
    const auto begun = array.clock->Now();
    Status done;
    for (const auto& disk : disks) {
      done = storage().CreateSnapshot(disk, name);
      if (!done.ok()) break;
    }
    EXPECT_LE(array.clock->Now() - begun, kFrozenMax) << "the guest was frozen";
    return done;
  }
  std::vector<std::string> OnTheArray() {
    std::vector<std::string> names;
    for (const auto& one : array.sim.world().snapshots) names.push_back(one.name);
    for (const auto& one : array.sim.world().group_snapshots) names.push_back("group " + one.name);
    return names;
  }
  // A poll of this node, some time later.
  void Poll(seconds later = seconds(30)) {
    array.clock->Advance(later);
    rig.Restart();
    EXPECT_TRUE(storage().Activate().ok());
  }
  std::vector<std::string> Pending() {
    const auto pending = storage().Pending();
    EXPECT_TRUE(pending.ok());
    return pending.ok() ? *pending : std::vector<std::string>();
  }
  // What was given up is found, removed and told of, and the name is free again.
  void ExpectGivenUpAndGone(const Status& given_up) {
    ASSERT_FALSE(given_up.ok());
    EXPECT_THAT(given_up.error().Line(), HasSubstr("cannot snapshot volume 'vm-100-disk-0'"));
    EXPECT_THAT(given_up.error().Line(), HasSubstr("this node looks for it and removes it"));
    EXPECT_THAT(Pending(), ElementsAre(HasSubstr("snapshot s1 of VM 100 was given up")));
    Poll();
    EXPECT_THAT(OnTheArray(), IsEmpty());
    Poll(kLater);
    Poll();
    EXPECT_THAT(OnTheArray(), IsEmpty());
    EXPECT_THAT(Pending(), IsEmpty());
    const auto again = Snapshot("s1");
    EXPECT_TRUE(again.ok()) << again.error().Line();
    EXPECT_EQ(OnTheArray().size(), 4U);
    Poll(kLater);
    EXPECT_EQ(OnTheArray().size(), 4U) << "the second one is wanted";
  }

  TestArray array;
  StorageRig rig{array};
  std::vector<std::string> disks;
};

TEST_F(FreezeTest, ArrayThatTakesItAndAnswersLateHasTakenIt) {
  array.AddFault({{"delay_ms", 600000}, {"method", "POST"}});
  const auto done = Snapshot("s1");
  EXPECT_TRUE(done.ok()) << done.error().Line();
  EXPECT_EQ(OnTheArray().size(), 4U);
  Poll(kLater);
  EXPECT_EQ(OnTheArray().size(), 4U);
}

TEST_F(FreezeTest, ArrayThatTakesItAndFallsSilentLosesItLater) {
  array.AddFault({{"never_answer", true}, {"method", "POST"}});
  array.AddFault({{"never_answer", true}, {"method", "GET"}, {"nth", 2}, {"times", -1}});
  const auto done = Snapshot("s1");
  EXPECT_EQ(OnTheArray().size(), 4U);
  Poll();
  EXPECT_EQ(OnTheArray().size(), 4U) << "the array is silent";
  array.ClearFaults();
  ExpectGivenUpAndGone(done);
}

TEST_F(FreezeTest, ArrayThatNeverHeardOfItIsAskedForAWhile) {
  array.AddFault({{"never_answer", true}, {"applied", false}, {"method", "POST"}});
  const auto done = Snapshot("s1");
  EXPECT_THAT(OnTheArray(), IsEmpty());
  ExpectGivenUpAndGone(done);
}

TEST_F(FreezeTest, SilentArrayIsGivenUpInTime) {
  array.AddFault({{"never_answer", true}, {"times", -1}});
  EXPECT_FALSE(Snapshot("s1").ok());
  array.ClearFaults();
  EXPECT_THAT(Pending(), IsEmpty()) << "nothing was asked for";
}

TEST_F(FreezeTest, JobThatTakesLongIsNotWaitedForAndWhatItMakesIsRemoved) {
  array.Set("async", "always");
  array.AddFault({{"job_polls", 1000}, {"method", "POST"}});
  // It ends before the next request that is not for it.
  array.AddFault({{"never_answer", true}, {"method", "GET"}, {"path", "/snapshots"}});
  const auto done = Snapshot("s1");
  array.Set("async", "auto");
  array.ClearFaults();
  ExpectGivenUpAndGone(done);
}

TEST_F(FreezeTest, WhatComesMinutesLaterIsRemovedAsWell) {
  array.AddFault({{"never_answer", true}, {"applied", false}, {"method", "POST"}});
  const auto done = Snapshot("s1");
  ASSERT_FALSE(done.ok());
  const auto sent = array.sim.Ctl({{"cmd", "log"}}).at("requests");
  Poll();
  Poll(minutes(5));
  for (const auto& request : sent) {
    if (request.at("method") != "POST") continue;
    const auto late = array.sim.Ctl({{"cmd", "admin"},
                                     {"method", "POST"},
                                     {"target", request.at("target")},
                                     {"body", request.at("body")}});
    ASSERT_TRUE(late.at("ok").get<bool>()) << late.dump();
  }
  ASSERT_EQ(OnTheArray().size(), 4U);
  Poll();
  EXPECT_THAT(OnTheArray(), IsEmpty());
  EXPECT_THAT(Pending(), IsEmpty());
}

TEST_F(FreezeTest, OneOfThatNameOfAnotherTaskIsLeftAlone) {
  array.AddFault({{"never_answer", true}, {"applied", false}, {"method", "POST"}});
  ASSERT_FALSE(Snapshot("s1").ok());
  StorageRig other(array, {.node = "node2"});
  ASSERT_TRUE(other.storage().Activate().ok());
  for (const auto& disk : disks) ASSERT_TRUE(other.storage().CreateSnapshot(disk, "s1").ok());
  Poll();
  Poll(kLater);
  EXPECT_EQ(OnTheArray().size(), 4U);
}

// "Not there" in a listing that lacks something is said too early.
TEST_F(FreezeTest, ShortListingsDoNotEndTheLookForIt) {
  array.AddFault({{"never_answer", true}, {"method", "POST"}});
  array.AddFault({{"never_answer", true}, {"method", "GET"}, {"nth", 2}, {"times", 1}});
  ASSERT_FALSE(Snapshot("s1").ok());
  array.ClearFaults();
  array.AddFault({{"empty", true}, {"path", "snapshots"}, {"times", -1}});
  Poll();
  Poll(minutes(9));
  EXPECT_EQ(OnTheArray().size(), 4U);
  array.ClearFaults();
  Poll();
  EXPECT_THAT(OnTheArray(), IsEmpty());
}

// The group's snapshot of this cannot take its members' along.
TEST_F(FreezeTest, MembersAreFreedOfItWhereTheGroupsDoesNotTakeTheirs) {
  array.BeHard();
  array.AddFault({{"never_answer", true}, {"method", "POST"}, {"path", "snapshots"}});
  array.AddFault({{"never_answer", true}, {"method", "GET"}, {"path", "snapshots"}, {"times", 1}});
  const auto done = Snapshot("s1");
  ASSERT_FALSE(done.ok());
  array.ClearFaults();
  for (int i = 0; i < 4; ++i) Poll();
  EXPECT_THAT(OnTheArray(), IsEmpty());
}

// Each is a snapshot of its own, and the guest is frozen until the last of them.
TEST_F(FreezeTest, DisksOutsideTheGroupShareTheTime) {
  disks = {rig.MustAllocate(100, "vm-100-cloudinit"), rig.MustAllocate(100, "vm-100-state-a"),
           rig.MustAllocate(100, "vm-100-state-b")};
  array.AddFault({{"delay_ms", 1500}, {"times", -1}});
  EXPECT_FALSE(Snapshot("s1").ok());
  array.ClearFaults();
  array.AddFault({{"delay_ms", 200}, {"times", -1}});
  EXPECT_TRUE(Snapshot("s2").ok());
}

TEST_F(FreezeTest, GuestStandsStillForOneCallWhateverTheNumberOfItsDisks) {
  ASSERT_TRUE(storage().PrepareSnapshot(disks.back()).ok());
  array.ClearLog();
  array.clock->Advance(seconds(20));
  ASSERT_TRUE(Snapshot("s1").ok());
  EXPECT_THAT(array.Requests(),
              ElementsAre(testing::MatchesRegex("POST .*/consistency-groups/.*/snapshots")));
  EXPECT_EQ(OnTheArray().size(), 4U);
}

TEST_F(FreezeTest, GroupIsReadAnewWhenThatWasLongAgoOrForAnotherSnapshot) {
  ASSERT_TRUE(storage().PrepareSnapshot(disks.back()).ok());
  ASSERT_TRUE(Snapshot("s1").ok());
  array.ClearLog();
  ASSERT_TRUE(Snapshot("s2").ok());
  EXPECT_EQ(array.Count(), 2) << "what was prepared serves once";
  ASSERT_TRUE(storage().PrepareSnapshot(disks.back()).ok());
  array.clock->Advance(seconds(31));
  array.ClearLog();
  ASSERT_TRUE(Snapshot("s3").ok());
  EXPECT_EQ(array.Count(), 2);
}

TEST_F(FreezeTest, GroupThatWasMadeAnewSinceItWasReadIsFound) {
  ASSERT_TRUE(storage().PrepareSnapshot(disks.back()).ok());
  auto& groups = array.sim.world().groups;
  auto anew = *groups.begin();
  groups.Erase(anew.uuid);
  anew.uuid = "0f0f0f0f-0000-4000-8000-000000000000";
  groups.Add(anew);
  const auto done = Snapshot("s1");
  EXPECT_TRUE(done.ok()) << done.error().Line();
  EXPECT_EQ(OnTheArray().size(), 4U);
}

TEST_F(FreezeTest, PreparingThatFailsIsNoFailure) {
  array.AddFault({{"never_answer", true}, {"method", "GET"}, {"times", -1}});
  EXPECT_TRUE(storage().PrepareSnapshot(disks.back()).ok());
  array.ClearFaults();
  EXPECT_TRUE(Snapshot("s1").ok());
  EXPECT_FALSE(storage().PrepareSnapshot("no name").ok());
}

}  // namespace
}  // namespace ontapnvme::fault
