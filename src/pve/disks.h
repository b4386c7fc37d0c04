// SPDX-License-Identifier: AGPL-3.0-or-later
// Disks that are there: listed, described, removed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ontap/disk_objects.h"
#include "pve/array_facts.h"
#include "pve/context.h"
#include "pve/node_turns.h"
#include "pve/snapshot_devices.h"
#include "pve/storage.h"
#include "pve/vm_group.h"
#include "pve/volume_name.h"

namespace ontapnvme::pve {

class Disks {
 public:
  Disks(Context& context, FactSource& facts, SnapshotDevices& devices, NodeTurns turns)
      : context_(&context),
        facts_(&facts),
        devices_(&devices),
        turns_(std::move(turns)),
        groups_(context) {}

  // See Storage::Free.
  Status Free(const VolumeName& name, const Deadline& deadline);
  // See Storage::List.
  Result<std::vector<DiskInfo>> List(std::optional<std::uint64_t> vmid, const Deadline& deadline);
  Result<DiskInfo> Info(const VolumeName& name, const Deadline& deadline);

 private:
  Status RequireFreeable(const VolumeName& name, const ontap::DiskObjects& disk,
                         const Deadline& deadline);
  Status Delete(const ontap::FlexVol& volume, const Deadline& deadline);
  // For a volume that only deleted clones in the recovery queue still hold: out of sight, to be
  // deleted by Recovery when they have left.
  Status Park(const VolumeName& name, const ontap::FlexVol& volume, const Deadline& deadline);
  Status Unmap(const VolumeName& name, const ontap::NvmeNamespace& ns, const Deadline& deadline);
  DiskInfo Describe(const VolumeName& name, const ontap::DiskObjects& disk) const;
  // Once a day: which volumes will soon be full for good.
  void WarnOfCeilings(const std::vector<std::string>& names, const Deadline& deadline);

  Context* context_;
  FactSource* facts_;
  SnapshotDevices* devices_;
  NodeTurns turns_;
  VmGroups groups_;
};

}  // namespace ontapnvme::pve
