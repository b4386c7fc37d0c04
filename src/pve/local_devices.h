// SPDX-License-Identifier: AGPL-3.0-or-later
// The devices by which this node knows namespaces: what they must be, and whether anyone here uses
// them.
#pragma once

#include <optional>
#include <string>

#include "base/log.h"
#include "catalogue/array.h"
#include "model/storage_config.h"
#include "nvme/host.h"

namespace ontapnvme::pve {

class LocalDevices {
 public:
  LocalDevices(const StorageConfig& config, catalogue::Array& array, nvme::Host& host, Log& log)
      : config_(config), array_(array), host_(host), log_(log) {}

  // What the device of `ns` must be on a node that is connected to `target`.
  nvme::WantedDevice Wanted(const catalogue::FabricTarget& target,
                            const catalogue::DiskNamespace& ns) const;
  // The same on this node. No request where the target is remembered.
  Result<nvme::WantedDevice> Wanted(const catalogue::DiskNamespace& ns, const Deadline& deadline);

  // kBusy while that device is in use on this node; success when it is proven that this node has no
  // such device. `failure` is what then cannot be done, as a sentence ("cannot delete volume 'x'").
  // Unknown means in use: a device that cannot be looked at, or whose users cannot be read, is
  // neither deleted nor reverted under them. One that is only read is looked at again until
  // `patience` is over, since scanners of block devices let go of it. Other nodes are not
  // considered: the array lists which hosts are connected to the subsystem, which is all of them at
  // all times, but not which namespace a host has open.
  Status RequireUnused(const std::string& failure, const nvme::WantedDevice& wanted,
                       Duration patience, const Deadline& deadline);
  // Writes back and drops what the kernel has cached of that device, if it is here. A failure is a
  // warning.
  void FlushCache(const nvme::WantedDevice& wanted);

 private:
  struct Use {
    nvme::DeviceUsage usage;
    std::string device;  // its path
  };
  // Nothing when it is proven that nobody here uses it.
  Result<std::optional<Use>> UseOf(const std::string& failure, const nvme::WantedDevice& wanted);

  const StorageConfig& config_;
  catalogue::Array& array_;
  nvme::Host& host_;
  Log& log_;
};

// How long a scanner is waited for. A rollback finds its VM stopped already, and refusing it leaves
// the VM locked, so it waits longer.
constexpr Duration kScannerPatience{3000};
constexpr Duration kScannerPatienceOfRollback{15000};

}  // namespace ontapnvme::pve
