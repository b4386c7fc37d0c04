// SPDX-License-Identifier: AGPL-3.0-or-later
// Waiting for a device to come or to go: by the kernel's events, with a short interval as a safety
// net, and with a rescan of one subsystem's controllers when nothing happens (an announcement can
// be missed: a controller that reconnects, an ANA change, an array under load).
#pragma once

#include "base/deadline.h"
#include "base/result.h"
#include "nvme/connections.h"
#include "nvme/device_resolver.h"
#include "nvme/host.h"
#include "nvme/kernel/rooted_files.h"
#include "nvme/uevent_watch.h"

namespace ontapnvme::nvme {

// As Host::WaitFor. Ready means proven, of the wanted size, and with a live path. When the time is
// almost over, libnvme's topology is asked as a last resort.
// Errors: kConflict (a wrong NQN or label at once, a wrong size at the end), kDeviceMissing,
// kUnavailable (there, but without a live path), kInterrupted.
Result<Device> WaitForDevice(DeviceResolver& resolver, Connections& connections,
                             EventSource& events, const WantedDevice& wanted,
                             const Deadline& deadline);

// As Host::WaitGone. kTimedOut names the device that is left.
Status WaitUntilGone(const RootedFiles& sys, const RootedFiles& dev, Connections& connections,
                     EventSource& events, const Uuid& uuid, const Deadline& deadline);

}  // namespace ontapnvme::nvme
