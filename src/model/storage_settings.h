// SPDX-License-Identifier: AGPL-3.0-or-later
// The values of a storage's settings, by what they concern. Defaults, ranges and texts stand in
// settings_table.cc; StorageConfig::Parse fills these in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/byte_count.h"

namespace ontapnvme {

// Where the array is and as whom it is asked.
struct ArraySettings {
  std::string mgmt_host;  // name or address, without brackets
  std::uint16_t mgmt_port = 0;
  std::string username;
  std::string svm;
  bool is_tls_verified = true;  // the safe side, should a value never have been parsed
  bool is_svm_scoped = false;
  std::optional<ByteCount> svm_capacity;
};

// How nodes reach the disks.
struct FabricSettings {
  std::string subsystem;
  std::vector<std::string> portals;  // empty: the LIFs that the array lists
  bool is_nvme_tls = false;
};

enum class EncryptionSetting { kAggregate, kOff, kOn };
enum class RansomwareSetting { kArray, kOff, kOn };

// What disks are made of, and how they are deleted.
struct DiskSettings {
  std::string aggregate;
  std::string prefix;
  std::string snapshot_policy;  // empty: none
  EncryptionSetting encryption = EncryptionSetting::kAggregate;
  bool is_thick = false;
  std::string qos_policy;           // empty: none; never together with the adaptive one
  std::string adaptive_qos_policy;  // empty: none
  unsigned snapshot_reserve_percent = 0;
  std::string tiering_policy;  // empty: left to the array
  bool is_autosize_on = false;
  unsigned autosize_max_percent = 0;  // of the FlexVol's first size
  bool is_snapshot_autodelete_on = false;
  RansomwareSetting ransomware_protection = RansomwareSetting::kArray;
  bool is_force_delete = false;
  bool is_snapshot_import_on = false;
};

struct StorageSettings : ArraySettings, FabricSettings, DiskSettings {
  unsigned debug = 0;  // 0 to 2
};

}  // namespace ontapnvme
