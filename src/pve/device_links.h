// SPDX-License-Identifier: AGPL-3.0-or-later
// The links that Proxmox opens: <link directory>/<storage>/<volume>, and <volume>@<snapshot>,
// pointing at this node's device while it is active. Their names are known before any disk exists,
// which a kernel name is not.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "pve/volume_name.h"

namespace ontapnvme::pve {

// The name of a link; without a snapshot that of the volume itself.
inline std::string LinkName(const VolumeName& name, const std::string& snapshot = {}) {
  return snapshot.empty() ? name.LeafText() : name.LeafText() + "@" + snapshot;
}

class DeviceLinks {
 public:
  DeviceLinks(std::string directory, const std::string& storage_id)
      : directory_(std::move(directory)), storage_directory_(directory_ + "/" + storage_id) {}

  std::string Path(const std::string& link_name) const {
    return storage_directory_ + "/" + link_name;
  }
  // Points the link at `device_path`, replacing what it was in one step. No write when it is right
  // already.
  Status Point(const std::string& link_name, const std::string& device_path) const;
  // What it points at, if it is there.
  std::optional<std::string> Target(const std::string& link_name) const;
  // Idempotent.
  Status Remove(const std::string& link_name) const;
  // Snapshots of the volume that have a link.
  std::vector<std::string> SnapshotsOf(const VolumeName& name) const;
  // All of the storage, but those to a device that is there and `is_kept`. Best effort: a link is
  // only a name.
  void RemoveUnless(const std::function<bool(const std::string& device_path)>& is_kept) const;

 private:
  std::string directory_;
  std::string storage_directory_;
};

}  // namespace ontapnvme::pve
