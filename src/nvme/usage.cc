// SPDX-License-Identifier: AGPL-3.0-or-later
#include "nvme/usage.h"

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "base/errno_text.h"
#include "nvme/kernel/kernel_names.h"
#include "nvme/topology.h"

namespace ontapnvme::nvme {
namespace {

constexpr std::size_t kMountsBytesMax = 16U << 20U;
constexpr std::size_t kSwapsBytesMax = 1U << 20U;

// Who, or nothing; an unanswerable question is answered with a text too.
using Found = std::optional<std::string>;

std::string Unknown(const Error& error) {
  return "unknown: " + error.sentence() + ": " + error.reason();
}

std::string Unknown(int code, const std::string& path) {
  return "unknown: cannot open '" + path + "': " + ErrnoText(code);
}

std::optional<dev_t> ParseNumbers(std::string_view text) {
  unsigned major = 0;
  unsigned minor = 0;
  const char* const end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, major);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != ':') return std::nullopt;
  const auto second = std::from_chars(first.ptr + 1, end, minor);
  if (second.ec != std::errc() || second.ptr != end) return std::nullopt;
  return ::makedev(major, minor);
}

class UsageSearch {
 public:
  UsageSearch(const RootedFiles& sys, const RootedFiles& proc, DevicePort& devices,
              const Device& device)
      : sys_(sys), proc_(proc), devices_(devices), device_(device) {}

  Found Run() {
    if (auto failed = CollectDisk()) return failed;
    for (const auto step : {&UsageSearch::ByHolders, &UsageSearch::ByLoops, &UsageSearch::BySwaps,
                            &UsageSearch::ByProcesses, &UsageSearch::ByClaim}) {
      if (auto found = (this->*step)()) return found;
    }
    return std::nullopt;
  }

  // The first process that reads it, when nothing else uses it.
  const Found& reader() const { return reader_; }

 private:
  // The numbers of the disk and of its partitions.
  Found CollectDisk() {
    const std::string directory = BlockDirectory(device_.name);
    const auto names = sys_.List(directory);
    if (!names) return Unknown(names.error());
    directories_.push_back(directory);
    for (const auto& name : *names) {
      if (IsPartitionOf(name, device_.name)) directories_.push_back(directory + "/" + name);
    }
    for (const auto& each : directories_) {
      const auto number = ParseNumbers(sys_.Attribute(each + "/dev").value_or(""));
      if (!number) return "unknown: no device number in '" + sys_.Full(each) + "'";
      numbers_.insert(*number);
    }
    return std::nullopt;
  }

  Found ByHolders() {
    for (const auto& directory : directories_) {
      const auto holders = sys_.List(directory + "/holders");
      if (!holders) return Unknown(holders.error());
      if (!holders->empty()) return "holder " + holders->front();
    }
    return std::nullopt;
  }

  Found ByLoops() {
    const auto names = sys_.List("class/block");
    if (!names) return Unknown(names.error());
    for (const auto& name : *names) {
      if (!name.starts_with("loop")) continue;
      // Not there while the loop device has no file.
      const auto file = sys_.AttributeIfAny("class/block/" + name + "/loop/backing_file");
      if (!file) return Unknown(file.error());
      if (*file && IsOurs(**file)) return "loop device " + name;
    }
    return std::nullopt;
  }

  Found BySwaps() {
    const auto swaps = proc_.Text("swaps", kSwapsBytesMax);
    if (FailedWith(swaps, ErrorCode::kNotFound)) return std::nullopt;  // a kernel without swap
    if (!swaps) return Unknown(swaps.error());
    std::istringstream lines(*swaps);
    for (std::string line; std::getline(lines, line);) {
      const std::string path = line.substr(0, line.find_first_of(" \t"));
      if (path.starts_with('/') && IsOurs(path)) return "swap on " + path;
    }
    return std::nullopt;
  }

  Found ByProcesses() {
    const auto names = proc_.List("");
    if (!names) return Unknown(names.error());
    if (auto found = ByMounts("self")) return found;
    for (const auto& name : *names) {
      const bool is_process =
          std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
      if (!is_process) continue;
      // Its name only saves looking at the same mounts twice; where it may not be read they may.
      const auto mounts = proc_.LinkIfAny(name + "/ns/mnt");
      const bool is_hidden = FailedWith(mounts, ErrorCode::kPermissionDenied);
      if (!mounts && !is_hidden) return Unknown(mounts.error());
      if (is_hidden || (*mounts && mount_namespaces_.insert(**mounts).second)) {
        if (auto found = ByMounts(name)) return found;
      }
      if (name == std::to_string(::getpid())) continue;  // our own descriptors come and go
      if (IsUdev(name)) continue;
      if (auto found = ByOpenFiles(name)) return found;
    }
    return std::nullopt;
  }

