// SPDX-License-Identifier: AGPL-3.0-or-later
// Present, absent and unknown: a listing that shows nothing is no proof.
#include "catalogue/flexvol/disk_lookup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/catalogue/flexvol/rig.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

using testing::HasSubstr;

constexpr const char* kVolumes = "/api/storage/volumes?";
constexpr const char* kNamespaces = "/api/storage/namespaces?";

class DiskLookupTest : public testing::Test {
 protected:
  // Listings of that path show nothing.
  void HideFrom(const std::string& path) {
    rig.transport().tamper = [path](const http::Request& request, http::Response& response) {
      if (request.method != http::Method::kGet || !request.target.starts_with(path)) return;
      response.body = R"({"records":[],"num_records":0})";
    };
  }
  void HideAll() {
    rig.transport().tamper = [](const http::Request& request, http::Response& response) {
      const bool is_listing =
          request.method == http::Method::kGet &&
          (request.target.starts_with(kVolumes) || request.target.starts_with(kNamespaces));
      if (is_listing) response.body = R"({"records":[],"num_records":0})";
    };
  }
  Found<Disk> Find() { return rig.disks().Find(name, rig.Budget()); }
  Found<DiskNamespace> FindNamespace() { return rig.disks().FindNamespace(name, rig.Budget()); }

  TestArray array;
  Rig rig{array};
  const VolumeName name = Rig::Name("vm-100-disk-0");
};

TEST_F(DiskLookupTest, PresentDiskCostsItsListings) {
  rig.Make("vm-100-disk-0");
  array.ClearLog();
  const auto disk = Find();
  ASSERT_TRUE(disk.is_present());
  EXPECT_EQ(array.Count(), 2);
  EXPECT_EQ(disk->volume.name, name);
  EXPECT_EQ(disk->volume.container_name, "t_vm_100_disk_0");
  EXPECT_EQ(disk->volume.mark.owner, Owner::kOurs);
  ASSERT_TRUE(disk->volume.group.has_value());
  ASSERT_TRUE(disk->ns.has_value());
  EXPECT_EQ(disk->ns->size, MiB(4));
  EXPECT_EQ(disk->ns->mapping, Mapping::kHere);
  EXPECT_FALSE(disk->ns->fault.has_value());
  array.ClearLog();
  ASSERT_TRUE(FindNamespace().is_present());
  EXPECT_EQ(array.Count(), 1);
}

TEST_F(DiskLookupTest, AbsentIsWhatTwoQuestionsAndTheSvmAgreeOn) {
  EXPECT_TRUE(Find().is_absent());
  EXPECT_TRUE(FindNamespace().is_absent());
}

TEST_F(DiskLookupTest, AVolumeOfAnotherOwnerIsNamedAsSuch) {
  array.MakeStray("t_vm_100_disk_0", MarkOf(kOtherCluster, "tank"));
  for (const bool is_whole_disk : {true, false}) {
    const Error reason = is_whole_disk ? Find().reason() : FindNamespace().reason();
    EXPECT_EQ(reason.code(), ErrorCode::kConflict);
    EXPECT_THAT(reason.Line(), HasSubstr("volume 'vm-100-disk-0' belongs to another cluster"));
    EXPECT_THAT(reason.Line(), HasSubstr(kOtherCluster));
    EXPECT_THAT(reason.Line(), HasSubstr("After rebuilding a cluster"));
  }
  const auto snapshots = rig.snapshots().List(name, rig.Budget());
  ASSERT_FALSE(snapshots.ok());
  EXPECT_THAT(snapshots.error().Line(), HasSubstr("belongs to another cluster"));
  array.FindVolume("t_vm_100_disk_0")->comment = "pve-storage-ontapnvme v=1 edited";
  EXPECT_THAT(Find().reason().Line(), HasSubstr("it was edited"));
}

