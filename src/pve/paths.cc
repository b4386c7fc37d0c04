// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/paths.h"

#include <algorithm>

namespace ontapnvme::pve {
namespace {

constexpr Duration kConnectBudget{6000};
constexpr Duration kRetryAfter{60'000};

// How the kernel and the array write one address may differ: "[::1]" or "::1", upper or lower case.
std::string Comparable(std::string address) {
  std::erase_if(address, [](char c) { return c == '[' || c == ']'; });
  std::transform(address.begin(), address.end(), address.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return address;
}

bool HasLive(const std::vector<nvme::Controller>& controllers) {
  return std::any_of(controllers.begin(), controllers.end(),
                     [](const auto& controller) { return controller.is_live(); });
}

std::string States(const std::vector<nvme::Controller>& controllers) {
  std::string text;
  for (const auto& controller : controllers) {
    text += text.empty() ? "" : " ";
    text += controller.traddr + ":" + controller.state;
  }
  return text.empty() ? "none" : text;
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
      return "look at the network between this node and the data LIFs, port 4420";
  }
}

}  // namespace

bool Paths::IsAnyLive(const std::string& subsystem_nqn) {
  const auto controllers = context_->host.Controllers(subsystem_nqn);
  return controllers.ok() && HasLive(*controllers);
}

Status Paths::Ensure(const ArrayFacts& facts, const Deadline& deadline) {
  auto& context = *context_;
  TRY(const auto controllers, context.host.Controllers(facts.subsystem_nqn));
  context.host.RepairControllers(facts.subsystem_nqn);
  std::vector<std::string> due = Missing(facts, controllers);
  const bool was_live = HasLive(controllers);
  // Without any path everything depends on it: then no address waits for its turn.
  if (was_live) {
    std::erase_if(due, [&](const auto& address) { return !IsDue(address, deadline.clock()); });
  }
  if (due.empty() && was_live) return {};

  const std::string failures = due.empty() ? "" : Connect(facts, due, deadline);
  TRY(const auto now, context.host.Controllers(facts.subsystem_nqn));
  if (HasLive(now)) {
    if (!failures.empty()) {
      context.log.Warning("a data path to subsystem '" + context.config.subsystem +
                          "' is missing and could not be made: " + failures);
    }
    return {};
  }
  const ErrorCode cause = failures.empty() ? ErrorCode::kUnavailable : cause_;
  return Error(cause, "no live data path to subsystem '" + context.config.subsystem + "'")
      .Because(failures.empty() ? "the kernel is still connecting" : failures)
      .With("paths", States(now))
      .With("subsystem_nqn", facts.subsystem_nqn)
      .Try(HintFor(cause));
}

std::vector<std::string> Paths::Missing(const ArrayFacts& facts,
                                        const std::vector<nvme::Controller>& controllers) const {
  std::vector<std::string> missing;
  for (const auto& address : facts.lif_addresses) {
    const bool is_there =
        std::any_of(controllers.begin(), controllers.end(), [&](const auto& controller) {
          return Comparable(controller.traddr) == Comparable(address);
        });
    if (!is_there) missing.push_back(address);
  }
  return missing;
}

std::string Paths::Connect(const ArrayFacts& facts, const std::vector<std::string>& addresses,
                           const Deadline& deadline) {
  auto& context = *context_;
  cause_ = ErrorCode::kUnavailable;
  const auto identity = context.host.Identity();
  if (!identity.ok()) return identity.error().Line();
  if (const Status checked = CheckSecrets(context.config, context.secrets); !checked) {
    cause_ = checked.error().code();
    return checked.error().Line();
  }
  nvme::ConnectSpec spec;
  spec.subsystem_nqn = facts.subsystem_nqn;
  spec.host = *identity;
  for (const auto& address : addresses) spec.paths.push_back({.traddr = address});
  spec.dhchap_host_secret = context.secrets.dhchap_host_secret;
  spec.dhchap_controller_secret = context.secrets.dhchap_controller_secret;
  spec.is_tls = context.config.is_nvme_tls;
  spec.tls_psk = context.secrets.tls_psk;

  std::string failures;
  for (const auto& result : context.host.Connect(spec, deadline.Within(kConnectBudget))) {
    if (result.status.ok()) {
      next_try_.erase(result.traddr);
      context.log.Info("connected data path " + result.traddr);
      continue;
    }
    const ErrorCode code = result.status.error().code();
    if (code == ErrorCode::kUnauthenticated ||
        (code == ErrorCode::kUnsupported && cause_ == ErrorCode::kUnavailable)) {
      cause_ = code;
    }
    next_try_[result.traddr] = deadline.clock().Now() + kRetryAfter;
    failures += failures.empty() ? "" : "; ";
    failures += result.traddr + ": " + result.status.error().Line();
  }
  return failures;
}

bool Paths::IsDue(const std::string& address, Clock& clock) const {
  const auto found = next_try_.find(address);
  return found == next_try_.end() || clock.Now() >= found->second;
}

}  // namespace ontapnvme::pve
