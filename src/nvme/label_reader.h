// SPDX-License-Identifier: AGPL-3.0-or-later
// Asks one namespace for its identity and its ONTAP labels: three admin commands through its block
// device, natively what `nvme netapp ontapdevices` does in a process per question.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "base/uuid.h"
#include "nvme/kernel/device_port.h"
#include "nvme/ontap_labels.h"

namespace ontapnvme::nvme {

// The device to ask. It must have a live path: the caller has looked.
struct LabelQuestion {
  std::string device_path;  // /dev/nvme0n2
  std::uint32_t nsid = 0;
  std::string subsystem_nqn;
};

struct LabelAnswer {
  std::optional<Uuid> uuid;  // by the descriptor list; only asked for by Identify()
  std::optional<OntapLabels> labels;
  std::string why_none;    // when there are no labels
  bool timed_out = false;  // asking the next one would wait as long again
};

// Not thread-safe. Remembers the subsystems that have no such page, so that they are asked once.
class LabelReader {
 public:
  explicit LabelReader(DevicePort& devices) : devices_(&devices) {}

  // Log page C2h only: for a device whose UUID is known.
  LabelAnswer Labels(const LabelQuestion& question);
  // Model, descriptor list and log page: for finding a device by what it says itself.
  LabelAnswer Identify(const LabelQuestion& question);

 private:
  LabelAnswer ReadLabels(int fd, const LabelQuestion& question);

  DevicePort* devices_;
  std::set<std::string> subsystems_without_labels_;
};

}  // namespace ontapnvme::nvme
