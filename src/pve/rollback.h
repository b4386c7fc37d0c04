// SPDX-License-Identifier: AGPL-3.0-or-later
// Going back to a snapshot, disk by disk as Proxmox asks for it. What is done is decided by
// rollback_plan.h.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "catalogue/array.h"
#include "model/volume_name.h"
#include "nvme/host.h"
#include "pve/local_devices.h"
#include "pve/rollback_plan.h"

namespace ontapnvme::pve {

class Rollbacks {
 public:
  Rollbacks(catalogue::Array& array, LocalDevices& devices) : array_(array), devices_(devices) {}

  // See Storage for these.
  Result<std::vector<std::string>> RollbackBlockers(const VolumeName& name,
                                                    const SnapshotName& snapshot,
                                                    const Deadline& deadline);
  Status Rollback(const VolumeName& name, const SnapshotName& snapshot, const Deadline& deadline);
  // What was read of the VM's disks does not hold any more.
  void Forget(std::uint64_t vmid);

 private:
  // One rollback of a VM over Proxmox's calls for its disks.
  struct Session {
    std::optional<TimePoint> read_at;
    catalogue::VmHistory history;
    std::set<VolumeName> asked;     // that Proxmox wants to go back
    std::set<VolumeName> back;      // that have gone back
    std::set<VolumeName> reverted;  // of these, together with another, and not asked for since
  };

  // The session with a history that is fresh enough and has the volume in it.
  Result<Session*> SessionFor(const VolumeName& name, const SnapshotName& snapshot,
                              const Deadline& deadline);
  // What Proxmox asks for, of which this disk is one. The disks that have gone back, that one among
  // them; the error says which have and which have not.
  Result<std::set<VolumeName>> Attempt(const Session& session, const VolumeName& name,
                                       const SnapshotName& snapshot, const Deadline& deadline);
  // Reverts what the plan says, once none of it is in use here.
  Status Execute(const RollbackPlan& plan, const catalogue::VmHistory& history,
                 const SnapshotName& snapshot, const Deadline& deadline);
  // Overwrites what the plan says, `asked` first, once none of it is in use here.
  Result<std::set<VolumeName>> Overwrite(const RollbackPlan& plan, const Session& session,
                                         const VolumeName& asked, const SnapshotName& snapshot,
                                         const Deadline& deadline);
  Result<nvme::WantedDevice> Wanted(const catalogue::DiskHistory& disk, const Deadline& deadline);

  catalogue::Array& array_;
  LocalDevices& devices_;
  std::map<std::pair<std::uint64_t, SnapshotName>, Session> sessions_;  // by VM and snapshot
};

}  // namespace ontapnvme::pve
