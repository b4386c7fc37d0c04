// SPDX-License-Identifier: AGPL-3.0-or-later
// What pvestatd asks every few seconds, at the price of one request for each poll.
#pragma once

#include <optional>

#include "base/log.h"
#include "catalogue/array.h"
#include "pve/data_paths.h"

namespace ontapnvme::pve {

class Polling {
 public:
  Polling(catalogue::Array& array, DataPaths& paths, Log& log)
      : array_(array), paths_(paths), log_(log) {}

  // See Storage for these.
  bool CheckConnection(const Deadline& deadline);
  Result<CapacityInfo> Capacity(const Deadline& deadline);

 private:
  struct Kept {
    Result<CapacityInfo> answer;
    TimePoint at;
  };

  catalogue::Array& array_;
  DataPaths& paths_;
  Log& log_;
  // CheckConnection asks for the figure that Capacity needs next, and an array that has just not
  // answered is not waited for a second time.
  std::optional<Kept> kept_;
};

}  // namespace ontapnvme::pve
