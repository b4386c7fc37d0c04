// SPDX-License-Identifier: AGPL-3.0-or-later
// What keeps the array from deleting a volume or a snapshot: FlexClones, by their names as Proxmox
// knows them.
#pragma once

#include <string>
#include <vector>

#include "pve/context.h"

namespace ontapnvme::pve {

// `error` (kBusy), with the clones of that FlexVol in it and what to do about them. When the array
// lists none, deleted clones in its recovery queue are the reason that is left. One request.
Error NameClones(Context& context, Error error, const std::string& flexvol,
                 const Deadline& deadline);

// The same without the array: `clones` as just listed.
Error HeldByClones(const Context& context, Error error, const std::vector<ontap::FlexVol>& clones);

}  // namespace ontapnvme::pve
