// SPDX-License-Identifier: AGPL-3.0-or-later
// Whether the host's LVM is kept off the disks of guests. docs/adr/0015 has why it must be, and why
// the package cannot see to it alone.
#pragma once

#include <string>

namespace ontapnvme::pve {

// What the package's udev rule links; a filter of lvm.conf can name it.
inline constexpr const char* kLvmHiddenLinks = "/dev/disk/by-ontapnvme/";

// Whether that configuration has a filter that rejects those links, NVMe devices altogether or
// all that it does not name, or the devices file, which lists what LVM may use.
bool KeepsLvmOut(const std::string& lvm_conf);

// The warning for the administrator when it does not; empty when it does, and on a node without
// LVM.
std::string LvmWarning(const std::string& lvm_config_file);

}  // namespace ontapnvme::pve
