// SPDX-License-Identifier: AGPL-3.0-or-later
#include "model/storage_config.h"

#include <variant>

#include "model/settings_table.h"

namespace ontapnvme {
namespace {

// What is set, else the default, else an empty text. A flag is "1" or "0" then.
Result<std::string> ValueOf(const Setting& setting, const Settings& settings) {
  const std::string name(setting.name);
  const auto found = settings.find(name);
  if (found == settings.end() || found->second.empty()) {
    if (!setting.is_required) return std::string(setting.default_value);
    return Error(ErrorCode::kInvalidArgument, "setting '" + name + "' is missing")
        .Try("give it with --" + name);
  }
  const std::string& value = found->second;
  if (!IsAllowed(setting, value)) {
    return Error(ErrorCode::kInvalidArgument, "setting '" + name + "' is not usable")
        .With("value", "'" + value + "'")
        .Try("use " + AllowedValues(setting));
  }
  if (setting.kind != SettingKind::kFlag) return value;
  return std::string(IsOn(value) ? "1" : "0");
}

struct StoreValue {
  StorageSettings& settings;
  const std::string& value;

  void operator()(std::monostate) const {}
  void operator()(bool StorageSettings::*flag) const { settings.*flag = value == "1"; }
  void operator()(unsigned StorageSettings::*number) const {
    settings.*number = static_cast<unsigned>(NumberOf(value));
  }
  void operator()(std::string StorageSettings::*text) const { settings.*text = value; }
  void operator()(void (*store)(StorageSettings&, const std::string&)) const {
    store(settings, value);
  }
};

Status CheckTogether(const StorageSettings& settings) {
  if (settings.svm_capacity && !settings.is_svm_scoped) {
    return Error(ErrorCode::kInvalidArgument, "setting 'svm_capacity' needs 'svm_scoped'")
        .Try("set svm_scoped 1, or leave svm_capacity out");
  }
  if (!settings.qos_policy.empty() && !settings.adaptive_qos_policy.empty()) {
    return Error(ErrorCode::kInvalidArgument,
                 "settings 'qos_policy' and 'adaptive_qos_policy' exclude each other")
        .With("qos_policy", settings.qos_policy)
        .With("adaptive_qos_policy", settings.adaptive_qos_policy)
        .Try("keep one of them: a volume has one QoS policy");
  }
  return {};
}

}  // namespace

Result<StorageConfig> StorageConfig::Parse(const std::string& storage_id,
                                           const Settings& settings) {
  StorageConfig config;
  config.storage_id = storage_id;
  for (const Setting& setting : SettingsTable()) {
    if (setting.kind == SettingKind::kSecret) continue;
    TRY(const std::string value, ValueOf(setting, settings));
    if (!value.empty()) std::visit(StoreValue{config, value}, setting.target);
  }
  TRY_STATUS(CheckTogether(config));
  return config;
}

Status CheckSecrets(const StorageConfig& config, const Secrets& secrets) {
  if (!config.is_nvme_tls || !secrets.tls_psk.empty()) return {};
  return Error(ErrorCode::kInvalidArgument, "setting 'nvme_tls' is on, but there is no key")
      .Because("TLS works with a pre-shared key here, and none is stored")
      .Try("give 'pvesm add' or 'pvesm set " + config.storage_id +
           "' one with --nvme_tls_psk NVMeTLSkey-1:..., or set nvme_tls 0");
}

}  // namespace ontapnvme
