// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/polling.h"

#include <utility>

namespace ontapnvme::pve {
namespace {

constexpr Duration kKeptFor{5000};

}  // namespace

// An array that does not answer does not take the disks away from a node whose data paths are live.
bool Polling::CheckConnection(const Deadline& deadline) {
  const auto capacity = array_.Capacity(deadline);
  kept_ = Kept{capacity, deadline.clock().Now()};
  if (capacity.ok()) return true;
  log_.Debug(capacity.error().Line());
  // An error that is an answer comes from a living array: what needs the array says why it fails.
  if (!catalogue::IsArraySilent(capacity.error())) {
    return capacity.error().code() != ErrorCode::kInterrupted;
  }
  const auto target = array_.RememberedTarget();
  return target && paths_.IsAnyLive(target->subsystem_nqn);
}

Result<CapacityInfo> Polling::Capacity(const Deadline& deadline) {
  auto kept = std::exchange(kept_, std::nullopt);
  if (kept && deadline.clock().Now() - kept->at <= kKeptFor) return std::move(kept->answer);
  return array_.Capacity(deadline);
}

}  // namespace ontapnvme::pve
