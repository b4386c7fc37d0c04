// SPDX-License-Identifier: AGPL-3.0-or-later
// Whether the host's LVM is kept away from the disks of guests. docs/adr/0015 explains why it must
// be, and why the package cannot ensure it alone.
#pragma once

#include <string>

namespace ontapnvme::node {

// Where the package's udev rule makes links, which a filter in lvm.conf can name.
inline constexpr const char* kLvmHiddenLinks = "/dev/disk/by-ontapnvme/";

// Whether that configuration has a filter that rejects those links, all NVMe devices, or everything
// that it does not accept; or uses the devices file, which lists what LVM may use.
bool KeepsLvmOut(const std::string& lvm_conf);

// The warning for the administrator when that file does not; empty when it does, and on a node
// without LVM.
std::string LvmWarning(const std::string& lvm_config_file);

}  // namespace ontapnvme::node
