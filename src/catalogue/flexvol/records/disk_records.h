// SPDX-License-Identifier: AGPL-3.0-or-later
// From what the gate gives out to the records of the ports.
#pragma once

#include <string>

#include "base/deadline.h"
#include "base/result.h"
#include "catalogue/flexvol/facts/array_facts.h"
#include "catalogue/flexvol/records/owned.h"
#include "catalogue/records.h"
#include "model/storage_config.h"

namespace ontapnvme::catalogue::flexvol {

Volume VolumeOf(const OwnedVolume& volume);

Snapshot SnapshotOf(const Marker& marker, const OwnedSnapshot& snapshot);

// Without its mapping. `shown` is what the operator knows it by, for the fault: "volume 'x'".
DiskNamespace NamespaceOf(const OwnedNamespace& ns, const std::string& shown);

// With its mapping, which is decided against the remembered subsystem. One that is mapped elsewhere
// is believed only after the facts were asked anew, once: perhaps the subsystem was made anew since.
Result<DiskNamespace> MappedNamespaceOf(const OwnedNamespace& ns, const std::string& shown,
                                        FactSource& facts, const Deadline& deadline);

// The ceiling is reckoned from the settings: the array tells its own at an extra cost per volume.
bool IsNearCeiling(const StorageConfig& config, const OwnedDisk& disk);

}  // namespace ontapnvme::catalogue::flexvol
