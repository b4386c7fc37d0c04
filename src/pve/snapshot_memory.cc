// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/snapshot_memory.h"

namespace ontapnvme::pve {
namespace {

// The calls of one operation follow each other within seconds; a process that lives longer must not
// take last hour's snapshot for this one's.
constexpr std::chrono::minutes kRecent{5};

}  // namespace

bool CoveredVolumes::Take(const std::string& flexvol, TimePoint now) {
  return now - made_at_ <= kRecent && waiting_.erase(flexvol) == 1;
}

bool TakeCovered(CoverageByKey& memory, const SnapshotKey& key, const std::string& flexvol,
                 TimePoint now) {
  const auto found = memory.find(key);
  return found != memory.end() && found->second.Take(flexvol, now);
}

}  // namespace ontapnvme::pve
