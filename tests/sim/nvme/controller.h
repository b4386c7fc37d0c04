// SPDX-License-Identifier: AGPL-3.0-or-later
// A controller: what one Connect of an admin queue made, with its properties, features, waiting
// event requests and keep-alive timer.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "command.h"
#include "subsystem.h"

namespace ontapnvme::sim::target {

using SteadyTime = std::chrono::steady_clock::time_point;

inline constexpr std::uint16_t kQueueEntriesMaximum = 128;
inline constexpr std::uint16_t kIoQueuesMaximum = 16;
inline constexpr unsigned kAsyncEventsMaximum = 4;

// Async Event Configuration and OAES: the two notices that this target sends.
inline constexpr std::uint32_t kNamespaceNotices = 1U << 8U;
inline constexpr std::uint32_t kAnaNotices = 1U << 11U;

// What a connection came over.
struct Route {
  unsigned ana_group = 0;  // that is optimized over its portal; 0: every one
  std::string portal_address;
  std::string host_address;
};

class Controller {
 public:
  using Complete = std::function<void(std::uint16_t command_id, std::uint32_t result)>;

  struct Identity {
    std::uint16_t id = 0;
    std::string host_nqn;
    Identifier host_id{};
    Route route;  // of the admin queue
  };

  // `complete` answers a waiting event request on the admin queue.
  Controller(std::shared_ptr<Subsystem> subsystem, Identity identity, Complete complete)
      : subsystem_(std::move(subsystem)),
        identity_(std::move(identity)),
        complete_(std::move(complete)) {}

  const Subsystem& subsystem() const { return *subsystem_; }
  const Identity& identity() const { return identity_; }
  bool IsReady() const { return (status_ & 1U) != 0; }

  // Its connections end as soon as they are looked at; `complete` is not called any more.
  void End() {
    is_ended_ = true;
    Reset();
  }
  bool IsEnded() const { return is_ended_; }

  Answer GetProperty(const Command& command) const;
  Answer SetProperty(const Command& command);
  Answer GetFeature(const Command& command) const;
  Answer SetFeature(const Command& command);

  Answer RequestEvent(const Command& command);
  // A lost notice is not made up for: the host learns of the change with the next one, or by
  // looking.
  void NamespaceChanged(unsigned nsid, bool is_notice_lost);
  void AnaChanged();
  // What has changed since the last call, in order; reading it lets the next notice through unless
  // `retains`.
  std::set<unsigned> TakeChangedNamespaces(bool retains);
  void AnaWasRead(bool retains);

  // The timer begins anew with every command ("traffic based keep alive").
  void Touch(SteadyTime now) { last_command_ = now; }
  void SetKeepAlive(std::uint32_t milliseconds) { keep_alive_ = Milliseconds(milliseconds); }
  std::optional<SteadyTime> KeepAliveEnd() const;

  // False when there is one of that number already.
  bool AddQueue(std::uint16_t queue_id) { return queues_.insert(queue_id).second; }
  void RemoveQueue(std::uint16_t queue_id) { queues_.erase(queue_id); }
  std::size_t IoQueues() const { return queues_.size() - queues_.count(0); }

 private:
  using Milliseconds = std::chrono::milliseconds;

  // Of one kind: sent once, then held back until the host has read the log page.
  struct Notice {
    bool is_pending = false;
    bool is_held_back = false;
  };

  void Raise(Notice* notice, std::uint32_t kind);
  void Deliver();
  void Configure(std::uint32_t configuration);
  void Reset();

  std::shared_ptr<Subsystem> subsystem_;
  Identity identity_;
  Complete complete_;
  bool is_ended_ = false;
  std::uint32_t configuration_ = 0;  // CC
  std::uint32_t status_ = 0;         // CSTS
  std::uint32_t notices_ = 0;        // Async Event Configuration
  Notice namespace_notice_;
  Notice ana_notice_;
  std::set<unsigned> changed_;
  std::deque<std::uint16_t> waiting_;  // command ids of event requests
  Milliseconds keep_alive_{0};
  SteadyTime last_command_;
  std::set<std::uint16_t> queues_;
};

}  // namespace ontapnvme::sim::target
