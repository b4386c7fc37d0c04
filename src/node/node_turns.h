// SPDX-License-Identifier: AGPL-3.0-or-later
// What a node does or reports only once in a while, whichever of its processes comes first: a small
// file in the state directory, one for each storage and matter, holds the time of the last turn.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/deadline.h"

namespace ontapnvme::node {

class NodeTurns {
 public:
  NodeTurns(std::string directory, std::string storage_id)
      : directory_(std::move(directory)), storage_id_(std::move(storage_id)) {}

  // True when the last turn is at least `every` ago, or there was none: then this is the next turn.
  // False when that cannot be written down: better never than every time.
  bool Take(const std::string& matter, std::chrono::seconds every, Clock& clock) const;
  // How long ago the last turn was taken; nothing when there was none.
  std::optional<std::chrono::seconds> TakenAgo(const std::string& matter, Clock& clock) const;
  // As if there had been none.
  void Forget(const std::string& matter) const;
  // As if the storage had never had a turn.
  void Forget() const;

 private:
  std::string PathOf(const std::string& matter) const;

  std::string directory_;
  std::string storage_id_;
};

}  // namespace ontapnvme::node
