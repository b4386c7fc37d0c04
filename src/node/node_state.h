// SPDX-License-Identifier: AGPL-3.0-or-later
// Everything that a storage keeps on this node, and in its cluster for all nodes, in one object.
#pragma once

#include <string>

#include "model/storage_config.h"
#include "model/storage_types.h"
#include "node/cluster_members.h"
#include "node/device_links.h"
#include "node/disk_memory.h"
#include "node/facts_file.h"
#include "node/link_tasks.h"
#include "node/name_lookup.h"
#include "node/node_lock.h"
#include "node/node_turns.h"
#include "node/open_snapshots.h"
#include "node/silence_memory.h"

namespace ontapnvme::node {

class NodeState {
 public:
  NodeState(const Surroundings& surroundings, const StorageConfig& config);
  NodeState(const NodeState&) = delete;
  NodeState& operator=(const NodeState&) = delete;

  // ---- in the state directory, for all processes of this node
  const FactsFile facts;               // what hardly ever changes about the array
  const SilenceMemory silence;         // that the array does not answer
  const NameLookup names;              // what the resolver said of portals
  const NodeTurns turns;               // what is done or reported only once in a while
  const LinkTasks link_tasks;          // for whom a snapshot is shown
  const OpenSnapshots open_snapshots;  // which the array may have taken or not
  // A lock among this node's tasks for `matter`.
  NodeLock Lock(const std::string& matter) const;
  // By these notes the package's udev rule recognises namespaces as disks of guests. They outlive
  // the storage, since another one may use the subsystem, and go with the next boot. Best effort.
  void NoteSubsystem(const std::string& nqn) const;

  // ---- for all nodes of the cluster
  const DiskMemory disks;        // which namespace each volume is
  const ClusterMembers members;  // which nodes are down

  // ---- what Proxmox opens
  const DeviceLinks links;

  const std::string lvm_config_file;  // empty: it is not looked at

  // The storage is removed: facts, silence, names, turns, tasks and open snapshots go. Links, locks and notes stay.
  void Forget() const;

 private:
  std::string state_directory_;
  std::string storage_id_;
};

}  // namespace ontapnvme::node
