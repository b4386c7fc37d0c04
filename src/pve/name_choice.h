// SPDX-License-Identifier: AGPL-3.0-or-later
// The name of a volume that is about to be made, cloned or renamed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pve/context.h"
#include "pve/volume_name.h"

namespace ontapnvme::pve {

// The requested name if it is free and that VM's, or without one the lowest free
// vm-<vmid>-disk-<n>. `siblings` are FlexVols as just listed, with all of the VM's among them.
// kInvalidArgument, kAlreadyExists; kConflict when another owner has it.
Result<VolumeName> ChooseName(const Context& context, std::uint64_t vmid,
                              const std::string& requested_name,
                              const std::vector<ontap::FlexVol>& siblings);

// Why that name cannot be had.
Error NameTaken(const Context& context, const VolumeName& name, const ontap::FlexVol& by);

}  // namespace ontapnvme::pve
