// SPDX-License-Identifier: AGPL-3.0-or-later
// All subsystems and controllers of the target, without sockets and threads: its user locks.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controller.h"
#include "subsystem.h"

namespace ontapnvme::sim::target {

using SteadyClock = std::function<SteadyTime()>;

class TargetState {
 public:
  explicit TargetState(SteadyClock clock) : clock_(std::move(clock)) {}

  std::map<std::string, std::shared_ptr<Subsystem>> subsystems;  // by NQN
  AnaGroups ana_groups;
  bool are_namespace_notices_lost = false;

  SteadyTime Now() const { return clock_(); }
  Subsystem& Require(const std::string& nqn);  // throws std::invalid_argument

  // An ended controller, or one of another subsystem, is none.
  std::shared_ptr<Controller> FindController(const Subsystem& subsystem, std::uint16_t id);
  std::vector<std::shared_ptr<Controller>> ControllersOf(const Subsystem& subsystem);
  std::shared_ptr<Controller> AddController(std::shared_ptr<Subsystem> subsystem,
                                            Controller::Identity identity,
                                            Controller::Complete complete);

  void NamespaceChanged(const Subsystem& subsystem, unsigned nsid);
  void AnaChanged();
  // Those of one host, or all.
  void EndControllers(const Subsystem& subsystem, const std::string& host_nqn = {});
  // Ends those whose host was silent for too long; when the next one is due.
  std::optional<SteadyTime> ExpireKeepAlives();

 private:
  void ForgetEnded();

  SteadyClock clock_;
  std::list<std::shared_ptr<Controller>> controllers_;
};

}  // namespace ontapnvme::sim::target
