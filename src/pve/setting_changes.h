// SPDX-License-Identifier: AGPL-3.0-or-later
// Settings that objects on the array carry, brought to those that exist when the storage's settings
// change.
#pragma once

#include "pve/array_facts.h"
#include "pve/context.h"

namespace ontapnvme::pve {

// See Storage::ApplyChanges. `before` are the settings that the objects were made with. Requests:
// one listing, and one per object whose setting changed.
Status ApplySettingChanges(Context& context, FactSource& facts, const StorageConfig& before,
                           const Deadline& deadline);

}  // namespace ontapnvme::pve
