// SPDX-License-Identifier: AGPL-3.0-or-later
#include "nvme/device_wait.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "nvme/resolve_by_uuid.h"
#include "nvme/topology.h"

namespace ontapnvme::nvme {
namespace {

// Events come within milliseconds; this bounds what a lost one costs.
constexpr Duration kLookInterval{250};
// udev makes its link some milliseconds after the kernel's event, and sends none that is heard here.
constexpr Duration kLinkInterval{20};
constexpr Duration kSilenceBeforeRescan{1000};
constexpr Duration kBetweenRescans{5000};
// Kept for the last resort, which starts a process.
constexpr Duration kTopologyBudget{2000};
constexpr int kBudgetParts = 4;  // but never more than this part of what there is

class Waiter {
 public:
  Waiter(Connections& connections, EventSource& events, const Deadline& deadline)
      : connections_(&connections), events_(&events), deadline_(deadline), quiet_since_(Now()) {}

  // One wait; rescans when it has been quiet for long enough. The status is that of the deadline.
  Status Next(const std::string& subsystem_nqn, const char* doing,
              Duration interval = kLookInterval) {
    TRY_STATUS(deadline_.Check(doing));
    // Without a subsystem it would be those of every disk of the node.
    if (!subsystem_nqn.empty() && Now() - quiet_since_ >= kSilenceBeforeRescan &&
        (!rescanned_ || Now() - *rescanned_ >= kBetweenRescans)) {
      connections_->Rescan(subsystem_nqn);
      rescanned_ = Now();
    }
    if (events_->Wait(std::min(interval, deadline_.Remaining()))) quiet_since_ = Now();
    return {};
  }

 private:
  TimePoint Now() const { return deadline_.clock().Now(); }

  Connections* connections_;
  EventSource* events_;
  Deadline deadline_;
  TimePoint quiet_since_;
  std::optional<TimePoint> rescanned_;
};

// The device as it may be handed out.
Result<Device> Ready(Result<Device> found, const WantedDevice& wanted) {
  if (!found) return found;
  TRY_STATUS(CheckSize(*found, wanted));
  if (found->live_paths > 0) {
    TRY_STATUS(CheckLink(*found));
    return found;
  }
  return Error(ErrorCode::kUnavailable, "device '" + found->name + "' has no live path")
      .With("paths", found->path_states)
      .With("subsystem_nqn", wanted.subsystem_nqn)
      .Try("check the network to the array's data LIFs; the kernel reconnects by itself");
}

// A wrong size is what a resize looks like while it is on its way; nothing else becomes right.
bool IsFinal(const Result<Device>& found) {
  return FailedWith(found, ErrorCode::kConflict);
}

}  // namespace

Result<Device> WaitForDevice(DeviceResolver& resolver, Connections& connections,
                             EventSource& events, const WantedDevice& wanted,
                             const Deadline& deadline) {
  const Duration kept = std::min(kTopologyBudget, deadline.Remaining() / kBudgetParts);
  Waiter waiter(connections, events, deadline.Reserve(kept));
  while (true) {
    auto found = resolver.Find(wanted);
    if (IsFinal(found)) return found;
    const bool is_missing = FailedWith(found, ErrorCode::kDeviceMissing);
    auto device = Ready(std::move(found), wanted);
    if (device) return device;
    const bool is_link_missing = !is_missing && FailedWith(device, ErrorCode::kDeviceMissing);
    const Status waited = waiter.Next(wanted.subsystem_nqn, "waiting for the device",
                                      is_link_missing ? kLinkInterval : kLookInterval);
    if (waited) continue;
    if (FailedWith(waited, ErrorCode::kInterrupted)) return waited.error();
    if (!is_missing) return device;
    auto last = resolver.ResolveBy(Strategy::kTopology, wanted, deadline);
    if (IsFinal(last) || FailedWith(last, ErrorCode::kInterrupted)) return last;
    if (last) return Ready(std::move(last), wanted);
    device.error().AddFact("topology", std::string(last.error().Fact("topology")));
    return device;
  }
}

Status WaitUntilGone(const RootedFiles& sys, const RootedFiles& dev, Connections& connections,
                     EventSource& events, const Uuid& uuid, const Deadline& deadline) {
  const Topology topology(sys);
  Waiter waiter(connections, events, deadline);
  WantedDevice wanted;
  wanted.uuid = uuid;
  while (true) {
    const auto is_here = topology.HasNamespace(uuid);
    if (is_here && !*is_here) return {};
    const auto name = ResolveByUuid(sys, dev, wanted);
    const std::string nqn = name ? topology.SubsystemNqnOf(*name) : "";
    const Status waited = waiter.Next(nqn, "waiting for the device to go");
    if (waited) continue;
    // A namespace that is going away cannot be asked for a moment.
    if (!is_here) return is_here.error();
    return waited.error()
        .Wrap("device '" + (name ? *name : std::string("of that namespace")) + "' is still there")
        .With("uuid", uuid.Text())
        .With("subsystem_nqn", nqn);
  }
}

}  // namespace ontapnvme::nvme
