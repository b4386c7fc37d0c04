// SPDX-License-Identifier: AGPL-3.0-or-later
#include "nvme/uevent_watch.h"

#include <linux/netlink.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/unique_fd.h"

namespace ontapnvme::nvme {
namespace {

constexpr unsigned kKernelGroup = 1;  // udev repeats on group 2, when it has run its rules
constexpr std::size_t kMessageBytesMax = 8192;  // the kernel's own buffer is 2048
constexpr int kReceiveBytes = 1 << 20;          // a hundred namespaces at once are 400 messages
constexpr int kBurstMax = 1024;                 // messages taken in one go, so that a storm ends

UniqueFd OpenSocket() {
  UniqueFd fd(
      ::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT));
  if (!fd) return fd;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &kReceiveBytes, sizeof kReceiveBytes);
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = kKernelGroup;
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    fd.Reset();
  return fd;
}

class NetlinkEvents : public EventSource {
 public:
  NetlinkEvents() : fd_(OpenSocket()) {}

  bool Wait(Duration duration) override {
    // poll() ignores a negative descriptor: without a socket this is a plain wait.
    pollfd polled{fd_.get(), POLLIN, 0};
    const int ready =
        ::poll(&polled, 1, static_cast<int>(std::max<Duration::rep>(duration.count(), 0)));
    return ready > 0 && Drain();
  }

 private:
  // Takes everything that is queued: one look at sysfs answers all of it.
  bool Drain() {
    bool is_ours = false;
    for (int i = 0; i < kBurstMax; ++i) {
      std::array<char, kMessageBytesMax> buffer{};
      sockaddr_nl sender{};
      socklen_t length = sizeof sender;
      const ssize_t got = ::recvfrom(fd_.get(), buffer.data(), buffer.size(), 0,
                                     reinterpret_cast<sockaddr*>(&sender), &length);
      if (got < 0 && errno == EINTR) continue;
      // Overrun: events were lost, ours may be among them.
      if (got < 0 && errno == ENOBUFS) return true;
      if (got <= 0) return is_ours;
      if (sender.nl_pid != 0) continue;  // not from the kernel
      is_ours = is_ours || IsNvmeUevent({buffer.data(), static_cast<std::size_t>(got)});
    }
    return is_ours;
  }

  UniqueFd fd_;
};

}  // namespace

bool IsNvmeUevent(std::string_view message) {
  bool is_block = false;
  bool is_nvme_disk = false;
  while (!message.empty()) {
    const std::size_t end = std::min(message.find('\0'), message.size());
    const std::string_view item = message.substr(0, end);
    message.remove_prefix(std::min(end + 1, message.size()));
    if (item == "SUBSYSTEM=nvme" || item == "SUBSYSTEM=nvme-subsystem") return true;
    if (item == "SUBSYSTEM=block") is_block = true;
    if (item.starts_with("DEVNAME=nvme") || item.starts_with("DEVNAME=/dev/nvme")) {
      is_nvme_disk = true;
    }
    // Hidden path disks have no node, but stand below a controller.
    if (item.starts_with("DEVPATH=") && item.find("/nvme") != std::string_view::npos) {
      is_nvme_disk = true;
    }
  }
  return is_block && is_nvme_disk;
}

std::unique_ptr<EventSource> OpenUevents() {
  return std::make_unique<NetlinkEvents>();
}

}  // namespace ontapnvme::nvme
