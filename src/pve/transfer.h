// SPDX-License-Identifier: AGPL-3.0-or-later
// Volumes as streams of bytes, to and from a file descriptor of the caller.
#pragma once

#include <cstdint>
#include <optional>

#include "base/deadline.h"
#include "model/snapshot_name.h"
#include "model/volume_name.h"
#include "pve/snapshot_devices.h"
#include "pve/volume_activation.h"

namespace ontapnvme::pve {

class Transfer {
 public:
  // `interrupt` is borrowed and may be null.
  Transfer(VolumeActivation& volumes, SnapshotDevices& snapshots, Interrupt* interrupt)
      : volumes_(volumes), snapshots_(snapshots), interrupt_(interrupt) {}

  // See Storage for these. `activation` is the deadline for activating, not for the bytes.
  Status Export(const VolumeName& name, const std::optional<SnapshotName>& snapshot, int fd,
                const Deadline& activation);
  Result<std::uint64_t> ReadImportSize(int fd);
  Status Import(const VolumeName& name, std::uint64_t size_bytes, int fd,
                const Deadline& activation);

 private:
  VolumeActivation& volumes_;
  SnapshotDevices& snapshots_;
  Interrupt* interrupt_;
};

}  // namespace ontapnvme::pve
