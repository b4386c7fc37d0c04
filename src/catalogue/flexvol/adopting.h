// SPDX-License-Identifier: AGPL-3.0-or-later
// Namespaces and LUNs that others made become disks where they are, without a copy. Forwards only, since
// what they hold is worth more than any undoing: the mark comes before the name and says where it was, so that
// the same call knows it again whatever its FlexVol is called by then, and goes on. Nothing is deleted here.
#pragma once

#include <string>

#include "base/deadline.h"
#include "base/result.h"
#include "catalogue/disk_store.h"
#include "catalogue/flexvol/session.h"

namespace ontapnvme::catalogue::flexvol {

class Adopting {
 public:
  // Borrowed.
  explicit Adopting(const Session& session) : session_(&session) {}

  // See DiskStore. Six requests at most.
  Result<AdoptionOutlook> Examine(const AdoptionSource& source, std::uint64_t vmid,
                                  const Neighbours& neighbours, const Deadline& deadline);
  // See DiskStore. Two requests more for each disk of the VM that was called so before.
  Result<Disk> Adopt(const AdoptionSource& source, const VolumeName& name,
                     const Neighbours& neighbours, const Deadline& deadline);

 private:
  // What an earlier call has given its name.
  Result<Disk> Finish(const VolumeName& name, const Neighbours& neighbours,
                      const Deadline& deadline);
  Result<std::vector<std::string>> RemarksOn(const Stranger& stranger, const AdoptionSource& source,
                                             std::uint64_t vmid, const Deadline& deadline);
  // The one disk that was adopted from there.
  Result<VolumeName> RequireAdopted(const AdoptionSource& source,
                                    const Neighbours& neighbours) const;
  Status ForgetFormer(const AdoptionSource& source, const Neighbours& neighbours,
                      const Deadline& deadline);
  Mark MarkFor(const OwnedVolume& volume, const AdoptionSource& source, std::uint64_t vmid) const;
  Error NotThere(const AdoptionSource& source) const;

  const Session* session_;
};

}  // namespace ontapnvme::catalogue::flexvol