TEST_F(DiskLookupTest, AFailedQuestionIsNoAnswer) {
  for (int nth = 1; nth < 10; ++nth) {
    for (const bool is_whole_disk : {true, false}) {
      SCOPED_TRACE("request " + std::to_string(nth) + (is_whole_disk ? ", disk" : ", namespace"));
      array.AddFault({{"drop_before", true}, {"nth", nth}, {"times", -1}});
      const bool is_absent = is_whole_disk ? Find().is_absent() : FindNamespace().is_absent();
      const bool fired = array.FaultFired();
      array.ClearFaults();
      EXPECT_NE(is_absent, fired) << "absent only when every question was answered";
    }
  }
}

TEST_F(DiskLookupTest, OneListingThatShowsItIsEnoughToDoubt) {
  rig.Make("vm-100-disk-0");
  HideFrom(kVolumes);
  const auto disk = Find();
  ASSERT_TRUE(disk.is_unknown());
  EXPECT_THAT(disk.reason().Line(), HasSubstr("lists its namespace, but no FlexVol"));
  HideFrom(kNamespaces);
  const auto ns = FindNamespace();
  ASSERT_TRUE(ns.is_unknown());
  EXPECT_THAT(ns.reason().Line(), HasSubstr("t_vm_100_disk_0"));
}

TEST_F(DiskLookupTest, DiskThatTheClusterRemembersIsNeverHalfMade) {
  rig.Make("vm-100-disk-0");
  HideFrom(kNamespaces);
  const auto forgotten = Find();
  ASSERT_TRUE(forgotten.is_present()) << "nothing says that there was a namespace";
  EXPECT_FALSE(forgotten->ns.has_value());
  const auto uuid = Uuid::Parse(array.NamespaceIn("t_vm_100_disk_0")->uuid);
  ASSERT_TRUE(uuid.has_value());
  rig.node().disks.Remember(name, *uuid);
  const auto remembered = Find();
  ASSERT_TRUE(remembered.is_unknown());
  EXPECT_THAT(remembered.reason().Line(), HasSubstr("not the namespace that is in"));
}

TEST_F(DiskLookupTest, NodeThatRemembersNothingAsksForNoFacts) {
  rig.Make("vm-100-disk-0");
  rig.node().facts.Forget();
  rig.Restart();
  array.ClearLog();
  const auto disk = Find();
  ASSERT_TRUE(disk.is_present());
  ASSERT_TRUE(disk->ns.has_value());
  EXPECT_EQ(disk->ns->mapping, Mapping::kHere);
  EXPECT_EQ(array.Count(), 2);
}

TEST_F(DiskLookupTest, NamespaceOfAnOfflineVolumeMayBeUnlisted) {
  rig.Make("vm-100-disk-0");
  array.FindVolume("t_vm_100_disk_0")->state = "offline";
  HideFrom(kNamespaces);
  const auto ns = FindNamespace();
  ASSERT_TRUE(ns.is_unknown());
  EXPECT_EQ(ns.reason().code(), ErrorCode::kUnavailable);
  EXPECT_THAT(ns.reason().Line(), HasSubstr("online"));
}

TEST_F(DiskLookupTest, AnotherSvmOfThatNameProvesNothing) {
  // As after the SVM was made anew, or the LIF went to another cluster.
  array.AddFault(
      {{"method", "GET"}, {"path", "svm/svms/"}, {"status", 404}, {"code", 4}, {"times", -1}});
  rig.ChangeRecords("/api/svm/svms?",
                    [](auto& record) { record["uuid"] = "01234567-89ab-cdef-0123-456789abcdef"; });
  const auto disk = Find();
  ASSERT_TRUE(disk.is_unknown());
  EXPECT_EQ(disk.reason().code(), ErrorCode::kConflict);
  EXPECT_THAT(disk.reason().Line(), HasSubstr("SVM 'svm1' is not the one it was"));
  EXPECT_TRUE(FindNamespace().is_unknown());
}

