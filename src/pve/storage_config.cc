// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/storage_config.h"

#include <algorithm>
#include <charconv>
#include <initializer_list>

#include "pve/host_port.h"

namespace ontapnvme::pve {
namespace {

Error Invalid(const std::string& key, const std::string& value, const std::string& allowed) {
  return Error(ErrorCode::kInvalidArgument, "setting '" + key + "' is not usable")
      .With("value", "'" + value + "'")
      .Try(allowed);
}

// Reads settings one by one and keeps the first error, so that Parse reads as a list of settings.
class Reader {
 public:
  explicit Reader(const Settings& settings) : settings_(settings) {}

  const std::optional<Error>& error() const { return error_; }

  bool Has(const std::string& key) const { return !Value(key).empty(); }
  std::string Text(const std::string& key) { return Value(key); }

  // Names on the array. Characters with a meaning in ONTAP's queries or in paths are refused here,
  // so that no name can become a pattern or another path.
  std::string Name(const std::string& key, std::size_t characters_max) {
    const std::string value = Value(key);
    const bool is_clean = std::all_of(value.begin(), value.end(), [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
    });
    if (!is_clean || value.size() > characters_max) {
      Fail(Invalid(key, value,
                   "use letters, digits, '_', '-' and '.', at most " +
                       std::to_string(characters_max) + " characters"));
    }
    return value;
  }

  std::string RequiredName(const std::string& key, std::size_t characters_max) {
    if (!Has(key)) {
      Fail(Error(ErrorCode::kInvalidArgument, "setting '" + key + "' is missing")
               .Try("give it with --" + key));
    }
    return Name(key, characters_max);
  }

  bool Flag(const std::string& key, bool fallback) {
    const std::string value = Value(key);
    if (value.empty()) return fallback;
    if (value == "1" || value == "yes" || value == "on" || value == "true") return true;
    if (value == "0" || value == "no" || value == "off" || value == "false") return false;
    Fail(Invalid(key, value, "use 0 or 1"));
    return fallback;
  }

  std::uint64_t Number(const std::string& key, std::uint64_t least, std::uint64_t most,
                       std::uint64_t fallback) {
    const std::string value = Value(key);
    if (value.empty()) return fallback;
    std::uint64_t number = 0;
    const auto [end, failed] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (failed != std::errc() || end != value.data() + value.size() || number < least ||
        number > most) {
      Fail(Invalid(
          key, value,
          "use a whole number from " + std::to_string(least) + " to " + std::to_string(most)));
      return fallback;
    }
    return number;
  }

  std::string OneOf(const std::string& key, std::initializer_list<const char*> allowed) {
    const std::string value = Value(key);
    if (value.empty()) return value;
    std::string list;
    for (const char* word : allowed) {
      if (value == word) return value;
      list += list.empty() ? "" : ", ";
      list += word;
    }
    Fail(Invalid(key, value, "use one of " + list));
    return value;
  }

  void Fail(Error error) {
    if (!error_) error_ = std::move(error);
  }

 private:
  std::string Value(const std::string& key) const {
    const auto found = settings_.find(key);
    return found == settings_.end() ? std::string() : found->second;
  }

