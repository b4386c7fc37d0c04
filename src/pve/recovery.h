// SPDX-License-Identifier: AGPL-3.0-or-later
// What an operation left that was killed half-way: recognised by its mark, finished or removed by a
// later one.
#pragma once

#include <chrono>
#include <set>
#include <string>
#include <vector>

#include "ontap/disk_objects.h"
#include "pve/context.h"
#include "pve/node_turns.h"
#include "pve/snapshot_devices.h"
#include "pve/vm_group.h"

namespace ontapnvme::pve {

class Recovery {
 public:
  Recovery(Context& context, SnapshotDevices& devices, NodeTurns turns)
      : context_(&context), devices_(&devices), turns_(std::move(turns)), groups_(context) {}

  // At most once per node and hour, and only from operations that hold Proxmox's storage lock: no
  // other one is half-way then. Two listings, and what there is to settle. Looks at nothing that is
  // younger than an hour, nor at what carries no mark of ours. Best effort; what was done is told
  // in one line.
  void RunIfDue(const Deadline& deadline);
  // See Storage::Pending.
  Result<std::vector<std::string>> Pending(const Deadline& deadline);

 private:
  // What is not as it should be, of our own and made before a certain time; and what there is.
  struct Findings {
    std::vector<ontap::FlexVol> volumes;
    DiskMemory::Disks known;
    std::vector<ontap::FlexVol> empty;
    std::vector<ontap::NvmeNamespace> unmapped;
    std::set<std::uint64_t> ungrouped_vmids;
  };
  Result<Findings> Look(std::chrono::system_clock::time_point oldest, const Deadline& deadline);
  static bool IsEmpty(const ontap::DiskObjects& disk);
  // A FlexVol without a namespace holds nothing: a create or a delete stopped there.
  Status RemoveEmpty(const ontap::FlexVol& volume, const Deadline& deadline);
  // Volumes whose deletion had to wait; how many went.
  int DeleteParked(const Deadline& deadline);
  Status Regroup(std::uint64_t vmid, const std::vector<ontap::FlexVol>& volumes,
                 const Deadline& deadline);

  Context* context_;
  SnapshotDevices* devices_;
  NodeTurns turns_;
  VmGroups groups_;
};

}  // namespace ontapnvme::pve
