// SPDX-License-Identifier: AGPL-3.0-or-later
// This node's connections to the subsystem: every expected one is checked, missing ones are made.
// One live path does not hide a missing one.
#pragma once

#include <map>
#include <string>

#include "pve/context.h"

namespace ontapnvme::pve {

class Paths {
 public:
  explicit Paths(Context& context) : context_(&context) {}

  // Success when at least one path is live; a path that cannot be made is a warning then, not an
  // error. Does nothing when every expected path is there. kUnavailable with every path's state
  // when none is live; kUnauthenticated when that is because the array and this node have different
  // secrets.
  Status Ensure(const ArrayFacts& facts, const Deadline& deadline);
  // Whether a path to that subsystem is live; reads sysfs only.
  bool IsAnyLive(const std::string& subsystem_nqn);

 private:
  std::vector<std::string> Missing(const ArrayFacts& facts,
                                   const std::vector<nvme::Controller>& controllers) const;
  std::string Connect(const ArrayFacts& facts, const std::vector<std::string>& addresses,
                      const Deadline& deadline);
  // A path that failed a moment ago is not tried at every poll: a dead address costs a connect
  // time-out.
  bool IsDue(const std::string& address, Clock& clock) const;

  Context* context_;
  std::map<std::string, TimePoint> next_try_;
  // Of the last attempt to connect: a secret that was refused or is missing, else what this node
  // cannot do.
  ErrorCode cause_ = ErrorCode::kUnavailable;
};

}  // namespace ontapnvme::pve
