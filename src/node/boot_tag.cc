// SPDX-License-Identifier: AGPL-3.0-or-later
#include "node/boot_tag.h"

#include "base/files.h"
#include "model/mark.h"

namespace ontapnvme::node {

std::string BootTag() {
  const auto boot_id = ReadSmallFile("/proc/sys/kernel/random/boot_id", 64);
  return boot_id && !boot_id->empty() ? ShortHash(*boot_id).substr(8) : "";
}

}  // namespace ontapnvme::node
