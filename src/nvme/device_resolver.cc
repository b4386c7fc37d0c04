// SPDX-License-Identifier: AGPL-3.0-or-later
#include "nvme/device_resolver.h"

#include <algorithm>

#include "nvme/resolve_by_labels.h"
#include "nvme/resolve_by_topology.h"
#include "nvme/resolve_by_uuid.h"
#include "nvme/topology.h"

namespace ontapnvme::nvme {
namespace {

// Cheapest first. The third strategy starts a process, so it is no part of a plain search.
constexpr Strategy kWithoutProcess[] = {Strategy::kByUuid, Strategy::kLabels};

Error Missing(const WantedDevice& wanted) {
  return Error(ErrorCode::kDeviceMissing,
               "no block device for namespace '" + wanted.uuid.Text() + "'")
      .With("subsystem_nqn", wanted.subsystem_nqn)
      .Try(
          "look for a live path with 'nvme list-subsys', and for the subsystem map of the "
          "namespace on the array");
}

// The device went away between being found and being looked at.
Error Vanished(const std::string& name, const char* what) {
  return Error(ErrorCode::kDeviceMissing, "device '" + name + "' has no " + what);
}

Error Mismatch(const std::string& name, const std::string& what, const std::string& found,
               const std::string& expected) {
  return Error(ErrorCode::kConflict, "device '" + name + "' is not the namespace asked for")
      .Because("its " + what + " differs")
      .With("found_" + what, CleanText(found))
      .With("expected_" + what, CleanText(expected))
      .Try("do not use it: the mapping on the array or the configured subsystem has changed");
}

unsigned CountLive(const std::vector<NamespacePath>& paths) {
  return static_cast<unsigned>(std::count_if(
      paths.begin(), paths.end(), [](const NamespacePath& path) { return path.IsLive(); }));
}

}  // namespace

std::string_view ToString(Strategy strategy) {
  switch (strategy) {
    case Strategy::kByUuid:
      return "by-uuid";
    case Strategy::kLabels:
      return "labels";
    case Strategy::kTopology:
      return "topology";
  }
  return "";
}

Status CheckSize(const Device& device, const WantedDevice& wanted) {
  if (device.size == wanted.size) return {};
  return Error(ErrorCode::kConflict, "device '" + device.name +
                                         "' has another size than its "
                                         "namespace on the array")
      .With("found_size_bytes", std::to_string(device.size.bytes()))
      .With("expected_size_bytes", std::to_string(wanted.size.bytes()))
      .Try("rescan with 'nvme ns-rescan' of the controllers of this subsystem");
}

Status CheckLink(const Device& device) {
  if (!device.stable_path.empty()) return {};
  return Error(ErrorCode::kDeviceMissing,
               "udev has made no link in /dev/disk/by-id to device '" + device.name + "'")
      .Try("look at 'systemctl status systemd-udevd' and 'udevadm info " + device.path + "'");
}

Result<Device> DeviceResolver::Find(const WantedDevice& wanted) {
  Error missing = Missing(wanted);
  for (const Strategy strategy : kWithoutProcess) {
    const auto name = Locate(strategy, wanted);
    auto device = name ? Prove(*name, strategy, wanted) : Result<Device>(name.error());
    if (device || FailedWith(device, ErrorCode::kConflict)) return device;
    missing.AddFact(std::string(ToString(strategy)), device.error().sentence());
  }
  return missing;
}

Result<Device> DeviceResolver::ResolveBy(Strategy strategy, const WantedDevice& wanted,
                                         const Deadline& deadline) {
  const LabelScope scope = LabelScope::kEveryHead;
  auto name = strategy == Strategy::kLabels ? ResolveByLabels(*sys_, *dev_, labels_, wanted, scope)
              : strategy == Strategy::kTopology ? ResolveByTopology(*helpers_, wanted, deadline)
                                                : ResolveByUuid(*sys_, *dev_, wanted);
  auto device = name ? Prove(*name, strategy, wanted) : Result<Device>(name.error());
  if (!FailedWith(device, ErrorCode::kDeviceMissing)) return device;
  Error missing = Missing(wanted);
  missing.AddFact(std::string(ToString(strategy)), device.error().sentence());
  return missing;
}

Result<std::string> DeviceResolver::Locate(Strategy strategy, const WantedDevice& wanted) {
  if (strategy == Strategy::kByUuid) return ResolveByUuid(*sys_, *dev_, wanted);
  return ResolveByLabels(*sys_, *dev_, labels_, wanted, LabelScope::kHeadsWithoutUuid);
}

Result<Device> DeviceResolver::Prove(const std::string& name, Strategy strategy,
                                     const WantedDevice& wanted) {
  const Topology topology(*sys_);
  Device device;
  device.name = name;
  device.path = dev_->Full(name);
  device.stable_path = StablePath(name);
  device.uuid = wanted.uuid;
  device.found_by = ToString(strategy);
  device.subsystem_nqn = topology.SubsystemNqnOf(name);
  if (device.subsystem_nqn.empty()) return Vanished(name, "subsystem");
  if (device.subsystem_nqn != wanted.subsystem_nqn) {
    return Mismatch(name, "subsystem_nqn", device.subsystem_nqn, wanted.subsystem_nqn);
  }
  const auto size = topology.SizeOf(name);
  if (!size) return Vanished(name, "size");
  device.size = *size;
  const auto paths = topology.PathsOf(name, wanted.subsystem_nqn);
  device.live_paths = CountLive(paths);
  device.path_states = Describe(paths);
  if (!dev_->Exists(name)) return Vanished(name, "device node yet");
  TRY_STATUS(ProveLabels(device, wanted));
  TRY_STATUS(ProveUuid(device, strategy, wanted));
  return device;
}

// As systemd's 60-persistent-storage.rules name it: by the kernel's own identity of the namespace.
std::string DeviceResolver::StablePath(const std::string& name) const {
  const auto wwid = sys_->Attribute(BlockDirectory(name) + "/wwid");
  if (!wwid || wwid->find_first_of("/ ") != std::string::npos) return "";
  const std::string link = "disk/by-id/nvme-" + *wwid;
  const auto target = dev_->Link(link);
  const bool is_it = target && target->substr(target->rfind('/') + 1) == name;
  return is_it ? dev_->Full(link) : "";
}

// Last of all reads: a kernel name that was given to another namespace meanwhile shows here, and so
// everything that was read before belongs to the UUID.
Status DeviceResolver::ProveUuid(const Device& device, Strategy strategy,
                                 const WantedDevice& wanted) const {
  const auto uuid = Topology(*sys_).UuidOf(BlockDirectory(device.name));
  if (uuid && *uuid != wanted.uuid) {
    return Mismatch(device.name, "uuid", uuid->Text(), wanted.uuid.Text());
  }
  // Without one in sysfs the device itself has named it, in its descriptor list.
  if (!uuid && strategy != Strategy::kLabels) return Vanished(device.name, "UUID");
  return {};
}

Status DeviceResolver::ProveLabels(const Device& device, const WantedDevice& wanted) {
  const Topology topology(*sys_);
  const bool is_wanted = !wanted.svm_name.empty() || !wanted.volume_name.empty();
  // A command to a device without a live path would wait.
  if (!is_wanted || device.live_paths == 0 || !IsOntapModel(topology.ModelOf(device.name))) {
    return {};
  }
  const auto nsid = topology.NsidOf(device.name);
  if (!nsid) return Vanished(device.name, "NSID");
  const auto answer = labels_.Labels({device.path, *nsid, device.subsystem_nqn});
  if (!answer.labels || AreLabelsOf(*answer.labels, wanted)) return {};
  if (!wanted.svm_name.empty() && answer.labels->svm_name != wanted.svm_name) {
    return Mismatch(device.name, "svm", answer.labels->svm_name, wanted.svm_name);
  }
  return Mismatch(device.name, "volume", answer.labels->volume_name, wanted.volume_name);
}

}  // namespace ontapnvme::nvme
