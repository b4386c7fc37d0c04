// SPDX-License-Identifier: AGPL-3.0-or-later
// A snapshot's bytes as a namespace of their own: a FlexClone of the snapshot. Its name is outside
// those of volumes, so that no listing shows it; its mark says what it shows and to which node, and
// only what carries our own mark is one. What reads it may write to it as well: the snapshot stays
// what it is.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "catalogue/flexvol/disk_lookup.h"
#include "catalogue/flexvol/session.h"
#include "catalogue/found.h"
#include "catalogue/records.h"

namespace ontapnvme::catalogue::flexvol {

class SnapshotDevices {
 public:
  // Borrowed.
  explicit SnapshotDevices(const Session& session) : session_(&session) {}

  // See SnapshotStore. Two requests side by side.
  Found<SnapshotDevice> Find(const ShownSnapshot& shown, const Deadline& deadline);
  // See SnapshotStore. One request after Find, else one more.
  Result<bool> IsCurrent(const SnapshotDevice& device, const Deadline& deadline);
  // See SnapshotStore. Two requests after Find, else one more.
  Result<SnapshotDevice> Make(const ShownSnapshot& shown, const Deadline& deadline);
  // See SnapshotStore. Two requests.
  Status Remove(const SnapshotDevice& device, const Deadline& deadline);
  // See SnapshotStore. Two requests side by side.
  Result<std::vector<SnapshotDevice>> List(const Deadline& deadline);

 private:
  // A volume as Find has just listed it.
  struct Seen {
    VolumeName name;
    OwnedVolume volume;
    TimePoint at;
  };
  Result<std::string> CloneNameOf(const ShownSnapshot& shown) const;
  Result<SnapshotDevice> RecordOf(const OwnedDisk& clone, const ShownSnapshot& shown,
                                  const Deadline& deadline) const;
  // As Find has just listed it, or else looked up.
  Result<OwnedVolume> ParentOf(const VolumeName& name, const Deadline& deadline);

  const Session* session_;
  std::optional<Seen> parent_;
};

}  // namespace ontapnvme::catalogue::flexvol
