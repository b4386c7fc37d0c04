// SPDX-License-Identifier: AGPL-3.0-or-later
// Strategy 2: what the devices say themselves. Natively what `nvme netapp ontapdevices` does, for
// the namespaces of one subsystem.
#pragma once

#include <string>

#include "base/result.h"
#include "nvme/host.h"
#include "nvme/kernel/rooted_files.h"
#include "nvme/label_reader.h"

namespace ontapnvme::nvme {

enum class LabelScope {
  kEveryHead,
  // Only heads for which sysfs names no UUID. Where it does, the kernel read it from the very same
  // descriptor list, so asking again can find nothing new: this keeps a search for a device that
  // has not come yet from sending commands to a thousand others.
  kHeadsWithoutUuid,
};

// The kernel's name of the head of the wanted subsystem whose own descriptors carry the UUID and
// whose labels are those wanted (an empty one matches any). Devices without a live path are not
// asked: a command to them would wait. Needs root; each command takes at most two seconds, and
// the first one that takes as long ends the search.
// kDeviceMissing: the sentence says what was looked at.
Result<std::string> ResolveByLabels(const RootedFiles& sys, const RootedFiles& dev,
                                    LabelReader& reader, const WantedDevice& wanted,
                                    LabelScope scope);

// True when the labels are those wanted; an empty wanted name matches any.
bool AreLabelsOf(const OntapLabels& labels, const WantedDevice& wanted);

}  // namespace ontapnvme::nvme
