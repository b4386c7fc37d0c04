// SPDX-License-Identifier: AGPL-3.0-or-later
// Settings reach the array as they should, and wrong ones are refused with the reason.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fault/storage_rig.h"

namespace ontapnvme::fault {
namespace {

using testing::HasSubstr;

// The FlexVol that a storage with these settings makes.
sim::Volume Made(const pve::Settings& settings, TestArray& array) {
  StorageRig rig(array, {.settings = settings});
  EXPECT_TRUE(rig.storage().Activate().ok());
  rig.MustAllocate(100, "", 1024 * 1024);
  for (const auto& volume : array.sim.world().volumes) {
    if (!volume.is_svm_root) return volume;
  }
  return {};
}

TEST(SettingsTest, ThinByDefaultThickWhenAsked) {
  TestArray thin;
  EXPECT_FALSE(Made({}, thin).is_thick);
  TestArray thick;
  const auto volume = Made({{"space_reserve", "volume"}}, thick);
  EXPECT_TRUE(volume.is_thick);
  EXPECT_EQ(volume.fractional_reserve, 100);
}

TEST(SettingsTest, ReserveAutosizeTieringQosAndPrefixArrive) {
  TestArray array;
  const auto volume = Made({{"snapshot_reserve", "20"},
                            {"autosize_max_percent", "200"},
                            {"tiering_policy", "auto"},
                            {"qos_policy", "gold"},
                            {"storage_prefix", "abc_"}},
                           array);
  EXPECT_EQ(volume.name, "abc_vm_100_disk_0");
  EXPECT_EQ(volume.snapshot_reserve_percent, 20);
  EXPECT_EQ(volume.autosize.mode, "grow");
  EXPECT_NEAR(static_cast<double>(volume.autosize.maximum_bytes),
              2.0 * static_cast<double>(volume.size_bytes), 4.0 * 1024 * 1024);
  EXPECT_EQ(volume.tiering_policy, "auto");
  const auto* qos = array.sim.world().qos_policies.Find(volume.qos_policy_uuid);
  ASSERT_NE(qos, nullptr);
  EXPECT_EQ(qos->name, "gold");
}

TEST(SettingsTest, AutosizeCanBeOffAndQosAdaptive) {
  TestArray array;
  const auto volume = Made({{"autosize", "0"}, {"adaptive_qos_policy", "adaptive1"}}, array);
  EXPECT_EQ(volume.autosize.mode, "off");
  const auto* qos = array.sim.world().qos_policies.Find(volume.qos_policy_uuid);
  ASSERT_NE(qos, nullptr);
  EXPECT_EQ(qos->name, "adaptive1");
}

TEST(SettingsTest, EncryptionIsTheAggregatesOrTheVolumes) {
  TestArray volume_key;
  volume_key.Set("key_manager", true);
  EXPECT_EQ(Made({{"encryption", "1"}}, volume_key).encryption_type, "volume");
  TestArray aggregate_key;
  aggregate_key.Set("key_manager", true);
  EXPECT_EQ(Made({{"encryption", "1"}, {"aggregate", "aggr_nae"}}, aggregate_key).encryption_type,
            "aggregate");
  TestArray off;
  EXPECT_EQ(Made({{"encryption", "0"}}, off).encryption_type, "none");
}

TEST(SettingsTest, SnapshotPolicyIsTheGroups) {
  TestArray array;
  const auto volume = Made({{"snapshot_policy", "hourly"}}, array);
  const auto& group = *array.sim.world().groups.begin();
  EXPECT_EQ(array.sim.world().snapshot_policies.Find(group.snapshot_policy_uuid)->name, "hourly");
  EXPECT_EQ(array.sim.world().snapshot_policies.Find(volume.snapshot_policy_uuid)->name, "none");
}

struct Refusal {
  const char* name;
  pve::Settings settings;
  const char* set;       // of the simulator
  nlohmann::json value;  // likewise
  ErrorCode code;
  const char* says;
};

class RefusalTest : public testing::TestWithParam<Refusal> {};

TEST_P(RefusalTest, IsSaidBeforeTheStorageIsAdded) {
  TestArray array;
  if (*GetParam().set != '\0') array.Set(GetParam().set, GetParam().value);
  StorageRig rig(array, {.settings = GetParam().settings});
  const auto verified = rig.storage().Verify();
  ASSERT_FALSE(verified.ok());
  EXPECT_EQ(verified.error().code(), GetParam().code) << verified.error().Line();
  EXPECT_THAT(verified.error().Line(), HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Each, RefusalTest,
    testing::Values(
        Refusal{"aggregate",
                {{"aggregate", "nope"}},
                "",
                {},
                ErrorCode::kNotFound,
                "the cluster has no such aggregate"},
        Refusal{"svm", {{"vserver", "nope"}}, "", {}, ErrorCode::kNotFound, "no such SVM"},
        Refusal{
            "account", {{"username", "nobody"}}, "", {}, ErrorCode::kUnauthenticated, "--password"},
        Refusal{"rights",
                {},
                "permissions",
                {{"admin", {"POST /api/protocols/nvme/subsystems.*"}}},
                ErrorCode::kPermissionDenied,
                "/api/protocols/nvme/subsystems"},
        Refusal{"svm account without svm_scoped",
                {{"username", "vsadmin"}},
                "",
                {},
                ErrorCode::kPermissionDenied,
                "svm_scoped"},
        Refusal{"release", {}, "release", "9.9.1", ErrorCode::kUnsupported, "9.10.1"},
        Refusal{"asa r2", {}, "personality", "asa_r2", ErrorCode::kUnsupported, "ASA r2"},
        Refusal{"qos", {{"qos_policy", "nope"}}, "", {}, ErrorCode::kNotFound, "qos_policy"},
        Refusal{"qos kind", {{"qos_policy", "adaptive1"}}, "", {}, ErrorCode::kNotFound, "fixed"},
        Refusal{"snapshot policy",
                {{"snapshot_policy", "nope"}},
                "",
                {},
                ErrorCode::kNotFound,
                "snapshot_policy"}),
    [](const auto& tested) {
      std::string name = tested.param.name;
      for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
      return name;
    });

TEST(SvmScopedTest, WholeLifeMakesNoClusterCall) {
  TestArray array;
  StorageRig rig(
      array, {.settings = {{"username", "vsadmin"}, {"svm_scoped", "1"}, {"svm_capacity", "100"}}});
  const auto verified = rig.storage().Verify();
  ASSERT_TRUE(verified.ok()) << verified.error().Line();
  ASSERT_TRUE(rig.storage().Activate().ok());
  const auto disk = rig.MustAllocate(100);
  ASSERT_TRUE(rig.storage().CheckConnection());
  const auto capacity = rig.storage().Capacity();
  ASSERT_TRUE(capacity.ok()) << capacity.error().Line();
  EXPECT_EQ(capacity->total, GiB(100));
  ASSERT_TRUE(rig.storage().Free(disk).ok());
  for (const auto& request : array.Requests()) {
    EXPECT_EQ(request.find("/api/storage/aggregates"), std::string::npos) << request;
  }
}

}  // namespace
}  // namespace ontapnvme::fault
