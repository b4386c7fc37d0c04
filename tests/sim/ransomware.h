// SPDX-License-Identifier: AGPL-3.0-or-later
// Anti-ransomware protection as far as it concerns owners of disks: from 9.18.1 new volumes have it,
// and it takes snapshots that nobody can delete for twelve hours. The switch `ransomware_locks` says
// whether there is any, and what the locks keep from being done.
#pragma once

#include "world.h"

namespace ontapnvme::sim {

// Taken by the protection, and not expired.
bool IsLocked(const World& world, const Snapshot& snapshot);
bool HasLocked(World& world, const std::string& volume_uuid);
// Takes the snapshots that are due, a new volume's first at once and a clone's after four hours, and
// removes those that have expired.
void TendProtection(World& world);
// What the volume's record says of it, of the releases that have it for disks.
void AddProtection(const World& world, const Volume& volume, nlohmann::json* record);

}  // namespace ontapnvme::sim
