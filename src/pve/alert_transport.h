// SPDX-License-Identifier: AGPL-3.0-or-later
// The transport below a storage's REST client, with an ear for whether the array answers at all.
//
// A call that begins when a poll has just found the array silent must get its first answer soon,
// or it fails and says so. Once something has answered, the call has all of its budget: then the
// silence is one in the middle of the work, such as a management LIF that moves to another port.
#pragma once

#include <optional>
#include <vector>

#include "http/transport.h"
#include "pve/silence_memory.h"

namespace ontapnvme::pve {

class AlertTransport : public http::Transport {
 public:
  // `inner` is borrowed.
  AlertTransport(http::Transport& inner, SilenceMemory memory)
      : inner_(&inner), memory_(std::move(memory)) {}

  // A call of the façade begins.
  void BeginCall(Clock& clock);
  // The call was a poll: where nothing has answered it, the node's other processes are to know.
  void RememberSilence(Clock& clock) const;
  // The storage is removed.
  void Forget() const { memory_.Forget(); }

  Result<http::Response> Perform(const http::Request& request, const Deadline& deadline) override;
  std::vector<Result<http::Response>> PerformAll(const std::vector<http::Request>& requests,
                                                 const Deadline& deadline) override;

 private:
  struct Call {
    SilenceMemory::WallTime begun{};
    bool is_answered = false;
    bool was_silent = false;
    // Set while the array is known to be silent and has not answered this call.
    std::optional<SilenceMemory::WallTime> silent_since = std::nullopt;
    TimePoint first_answer_by{};
  };

  Deadline Limited(const Deadline& deadline) const;
  void Learn(Result<http::Response>& answer, Clock& clock);

  http::Transport* inner_;
  SilenceMemory memory_;
  std::optional<TimePoint> answered_at_;  // by any call of this process
  Call call_;
};

}  // namespace ontapnvme::pve
