// SPDX-License-Identifier: AGPL-3.0-or-later
// What an operation left on the array that was killed half-way: recognised by our own mark, finished
// or removed after a second look.
#pragma once

#include <chrono>
#include <string>

#include "base/deadline.h"
#include "base/result.h"
#include "catalogue/array.h"
#include "catalogue/flexvol/session.h"

namespace ontapnvme::catalogue::flexvol {

class LeftOvers {
 public:
  // Borrowed.
  explicit LeftOvers(const Session& session) : session_(&session) {}

  // See Array. Two requests side by side, one for groups, one for snapshots of full clones, and one where
  // there are full clones that are not independent yet. Volumes that wait for their deletion,
  // and groups without members, are there whatever their age.
  Result<Survey> Look(std::chrono::system_clock::time_point oldest, const Deadline& deadline);
  // See Array. One request, or two, to look once more, and what there is to do.
  Status Settle(const LeftOver& left_over, const Deadline& deadline);

 private:
  Status RemoveEmpty(const OwnedDisk& disk, const Deadline& deadline);
  Status RemoveCopy(const std::string& object, const Deadline& deadline);
  Status RemoveParked(const std::string& flexvol, const Deadline& deadline);
  Status Regroup(std::uint64_t vmid, const Deadline& deadline);
  Result<bool> IsOperationDone(const OwnedDisk& disk, const Deadline& deadline);
  Status RemoveBegun(const OwnedDisk& disk, const Deadline& deadline);
  Status MakeWhole(const OwnedDisk& disk, const Deadline& deadline);
  Status StartSplit(const VolumeName& name, const Deadline& deadline);
  Status RemoveCloneSnapshot(const std::string& snapshot, const Deadline& deadline);

  const Session* session_;
};

}  // namespace ontapnvme::catalogue::flexvol
