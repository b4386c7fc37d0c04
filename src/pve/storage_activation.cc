// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/storage_activation.h"

#include "pve/local_devices.h"

namespace ontapnvme::pve {
namespace {

constexpr std::chrono::minutes kRegisterAgainAfter{10};

}  // namespace

Status StorageActivation::Activate(const Deadline& deadline) {
  TRY(const auto identity, host_.Identity());
  TRY(const auto target, array_.Target(identity.host_nqn, deadline));
  const Status connected = paths_.Ensure(target, deadline);
  if (FailedWith(connected, ErrorCode::kUnauthenticated)) {
    return ConnectWithNewSecrets(target, connected, deadline);
  }
  if (!FailedWith(connected, ErrorCode::kUnavailable)) return connected;
  // The LIFs may have moved since they were remembered.
  const auto fresh = array_.RefreshTarget(identity.host_nqn, deadline);
  return fresh.ok() && *fresh != target ? paths_.Ensure(*fresh, deadline) : connected;
}

Status StorageActivation::ConnectWithNewSecrets(const catalogue::FabricTarget& target,
                                                const Status& refusal, const Deadline& deadline) {
  // A node that has lost its secrets must not take them away from the array as well.
  const bool has_any = !secrets_.dhchap_host_secret.empty() || !secrets_.tls_psk.empty();
  // Where new ones do not help, the reason is another one, and will be at the next poll.
  if (!has_any || !node_.turns.Take("registration", kRegisterAgainAfter, deadline.clock())) {
    return refusal;
  }
  log_.Warning(
      "the array has other secrets for this node than the storage: registering host NQN '" +
      target.host_nqn + "' with subsystem '" + config_.subsystem + "' anew");
  if (const auto registered = array_.RegisterAnew(target, deadline); !registered.ok()) {
    return registered.error().Wrap("cannot give the array the changed secrets of this node");
  }
  return paths_.Ensure(target, deadline);
}

// Another storage may use the same subsystem: its connections stay while any of its devices is in
// use. Those that are cut come back with its next poll.
Status StorageActivation::Forget(const Deadline& deadline) {
  const auto target = array_.RememberedTarget();
  node_.links.RemoveUnless(
      [this](const std::string& path) { return host_.Usage(host_.DeviceAt(path)).is_used; });
  array_.Forget();
  node_.Forget();
  if (!target) return {};
  const auto usage = host_.SubsystemUsage(target->subsystem_nqn);
  if (usage.is_used) {
    log_.Info("this node stays connected to the subsystem, which is in use: " + usage.by);
    return {};
  }
  return host_.Disconnect(target->subsystem_nqn, deadline);
}

}  // namespace ontapnvme::pve
