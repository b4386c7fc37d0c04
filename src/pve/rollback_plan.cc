// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/rollback_plan.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace ontapnvme::pve {
namespace {

using Outcome = RollbackPlan::Outcome;

const catalogue::Snapshot* FindSnapshot(const catalogue::DiskHistory& disk,
                                        const ArraySnapshotName& name) {
  const auto found = std::find_if(disk.snapshots.begin(), disk.snapshots.end(),
                                  [&](const auto& one) { return one.name == name; });
  return found == disk.snapshots.end() ? nullptr : &*found;
}

// Known to be older. The array's times are seconds; within one the marks say, if both are of one
// start of one node.
bool IsOlder(const catalogue::Snapshot& one, const catalogue::Snapshot& other) {
  if (one.create_time != other.create_time) return one.create_time < other.create_time;
  return !one.taken_by.empty() && one.taken_by == other.taken_by && one.taken_ms < other.taken_ms;
}

// Those that Proxmox did not make count as well.
RollbackPlan BlockedBy(const catalogue::Snapshot& snapshot, const catalogue::DiskHistory& disk) {
  RollbackPlan plan{.outcome = Outcome::kBlocked, .disks = {}, .blockers = {}, .locked = {}};
  for (const auto& one : disk.snapshots) {
    if (one.uuid == snapshot.uuid || IsOlder(one, snapshot)) continue;
    plan.blockers.push_back(one.name.Shown());
    if (one.is_locked_by_array) plan.locked.push_back(one.name.Shown());
  }
  return plan;
}

// A group's snapshot restores the disks that were in the group when it was taken. One that joined
// later may have a snapshot of that name all the same, which was taken of it alone, and perhaps in the
// same second: only marks tell. Releases before the marks did so.
bool WereTakenTogether(const catalogue::Snapshot& one, const catalogue::Snapshot& other) {
  return !one.taken_in.empty() && one.taken_in == other.taken_in;
}

// Whether the disk goes along when the group is restored to `snapshot` of another disk.
bool GoesAlong(const catalogue::DiskHistory* disk, const ArraySnapshotName& name,
               const catalogue::Snapshot& snapshot) {
  if (disk == nullptr) return false;
  const auto* own = FindSnapshot(*disk, name);
  return own != nullptr && WereTakenTogether(*own, snapshot);
}

// The first of them that would lose newer snapshots by being reverted.
std::optional<RollbackPlan> FirstBlocked(const catalogue::VmHistory& history,
                                         const std::set<VolumeName>& asked,
                                         const ArraySnapshotName& name) {
  for (const auto& one : asked) {
    const auto* disk = history.Find(one);
    const auto* snapshot = disk == nullptr ? nullptr : FindSnapshot(*disk, name);
    if (snapshot == nullptr) continue;
    auto plan = BlockedBy(*snapshot, *disk);
    plan.disks = {one};
    if (!plan.blockers.empty()) return plan;
  }
  return std::nullopt;
}

}  // namespace

RollbackPlan PlanRollback(const catalogue::VmHistory& history, std::set<VolumeName> asked,
                          const VolumeName& disk, const SnapshotName& snapshot,
                          bool can_overwrite) {
  const ArraySnapshotName name(snapshot);
  const auto* of_disk = history.Find(disk);
  const auto* wanted = of_disk == nullptr ? nullptr : FindSnapshot(*of_disk, name);
  if (wanted == nullptr) return {};
  asked.insert(disk);
  // All of them one way: an array that refuses it must have changed none.
  if (auto blocked = FirstBlocked(history, asked, name)) {
    if (!can_overwrite) return std::move(*blocked);
    blocked->outcome = Outcome::kOverwrite;
    std::erase_if(asked, [&](const auto& one) {
      const auto* other = history.Find(one);
      return other == nullptr || FindSnapshot(*other, name) == nullptr;
    });
    blocked->disks = std::move(asked);
    return std::move(*blocked);
  }
  const bool is_whole_group = history.group && asked == history.members &&
                              std::all_of(asked.begin(), asked.end(), [&](const auto& one) {
                                return GoesAlong(history.Find(one), name, *wanted);
                              });
  if (!is_whole_group) return {.outcome = Outcome::kRestoreDisk, .disks = {disk}};
  return {.outcome = Outcome::kRestoreGroup, .disks = std::move(asked)};
}

}  // namespace ontapnvme::pve
