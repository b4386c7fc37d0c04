// SPDX-License-Identifier: AGPL-3.0-or-later
// The links that Proxmox opens: <link directory>/<storage>/<volume>, pointing at this node's device
// while the volume is active. Their names are known before any disk exists, which a kernel name is
// not.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "pve/volume_name.h"

namespace ontapnvme::pve {

class DeviceLinks {
 public:
  DeviceLinks(std::string directory, const std::string& storage_id)
      : directory_(std::move(directory)), storage_directory_(directory_ + "/" + storage_id) {}

  std::string Path(const VolumeName& name) const {
    return storage_directory_ + "/" + name.LeafText();
  }
  // Points the link at `device_path`, replacing what it was in one step. No write when it is right
  // already.
  Status Point(const VolumeName& name, const std::string& device_path) const;
  // What it points at, if it is there.
  std::optional<std::string> Target(const VolumeName& name) const;
  // Idempotent.
  Status Remove(const VolumeName& name) const;
  // All of the storage. Best effort: a link is only a name.
  void RemoveAll() const;

 private:
  std::string directory_;
  std::string storage_directory_;
};

}  // namespace ontapnvme::pve