  const Settings& settings_;
  std::optional<Error> error_;
};

// FlexVol names begin with a letter or '_' and go on with letters, digits and '_' (NetApp's REST
// reference, volumes; codes 917886 to 917888), and the prefix begins them.
std::string Prefix(Reader& reader) {
  constexpr std::size_t kPrefixMax = 64;
  const std::string prefix = reader.Text("storage_prefix");
  const bool is_clean = std::all_of(prefix.begin(), prefix.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  });
  const bool starts_well =
      prefix.empty() || std::isdigit(static_cast<unsigned char>(prefix.front())) == 0;
  if (!is_clean || !starts_well || prefix.size() > kPrefixMax) {
    reader.Fail(Invalid("storage_prefix", prefix,
                        "begin with a letter or '_', go on with letters, digits and '_', at most " +
                            std::to_string(kPrefixMax) + " characters"));
  }
  return prefix;
}

void ReadManagement(Reader& reader, StorageConfig& config) {
  if (!reader.Has("mgmt_ip")) {
    reader.Fail(Error(ErrorCode::kInvalidArgument, "setting 'mgmt_ip' is missing")
                    .Try("give the address of the cluster's or the SVM's management LIF"));
    return;
  }
  const auto address = HostPort::Parse(reader.Text("mgmt_ip"), 443);
  if (!address.ok()) {
    reader.Fail(address.error().Wrap("setting 'mgmt_ip' is not usable"));
    return;
  }
  config.mgmt_host = address->host;
  config.mgmt_port = address->port;
  config.username = reader.Text("username");
  if (config.username.empty() || config.username.find(':') != std::string::npos) {
    reader.Fail(Invalid("username", config.username, "name an account of the array, without ':'"));
  }
}

void ReadPortals(Reader& reader, StorageConfig& config) {
  for (const char* key : {"ontap_portal", "ontap_portal2"}) {
    if (!reader.Has(key)) continue;
    const auto address = HostPort::Parse(reader.Text(key), 0);
    if (!address.ok() || address->port != 0) {
      reader.Fail(Invalid(key, reader.Text(key), "use an IPv4 or IPv6 address or a host name"));
      return;
    }
    config.portals.push_back(address->host);
  }
}

void ReadQos(Reader& reader, StorageConfig& config) {
  config.qos_policy = reader.Name("qos_policy", 127);
  config.adaptive_qos_policy = reader.Name("adaptive_qos_policy", 127);
  if (!config.qos_policy.empty() && !config.adaptive_qos_policy.empty()) {
    reader.Fail(Error(ErrorCode::kInvalidArgument,
                      "settings 'qos_policy' and 'adaptive_qos_policy' exclude each other")
                    .With("qos_policy", config.qos_policy)
                    .With("adaptive_qos_policy", config.adaptive_qos_policy)
                    .Try("keep one of them: a volume has one QoS policy"));
  }
}

void ReadCapacity(Reader& reader, StorageConfig& config) {
  constexpr std::uint64_t kGiBMax = std::uint64_t{1} << 33U;  // 8 EiB
  config.is_svm_scoped = reader.Flag("svm_scoped", false);
  const std::uint64_t gib = reader.Number("svm_capacity", 1, kGiBMax, 0);
  if (gib == 0) return;
  if (!config.is_svm_scoped) {
    reader.Fail(Error(ErrorCode::kInvalidArgument, "setting 'svm_capacity' needs 'svm_scoped'")
                    .Try("set svm_scoped 1, or leave svm_capacity out"));
  }
  config.svm_capacity = GiB(gib);
}

}  // namespace

Result<StorageConfig> StorageConfig::Parse(const std::string& storage_id,
                                           const Settings& settings) {
  Reader reader(settings);
  StorageConfig config;
  config.storage_id = storage_id;
  ReadManagement(reader, config);
  config.svm = reader.RequiredName("vserver", 47);
  config.subsystem = reader.RequiredName("subsystem", 64);
  config.aggregate = reader.RequiredName("aggregate", 255);
  config.is_tls_verified = reader.Flag("verify_ssl", config.is_tls_verified);
  ReadCapacity(reader, config);
  ReadPortals(reader, config);
  config.is_nvme_tls = reader.Flag("nvme_tls", false);

  config.prefix = Prefix(reader);
  config.snapshot_policy = reader.Name("snapshot_policy", 255);
  if (config.snapshot_policy == "none") config.snapshot_policy.clear();
  if (reader.Has("encryption")) {
    config.encryption =
        reader.Flag("encryption", false) ? EncryptionSetting::kOn : EncryptionSetting::kOff;
  }
  config.is_thick = reader.OneOf("space_reserve", {"none", "volume"}) == "volume";
  ReadQos(reader, config);
  config.snapshot_reserve_percent =
      static_cast<unsigned>(reader.Number("snapshot_reserve", 0, 90, 0));
  config.tiering_policy = reader.OneOf("tiering_policy", {"none", "snapshot_only", "auto", "all"});
  config.is_autosize_on = reader.Flag("autosize", config.is_autosize_on);
  config.autosize_max_percent = static_cast<unsigned>(
      reader.Number("autosize_max_percent", 105, 1000, config.autosize_max_percent));
  config.is_snapshot_autodelete_on = reader.Flag("snapshot_autodelete", false);
  config.is_force_delete = reader.Flag("force_delete", false);
  config.debug = static_cast<unsigned>(reader.Number("debug", 0, 2, 0));

  if (reader.error()) return *reader.error();
  return config;
}

Status CheckSecrets(const StorageConfig& config, const Secrets& secrets) {
  if (!config.is_nvme_tls || !secrets.tls_psk.empty()) return {};
  return Error(ErrorCode::kInvalidArgument, "setting 'nvme_tls' is on, but there is no key")
      .Because("TLS works with a pre-shared key here, and none is stored")
      .Try("give one ('pvesm set " + config.storage_id +
           " --nvme_tls_psk NVMeTLSkey-1:...'), or set nvme_tls 0");
}

}  // namespace ontapnvme::pve
