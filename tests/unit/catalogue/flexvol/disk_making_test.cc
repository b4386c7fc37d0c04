// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/flexvol/disk_making.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "unit/catalogue/flexvol/rig.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

class DiskMakingTest : public testing::Test {
 protected:
  Result<Disk> Make(const std::string& text) {
    const auto name = Rig::Name(text);
    const auto neighbours = rig.NeighboursOf(name);
    array.ClearLog();
    return rig.disks().Make(name, MiB(4), neighbours, rig.Budget());
  }
  // What there is to clone: a disk with a snapshot, and a base image.
  void MakeSources() {
    rig.Make("vm-300-disk-0");
    ASSERT_TRUE(
        rig.snapshots()
            .Take(Rig::Name("vm-300-disk-0"), Rig::Snap("s1"), NewOperationId(), rig.Budget())
            .ok());
    const auto disk = rig.Make("vm-301-disk-0");
    ASSERT_TRUE(rig.disks().TurnIntoBase(disk, Rig::Name("base-301-disk-0"), rig.Budget()).ok());
  }
  Result<Disk> Clone(const std::string& source, std::optional<SnapshotName> snapshot,
                     const std::string& text) {
    const auto name = Rig::Name(text);
    const auto neighbours =
        rig.disks().ListNeighbours({name.vmid}, Rig::Name(source), rig.Budget());
    EXPECT_TRUE(neighbours.ok());
    array.ClearLog();
    return rig.disks().Clone({.volume = Rig::Name(source), .snapshot = std::move(snapshot)}, name,
                             *neighbours, rig.Budget());
  }

  TestArray array;
  Rig rig{array};
};

TEST_F(DiskMakingTest, NewDiskIsMappedAndInItsGroupForFourRequests) {
  const auto disk = Make("vm-100-disk-0");
  ASSERT_TRUE(disk.ok()) << disk.error().Line();
  EXPECT_EQ(array.Count(), 4);
  EXPECT_EQ(disk->ns->size, MiB(4));
  EXPECT_EQ(disk->ns->mapping, Mapping::kHere);
  EXPECT_EQ(disk->volume.mark.owner, Owner::kOurs);
  EXPECT_THAT(array.MembersOf("t_pve_cg_vm_100"), ElementsAre("t_vm_100_disk_0"));
  EXPECT_THAT(array.Orphans(), IsEmpty());
  ASSERT_TRUE(Make("vm-100-disk-1").ok());
  EXPECT_EQ(array.Count(), 4);
  EXPECT_THAT(array.MembersOf("t_pve_cg_vm_100"),
              UnorderedElementsAre("t_vm_100_disk_0", "t_vm_100_disk_1"));
}

TEST_F(DiskMakingTest, WhatIsNoOrdinaryDiskJoinsNoGroup) {
  ASSERT_TRUE(Make("vm-100-cloudinit").ok());
  EXPECT_EQ(array.Count(), 3);
  EXPECT_THAT(array.MembersOf("t_pve_cg_vm_100"), IsEmpty());
}

