// SPDX-License-Identifier: AGPL-3.0-or-later
#include "nvme/linux_host.h"

#include <sys/utsname.h>

#include <filesystem>
#include <utility>

#include "base/errno_text.h"
#include "nvme/device_wait.h"
#include "nvme/identity.h"
#include "nvme/kernel/local_addresses.h"
#include "nvme/topology.h"
#include "nvme/usage.h"

namespace ontapnvme::nvme {
namespace {

std::string KernelRelease() {
  utsname name{};
  return ::uname(&name) == 0 ? name.release : "";
}

// The watch that Arm() made.
EventSource& EventsOf(Watch& watch) {
  return dynamic_cast<UeventWatch&>(watch).events();
}

}  // namespace

LinuxHost::LinuxHost(LinuxHostOptions options)
    : sys_(std::move(options.sys_root)),
      dev_(std::move(options.dev_root)),
      proc_(std::move(options.proc_root)),
      etc_(std::move(options.etc_root)),
      modules_(std::move(options.modules_root)),
      devices_(options.devices != nullptr ? options.devices : &KernelDevices()),
      processes_(InstalledHelper()),
      helpers_(options.helpers != nullptr ? options.helpers : &processes_),
      open_events_(std::move(options.open_events)),
      connections_(sys_, *helpers_),
      resolver_(sys_, dev_, *devices_, *helpers_) {}

Result<HostIdentity> LinuxHost::Identity() {
  TRY_STATUS(RequireNvmeTcp(sys_, modules_, KernelRelease()));
  TRY_STATUS(Topology(sys_).RequireNativeMultipath());
  return ReadIdentity(etc_);
}

std::vector<std::string> LinuxHost::LocalAddresses() {
  return nvme::LocalAddresses();
}

Result<std::vector<Controller>> LinuxHost::Controllers(const std::string& subsystem_nqn) {
  return Topology(sys_).Controllers(subsystem_nqn);
}

void LinuxHost::RepairControllers(const std::string& subsystem_nqn) {
  connections_.Repair(subsystem_nqn);
}

std::vector<PathResult> LinuxHost::Connect(const ConnectSpec& spec, const Deadline& deadline) {
  return connections_.Connect(spec, deadline);
}

Status LinuxHost::Disconnect(const std::string& subsystem_nqn, const Deadline& deadline) {
  return connections_.Disconnect(subsystem_nqn, deadline);
}

std::unique_ptr<Watch> LinuxHost::Arm() {
  return std::make_unique<UeventWatch>(open_events_());
}

Result<Device> LinuxHost::Find(const WantedDevice& wanted) {
  TRY(auto device, resolver_.Find(wanted));
  TRY_STATUS(CheckSize(device, wanted));
  TRY_STATUS(CheckLink(device));
  return device;
}

Result<bool> LinuxHost::HasNamespace(const Uuid& uuid) {
  return Topology(sys_).HasNamespace(uuid);
}

Device LinuxHost::DeviceAt(const std::string& path) {
  Device device;
  device.path = path;
  std::error_code failed;
  const auto real = std::filesystem::canonical(path, failed);
  if (!failed) device.name = real.filename();
  return device;
}

Result<Device> LinuxHost::FindAnySize(const WantedDevice& wanted) {
  return resolver_.Find(wanted);
}

Result<Device> LinuxHost::WaitFor(Watch& watch, const WantedDevice& wanted,
                                  const Deadline& deadline) {
  return WaitForDevice(resolver_, connections_, EventsOf(watch), wanted, deadline);
}

Status LinuxHost::WaitGone(Watch& watch, const Uuid& uuid, const Deadline& deadline) {
  return WaitUntilGone(sys_, dev_, connections_, EventsOf(watch), uuid, deadline);
}

DeviceUsage LinuxHost::Usage(const Device& device) {
  return FindUsage(sys_, proc_, *devices_, device);
}

DeviceUsage LinuxHost::SubsystemUsage(const std::string& subsystem_nqn) {
  const auto heads = Topology(sys_).Heads(subsystem_nqn);
  if (!heads.ok()) return {.is_used = true, .by = heads.error().Plain()};
  for (const Head& head : *heads) {
    Device device;
    device.name = head.name;
    device.path = "/dev/" + head.name;
    auto usage = Usage(device);
    if (usage.is_used) return {.is_used = true, .by = device.path + ": " + usage.by};
  }
  return {};
}

Status LinuxHost::FlushCache(const Device& device) {
  const std::string sentence = "cannot flush the cache of device '" + device.name + "'";
  // Writing back without a path would wait for one, however long that takes.
  const auto paths = Topology(sys_).PathsOf(device.name, device.subsystem_nqn);
  bool has_live_path = false;
  for (const auto& path : paths) has_live_path = has_live_path || path.IsLive();
  if (!has_live_path) {
    return Error(ErrorCode::kUnavailable, sentence)
        .Because("none of its paths is live")
        .With("paths", Describe(paths));
  }
  const auto fd = devices_->Open(device.path);
  if (!fd) return fd.error().Wrap(sentence);
  const int failure = devices_->FlushBuffers(fd->get());
  if (failure == 0) return {};
  return Error(ErrorCode::kUnavailable, sentence).Because(ErrnoText(failure));
}

}  // namespace ontapnvme::nvme
