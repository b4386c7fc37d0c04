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
    case LogLevel::kTrace:
      return "trace";
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
  }
  return "warning";
}

const char* OutcomeName(CheckOutcome outcome) {
  switch (outcome) {
    case CheckOutcome::kOk:
      return "ok";
    case CheckOutcome::kWarn:
      return "warn";
    case CheckOutcome::kFail:
      return "fail";
    case CheckOutcome::kSkipped:
      return "skipped";
  }
  return "fail";
}

}  // namespace

SV* ToPerl(pTHX_ std::uint64_t number) {
  return newSVuv(number);
}

SV* ToPerl(pTHX_ const DiskInfo& disk) {
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

SV* ToPerl(pTHX_ const CapacityInfo& capacity) {
  HV* hash = newHV();
  Set(aTHX_ hash, "total_bytes", newSVuv(capacity.total.bytes()));
  Set(aTHX_ hash, "available_bytes", newSVuv(capacity.available.bytes()));
  Set(aTHX_ hash, "used_bytes", newSVuv(capacity.used.bytes()));
  return Reference(aTHX_ hash);
}

SV* ToPerl(pTHX_ const SnapshotInfo& snapshot) {
  HV* hash = newHV();
  Set(aTHX_ hash, "name", ToPerl(aTHX_ snapshot.name));
  Set(aTHX_ hash, "id", ToPerl(aTHX_ snapshot.id));
  Set(aTHX_ hash, "create_time_s", newSViv(snapshot.create_time_s));
  return Reference(aTHX_ hash);
}

SV* ToPerl(pTHX_ const CheckResult& result) {
  HV* hash = newHV();
  Set(aTHX_ hash, "check", ToPerl(aTHX_ result.check));
  Set(aTHX_ hash, "outcome", newSVpv(OutcomeName(result.outcome), 0));
  Set(aTHX_ hash, "text", ToPerl(aTHX_ result.text));
  Set(aTHX_ hash, "remedy", MaybeToPerl(aTHX_ result.remedy));
  return Reference(aTHX_ hash);
}

SV* ToPerl(pTHX_ const DiskFact& fact) {
  HV* hash = newHV();
  Set(aTHX_ hash, "part", ToPerl(aTHX_ fact.part));
  Set(aTHX_ hash, "name", ToPerl(aTHX_ fact.name));
  Set(aTHX_ hash, "value", ToPerl(aTHX_ fact.value));
  Set(aTHX_ hash, "is_odd", newSViv(fact.is_odd ? 1 : 0));
  return Reference(aTHX_ hash);
}

SV* ToPerl(pTHX_ const ProbeInfo& probe) {
  HV* hash = newHV();
  Set(aTHX_ hash, "probe", ToPerl(aTHX_ probe.probe));
  Set(aTHX_ hash, "question", ToPerl(aTHX_ probe.question));
  Set(aTHX_ hash, "steps", ToPerl(aTHX_ probe.steps));
  Set(aTHX_ hash, "positions", ToPerl(aTHX_ probe.positions));
  return Reference(aTHX_ hash);
}

SV* ToPerl(pTHX_ const ProbeFinding& finding) {
  HV* hash = newHV();
  Set(aTHX_ hash, "probe", ToPerl(aTHX_ finding.probe));
  Set(aTHX_ hash, "question", ToPerl(aTHX_ finding.question));
  Set(aTHX_ hash, "position", ToPerl(aTHX_ finding.position));
  Set(aTHX_ hash, "detail", MaybeToPerl(aTHX_ finding.detail));
  Set(aTHX_ hash, "svm_uuid", ToPerl(aTHX_ finding.svm_uuid));
  Set(aTHX_ hash, "release", MaybeToPerl(aTHX_ finding.release));
  return Reference(aTHX_ hash);
}

SV* ToPerl(pTHX_ const DeletedInfo& deleted) {
  const auto time = [&](std::int64_t seconds) {
    return seconds == 0 ? newSV(0) : newSViv(static_cast<IV>(seconds));
  };
  HV* hash = newHV();
  Set(aTHX_ hash, "volume_name", ToPerl(aTHX_ deleted.volume_name));
  Set(aTHX_ hash, "vmid", newSVuv(deleted.vmid));
  Set(aTHX_ hash, "queued_as", ToPerl(aTHX_ deleted.queued_as));
  Set(aTHX_ hash, "deleted_at_s", time(deleted.deleted_at_s));
  Set(aTHX_ hash, "kept_until_s", time(deleted.kept_until_s));
  return Reference(aTHX_ hash);
}

SV* ToPerl(pTHX_ const AdoptionInfo& adoption) {
  HV* hash = newHV();
  Set(aTHX_ hash, "volume_name", MaybeToPerl(aTHX_ adoption.volume_name));
  Set(aTHX_ hash, "size_bytes", newSVuv(adoption.size.bytes()));
  Set(aTHX_ hash, "remarks", ToPerl(aTHX_ adoption.remarks));
  return Reference(aTHX_ hash);
}

SV* ToPerl(pTHX_ const CopyInfo& copy) {
  HV* hash = newHV();
  Set(aTHX_ hash, "volume_name", ToPerl(aTHX_ copy.volume_name));
  Set(aTHX_ hash, "has_begun", newSViv(copy.has_begun ? 1 : 0));
  Set(aTHX_ hash, "percent", newSVuv(copy.percent));
  return Reference(aTHX_ hash);
}

SV* ToPerl(pTHX_ const PlaceInfo& place) {
  HV* hash = newHV();
  Set(aTHX_ hash, "place", ToPerl(aTHX_ place.place));
  Set(aTHX_ hash, "destination", MaybeToPerl(aTHX_ place.destination));
  Set(aTHX_ hash, "percent", newSVuv(place.percent));
  Set(aTHX_ hash, "state", MaybeToPerl(aTHX_ place.state));
  return Reference(aTHX_ hash);
}

SV* ToPerl(pTHX_ const DiskSnapshotInfo& snapshot) {
  HV* hash = newHV();
  Set(aTHX_ hash, "volume_name", ToPerl(aTHX_ snapshot.volume_name));
  Set(aTHX_ hash, "id", ToPerl(aTHX_ snapshot.id));
  Set(aTHX_ hash, "create_time_s", newSViv(snapshot.create_time_s));
  Set(aTHX_ hash, "size_bytes", newSVuv(snapshot.size.bytes()));
  Set(aTHX_ hash, "disk_size_bytes", newSVuv(snapshot.disk_size.bytes()));
  return Reference(aTHX_ hash);
}

SV* ToPerl(pTHX_ const VmSnapshotInfo& snapshot) {
  const bool is_locked = snapshot.locked_until_s != 0;
  HV* hash = newHV();
  Set(aTHX_ hash, "vmid", newSVuv(snapshot.vmid));
  Set(aTHX_ hash, "array_name", ToPerl(aTHX_ snapshot.array_name));
  Set(aTHX_ hash, "name", MaybeToPerl(aTHX_ snapshot.name));
  Set(aTHX_ hash, "shown_as", MaybeToPerl(aTHX_ snapshot.shown_as));
  Set(aTHX_ hash, "kind", ToPerl(aTHX_ snapshot.kind));
  Set(aTHX_ hash, "create_time_s", newSViv(snapshot.create_time_s));
  Set(aTHX_ hash, "locked_until_s", is_locked ? newSViv(snapshot.locked_until_s) : newSV(0));
  Set(aTHX_ hash, "is_on_all_disks", newSViv(snapshot.is_on_all_disks ? 1 : 0));
  Set(aTHX_ hash, "disks", ToPerl(aTHX_ snapshot.disks));
  return Reference(aTHX_ hash);
}

SV* ToPerl(pTHX_ const AdoptedInfo& adopted) {
  const bool is_locked = adopted.locked_until_s != 0;
  HV* hash = newHV();
  Set(aTHX_ hash, "create_time_s", newSViv(adopted.create_time_s));
  Set(aTHX_ hash, "is_of_one_moment", newSViv(adopted.is_of_one_moment ? 1 : 0));
  Set(aTHX_ hash, "locked_until_s", is_locked ? newSViv(adopted.locked_until_s) : newSV(0));
  return Reference(aTHX_ hash);
}

SV* ToPerl(pTHX_ const LogRecord& record) {
  HV* hash = newHV();
  Set(aTHX_ hash, "level", newSVpv(LevelName(record.level), 0));
  Set(aTHX_ hash, "text", ToPerl(aTHX_ record.text));
  return Reference(aTHX_ hash);
}

std::vector<std::string> StringsFrom(const Texts& texts) {
  std::vector<std::string> strings;
  for (const Text& text : texts) strings.push_back(text.string());
  return strings;
}

Settings SettingsFrom(const Pairs& pairs) {
  Settings settings;
  for (const auto& [key, value] : pairs) settings.emplace(key.string(), value.string());
  return settings;
}

Secrets SecretsFrom(const Pairs& pairs) {
  Secrets secrets;
  // From the scalar straight into the Secret: no copy in between that would have to be wiped.
  for (const SecretField& field : kSecretFields) {
    secrets.*field.secret = Secret(pairs.Find(field.setting));
  }
  return secrets;
}

Surroundings SurroundingsFrom(const Pairs& pairs) {
  Surroundings surroundings;
  const auto take = [&pairs](std::string& field, std::string_view key) {
    if (const auto value = pairs.Find(key); !value.empty()) field = value;
  };
  take(surroundings.cluster_id, "cluster_id");
  take(surroundings.ca_file, "ca_file");
  take(surroundings.state_directory, "state_directory");
  take(surroundings.link_directory, "link_directory");
  take(surroundings.disk_memory_file, "disk_memory_file");
  take(surroundings.members_file, "members_file");
  take(surroundings.hosts_directory, "hosts_directory");
  take(surroundings.lvm_config_file, "lvm_config_file");
  return surroundings;
}

Status CheckSettings(const Text& storage_id, const Pairs& settings) {
  TRY(const auto config, StorageConfig::Parse(storage_id.string(), SettingsFrom(settings)));
  (void)config;
  return {};
}

Result<std::unique_ptr<Client>> MakeClient(pTHX_ const Text& storage_id, const Pairs& settings,
                                           const Pairs& secrets, const Pairs& surroundings) {
  auto client = std::make_unique<Client>();
  client->interrupt.Bind(aTHX);
  TRY(client->storage,
      pve::Storage::Create(storage_id.string(), SettingsFrom(settings), SecretsFrom(secrets),
                           SurroundingsFrom(surroundings), &client->interrupt));
  return client;
}

}  // namespace ontapnvme::xs
