// SPDX-License-Identifier: AGPL-3.0-or-later
// Disks as block devices of this node: proven, linked, grown, and let go.
#pragma once

#include <cstdint>
#include <string>

#include "base/log.h"
#include "catalogue/array.h"
#include "model/storage_config.h"
#include "model/volume_name.h"
#include "node/node_state.h"
#include "nvme/host.h"
#include "pve/data_paths.h"
#include "pve/local_devices.h"

namespace ontapnvme::pve {

class VolumeActivation {
 public:
  VolumeActivation(const StorageConfig& config, catalogue::Array& array, DataPaths& paths,
                   LocalDevices& devices, nvme::Host& host, node::NodeState& node, Log& log)
      : config_(config),
        array_(array),
        paths_(paths),
        devices_(devices),
        host_(host),
        node_(node),
        log_(log) {}

  // See Storage for these.
  Result<std::string> ActivateVolume(const VolumeName& name, const Deadline& deadline);
  Status DeactivateVolume(const VolumeName& name);
  Status Resize(const VolumeName& name, std::uint64_t size_bytes, const Deadline& deadline);

 private:
  Result<std::string> Activate(const VolumeName& name, const Deadline& deadline);
  // While the array is silent: the namespace that the cluster remembers, proven in-band. `silence`
  // is what asking the array ended with.
  Result<std::string> ActivateRemembered(const VolumeName& name, const Uuid& ns,
                                         const Error& silence);
  // The device of `ns`; where it is not here, paths and map are seen to first.
  Result<nvme::Device> Attach(const VolumeName& name, const catalogue::DiskNamespace& ns,
                              const Deadline& deadline);
  // The namespace of a volume that was found mapped elsewhere, after a look at what this storage's
  // subsystem is now. kConflict when it really is mapped to another one.
  Result<catalogue::DiskNamespace> RequireNotElsewhere(const VolumeName& name,
                                                       const Deadline& deadline);
  // Points the volume's link at the device and returns the link's path.
  Result<std::string> Link(const VolumeName& name, const nvme::Device& device);

  const StorageConfig& config_;
  catalogue::Array& array_;
  DataPaths& paths_;
  LocalDevices& devices_;
  nvme::Host& host_;
  node::NodeState& node_;
  Log& log_;
};

}  // namespace ontapnvme::pve
