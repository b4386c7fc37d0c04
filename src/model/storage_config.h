// SPDX-License-Identifier: AGPL-3.0-or-later
// The settings of one storage, checked.
#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "model/secrets.h"
#include "model/storage_settings.h"

namespace ontapnvme {

// A section of storage.cfg as text: key and value as they stand there.
using Settings = std::map<std::string, std::string>;

struct StorageConfig : StorageSettings {
  std::string storage_id;

  // Reads and checks a section. Keys that are no settings of ours are passed over: Proxmox has its
  // own. Errors are kInvalidArgument and name the setting, its value and what is allowed; the first
  // one found is returned. Nothing is sent anywhere.
  static Result<StorageConfig> Parse(const std::string& storage_id, const Settings& settings);
};

// What the settings need of the secrets. kInvalidArgument: `nvme_tls` without a pre-shared key.
Status CheckSecrets(const StorageConfig& config, const Secrets& secrets);

}  // namespace ontapnvme
