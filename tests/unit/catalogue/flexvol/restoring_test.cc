// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/flexvol/restoring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "unit/catalogue/flexvol/rig.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

using testing::ElementsAre;

class RestoringTest : public testing::Test {
 protected:
  RestoringTest() {
    rig.Make("vm-100-disk-0");
    rig.Make("vm-100-disk-1");
    rig.Make("vm-100-cloudinit");
    Write("old");
    EXPECT_TRUE(
        rig.snapshots().Take(Rig::Name("vm-100-disk-0"), s1, NewOperationId(), rig.Budget()).ok());
    EXPECT_TRUE(rig.snapshots()
                    .Take(Rig::Name("vm-100-cloudinit"), s1, NewOperationId(), rig.Budget())
                    .ok());
    Write("new");
    array.ClearLog();
  }
  void Write(const std::string& bytes) {
    for (const char* flexvol : {"t_vm_100_disk_0", "t_vm_100_disk_1", "t_vm_100_cloudinit"}) {
      array.sim.store().Write(array.NamespaceIn(flexvol)->uuid, 0, bytes);
    }
  }
  std::string Content(const std::string& flexvol) {
    return array.sim.store().Read(array.NamespaceIn(flexvol)->uuid, 0, 3);
  }
  VmHistory History(const std::string& name = "vm-100-disk-0") {
    auto history = rig.snapshots().ReadHistory(Rig::Name(name), rig.Budget());
    EXPECT_TRUE(history.ok());
    return std::move(*history);
  }

  TestArray array;
  Rig rig{array};
  const SnapshotName s1 = Rig::Snap("s1");
};

TEST_F(RestoringTest, GroupGoesBackForThreeRequests) {
  const auto history = History();
  EXPECT_EQ(history.members.size(), 2U);
  ASSERT_EQ(history.disks.size(), 2U);
  for (const auto& disk : history.disks) {
    ASSERT_EQ(disk.snapshots.size(), 1U);
    EXPECT_EQ(disk.snapshots.front().name.OfProxmox(), s1);
    EXPECT_TRUE(disk.ns.has_value());
  }
  ASSERT_TRUE(rig.snapshots().RestoreGroup(history, s1, rig.Budget()).ok());
  EXPECT_EQ(array.Count(), 3);
  EXPECT_EQ(Content("t_vm_100_disk_0"), "old");
  EXPECT_EQ(Content("t_vm_100_disk_1"), "old");
  EXPECT_EQ(Content("t_vm_100_cloudinit"), "new");
}

TEST_F(RestoringTest, DiskGoesBackAlone) {
  const auto history = rig.snapshots().ReadDiskHistory(Rig::Name("vm-100-disk-1"), rig.Budget());
  ASSERT_TRUE(history.ok());
  ASSERT_TRUE(rig.snapshots().RestoreDisk(*history, s1, rig.Budget()).ok());
  EXPECT_EQ(Content("t_vm_100_disk_0"), "new");
  EXPECT_EQ(Content("t_vm_100_disk_1"), "old");
}

TEST_F(RestoringTest, VolumeOutsideTheGroupIsReadWithIt) {
  const auto history = History("vm-100-cloudinit");
  EXPECT_EQ(history.disks.size(), 3U);
  ASSERT_NE(history.Find(Rig::Name("vm-100-cloudinit")), nullptr);
  EXPECT_FALSE(history.members.contains(Rig::Name("vm-100-cloudinit")));
  ASSERT_TRUE(rig.snapshots().RestoreGroup(history, s1, rig.Budget()).ok());
  EXPECT_EQ(Content("t_vm_100_cloudinit"), "new") << "no member of the group";
}

TEST_F(RestoringTest, WhatMayNotBeMappedIsUnmappedForTheMoment) {
  array.Set("restore_mapped", "refuse");
  const auto history = History();
  const auto restored = rig.snapshots().RestoreGroup(history, s1, rig.Budget());
  ASSERT_TRUE(restored.ok()) << restored.error().Line();
  for (const char* flexvol : {"t_vm_100_disk_0", "t_vm_100_disk_1"}) {
    EXPECT_EQ(Content(flexvol), "old");
    EXPECT_NE(array.NamespaceIn(flexvol)->subsystem_uuid, "");
  }
}

// ---- an array that refuses with a code that nobody has documented

struct OtherRefusal {
  int status;
  int code;
};

class UnknownRefusalTest : public RestoringTest,
                           public testing::WithParamInterface<OtherRefusal> {};

TEST_P(UnknownRefusalTest, MayMeanTheMap) {
  array.AddFault({{"method", "PATCH"},
                  {"path", "consistency-groups"},
                  {"status", GetParam().status},
                  {"code", GetParam().code},
                  {"times", -1}});
  array.AddFault({{"method", "PATCH"},
                  {"path", "restore_to"},
                  {"status", GetParam().status},
                  {"code", GetParam().code}});
  const auto history = History();
  array.ClearLog();
  const auto restored = rig.snapshots().RestoreGroup(history, s1, rig.Budget());
  ASSERT_TRUE(restored.ok()) << restored.error().Line();
  EXPECT_TRUE(array.FaultFired());
  const auto requests = array.Requests();
  const auto unmapped = std::count_if(requests.begin(), requests.end(), [](const auto& line) {
    return line.starts_with("DELETE /api/protocols/nvme/subsystem-maps/");
  });
  EXPECT_EQ(unmapped, 1) << "the disk that was refused, and no other";
  for (const char* flexvol : {"t_vm_100_disk_0", "t_vm_100_disk_1"}) {
    EXPECT_EQ(Content(flexvol), "old");
    EXPECT_NE(array.NamespaceIn(flexvol)->subsystem_uuid, "");
  }
}

