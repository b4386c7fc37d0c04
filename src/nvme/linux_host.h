// SPDX-License-Identifier: AGPL-3.0-or-later
// The Host that is this machine: composition of the parts of this layer.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "nvme/connections.h"
#include "nvme/device_resolver.h"
#include "nvme/helper/helper_process.h"
#include "nvme/host.h"
#include "nvme/kernel/device_port.h"
#include "nvme/kernel/rooted_files.h"
#include "nvme/uevent_watch.h"

namespace ontapnvme::nvme {

// Where everything is. Tests put a temporary folder and fakes in place of each; nothing is ever
// taken from the environment.
struct LinuxHostOptions {
  std::string sys_root = "/sys";
  std::string dev_root = "/dev";
  std::string proc_root = "/proc";
  std::string etc_root = "/etc";
  std::string modules_root = "/lib/modules";
  // Borrowed; the kernel's devices and real processes when null.
  DevicePort* devices = nullptr;
  Helpers* helpers = nullptr;
  std::function<std::unique_ptr<EventSource>()> open_events = OpenUevents;
};

// Not thread-safe. Holds no descriptor and no thread between calls; a forked child may go on with
// its copy.
class LinuxHost : public Host {
 public:
  explicit LinuxHost(LinuxHostOptions options = {});

  Result<HostIdentity> Identity() override;
  std::vector<std::string> LocalAddresses() override;
  Result<std::vector<Controller>> Controllers(const std::string& subsystem_nqn) override;
  void RepairControllers(const std::string& subsystem_nqn) override;
  std::vector<PathResult> Connect(const ConnectSpec& spec, const Deadline& deadline) override;
  Status Disconnect(const std::string& subsystem_nqn, const Deadline& deadline) override;
  std::unique_ptr<Watch> Arm() override;
  Result<Device> Find(const WantedDevice& wanted) override;
  Result<bool> HasNamespace(const Uuid& uuid) override;
  Device DeviceAt(const std::string& path) override;
  Result<Device> FindAnySize(const WantedDevice& wanted) override;
  Result<Device> WaitFor(Watch& watch, const WantedDevice& wanted,
                         const Deadline& deadline) override;
  Status WaitGone(Watch& watch, const Uuid& uuid, const Deadline& deadline) override;
  DeviceUsage Usage(const Device& device) override;
  DeviceUsage SubsystemUsage(const std::string& subsystem_nqn) override;
  Status FlushCache(const Device& device) override;

 private:
  RootedFiles sys_, dev_, proc_, etc_, modules_;
  DevicePort* devices_;
  HelperProcesses processes_;
  Helpers* helpers_;
  std::function<std::unique_ptr<EventSource>()> open_events_;
  Connections connections_;
  DeviceResolver resolver_;
};

}  // namespace ontapnvme::nvme
