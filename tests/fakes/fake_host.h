// SPDX-License-Identifier: AGPL-3.0-or-later
// A node without a kernel: its devices are whatever a test's fabric shows.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "nvme/host.h"

namespace ontapnvme::fakes {

class FakeHost : public nvme::Host {
 public:
  // What the kernel shows: asked anew each time.
  using Fabric = std::function<std::vector<nvme::Device>()>;
  explicit FakeHost(Fabric fabric) : fabric_(std::move(fabric)) {}

  // ---- what a test sets and sees
  // -----------------------------------------------------------------
  nvme::HostIdentity identity{
      "nqn.2014-08.org.nvmexpress:uuid:1b4e28ba-2fa1-11d2-883f-0016d3cca427",
      "1b4e28ba-2fa1-11d2-883f-0016d3cca427"};
  std::vector<nvme::Controller> controllers;
  std::vector<std::string> addresses{"10.77.0.1"};
  std::set<std::string> unreachable;  // addresses that refuse a connection
  // Why the array refuses a host that reaches it, if it does.
  std::function<std::optional<Error>(const nvme::ConnectSpec&)> refusal;
  std::map<Uuid, nvme::DeviceUsage> usage;  // by namespace
  std::function<void()> on_usage;           // before each answer about a device
  std::optional<Error> blindness;           // why sysfs cannot be read, if it cannot
  std::map<std::string, int> flushed;       // by device path
  std::vector<nvme::ConnectSpec> connect_calls;
  int waits = 0;
  int disconnects = 0;

  Result<nvme::HostIdentity> Identity() override { return identity; }
  std::vector<std::string> LocalAddresses() override { return addresses; }
  Result<std::vector<nvme::Controller>> Controllers(const std::string& nqn) override {
    std::vector<nvme::Controller> found;
    for (const auto& one : controllers) {
      if (one.subsystem_nqn == nqn) found.push_back(one);
    }
    return found;
  }
  void RepairControllers(const std::string&) override {}
  std::vector<nvme::PathResult> Connect(const nvme::ConnectSpec& spec, const Deadline&) override {
    connect_calls.push_back(spec);
    std::vector<nvme::PathResult> results;
    for (const auto& path : spec.paths) {
      if (unreachable.contains(path.traddr)) {
        results.push_back({path.traddr, Error(ErrorCode::kUnavailable, "connection refused")});
        continue;
      }
      if (const auto refused = refusal ? refusal(spec) : std::nullopt) {
        results.push_back({path.traddr, *refused});
        continue;
      }
      controllers.push_back({.name = "nvme" + std::to_string(controllers.size()),
                             .subsystem_nqn = spec.subsystem_nqn,
                             .state = "live",
                             .transport = "tcp",
                             .traddr = path.traddr,
                             .trsvcid = "4420",
                             .host_nqn = spec.host.host_nqn});
      results.push_back({path.traddr, {}});
    }
    return results;
  }
  Status Disconnect(const std::string& nqn, const Deadline&) override {
    ++disconnects;
    std::erase_if(controllers, [&](const auto& one) { return one.subsystem_nqn == nqn; });
    return {};
  }
  std::unique_ptr<nvme::Watch> Arm() override { return std::make_unique<nvme::Watch>(); }
  Result<nvme::Device> Find(const nvme::WantedDevice& wanted) override {
    TRY(auto device, FindAnySize(wanted));
    if (device.size != wanted.size) return Error(ErrorCode::kConflict, "size differs");
    return device;
  }
  Result<bool> HasNamespace(const Uuid& uuid) override {
    if (blindness) return *blindness;
    const auto devices = fabric_();
    return std::any_of(devices.begin(), devices.end(),
                       [&](const auto& device) { return device.uuid == uuid; });
  }
  nvme::Device DeviceAt(const std::string& path) override {
    for (auto& device : fabric_()) {
      if (device.stable_path == path) return device;
    }
    nvme::Device nowhere;
    nowhere.path = path;
    return nowhere;
  }
  Result<nvme::Device> FindAnySize(const nvme::WantedDevice& wanted) override {
    if (blindness) return Error(ErrorCode::kDeviceMissing, "no device").Because(blindness->Plain());
    for (auto& device : fabric_()) {
      if (device.uuid != wanted.uuid) continue;
      if (device.subsystem_nqn != wanted.subsystem_nqn) {
        return Error(ErrorCode::kConflict, "another subsystem");
      }
      return device;
    }
    return Error(ErrorCode::kDeviceMissing, "no device");
  }
  Result<nvme::Device> WaitFor(nvme::Watch&, const nvme::WantedDevice& wanted,
                               const Deadline&) override {
    ++waits;
    return Find(wanted);
  }
  Status WaitGone(nvme::Watch&, const Uuid& uuid, const Deadline&) override {
    for (const auto& device : fabric_()) {
      if (device.uuid == uuid) return Error(ErrorCode::kTimedOut, "still there");
    }
    return {};
  }
  nvme::DeviceUsage Usage(const nvme::Device& device) override {
    Uuid uuid = device.uuid;
    for (const auto& one : fabric_()) {
      if (one.path == device.path) uuid = one.uuid;
    }
    if (on_usage) on_usage();
    const auto found = usage.find(uuid);
    return found == usage.end() ? nvme::DeviceUsage{} : found->second;
  }
  nvme::DeviceUsage SubsystemUsage(const std::string&) override {
    for (const auto& [uuid, one] : usage) {
      if (one.is_used) return one;
    }
    return {};
  }
  Status FlushCache(const nvme::Device& device) override {
    // As on a real node: without name and subsystem no live path is found, and nothing is flushed.
    if (device.name.empty() || device.subsystem_nqn.empty()) {
      return Error(ErrorCode::kUnavailable, "no live path");
    }
    ++flushed[device.path];
    return {};
  }

 private:
  Fabric fabric_;
};

}  // namespace ontapnvme::fakes
