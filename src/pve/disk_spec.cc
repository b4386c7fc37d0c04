// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/disk_spec.h"

#include <algorithm>

namespace ontapnvme::pve {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20U;
// ONTAP's smallest FlexVol is 20 MB (917534); metadata does not shrink with a small disk, so room
// for it is kept besides.
constexpr ByteCount kFlexVolMin = MiB(32);
constexpr ByteCount kMetadataMin = MiB(16);

std::optional<bool> EncryptionOf(const StorageConfig& config, const ArrayFacts& facts) {
  switch (config.encryption) {
    case EncryptionSetting::kAggregate:
      return std::nullopt;
    case EncryptionSetting::kOff:
      return false;
    case EncryptionSetting::kOn:
      // An encrypted aggregate (NAE) encrypts its volumes with its own key, which keeps
      // deduplication across volumes; asking for volume encryption there would give that up.
      if (facts.is_aggregate_encrypted) return std::nullopt;
      return true;
  }
  return std::nullopt;
}

}  // namespace

ByteCount FlexVolSizeFor(ByteCount disk_size, unsigned snapshot_reserve_percent) {
  const std::uint64_t metadata = std::max(disk_size.bytes() / 10, kMetadataMin.bytes());
  const std::uint64_t active = disk_size.bytes() + metadata;
  // At most 90 per cent are reserved, so the divisor is 10 at least. Divided first: no overflow.
  const std::uint64_t whole = active / (100 - snapshot_reserve_percent) * 100 + 100;
  return std::max(ByteCount{whole}.RoundUp(kMiB), kFlexVolMin);
}

std::optional<ByteCount> AutosizeMaximum(const StorageConfig& config, ByteCount flexvol_size) {
  if (!config.is_autosize_on) return std::nullopt;
  return ByteCount{flexvol_size.bytes() / 100 * config.autosize_max_percent}.RoundUp(kMiB);
}

ontap::FlexVolSpec MakeFlexVolSpec(const StorageConfig& config, const ArrayFacts& facts,
                                   std::string flexvol_name, ByteCount disk_size,
                                   std::string comment) {
  ontap::FlexVolSpec spec;
  spec.name = std::move(flexvol_name);
  spec.aggregate = config.aggregate;
  spec.comment = std::move(comment);
  spec.size = FlexVolSizeFor(disk_size, config.snapshot_reserve_percent);
  spec.is_thick = config.is_thick;
  spec.snapshot_reserve_percent = config.snapshot_reserve_percent;
  spec.encryption = EncryptionOf(config, facts);
  spec.tiering_policy = config.tiering_policy;
  spec.qos_policy = QosPolicyOf(config);
  spec.autosize_maximum = AutosizeMaximum(config, spec.size);
  spec.is_snapshot_autodelete_on = config.is_snapshot_autodelete_on;
  spec.autodelete_spared_prefix = kSparedSnapshots;
  return spec;
}

const std::string& QosPolicyOf(const StorageConfig& config) {
  return config.qos_policy.empty() ? config.adaptive_qos_policy : config.qos_policy;
}

ontap::FlexCloneSpec MakeFlexCloneSpec(const StorageConfig& config, std::string flexvol_name,
                                       const ontap::FlexVol& parent, std::string parent_snapshot,
                                       std::string comment) {
  return {.name = std::move(flexvol_name),
          .parent_volume = parent.name,
          .parent_snapshot = std::move(parent_snapshot),
          .comment = std::move(comment),
          .is_thick = config.is_thick,
          .qos_policy = QosPolicyOf(config)};
}

ontap::FlexVolSettings MakeCloneSettings(const StorageConfig& config,
                                         const ontap::FlexVol& parent) {
  ontap::FlexVolSettings settings;
  settings.autosize = ontap::AutosizeSetting{AutosizeMaximum(config, parent.size)};
  if (!config.tiering_policy.empty()) settings.tiering_policy = config.tiering_policy;
  settings.snapshot_reserve_percent = config.snapshot_reserve_percent;
  settings.is_fully_reserved = config.is_thick;
  settings.is_snapshot_autodelete_on = config.is_snapshot_autodelete_on;
  settings.autodelete_spared_prefix = kSparedSnapshots;
  return settings;
}

}  // namespace ontapnvme::pve
