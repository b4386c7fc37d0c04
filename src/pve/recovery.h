// SPDX-License-Identifier: AGPL-3.0-or-later
// What an operation left behind that was killed half-way: recognised by its mark, and finished or
// removed by a later one.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/log.h"
#include "catalogue/array.h"
#include "node/node_state.h"
#include "pve/snapshot_devices.h"

namespace ontapnvme::pve {

class Recovery {
 public:
  Recovery(catalogue::Array& array, SnapshotDevices& devices, node::NodeState& node, Log& log)
      : array_(array), devices_(devices), node_(node), log_(log) {}

  // At most once an hour on each node, and only from operations that hold Proxmox's lock of the
  // storage: no other one is half-way then. Leaves alone what is younger than an hour and what does
  // not carry our mark. Best effort, within a budget of its own; what was done is one warning.
  void SettleIfDue(const Deadline& deadline);
  // See Storage.
  Result<std::vector<std::string>> RemoveAbandoned(const std::set<std::string>& named,
                                                   const Deadline& deadline);
  // See Storage.
  Result<std::vector<std::string>> Pending(const Deadline& deadline);

 private:
  // Whether the survey may have missed a disk: what configurations name, and what the cluster remembers,
  // must be in it as whole disks: then none of them is abandoned.
  Status RequireWhole(const catalogue::Survey& survey, const std::set<std::string>& named) const;

  catalogue::Array& array_;
  SnapshotDevices& devices_;
  node::NodeState& node_;
  Log& log_;
};

}  // namespace ontapnvme::pve
