// SPDX-License-Identifier: AGPL-3.0-or-later
// From a volume name to its objects on the array. Objects of another owner are not found.
#pragma once

#include <optional>

#include "ontap/disk_objects.h"
#include "pve/context.h"
#include "pve/volume_name.h"

namespace ontapnvme::pve {

// The FlexVol and the namespace of a volume. Two requests side by side.
Result<std::optional<ontap::DiskObjects>> FindDisk(Context& context, const VolumeName& name,
                                                   const Deadline& deadline);
// The namespace only. One request. kNotFound when there is none.
Result<ontap::NvmeNamespace> RequireNamespace(Context& context, const VolumeName& name,
                                              const Deadline& deadline);
// The FlexVol only. One request. kNotFound when there is none.
Result<ontap::FlexVol> RequireVolume(Context& context, const VolumeName& name,
                                     const Deadline& deadline);

// Whether that FlexVol has the name by now: settles a rename whose answer was lost. One request.
Result<bool> HasName(Context& context, const ontap::FlexVol& volume, const std::string& name,
                     const Deadline& deadline);

Error VolumeNotFound(const Context& context, const VolumeName& name);

}  // namespace ontapnvme::pve
