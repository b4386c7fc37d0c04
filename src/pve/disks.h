// SPDX-License-Identifier: AGPL-3.0-or-later
// Disks that are there: listed, described, removed, and brought back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "catalogue/disk_store.h"
#include "model/storage_config.h"
#include "model/storage_types.h"
#include "model/volume_name.h"
#include "node/node_state.h"
#include "nvme/host.h"
#include "pve/local_devices.h"
#include "pve/snapshot_devices.h"

namespace ontapnvme::pve {

class Disks {
 public:
  Disks(const StorageConfig& config, catalogue::DiskStore& disks, LocalDevices& devices,
        SnapshotDevices& snapshot_devices, nvme::Host& host, node::NodeState& node, Log& log)
      : config_(config),
        disks_(disks),
        devices_(devices),
        snapshot_devices_(snapshot_devices),
        host_(host),
        node_(node),
        log_(log) {}

  // See Storage for these.
  Result<std::vector<DiskInfo>> List(std::optional<std::uint64_t> vmid, const Deadline& deadline);
  Result<DiskInfo> Info(const VolumeName& name, const Deadline& deadline);
  Status RequireEmpty(const Deadline& deadline);
  Status Free(const VolumeName& name, const Deadline& deadline);
  Result<std::vector<DeletedInfo>> ListDeleted(const Deadline& deadline);
  Result<std::string> Undelete(const VolumeName& name, const std::string& queued_as,
                               const Deadline& deadline);
  Status StartMove(const VolumeName& name, const std::string& place, const Deadline& deadline);
  Result<PlaceInfo> WhereIs(const VolumeName& name, const Deadline& deadline);

 private:
  // Once a day: which volumes will soon be full for good.
  void WarnOfCeilings(const std::vector<catalogue::Disk>& disks, const Deadline& deadline);
  Status RequireFreeable(const VolumeName& name, const catalogue::Disk& disk,
                         const Deadline& deadline);
  // Lets go of the namespace on this node and unmaps it.
  Status Detach(const VolumeName& name, const catalogue::DiskNamespace& ns,
                const Deadline& deadline);
  // After a Detach, when the disk could not be removed after all.
  Status AttachAgain(const VolumeName& name, const catalogue::DiskNamespace& ns,
                     const Deadline& deadline);
  // Without what this node shows of the volume's snapshots, where that is in the way.
  Result<catalogue::Removal> Remove(const catalogue::Volume& volume, const Deadline& deadline);

  const StorageConfig& config_;
  catalogue::DiskStore& disks_;
  LocalDevices& devices_;
  SnapshotDevices& snapshot_devices_;
  nvme::Host& host_;
  node::NodeState& node_;
  Log& log_;
};

}  // namespace ontapnvme::pve
