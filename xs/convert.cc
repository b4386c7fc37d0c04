// SPDX-License-Identifier: AGPL-3.0-or-later
#include "convert.h"

namespace ontapnvme::xs {
namespace {

static_assert(sizeof(UV) >= sizeof(std::uint64_t), "sizes need a perl with 64-bit integers");

// Null is returned only for a tied hash, which none of these is.
void Set(pTHX_ HV* hash, std::string_view key, SV* value) {
  (void)hv_store(hash, key.data(), static_cast<I32>(key.size()), value, 0);
}

SV* Reference(pTHX_ HV* hash) {
  return newRV_noinc(reinterpret_cast<SV*>(hash));
}

SV* MaybeToPerl(pTHX_ const std::string& text) {
  return text.empty() ? newSV(0) : ToPerl(aTHX_ text);
}

const char* LevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
  }
  return "warning";
}

}  // namespace

SV* ToPerl(pTHX_ std::string_view text) {
  const auto* bytes = reinterpret_cast<const U8*>(text.data());
  // Text of the array that is no UTF-8 would make a broken scalar: its bytes stay bytes.
  const bool is_utf8 =
      !is_utf8_invariant_string(bytes, text.size()) && is_utf8_string(bytes, text.size());
  return newSVpvn_utf8(text.data(), text.size(), is_utf8 ? 1 : 0);
}

SV* ToPerl(pTHX_ const std::string& text) {
  return ToPerl(aTHX_ std::string_view(text));
}

SV* ToPerl(pTHX_ std::uint64_t number) {
  return newSVuv(number);
}

SV* ToPerl(pTHX_ const pve::DiskInfo& disk) {
  HV* hash = newHV();
  Set(aTHX_ hash, "volume_name", ToPerl(aTHX_ disk.volume_name));
  Set(aTHX_ hash, "vmid", newSVuv(disk.vmid));
  Set(aTHX_ hash, "size_bytes", newSVuv(disk.size.bytes()));
  Set(aTHX_ hash, "used_bytes", newSVuv(disk.used.bytes()));
  Set(aTHX_ hash, "create_time_s", newSViv(disk.create_time_s));
  Set(aTHX_ hash, "parent", MaybeToPerl(aTHX_ disk.parent));
  Set(aTHX_ hash, "notes", MaybeToPerl(aTHX_ disk.notes));
  Set(aTHX_ hash, "is_protected", newSViv(disk.is_protected ? 1 : 0));
  return Reference(aTHX_ hash);
}

SV* ToPerl(pTHX_ const pve::CapacityInfo& capacity) {
  HV* hash = newHV();
  Set(aTHX_ hash, "total_bytes", newSVuv(capacity.total.bytes()));
  Set(aTHX_ hash, "available_bytes", newSVuv(capacity.available.bytes()));
  Set(aTHX_ hash, "used_bytes", newSVuv(capacity.used.bytes()));
  return Reference(aTHX_ hash);
}

SV* ToPerl(pTHX_ const pve::SnapshotInfo& snapshot) {
  HV* hash = newHV();
  Set(aTHX_ hash, "name", ToPerl(aTHX_ snapshot.name));
  Set(aTHX_ hash, "id", ToPerl(aTHX_ snapshot.id));
  Set(aTHX_ hash, "create_time_s", newSViv(snapshot.create_time_s));
  return Reference(aTHX_ hash);
}

SV* ToPerl(pTHX_ const LogRecord& record) {
  HV* hash = newHV();
  Set(aTHX_ hash, "level", newSVpv(LevelName(record.level), 0));
  Set(aTHX_ hash, "text", ToPerl(aTHX_ record.text));
  return Reference(aTHX_ hash);
}

pve::Settings SettingsFrom(const Pairs& pairs) {
  pve::Settings settings;
  for (const auto& [key, value] : pairs) settings.emplace(key.string(), value.string());
  return settings;
}

pve::Secrets SecretsFrom(const Pairs& pairs) {
  // From the scalar straight into the Secret: no copy in between that would have to be wiped.
  return {.password = Secret(pairs.Find("password")),
          .dhchap_host_secret = Secret(pairs.Find("nvme_dhchap_secret")),
          .dhchap_controller_secret = Secret(pairs.Find("nvme_dhchap_ctrl_secret")),
          .tls_psk = Secret(pairs.Find("nvme_tls_psk"))};
}

pve::Surroundings SurroundingsFrom(const Pairs& pairs) {
  pve::Surroundings surroundings;
  const auto take = [&pairs](std::string& field, std::string_view key) {
    if (const auto value = pairs.Find(key); !value.empty()) field = value;
  };
  take(surroundings.cluster_id, "cluster_id");
  take(surroundings.ca_file, "ca_file");
  take(surroundings.state_directory, "state_directory");
  take(surroundings.link_directory, "link_directory");
  take(surroundings.disk_memory_file, "disk_memory_file");
  take(surroundings.lvm_config_file, "lvm_config_file");
  return surroundings;
}

}  // namespace ontapnvme::xs
