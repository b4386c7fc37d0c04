// SPDX-License-Identifier: AGPL-3.0-or-later
// What others made becomes a disk where it is, or is left alone, and its bytes are the same in any case.
#include "catalogue/flexvol/adopting.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/catalogue/flexvol/rig.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kPath = "/vol/oracle/oracle";

void MakeStranger(TestArray& on) {
  on.MakeStray("oracle", "");
  on.sim.store().Write(on.NamespaceIn("oracle")->uuid, 0, "mine");
}

void MakeLun(TestArray& on) {
  on.MakeStray("oracle", "", false);
  on.sim.Ctl({{"cmd", "admin"},
              {"method", "POST"},
              {"target", "/api/storage/luns"},
              {"body",
               {{"svm", {{"name", "svm1"}}},
                {"name", kPath},
                {"os_type", "linux"},
                {"space", {{"size", 4194304}}}}}});
  ASSERT_EQ(on.world().luns.size(), 1U);
  on.sim.store().Write(on.world().luns.begin()->uuid, 0, "mine");
}

class AdoptingTest : public testing::Test {
 protected:
  void SetUp() override { MakeStranger(array); }

  void ReplaceByLun() {
    array.Remove("oracle");
    MakeLun(array);
  }
  Result<Disk> Adopt(const AdoptionSource& source = {.path = kPath}, std::uint64_t vmid = 100) {
    const auto name = Rig::Name("vm-" + std::to_string(vmid) + "-disk-0");
    return rig.disks().Adopt(source, name, rig.NeighboursOf(name), rig.Budget());
  }
  Result<AdoptionOutlook> Examine(const AdoptionSource& source = {.path = kPath},
                                  std::uint64_t vmid = 100) {
    const auto name = Rig::Name("vm-" + std::to_string(vmid) + "-disk-0");
    return rig.disks().ExamineForAdoption(source, vmid, rig.NeighboursOf(name), rig.Budget());
  }
  static std::string Content(TestArray& on, const std::string& flexvol) {
    const auto* ns = on.NamespaceIn(flexvol);
    return ns == nullptr ? "" : on.sim.store().Read(ns->uuid, 0, 4);
  }
  void ExpectAdopted() {
    const auto disk = rig.MustFind("vm-100-disk-0");
    EXPECT_EQ(disk.ns->mapping, Mapping::kHere);
    EXPECT_EQ(disk.volume.mark.owner, Owner::kOurs);
    EXPECT_EQ(disk.volume.mark.mark.adopted_from, kPath);
    EXPECT_EQ(Content(array, "t_vm_100_disk_0"), "mine");
    EXPECT_EQ(array.FindVolume("oracle"), nullptr);
    EXPECT_THAT(array.MembersOf("t_pve_cg_vm_100"), Contains("t_vm_100_disk_0"));
    EXPECT_THAT(array.Orphans(), IsEmpty());
  }
  // Neither looking nor adopting changes anything, and both say why.
  void ExpectRefused(ErrorCode code, const std::string& reason,
                     const AdoptionSource& source = {.path = kPath}) {
    const std::string before = Picture(array);
    const auto looked = Examine(source);
    const auto adopted = Adopt(source);
    EXPECT_TRUE(FailedWith(looked, code)) << (looked.ok() ? "taken" : looked.error().Line());
    ASSERT_TRUE(FailedWith(adopted, code)) << (adopted.ok() ? "taken" : adopted.error().Line());
    EXPECT_THAT(adopted.error().Line(), HasSubstr(reason));
    EXPECT_NE(adopted.error().hint(), "") << adopted.error().Line();
    EXPECT_EQ(Picture(array), before);
  }

  TestArray array;
  Rig rig{array};
};

