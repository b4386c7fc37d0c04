// SPDX-License-Identifier: AGPL-3.0-or-later
// New disks on the array: empty ones, and clones of what is there. All or nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "catalogue/disk_store.h"
#include "model/storage_config.h"
#include "model/storage_types.h"
#include "model/volume_name.h"
#include "node/node_state.h"

namespace ontapnvme::pve {

class DiskMaking {
 public:
  DiskMaking(const StorageConfig& config, catalogue::DiskStore& disks, node::NodeState& node)
      : config_(config), disks_(disks), node_(node) {}

  // See Storage for these.
  Result<std::string> Allocate(std::uint64_t vmid, const std::string& requested_name,
                               std::uint64_t size_kib, const Deadline& deadline);
  Result<std::string> Clone(const VolumeName& source, const std::optional<SnapshotName>& snapshot,
                            std::uint64_t vmid, const Deadline& deadline);
  Result<std::vector<std::string>> CloneVm(const std::vector<VolumeName>& sources,
                                           const std::optional<SnapshotName>& snapshot,
                                           std::uint64_t vmid, const Deadline& deadline);
  Result<std::vector<CopyInfo>> CopyProgress(std::uint64_t vmid, const Deadline& deadline);
  Result<AdoptionInfo> ExamineForAdoption(const catalogue::AdoptionSource& source,
                                          std::uint64_t vmid, const Deadline& deadline);
  Result<std::string> Adopt(const catalogue::AdoptionSource& source, std::uint64_t vmid,
                            const Deadline& deadline);

 private:
  // One try. The error has Refusal::kNameLost when the chosen name went to another owner.
  Result<std::string> AllocateOnce(std::uint64_t vmid, const std::string& requested_name,
                                   ByteCount size, const Deadline& deadline);
  Result<std::string> CloneOnce(const catalogue::CloneSource& source, std::uint64_t vmid,
                                const Deadline& deadline);
  Result<std::vector<std::string>> CloneVmOnce(const std::vector<VolumeName>& sources,
                                               const std::optional<SnapshotName>& snapshot,
                                               std::uint64_t vmid, const Deadline& deadline);
  Result<std::string> AdoptOnce(const catalogue::AdoptionSource& source, std::uint64_t vmid,
                                const Deadline& deadline);
  // Remembers which namespace the new disk is, and returns its name. When the task was stopped while
  // that was going on, the disk is taken away again: Proxmox has been told of none.
  Result<std::string> Known(const VolumeName& name, const catalogue::Disk& disk,
                            const Deadline& deadline);

  const StorageConfig& config_;
  catalogue::DiskStore& disks_;
  node::NodeState& node_;
};

}  // namespace ontapnvme::pve
