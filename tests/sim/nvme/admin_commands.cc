// SPDX-License-Identifier: AGPL-3.0-or-later
#include "queue.h"

namespace ontapnvme::sim::target {
namespace {

enum AdminOpcode : std::uint8_t {
  kGetLogPage = 0x02,
  kIdentify = 0x06,
  kAbort = 0x08,
  kSetFeatures = 0x09,
  kGetFeatures = 0x0A,
  kAsyncEventRequest = 0x0C,
  kKeepAlive = 0x18,
};

}  // namespace

Answer ExecuteAdmin(const TargetState& state, const Queue& queue, const Command& command) {
  if (!queue.controller->IsReady()) return Refuse(StatusCode::kCommandSequenceError);
  switch (command.Opcode()) {
    case kGetLogPage:
      return GetLogPage(state, queue, command);
    case kIdentify:
      return Identify(queue, command);
    case kAbort:
      return Result(1);  // "not aborted": commands are over before an abort can be read
    case kSetFeatures:
      return queue.controller->SetFeature(command);
    case kGetFeatures:
      return queue.controller->GetFeature(command);
    case kAsyncEventRequest:
      return queue.controller->RequestEvent(command);
    case kKeepAlive:
      return {};  // every command restarts the timer
    default:
      return Refuse(StatusCode::kInvalidOpcode);
  }
}

}  // namespace ontapnvme::sim::target