TEST_F(DiskMakingTest, EveryStepThatFailsLeavesNothing) {
  const std::string before = Picture(array);
  int points = 0;
  for (const char* how : {"refused", "lost before", "lost after"}) {
    for (int nth = 1; nth <= 4; ++nth) {
      SCOPED_TRACE(std::string(how) + ", request " + std::to_string(nth));
      const auto name = Rig::Name("vm-100-disk-0");
      const auto neighbours = rig.NeighboursOf(name);
      nlohmann::json rule{{"nth", nth}, {"times", 1}};
      if (how == std::string("refused")) rule.update({{"status", 403}, {"code", 6}});
      if (how == std::string("lost before")) rule["drop_before"] = true;
      if (how == std::string("lost after")) rule["drop_after"] = true;
      array.AddFault(rule);
      const auto made = rig.disks().Make(name, MiB(4), neighbours, rig.Budget());
      EXPECT_TRUE(array.FaultFired());
      array.ClearFaults();
      ++points;
      if (!made.ok()) {
        EXPECT_EQ(made.error().Fact("left_over"), "");
        EXPECT_EQ(Picture(array), before);
        continue;
      }
      // Only the group may be missing, and that is said.
      if (rig.TakeLog().find("is not in the consistency group") != std::string::npos) {
        EXPECT_EQ(nth, 4);
        EXPECT_THAT(array.Orphans(), ElementsAre("volume outside its group: t_vm_100_disk_0"));
      } else {
        EXPECT_NE(how, std::string("refused"));
        EXPECT_THAT(array.Orphans(), IsEmpty());
      }
      EXPECT_EQ(array.VolumeNames().size(), 1U) << "made once";
      const auto disk = rig.MustFind("vm-100-disk-0");
      ASSERT_TRUE(rig.disks().Unmap(*disk.ns, rig.Budget()).ok());
      ASSERT_TRUE(rig.disks().Remove(disk.volume, rig.Budget()).ok());
    }
  }
  EXPECT_EQ(points, 12);
}

TEST_F(DiskMakingTest, WhatCouldNotBeUndoneIsNamed) {
  const auto name = Rig::Name("vm-100-disk-0");
  const auto neighbours = rig.NeighboursOf(name);
  array.DropFrom(2);
  const auto made = rig.disks().Make(name, MiB(4), neighbours, rig.Budget());
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().Fact("left_over"), "t_vm_100_disk_0");
  EXPECT_THAT(made.error().Line(), HasSubstr("carries this operation's mark"));
}

TEST_F(DiskMakingTest, LostNameIsSaidAsSuchAndItsWinnerIsLeftAlone) {
  for (const auto& winner :
       {MarkOf(kOtherCluster, "tank"), MarkOf(RigOptions().cluster_id, "tank"), std::string()}) {
    const auto name = Rig::Name("vm-100-disk-0");
    const auto neighbours = rig.NeighboursOf(name);
    array.MakeStray("t_vm_100_disk_0", winner);
    const std::string before = Picture(array);
    const auto made = rig.disks().Make(name, MiB(4), neighbours, rig.Budget());
    ASSERT_FALSE(made.ok());
    EXPECT_EQ(made.error().code(), ErrorCode::kAlreadyExists);
    EXPECT_EQ(made.error().origin().refusal, Refusal::kNameLost);
    EXPECT_EQ(Picture(array), before);
    array.Remove("t_vm_100_disk_0");
  }
}

TEST_F(DiskMakingTest, AutodeleteIsTurnedOnAfterwardsAndARefusalIsAWarning) {
  Rig wanting(array, {.settings = {{"snapshot_autodelete", "1"}}});
  wanting.Make("vm-100-disk-0");
  const auto& extras = array.FindVolume("t_vm_100_disk_0")->extras;
  EXPECT_EQ(extras.at("space").at("snapshot").at("autodelete").at("enabled"), true);
  EXPECT_EQ(wanting.TakeLog(), "");
  array.AddFault({{"method", "PATCH"},
                  {"path", "^/api/storage/volumes/"},
                  {"status", 400},
                  {"code", 262196},
                  {"times", -1}});
  wanting.Make("vm-100-disk-1");
  EXPECT_THAT(wanting.TakeLog(),
              HasSubstr("volume 'vm-100-disk-1' was made, but snapshot_autodelete could not"));
  EXPECT_THAT(array.VolumeNames(), Contains("t_vm_100_disk_1"));
}

TEST_F(DiskMakingTest, CloneOfABaseImageKnowsIt) {
  MakeSources();
  const auto disk = Clone("base-301-disk-0", std::nullopt, "base-301-disk-0/vm-100-disk-0");
  ASSERT_TRUE(disk.ok()) << disk.error().Line();
  EXPECT_EQ(array.Count(), 5) << "it has its parent's settings, so none is set";
  EXPECT_EQ(disk->volume.name.Text(), "base-301-disk-0/vm-100-disk-0");
  EXPECT_EQ(rig.MustFind("vm-100-disk-0").volume.name.Text(), "base-301-disk-0/vm-100-disk-0");
  EXPECT_THAT(array.Orphans(), IsEmpty());
  EXPECT_THAT(array.MembersOf("t_pve_cg_vm_100"), ElementsAre("t_vm_100_disk_0"));
}