TEST_F(AdoptingTest, NamespaceBecomesADiskWithItsBytes) {
  array.FindVolume("oracle")->comment = "of the old cluster";
  const std::string uuid = array.NamespaceIn("oracle")->uuid;
  const auto outlook = Examine();
  ASSERT_TRUE(outlook.ok()) << outlook.error().Line();
  EXPECT_EQ(outlook->size, MiB(4));
  EXPECT_FALSE(outlook->disk);
  EXPECT_THAT(outlook->remarks, Contains(HasSubstr("notes: 'of the old cluster'")));
  const auto adopted = Adopt();
  ASSERT_TRUE(adopted.ok()) << adopted.error().Line();
  EXPECT_EQ(adopted->volume.name.Text(), "vm-100-disk-0");
  EXPECT_EQ(adopted->ns->uuid.Text(), uuid);
  EXPECT_EQ(rig.MustFind("vm-100-disk-0").volume.mark.mark.notes, "of the old cluster");
  ExpectAdopted();
  // Done again it finds what it has done, and says which disk that is.
  EXPECT_EQ(Examine()->disk, Rig::Name("vm-100-disk-0"));
  EXPECT_TRUE(Adopt().ok());
  ExpectAdopted();
}

// Backups are put back there again and again, for example.
TEST_F(AdoptingTest, PathThatWasAdoptedBeforeIsAnotherDisk) {
  ASSERT_TRUE(Adopt().ok());
  MakeStranger(array);
  EXPECT_FALSE(Examine()->disk);
  const auto second = Rig::Name("vm-100-disk-1");
  const auto adopted =
      rig.disks().Adopt({.path = kPath}, second, rig.NeighboursOf(second), rig.Budget());
  ASSERT_TRUE(adopted.ok()) << adopted.error().Line();
  EXPECT_EQ(adopted->volume.name, second);
  EXPECT_EQ(Examine()->disk, second);
  EXPECT_EQ(rig.MustFind("vm-100-disk-0").volume.mark.mark.adopted_from, "");
  EXPECT_EQ(Content(array, "t_vm_100_disk_0"), "mine");
}

TEST_F(AdoptingTest, SaysBeforehandWhetherTheCommentIsKept) {
  std::size_t longest = 0;
  for (std::size_t size = 500; size < 1023; ++size) {
    array.FindVolume("oracle")->comment = std::string(size, 'x');
    const auto outlook = Examine();
    ASSERT_TRUE(outlook.ok()) << outlook.error().Line();
    const bool is_kept = testing::Value(outlook->remarks, Contains(HasSubstr("becomes the disk")));
    if (is_kept) longest = size;
    if (!is_kept) break;
  }
  ASSERT_GT(longest, 500U);
  array.FindVolume("oracle")->comment = std::string(longest, 'x');
  ASSERT_TRUE(Adopt().ok());
  EXPECT_EQ(rig.MustFind("vm-100-disk-0").volume.mark.mark.notes.size(), longest);
}

TEST_F(AdoptingTest, LunIsConvertedFirst) {
  ReplaceByLun();
  ExpectRefused(ErrorCode::kConflict, "it is a LUN");
  const AdoptionSource source{.path = kPath, .is_lun = true};
  const auto outlook = Examine(source);
  ASSERT_TRUE(outlook.ok()) << outlook.error().Line();
  EXPECT_EQ(outlook->size, MiB(4));
  const auto adopted = Adopt(source);
  ASSERT_TRUE(adopted.ok()) << adopted.error().Line();
  EXPECT_EQ(array.world().luns.size(), 0U);
  ExpectAdopted();
}

TEST_F(AdoptingTest, LunThatTheArrayDoesNotConvertStaysWhatItIs) {
  ReplaceByLun();
  auto& lun = *array.world().luns.begin();
  const AdoptionSource source{.path = kPath, .is_lun = true};
  const auto expect_kept = [&](ErrorCode code, const std::string& reason) {
    const auto adopted = Adopt(source);
    ASSERT_TRUE(FailedWith(adopted, code)) << (adopted.ok() ? "taken" : adopted.error().Line());
    EXPECT_THAT(adopted.error().Line(), HasSubstr(reason));
    EXPECT_EQ(array.sim.store().Read(lun.uuid, 0, 4), "mine");
    EXPECT_EQ(array.FindVolume("oracle")->comment, "");
  };
  lun.has_streams = true;
  const auto refused = Adopt(source);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().Line(), HasSubstr("is in no snapshot"));
  EXPECT_EQ(array.FindVolume("oracle")->comment, "") << "nothing has changed";
  lun.has_streams = false;
  lun.is_mapped = true;
  expect_kept(ErrorCode::kBusy, "it is mapped");
  lun.is_mapped = false;
  EXPECT_TRUE(Adopt(source).ok());
  ExpectAdopted();
}

