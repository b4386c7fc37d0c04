// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/disk_spec.h"

#include <gtest/gtest.h>

namespace ontapnvme::pve {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20U;

TEST(DiskSpecTest, FlexVolHoldsAFullNamespaceBesidesTheReserve) {
  for (const unsigned reserve : {0U, 5U, 50U, 90U}) {
    for (const std::uint64_t size :
         {std::uint64_t{4096}, kMiB, 1000 * kMiB, kMiB << 20U, kDiskSizeMax.bytes()}) {
      const auto flexvol = FlexVolSizeFor(ByteCount{size}, reserve);
      const double active = static_cast<double>(flexvol.bytes()) * (100.0 - reserve) / 100.0;
      EXPECT_GE(active, 1.09 * static_cast<double>(size)) << size << " with reserve " << reserve;
      EXPECT_EQ(flexvol.bytes() % kMiB, 0U);
      EXPECT_GE(flexvol, MiB(32)) << "ONTAP makes none below 20 MB";
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
  config.autosize_max_percent = 200;
  const auto spec = MakeFlexVolSpec(config, {}, "vm_100_disk_0", GiB(1), "mark");
  EXPECT_EQ(spec.name, "vm_100_disk_0");
  EXPECT_EQ(spec.comment, "mark");
  EXPECT_TRUE(spec.is_thick);
  EXPECT_EQ(spec.qos_policy, "a1");
  EXPECT_EQ(spec.tiering_policy, "auto");
  EXPECT_EQ(spec.snapshot_reserve_percent, 10U);
  ASSERT_TRUE(spec.autosize_maximum.has_value());
  EXPECT_GE(spec.autosize_maximum->bytes(), 2 * spec.size.bytes() - 2 * kMiB);
  config.is_autosize_on = false;
  EXPECT_FALSE(MakeFlexVolSpec(config, {}, "v", GiB(1), "").autosize_maximum.has_value());
}

TEST(DiskSpecTest, EncryptionFollowsSettingAndAggregate) {
  StorageConfig config;
  ArrayFacts plain;
  ArrayFacts encrypted;
  encrypted.is_aggregate_encrypted = true;
  const auto sent = [&](EncryptionSetting setting, const ArrayFacts& facts) {
    config.encryption = setting;
    return MakeFlexVolSpec(config, facts, "v", GiB(1), "").encryption;
  };
  EXPECT_EQ(sent(EncryptionSetting::kAggregate, plain), std::nullopt);
  EXPECT_EQ(sent(EncryptionSetting::kOn, plain), true) << "NVE";
  EXPECT_EQ(sent(EncryptionSetting::kOn, encrypted), std::nullopt) << "NAE does it";
  EXPECT_EQ(sent(EncryptionSetting::kOff, plain), false);
}

}  // namespace
}  // namespace ontapnvme::pve
