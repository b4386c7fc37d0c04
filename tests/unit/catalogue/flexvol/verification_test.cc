// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/flexvol/verification.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "unit/catalogue/flexvol/rig.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

using testing::HasSubstr;

class VerificationTest : public testing::Test {
 protected:
  Status Verify(std::map<std::string, std::string> settings = {}) {
    if (!rig || !settings.empty()) rig.emplace(array, RigOptions{.settings = std::move(settings)});
    array.ClearLog();
    auto verified = rig->backend().Verify("nqn.2014-08.org.nvmexpress:uuid:node7", rig->Budget());
    lines = rig->TakeLog();
    return verified;
  }
  TestArray array;
  std::optional<Rig> rig;
  std::string lines;
};

TEST_F(VerificationTest, RegistersThisNodeWhenAllIsWell) {
  const auto verified = Verify();
  ASSERT_TRUE(verified.ok()) << verified.error().Line();
  EXPECT_THAT(lines, HasSubstr("registered host NQN"));
}

TEST_F(VerificationTest, PolicyThatIsNotThereIsASettingToMend) {
  for (const char* setting : {"qos_policy", "adaptive_qos_policy", "snapshot_policy"}) {
    const auto refused = Verify({{setting, "nope"}});
    ASSERT_TRUE(FailedWith(refused, ErrorCode::kNotFound)) << setting;
    EXPECT_THAT(refused.error().Line(), HasSubstr("setting '" + std::string(setting) + "'"));
    EXPECT_THAT(refused.error().Line(), HasSubstr("'nope'"));
  }
}

TEST_F(VerificationTest, AllLifsOnOneControllerAreAWarning) {
  array.Set("lif", {{"name", "127.0.0.2"}, {"state", "down"}, {"enabled", true}});
  const auto verified = Verify();
  ASSERT_TRUE(verified.ok()) << verified.error().Line();
  EXPECT_THAT(lines, HasSubstr("on one controller"));
}

// ---- rights

TEST_F(VerificationTest, AllRightsThatDisksNeedAreNamedInOneGo) {
  rig.emplace(array);
  array.Set("permissions",
            {{"admin",
              {"[A-Z]+ /api/storage/(volumes|namespaces).*", "[A-Z]+ /api/application/.*",
               "GET /api/network/.*", "[A-Z]+ /api/protocols/nvme/subsystems.*"}}});
  const auto verified = Verify();
  ASSERT_TRUE(FailedWith(verified, ErrorCode::kPermissionDenied));
  const std::string line = verified.error().Line();
  for (const char* right :
       {"'all' to /api/storage/volumes", "'all' to /api/storage/namespaces",
        "'all' to /api/application/consistency-groups", "'all' to /api/protocols/nvme/subsystems",
        "'readonly' to /api/network/ip/interfaces", "account 'admin'"}) {
    EXPECT_THAT(line, HasSubstr(right));
  }
  EXPECT_THAT(line, testing::Not(HasSubstr("/api/svm/svms")));
}

struct Feature {
  const char* name;
  const char* denied;
  const char* right;
  const char* loss;
};

class FeatureRightTest : public VerificationTest, public testing::WithParamInterface<Feature> {};

// And is said at each change of the storage, whatever was said by a poll.
TEST_P(FeatureRightTest, IsAWarningAndTheStorageIsAdded) {
  rig.emplace(array,
              RigOptions{.settings = {{"qos_policy", "gold"}, {"snapshot_policy", "hourly"}}});
  array.Set("permissions", {{"admin", {GetParam().denied}}});
  for (int i = 0; i < 2; ++i) {
    const auto verified = Verify();
    ASSERT_TRUE(verified.ok()) << verified.error().Line();
    EXPECT_THAT(lines, HasSubstr(GetParam().right));
    EXPECT_THAT(lines, HasSubstr(GetParam().loss));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Each, FeatureRightTest,
    testing::Values(
        Feature{"release", "GET /api/cluster", "access 'readonly' to /api/cluster", "release"},
        Feature{"service", "GET /api/protocols/nvme/services",
                "access 'readonly' to /api/protocols/nvme/services", "NVMe service"},
        Feature{"aggregates", "GET /api/storage/aggregates",
                "access 'readonly' to /api/storage/aggregates", "capacity"},
        Feature{"qos", "GET /api/storage/qos/policies",
                "access 'readonly' to /api/storage/qos/policies", "QoS policy"},
        Feature{"schedules", "GET /api/storage/snapshot-policies",
                "access 'readonly' to /api/storage/snapshot-policies", "snapshot policy"}),
    [](const auto& tested) { return tested.param.name; });

TEST_F(VerificationTest, AnAggregateThatIsNeitherReadNorDelegatedIsASettingToMend) {
  array.Set("permissions", {{"admin", {"GET /api/storage/aggregates"}}});
  rig.emplace(array, RigOptions{.settings = {{"aggregate", "nope"}}});
  const auto verified = Verify();
  ASSERT_TRUE(FailedWith(verified, ErrorCode::kNotFound));
  EXPECT_THAT(verified.error().Line(), HasSubstr("'nope'"));
}

// ---- an account that is shown less of each object

TEST_F(VerificationTest, AListThatIsNotShownProvesNothing) {
  rig.emplace(array, RigOptions{.settings = {{"svm_scoped", "1"}}});
  rig->ChangeRecords("/api/svm/svms", [](nlohmann::json& record) { record.erase("aggregates"); });
  const auto verified = Verify();
  EXPECT_TRUE(verified.ok()) << verified.error().Line();
}

TEST_F(VerificationTest, LifsWhoseControllerIsNotShownAreNoWarning) {
  rig.emplace(array);
  rig->ChangeRecords("/api/network/ip/interfaces",
                     [](nlohmann::json& record) { record.erase("location"); });
  ASSERT_TRUE(Verify().ok());
  EXPECT_THAT(lines, testing::Not(HasSubstr("on one controller")));
}

TEST_F(VerificationTest, TlsWithoutAKeyIsRefusedBeforeAnythingIsSent) {
  EXPECT_TRUE(FailedWith(Verify({{"nvme_tls", "1"}}), ErrorCode::kInvalidArgument));
  EXPECT_EQ(array.Count(), 0);
}

}  // namespace
}  // namespace ontapnvme::catalogue::flexvol
