// SPDX-License-Identifier: AGPL-3.0-or-later
// Snapshots that a task of this node has given up, and that the array may hold all the same: Proxmox
// is told that there is none, so somebody has to look for them later. Small files in the state
// directory, which a restart of the node empties.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/snapshot_name.h"
#include "model/volume_name.h"

namespace ontapnvme::node {

struct OpenSnapshot {
  VolumeName volume;  // that it was asked for
  SnapshotName snapshot;
  std::string operation_id;   // of the mark that it has
  std::int64_t since_s = 0;   // when it was given up
  std::int64_t missed_s = 0;  // when the array last said that it is not there; 0: not yet
};

class OpenSnapshots {
 public:
  OpenSnapshots(const std::string& directory, const std::string& storage_id)
      : parent_(directory), directory_(directory + "/" + storage_id + ".open-snapshots") {}

  // Replaces the note of that operation.
  Status Note(const OpenSnapshot& open) const;
  // Those that can be read.
  std::vector<OpenSnapshot> All() const;
  // Idempotent.
  void Forget(const std::string& operation_id) const;
  void ForgetAll() const;

 private:
  std::string parent_;
  std::string directory_;
};

}  // namespace ontapnvme::node
