// SPDX-License-Identifier: AGPL-3.0-or-later
// What may be wrong around a storage that works, and would hurt later: checked once a day on each
// node, and reported as warnings.
#pragma once

#include "base/log.h"
#include "catalogue/array.h"
#include "node/node_state.h"
#include "nvme/host.h"

namespace ontapnvme::pve {

class NodeChecks {
 public:
  NodeChecks(catalogue::Array& array, nvme::Host& host, node::NodeState& node, Log& log)
      : array_(array), host_(host), node_(node), log_(log) {}

  // After an activation. One request when it is due, else none. What cannot be found out waits for
  // the next day.
  void RunIfDue(const Deadline& deadline);

 private:
  void WarnAboutTwins(const Deadline& deadline);

  catalogue::Array& array_;
  nvme::Host& host_;
  node::NodeState& node_;
  Log& log_;
};

}  // namespace ontapnvme::pve