TEST_F(DiskMakingTest, CloneWithoutItsSourceIsNotFound) {
  MakeSources();
  const auto no_snapshot = Clone("vm-300-disk-0", Rig::Snap("s9"), "vm-100-disk-0");
  ASSERT_TRUE(FailedWith(no_snapshot, ErrorCode::kNotFound));
  EXPECT_EQ(no_snapshot.error().Fact("array_snapshot"), "pve_snap_s9");
  EXPECT_TRUE(
      FailedWith(Clone("vm-300-disk-9", Rig::Snap("s1"), "vm-100-disk-0"), ErrorCode::kNotFound));
  EXPECT_THAT(array.VolumeNames(), Not(Contains("t_vm_100_disk_0")));
}

TEST_F(DiskMakingTest, EveryStepOfACloneThatFailsLeavesNothing) {
  MakeSources();
  for (const char* how : {"drop_before", "refused"}) {
    for (int nth = 1; nth <= 5; ++nth) {
      SCOPED_TRACE(std::string(how) + " " + std::to_string(nth));
      const std::string before = Picture(array);
      const auto name = Rig::Name("vm-100-disk-0");
      const auto neighbours =
          rig.disks().ListNeighbours({100}, Rig::Name("vm-300-disk-0"), rig.Budget());
      ASSERT_TRUE(neighbours.ok());
      nlohmann::json rule{{"nth", nth}, {"times", how == std::string("refused") ? 1 : 5}};
      if (how == std::string("refused")) rule.update({{"status", 403}, {"code", 6}});
      if (how == std::string("drop_before")) rule["drop_before"] = true;
      array.AddFault(rule);
      const auto made =
          rig.disks().Clone({.volume = Rig::Name("vm-300-disk-0"), .snapshot = Rig::Snap("s1")},
                            name, *neighbours, rig.Budget());
      array.ClearFaults();
      if (nth < 5) {
        EXPECT_FALSE(made.ok());
        EXPECT_EQ(Picture(array), before);
        continue;
      }
      // The group is the last of it, and costs a warning only.
      ASSERT_TRUE(made.ok()) << made.error().Line();
      EXPECT_THAT(rig.TakeLog(), HasSubstr("is not in the consistency group of VM 100"));
      ASSERT_TRUE(rig.disks().Unmap(*made->ns, rig.Budget()).ok());
      ASSERT_TRUE(rig.disks().Remove(made->volume, rig.Budget()).ok());
    }
  }
}

// ---- what an array may not take, or not show yet

TEST_F(DiskMakingTest, WhatACreateDoesNotTakeIsSetAfterwards) {
  const Settings wished{{"qos_policy", "gold"},
                        {"tiering_policy", "auto"},
                        {"snapshot_reserve", "20"},
                        {"space_reserve", "volume"},
                        {"autosize_max_percent", "200"}};
  int disks = 0;
  for (const int code : {262179, 262196, 262197, 262203, 99999999}) {
    Rig wishing(array, {.settings = wished});
    array.AddFault({{"method", "POST"},
                    {"path", "/storage/volumes"},
                    {"nth", 1},
                    {"status", 400},
                    {"code", code}});
    const std::string number = std::to_string(disks++);
    wishing.Make("vm-100-disk-" + number);
    ASSERT_TRUE(array.FaultFired()) << code;
    array.ClearFaults();
    EXPECT_EQ(wishing.TakeLog(), "") << "it is all there in the end";
    const auto* volume = array.FindVolume("t_vm_100_disk_" + number);
    EXPECT_TRUE(volume->is_thick);
    EXPECT_EQ(volume->fractional_reserve, 100);
    EXPECT_EQ(volume->snapshot_reserve_percent, 20);
    EXPECT_EQ(volume->tiering_policy, "auto");
    EXPECT_EQ(volume->autosize.mode, "grow");
    EXPECT_EQ(array.world().qos_policies.Find(volume->qos_policy_uuid)->name, "gold");
  }
}

