// SPDX-License-Identifier: AGPL-3.0-or-later
// Who uses a block device on this node. Asked before a disk is taken away, so unknown counts as
// used.
#pragma once

#include "nvme/host.h"
#include "nvme/kernel/device_port.h"
#include "nvme/kernel/rooted_files.h"

namespace ontapnvme::nvme {

// Looks, for the disk and its partitions, at device mapper and md (holders), loop devices, swap,
// the mounts of every mount namespace (containers have their own), the kernel's exclusive claim,
// and the open files of every process but this one. `proc` is /proc. Needs root to be able to say
// "no".
DeviceUsage FindUsage(const RootedFiles& sys, const RootedFiles& proc, DevicePort& devices,
                      const Device& device);

}  // namespace ontapnvme::nvme
