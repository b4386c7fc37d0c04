// SPDX-License-Identifier: AGPL-3.0-or-later
// Names of volumes: chosen for one that is about to be made, cloned or renamed, and reported when
// there is no volume of that name.
#pragma once

#include <cstdint>
#include <string>
#include <type_traits>

#include "base/result.h"
#include "catalogue/records.h"
#include "catalogue/refusals.h"
#include "model/storage_config.h"
#include "model/volume_name.h"

namespace ontapnvme::pve {

// The requested name if it is free and belongs to that VM, or without one (empty) the lowest free
// vm-<vmid>-disk-<n>. All volumes of the VM are among `neighbours`. kInvalidArgument;
// kAlreadyExists; kConflict when another owner has the name.
Result<VolumeName> ChooseName(const StorageConfig& config, std::uint64_t vmid,
                              const std::string& requested_name,
                              const catalogue::Neighbours& neighbours);

// Runs `once`, which chooses a name and takes it, until it does not lose that name to another owner.
// Proxmox's lock keeps the tasks of one storage apart; another cluster, or another storage with the
// same prefix, has another lock and chooses among the same names.
template <typename F>
std::invoke_result_t<F> WithChosenName(const F& once) {
  constexpr int kTriesMax = 10;
  for (int tries = 1;; ++tries) {
    auto made = once();
    const bool is_name_lost = !made.ok() && made.error().origin().refusal == Refusal::kNameLost;
    if (!is_name_lost || tries == kTriesMax) return made;
  }
}

using catalogue::VolumeNotFound;

}  // namespace ontapnvme::pve