INSTANTIATE_TEST_SUITE_P(Each, UnknownRefusalTest,
                         testing::Values(OtherRefusal{400, 4242}, OtherRefusal{409, 4242},
                                         OtherRefusal{500, 4242}, OtherRefusal{400, 3},
                                         OtherRefusal{400, 262247}));

// What stands in the way would be there without the map as well.
class OtherReasonTest : public RestoringTest, public testing::WithParamInterface<OtherRefusal> {};

TEST_P(OtherReasonTest, UnmapsNothing) {
  const auto history = History();
  array.AddFault({{"method", "PATCH"},
                  {"status", GetParam().status},
                  {"code", GetParam().code},
                  {"times", -1}});
  array.ClearLog();
  ASSERT_FALSE(rig.snapshots().RestoreGroup(history, s1, rig.Budget()).ok());
  for (const auto& line : array.Requests()) EXPECT_FALSE(line.starts_with("DELETE")) << line;
}

INSTANTIATE_TEST_SUITE_P(Each, OtherReasonTest,
                         testing::Values(OtherRefusal{403, 6}, OtherRefusal{404, 4},
                                         OtherRefusal{500, 1245212}, OtherRefusal{409, 9437886},
                                         OtherRefusal{409, 1638480}, OtherRefusal{503, 0}));

// ---- the map comes back on every way

TEST_F(RestoringTest, IsMappedAgainWhenItCannotBeRevertedWithoutTheMapEither) {
  array.AddFault({{"method", "PATCH"}, {"status", 409}, {"code", 4242}, {"times", -1}});
  const auto history = rig.snapshots().ReadDiskHistory(Rig::Name("vm-100-disk-1"), rig.Budget());
  ASSERT_TRUE(history.ok());
  ASSERT_FALSE(rig.snapshots().RestoreDisk(*history, s1, rig.Budget()).ok());
  EXPECT_EQ(Content("t_vm_100_disk_1"), "new");
  EXPECT_NE(array.NamespaceIn("t_vm_100_disk_1")->subsystem_uuid, "");
}

TEST_F(RestoringTest, IsMappedAgainWhenTheAnswerToUnmappingIsLost) {
  array.Set("restore_mapped", "refuse");
  const auto history = rig.snapshots().ReadDiskHistory(Rig::Name("vm-100-disk-1"), rig.Budget());
  ASSERT_TRUE(history.ok());
  array.AddFault({{"method", "DELETE"}, {"never_answer", true}, {"times", -1}});
  ASSERT_FALSE(rig.snapshots().RestoreDisk(*history, s1, rig.Budget()).ok());
  EXPECT_NE(array.NamespaceIn("t_vm_100_disk_1")->subsystem_uuid, "");
}

// The task was killed there: whoever needs the disk next maps it.
TEST_F(RestoringTest, WhatAKilledTaskLeavesUnmappedRecoveryMaps) {
  array.Set("restore_mapped", "refuse");
  const auto history = rig.snapshots().ReadDiskHistory(Rig::Name("vm-100-disk-1"), rig.Budget());
  ASSERT_TRUE(history.ok());
  array.AddFault({{"method", "POST"}, {"status", 500}, {"code", 4242}, {"times", -1}});
  (void)rig.snapshots().RestoreDisk(*history, s1, rig.Budget());
  ASSERT_EQ(array.NamespaceIn("t_vm_100_disk_1")->subsystem_uuid, "");
  array.ClearFaults();
  array.clock.Advance(std::chrono::hours(2));
  const auto survey = rig.backend().Look(array.clock.WallTime(), rig.Budget());
  ASSERT_TRUE(survey.ok());
  ASSERT_EQ(survey->left_overs.size(), 1U);
  ASSERT_TRUE(rig.backend().Settle(survey->left_overs.front(), rig.Budget()).ok());
  EXPECT_NE(array.NamespaceIn("t_vm_100_disk_1")->subsystem_uuid, "");
}

TEST_F(RestoringTest, AMapOfSomebodyElseIsNotTakenAway) {
  const auto history = rig.snapshots().ReadDiskHistory(Rig::Name("vm-100-disk-1"), rig.Budget());
  ASSERT_TRUE(history.ok());
  rig.ChangeRecords("/api/storage/namespaces", [](nlohmann::json& record) {
    record["subsystem_map"]["subsystem"] = {{"uuid", "99999999-2222-3333-4444-555555555555"},
                                            {"name", "theirs"}};
  });
  array.Set("restore_mapped", "refuse");
  array.ClearLog();
  ASSERT_FALSE(rig.snapshots().RestoreDisk(*history, s1, rig.Budget()).ok());
  for (const auto& line : array.Requests()) EXPECT_FALSE(line.starts_with("DELETE")) << line;
}

TEST_F(RestoringTest, GroupThatWasMadeAnewGoesBackDiskByDisk) {
  const auto history = History();
  array.world().groups.Erase(history.group->uuid.Text());
  ASSERT_TRUE(rig.snapshots().RestoreGroup(history, s1, rig.Budget()).ok());
  EXPECT_EQ(Content("t_vm_100_disk_0"), "old");
  EXPECT_EQ(Content("t_vm_100_disk_1"), "old");
}

TEST_F(RestoringTest, RefusalForAnotherReasonIsOne) {
  const auto history = History();
  array.AddFault({{"method", "PATCH"}, {"status", 403}, {"code", 6}, {"times", -1}});
  EXPECT_TRUE(FailedWith(rig.snapshots().RestoreGroup(history, s1, rig.Budget()),
                         ErrorCode::kPermissionDenied));
  EXPECT_EQ(Content("t_vm_100_disk_0"), "new");
}

}  // namespace
}  // namespace ontapnvme::catalogue::flexvol
