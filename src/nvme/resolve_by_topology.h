// SPDX-License-Identifier: AGPL-3.0-or-later
// Strategy 3: libnvme's view of the topology, what `nvme list` does. It runs in the helper process
// because libnvme before 1.7 opens and identifies every namespace while scanning, which hangs on
// one that has no usable path.
#pragma once

#include <string>
#include <string_view>

#include "base/deadline.h"
#include "base/result.h"
#include "nvme/helper/helper_process.h"
#include "nvme/host.h"

namespace ontapnvme::nvme {

// The kernel's name of the namespace with that UUID. Starts one process.
// kDeviceMissing: the sentence says what was looked at, or why the helper gave no answer;
// kInterrupted.
Result<std::string> ResolveByTopology(Helpers& helpers, const WantedDevice& wanted,
                                      const Deadline& deadline);

}  // namespace ontapnvme::nvme
