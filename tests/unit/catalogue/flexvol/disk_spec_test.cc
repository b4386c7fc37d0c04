// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/flexvol/facts/disk_spec.h"

#include <gtest/gtest.h>

namespace ontapnvme::catalogue::flexvol {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20U;

TEST(DiskSpecTest, FlexVolHoldsAFullNamespaceBesidesTheReserve) {
  for (const unsigned reserve : {0U, 5U, 50U, 90U}) {
    for (const std::uint64_t size : {std::uint64_t{4096}, kMiB, 1000 * kMiB, kMiB << 20U,
                                     std::uint64_t{140'737'488'355'328}}) {
      const auto flexvol = FlexVolSizeFor(ByteCount{size}, reserve);
      const double active = static_cast<double>(flexvol.bytes()) * (100.0 - reserve) / 100.0;
      EXPECT_GE(active, 1.09 * static_cast<double>(size)) << size << " with reserve " << reserve;
      EXPECT_EQ(flexvol.bytes() % kMiB, 0U);
      EXPECT_GE(flexvol, MiB(36)) << "an array may make no namespace below 20 MiB";
    }
  }
}

TEST(DiskSpecTest, SettingsReachTheSpec) {
  StorageConfig config;
  config.aggregate = "aggr1";
  config.is_thick = true;
  config.adaptive_qos_policy = "a1";
  config.tiering_policy = "auto";
  config.snapshot_reserve_percent = 10;
  config.is_autosize_on = true;
  config.autosize_max_percent = 200;
  const auto spec = MakeFlexVolSpec(config, {}, "vm_100_disk_0", GiB(1));
  EXPECT_EQ(spec.name, "vm_100_disk_0");
  EXPECT_TRUE(spec.is_thick);
  EXPECT_EQ(spec.qos_policy, "a1");
  EXPECT_EQ(spec.tiering_policy, "auto");
  EXPECT_EQ(spec.snapshot_reserve_percent, 10U);
  ASSERT_TRUE(spec.autosize && spec.autosize->maximum);
  EXPECT_GE(spec.autosize->maximum->bytes(), 2 * spec.size.bytes() - 2 * kMiB);
  EXPECT_FALSE(spec.is_large);
  config.is_autosize_on = false;
  EXPECT_EQ(MakeFlexVolSpec(config, {}, "v", GiB(1)).autosize, ontap::AutosizeSetting{});
  EXPECT_TRUE(MakeFlexVolSpec(config, {}, "v", GiB(16 * 1024)).is_large);
}

TEST(DiskSpecTest, CoreAndRestAreTheWholeSpec) {
  StorageConfig config;
  config.aggregate = "aggr1";
  config.is_thick = true;
  config.qos_policy = "gold";
  config.tiering_policy = "auto";
  config.snapshot_reserve_percent = 10;
  config.is_autosize_on = true;
  config.autosize_max_percent = 200;
  config.encryption = EncryptionSetting::kOn;
  auto spec = MakeFlexVolSpec(config, {}, "v", GiB(1));
  spec.comment = "mark";
  const auto core = CoreOf(spec);
  EXPECT_EQ(core.name, "v");
  EXPECT_EQ(core.aggregate, "aggr1");
  EXPECT_EQ(core.comment, "mark");
  EXPECT_EQ(core.size, spec.size);
  EXPECT_TRUE(core.is_thick);
  EXPECT_EQ(core.encryption, true);
  EXPECT_EQ(core.qos_policy, "");
  EXPECT_EQ(core.tiering_policy, "");
  EXPECT_FALSE(core.autosize);
  EXPECT_FALSE(core.snapshot_reserve_percent);
  const auto rest = RestOf(spec);
  EXPECT_EQ(rest.qos_policy, "gold");
  EXPECT_EQ(rest.tiering_policy, "auto");
  EXPECT_EQ(rest.autosize, spec.autosize);
  EXPECT_EQ(rest.snapshot_reserve_percent, 10U);
}

TEST(DiskSpecTest, EncryptionFollowsSettingAndAggregate) {
  StorageConfig config;
  ArrayFacts plain;
  ArrayFacts encrypted;
  encrypted.is_aggregate_encrypted = true;
  const auto sent = [&](EncryptionSetting setting, const ArrayFacts& facts) {
    config.encryption = setting;
    return MakeFlexVolSpec(config, facts, "v", GiB(1)).encryption;
  };
  EXPECT_EQ(sent(EncryptionSetting::kAggregate, plain), std::nullopt);
  EXPECT_EQ(sent(EncryptionSetting::kOn, plain), true) << "NVE";
  EXPECT_EQ(sent(EncryptionSetting::kOn, encrypted), std::nullopt) << "NAE does it";
  EXPECT_EQ(sent(EncryptionSetting::kOff, plain), false);
}

TEST(DiskSpecTest, CloneGetsWhatANewDiskOfItsSizeWouldHave) {
  StorageConfig config;
  config.is_thick = true;
  config.qos_policy = "gold";
  config.tiering_policy = "none";
  config.is_autosize_on = true;
  config.autosize_max_percent = 300;
  config.snapshot_reserve_percent = 20;
  const auto settings = MakeCloneSettings(config, GiB(1));
  EXPECT_EQ(settings.is_thick, true);
  EXPECT_EQ(settings.qos_policy, "gold");
  EXPECT_EQ(settings.snapshot_policy, "none");
  EXPECT_EQ(settings.tiering_policy, "none");
  EXPECT_EQ(settings.snapshot_reserve_percent, 20U);
  EXPECT_EQ(settings.is_fully_reserved, true);
  ASSERT_TRUE(settings.autosize && settings.autosize->maximum);
  EXPECT_EQ(*settings.autosize->maximum, *AutosizeMaximum(config, GiB(1)));
}

}  // namespace
}  // namespace ontapnvme::catalogue::flexvol