TEST_F(DiskLookupTest, ContradictionAboutTheSvmProvesNothing) {
  rig.ChangeRecords("/api/svm/svms?",
                    [](auto& record) { record["uuid"] = "01234567-89ab-cdef-0123-456789abcdef"; });
  const auto disk = Find();
  ASSERT_TRUE(disk.is_unknown());
  EXPECT_THAT(disk.reason().Line(), HasSubstr("the array names two of that name"));
}

TEST_F(DiskLookupTest, AnSvmThatDoesNotRunProvesNothing) {
  rig.ChangeRecords("/api/svm/svms", [](auto& record) { record["state"] = "stopped"; });
  const auto disk = Find();
  ASSERT_TRUE(disk.is_unknown());
  EXPECT_THAT(disk.reason().Line(), HasSubstr("SVM 'svm1' is not running"));
}

TEST_F(DiskLookupTest, RememberedNamespaceMustBeGoneByItsUuid) {
  const auto disk = rig.Make("vm-100-disk-0");
  rig.node().disks.Remember(name, disk.ns->uuid);
  HideAll();
  const auto late = Find();
  ASSERT_TRUE(late.is_unknown()) << "a slow array lists nothing";
  EXPECT_EQ(late.reason().code(), ErrorCode::kUnavailable);
  EXPECT_THAT(late.reason().Line(), HasSubstr("the array has its namespace, but does not list it"));
  rig.transport().tamper = nullptr;
  // An administrator renamed it.
  array.FindVolume("t_vm_100_disk_0")->name = "t_renamed";
  const auto renamed = Find();
  ASSERT_TRUE(renamed.is_unknown());
  EXPECT_EQ(renamed.reason().code(), ErrorCode::kConflict);
  EXPECT_THAT(renamed.reason().Line(), HasSubstr("its namespace is in FlexVol 't_renamed'"));
  EXPECT_TRUE(FindNamespace().is_unknown());
  array.world().RemoveNamespace(disk.ns->uuid.Text());
  EXPECT_TRUE(Find().is_absent());
  EXPECT_TRUE(FindNamespace().is_absent());
}

TEST_F(DiskLookupTest, MappedElsewhereIsBelievedAfterAskingAgain) {
  const auto disk = rig.Make("vm-100-disk-0");
  ASSERT_EQ(disk.ns->mapping, Mapping::kHere);
  // The subsystem was made anew: facts are stale, the map is right.
  auto* ns = array.NamespaceIn("t_vm_100_disk_0");
  auto& subsystem = *array.world().subsystems.Find(ns->subsystem_uuid);
  const std::string anew = "01234567-89ab-cdef-0123-456789abcdef";
  sim::Subsystem copy = subsystem;
  copy.uuid = anew;
  array.world().subsystems.Erase(subsystem.uuid);
  array.world().subsystems.Add(copy);
  ns->subsystem_uuid = anew;
  auto found = FindNamespace();
  ASSERT_TRUE(found.is_present());
  EXPECT_EQ(found->mapping, Mapping::kHere);
  // Another one of that SVM.
  sim::Subsystem other = copy;
  other.uuid = "11234567-89ab-cdef-0123-456789abcdef";
  other.name = "other";
  array.world().subsystems.Add(other);
  ns->subsystem_uuid = other.uuid;
  found = FindNamespace();
  ASSERT_TRUE(found.is_present());
  EXPECT_EQ(found->mapping, Mapping::kElsewhere);
  EXPECT_EQ(found->mapped_to, "other");
}

TEST_F(DiskLookupTest, WhyTheArrayDoesNotServeItIsAFault) {
  rig.Make("vm-100-disk-0");
  const auto says = [&](const std::string& field, const std::string& value) {
    rig.ChangeRecords(kNamespaces, [=](auto& record) { record["status"][field] = value; });
    const auto found = FindNamespace();
    EXPECT_TRUE(found.is_present());
    return found->fault ? found->fault->Line() : "";
  };
  EXPECT_EQ(says("state", "online"), "");
  EXPECT_THAT(says("container_state", "volume_offline"),
              HasSubstr("volume 'vm-100-disk-0' is offline on the array"));
  EXPECT_THAT(says("container_state", "aggregate_offline"),
              HasSubstr("volume 'vm-100-disk-0' is offline on the array"));
  EXPECT_THAT(says("state", "space_error"),
              HasSubstr("volume 'vm-100-disk-0' is out of space on the array"));
  EXPECT_THAT(says("state", "nvfail"), HasSubstr("nvfail"));
}

