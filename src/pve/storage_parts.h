// SPDX-License-Identifier: AGPL-3.0-or-later
// What a storage is put together from. Storage::Create takes the real machine's parts; tests bring
// their own.
#pragma once

#include <memory>

#include "base/deadline.h"
#include "catalogue/array.h"
#include "http/retry.h"
#include "http/transport.h"
#include "model/storage_config.h"
#include "model/storage_types.h"
#include "nvme/host.h"

namespace ontapnvme::pve {

struct StorageParts {
  // To the array's REST interface. Null where `array` is given.
  std::unique_ptr<http::Transport> transport;
  // In place of the back end over `transport`.
  std::unique_ptr<catalogue::Array> array;
  std::unique_ptr<nvme::Host> host;
  http::Jitter jitter;
  Clock* clock = nullptr;          // borrowed
  Interrupt* interrupt = nullptr;  // borrowed, may be null
};

// Those of this machine: TLS to the array, this node's NVMe, its clock. In a file of its own, so
// that a test program can bring another definition and leave the rest of the library as it is.
StorageParts RealParts(const StorageConfig& config, const Secrets& secrets,
                       const Surroundings& surroundings, Interrupt* interrupt);

}  // namespace ontapnvme::pve
