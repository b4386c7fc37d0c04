// SPDX-License-Identifier: AGPL-3.0-or-later
// The only user of libnvme, and part of the helper program only: the library and the Perl module do
// not load it. Works with libnvme 1.3 (Debian 12) to 1.16.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"

namespace ontapnvme::nvme {

struct ListedNamespace {
  std::string name;  // nvme0n2
  std::string uuid;  // as sysfs has it
  std::string subsystem_nqn;
};

// libnvme's scan of this machine. May hang with libnvme before 1.7 (Identify on a namespace without
// a usable path): call it only where that does no harm.
Result<std::vector<ListedNamespace>> ScanTopology();

// Puts the pre-shared key, in its interchange form "NVMeTLSkey-1:…", where the kernel looks for the
// key of this pair of NQNs: keyring ".nvme". Returns its number there. Idempotent, but for two
// callers at the same time: the second may revoke the key of the first. kUnsupported where libnvme
// cannot do it (before 1.13, or built without keyutils), kInvalidArgument for a key that it cannot
// read.
Result<long> InsertTlsKey(const Secret& key, const std::string& host_nqn,
                          const std::string& subsystem_nqn);

}  // namespace ontapnvme::nvme
