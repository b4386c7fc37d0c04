// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/data_paths.h"

#include <algorithm>

#include "base/ip_address.h"
#include "base/text.h"

namespace ontapnvme::pve {
namespace {

constexpr Duration kConnectBudget{6000};
constexpr Duration kRetryAfter{60'000};

bool HasLive(const std::vector<nvme::Controller>& controllers) {
  return std::any_of(controllers.begin(), controllers.end(),
                     [](const auto& controller) { return controller.is_live(); });
}

std::string States(const std::vector<nvme::Controller>& controllers) {
  std::string text;
  for (const auto& controller : controllers) {
    AppendTo(text, " ", controller.traddr + ":" + controller.state);
  }
  return text.empty() ? "none" : text;
}

std::vector<std::string> Missing(const catalogue::FabricTarget& target,
                                 const std::vector<nvme::Controller>& controllers) {
  std::vector<std::string> missing;
  for (const auto& address : target.addresses) {
    const bool is_there = std::any_of(
        controllers.begin(), controllers.end(),
        [&](const auto& controller) { return IsSameAddress(controller.traddr, address); });
    if (!is_there) missing.push_back(address);
  }
  return missing;
}

const char* HintFor(ErrorCode cause) {
  switch (cause) {
    case ErrorCode::kUnauthenticated:
      return "compare the DH-HMAC-CHAP secrets and the TLS key of this storage with those of this "
             "host in the subsystem";
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kUnsupported:
      return "give this node what it lacks, or turn the setting off";
    default:
      return "check the network between this node and the data LIFs, port 4420";
  }
}

}  // namespace

bool DataPaths::IsAnyLive(const std::string& subsystem_nqn) {
  const auto controllers = host_.Controllers(subsystem_nqn);
  return controllers.ok() && HasLive(*controllers);
}

Status DataPaths::Ensure(const catalogue::FabricTarget& target, const Deadline& deadline) {
  TRY(const auto controllers, host_.Controllers(target.subsystem_nqn));
  host_.RepairControllers(target.subsystem_nqn);
  std::vector<std::string> due = Missing(target, controllers);
  const bool was_live = HasLive(controllers);
  // Without any live path everything waits for one: then no address waits for its turn.
  if (was_live) {
    std::erase_if(due, [&](const auto& address) { return !IsDue(address, deadline.clock()); });
  }
  if (due.empty() && was_live) return {};

  const Failures failures = due.empty() ? Failures{} : Connect(target, due, deadline);
  TRY(const auto now, host_.Controllers(target.subsystem_nqn));
  if (HasLive(now)) {
    if (!failures.text.empty()) {
      log_.Warning("a data path to subsystem '" + config_.subsystem +
                   "' is missing and could not be made: " + failures.text);
    }
    return {};
  }
  return Error(failures.cause,
               "there is no live data path to subsystem '" + config_.subsystem + "'")
      .Because(failures.text.empty() ? "the kernel is still connecting" : failures.text)
      .With("paths", States(now))
      .With("subsystem_nqn", target.subsystem_nqn)
      .Try(HintFor(failures.cause));
}

DataPaths::Failures DataPaths::Connect(const catalogue::FabricTarget& target,
                                       const std::vector<std::string>& addresses,
                                       const Deadline& deadline) {
  const auto identity = host_.Identity();
  if (!identity.ok()) return {.text = identity.error().Plain()};
  if (const Status checked = CheckSecrets(config_, secrets_); !checked.ok()) {
    return {.text = checked.error().Plain(), .cause = checked.error().code()};
  }
  nvme::ConnectSpec spec;
  spec.subsystem_nqn = target.subsystem_nqn;
  spec.host = *identity;
  for (const auto& address : addresses) spec.paths.push_back({.traddr = address});
  spec.dhchap_host_secret = secrets_.dhchap_host_secret;
  spec.dhchap_controller_secret = secrets_.dhchap_controller_secret;
  spec.is_tls = config_.is_nvme_tls;
  spec.tls_psk = secrets_.tls_psk;

  Failures failures;
  for (const auto& [address, connected] : host_.Connect(spec, deadline.Within(kConnectBudget))) {
    if (connected.ok()) {
      next_try_.erase(address);
      log_.Info("connected data path " + address);
      continue;
    }
    const ErrorCode code = connected.error().code();
    if (code == ErrorCode::kUnauthenticated ||
        (code == ErrorCode::kUnsupported && failures.cause == ErrorCode::kUnavailable)) {
      failures.cause = code;
    }
    next_try_[address] = deadline.clock().Now() + kRetryAfter;
    AppendTo(failures.text, "; ", address + ": " + connected.error().Plain());
  }
  return failures;
}

bool DataPaths::IsDue(const std::string& address, Clock& clock) const {
  const auto found = next_try_.find(address);
  return found == next_try_.end() || clock.Now() >= found->second;
}

}  // namespace ontapnvme::pve
