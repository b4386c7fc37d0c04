// SPDX-License-Identifier: AGPL-3.0-or-later
// Going back to a snapshot: what Proxmox asked for, no more, and never over a newer snapshot.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "pve/array_facts.h"
#include "pve/context.h"
#include "pve/snapshot_memory.h"
#include "pve/vm_group.h"
#include "pve/volume_name.h"

namespace ontapnvme::pve {

class Rollbacks {
 public:
  Rollbacks(Context& context, FactSource& facts)
      : context_(&context), facts_(&facts), groups_(context) {}

  // See Storage::RollbackBlockers.
  Result<std::vector<std::string>> Blockers(const VolumeName& name, const std::string& snapshot,
                                            const Deadline& deadline);
  // See Storage::Rollback.
  Status Restore(const VolumeName& name, const std::string& snapshot, const Deadline& deadline);
  // What was read of the VM's disks is not true any more.
  void Forget(std::uint64_t vmid);

 private:
  // One disk of the VM as the plan sees it.
  struct Disk {
    VolumeName name;
    ontap::VolumeRef volume;
    std::optional<Uuid> namespace_uuid;
    std::vector<ontap::Snapshot> snapshots;  // oldest first
  };
  // What Proxmox has asked about, gathered over its calls for the disks of one rollback.
  struct Plan {
    std::optional<TimePoint> read_at;
    std::optional<Uuid> group;
    std::map<std::string, Disk> disks;    // by FlexVol: those read so far
    std::set<std::string> group_members;  // FlexVols
    std::set<std::string> asked;          // FlexVols that Proxmox wants rolled back
    std::set<std::string> restored;
  };

  Result<Plan*> PlanFor(const VolumeName& name, const std::string& snapshot,
                        const Deadline& deadline);
  Status ReadGroup(Plan& plan, const VolumeName& name, const Deadline& deadline);
  Status ReadAlone(Plan& plan, const VolumeName& name, const Deadline& deadline);
  Result<nvme::WantedDevice> WantedOf(Disk& disk, const Deadline& deadline);
  Status RequireUnused(Disk& disk, const Deadline& deadline);
  void FlushCache(Disk& disk, const Deadline& deadline);
  Status RestoreGroup(Plan& plan, const std::vector<Disk*>& disks, const std::string& array_name,
                      const Deadline& deadline);
  Status RestoreDetached(Disk& disk, const std::function<Status()>& restore,
                         const Deadline& deadline);

  Context* context_;
  FactSource* facts_;
  VmGroups groups_;
  std::map<SnapshotKey, Plan> plans_;
};

}  // namespace ontapnvme::pve
