// SPDX-License-Identifier: AGPL-3.0-or-later
// The operations of one storage, put together. Only the façade uses this; an operation is given what
// it needs, and no other way to anything.
#pragma once

#include "base/log.h"
#include "catalogue/array.h"
#include "model/storage_config.h"
#include "node/node_state.h"
#include "nvme/host.h"
#include "pve/checkup/disk_explanation.h"
#include "pve/checkup/storage_checkup.h"
#include "pve/data_paths.h"
#include "pve/disk_making.h"
#include "pve/disks.h"
#include "pve/local_devices.h"
#include "pve/node_checks.h"
#include "pve/polling.h"
#include "pve/recovery.h"
#include "pve/renaming.h"
#include "pve/rollback.h"
#include "pve/snapshot_devices.h"
#include "pve/storage_activation.h"
#include "pve/transfer.h"
#include "pve/vm_snapshots.h"
#include "pve/volume_activation.h"

namespace ontapnvme::pve {

struct Operations {
  // All are borrowed; `interrupt` may be null.
  Operations(const StorageConfig& config, const Secrets& secrets, catalogue::Array& array,
             nvme::Host& host, node::NodeState& node, Log& log, Interrupt* interrupt)
      : paths(config, secrets, host, log),
        devices(config, array, host, log),
        snapshot_devices(array, paths, devices, host, node, log),
        storage_activation(config, secrets, array, paths, host, node, log),
        polling(array, paths, log),
        node_checks(array, host, node, log),
        checkup(config, array, host),
        explanation(config, array, host),
        recovery(array, snapshot_devices, node, log),
        disks(config, array.disks(), devices, snapshot_devices, host, node, log),
        disk_making(config, array.disks(), node),
        renaming(config, array.disks(), devices, snapshot_devices, node),
        volume_activation(config, array, paths, devices, host, node, log),
        transfer(volume_activation, snapshot_devices, interrupt),
        vm_snapshots(array.snapshots(), snapshot_devices, node, log),
        rollbacks(array, devices) {}
  Operations(const Operations&) = delete;
  Operations& operator=(const Operations&) = delete;

  DataPaths paths;
  LocalDevices devices;
  SnapshotDevices snapshot_devices;
  StorageActivation storage_activation;
  Polling polling;
  NodeChecks node_checks;
  StorageCheckup checkup;
  DiskExplanation explanation;
  Recovery recovery;
  Disks disks;
  DiskMaking disk_making;
  Renaming renaming;
  VolumeActivation volume_activation;
  Transfer transfer;
  VmSnapshots vm_snapshots;
  Rollbacks rollbacks;
};

}  // namespace ontapnvme::pve
