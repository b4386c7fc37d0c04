// SPDX-License-Identifier: AGPL-3.0-or-later
// A snapshot's bytes as a device of this node: a clone of the snapshot, mapped for as long as it is
// needed. It is not a volume, so no listing shows it. Each node has its own, so that one node's
// reader is not disturbed when another's is done. A reader may write to it: the snapshot stays what
// it is.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/log.h"
#include "catalogue/array.h"
#include "model/volume_name.h"
#include "node/node_state.h"
#include "nvme/host.h"
#include "pve/data_paths.h"
#include "pve/local_devices.h"

namespace ontapnvme::pve {

class SnapshotDevices {
 public:
  SnapshotDevices(catalogue::Array& array, DataPaths& paths, LocalDevices& devices,
                  nvme::Host& host, node::NodeState& node, Log& log)
      : array_(array),
        paths_(paths),
        devices_(devices),
        host_(host),
        node_(node),
        log_(log),
        lock_(node.Lock("snapshot-devices")) {}

  // See Storage for these.
  Result<std::string> ActivateSnapshot(const VolumeName& name, const SnapshotName& snapshot,
                                       const Deadline& deadline);
  Status DeactivateSnapshot(const VolumeName& name, const SnapshotName& snapshot,
                            const Deadline& deadline);

  // Deactivates what nobody has open any more of those whose tasks have ended: one each 10 s on each node;
  // no request while there are none. Once a day, and so after each restart, removes what this node has
  // no link of. Best effort, for a poll.
  void ReleaseEnded(const Deadline& deadline);
  // Deactivates those of the volume's snapshots that are not in use on this node. Best effort; no
  // request when none is active.
  void ReleaseUnused(const VolumeName& name, const Deadline& deadline);
  // The same for all of them: `failure` is what then cannot be done. For a volume that loses its
  // name, which the links have.
  Status End(const VolumeName& name, const std::string& failure, const Deadline& deadline);
  // Removes the unused devices of the volumes in these containers: all of them, or those of one
  // snapshot. This node's, also what a crash left without a link, and those of nodes that the
  // cluster knows to be down, and that were not connected to the array ten minutes ago and are
  // not now. True when one was removed: what they kept from being deleted may be free now.
  bool Reap(const std::set<std::string>& container_names,
            const std::optional<ArraySnapshotName>& snapshot, const Deadline& deadline);
  // Waits until other nodes, which may read from theirs, have let go of theirs of that snapshot: their
  // polls do so soon after the tasks that asked for them have ended. True when all have that had one.
  // Not for a node that is down.
  bool AwaitOthers(const std::set<std::string>& container_names, const ArraySnapshotName& snapshot,
                   const Deadline& deadline);
  // Removes devices that were made before `oldest`, are unused and which no running task has asked for, or
  // have lost their link: this node's, and those of nodes that are cut off as for Reap. Returns how many.
  int ReapAbandoned(std::chrono::system_clock::time_point oldest, const Deadline& deadline);

  // Those of all nodes, one line each, for people.
  Result<std::vector<std::string>> Describe(const Deadline& deadline);
  // The storage is removed: its lock goes. Devices stay.
  void Forget() const { lock_.Forget(); }

 private:
  Result<catalogue::ShownSnapshot> ShownHere(const VolumeName& name, const SnapshotName& snapshot);
  // The link's path if this node has made the link since its start and the device is behind it.
  std::optional<std::string> PresentLink(const catalogue::SnapshotDevice& device,
                                         const Deadline& deadline);
  Result<std::string> Make(const catalogue::ShownSnapshot& shown, const Deadline& deadline);
  // Maps the device, waits for it and points its link at it. Returns the link's path.
  Result<std::string> Attach(const catalogue::SnapshotDevice& device, const Deadline& deadline);
  // kBusy while it is in use on this node, or another task here that asked for it still runs.
  Status Remove(const catalogue::SnapshotDevice& device, const Deadline& deadline);
  // Removes the unused ones that `is_unwanted` picks, of this node and of nodes that are cut off.
  // Returns how many.
  int ReapIf(const std::function<bool(const catalogue::SnapshotDevice&, bool is_own)>& is_unwanted,
             const Deadline& deadline);
  void Release(const std::string& link, const Deadline& deadline);
  Status RequireUnused(const catalogue::SnapshotDevice& device, const Deadline& deadline);
  Status RemoveLink(const std::string& link);
  // Of another node, which the array has no connection of: nobody can read from the device there.
  Status RemoveOfCutOff(const catalogue::SnapshotDevice& device, const Deadline& deadline);
  // kBusy unless the cluster knows that host's node to be down, and the array shows connections of this
  // node and none of that host, and did so before. Each may be wrong alone: a node that has lost its
  // cluster may still read, and the array's list may lag, or lack what its LIFs have not told it yet.
  Status RequireCutOff(const std::string& own_nqn, const std::string& host_nqn,
                       const Deadline& deadline);

  catalogue::Array& array_;
  DataPaths& paths_;
  LocalDevices& devices_;
  nvme::Host& host_;
  node::NodeState& node_;
  Log& log_;
  // Two tasks of this node must not take each other's unfinished device for a left-over.
  node::NodeLock lock_;
  std::size_t releases_ = 0;  // by polls of this process
};

}  // namespace ontapnvme::pve
