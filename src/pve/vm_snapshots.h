// SPDX-License-Identifier: AGPL-3.0-or-later
// Snapshots as Proxmox asks for them, disk by disk, on an array that takes them for the whole VM at
// once.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "pve/context.h"
#include "pve/snapshot_devices.h"
#include "pve/snapshot_memory.h"
#include "pve/storage.h"
#include "pve/vm_group.h"
#include "pve/volume_name.h"

namespace ontapnvme::pve {

class VmSnapshots {
 public:
  VmSnapshots(Context& context, SnapshotDevices& devices)
      : context_(&context), devices_(&devices), groups_(context) {}

  // See Storage::CreateSnapshot.
  Status Create(const VolumeName& name, const std::string& snapshot, const Deadline& deadline);
  // See Storage::DeleteSnapshot.
  Status Delete(const VolumeName& name, const std::string& snapshot, const Deadline& deadline);
  // See Storage::ListSnapshots.
  Result<std::vector<SnapshotInfo>> List(const VolumeName& name, const Deadline& deadline);

 private:
  Status CreateOfGroup(const ontap::ConsistencyGroup& group, const VolumeName& name,
                       const std::string& snapshot, const Deadline& deadline);
  Status CreateOfVolume(const VolumeName& name, const std::string& snapshot,
                        const Deadline& deadline);
  Result<bool> DeleteOfGroup(const VolumeName& name, const std::string& flexvol,
                             const std::string& snapshot, const Deadline& deadline);
  // Does `remove`, once more without this node's snapshot devices if they are in the way; what else
  // is in the way is named.
  Status DeleteHeld(const std::vector<ontap::VolumeRef>& volumes, const std::string& array_name,
                    const std::function<Status()>& remove, const Deadline& deadline);
  Status DeleteOfVolumes(const std::vector<ontap::VolumeRef>& volumes, const std::string& snapshot,
                         const Deadline& deadline);

  Context* context_;
  SnapshotDevices* devices_;
  VmGroups groups_;
  CoverageByKey created_;
  CoverageByKey deleted_;
};

}  // namespace ontapnvme::pve
