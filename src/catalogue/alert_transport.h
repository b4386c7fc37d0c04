// SPDX-License-Identifier: AGPL-3.0-or-later
// The transport below a storage's REST client, which keeps track of whether the array answers at
// all.
//
// A call that begins when a poll has just found the array silent must get its first answer soon, or
// it fails and says so. Once something has answered, the call has all of its budget: a silence then
// is one in the middle of the work, such as a management LIF that moves to another port.
#pragma once

#include <optional>
#include <vector>

#include "http/transport.h"
#include "node/silence_memory.h"

namespace ontapnvme::catalogue {

class AlertTransport : public http::Transport {
 public:
  // `inner` is borrowed.
  AlertTransport(http::Transport& inner, node::SilenceMemory memory)
      : inner_(&inner), memory_(std::move(memory)) {}

  // An operation begins. What is sent from now on belongs to it.
  void BeginCall(Clock& clock);
  // The operation was a poll: where nothing has answered it, the node's other processes get to know.
  void RememberSilence(Clock& clock) const;

  Result<http::Response> Perform(const http::Request& request, const Deadline& deadline) override;
  std::vector<Result<http::Response>> PerformAll(const std::vector<http::Request>& requests,
                                                 const Deadline& deadline) override;

 private:
  struct Call {
    node::SilenceMemory::WallTime begun{};
    bool is_answered = false;
    bool was_silent = false;
    // Only while the array is known to be silent and has not answered this call.
    std::optional<node::SilenceMemory::WallTime> silent_since = std::nullopt;
    TimePoint first_answer_by{};
  };

  Deadline Limited(const Deadline& deadline) const;
  void Learn(Result<http::Response>& answer, Clock& clock);

  http::Transport* inner_;
  node::SilenceMemory memory_;
  std::optional<TimePoint> answered_at_;  // in any call of this process
  Call call_;
};

}  // namespace ontapnvme::catalogue
