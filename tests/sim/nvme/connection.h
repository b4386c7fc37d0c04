// SPDX-License-Identifier: AGPL-3.0-or-later
// One connection of a host: bytes in, PDUs, commands, bytes out. It has no socket of its own, and
// whatever is malformed ends this connection and no other.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "command.h"
#include "pdu.h"
#include "queue.h"
#include "target_state.h"
#include "wire.h"

namespace ontapnvme::sim::target {

class Connection {
 public:
  // `state` is borrowed.
  Connection(TargetState* state, Route route);
  // Ends its controller when it was the admin queue.
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void Receive(View bytes);

  // What is to be sent; tell how much of it was.
  View Output() const { return View(output_).subspan(sent_); }
  void Sent(std::size_t bytes);
  // Nothing more is read. What is in Output() still goes out, unless its controller has ended.
  bool IsOver() const { return is_over_ || HasEndedController(); }
  bool HasEndedController() const { return queue_.controller && queue_.controller->IsEnded(); }

 private:
  // A write whose data the host was asked for.
  struct Transfer {
    Command command;
    std::uint32_t length_bytes = 0;
    Bytes data;
  };

  // The next PDU of the input, if it is there. False: more must come first, or all is over.
  bool TakePdu();
  void Handle(const PduHeader& header, View pdu);
  void HandleIcReq(View pdu);
  void HandleCapsule(const PduHeader& header, View pdu);
  void HandleH2cData(const PduHeader& header, View pdu);
  void Fail(const FatalError& error, View offending);

  // A status when the data pointer cannot be meant.
  std::optional<StatusCode> CheckDataPointer(const Command& command, View capsule_data) const;
  void RequestData(const Command& command);
  bool IsOutstanding(std::uint16_t command_id) const;
  void Execute(const Command& command, View data);
  void Complete(std::uint16_t command_id, StatusCode status, std::uint64_t result);

  TargetState* state_;
  Queue queue_;
  Bytes input_;
  std::size_t taken_ = 0;  // of the input
  Bytes output_;
  std::size_t sent_ = 0;  // of the output
  bool is_initialized_ = false;
  bool is_over_ = false;
  std::map<std::uint16_t, Transfer> transfers_;  // by transfer tag
  std::uint16_t last_tag_ = 0;
};

}  // namespace ontapnvme::sim::target
