// SPDX-License-Identifier: AGPL-3.0-or-later
#include "target_state.h"

#include <stdexcept>

namespace ontapnvme::sim::target {
namespace {

constexpr std::uint16_t kControllerIdMaximum = 0xFFEF;  // what is above has a meaning of its own

}  // namespace

unsigned AnaGroups::Of(const std::string& node_name) {
  const auto found = numbers_.find(node_name);
  if (found != numbers_.end()) return found->second;
  if (numbers_.size() == kAnaGroupsMaximum) throw std::invalid_argument("too many nodes");
  ++changes;
  const auto number = static_cast<unsigned>(numbers_.size() + 1);
  numbers_.emplace(node_name, number);
  return number;
}

Subsystem& TargetState::Require(const std::string& nqn) {
  const auto found = subsystems.find(nqn);
  if (found == subsystems.end()) throw std::invalid_argument("no subsystem '" + nqn + "'");
  return *found->second;
}

void TargetState::ForgetEnded() {
  controllers_.remove_if([](const auto& controller) { return controller->IsEnded(); });
}

std::shared_ptr<Controller> TargetState::FindController(const Subsystem& subsystem,
                                                        std::uint16_t id) {
  ForgetEnded();
  for (const auto& controller : controllers_) {
    if (&controller->subsystem() == &subsystem && controller->identity().id == id) {
      return controller;
    }
  }
  return nullptr;
}

std::vector<std::shared_ptr<Controller>> TargetState::ControllersOf(const Subsystem& subsystem) {
  ForgetEnded();
  std::vector<std::shared_ptr<Controller>> its;
  for (const auto& controller : controllers_) {
    if (&controller->subsystem() == &subsystem) its.push_back(controller);
  }
  return its;
}

std::shared_ptr<Controller> TargetState::AddController(std::shared_ptr<Subsystem> subsystem,
                                                       Controller::Identity identity,
                                                       Controller::Complete complete) {
  // The next free one: a host that comes back must not meet what is left of its old one.
  do {
    std::uint16_t& last = subsystem->last_controller_id;
    last = last == kControllerIdMaximum ? 1 : static_cast<std::uint16_t>(last + 1);
    identity.id = last;
  } while (FindController(*subsystem, identity.id) != nullptr);
  controllers_.push_back(
      std::make_shared<Controller>(std::move(subsystem), std::move(identity), std::move(complete)));
  controllers_.back()->Touch(Now());
  return controllers_.back();
}

void TargetState::NamespaceChanged(const Subsystem& subsystem, unsigned nsid) {
  for (const auto& controller : controllers_) {
    if (&controller->subsystem() == &subsystem) {
      controller->NamespaceChanged(nsid, are_namespace_notices_lost);
    }
  }
}

void TargetState::AnaChanged() {
  ++ana_groups.changes;
  for (const auto& controller : controllers_) controller->AnaChanged();
}

void TargetState::EndControllers(const Subsystem& subsystem, const std::string& host_nqn) {
  for (const auto& controller : controllers_) {
    const bool is_of_host = host_nqn.empty() || controller->identity().host_nqn == host_nqn;
    if (&controller->subsystem() == &subsystem && is_of_host) controller->End();
  }
  ForgetEnded();
}

std::optional<SteadyTime> TargetState::ExpireKeepAlives() {
  std::optional<SteadyTime> next;
  const SteadyTime now = Now();
  for (const auto& controller : controllers_) {
    const auto end = controller->KeepAliveEnd();
    if (!end) continue;
    if (*end <= now) {
      controller->End();
    } else if (!next || *end < *next) {
      next = end;
    }
  }
  ForgetEnded();
  return next;
}

}  // namespace ontapnvme::sim::target
