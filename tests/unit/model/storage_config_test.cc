// SPDX-License-Identifier: AGPL-3.0-or-later
#include "model/storage_config.h"

#include <gtest/gtest.h>

namespace ontapnvme {
namespace {

Settings Minimal() {
  return {{"mgmt_ip", "192.0.2.1"},
          {"username", "admin"},
          {"vserver", "svm1"},
          {"subsystem", "pve"},
          {"aggregate", "aggr1"}};
}

Settings With(const Settings& more) {
  Settings settings = Minimal();
  for (const auto& [key, value] : more) settings[key] = value;
  return settings;
}

TEST(StorageConfigTest, DefaultsAreThoseOfTheManual) {
  const auto config = StorageConfig::Parse("tank", Minimal());
  ASSERT_TRUE(config.ok()) << config.error().Line();
  EXPECT_EQ(config->mgmt_host, "192.0.2.1");
  EXPECT_EQ(config->mgmt_port, 443);
  EXPECT_TRUE(config->is_tls_verified);
  EXPECT_TRUE(config->is_autosize_on);
  EXPECT_EQ(config->autosize_max_percent, 300U);
  EXPECT_EQ(config->snapshot_reserve_percent, 0U);
  EXPECT_EQ(config->encryption, EncryptionSetting::kAggregate);
  EXPECT_FALSE(config->is_thick);
  EXPECT_FALSE(config->is_force_delete);
  EXPECT_FALSE(config->is_snapshot_autodelete_on);
  EXPECT_FALSE(config->is_svm_scoped);
  EXPECT_TRUE(config->portals.empty());
  EXPECT_TRUE(config->prefix.empty());
}

TEST(StorageConfigTest, EverySettingArrives) {
  const auto config = StorageConfig::Parse("tank", With({{"mgmt_ip", "[2001:db8::1]:8443"},
                                                         {"ontap_portal", "192.0.2.11"},
                                                         {"ontap_portal2", "lif2.example.org"},
                                                         {"storage_prefix", "pve_"},
                                                         {"snapshot_policy", "daily"},
                                                         {"encryption", "1"},
                                                         {"space_reserve", "volume"},
                                                         {"qos_policy", "gold"},
                                                         {"snapshot_reserve", "90"},
                                                         {"tiering_policy", "auto"},
                                                         {"autosize", "0"},
                                                         {"autosize_max_percent", "105"},
                                                         {"snapshot_autodelete", "1"},
                                                         {"svm_scoped", "1"},
                                                         {"svm_capacity", "2048"},
                                                         {"force_delete", "1"},
                                                         {"verify_ssl", "0"},
                                                         {"nvme_tls", "1"},
                                                         {"debug", "2"}}));
  ASSERT_TRUE(config.ok()) << config.error().Line();
  EXPECT_EQ(config->mgmt_host, "2001:db8::1");
  EXPECT_EQ(config->mgmt_port, 8443);
  EXPECT_EQ(config->portals, (std::vector<std::string>{"192.0.2.11", "lif2.example.org"}));
  EXPECT_EQ(config->encryption, EncryptionSetting::kOn);
  EXPECT_TRUE(config->is_thick);
  EXPECT_EQ(config->snapshot_reserve_percent, 90U);
  EXPECT_EQ(config->tiering_policy, "auto");
  EXPECT_FALSE(config->is_autosize_on);
  EXPECT_EQ(config->svm_capacity, GiB(2048));
  EXPECT_FALSE(config->is_tls_verified);
  EXPECT_TRUE(config->is_nvme_tls);
  EXPECT_EQ(config->debug, 2U);
}

TEST(StorageConfigTest, EncryptionOffIsNotTheSameAsUnset) {
  EXPECT_EQ(StorageConfig::Parse("t", With({{"encryption", "0"}}))->encryption,
            EncryptionSetting::kOff);
}

struct Wrong {
  const char* key;
  const char* value;
};
class WrongSettingTest : public testing::TestWithParam<Wrong> {};

TEST_P(WrongSettingTest, IsRefusedByName) {
  const auto config = StorageConfig::Parse("t", With({{GetParam().key, GetParam().value}}));
  ASSERT_FALSE(config.ok()) << GetParam().key << "=" << GetParam().value;
  EXPECT_EQ(config.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_NE(config.error().Line().find(std::string("'") + GetParam().key + "'"), std::string::npos)
      << config.error().Line();
}

INSTANTIATE_TEST_SUITE_P(
    Each, WrongSettingTest,
    testing::Values(Wrong{"mgmt_ip", ""}, Wrong{"mgmt_ip", "a b"}, Wrong{"mgmt_ip", "https://x"},
                    Wrong{"mgmt_ip", "host:0"}, Wrong{"mgmt_ip", "host:99999"},
                    Wrong{"mgmt_ip", "[::1"}, Wrong{"username", ""}, Wrong{"username", "a:b"},
                    Wrong{"vserver", ""}, Wrong{"vserver", "svm*"}, Wrong{"subsystem", "a|b"},
                    Wrong{"subsystem",
                          "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
                    Wrong{"aggregate", "a/b"}, Wrong{"storage_prefix", "1abc"},
                    Wrong{"storage_prefix", "a-b"}, Wrong{"snapshot_policy", "a b"},
                    Wrong{"encryption", "maybe"}, Wrong{"space_reserve", "thin"},
                    Wrong{"snapshot_reserve", "91"}, Wrong{"snapshot_reserve", "-1"},
                    Wrong{"snapshot_reserve", "5%"}, Wrong{"tiering_policy", "backup"},
                    Wrong{"autosize_max_percent", "104"}, Wrong{"autosize_max_percent", "1001"},
                    Wrong{"svm_capacity", "0"}, Wrong{"svm_capacity", "10"}, Wrong{"debug", "3"},
                    Wrong{"ontap_portal", "192.0.2.1:4420"}, Wrong{"verify_ssl", "2"}));

// What parses addresses stops at a NUL, what connects may not.
TEST(StorageConfigTest, ANulIsNoPartOfAnAddress) {
  for (const std::string address : {"fd00::1", "192.0.2.1", "[fd00::1]"}) {
    const std::string with_nul = address + std::string("\0/x", 3);
    EXPECT_FALSE(StorageConfig::Parse("t", With({{"mgmt_ip", with_nul}})).ok()) << address;
    EXPECT_FALSE(StorageConfig::Parse("t", With({{"ontap_portal", with_nul}})).ok()) << address;
  }
}

TEST(StorageConfigTest, BothKindsOfQosAreRefused) {
  const auto config =
      StorageConfig::Parse("t", With({{"qos_policy", "gold"}, {"adaptive_qos_policy", "a1"}}));
  ASSERT_FALSE(config.ok());
  EXPECT_EQ(
      config.error().Line(),
      "settings 'qos_policy' and 'adaptive_qos_policy' exclude each other; keep one of them: a "
      "volume has one QoS policy "
      "[invalid-argument, qos_policy=gold, adaptive_qos_policy=a1]");
}

// Proxmox hands over a whole section, with keys of its own.
TEST(StorageConfigTest, AKeyThatIsNoSettingIsPassedOver) {
  EXPECT_TRUE(StorageConfig::Parse("t", With({{"content", "images"}, {"no_such", "x"}})).ok());
}

TEST(StorageConfigTest, CapacityNeedsAnAccountOfTheSvm) {
  const auto config = StorageConfig::Parse("t", With({{"svm_capacity", "10"}}));
  ASSERT_FALSE(config.ok());
  EXPECT_NE(config.error().Line().find("set svm_scoped 1"), std::string::npos);
}

// Said while the storage is being added, when there is nothing yet that 'pvesm set' could change,
// and of one that is there.
TEST(StorageConfigTest, TheRemedyForAMissingKeyIsPossibleBeforeAndAfterAdding) {
  const auto config = StorageConfig::Parse("tank", With({{"nvme_tls", "1"}}));
  ASSERT_TRUE(config.ok()) << config.error().Line();
  const std::string line = CheckSecrets(*config, {}).error().Line();
  EXPECT_NE(line.find("'pvesm add' or 'pvesm set tank'"), std::string::npos) << line;
  Secrets secrets;
  secrets.tls_psk = Secret("NVMeTLSkey-1:01:eA==:");
  EXPECT_TRUE(CheckSecrets(*config, secrets).ok());
}

}  // namespace
}  // namespace ontapnvme
