// SPDX-License-Identifier: AGPL-3.0-or-later
#include "queue.h"

namespace ontapnvme::sim::target {
namespace {

enum FabricsType : std::uint8_t { kPropertySet = 0x00, kConnect = 0x01, kPropertyGet = 0x04 };

constexpr std::size_t kConnectDataBytes = 1024;
constexpr std::uint16_t kAnyController = 0xFFFF;

// Fields by their offset: in the command, or in its data (bit 16 of the answer says which).
constexpr std::size_t kRecordFormat = 40;
constexpr std::size_t kQueueId = 42;
constexpr std::size_t kQueueSize = 44;
constexpr std::size_t kKeepAlive = 48;
constexpr std::size_t kHostId = 0;
constexpr std::size_t kControllerId = 16;
constexpr std::size_t kSubsystemNqn = 256;
constexpr std::size_t kHostNqn = 512;
constexpr std::size_t kNqnBytes = 256;

Answer Invalid(std::size_t offset, bool is_in_data) {
  Answer answer = Refuse(StatusCode::kConnectInvalidParameters);
  answer.result = offset | (is_in_data ? std::uint64_t{1} << 16U : 0U);
  return answer;
}
Answer InvalidField(std::size_t offset) {
  return Invalid(offset, false);
}
Answer InvalidData(std::size_t offset) {
  return Invalid(offset, true);
}

// Empty when it does not end inside of its field.
std::string NqnAt(View data, std::size_t offset) {
  const View field = data.subspan(offset, kNqnBytes);
  const auto end = std::find(field.begin(), field.end(), std::uint8_t{0});
  return end == field.end() ? std::string() : std::string(field.begin(), end);
}

Identifier HostIdOf(View data) {
  Identifier id{};
  std::copy_n(data.begin() + kHostId, id.size(), id.begin());
  return id;
}

Answer ConnectAdmin(TargetState* state, Queue* queue, const Command& command, View data,
                    std::shared_ptr<Subsystem> subsystem, const Controller::Complete& complete) {
  // Controllers are made on demand; none can be asked for.
  if (Load<std::uint16_t>(data, kControllerId) != kAnyController) return InvalidData(kControllerId);
  Controller::Identity identity;
  identity.host_nqn = NqnAt(data, kHostNqn);
  identity.host_id = HostIdOf(data);
  identity.route = queue->route;
  queue->controller = state->AddController(std::move(subsystem), std::move(identity), complete);
  queue->controller->SetKeepAlive(Load<std::uint32_t>(command.bytes(), kKeepAlive));
  queue->controller->AddQueue(0);
  return Result(queue->controller->identity().id);
}

Answer ConnectIo(TargetState* state, Queue* queue, std::uint16_t queue_id, View data,
                 const Subsystem& subsystem) {
  const auto controller =
      state->FindController(subsystem, Load<std::uint16_t>(data, kControllerId));
  if (controller == nullptr) return InvalidData(kControllerId);
  if (controller->identity().host_nqn != NqnAt(data, kHostNqn)) return InvalidData(kHostNqn);
  if (controller->identity().host_id != HostIdOf(data)) return InvalidData(kHostId);
  if (!controller->IsReady()) return Refuse(StatusCode::kCommandSequenceError);
  if (queue_id > kIoQueuesMaximum || !controller->AddQueue(queue_id)) return InvalidField(kQueueId);
  queue->controller = controller;
  return Result(controller->identity().id);
}

Answer Connect(TargetState* state, Queue* queue, const Command& command, View data,
               const Controller::Complete& complete) {
  if (queue->controller != nullptr) return Refuse(StatusCode::kCommandSequenceError);
  if (data.size() != kConnectDataBytes) return Refuse(StatusCode::kDataSglLengthInvalid);
  const View fields = command.bytes();
  if (Load<std::uint16_t>(fields, kRecordFormat) != 0) {
    return Refuse(StatusCode::kConnectIncompatibleFormat);
  }
  const auto size = Load<std::uint16_t>(fields, kQueueSize);  // zero-based
  if (size == 0 || size >= kQueueEntriesMaximum) return InvalidField(kQueueSize);
  const std::string nqn = NqnAt(data, kSubsystemNqn);
  const auto subsystem = state->subsystems.find(nqn);
  if (subsystem == state->subsystems.end()) return InvalidData(kSubsystemNqn);
  const std::string host_nqn = NqnAt(data, kHostNqn);
  if (host_nqn.empty()) return InvalidData(kHostNqn);
  if (!subsystem->second->host_nqns.contains(host_nqn)) {
    return Refuse(StatusCode::kConnectInvalidHost);
  }
  const auto queue_id = Load<std::uint16_t>(fields, kQueueId);
  Answer answer = queue_id == 0
                      ? ConnectAdmin(state, queue, command, data, subsystem->second, complete)
                      : ConnectIo(state, queue, queue_id, data, *subsystem->second);
  if (answer.status != StatusCode::kSuccess) return answer;
  queue->id = queue_id;
  queue->entries = static_cast<std::uint16_t>(size + 1);
  return answer;
}

}  // namespace

Answer ExecuteFabrics(TargetState* state, Queue* queue, const Command& command, View data,
                      const Controller::Complete& complete) {
  if (command.FabricsType() == kConnect) return Connect(state, queue, command, data, complete);
  if (queue->controller == nullptr) return Refuse(StatusCode::kCommandSequenceError);
  if (queue->IsAdmin() && command.FabricsType() == kPropertyGet) {
    return queue->controller->GetProperty(command);
  }
  if (queue->IsAdmin() && command.FabricsType() == kPropertySet) {
    return queue->controller->SetProperty(command);
  }
  // Authentication and Disconnect are not offered.
  return Refuse(StatusCode::kInvalidField);
}

}  // namespace ontapnvme::sim::target
