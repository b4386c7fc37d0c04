// SPDX-License-Identifier: AGPL-3.0-or-later
// What a node does, or says, only once in a while, whichever of its processes gets to it first: a
// small file per storage and matter in the state directory holds the time of the last turn.
#pragma once

#include <array>
#include <chrono>
#include <string>

#include "base/deadline.h"

namespace ontapnvme::pve {

// All there are: a storage's name may be the beginning of another's, so files are not searched for.
inline constexpr std::array<const char*, 4> kTurnMatters{"ceiling", "checks", "recovery",
                                                         "registration"};

class NodeTurns {
 public:
  NodeTurns(std::string directory, std::string storage_id)
      : directory_(std::move(directory)), storage_id_(std::move(storage_id)) {}

  // True when the last turn is longer ago than `every`, or was never; the turn is taken then. False
  // when that cannot be written down: better never than each time.
  bool Take(const std::string& matter, std::chrono::seconds every, Clock& clock) const;
  // Removes every turn of the storage: whoever uses its name next begins anew.
  void Forget() const;

 private:
  std::string directory_;
  std::string storage_id_;
};

}  // namespace ontapnvme::pve
