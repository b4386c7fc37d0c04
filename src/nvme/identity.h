// SPDX-License-Identifier: AGPL-3.0-or-later
// Who this node is on the fabric: /etc/nvme/hostnqn and /etc/nvme/hostid.
#pragma once

#include <string_view>

#include "base/result.h"
#include "nvme/host.h"
#include "nvme/kernel/rooted_files.h"

namespace ontapnvme::nvme {

// True for what the NVM Express Base specification allows as an NQN (2.0, 4.5): at most 223 bytes
// of UTF-8, beginning with "nqn.", a year and month, and a reversed domain name with a colon behind
// it or the form "nqn.2014-08.org.nvmexpress:uuid:<UUID>". Only the comma and control characters
// are refused beyond that: the kernel's option line cannot carry them.
bool IsValidNqn(std::string_view nqn);

// Reads and checks both files below `etc`. kUnsupported when one is missing or malformed; the hint
// is the command that makes it.
Result<HostIdentity> ReadIdentity(const RootedFiles& etc);

// kUnsupported when this kernel has no NVMe/TCP: neither loaded, nor among its modules below
// `modules` (/lib/modules). A kernel whose modules are gone, as after an upgrade, passes:
// connecting fails then if there is none.
Status RequireNvmeTcp(const RootedFiles& sys, const RootedFiles& modules,
                      std::string_view kernel_release);

}  // namespace ontapnvme::nvme
