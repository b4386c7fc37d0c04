// SPDX-License-Identifier: AGPL-3.0-or-later
// The settings of one storage, checked. Each default is written here and nowhere else (Perl's
// schema only names the settings).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/byte_count.h"
#include "base/result.h"
#include "base/secret.h"

namespace ontapnvme::pve {

// A section of storage.cfg as text: key and value as they stand there.
using Settings = std::map<std::string, std::string>;

struct Secrets {
  Secret password;
  Secret dhchap_host_secret;
  Secret dhchap_controller_secret;
  Secret tls_psk;
};

enum class EncryptionSetting { kAggregate, kOff, kOn };

struct StorageConfig {
  // where the array is
  std::string storage_id;
  std::string mgmt_host;  // name or address, without brackets
  std::uint16_t mgmt_port = 443;
  std::string username;
  std::string svm;
  std::string subsystem;
  std::string aggregate;
  bool is_tls_verified = true;
  bool is_svm_scoped = false;
  std::optional<ByteCount> svm_capacity;
  // how nodes reach it; empty: the LIFs that the array tells
  std::vector<std::string> portals;
  bool is_nvme_tls = false;
  // what disks are made of
  std::string prefix;
  std::string snapshot_policy;  // empty: none
  EncryptionSetting encryption = EncryptionSetting::kAggregate;
  bool is_thick = false;
  std::string qos_policy;
  std::string adaptive_qos_policy;
  unsigned snapshot_reserve_percent = 0;
  std::string tiering_policy;  // empty: not set
  bool is_autosize_on = true;
  unsigned autosize_max_percent = 300;
  bool is_snapshot_autodelete_on = false;
  bool is_force_delete = false;
  unsigned debug = 0;

  // Reads and checks a section. Errors are kInvalidArgument and name the setting, its value and
  // what is allowed; the first one found is returned. Nothing is sent anywhere.
  static Result<StorageConfig> Parse(const std::string& storage_id, const Settings& settings);
};

// What the settings need of the secrets. kInvalidArgument: `nvme_tls` without a pre-shared key.
Status CheckSecrets(const StorageConfig& config, const Secrets& secrets);

}  // namespace ontapnvme::pve
