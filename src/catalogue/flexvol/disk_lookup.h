// SPDX-License-Identifier: AGPL-3.0-or-later
// From names to what the array has, the looking half of DiskStore; and whether what it does not show
// is gone.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "catalogue/disk_store.h"
#include "catalogue/flexvol/session.h"
#include "catalogue/found.h"
#include "catalogue/records.h"

namespace ontapnvme::catalogue::flexvol {

// An array that is too slow, or whose SVM is elsewhere just now, answers a listing with success and
// no records: that alone proves nothing.

// Why it cannot be said that there is no such volume, although neither its FlexVol nor its namespace
// is listed; nothing: it is proven. Where the cluster remembers its namespace, the array must say
// "not found" for that UUID as well. kConflict when that namespace is there under another name, or a
// FlexVol of that name is another owner's. Two requests, or three.
std::optional<Error> DoubtOf(const Session& session, const VolumeName& name,
                             const Deadline& deadline);
// Why a FlexVol that is listed without a namespace cannot be taken for a half-made volume: the
// namespace that the cluster remembers is there, or that cannot be told. One request, none where
// nothing is remembered.
std::optional<Error> DoubtOfNamespace(const Session& session, const VolumeName& name,
                                      const Deadline& deadline);
// The same for anything in the SVM: whether the SVM is there, by its remembered UUID. One request, two
// when it was renamed.
std::optional<Error> DoubtOfSvm(const Session& session, const Deadline& deadline);

class DiskLookup {
 public:
  // Borrowed.
  explicit DiskLookup(const Session& session) : session_(&session) {}

  // See DiskStore. Two requests side by side while the volume is there; two or three more to prove
  // that it is not. Where the cluster remembers it, it may be so new that the array does not list it
  // yet: then it is looked for again, for up to half a minute.
  Found<Disk> Find(const VolumeName& name, const Deadline& deadline);
  // See DiskStore. One request while the namespace is there; likewise.
  Found<DiskNamespace> FindNamespace(const VolumeName& name, const Deadline& deadline);
  // See DiskStore. Two requests side by side; one more where no disk is listed, to prove that the SVM
  // is there.
  Result<std::vector<Disk>> List(std::optional<std::uint64_t> vmid, const Deadline& deadline);
  // See DiskStore.
  Result<Neighbours> ListNeighbours(const std::vector<std::uint64_t>& vmids,
                                    const std::optional<VolumeName>& also,
                                    const Deadline& deadline);
  // See DiskStore.
  Result<std::vector<CopyProgress>> ReadCopyProgress(std::uint64_t vmid, const Deadline& deadline);

 private:
  Found<DiskNamespace> Mapped(const VolumeName& name, const OwnedNamespace& found,
                              const Deadline& deadline);

  const Session* session_;
};

// A clone whose operation was stopped, or is under way: no disk, although it holds a namespace.
bool IsBegun(const OwnedVolume& volume);

// The volume only. One request; likewise. kNotFound when it is not listed.
Result<OwnedVolume> RequireVolume(const Session& session, const VolumeName& name,
                                  const Deadline& deadline);

}  // namespace ontapnvme::catalogue::flexvol
