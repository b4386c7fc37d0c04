// SPDX-License-Identifier: AGPL-3.0-or-later
// This node's connections to the subsystem. Each expected one is checked and made if it is missing:
// a live path does not hide a missing one.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/log.h"
#include "catalogue/records.h"
#include "model/storage_config.h"
#include "nvme/host.h"

namespace ontapnvme::pve {

class DataPaths {
 public:
  DataPaths(const StorageConfig& config, const Secrets& secrets, nvme::Host& host, Log& log)
      : config_(config), secrets_(secrets), host_(host), log_(log) {}

  // Success when at least one path is live; a path that could not be made is then a warning. Does
  // nothing when every expected path is there. kUnavailable with the state of every path when none
  // is live; kUnauthenticated when the reason is that the array and this node have different
  // secrets.
  Status Ensure(const catalogue::FabricTarget& target, const Deadline& deadline);
  // Whether a path to that subsystem is live. Reads sysfs only.
  bool IsAnyLive(const std::string& subsystem_nqn);

 private:
  // What connecting to some addresses came to.
  struct Failures {
    std::string text;  // each address that failed, and why
    // A secret that was refused or is missing counts before what this node cannot do, and that
    // before an address that does not answer.
    ErrorCode cause = ErrorCode::kUnavailable;
  };

  Failures Connect(const catalogue::FabricTarget& target, const std::vector<std::string>& addresses,
                   const Deadline& deadline);
  // A path that has just failed is not tried again at every poll: a dead address costs a connect
  // time-out.
  bool IsDue(const std::string& address, Clock& clock) const;

  const StorageConfig& config_;
  const Secrets& secrets_;
  nvme::Host& host_;
  Log& log_;
  std::map<std::string, TimePoint> next_try_;  // by address
};

}  // namespace ontapnvme::pve
