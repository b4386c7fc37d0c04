// SPDX-License-Identifier: AGPL-3.0-or-later
// Proxmox speaks of one disk at a time, the array of a VM's whole group: what one call for the
// group did is kept here, so that the calls for the other disks of the same operation are answered
// from it. Lives in the process, which for Proxmox is one task.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/deadline.h"

namespace ontapnvme::pve {

// What a group call covered and which of it has been asked for already.
class CoveredVolumes {
 public:
  CoveredVolumes() = default;
  CoveredVolumes(std::set<std::string> flexvols, TimePoint now)
      : waiting_(std::move(flexvols)), made_at_(now) {}

  // True once per volume that was covered and not asked for yet, while the operation is recent.
  bool Take(const std::string& flexvol, TimePoint now);

 private:
  std::set<std::string> waiting_;
  TimePoint made_at_{};
};

// By VM and snapshot.
using SnapshotKey = std::pair<std::uint64_t, std::string>;
using CoverageByKey = std::map<SnapshotKey, CoveredVolumes>;

// Takes the volume from the coverage of `key`, if there is one.
bool TakeCovered(CoverageByKey& memory, const SnapshotKey& key, const std::string& flexvol,
                 TimePoint now);

}  // namespace ontapnvme::pve
