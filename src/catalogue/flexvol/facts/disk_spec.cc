// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/flexvol/facts/disk_spec.h"

#include <algorithm>

#include "base/text.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20U;
// Metadata does not shrink with a small disk. (ONTAP's smallest FlexVol is 20 MB, 917534.)
constexpr ByteCount kMetadataMin = MiB(16);
// Larger files, and namespaces are files, need a volume that is made for them (NetApp's
// documentation, "Enable large volume and large file support").
constexpr ByteCount kLargeFrom = GiB(16 * 1024);

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
  const std::uint64_t disk_bytes = std::max(disk_size, kNamespaceSureFrom).bytes();
  const std::uint64_t active = disk_bytes + std::max(disk_bytes / 10, kMetadataMin.bytes());
  // At most 90 per cent are reserved, so the divisor is 10 at least. Divided first: no overflow.
  const std::uint64_t whole = active / (100 - snapshot_reserve_percent) * 100 + 100;
  return ByteCount{whole}.RoundUp(kMiB);
}

std::optional<ByteCount> AutosizeMaximum(const StorageConfig& config, ByteCount flexvol_size) {
  if (!config.is_autosize_on) return std::nullopt;
  return ByteCount{flexvol_size.bytes() / 100 * config.autosize_max_percent}.RoundUp(kMiB);
}

ontap::FlexVolSpec MakeFlexVolSpec(const StorageConfig& config, const ArrayFacts& facts,
                                   std::string flexvol_name, ByteCount disk_size) {
  ontap::FlexVolSpec spec;
  spec.name = std::move(flexvol_name);
  spec.aggregate = config.aggregate;
  spec.size = FlexVolSizeFor(disk_size, config.snapshot_reserve_percent);
  spec.is_thick = config.is_thick;
  spec.snapshot_reserve_percent = config.snapshot_reserve_percent;
  spec.encryption = EncryptionOf(config, facts);
  spec.tiering_policy = config.tiering_policy;
  spec.qos_policy = QosPolicyOf(config);
  spec.autosize = ontap::AutosizeSetting{AutosizeMaximum(config, spec.size)};
  spec.is_large = spec.size > kLargeFrom;
  return spec;
}

ontap::FlexVolSpec CoreOf(const ontap::FlexVolSpec& spec) {
  ontap::FlexVolSpec core;
  core.name = spec.name;
  core.aggregate = spec.aggregate;
  core.comment = spec.comment;
  core.size = spec.size;
  core.is_thick = spec.is_thick;
  core.encryption = spec.encryption;
  return core;
}

ontap::FlexVolSettings RestOf(const ontap::FlexVolSpec& spec) {
  ontap::FlexVolSettings rest;
  rest.autosize = spec.autosize;
  rest.snapshot_reserve_percent = spec.snapshot_reserve_percent;
  if (!spec.tiering_policy.empty()) rest.tiering_policy = spec.tiering_policy;
  if (!spec.qos_policy.empty()) rest.qos_policy = spec.qos_policy;
  return rest;
}

const std::string& QosPolicyOf(const StorageConfig& config) {
  return config.qos_policy.empty() ? config.adaptive_qos_policy : config.qos_policy;
}

ontap::FlexVolSettings MakeCloneSettings(const StorageConfig& config, ByteCount parent_size) {
  ontap::FlexVolSettings settings;
  settings.snapshot_policy = "none";
  settings.is_thick = config.is_thick;
  // Of a thin parent's clone it need not follow the guarantee.
  if (config.is_thick) settings.is_fully_reserved = true;
  settings.autosize = ontap::AutosizeSetting{AutosizeMaximum(config, parent_size)};
  if (!config.tiering_policy.empty()) settings.tiering_policy = config.tiering_policy;
  settings.qos_policy = QosPolicyOf(config);
  settings.snapshot_reserve_percent = config.snapshot_reserve_percent;
  return settings;
}

ontap::FlexVolSettings MakeAutodeleteSettings(const StorageConfig& config) {
  ontap::FlexVolSettings settings;
  settings.is_snapshot_autodelete_on = config.is_snapshot_autodelete_on;
  settings.autodelete_spared_prefix = kSparedSnapshots;
  return settings;
}

void WarnOfRefused(Log& log, const std::string& what,
                   const std::vector<ontap::RefusedSetting>& refused) {
  if (refused.empty()) return;
  std::string names;
  std::string reasons;
  for (const auto& one : refused) {
    AppendTo(names, ", ", one.name);
    AppendTo(reasons, "; ", one.why.Plain());
  }
  log.Warning(what + ", but " + names + " could not be set on it as asked: " + reasons);
}

}  // namespace ontapnvme::catalogue::flexvol
