// SPDX-License-Identifier: AGPL-3.0-or-later
// All or nothing, for an operation of several steps: each step says how it is undone before it is
// tried, since a lost answer may stand for a step that was done. When a later one fails, they are
// undone in reverse.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"

namespace ontapnvme::catalogue {

// A create that failed so may have been carried out all the same, by us or by somebody else: the
// mark of the object decides, and creating again could make a second one.
inline bool MayHaveHappened(const Error& error) {
  return error.outcome_unknown() || error.code() == ErrorCode::kAlreadyExists;
}

// To be asked when all steps are done: a task that was stopped while the last of them was on its way
// is told of a failure, so they are undone as for any other.
inline Status StillWanted(const Deadline& deadline) {
  if (!deadline.Interrupted()) return {};
  return Error(ErrorCode::kInterrupted,
               "the task was stopped when its last step had just been done");
}

class UndoSteps {
 public:
  // `left_over` says what stays when undoing fails, as a fact of the error; `hint` what to do about
  // it. `undo` must succeed where the step was not done after all.
  void Add(std::string left_over, std::function<Status(const Deadline&)> undo,
           std::string hint = {}) {
    steps_.push_back({std::move(left_over), std::move(hint), std::move(undo)});
  }
  // Undoes everything within kUndoBudget after `deadline`, and returns `error` with what could not
  // be undone. Nothing is left to undo afterwards.
  Error Run(Error error, const Deadline& deadline);

 private:
  struct Step {
    std::string left_over;
    std::string hint;
    std::function<Status(const Deadline&)> undo;
  };
  std::vector<Step> steps_;
};

}  // namespace ontapnvme::catalogue
