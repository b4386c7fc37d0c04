// SPDX-License-Identifier: AGPL-3.0-or-later
// Disks that change their name and stay what they are: to a base image, to another VM.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "catalogue/disk_store.h"
#include "model/storage_config.h"
#include "model/volume_name.h"
#include "node/node_state.h"
#include "pve/local_devices.h"
#include "pve/snapshot_devices.h"

namespace ontapnvme::pve {

class Renaming {
 public:
  Renaming(const StorageConfig& config, catalogue::DiskStore& disks, LocalDevices& devices,
           SnapshotDevices& snapshot_devices, node::NodeState& node)
      : config_(config),
        disks_(disks),
        devices_(devices),
        snapshot_devices_(snapshot_devices),
        node_(node) {}

  // See Storage for these.
  Result<std::string> CreateBase(const VolumeName& name, const Deadline& deadline);
  Result<std::string> Rename(const VolumeName& name, std::uint64_t vmid,
                             const std::string& new_name, const Deadline& deadline);

  Result<std::string> HandOver(const VolumeName& name, const catalogue::OtherStorage& to,
                               const std::string& new_name, const Deadline& deadline);
  Result<std::vector<std::string>> MovedVolumes(std::uint64_t vmid, const std::string& moved_from,
                                                const Deadline& deadline);
  Status TakeOver(const VolumeName& name, const Deadline& deadline);

 private:
  // One try; returns the new name. The error has Refusal::kNameLost when the chosen name went to
  // another owner.
  Result<VolumeName> RenameOnce(const VolumeName& name, std::uint64_t vmid,
                                const std::string& new_name, const Deadline& deadline);
  // Before a disk gets another name: it is in use nowhere here, no snapshot of it is shown, and nothing is
  // remembered under its name.
  Status LetGo(const VolumeName& name, const catalogue::DiskNamespace& ns,
               const std::string& failure, const Deadline& deadline);
  // `failure` of what was undone: the name has its disk again, if that is certain.
  Error Unchanged(const VolumeName& name, const std::optional<Uuid>& ns, const Error& failure);

  const StorageConfig& config_;
  catalogue::DiskStore& disks_;
  LocalDevices& devices_;
  SnapshotDevices& snapshot_devices_;
  node::NodeState& node_;
};

}  // namespace ontapnvme::pve
