// SPDX-License-Identifier: AGPL-3.0-or-later
// What may be wrong around a storage that works, and would hurt later: looked at once a day and
// node, and said as warnings.
#pragma once

#include "pve/context.h"
#include "pve/node_turns.h"

namespace ontapnvme::pve {

class NodeChecks {
 public:
  NodeChecks(Context& context, NodeTurns turns) : context_(&context), turns_(std::move(turns)) {}

  // After an activation. One request when it is time, none else; what cannot be found out is left
  // for the next day.
  void RunIfDue(const ArrayFacts& facts, const Deadline& deadline);

 private:
  // Nodes that were installed from one image have one host NQN or host ID: the array then takes
  // their connections for those of one host, and ends one node's for the other's.
  void WarnAboutTwins(const ArrayFacts& facts, const Deadline& deadline);

  Context* context_;
  NodeTurns turns_;
};

}  // namespace ontapnvme::pve
