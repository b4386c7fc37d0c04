// SPDX-License-Identifier: AGPL-3.0-or-later
// Snapshots as Proxmox asks for them, disk by disk, on an array that takes them of a whole VM at
// once: what one call did is kept, and answers the calls for the other disks of the same operation.
// It is kept in the process, which for Proxmox is one task.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "catalogue/snapshot_store.h"
#include "model/storage_types.h"
#include "model/volume_name.h"
#include "node/node_state.h"
#include "pve/snapshot_devices.h"

namespace ontapnvme::pve {

class VmSnapshots {
 public:
  VmSnapshots(catalogue::SnapshotStore& snapshots, SnapshotDevices& devices, node::NodeState& node,
              Log& log)
      : snapshots_(snapshots), devices_(devices), node_(node), log_(log) {}

  // A snapshot of the volume's VM is about to be taken. Best effort.
  void Prepare(const VolumeName& name, const Deadline& deadline);
  // See Storage for these. The calls for the disks of a VM share what `deadline` has: its guest may
  // stand still until the last of them is over.
  Status CreateSnapshot(const VolumeName& name, const SnapshotName& snapshot,
                        const Deadline& deadline);
  // Removes what CreateSnapshot has given up and the array has taken all the same. Best effort, for a
  // poll and for the start of a task; no request while there is nothing open.
  void SettleOpen(const Deadline& deadline);
  // What SettleOpen still looks for, one line each, for people.
  std::vector<std::string> DescribeOpen() const;
  Status DeleteSnapshot(const VolumeName& name, const SnapshotName& snapshot,
                        const Deadline& deadline);
  Result<std::vector<SnapshotInfo>> ListSnapshots(const VolumeName& name, const Deadline& deadline);
  Result<std::vector<VmSnapshotInfo>> ListVmSnapshots(std::optional<std::uint64_t> vmid,
                                                      const Deadline& deadline);

  Result<AdoptedInfo> AdoptSnapshot(const std::vector<VolumeName>& names,
                                    const ArraySnapshotName& from, const SnapshotName& to,
                                    const Deadline& deadline);

 private:
  // The disks that a call covered besides its own, and that have not been asked for yet.
  struct Covered {
    catalogue::Coverage waiting;
    TimePoint at;
  };
  using VmAndSnapshot = std::pair<std::uint64_t, SnapshotName>;
  using ByVmAndSnapshot = std::map<VmAndSnapshot, Covered>;
  // The last snapshot, and how long its calls have taken so far.
  struct Frozen {
    VmAndSnapshot what;
    TimePoint at;
    Duration spent{0};
  };

  static void Keep(ByVmAndSnapshot& kept, const VolumeName& name, const SnapshotName& snapshot,
                   catalogue::Coverage coverage, TimePoint now);
  // True once for each disk that a recent call covered.
  static bool Take(ByVmAndSnapshot& kept, const VolumeName& name, const SnapshotName& snapshot,
                   TimePoint now);
  Result<catalogue::Coverage> TakeOrNote(const VolumeName& name, const SnapshotName& snapshot,
                                         const Deadline& deadline);
  void Settle(const node::OpenSnapshot& open, const Deadline& deadline);
  // Removes the unused devices of that snapshot, of all disks that it may cover, and waits for those that
  // other nodes have. True when some are gone.
  bool EndDevices(const VolumeName& name, const SnapshotName& snapshot, const Deadline& deadline);

  catalogue::SnapshotStore& snapshots_;
  SnapshotDevices& devices_;
  node::NodeState& node_;
  Log& log_;
  std::optional<Frozen> frozen_;
  ByVmAndSnapshot created_;
  ByVmAndSnapshot deleted_;
};

}  // namespace ontapnvme::pve
