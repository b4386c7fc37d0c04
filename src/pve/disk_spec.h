// SPDX-License-Identifier: AGPL-3.0-or-later
// What a disk's FlexVol is made of: sizes and settings.
#pragma once

#include "ontap/flexvol.h"
#include "pve/array_facts.h"
#include "pve/storage_config.h"

namespace ontapnvme::pve {

// Blocks of a namespace; sizes are multiples of it.
inline constexpr std::uint64_t kBlockBytes = 4096;
// The largest namespace of any platform (NetApp's REST reference, namespaces: space.size).
inline constexpr ByteCount kDiskSizeMax{140'737'488'355'328};

// The smallest FlexVol that holds a full namespace of that size besides the snapshot reserve: a
// tenth for the array's metadata, as NetApp's own driver takes, and what the reserve takes away.
ByteCount FlexVolSizeFor(ByteCount disk_size, unsigned snapshot_reserve_percent);

// The autosize ceiling for a FlexVol of that size; nothing when autosize is off.
std::optional<ByteCount> AutosizeMaximum(const StorageConfig& config, ByteCount flexvol_size);

ontap::FlexVolSpec MakeFlexVolSpec(const StorageConfig& config, const ArrayFacts& facts,
                                   std::string flexvol_name, ByteCount disk_size,
                                   std::string comment);

// A linked clone of `parent`, as it was at `parent_snapshot`, and the settings that make it like a
// new disk of its size.
ontap::FlexCloneSpec MakeFlexCloneSpec(const StorageConfig& config, std::string flexvol_name,
                                       const ontap::FlexVol& parent, std::string parent_snapshot,
                                       std::string comment);
ontap::FlexVolSettings MakeCloneSettings(const StorageConfig& config, const ontap::FlexVol& parent);

// The QoS policy of disks, fixed or adaptive; empty: none.
const std::string& QosPolicyOf(const StorageConfig& config);
// Snapshots that Proxmox made, and base images' own: the last that autodelete takes.
inline constexpr const char* kSparedSnapshots = "pve_";

}  // namespace ontapnvme::pve