  Found ByMounts(const std::string& process) {
    const auto text = proc_.Text(process + "/mountinfo", kMountsBytesMax);
    if (FailedWith(text, ErrorCode::kNotFound)) return std::nullopt;  // it has ended
    // It is ending, and has left its namespace already (fs/proc_namespace.c answers EINVAL).
    if (FailedWith(text, ErrorCode::kInvalidArgument)) return std::nullopt;
    if (!text) return Unknown(text.error());
    std::istringstream lines(*text);
    for (std::string line; std::getline(lines, line);) {
      if (auto point = MountPointOfOurs(line)) return "mounted at " + *point;
    }
    return std::nullopt;
  }

  // proc_pid_mountinfo(5): id, parent, major:minor, root, mount point, options, optional fields,
  // "-", type, source. Some file systems (btrfs) show a number of their own, so the source counts
  // too.
  Found MountPointOfOurs(const std::string& line) const {
    std::istringstream fields(line);
    std::string id, parent, numbers, root, point, word, type, source;
    fields >> id >> parent >> numbers >> root >> point;
    const auto number = ParseNumbers(numbers);
    if (number && numbers_.contains(*number)) return point;
    while (fields >> word && word != "-") {
    }
    fields >> type >> source;
    if (source.starts_with("/dev/") && IsOurs(source)) return point;
    return std::nullopt;
  }

  // udev looks into a device for a moment after every write to it and every change of it.
  // That is no use of it, and would refuse an operation at random.
  bool IsUdev(const std::string& process) const {
    const auto program = proc_.Link(process + "/exe");
    return program == "/usr/bin/udevadm" || program == "/bin/udevadm" ||
           program == "/usr/lib/systemd/systemd-udevd" || program == "/lib/systemd/systemd-udevd";
  }

  Found ByOpenFiles(const std::string& process) {
    const auto numbers = proc_.List(process + "/fd");
    if (FailedWith(numbers, ErrorCode::kNotFound)) return std::nullopt;  // it has ended
    if (!numbers) return Unknown(numbers.error());
    for (const auto& number : *numbers) {
      const std::string link = process + "/fd/" + number;
      const auto target = proc_.LinkIfAny(link);
      // Root may look at every process of its node. Where it may not, it is root of a container or a
      // sandbox, and the process one of those outside, which have no part in these devices.
      if (FailedWith(target, ErrorCode::kPermissionDenied)) continue;
      if (!target) return Unknown(target.error());
      // Most are sockets, pipes and the like, which are no path. The number counts, not the path:
      // a container has its own name for the node.
      if (!*target || !(*target)->starts_with('/') || !IsOurs(proc_.Full(link))) continue;
      const auto program = proc_.Attribute(process + "/comm");
      const std::string user =
          "process " + process + (program ? " (" + CleanText(*program, 32) + ")" : "");
      if (!IsReadOnly(process, number)) return user;
      if (!reader_) reader_ = user;
    }
    return std::nullopt;
  }

  // proc_pid_fdinfo(5): the flags of open(2) in octal. What cannot be read may write.
  bool IsReadOnly(const std::string& process, const std::string& number) const {
    constexpr std::string_view kFlags = "flags:";
    const auto info = proc_.Attribute(process + "/fdinfo/" + number);
    const auto at = info ? info->find(kFlags) : std::string::npos;
    if (at == std::string::npos) return false;
    const char* text = info->c_str() + at + kFlags.size();
    char* end = nullptr;
    const unsigned long flags = std::strtoul(text, &end, 8);
    return end != text && (flags & O_ACCMODE) == O_RDONLY;
  }

  Found ByClaim() {
    // Opening may read the partition table, which waits when no path is left.
    if (device_.live_paths == 0) return std::nullopt;
    const int failure = devices_.TryExclusive(device_.path);
    if (failure == 0) return std::nullopt;
    if (failure != EBUSY) return Unknown(failure, device_.path);
    return "the kernel (a file system, swap, device mapper or another driver has claimed it)";
  }

  bool IsOurs(const std::string& path) const {
    const auto number = devices_.BlockNumber(path);
    return number && numbers_.contains(*number);
  }

  const RootedFiles& sys_;
  const RootedFiles& proc_;
  DevicePort& devices_;
  const Device& device_;
  std::vector<std::string> directories_;
  std::set<dev_t> numbers_;
  std::set<std::string> mount_namespaces_;
  Found reader_;
};

}  // namespace

DeviceUsage FindUsage(const RootedFiles& sys, const RootedFiles& proc, DevicePort& devices,
                      const Device& device) {
  UsageSearch search(sys, proc, devices, device);
  if (const auto found = search.Run()) return {.is_used = true, .by = *found};
  if (const auto& reader = search.reader()) {
    return {.is_used = true, .by = *reader, .may_pass = true};
  }
  return {};
}

}  // namespace ontapnvme::nvme
