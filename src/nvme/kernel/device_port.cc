// SPDX-License-Identifier: AGPL-3.0-or-later
#include "nvme/kernel/device_port.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/nvme_ioctl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cerrno>

#include "base/errno_text.h"

namespace ontapnvme::nvme {
namespace {

class KernelDevicePort : public DevicePort {
 public:
  Result<UniqueFd> Open(const std::string& path) override {
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!fd) {
      const bool denied = errno == EACCES || errno == EPERM;
      return Error(denied ? ErrorCode::kPermissionDenied : ErrorCode::kNotFound,
                   "cannot open '" + path + "'")
          .Because(ErrnoText(errno));
    }
    return fd;
  }

  int Admin(int fd, nvme_passthru_cmd& command) override {
    const int status = ::ioctl(fd, NVME_IOCTL_ADMIN_CMD, &command);
    return status < 0 ? -errno : status;
  }

  int FlushBuffers(int fd) override { return ::ioctl(fd, BLKFLSBUF, 0) == 0 ? 0 : errno; }

  int TryExclusive(const std::string& path) override {
    // O_EXCL without O_CREAT on a block device is a claim, given back by close (open(2)).
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_EXCL | O_CLOEXEC | O_NONBLOCK));
    return fd ? 0 : errno;
  }

  std::optional<dev_t> BlockNumber(const std::string& path) override {
    // DONT_SYNC: what the client of a network file system remembers is enough to see that it is no
    // block device; a stat() would wait for a server that is down.
    struct statx status {};
    const int failed =
        ::statx(AT_FDCWD, path.c_str(), AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_TYPE, &status);
    if (failed != 0 || !S_ISBLK(status.stx_mode)) return std::nullopt;
    return ::makedev(status.stx_rdev_major, status.stx_rdev_minor);
  }
};

}  // namespace

DevicePort& KernelDevices() {
  static KernelDevicePort port;
  return port;
}

}  // namespace ontapnvme::nvme
