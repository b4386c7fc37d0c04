// SPDX-License-Identifier: AGPL-3.0-or-later
// What back ends refuse in the same words.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/error.h"
#include "model/snapshot_name.h"
#include "model/storage_config.h"
#include "model/volume_name.h"

namespace ontapnvme::catalogue {

Error VolumeNotFound(const StorageConfig& config, const VolumeName& name);

// A snapshot of that name is there. Never reused: what is asked for a snapshot now believes in this
// point in time, and the left-over holds another.
Error SnapshotLeftOver(const ArraySnapshotName& snapshot, std::chrono::sys_seconds create_time);

// Whether FlexClones, which may be in the recovery queue, keep a volume or a snapshot from being
// deleted.
inline bool IsHeldByClones(const Error& error) {
  return error.origin().refusal == Refusal::kHeldByClones;
}

// `error`, with those clones in it and what to do about them. Without any, deleted clones in the
// array's recovery queue are the reason that is left. Its origin says kHeldByClones.
Error HeldByClones(Error error, const std::vector<std::string>& clones, bool are_full = false);

// A final refusal that says nothing else: locked snapshots may be what keeps a volume from being
// deleted.
bool MayBeLock(const Error& error);
// The snapshot that a clone is to be made of may be missing. With which code that is refused is not
// stated.
bool MayLackSnapshot(const Error& error);

}  // namespace ontapnvme::catalogue
