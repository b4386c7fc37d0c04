// SPDX-License-Identifier: AGPL-3.0-or-later
// Disks that change their name and stay what they are: to a base image, to another VM. All of it or
// nothing.
#pragma once

#include <optional>
#include <string>

#include "base/deadline.h"
#include "base/result.h"
#include "catalogue/disk_store.h"
#include "catalogue/flexvol/session.h"
#include "catalogue/undo_steps.h"
#include "model/snapshot_name.h"

namespace ontapnvme::catalogue::flexvol {

class Renaming {
 public:
  // Borrowed.
  explicit Renaming(const Session& session) : session_(&session) {}

  // See DiskStore.
  Status TurnIntoBase(const Disk& disk, const VolumeName& base, const Deadline& deadline);
  // See DiskStore.
  Status Rename(const Volume& volume, const VolumeName& new_name, const Neighbours& neighbours,
                const Deadline& deadline);
  // See DiskStore for these. A volume that keeps its FlexVol's name changes hands by one request, its
  // mark. Else the mark comes first and says to whom it goes: with it the FlexVol is the one storage's
  // under the one name, and the other's under the other.
  Status HandOver(const Volume& volume, const OtherStorage& to, const VolumeName& new_name,
                  const Deadline& deadline);
  bool HasNamesOf(const OtherStorage& other);
  Result<Disk> TakeOver(const VolumeName& name, const Deadline& deadline);
  // For a base image that may lack the snapshot that linked clones are made from: whoever converted it
  // may have stopped before that, or left it with nothing but its own base image's, which holds other
  // bytes. It is taken now, since nobody writes to a base image. Returns its name; nothing when there
  // is one, in three requests.
  Result<std::optional<ArraySnapshotName>> AddBaseSnapshot(const VolumeName& base,
                                                           const Deadline& deadline);

 private:
  // The FlexVol that a volume of that name has on the other storage.
  Result<std::string> FlexVolThere(const OwnedVolume& volume, const OtherStorage& to,
                                   const VolumeName& new_name, const Deadline& deadline);
  // The snapshot that linked clones are made from; its name on the array.
  Result<ArraySnapshotName> TakeBaseSnapshot(const OwnedVolume& volume, UndoSteps& undo,
                                             const Deadline& deadline);
  Status LeaveGroup(const OwnedVolume& volume, UndoSteps& undo, const Deadline& deadline);
  Status SetMark(const OwnedVolume& volume, const Mark& mark, UndoSteps& undo,
                 const Deadline& deadline);
  Status RenameFlexVol(const OwnedVolume& volume, const std::string& flexvol, UndoSteps& undo,
                       const Deadline& deadline);
  Status JoinGroup(const OwnedVolume& volume, const VolumeName& new_name,
                   const Neighbours& neighbours, UndoSteps& undo, const Deadline& deadline);

  const Session* session_;
};

}  // namespace ontapnvme::catalogue::flexvol