TEST_F(AdoptingTest, WhatMayBeAnothersIsLeftAlone) {
  auto* volume = array.FindVolume("oracle");
  volume->comment = MarkOf(kOtherCluster, "tank");
  ExpectRefused(ErrorCode::kConflict, "it belongs to another cluster or storage");
  volume->comment = MarkOf(RigOptions().cluster_id, "pool");
  ExpectRefused(ErrorCode::kConflict, "it belongs to another cluster or storage");
  volume->comment = MarkOf(RigOptions().cluster_id, "tank");
  ExpectRefused(ErrorCode::kConflict, "is one that this storage made");
  volume->comment = "";
  array.NamespaceIn("oracle")->comment = MarkOf(kOtherCluster, "tank");
  ExpectRefused(ErrorCode::kConflict, "its comment says that another cluster");
  array.NamespaceIn("oracle")->comment = "";
  volume->name = "x_vm_101_disk_2";
  ExpectRefused(ErrorCode::kConflict, "is called like disk 'vm-101-disk-2'",
                {.path = "/vol/x_vm_101_disk_2/oracle"});
  rig.Make("vm-100-disk-7");
  ExpectRefused(ErrorCode::kAlreadyExists, "it is volume 'vm-100-disk-7' of this storage",
                {.path = "/vol/t_vm_100_disk_7/t_vm_100_disk_7"});
}

TEST_F(AdoptingTest, WhatIsInUseOrNotAloneIsLeftAlone) {
  auto* volume = array.FindVolume("oracle");
  auto* ns = array.NamespaceIn("oracle");
  ns->subsystem_uuid = array.world().subsystems.begin()->uuid;
  ExpectRefused(ErrorCode::kBusy, "it is mapped to");
  ns->subsystem_uuid.clear();
  ns->size_bytes += 512;
  ExpectRefused(ErrorCode::kConflict, "no multiple of 4 KiB");
  ns->size_bytes -= 512;
  volume->is_svm_root = true;
  ExpectRefused(ErrorCode::kConflict, "the root of the SVM");
  volume->is_svm_root = false;
  volume->extras["nas"]["path"] = "/files";
  ExpectRefused(ErrorCode::kConflict, "mounted at '/files'");
  volume->extras.erase("nas");
  volume->state = "offline";
  ExpectRefused(ErrorCode::kUnavailable, "its FlexVol is not online");
  volume->state = "online";
  sim::Lun lun;
  lun.uuid = array.world().NewUuid();
  lun.volume_uuid = volume->uuid;
  lun.base_name = "another";
  array.sim.store().Create(lun.uuid, 4096);
  const std::string uuid = array.world().luns.Add(lun).uuid;
  ExpectRefused(ErrorCode::kConflict, "holds others besides: /vol/oracle/another");
  array.Set("permissions", {{"admin", {"GET /api/storage/luns"}}});
  ExpectRefused(ErrorCode::kPermissionDenied, "/api/storage/luns");
  array.Set("permissions", {{"admin", nlohmann::json::array()}});
  array.world().luns.Erase(uuid);
  sim::NvmeNamespace other = *ns;
  other.uuid = array.world().NewUuid();
  other.base_name = "second";
  array.sim.store().Create(other.uuid, 4096);
  array.world().namespaces.Add(other);
  ExpectRefused(ErrorCode::kConflict, "holds others besides: /vol/oracle/second");
}

