// SPDX-License-Identifier: AGPL-3.0-or-later
// The links that Proxmox opens: <link directory>/<storage>/<volume>, or <volume>@<snapshot>. Each
// points at this node's device while that is active. Their names are known before any disk exists,
// which the kernel's names are not.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/snapshot_name.h"
#include "model/volume_name.h"

namespace ontapnvme::node {

// The names of the links of a volume and of one of its snapshots.
inline std::string LinkName(const VolumeName& name) {
  return name.LeafText();
}
inline std::string LinkName(const VolumeName& name, const SnapshotName& snapshot) {
  return name.LeafText() + "@" + snapshot.Text();
}

// What such a name of a snapshot's link was made of.
struct SnapshotLink {
  VolumeName volume;
  SnapshotName snapshot;
};
std::optional<SnapshotLink> ParseSnapshotLink(const std::string& link_name);

class DeviceLinks {
 public:
  DeviceLinks(std::string directory, const std::string& storage_id)
      : directory_(std::move(directory)), storage_directory_(directory_ + "/" + storage_id) {}

  std::string Path(const std::string& link_name) const {
    return storage_directory_ + "/" + link_name;
  }
  // Points the link at `device_path`, in one step in place of what it was. Writes nothing when it
  // does already.
  Status Point(const std::string& link_name, const std::string& device_path) const;
  // What the link points at, if there is one.
  std::optional<std::string> Target(const std::string& link_name) const;
  // Idempotent.
  Status Remove(const std::string& link_name) const;
  // The snapshots of the volume that have a link.
  std::vector<SnapshotName> SnapshotsOf(const VolumeName& name) const;
  // Removes the storage's links, except those to a device that is there and `is_kept`. Best effort:
  // a link is only a name.
  void RemoveUnless(const std::function<bool(const std::string& device_path)>& is_kept) const;

 private:
  std::string directory_;
  std::string storage_directory_;
};

}  // namespace ontapnvme::node
