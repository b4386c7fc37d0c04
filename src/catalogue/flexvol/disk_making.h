// SPDX-License-Identifier: AGPL-3.0-or-later
// New disks on the array: empty ones, and clones of what is there. All of it or nothing.
#pragma once

#include <functional>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "catalogue/disk_store.h"
#include "catalogue/flexvol/session.h"
#include "catalogue/undo_steps.h"

namespace ontapnvme::catalogue::flexvol {

class DiskMaking {
 public:
  // Borrowed.
  explicit DiskMaking(const Session& session) : session_(&session) {}

  // See DiskStore. Four requests; more where the array does not take all of a volume in its create.
  Result<Disk> Make(const VolumeName& name, ByteCount size, const Neighbours& neighbours,
                    const Deadline& deadline);
  // See DiskStore. Five requests, and one for each setting that the source has not.
  Result<Disk> Clone(const CloneSource& source, const VolumeName& name,
                     const Neighbours& neighbours, const Deadline& deadline);
  // See DiskStore. For N disks of a group 3 + 6 N requests, and one for each setting that a source has
  // not.
  Result<std::vector<Disk>> CloneFully(const std::vector<FullCloneOf>& clones,
                                       const std::optional<SnapshotName>& snapshot,
                                       const Neighbours& neighbours, const Deadline& deadline);

 private:
  using Refused = std::vector<ontap::RefusedSetting>;
  struct Made {
    VolumeName name;
    OwnedVolume volume;
    OwnedNamespace ns;
    Refused refused;  // what the array did not take, and the disk can do without
  };
  // The first steps of one kind of disk: FlexVol and namespace.
  using FirstSteps = std::function<Result<Made>(UndoSteps& undo, const Deadline& deadline)>;

  // Those, and the last steps of both kinds: the map, and the group where it belongs to one.
  Result<Disk> All(const VolumeName& name, const Neighbours& neighbours, const FirstSteps& first,
                   const Deadline& deadline);
  // All of one VM.
  Status Finish(const std::vector<Made>& made, const Neighbours& neighbours, UndoSteps& undo,
                const Deadline& deadline);
  // With what an array takes only now, and the disk can do without.
  Disk Finished(Made made, const std::string& what, const Deadline& deadline);
  // A FlexClone of one of the neighbours, like a new disk but for its map and group.
  Result<Made> MakeClone(const Volume& source, const ArraySnapshotName& snapshot,
                         const VolumeName& name, const Mark& mark, UndoSteps& undo,
                         const Deadline& deadline);
  // The same of a base image, from the snapshot that it keeps for that, which is taken where it lacks.
  Result<Made> MakeCloneOfBase(const Volume& source, const VolumeName& name, const Mark& mark,
                               UndoSteps& undo, const Deadline& deadline);
  // Takes a snapshot of the sources that are no base images, of all at one moment where they are in
  // one group.
  Status TakeSnapshot(const std::vector<FullCloneOf>& clones, const ArraySnapshotName& snapshot,
                      UndoSteps& undo, const Deadline& deadline);
  // What fails is left to LeftOvers, which sees that it has not begun.
  void StartSplit(const OwnedVolume& clone, const Deadline& deadline);
  Result<OwnedVolume> CreateVolume(ontap::FlexVolSpec spec, const Mark& mark, Refused& refused,
                                   UndoSteps& undo, const Deadline& deadline);
  // kUnsupported when the clone cannot be what must not be missing: encrypted, or thick.
  Result<Refused> MakeLikeNew(const OwnedVolume& clone, ByteCount parent_size,
                              const Deadline& deadline);
  void WarnOfSize(const VolumeName& name, ByteCount asked, ByteCount made);
  // What a disk can do without. No request where the array's default will do.
  void ApplyAutodelete(Made& made, const Deadline& deadline);
  void ApplyRansomwareProtection(Made& made, const Deadline& deadline);

  const Session* session_;
};

}  // namespace ontapnvme::catalogue::flexvol