TEST_F(AdoptingTest, WhatIsNoPathOrNotThereIsSaid) {
  for (const char* path : {"", "oracle", "/vol/", "/vol/oracle", "/vol/oracle/", "/vol/a*/b",
                           "/vol/oracle/.snapshot/s/oracle"}) {
    ExpectRefused(ErrorCode::kInvalidArgument, "it is no path of the array", {.path = path});
  }
  ExpectRefused(ErrorCode::kNotFound, "the array lists no namespace", {.path = "/vol/oracle/b"});
  ExpectRefused(ErrorCode::kNotFound, "the array lists no LUN",
                {.path = "/vol/nothing/b", .is_lun = true});
}

TEST_F(AdoptingTest, AdoptionThatWasBegunForAVmIsNotForAnother) {
  array.AddFault({{"drop_before", true}, {"method", "PATCH"}, {"nth", 2}, {"times", -1}});
  ASSERT_FALSE(Adopt().ok());
  array.ClearFaults();
  const auto refused = Adopt({.path = kPath}, 200);
  ASSERT_TRUE(FailedWith(refused, ErrorCode::kConflict));
  EXPECT_THAT(refused.error().Line(), HasSubstr("it is being adopted for VM 100"));
  ASSERT_TRUE(Adopt().ok());
  ExpectAdopted();
}

// Of a namespace and of a LUN: whichever request is the last that reaches the array, or whose answer is the
// last that arrives.
class AdoptingStoppedTest : public testing::TestWithParam<std::tuple<bool, const char*>> {};

TEST_P(AdoptingStoppedTest, NothingIsLostAndItGoesOn) {
  const auto [is_lun, way] = GetParam();
  int points = 0;
  for (int nth = 1;; ++nth) {
    SCOPED_TRACE("stopped at request " + std::to_string(nth));
    TestArray array;
    Rig rig(array);
    is_lun ? MakeLun(array) : MakeStranger(array);
    const AdoptionSource source{.path = kPath, .is_lun = is_lun};
    const auto name = Rig::Name("vm-100-disk-0");
    const auto adopt = [&] {
      return rig.disks().Adopt(source, name, rig.NeighboursOf(name), rig.Budget());
    };
    array.AddFault({{way, true}, {"nth", nth + 1}, {"times", -1}});  // after the look at the VM
    const auto stopped = adopt();
    const bool fired = array.FaultFired();
    array.ClearFaults();
    // Recovery comes by, later, and takes nothing of it away.
    array.clock.Advance(std::chrono::hours(2));
    const auto survey = rig.backend().Look(array.clock.WallTime(), rig.Budget());
    ASSERT_TRUE(survey.ok()) << survey.error().Line();
    for (const auto& left_over : survey->left_overs)
      (void)rig.backend().Settle(left_over, rig.Budget());
    std::string bytes;
    for (const auto& lun : array.world().luns) bytes += array.sim.store().Read(lun.uuid, 0, 4);
    for (const auto& ns : array.world().namespaces) bytes += array.sim.store().Read(ns.uuid, 0, 4);
    EXPECT_EQ(bytes, "mine") << "the one or the other";
    const auto again = adopt();
    ASSERT_TRUE(again.ok()) << again.error().Line();
    EXPECT_EQ(again->volume.name, name);
    EXPECT_EQ(array.sim.store().Read(array.NamespaceIn("t_vm_100_disk_0")->uuid, 0, 4), "mine");
    EXPECT_EQ(array.VolumeNames().size(), 1U);
    EXPECT_THAT(array.Orphans(), IsEmpty());
    if (!fired) {
      ASSERT_TRUE(stopped.ok()) << stopped.error().Line();
      break;
    }
    ++points;
  }
  EXPECT_GE(points, is_lun ? 9 : 8);
}

INSTANTIATE_TEST_SUITE_P(Ways, AdoptingStoppedTest,
                         testing::Combine(testing::Bool(),
                                          testing::Values("drop_before", "drop_after")),
                         [](const auto& tested) {
                           return std::string(std::get<0>(tested.param) ? "lun_" : "namespace_") +
                                  std::get<1>(tested.param);
                         });

}  // namespace
}  // namespace ontapnvme::catalogue::flexvol
