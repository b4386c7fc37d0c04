// SPDX-License-Identifier: AGPL-3.0-or-later
// What volume snapshots and group snapshots have in common.
#pragma once

#include <string>
#include <vector>

#include "world.h"

namespace ontapnvme::sim {

namespace snapshot_code {
inline constexpr int kExists = 525059;
inline constexpr int kNotFound = 1638600;
inline constexpr int kHasOwner = 1638543;
inline constexpr int kLocked = 1638555;
}  // namespace snapshot_code

// Throws unless the volume can take a snapshot of that name now.
void RequireSnapshotPossible(World& world, const Volume& volume, const std::string& name);

// Throws unless it can have that name.
void RequireRenamable(World& world, const Snapshot& snapshot, const std::string& name);

// A snapshot of the volume as it is; not stored yet.
Snapshot TakeSnapshot(World& world, const Volume& volume, const std::string& name);

// What keeps the snapshot from being deleted; empty: nothing.
std::vector<std::string> OwnersOf(World& world, const Snapshot& snapshot);
// Throws when it has an owner.
void RequireDeletable(World& world, const Snapshot& snapshot);

// Taking a volume back: throws when a newer snapshot is held, or when namespaces are mapped and
// that is not allowed. `is_forced`: newer snapshots may be lost.
void RequireRestorable(World& world, const Volume& volume, const Snapshot& snapshot,
                       bool is_forced = false);
// Namespaces come back in place, those made later go, newer snapshots go.
void RestoreContents(World& world, const std::string& volume_uuid,
                     const std::string& snapshot_uuid);

}  // namespace ontapnvme::sim
