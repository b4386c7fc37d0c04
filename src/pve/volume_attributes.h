// SPDX-License-Identifier: AGPL-3.0-or-later
// What an administrator says about a volume, kept in the comment of its FlexVol.
#pragma once

#include <functional>
#include <string>

#include "pve/context.h"
#include "pve/volume_details.h"
#include "pve/volume_name.h"

namespace ontapnvme::pve {

// Reads the volume's details, has `change` change them and writes them back. Two requests, none to
// write when nothing changed. An unmarked volume gets a mark.
Status ChangeDetails(Context& context, const VolumeName& name,
                     const std::function<void(VolumeDetails&)>& change, const Deadline& deadline);

}  // namespace ontapnvme::pve