TEST_F(DiskMakingTest, WhatIsNotTakenAtAllIsOneWarning) {
  Rig wishing(array, {.settings = {{"qos_policy", "gold"}, {"snapshot_reserve", "20"}}});
  array.AddFault({{"method", "POST|PATCH"},
                  {"path", "/storage/volumes"},
                  {"nth", 1},
                  {"times", 1},
                  {"status", 400},
                  {"code", 262196}});
  array.AddFault({{"method", "PATCH"},
                  {"path", "/storage/volumes/"},
                  {"times", -1},
                  {"status", 400},
                  {"code", 262203}});
  wishing.Make("vm-100-disk-0");
  const std::string log = wishing.TakeLog();
  EXPECT_THAT(log, HasSubstr("but autosize, qos_policy, snapshot_reserve could not be set on it"));
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 1) << log;
  EXPECT_THAT(array.Orphans(), IsEmpty());
}

TEST_F(DiskMakingTest, EncryptionAndGuaranteeAreNotDroppedForACreate) {
  Rig wishing(array, {.settings = {{"encryption", "1"}, {"space_reserve", "volume"}}});
  array.AddFault({{"method", "POST"},
                  {"path", "/storage/volumes"},
                  {"times", -1},
                  {"status", 400},
                  {"code", 262196}});
  const auto name = Rig::Name("vm-100-disk-0");
  const auto made =
      wishing.disks().Make(name, MiB(4), wishing.NeighboursOf(name), wishing.Budget());
  EXPECT_TRUE(FailedWith(made, ErrorCode::kUnsupported));
  EXPECT_THAT(array.VolumeNames(), IsEmpty());
}

TEST_F(DiskMakingTest, AutosizeNeverFailsALargeDisk) {
  struct Case {
    const char* limit;
    ByteCount size;
    std::uint64_t maximum;  // of autosize
  };
  int disks = 0;
  for (const auto& [limit, size, maximum] :
       {Case{"100TiB", GiB(60 * 1024), GiB(100 * 1024).bytes()},
        Case{"large", GiB(100 * 1024), GiB(300 * 1024).bytes()},
        Case{"large", GiB(128 * 1024), GiB(300 * 1024).bytes()}, Case{"none", GiB(60 * 1024), 0}}) {
    SCOPED_TRACE(std::string(limit) + " " + std::to_string(size.bytes()));
    array.Set("volume_size_limit", limit);
    const auto disk = rig.Make("vm-100-disk-" + std::to_string(disks), size);
    ASSERT_TRUE(disk.ns);
    EXPECT_EQ(disk.ns->size, size);
    const auto& autosize = array.FindVolume("t_vm_100_disk_" + std::to_string(disks++))->autosize;
    EXPECT_EQ(autosize.mode, "grow");
    if (maximum > 0) {
      EXPECT_EQ(autosize.maximum_bytes, maximum);
    }
    const std::string log = rig.TakeLog();
    EXPECT_EQ(log.find("autosize") != log.npos, maximum > 0) << log;
  }
}

TEST_F(DiskMakingTest, SmallDisksComeOutLargerWhereTheArrayMakesNoneSoSmall) {
  array.Set("namespace_minimum", "20971520");
  int disks = 0;
  for (const ByteCount size : {KiB(528), MiB(4)}) {
    const std::string name = "vm-100-disk-" + std::to_string(disks++);
    const auto disk = rig.Make(name, size);
    EXPECT_EQ(disk.ns->size, MiB(20));
    EXPECT_EQ(rig.MustFind(name).ns->size, MiB(20)) << "what is shown is what is there";
    EXPECT_THAT(rig.TakeLog(),
                HasSubstr("has 20971520 bytes in place of " + std::to_string(size.bytes())));
  }
  EXPECT_EQ(rig.Make("vm-100-disk-9", MiB(20)).ns->size, MiB(20));
  EXPECT_EQ(rig.TakeLog(), "");
}

