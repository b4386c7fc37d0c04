// SPDX-License-Identifier: AGPL-3.0-or-later
// From a namespace of the array to the block device that is proven to be it.
#pragma once

#include <string>
#include <string_view>

#include "base/deadline.h"
#include "base/result.h"
#include "nvme/helper/helper_process.h"
#include "nvme/host.h"
#include "nvme/kernel/device_port.h"
#include "nvme/kernel/rooted_files.h"
#include "nvme/label_reader.h"

namespace ontapnvme::nvme {

enum class Strategy { kByUuid, kLabels, kTopology };
std::string_view ToString(Strategy strategy);  // "by-uuid", "labels", "topology"

class DeviceResolver {
 public:
  // All are borrowed. `sys` is /sys, `dev` is /dev.
  DeviceResolver(const RootedFiles& sys, const RootedFiles& dev, DevicePort& devices,
                 Helpers& helpers)
      : sys_(&sys), dev_(&dev), helpers_(&helpers), labels_(devices) {}

  // The strategies that start no process, cheapest first; then the proof of all but the size.
  // kDeviceMissing: one fact per strategy says what it saw. kConflict: the device carries the UUID
  // but is something else; both values are facts.
  // A device that is proven but has no live path is a success: live_paths is 0 and path_states
  // says why. Opening it would wait.
  Result<Device> Find(const WantedDevice& wanted);

  // One strategy alone, whichever it is, and the same proof; for diagnosis, and as a last resort.
  // Only kTopology uses the deadline.
  Result<Device> ResolveBy(Strategy strategy, const WantedDevice& wanted, const Deadline& deadline);

 private:
  Result<std::string> Locate(Strategy strategy, const WantedDevice& wanted);
  Result<Device> Prove(const std::string& name, Strategy strategy, const WantedDevice& wanted);
  std::string StablePath(const std::string& name) const;
  Status ProveLabels(const Device& device, const WantedDevice& wanted);
  Status ProveUuid(const Device& device, Strategy strategy, const WantedDevice& wanted) const;

  const RootedFiles* sys_;
  const RootedFiles* dev_;
  Helpers* helpers_;
  LabelReader labels_;
};

// kConflict with both sizes when the kernel's is not the array's.
Status CheckSize(const Device& device, const WantedDevice& wanted);
// kDeviceMissing while udev has made no link to it.
Status CheckLink(const Device& device);

}  // namespace ontapnvme::nvme
