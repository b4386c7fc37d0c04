// SPDX-License-Identifier: AGPL-3.0-or-later
// Settings reach the array as they should, and wrong ones are refused with the reason.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <sstream>

#include "fault/storage_rig.h"

namespace ontapnvme::fault {
namespace {

using testing::HasSubstr;

// The FlexVol that a storage with these settings makes.
sim::Volume Made(const Settings& settings, TestArray& array) {
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
  Settings settings;
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
        Refusal{"svm stopped",
                {},
                "svm_state",
                {{"svm1", "stopped"}},
                ErrorCode::kUnavailable,
                "its state is 'stopped'"},
        Refusal{
            "account", {{"username", "nobody"}}, "", {}, ErrorCode::kUnauthenticated, "--password"},
        Refusal{"rights",
                {},
                "permissions",
                {{"admin", {"POST /api/protocols/nvme/subsystems.*"}}},
                ErrorCode::kPermissionDenied,
                "/api/protocols/nvme/subsystems"},
        Refusal{"svm account without its aggregate",
                {{"username", "vsadmin"}, {"aggregate", "nope"}},
                "",
                {},
                ErrorCode::kNotFound,
                "delegated"},
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

nlohmann::json SnapshotSpace(const sim::Volume& volume) {
  return volume.extras.value("space", nlohmann::json::object())
      .value("snapshot", nlohmann::json::object());
}

TEST(AutodeleteTest, IsTurnedOnOnceTheDiskIsThere) {
  TestArray array;
  const auto volume = Made({{"snapshot_autodelete", "1"}}, array);
  const auto autodelete = SnapshotSpace(volume).at("autodelete");
  EXPECT_EQ(autodelete.at("enabled"), true);
  EXPECT_EQ(autodelete.at("prefix"), "pve_");
}

TEST(AutodeleteTest, OffCostsNoRequest) {
  TestArray array;
  EXPECT_TRUE(SnapshotSpace(Made({}, array)).empty());
  for (const auto& request : array.Requests()) {
    EXPECT_NE(request.rfind("PATCH /api/storage/volumes", 0), 0U) << request;
  }
}

TEST(AutodeleteTest, ARefusalIsAWarningAndTheDiskStays) {
  TestArray array;
  StorageRig rig(array, {.settings = {{"snapshot_autodelete", "1"}}});
  ASSERT_TRUE(rig.storage().Activate().ok());
  rig.storage().TakeLog();
  array.AddFault({{"method", "PATCH"},
                  {"path", "/storage/volumes/"},
                  {"nth", 1},
                  {"status", 400},
                  {"code", 262196}});
  const auto disk = rig.MustAllocate(100);
  ASSERT_TRUE(array.FaultFired());
  std::string warnings;
  for (const auto& record : rig.storage().TakeLog()) {
    if (record.level == LogLevel::kWarning) warnings += record.text;
  }
  EXPECT_THAT(warnings, HasSubstr("volume 'vm-100-disk-0' was made, but snapshot_autodelete"));
  EXPECT_TRUE(rig.storage().ActivateVolume(disk).ok());
}

std::string RansomwareState(const sim::Volume& volume) {
  return volume.extras.value("anti_ransomware", nlohmann::json::object())
      .value("state", std::string("(unset)"));
}

TEST(RansomwareTest, IsSetOnceTheDiskIsThere) {
  for (const auto& [setting, state] :
       {std::pair("array", "(unset)"), std::pair("on", "enabled"), std::pair("off", "disabled")}) {
    TestArray array;
    array.Set("release", "9.18.1");
    EXPECT_EQ(RansomwareState(Made({{"ransomware_protection", setting}}, array)), state);
  }
}

TEST(RansomwareTest, AnArrayWithoutItIsLeftAloneAndOnIsAWarning) {
  TestArray array;  // 9.16.1
  EXPECT_EQ(RansomwareState(Made({{"ransomware_protection", "off"}}, array)), "(unset)");
  TestArray other;
  StorageRig rig(other, {.settings = {{"ransomware_protection", "on"}}});
  ASSERT_TRUE(rig.storage().Activate().ok());
  rig.storage().TakeLog();
  rig.MustAllocate(100);
  std::string warnings;
  for (const auto& record : rig.storage().TakeLog()) {
    if (record.level == LogLevel::kWarning) warnings += record.text;
  }
  EXPECT_THAT(warnings, HasSubstr("ransomware_protection could not be set on it"));
  EXPECT_THAT(warnings, HasSubstr("9.17.1"));
}

TEST(RansomwareTest, ARefusalIsAWarningAndTheDiskStays) {
  TestArray array;
  array.Set("release", "9.18.1");
  StorageRig rig(array, {.settings = {{"ransomware_protection", "off"}}});
  ASSERT_TRUE(rig.storage().Activate().ok());
  rig.storage().TakeLog();
  array.AddFault(
      {{"method", "PATCH"}, {"path", "/storage/volumes/"}, {"status", 403}, {"code", 6}});
  const auto disk = rig.MustAllocate(100);
  ASSERT_TRUE(array.FaultFired());
  std::string warnings;
  for (const auto& record : rig.storage().TakeLog()) {
    if (record.level == LogLevel::kWarning) warnings += record.text;
  }
  EXPECT_THAT(warnings, HasSubstr("ransomware_protection could not be set on it"));
  EXPECT_TRUE(rig.storage().ActivateVolume(disk).ok());
}

std::string Warnings(StorageRig& rig) {
  std::string lines;
  for (const auto& record : rig.storage().TakeLog()) {
    if (record.level == LogLevel::kWarning) lines += record.text + "\n";
  }
  return lines;
}

TEST(SvmAccountTest, WithoutSvmScopedItIsToldWhatItsCapacityMeans) {
  TestArray array;
  array.Set("storage_limit", {{"svm1", GiB(100).bytes()}});
  StorageRig rig(array, {.settings = {{"username", "vsadmin"}}});
  const auto verified = rig.storage().Verify();
  ASSERT_TRUE(verified.ok()) << verified.error().Line();
  EXPECT_THAT(Warnings(rig), HasSubstr("svm_scoped 1"));
  ASSERT_TRUE(rig.storage().Activate().ok());
  EXPECT_EQ(rig.storage().Capacity()->total, GiB(100));
  EXPECT_EQ(Warnings(rig), "") << "said already";
}

TEST(SvmAccountTest, AggregatesThatAreHiddenByAnEmptyAnswerAreASettingToMend) {
  TestArray array;
  array.Set("svm_account_aggregates", "empty");
  StorageRig rig(array, {.settings = {{"username", "vsadmin"}}});
  const auto verified = rig.storage().Verify();
  ASSERT_TRUE(FailedWith(verified, ErrorCode::kNotFound));
  EXPECT_THAT(verified.error().Line(), HasSubstr("svm_scoped 1"));
}

// An existing storage whose account has a role that other plugins ask for: polls, a VM's life, and no
// line of log more than one for each right.
class RoleTest : public testing::TestWithParam<const char*> {};

TEST_P(RoleTest, CostsFeaturesAndOneWarningEach) {
  TestArray array;
  array.Set("role", GetParam());
  StorageRig rig(array);
  std::string warned;
  for (int day = 0; day < 20; ++day) {
    rig.Restart();
    ASSERT_TRUE(rig.storage().CheckConnection());
    ASSERT_TRUE(rig.storage().Activate().ok());
    const auto capacity = rig.storage().Capacity();
    ASSERT_TRUE(capacity.ok()) << capacity.error().Line();
    const auto disk = rig.MustAllocate(100);
    const auto freed = rig.storage().Free(disk);
    EXPECT_TRUE(freed.ok()) << freed.error().Line();
    array.clock->Advance(std::chrono::minutes(70));
    warned += Warnings(rig);
  }
  std::map<std::string, int> seen;
  std::istringstream lines(warned);
  for (std::string line; std::getline(lines, line);) ++seen[line];
  for (const auto& [line, count] : seen) EXPECT_EQ(count, 1) << line;
  EXPECT_THAT(warned, HasSubstr("access 'readonly' to /api/cluster "));
  EXPECT_THAT(warned, HasSubstr("/api/protocols/nvme/subsystem-controllers"));
}

INSTANTIATE_TEST_SUITE_P(Each, RoleTest, testing::Values("cluster_nine", "svm_seven"));

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