TEST_F(DiskMakingTest, NoOtherSizeForADiskThatMayBeMirrored) {
  rig.transport().tamper = [](const http::Request& request, http::Response& response) {
    if (request.method != http::Method::kPost ||
        !request.target.starts_with("/api/storage/namespaces")) {
      return;
    }
    auto answer = nlohmann::json::parse(response.body);
    answer["records"][0]["space"]["size"] = 1048576 * 65;
    response.body = answer.dump();
  };
  const auto name = Rig::Name("vm-100-disk-0");
  const auto made = rig.disks().Make(name, MiB(64), rig.NeighboursOf(name), rig.Budget());
  EXPECT_TRUE(FailedWith(made, ErrorCode::kConflict));
  EXPECT_THAT(array.VolumeNames(), IsEmpty());
}

TEST_F(DiskMakingTest, WhatIsListedLateIsWaitedFor) {
  array.Set("late_listing_ms", "8000");
  array.Set("late_by_uuid", "yes");
  array.Set("volume_location", "name");
  array.Set("job_answers", "later");
  const auto disk = Make("vm-100-disk-0");
  ASSERT_TRUE(disk.ok()) << disk.error().Line();
  EXPECT_EQ(disk->volume.container.Text(), array.FindVolume("t_vm_100_disk_0")->uuid);
  EXPECT_THAT(array.Orphans(), IsEmpty());
  EXPECT_EQ(array.VolumeNames().size(), 1U);
}

TEST_F(DiskMakingTest, ALostAnswerIsNotTakenForNothingMade) {
  array.Set("late_listing_ms", "8000");
  std::size_t disks = 0;
  for (const char* path : {"/storage/volumes", "/storage/namespaces"}) {
    SCOPED_TRACE(path);
    array.AddFault({{"method", "POST"}, {"path", path}, {"drop_after", true}});
    const auto disk = Make("vm-100-disk-" + std::to_string(disks++));
    ASSERT_TRUE(array.FaultFired());
    array.ClearFaults();
    ASSERT_TRUE(disk.ok()) << disk.error().Line();
    EXPECT_EQ(array.VolumeNames().size(), disks) << "made once";
  }
}

TEST_F(DiskMakingTest, CloneGetsTheSettingsThatItsSourceHasNot) {
  MakeSources();
  Rig wishing(array, {.settings = {{"qos_policy", "gold"},
                                   {"snapshot_reserve", "20"},
                                   {"tiering_policy", "auto"},
                                   {"space_reserve", "volume"},
                                   {"autosize", "0"}}});
  array.FindVolume("t_base_301_disk_0")->snapshot_policy_uuid =
      array.world().FindSnapshotPolicy("", "hourly")->uuid;
  const auto name = Rig::Name("base-301-disk-0/vm-100-disk-0");
  const auto neighbours =
      wishing.disks().ListNeighbours({100}, Rig::Name("base-301-disk-0"), wishing.Budget());
  ASSERT_TRUE(neighbours.ok());
  const auto disk =
      wishing.disks().Clone({.volume = Rig::Name("base-301-disk-0"), .snapshot = std::nullopt},
                            name, *neighbours, wishing.Budget());
  ASSERT_TRUE(disk.ok()) << disk.error().Line();
  const auto* volume = array.FindVolume("t_vm_100_disk_0");
  EXPECT_EQ(array.world().snapshot_policies.Find(volume->snapshot_policy_uuid)->name, "none");
  EXPECT_EQ(array.world().qos_policies.Find(volume->qos_policy_uuid)->name, "gold");
  EXPECT_EQ(volume->snapshot_reserve_percent, 20);
  EXPECT_EQ(volume->tiering_policy, "auto");
  EXPECT_TRUE(volume->is_thick);
  EXPECT_EQ(volume->fractional_reserve, 100);
  EXPECT_EQ(volume->autosize.mode, "off");
  EXPECT_EQ(wishing.TakeLog(), "");
}

