// SPDX-License-Identifier: AGPL-3.0-or-later
// What a disk's FlexVol is made of: sizes and settings.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/byte_count.h"
#include "base/log.h"
#include "catalogue/flexvol/facts/array_facts.h"
#include "model/snapshot_name.h"
#include "model/storage_config.h"
#include "ontap/flexvol.h"

namespace ontapnvme::catalogue::flexvol {

// Below this an array may make namespaces larger than they were asked for: ONTAP's reference allows
// them from one block on, an array in the field made none below 20 MiB. Proxmox's disks of that size
// are EFI variables, TPM state and cloud-init images, for which a larger device serves as well.
inline constexpr ByteCount kNamespaceSureFrom = MiB(20);

// The smallest FlexVol that holds a full namespace of that size besides the snapshot reserve: a
// tenth for the array's metadata, as NetApp's own driver takes, and what the reserve takes away.
ByteCount FlexVolSizeFor(ByteCount disk_size, unsigned snapshot_reserve_percent);

// The autosize ceiling for a FlexVol of that size; nothing when autosize is off.
std::optional<ByteCount> AutosizeMaximum(const StorageConfig& config, ByteCount flexvol_size);

// Comments and the parent of a clone are the gate's affair.
ontap::FlexVolSpec MakeFlexVolSpec(const StorageConfig& config, const ArrayFacts& facts,
                                   std::string flexvol_name, ByteCount disk_size);
// Of such a one, for an array that does not take all of it in a create: what a disk cannot do
// without, and the rest to be set afterwards.
ontap::FlexVolSpec CoreOf(const ontap::FlexVolSpec& spec);
ontap::FlexVolSettings RestOf(const ontap::FlexVolSpec& spec);

// What makes a linked clone like a new disk of its size, whatever it took over from its parent.
ontap::FlexVolSettings MakeCloneSettings(const StorageConfig& config, ByteCount parent_size);
// Automatic deletion of snapshots as the storage wants it. Not a part of making a disk: arrays take
// it for a volume that is there only.
ontap::FlexVolSettings MakeAutodeleteSettings(const StorageConfig& config);

// One warning of all that the array did not take; `what` was done all the same. None when it took
// everything.
void WarnOfRefused(Log& log, const std::string& what,
                   const std::vector<ontap::RefusedSetting>& refused);

// The QoS policy of disks, fixed or adaptive; empty: none.
const std::string& QosPolicyOf(const StorageConfig& config);
// Snapshots that Proxmox made, and base images' own: the last that autodelete takes.
inline constexpr const char* kSparedSnapshots = "pve_";

}  // namespace ontapnvme::catalogue::flexvol
