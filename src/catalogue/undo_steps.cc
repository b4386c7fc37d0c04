// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/undo_steps.h"

#include <utility>

#include "catalogue/disk_store.h"

namespace ontapnvme::catalogue {

Error UndoSteps::Run(Error error, const Deadline& deadline) {
  const Deadline grace = deadline.Grace(kUndoBudget);
  const auto steps = std::exchange(steps_, {});
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    if (step->undo(grace).ok()) continue;
    error.AddFact("left_over", step->left_over);
    if (!step->hint.empty()) error.SetHint(step->hint);
  }
  return error;
}

}  // namespace ontapnvme::catalogue
