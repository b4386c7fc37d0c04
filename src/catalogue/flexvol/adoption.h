// SPDX-License-Identifier: AGPL-3.0-or-later
// Snapshots that the array took by itself become ones of Proxmox's: they get a name and a mark of
// ours, in which their former name stands. Name and mark are set by one request, so that of two disks
// each has the snapshot under exactly one of both names, whenever a process ends; repeating goes on
// from there. One of a consistency group is renamed there first: the group's schedule would take the
// members' snapshots along, whatever they are called.
#pragma once

#include <vector>

#include "catalogue/flexvol/session.h"
#include "catalogue/records.h"
#include "catalogue/undo_steps.h"

namespace ontapnvme::catalogue::flexvol {

class Adoption {
 public:
  // Borrowed.
  explicit Adoption(const Session& session) : session_(&session) {}

  // See SnapshotStore. Volumes, snapshots, group's snapshot; for each disk a change; where the group
  // has it one more for each, the group's, and one to look.
  Result<AdoptedSnapshot> Adopt(const std::vector<VolumeName>& disks, const ArraySnapshotName& from,
                                const SnapshotName& to, const Deadline& deadline);

 private:
  struct Names {
    ArraySnapshotName from;
    ArraySnapshotName to;
  };
  // The snapshot of a volume, under whichever of both names.
  struct Wanted {
    OwnedVolume volume;
    OwnedSnapshot snapshot;
  };

  Result<std::vector<OwnedVolume>> FindVolumes(const std::vector<VolumeName>& disks,
                                               const Deadline& deadline);
  Result<std::vector<Wanted>> Choose(const std::vector<OwnedVolume>& volumes, const Names& names,
                                     const std::vector<OwnedSnapshot>& there);
  // Renamed, or about to be.
  bool IsMarked(const OwnedSnapshot& snapshot, const Names& names) const;
  static bool Covers(const OwnedGroupSnapshot& group, const std::vector<Wanted>& wanted);
  Result<std::optional<OwnedGroupSnapshot>> FindOfGroup(const std::vector<Wanted>& wanted,
                                                        const Names& names,
                                                        const Deadline& deadline);
  Status AddOthers(const OwnedGroupSnapshot& group, std::vector<Wanted>& wanted, const Names& names,
                   const Deadline& deadline);
  Status MarkAndRenameGroup(const OwnedGroupSnapshot& group, const std::vector<Wanted>& wanted,
                            const Names& names, const std::string& comment, UndoSteps& undo,
                            const Deadline& deadline);
  // Marks and renames what the group has, and reads `wanted` anew.
  Status RenameOfGroup(const OwnedGroupSnapshot& group, std::vector<Wanted>& wanted,
                       const Names& names, const std::string& comment, UndoSteps& undo,
                       const Deadline& deadline);
  Status Rename(const Wanted& wanted, const Names& names, const std::string& comment,
                UndoSteps& undo, const Deadline& deadline);

  const Session* session_;
};

}  // namespace ontapnvme::catalogue::flexvol