TEST_F(DiskMakingTest, CloneLosesAQosPolicyThatTheStorageHasNot) {
  MakeSources();
  array.FindVolume("t_base_301_disk_0")->qos_policy_uuid = array.world().qos_policies.begin()->uuid;
  array.Set("qos_removal", "null_others_ignored");
  const auto disk = Clone("base-301-disk-0", std::nullopt, "base-301-disk-0/vm-100-disk-0");
  ASSERT_TRUE(disk.ok()) << disk.error().Line();
  EXPECT_EQ(array.FindVolume("t_vm_100_disk_0")->qos_policy_uuid, "");
  EXPECT_EQ(rig.TakeLog(), "");
}

TEST_F(DiskMakingTest, CloneThatMustBeEncryptedOrThickAndIsNotIsNotHandedOut) {
  MakeSources();
  const std::string before = Picture(array);
  for (const char* what : {"encryption", "space_reserve"}) {
    SCOPED_TRACE(what);
    const bool is_thick = what == std::string("space_reserve");
    Rig wishing(array, {.settings = {{what, is_thick ? "volume" : "1"}}});
    const auto neighbours =
        wishing.disks().ListNeighbours({100}, Rig::Name("base-301-disk-0"), wishing.Budget());
    ASSERT_TRUE(neighbours.ok());
    if (is_thick) {
      array.AddFault({{"method", "PATCH"},
                      {"path", "/storage/volumes/"},
                      {"times", -1},
                      {"status", 400},
                      {"code", 262203}});
    }
    const auto made = wishing.disks().Clone(
        {.volume = Rig::Name("base-301-disk-0"), .snapshot = std::nullopt},
        Rig::Name("base-301-disk-0/vm-100-disk-0"), *neighbours, wishing.Budget());
    array.ClearFaults();
    EXPECT_TRUE(FailedWith(made, ErrorCode::kUnsupported)) << what;
    EXPECT_THAT(made.error().Line(), HasSubstr("make a full clone"));
    EXPECT_EQ(Picture(array), before);
  }
}

TEST_F(DiskMakingTest, CloneWhoseEncryptionIsNotToldIsSaidToBeSo) {
  MakeSources();
  Rig wishing(array, {.settings = {{"encryption", "1"}}});
  wishing.transport().tamper = [](const http::Request& request, http::Response& response) {
    if (request.method != http::Method::kGet || !request.target.starts_with("/api/storage/volumes"))
      return;
    auto answer = nlohmann::json::parse(response.body);
    answer.erase("encryption");
    if (answer.contains("records")) {
      for (auto& record : answer.at("records")) record.erase("encryption");
    }
    response.body = answer.dump();
  };
  const auto neighbours =
      wishing.disks().ListNeighbours({100}, Rig::Name("base-301-disk-0"), wishing.Budget());
  ASSERT_TRUE(neighbours.ok());
  const auto made = wishing.disks().Clone(
      {.volume = Rig::Name("base-301-disk-0"), .snapshot = std::nullopt},
      Rig::Name("base-301-disk-0/vm-100-disk-0"), *neighbours, wishing.Budget());
  ASSERT_TRUE(made.ok()) << made.error().Line();
  EXPECT_THAT(wishing.TakeLog(), HasSubstr("does not tell whether the clone is encrypted"));
}

TEST_F(DiskMakingTest, CloneIsWaitedForUntilItIsOnline) {
  MakeSources();
  array.Set("clone_online_ms", "3000");
  const auto disk = Clone("vm-300-disk-0", Rig::Snap("s1"), "vm-100-disk-0");
  ASSERT_TRUE(disk.ok()) << disk.error().Line();
  EXPECT_EQ(array.FindVolume("t_vm_100_disk_0")->state, "online");
  EXPECT_FALSE(disk->ns->fault);
}

}  // namespace
}  // namespace ontapnvme::catalogue::flexvol
