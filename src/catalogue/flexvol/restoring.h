// SPDX-License-Identifier: AGPL-3.0-or-later
// Going back to a snapshot: what there is to go back to, and the restore itself.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "catalogue/flexvol/session.h"
#include "catalogue/records.h"
#include "catalogue/snapshot_store.h"

namespace ontapnvme::catalogue::flexvol {

class Restoring {
 public:
  // Borrowed.
  explicit Restoring(const Session& session) : session_(&session) {}

  // See SnapshotStore. Two requests for a group's histories, two for that of a volume alone.
  Result<VmHistory> ReadHistory(const VolumeName& name, const Deadline& deadline);
  Result<DiskHistory> ReadDiskHistory(const VolumeName& name, const Deadline& deadline);
  // See SnapshotStore. One request, where the array may restore what is mapped.
  Status RestoreGroup(const VmHistory& history, const SnapshotName& snapshot,
                      const Deadline& deadline);
  // `restore_to.snapshot.force` of 9.19.1 is never sent: a snapshot that is newer than what was read
  // is nobody's to lose.
  Status RestoreDisk(const DiskHistory& disk, const SnapshotName& snapshot,
                     const Deadline& deadline);

  // See SnapshotStore. Four requests for each disk.
  bool CanOverwrite();
  Overwritten OverwriteDisks(const std::vector<DiskHistory>& disks, const SnapshotName& snapshot,
                             const SnapshotStore::MayChange& may_change, const Deadline& deadline);

 private:
  // One disk while it is overwritten.
  struct Task {
    const DiskHistory* disk;
    OwnedNamespace ns;
    std::optional<OwnedNamespace> copy = std::nullopt;  // of the snapshot
    std::vector<OwnedNamespace> obsolete = {};          // copies that are to go
  };
  Error UnderWay(const DiskHistory& disk, const OwnedNamespace& copy) const;
  Result<std::vector<Task>> Prepare(const std::vector<DiskHistory>& disks,
                                    const SnapshotStore::MayChange& may_change,
                                    const Deadline& deadline);
  Status MakeCopies(std::vector<Task>& tasks, const ArraySnapshotName& snapshot,
                    const Deadline& deadline);
  Result<OwnedNamespace> MakeCopy(const Task& task, const ArraySnapshotName& snapshot,
                                  const std::string& operation_id, const Deadline& deadline);
  Overwritten OverwriteEach(std::vector<Task>& tasks, const Deadline& deadline);
  void RemoveObsolete(const std::vector<Task>& tasks, const Deadline& deadline);

  Status RestoreUnmapped(const DiskHistory& disk, const std::function<Status()>& restore,
                         const Deadline& deadline);
  void MapAgain(const DiskHistory& disk, const OwnedNamespace& before, const Deadline& deadline);

  const Session* session_;
};

}  // namespace ontapnvme::catalogue::flexvol
