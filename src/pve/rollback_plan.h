// SPDX-License-Identifier: AGPL-3.0-or-later
// What going back to a snapshot means for one disk, decided by nothing but what was read of the
// array and what Proxmox has asked for. Two rules: no snapshot that is newer is lost, and no disk is
// reverted that Proxmox did not ask for, as an unused one would be.
#pragma once

#include <set>
#include <string>

#include "catalogue/records.h"
#include "model/snapshot_name.h"
#include "model/volume_name.h"

namespace ontapnvme::pve {

struct RollbackPlan {
  enum class Outcome {
    kRestoreGroup,    // revert all disks of the group together
    kRestoreDisk,     // revert the disk of this call alone
    kOverwrite,       // give the disks the snapshot's bytes in place, which keeps newer snapshots
    kBlocked,         // a disk has newer snapshots, which reverting would destroy
    kNoSuchSnapshot,  // the disk has no snapshot of that name
  };
  Outcome outcome = Outcome::kNoSuchSnapshot;
  std::set<VolumeName> disks = {};  // to go back; kBlocked: the one that has newer ones
  // kBlocked, kOverwrite: what is newer on the first disk that has any, as Shown() names it, oldest
  // first.
  std::vector<std::string> blockers = {};
  std::vector<std::string> locked = {};  // of the blockers those that nobody can delete yet
};

// `asked` are the disks that Proxmox wants to go back to this snapshot, as far as it has said by
// now; `disk` counts as one of them. The group is restored when those are exactly its members and
// each has the snapshot as its newest. A snapshot of the same second as the one asked for counts as
// newer, unless the marks of both say which came first: the array's times do not. When any of them has
// newer ones, all are overwritten where the array can do that, and none goes back where it cannot.
RollbackPlan PlanRollback(const catalogue::VmHistory& history, std::set<VolumeName> asked,
                          const VolumeName& disk, const SnapshotName& snapshot, bool can_overwrite);

}  // namespace ontapnvme::pve
