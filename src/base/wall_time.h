// SPDX-License-Identifier: AGPL-3.0-or-later
// The time of day, for what is written to a file and compared by another process later.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/deadline.h"

namespace ontapnvme {

// Seconds since the epoch. May be set back.
inline std::int64_t WallSeconds(Clock& clock) {
  return std::chrono::duration_cast<std::chrono::seconds>(clock.WallTime().time_since_epoch())
      .count();
}

}  // namespace ontapnvme
