// SPDX-License-Identifier: AGPL-3.0-or-later
// The port to the snapshots of a PlainWorld: each covers one disk, unless the world has groups. A
// caller that breaks the port's contract fails the test.
#pragma once

#include <string>
#include <vector>

#include "catalogue/snapshot_store.h"
#include "fakes/plain_world.h"

namespace ontapnvme::fakes {

class PlainSnapshots : public catalogue::SnapshotStore {
 public:
  explicit PlainSnapshots(PlainWorld& world) : world_(&world) {}

  Result<std::vector<catalogue::Snapshot>> List(const VolumeName& name,
                                                const Deadline& deadline) override;
  Result<std::vector<catalogue::DiskSnapshots>> ListAll(std::optional<std::uint64_t> vmid,
                                                        const Deadline& deadline) override;
  Status Prepare(const VolumeName& name, const Deadline& deadline) override;
  Result<catalogue::Coverage> Take(const VolumeName& name, const SnapshotName& snapshot,
                                   const std::string& operation_id,
                                   const Deadline& deadline) override;
  Result<bool> RemoveTaken(const VolumeName& name, const SnapshotName& snapshot,
                           const std::string& operation_id, const Deadline& deadline) override;
  Result<catalogue::Coverage> Delete(const VolumeName& name, const SnapshotName& snapshot,
                                     const Deadline& deadline) override;
  Result<catalogue::AdoptedSnapshot> Adopt(const std::vector<VolumeName>& disks,
                                           const ArraySnapshotName& from, const SnapshotName& to,
                                           const Deadline& deadline) override;
  Result<catalogue::VmHistory> ReadHistory(const VolumeName& name,
                                           const Deadline& deadline) override;
  Result<catalogue::DiskHistory> ReadDiskHistory(const VolumeName& name,
                                                 const Deadline& deadline) override;
  Status RestoreGroup(const catalogue::VmHistory& history, const SnapshotName& snapshot,
                      const Deadline& deadline) override;
  Status RestoreDisk(const catalogue::DiskHistory& disk, const SnapshotName& snapshot,
                     const Deadline& deadline) override;
  bool CanOverwrite() override { return world_->can_overwrite || !world_->is_refusal_known; }
  catalogue::Overwritten OverwriteDisks(const std::vector<catalogue::DiskHistory>& disks,
                                        const SnapshotName& snapshot, const MayChange& may_change,
                                        const Deadline& deadline) override;
  catalogue::Found<catalogue::SnapshotDevice> FindDevice(const catalogue::ShownSnapshot& shown,
                                                         const Deadline& deadline) override;
  Result<bool> IsCurrent(const catalogue::SnapshotDevice& device,
                         const Deadline& deadline) override;
  Result<catalogue::SnapshotDevice> MakeDevice(const catalogue::ShownSnapshot& shown,
                                               const Deadline& deadline) override;
  Status RemoveDevice(const catalogue::SnapshotDevice& device, const Deadline& deadline) override;
  Result<std::vector<catalogue::SnapshotDevice>> ListDevices(const Deadline& deadline) override;

 private:
  Result<catalogue::DiskHistory> HistoryOf(const VolumeName& name);
  // What a snapshot of the volume covers; kNotFound.
  Result<std::vector<PlainDisk*>> TogetherWith(const VolumeName& name);
  // Failing as "Overwrite disk@snapshot", once `may_change` has agreed.
  Status OverwriteOne(const catalogue::DiskHistory& disk, const SnapshotName& snapshot,
                      const Deadline& deadline);
  Status Revert(const catalogue::DiskHistory& disk, const SnapshotName& snapshot);
  catalogue::SnapshotDevice DeviceOf(const PlainDisk& disk);

  PlainWorld* world_;
};

}  // namespace ontapnvme::fakes