TEST_F(DiskLookupTest, ListShowsWholeDisksAndTheirBaseImages) {
  rig.Make("vm-100-disk-0");
  rig.Make("vm-101-cloudinit");
  array.MakeStray("t_vm_102_disk_0", MarkOf(RigOptions().cluster_id, "tank", 102), false);
  array.ClearLog();
  const auto all = rig.disks().List(std::nullopt, rig.Budget());
  EXPECT_EQ(array.Count(), 2);
  ASSERT_TRUE(all.ok());
  ASSERT_EQ(all->size(), 2U) << "not the one that is half-made";
  for (const auto& disk : *all) EXPECT_EQ(disk.ns->mapping, Mapping::kUnread);
  const auto one = rig.disks().List(101, rig.Budget());
  ASSERT_TRUE(one.ok());
  ASSERT_EQ(one->size(), 1U);
  EXPECT_EQ(one->front().volume.name.Text(), "vm-101-cloudinit");
}

TEST_F(DiskLookupTest, NearTheCeilingIsNineTenthsOfIt) {
  rig.Make("vm-100-disk-0");
  const auto with_used = [&](ByteCount used) {
    rig.ChangeRecords(kVolumes, [used](auto& record) { record["space"]["used"] = used.bytes(); });
    const auto listed = rig.disks().List(std::nullopt, rig.Budget());
    EXPECT_TRUE(listed.ok());
    return listed->front().is_near_ceiling;
  };
  // A FlexVol of 37 MiB, which grows to three times that.
  EXPECT_FALSE(with_used(MiB(90)));
  EXPECT_TRUE(with_used(MiB(102)));
}

TEST_F(DiskLookupTest, WhatTheClusterRemembersIsLookedForUntilItIsListed) {
  array.Set("late_listing_ms", "8000");
  array.Set("late_by_uuid", "yes");
  const auto disk = rig.Make("vm-100-disk-0");
  rig.node().disks.Remember(name, disk.ns->uuid);
  const auto ns = FindNamespace();
  ASSERT_TRUE(ns.is_present());
  EXPECT_EQ(ns->uuid, disk.ns->uuid);
  const auto other = Rig::Name("vm-100-disk-1");
  const auto second = rig.Make("vm-100-disk-1");
  rig.node().disks.Remember(other, second.ns->uuid);
  const auto found = rig.disks().Find(other, rig.Budget());
  ASSERT_TRUE(found.is_present());
  EXPECT_TRUE(found->ns);
}

TEST_F(DiskLookupTest, WhatNobodyRemembersIsNotWaitedFor) {
  array.clock.TakeSlept();
  EXPECT_TRUE(Find().is_absent());
  EXPECT_TRUE(FindNamespace().is_absent());
  EXPECT_EQ(array.clock.TakeSlept(), Duration{0});
}

TEST_F(DiskLookupTest, AnOfflineVolumeIsNotWaitedFor) {
  const auto disk = rig.Make("vm-100-disk-0");
  rig.node().disks.Remember(name, disk.ns->uuid);
  array.FindVolume("t_vm_100_disk_0")->state = "offline";
  HideFrom(kNamespaces);
  array.clock.TakeSlept();
  const auto ns = FindNamespace();
  ASSERT_TRUE(ns.is_unknown());
  EXPECT_EQ(ns.reason().code(), ErrorCode::kUnavailable);
  EXPECT_EQ(array.clock.TakeSlept(), Duration{0});
}

}  // namespace
}  // namespace ontapnvme::catalogue::flexvol
