// SPDX-License-Identifier: AGPL-3.0-or-later
// What this layer asks of device nodes; the seam that lets tests answer in their place.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

struct nvme_passthru_cmd;

namespace ontapnvme::nvme {

class DevicePort {
 public:
  virtual ~DevicePort() = default;

  // Opens for reading, close-on-exec. kNotFound, kPermissionDenied.
  virtual Result<UniqueFd> Open(const std::string& path) = 0;
  // One admin command. 0, an NVMe status (positive), or a negated errno.
  virtual int Admin(int fd, nvme_passthru_cmd& command) = 0;
  // BLKFLSBUF. 0 or an errno.
  virtual int FlushBuffers(int fd) = 0;
  // Whether the kernel lets us have the device alone: 0, or an errno (EBUSY: a file system, swap,
  // device mapper or md has claimed it, in whichever mount namespace).
  virtual int TryExclusive(const std::string& path) = 0;
  // The number of the block device behind `path`, symbolic links followed; nothing when it is not
  // a block device. Must not wait for a network file system.
  virtual std::optional<dev_t> BlockNumber(const std::string& path) = 0;
};

// The kernel's. Stateless; lives for the whole program.
DevicePort& KernelDevices();

}  // namespace ontapnvme::nvme
