// SPDX-License-Identifier: AGPL-3.0-or-later
// Everything about a storage that is known to go wrong on the array, looked at when an administrator
// asks: its surroundings, the disks, and whether this node has a path to each of its addresses. What
// the node alone can tell is looked at where the command is. Changes nothing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "catalogue/array.h"
#include "model/check_result.h"
#include "model/storage_config.h"
#include "nvme/host.h"

namespace ontapnvme::pve {

class StorageCheckup {
 public:
  // All are borrowed.
  StorageCheckup(const StorageConfig& config, catalogue::Array& array, nvme::Host& host)
      : config_(config), array_(array), host_(host) {}

  // Always the same checks in the same order. What depends on a check that complains is skipped.
  CheckResults Examine(const Deadline& deadline);

 private:
  void LookAtSpace(CheckResults& results, const Deadline& deadline);
  void LookAtDisks(CheckResults& results, const Deadline& deadline);
  void LookAtLeftOvers(CheckResults& results, const Deadline& deadline);
  void LookForMissingPaths(CheckResults& results);
  void LookForTwins(CheckResults& results, const Result<nvme::HostIdentity>& identity,
                    const Deadline& deadline);
  std::string Again() const { return "ontapnvme doctor " + config_.storage_id; }

  const StorageConfig& config_;
  catalogue::Array& array_;
  nvme::Host& host_;
};

}  // namespace ontapnvme::pve
