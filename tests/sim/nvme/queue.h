// SPDX-License-Identifier: AGPL-3.0-or-later
// One queue of a controller, which is one connection, and the commands that may come over it.
#pragma once

#include <cstdint>
#include <memory>

#include "command.h"
#include "controller.h"
#include "target_state.h"

namespace ontapnvme::sim::target {

struct Queue {
  std::shared_ptr<Controller> controller;  // none before Connect
  std::uint16_t id = 0;
  std::uint16_t entries = 0;
  std::uint16_t head = 0;
  Route route;

  bool IsAdmin() const { return id == 0; }
};

// Each executes one command, whose data (if it brings any) is complete. Whatever a host sends gets
// an answer; only the connection's own protocol can end it.
Answer ExecuteFabrics(TargetState* state, Queue* queue, const Command& command, View data,
                      const Controller::Complete& complete);
Answer ExecuteAdmin(const TargetState& state, const Queue& queue, const Command& command);
Answer ExecuteIo(const Queue& queue, const Command& command, View data);

// Parts of ExecuteAdmin.
Answer Identify(const Queue& queue, const Command& command);
Answer GetLogPage(const TargetState& state, const Queue& queue, const Command& command);

// Log page C2h, as ONTAP lays it out.
Bytes LabelPage(const TargetLabels& labels);

}  // namespace ontapnvme::sim::target
