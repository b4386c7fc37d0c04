// SPDX-License-Identifier: AGPL-3.0-or-later
// What the account on the array may not do although a feature needs it: that costs the feature, not
// the storage, and is said seldom enough that a poll of every ten seconds can meet it.
#pragma once

#include <string>

#include "base/error.h"
#include "base/log.h"
#include "node/node_turns.h"

namespace ontapnvme::catalogue {

class MissingRights {
 public:
  // Both are borrowed.
  MissingRights(const node::NodeTurns& turns, Log& log) : turns_(&turns), log_(&log) {}

  // One warning a day on each node for each `matter`, which is a word. `loss` completes "so that …";
  // `denied` names the right.
  void Tell(const std::string& matter, const std::string& loss, const Error& denied,
            Clock& clock) const;
  // Now in any case: whoever adds a storage, or changes it, reads it.
  void TellNow(const std::string& matter, const std::string& loss, const Error& denied,
               Clock& clock) const;

 private:
  const node::NodeTurns* turns_;
  Log* log_;
};

}  // namespace ontapnvme::catalogue
