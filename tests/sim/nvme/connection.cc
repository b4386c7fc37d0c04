// SPDX-License-Identifier: AGPL-3.0-or-later
#include "connection.h"

#include <utility>

namespace ontapnvme::sim::target {
namespace {

constexpr std::uint32_t kCommandIdOffset = 8;  // of an H2CData
constexpr std::uint32_t kTransferTagOffset = 10;
constexpr std::uint32_t kDataOffsetOffset = 12;
constexpr std::uint32_t kDataLengthOffset = 16;
constexpr std::uint32_t kFlagsOffset = 1;

FatalError Invalid(std::uint32_t field_offset) {
  return {FatalStatus::kInvalidHeaderField, field_offset};
}

}  // namespace

Connection::Connection(TargetState* state, Route route) : state_(state) {
  queue_.route = std::move(route);
}

Connection::~Connection() {
  if (queue_.controller == nullptr) return;
  queue_.controller->RemoveQueue(queue_.id);
  if (queue_.IsAdmin()) queue_.controller->End();
}

void Connection::Sent(std::size_t bytes) {
  sent_ += bytes;
  if (sent_ < output_.size()) return;
  output_.clear();
  sent_ = 0;
}

void Connection::Receive(View bytes) {
  Append(&input_, bytes);
  while (TakePdu()) {
  }
  input_.erase(input_.begin(), input_.begin() + static_cast<std::ptrdiff_t>(taken_));
  taken_ = 0;
}

bool Connection::TakePdu() {
  if (IsOver()) return false;
  const View rest = View(input_).subspan(taken_);
  if (rest.size() < kCommonHeaderBytes) return false;
  const PduHeader header = PduHeader::Parse(rest);
  // Before anything is waited for: the size that it claims may be absurd.
  if (const auto error = CheckHeader(header)) {
    Fail(*error, rest.first(kCommonHeaderBytes));
    return false;
  }
  if (rest.size() < header.total_bytes) return false;
  taken_ += header.total_bytes;
  Handle(header, rest.first(header.total_bytes));
  return true;
}

void Connection::Handle(const PduHeader& header, View pdu) {
  if (header.type == PduType::kH2cTermReq) {
    is_over_ = true;
    return;
  }
  // ICReq comes first, and once.
  const bool is_ic_req = header.type == PduType::kIcReq;
  if (is_ic_req == is_initialized_) {
    Fail({FatalStatus::kSequenceError, 0}, pdu);
  } else if (is_ic_req) {
    HandleIcReq(pdu);
  } else if (header.type == PduType::kCapsuleCmd) {
    HandleCapsule(header, pdu);
  } else {
    HandleH2cData(header, pdu);
  }
}

void Connection::HandleIcReq(View pdu) {
  if (const auto error = CheckIcReq(pdu)) return Fail(*error, pdu);
  is_initialized_ = true;
  AppendIcResp(&output_);
}

void Connection::Fail(const FatalError& error, View offending) {
  is_over_ = true;
  AppendTermReq(&output_, error, offending);
}

bool Connection::IsOutstanding(std::uint16_t command_id) const {
  return std::any_of(transfers_.begin(), transfers_.end(),
                     [&](const auto& entry) { return entry.second.command.Id() == command_id; });
}

std::optional<StatusCode> Connection::CheckDataPointer(const Command& command,
                                                       View capsule_data) const {
  const Sgl sgl = command.DataPointer();
  if (!command.UsesSgl()) return StatusCode::kInvalidField;
  if (command.DataDirection() == Direction::kBoth) return StatusCode::kInvalidOpcode;
  if (command.DataDirection() == Direction::kNone) return std::nullopt;
  if (sgl.IsTransport()) {
    if (sgl.length_bytes > kTransferBytesMaximum) return StatusCode::kInvalidField;
    return std::nullopt;
  }
  const bool may_be_inside = command.DataDirection() == Direction::kToController;
  if (!sgl.IsInCapsule() || !may_be_inside) return StatusCode::kSglTypeInvalid;
  if (sgl.address > capsule_data.size()) return StatusCode::kSglOffsetInvalid;
  if (sgl.length_bytes > capsule_data.size() - sgl.address) {
    return StatusCode::kDataSglLengthInvalid;
  }
  return std::nullopt;
}

void Connection::HandleCapsule(const PduHeader& header, View pdu) {
  const Command command(pdu.subspan(kCommonHeaderBytes));
  const View inside = pdu.last(header.DataBytes());
  // More at once than the queue has room for is no command's fault but the host's.
  if (queue_.entries != 0 && transfers_.size() >= queue_.entries) {
    return Fail({FatalStatus::kSequenceError, 0}, pdu);
  }
  if (IsOutstanding(command.Id())) {
    return Complete(command.Id(), StatusCode::kCommandIdConflict, 0);
  }
  if (const auto status = CheckDataPointer(command, inside)) {
    return Complete(command.Id(), *status, 0);
  }
  const Sgl sgl = command.DataPointer();
  if (command.DataDirection() != Direction::kToController || sgl.length_bytes == 0) {
    return Execute(command, {});
  }
  if (sgl.IsInCapsule()) return Execute(command, inside.subspan(sgl.address, sgl.length_bytes));
  // Before Connect a stranger gets no room for data; Connect itself fits its capsule.
  if (queue_.controller == nullptr) {
    return Complete(command.Id(), StatusCode::kCommandSequenceError, 0);
  }
  RequestData(command);
}

void Connection::RequestData(const Command& command) {
  while (transfers_.contains(++last_tag_)) {
  }
  const std::uint32_t length_bytes = command.DataPointer().length_bytes;
  transfers_.emplace(last_tag_, Transfer{command, length_bytes, {}});
  AppendR2t(&output_, {command.Id(), last_tag_, 0, length_bytes});
}

void Connection::HandleH2cData(const PduHeader& header, View pdu) {
  const DataRange range = ParseH2cData(pdu);
  const auto found = transfers_.find(range.transfer_tag);
  if (found == transfers_.end()) return Fail(Invalid(kTransferTagOffset), pdu);
  Transfer& transfer = found->second;
  if (range.command_id != transfer.command.Id()) return Fail(Invalid(kCommandIdOffset), pdu);
  if (range.length_bytes != header.DataBytes()) return Fail(Invalid(kDataLengthOffset), pdu);
  const std::uint64_t end = std::uint64_t{range.offset_bytes} + range.length_bytes;
  if (end > transfer.length_bytes) {
    return Fail({FatalStatus::kDataOutOfRange, kDataLengthOffset}, pdu);
  }
  if (range.offset_bytes != transfer.data.size()) {  // in order and without gaps
    return Fail({FatalStatus::kDataOutOfRange, kDataOffsetOffset}, pdu);
  }
  const bool is_last = end == transfer.length_bytes;
  if (is_last != ((header.flags & kLastPdu) != 0)) return Fail(Invalid(kFlagsOffset), pdu);
  Append(&transfer.data, pdu.last(header.DataBytes()));
  if (!is_last) return;
  const Transfer whole = std::move(transfer);
  transfers_.erase(found);
  Execute(whole.command, whole.data);
}

void Connection::Execute(const Command& command, View data) {
  Answer answer;
  if (command.IsFabrics()) {
    answer = ExecuteFabrics(state_, &queue_, command, data,
                            [this](std::uint16_t command_id, std::uint32_t result) {
                              Complete(command_id, StatusCode::kSuccess, result);
                            });
  } else if (queue_.controller == nullptr) {
    answer = Refuse(StatusCode::kCommandSequenceError);
  } else {
    answer = queue_.IsAdmin() ? ExecuteAdmin(*state_, queue_, command)
                              : ExecuteIo(queue_, command, data);
  }
  if (queue_.controller != nullptr) queue_.controller->Touch(state_->Now());
  if (answer.comes_later) return;
  if (answer.data.size() > command.DataPointer().length_bytes) {
    return Complete(command.Id(), StatusCode::kDataSglLengthInvalid, 0);
  }
  if (!answer.data.empty()) AppendC2hData(&output_, command.Id(), answer.data);
  Complete(command.Id(), answer.status, answer.result);
}

void Connection::Complete(std::uint16_t command_id, StatusCode status, std::uint64_t result) {
  if (queue_.entries != 0)
    queue_.head = static_cast<std::uint16_t>((queue_.head + 1) % queue_.entries);
  AppendCapsuleResp(&output_, {result, queue_.head, queue_.id, command_id, status});
}

}  // namespace ontapnvme::sim::target
