// SPDX-License-Identifier: AGPL-3.0-or-later
// The port to snapshots: of a VM's disks together where the array can, to go back to, and to look
// into as devices. What the header of DiskStore says of ownership, undoing and errors holds here.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "catalogue/found.h"
#include "catalogue/records.h"

namespace ontapnvme::catalogue {

class SnapshotStore {
 public:
  virtual ~SnapshotStore() = default;

  // ---- snapshots

  // All of the volume, whoever made them, oldest first. kNotFound for the volume.
  virtual Result<std::vector<Snapshot>> List(const VolumeName& name, const Deadline& deadline) = 0;
  // Those of all disks, of one VM if given, whoever made them: disks as DiskStore::List has them.
  virtual Result<std::vector<DiskSnapshots>> ListAll(std::optional<std::uint64_t> vmid,
                                                     const Deadline& deadline) = 0;
  // Reads what Take needs to know of the volume's VM, and puts right what can be, so that the next Take
  // is one request if it follows within half a minute.
  virtual Status Prepare(const VolumeName& name, const Deadline& deadline) = 0;
  // Of all disks in the group of the volume's VM at one point in time if the volume is among them,
  // else of the volume alone. Not idempotent: kAlreadyExists when one of that name is there, never
  // reused since it holds another point in time. A guest may stand still meanwhile, so that nothing is
  // waited for that need not be, and nothing undone: after an error with outcome_unknown() it may be
  // there, or come to be, until RemoveTaken has taken it away.
  virtual Result<Coverage> Take(const VolumeName& name, const SnapshotName& snapshot,
                                const std::string& operation_id, const Deadline& deadline) = 0;
  // Deletes what Take made for that operation, of whatever disks, and nothing else of that name. False:
  // the array has answered for disks and group, and has no such snapshot now.
  virtual Result<bool> RemoveTaken(const VolumeName& name, const SnapshotName& snapshot,
                                   const std::string& operation_id, const Deadline& deadline) = 0;
  // Deletes the group's snapshot of that name if it covers the volume, with what is left of it on
  // the volumes, else the volume's own. Idempotent: missing is success. kBusy with
  // Refusal::kHeldByClones when clones hold it; the error names them.
  virtual Result<Coverage> Delete(const VolumeName& name, const SnapshotName& snapshot,
                                  const Deadline& deadline) = 0;
  // Makes a snapshot that the array took by itself one of Proxmox's, under that name, on all these
  // disks of one VM: no schedule removes it any more. Idempotent, also after a process that was
  // killed. kNotFound when a disk does not have it (which ones are named); kAlreadyExists when
  // another one has the name; kConflict for one that the array itself needs under its name. What the
  // array does not rename is told with nothing changed, where that can be known. After a failure
  // half-way each disk has it under one of both names; the error says where it has the new one.
  virtual Result<AdoptedSnapshot> Adopt(const std::vector<VolumeName>& disks,
                                        const ArraySnapshotName& from, const SnapshotName& to,
                                        const Deadline& deadline) = 0;

  // ---- going back

  // The histories of the group that the volume is in, or of the volume alone.
  virtual Result<VmHistory> ReadHistory(const VolumeName& name, const Deadline& deadline) = 0;
  // Only the volume's own.
  virtual Result<DiskHistory> ReadDiskHistory(const VolumeName& name, const Deadline& deadline) = 0;
  // Reverts all disks of the group, which `history` just showed to have the snapshot as their
  // newest. What becomes of a namespace's UUID, size and map is the array's affair: nothing that was
  // read of it before holds, and activation reads it anew. After a failure some disks may be
  // reverted already; repeating is safe until one of them was written to.
  virtual Status RestoreGroup(const VmHistory& history, const SnapshotName& snapshot,
                              const Deadline& deadline) = 0;
  // Reverts one disk. Newer snapshots are lost: the caller has made sure that there are none.
  virtual Status RestoreDisk(const DiskHistory& disk, const SnapshotName& snapshot,
                             const Deadline& deadline) = 0;
  // Whether OverwriteDisks is worth a try: false when the array has refused it a short while ago.
  // Sends nothing.
  virtual bool CanOverwrite() = 0;
  // Gives the disks the bytes and sizes that they had in the snapshot, and leaves all snapshots,
  // newer ones too, as they are. UUID and map of a namespace stay. `may_change` is asked for each disk
  // with its namespace as it was just read, before anything changes; its error ends it. Each disk has
  // its old bytes or its new ones, never some of both. Of many disks on a slow array only the first
  // ones are done, one at least, without a failure: the others are for further calls. What a process
  // that was killed leaves is found by the next call, and by Array::Look; kBusy while it may not have
  // ended on the array, a minute. Idempotent while nobody writes.
  using MayChange = std::function<Status(const VolumeName&, const DiskNamespace&)>;
  virtual Overwritten OverwriteDisks(const std::vector<DiskHistory>& disks,
                                     const SnapshotName& snapshot, const MayChange& may_change,
                                     const Deadline& deadline) = 0;

  // ---- looking into

  virtual Found<SnapshotDevice> FindDevice(const ShownSnapshot& shown,
                                           const Deadline& deadline) = 0;
  // Whether it is made of the snapshot that the volume of that name has now. Not so when another disk
  // or snapshot has got the name since, or when the array cannot tell.
  virtual Result<bool> IsCurrent(const SnapshotDevice& device, const Deadline& deadline) = 0;
  // Makes it, unmapped. kNotFound when there is no such snapshot.
  virtual Result<SnapshotDevice> MakeDevice(const ShownSnapshot& shown,
                                            const Deadline& deadline) = 0;
  // Unmaps and deletes it, for good: in a recovery queue it would go on holding the snapshot.
  // Idempotent.
  virtual Status RemoveDevice(const SnapshotDevice& device, const Deadline& deadline) = 0;
  // Those of this storage, of all nodes.
  virtual Result<std::vector<SnapshotDevice>> ListDevices(const Deadline& deadline) = 0;
};

}  // namespace ontapnvme::catalogue
