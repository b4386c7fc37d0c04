// SPDX-License-Identifier: AGPL-3.0-or-later
// All or nothing, for an operation of several steps: each step that is done says how it is undone;
// when a later one fails, they are undone in reverse.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"

namespace ontapnvme::pve {

class UndoSteps {
 public:
  // `left_over` says, as a fact of the error, what stays when undoing fails.
  void Add(std::string left_over, std::function<Status(const Deadline&)> undo) {
    steps_.emplace_back(std::move(left_over), std::move(undo));
  }
  // Undoes everything and returns `error`, with what could not be undone.
  Error Run(Error error, const Deadline& deadline) {
    for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
      if (!step->second(deadline).ok()) error.AddFact("left_over", step->first);
    }
    steps_.clear();
    return error;
  }

 private:
  std::vector<std::pair<std::string, std::function<Status(const Deadline&)>>> steps_;
};

}  // namespace ontapnvme::pve
