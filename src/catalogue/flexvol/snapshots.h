// SPDX-License-Identifier: AGPL-3.0-or-later
// Snapshots of one storage's disks: of a whole VM at once where its disks are in a consistency group,
// else of a FlexVol alone.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "catalogue/flexvol/adoption.h"
#include "catalogue/flexvol/disk_lookup.h"
#include "catalogue/flexvol/restoring.h"
#include "catalogue/flexvol/session.h"
#include "catalogue/flexvol/snapshot_devices.h"
#include "catalogue/snapshot_store.h"

namespace ontapnvme::catalogue::flexvol {

class Snapshots : public SnapshotStore {
 public:
  // Borrowed.
  explicit Snapshots(const Session& session)
      : session_(&session), restoring_(session), devices_(session) {}

  Result<std::vector<Snapshot>> List(const VolumeName& name, const Deadline& deadline) override;
  // Disks, then snapshots: two requests side by side and one.
  Result<std::vector<DiskSnapshots>> ListAll(std::optional<std::uint64_t> vmid,
                                             const Deadline& deadline) override;
  Status Prepare(const VolumeName& name, const Deadline& deadline) override;
  Result<Coverage> Take(const VolumeName& name, const SnapshotName& snapshot,
                        const std::string& operation_id, const Deadline& deadline) override {
    return Take(name, ArraySnapshotName(snapshot), operation_id, deadline);
  }
  // Disks and the group's snapshot: three requests, two of them side by side, and one for the disks'
  // snapshots; one more for each that is deleted.
  Result<bool> RemoveTaken(const VolumeName& name, const SnapshotName& snapshot,
                           const std::string& operation_id, const Deadline& deadline) override;
  Result<Coverage> Delete(const VolumeName& name, const SnapshotName& snapshot,
                          const Deadline& deadline) override {
    return Delete(name, ArraySnapshotName(snapshot), deadline);
  }

  // The same for whatever name on the array.
  Result<Coverage> Take(const VolumeName& name, const ArraySnapshotName& snapshot,
                        const std::string& operation_id, const Deadline& deadline);
  Result<Coverage> Delete(const VolumeName& name, const ArraySnapshotName& snapshot,
                          const Deadline& deadline);

  Result<AdoptedSnapshot> Adopt(const std::vector<VolumeName>& disks, const ArraySnapshotName& from,
                                const SnapshotName& to, const Deadline& deadline) override {
    return Adoption(*session_).Adopt(disks, from, to, deadline);
  }

  Result<VmHistory> ReadHistory(const VolumeName& name, const Deadline& deadline) override {
    return restoring_.ReadHistory(name, deadline);
  }
  Result<DiskHistory> ReadDiskHistory(const VolumeName& name, const Deadline& deadline) override {
    return restoring_.ReadDiskHistory(name, deadline);
  }
  Status RestoreGroup(const VmHistory& history, const SnapshotName& snapshot,
                      const Deadline& deadline) override {
    return restoring_.RestoreGroup(history, snapshot, deadline);
  }
  Status RestoreDisk(const DiskHistory& disk, const SnapshotName& snapshot,
                     const Deadline& deadline) override {
    return restoring_.RestoreDisk(disk, snapshot, deadline);
  }
  bool CanOverwrite() override { return restoring_.CanOverwrite(); }
  Overwritten OverwriteDisks(const std::vector<DiskHistory>& disks, const SnapshotName& snapshot,
                             const MayChange& may_change, const Deadline& deadline) override {
    return restoring_.OverwriteDisks(disks, snapshot, may_change, deadline);
  }

  Found<SnapshotDevice> FindDevice(const ShownSnapshot& shown, const Deadline& deadline) override {
    return devices_.Find(shown, deadline);
  }
  Result<bool> IsCurrent(const SnapshotDevice& device, const Deadline& deadline) override {
    return devices_.IsCurrent(device, deadline);
  }
  Result<SnapshotDevice> MakeDevice(const ShownSnapshot& shown, const Deadline& deadline) override {
    return devices_.Make(shown, deadline);
  }
  Status RemoveDevice(const SnapshotDevice& device, const Deadline& deadline) override {
    return devices_.Remove(device, deadline);
  }
  Result<std::vector<SnapshotDevice>> ListDevices(const Deadline& deadline) override {
    return devices_.List(deadline);
  }

 private:
  // The group of a VM as Prepare has read it.
  struct Prepared {
    std::uint64_t vmid;
    OwnedGroup group;
    TimePoint at;
  };
  // The group of the volume's VM, if it is a member: as it was prepared, once, or else as it is now.
  Result<std::optional<OwnedGroup>> GroupFor(const VolumeName& name, const Deadline& deadline);
  Status TakeAlone(const VolumeName& name, const ArraySnapshotName& snapshot, const Mark& mark,
                   const Deadline& deadline);
  // Deletes the group's snapshot if it holds the volume; nothing when there is none that does.
  Result<std::optional<Coverage>> DeleteOfGroup(const VolumeName& name,
                                                const ArraySnapshotName& snapshot,
                                                const Deadline& deadline);
  Status DeleteOfVolumes(const std::vector<OwnedVolume>& volumes, const ArraySnapshotName& snapshot,
                         const Deadline& deadline);
  Status DeleteOfVolume(const OwnedVolume& volume, const ArraySnapshotName& snapshot,
                        const Deadline& deadline);
  // `error` as it is, unless clones hold the snapshot: those are named.
  Error NamingHolders(Error error, const std::vector<OwnedVolume>& volumes,
                      const ArraySnapshotName& snapshot, const Deadline& deadline);

  const Session* session_;
  Restoring restoring_;
  SnapshotDevices devices_;
  std::optional<Prepared> prepared_;
};

}  // namespace ontapnvme::catalogue::flexvol
