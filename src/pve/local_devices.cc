// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/local_devices.h"

namespace ontapnvme::pve {
namespace {

constexpr Duration kScannerInterval{100};

}  // namespace

nvme::WantedDevice LocalDevices::Wanted(const catalogue::FabricTarget& target,
                                        const catalogue::DiskNamespace& ns) const {
  return {.uuid = ns.uuid,
          .subsystem_nqn = target.subsystem_nqn,
          .size = ns.size,
          .svm_name = config_.svm,
          .volume_name = ns.container_name};
}

Result<nvme::WantedDevice> LocalDevices::Wanted(const catalogue::DiskNamespace& ns,
                                                const Deadline& deadline) {
  TRY(const auto target, array_.Target("", deadline));
  return Wanted(target, ns);
}

Status LocalDevices::RequireUnused(const std::string& failure, const nvme::WantedDevice& wanted,
                                   Duration patience, const Deadline& deadline) {
  const Deadline waiting = deadline.Within(patience);
  std::string scanner;
  while (true) {
    const auto found = UseOf(failure, wanted);
    if (found.ok() && !*found) return {};
    if (!found.ok()) {
      // A namespace that is going away, perhaps another one, cannot be asked for a moment.
      const Status waited = waiting.Sleep(kScannerInterval, "waiting to look at the device");
      if (waited.ok()) continue;
      return found.error();
    }
    const auto& use = *found;
    const auto& usage = use->usage;
    if (usage.may_pass) {
      if (scanner != usage.by) log_.Info("waiting for " + usage.by + ", which reads the device");
      scanner = usage.by;
      const Status waited = waiting.Sleep(kScannerInterval, "waiting for a reader of the device");
      if (waited.ok()) continue;
      if (FailedWith(waited, ErrorCode::kInterrupted)) return waited.error().Wrap(failure);
    }
    return Error(ErrorCode::kBusy, failure)
        .Because("it is in use on this node, " + usage.by)
        .With("device", use->device)
        .Try(usage.may_pass ? "stop it, or if it scans block devices, keep it off the disks of "
                              "guests (LVM's global_filter, a blacklist of multipathd); then try "
                              "again"
                            : "stop what uses it, then try again");
  }
}

Result<std::optional<LocalDevices::Use>> LocalDevices::UseOf(const std::string& failure,
                                                             const nvme::WantedDevice& wanted) {
  const auto unknown = [&](const Error& error) {
    return error.Wrap("it is unknown whether this node uses it").Wrap(failure);
  };
  const auto device = host_.FindAnySize(wanted);
  if (FailedWith(device, ErrorCode::kDeviceMissing)) {
    const auto is_here = host_.HasNamespace(wanted.uuid);
    if (!is_here.ok()) return unknown(is_here.error());
    if (*is_here) return unknown(device.error());
    return std::optional<Use>();
  }
  if (!device.ok()) return unknown(device.error());
  auto usage = host_.Usage(*device);
  if (!usage.is_used) return std::optional<Use>();
  return std::optional(Use{.usage = std::move(usage), .device = device->path});
}

void LocalDevices::FlushCache(const nvme::WantedDevice& wanted) {
  const auto device = host_.FindAnySize(wanted);
  if (!device.ok()) return;
  const auto flushed = host_.FlushCache(*device);
  if (!flushed.ok()) log_.Warning(flushed.error().Line());
}

}  // namespace ontapnvme::pve
