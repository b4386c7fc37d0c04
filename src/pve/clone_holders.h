// SPDX-License-Identifier: AGPL-3.0-or-later
// What keeps the array from deleting a volume or a snapshot: FlexClones, by their names as Proxmox
// knows them.
#pragma once

#include <string>
#include <vector>

#include "pve/context.h"

namespace ontapnvme::pve {

// `error`, with those clones in it and what to do about them. Without any, deleted clones in the
// array's recovery queue are the reason that is left.
Error HeldByClones(const Context& context, Error error, const std::vector<ontap::FlexVol>& clones);

}  // namespace ontapnvme::pve
