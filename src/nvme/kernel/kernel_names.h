// SPDX-License-Identifier: AGPL-3.0-or-later
// The kernel's names of NVMe things. With native multipath a namespace is the head nvme<S>n<H>
// (S: instance of the subsystem, H: instance of the head; neither is a controller's number nor the
// NSID), its partitions are nvme<S>n<H>p<P>, and its paths are the hidden disks nvme<S>c<C>n<H>
// below the controllers nvme<C>.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ontapnvme::nvme {

struct HeadName {
  unsigned subsystem = 0;
  unsigned head = 0;
};

// "nvme0n2" and nothing else: no partition, no hidden path, no generic character device.
std::optional<HeadName> ParseHeadName(std::string_view name);
// The number of "nvme<C>".
std::optional<unsigned> ParseControllerName(std::string_view name);
// "nvme0c1n2": the hidden disk through which `controller` reaches `head`.
std::string PathName(const HeadName& head, unsigned controller);
// True when `name` is a partition of the disk `disk`.
bool IsPartitionOf(std::string_view name, std::string_view disk);

}  // namespace ontapnvme::nvme
