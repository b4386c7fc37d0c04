// SPDX-License-Identifier: AGPL-3.0-or-later
// Everything that a new or changed storage needs, asked before Proxmox writes its section.
#pragma once

#include "pve/array_facts.h"
#include "pve/context.h"

namespace ontapnvme::pve {

// See Storage::Verify. The order is that in which an administrator can act: reach the array, then
// the SVM, then what disks are made of.
Status VerifyArray(Context& context, FactSource& facts, const Deadline& deadline);

}  // namespace ontapnvme::pve
