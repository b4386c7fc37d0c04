// SPDX-License-Identifier: AGPL-3.0-or-later
// Deleted disks that come back from the recovery queue. The array gives a volume back offline, unmapped,
// under its name of the queue and without its schedule (NetApp's command reference, volume recovery-queue
// recover); what remains to be done is done here, forwards only: nothing of it is undone, since to delete
// is what nobody wants here, and the next call goes on where this one was stopped.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "catalogue/disk_store.h"
#include "catalogue/flexvol/session.h"

namespace ontapnvme::catalogue::flexvol {

// What has its name and is not made here becomes a disk: without a schedule of its own, mapped, in its
// VM's group. Idempotent. `what` says after the volume's name what it is by then, for a warning.
Result<Disk> ConnectAsDisk(const Session& session, const OwnedVolume& volume,
                           const OwnedNamespace& ns, const Neighbours& neighbours,
                           const std::string& what, const Deadline& deadline);

class Undeleting {
 public:
  // Borrowed.
  explicit Undeleting(const Session& session) : session_(&session) {}

  // See DiskStore. One request; one more where nothing is listed, to prove that the SVM is there.
  Result<std::vector<DeletedVolume>> List(const Deadline& deadline);
  // See DiskStore.
  Result<Disk> Undelete(const VolumeName& name, const std::string& queued_as, bool is_there,
                        const Neighbours& neighbours, const Deadline& deadline);

 private:
  // The one that is meant, out of the queue: either it is on its way already or it is recovered now.
  // Nothing: there is none.
  Result<std::optional<OwnedVolume>> TakeOut(const VolumeName& name, const std::string& queued_as,
                                             bool is_there, const Deadline& deadline);
  Result<OwnedVolume> Recover(const DeletedVolume& deleted, const Deadline& deadline);
  // Online, ours beyond doubt, and a whole disk.
  Result<OwnedDisk> Prove(OwnedVolume volume, const DeletedVolume& deleted,
                          const Deadline& deadline);
  Result<OwnedVolume> GiveName(const OwnedVolume& volume, const VolumeName& name,
                               const Deadline& deadline);
  Result<Disk> Connect(const OwnedVolume& volume, const OwnedNamespace& ns,
                       const Neighbours& neighbours, const Deadline& deadline);
  Error WithRight(Error error) const;

  const Session* session_;
};

}  // namespace ontapnvme::catalogue::flexvol
