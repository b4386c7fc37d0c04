// SPDX-License-Identifier: AGPL-3.0-or-later
// The storage as a whole on this node: registered and connected, and forgotten again.
#pragma once

#include "base/log.h"
#include "catalogue/array.h"
#include "model/storage_config.h"
#include "node/node_state.h"
#include "nvme/host.h"
#include "pve/data_paths.h"

namespace ontapnvme::pve {

class StorageActivation {
 public:
  StorageActivation(const StorageConfig& config, const Secrets& secrets, catalogue::Array& array,
                    DataPaths& paths, nvme::Host& host, node::NodeState& node, Log& log)
      : config_(config),
        secrets_(secrets),
        array_(array),
        paths_(paths),
        host_(host),
        node_(node),
        log_(log) {}

  // See Storage for these.
  Status Activate(const Deadline& deadline);
  Status Forget(const Deadline& deadline);

 private:
  // Every path was refused: the secrets of the storage are not those with which this node was
  // registered, since they were changed. `refusal` is what connecting ended with.
  Status ConnectWithNewSecrets(const catalogue::FabricTarget& target, const Status& refusal,
                               const Deadline& deadline);

  const StorageConfig& config_;
  const Secrets& secrets_;
  catalogue::Array& array_;
  DataPaths& paths_;
  nvme::Host& host_;
  node::NodeState& node_;
  Log& log_;
};

}  // namespace ontapnvme::pve
