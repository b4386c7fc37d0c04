// SPDX-License-Identifier: AGPL-3.0-or-later
// What every row of the table of settings must hold, whatever settings there are.
#include "model/settings_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/storage_config.h"

namespace ontapnvme {
namespace {

using testing::HasSubstr;

Settings Minimal() {
  return {{"mgmt_ip", "192.0.2.1"},
          {"username", "admin"},
          {"vserver", "svm1"},
          {"subsystem", "pve"},
          {"aggregate", "aggr1"}};
}

struct Samples {
  std::vector<std::string> good;
  std::vector<std::string> bad;
};

Samples SamplesFor(const Setting& setting) {
  const bool is_number = setting.kind == SettingKind::kNumber;  // whose most is no length
  const std::string longest(is_number ? 0 : setting.most, 'a');
  switch (setting.kind) {
    case SettingKind::kHostPort:
      return {{"192.0.2.1", "array:443", "[2001:db8::1]:8443"}, {"array:0", "a b", "https://x"}};
    case SettingKind::kHost:
      return {{"192.0.2.1", "2001:db8::1", "lif.example.org"}, {"192.0.2.1:4420", "a/b"}};
    case SettingKind::kAccount:
      return {{"admin", "DOMAIN\\admin"}, {"a:b"}};
    case SettingKind::kName:
      return {{"a", "a-b_c.D9", longest}, {longest + "a", "a*", "a|b", "a/b", "a b"}};
    case SettingKind::kPrefix:
      return {{"_", "a_1", longest}, {longest + "a", "1a", "a-b", "a.b"}};
    case SettingKind::kFlag:
      return {{"0", "1", "yes", "off"}, {"2", "maybe"}};
    case SettingKind::kNumber: {
      Samples samples{{std::to_string(setting.least), std::to_string(setting.most)},
                      {std::to_string(setting.most + 1), "-1", "1x", "1.5"}};
      if (setting.least > 0) samples.bad.push_back(std::to_string(setting.least - 1));
      return samples;
    }
    case SettingKind::kWord:
      return {{setting.words.begin(), setting.words.end()}, {"neither", ","}};
    case SettingKind::kSecret:
      return {};
  }
  return {};
}

TEST(SettingsTableTest, EveryLimitIsAllowedAndNothingBeyondIt) {
  for (const Setting& setting : SettingsTable()) {
    const auto samples = SamplesFor(setting);
    for (const auto& good : samples.good) {
      EXPECT_TRUE(IsAllowed(setting, good)) << setting.name << " " << good;
    }
    for (const auto& bad : samples.bad) {
      EXPECT_FALSE(IsAllowed(setting, bad)) << setting.name << " " << bad;
    }
  }
}

TEST(SettingsTableTest, ARefusalNamesTheSettingAndWhatIsAllowed) {
  for (const Setting& setting : SettingsTable()) {
    for (const auto& bad : SamplesFor(setting).bad) {
      Settings settings = Minimal();
      settings[std::string(setting.name)] = bad;
      const auto config = StorageConfig::Parse("tank", settings);
      ASSERT_FALSE(config.ok()) << setting.name << " " << bad;
      EXPECT_EQ(config.error().code(), ErrorCode::kInvalidArgument);
      EXPECT_THAT(config.error().Line(), HasSubstr("'" + std::string(setting.name) + "'"));
      EXPECT_THAT(config.error().Line(), HasSubstr("use " + AllowedValues(setting)));
    }
  }
}

TEST(SettingsTableTest, WhatIsRequiredIsMissedByName) {
  std::size_t required = 0;
  for (const Setting& setting : SettingsTable()) {
    if (!setting.is_required || setting.kind == SettingKind::kSecret) continue;
    ++required;
    for (const bool is_empty : {true, false}) {
      Settings settings = Minimal();
      settings.erase(std::string(setting.name));
      if (is_empty) settings.emplace(setting.name, "");
      const auto config = StorageConfig::Parse("tank", settings);
      ASSERT_FALSE(config.ok()) << setting.name;
      EXPECT_THAT(config.error().Line(), HasSubstr("--" + std::string(setting.name)));
    }
  }
  EXPECT_EQ(required, Minimal().size());
}

TEST(SettingsTableTest, EveryDefaultIsAValueThatIsAllowed) {
  for (const Setting& setting : SettingsTable()) {
    if (setting.default_value.empty()) continue;
    EXPECT_TRUE(IsAllowed(setting, std::string(setting.default_value))) << setting.name;
  }
}

// The man page and docs/settings.md print them as they are.
TEST(SettingsTableTest, TextsAreSentencesOfTheManAndOneLineOfTheReadme) {
  for (const Setting& setting : SettingsTable()) {
    EXPECT_EQ(setting.summary.find_first_of("\n|"), std::string_view::npos) << setting.name;
    EXPECT_NE(setting.summary.back(), '.') << setting.name;
    EXPECT_EQ(setting.manual.back(), '.') << setting.name;
    EXPECT_EQ(setting.manual.find("\n\n"), std::string_view::npos) << setting.name;
  }
}

}  // namespace
}  // namespace ontapnvme
