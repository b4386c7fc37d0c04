// SPDX-License-Identifier: AGPL-3.0-or-later
#include "contract/behaviour.h"

namespace ontapnvme::contract {

const std::map<std::string, std::string>& SwitchesNotAsked() {
  static const std::string kLoad = "depends on how busy the array is at the moment";
  static const std::string kAccount =
      "is asked with each account: the storage's own says it when it is added";
  static const std::string kSplit =
      "shows in the minutes, or hours, in which a full clone is copied";
  static const std::string kQueue =
      "many accounts may not use the recovery queue; bringing a disk back copes with either";
  static const std::map<std::string, std::string> kReasons = {
      {"offline_volume", kQueue},
      {"queue_fields", kQueue},
      {"recovered_namespace", kQueue},
      {"recovered_policy", kQueue},
      {"clone_online_ms", kLoad},
      {"attack_probability", "shows when the array suspects an attack"},
      {"date_header", "whoever looks at a storage copes with either, and says when it is left out"},
      {"snapshot_count", "likewise"},
      {"connection_list_lag_s", "needs a host that connects and goes"},
      {"denied_code", kAccount},
      {"group_at_add", "is a race of two clients"},
      {"job_answers", kLoad},
      {"job_reads", kAccount},
      {"late_by_uuid", kLoad},
      {"late_listing_ms", kLoad},
      {"lun_comment", "a LUN's comment is not asked for, and nothing depends on it"},
      {"locked_snapshot_rename",
       "shows when anti-ransomware protection has taken one, and 12 hours later"},
      {"move_s", "needs a second aggregate, and as long as a volume takes to copy"},
      {"pages", kLoad},
      {"ransomware_locks", "shows some hours after a volume was made"},
      {"role", kAccount},
      {"snapshot_while_split", kSplit},
      {"split_s", kSplit},
      {"split_snapshots", kSplit},
      {"svm_account_aggregates", kAccount},
      {"svm_account_fields", kAccount},
      {"volume_busy_s", kLoad},
      {"volume_size_limit", "would need volumes as large as the platform's limit"},
  };
  return kReasons;
}

}  // namespace ontapnvme::contract
