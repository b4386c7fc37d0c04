// SPDX-License-Identifier: AGPL-3.0-or-later
// Strategy 1: the UUID that the kernel itself knows. Costs one readlink and one small read however
// many namespaces there are; needs no root, sends no command.
#pragma once

#include <string>

#include "base/result.h"
#include "nvme/host.h"
#include "nvme/kernel/rooted_files.h"

namespace ontapnvme::nvme {

// The kernel's name of the head with that UUID. `dev` is /dev, `sys` is /sys. udev's link
// disk/by-id/nvme-uuid.<uuid> is only a hint: it is checked against sysfs, and when it is missing
// (udev has not run yet, or not at all) or stale, every head in sysfs is looked at. Of two heads
// with that UUID the one in the wanted subsystem wins.
// kDeviceMissing: the sentence says what was looked at. kPermissionDenied, kInternal: sysfs cannot
// be read, so nothing is known.
Result<std::string> ResolveByUuid(const RootedFiles& sys, const RootedFiles& dev,
                                  const WantedDevice& wanted);

}  // namespace ontapnvme::nvme
