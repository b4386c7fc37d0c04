// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pdu.h"

namespace ontapnvme::sim::target {
namespace {

constexpr std::uint32_t kTypeOffset = 0;
constexpr std::uint32_t kFlagsOffset = 1;
constexpr std::uint32_t kHlenOffset = 2;
constexpr std::uint32_t kPdoOffset = 3;
constexpr std::uint32_t kPlenOffset = 4;
constexpr std::size_t kTermDataBytesMaximum = 128;
constexpr std::uint16_t kDoNotRetry = 0x4000;

// Room for a PDU of that size at the end of `to`, its common header filled in.
std::span<std::uint8_t> AppendHeader(Bytes* to, PduType type, std::uint8_t flags,
                                     std::size_t header_bytes, std::size_t data_bytes) {
  const std::size_t at = to->size();
  to->resize(at + header_bytes);
  const std::span<std::uint8_t> pdu = std::span(*to).subspan(at);
  pdu[kTypeOffset] = static_cast<std::uint8_t>(type);
  pdu[kFlagsOffset] = flags;
  pdu[kHlenOffset] = static_cast<std::uint8_t>(header_bytes);
  pdu[kPdoOffset] = static_cast<std::uint8_t>(data_bytes == 0 ? 0 : header_bytes);
  Store(pdu, kPlenOffset, static_cast<std::uint32_t>(header_bytes + data_bytes));
  return pdu;
}

FatalError Invalid(std::uint32_t field_offset) {
  return {FatalStatus::kInvalidHeaderField, field_offset};
}

// Without data, PDO is reserved; hosts also send the place where data would begin.
std::optional<FatalError> CheckData(const PduHeader& header, std::size_t header_bytes,
                                    std::size_t data_bytes_maximum, std::uint8_t flags_known) {
  if (header.header_bytes != header_bytes) return Invalid(kHlenOffset);
  if ((header.flags & ~flags_known) != 0) return Invalid(kFlagsOffset);
  if (header.total_bytes < header_bytes) return Invalid(kPlenOffset);
  if (header.total_bytes > header_bytes + data_bytes_maximum) return Invalid(kPlenOffset);
  const bool has_data = header.total_bytes > header_bytes;
  const bool is_offset_right =
      header.data_offset == header_bytes || (!has_data && header.data_offset == 0);
  if (!is_offset_right) return Invalid(kPdoOffset);
  return std::nullopt;
}

}  // namespace

PduHeader PduHeader::Parse(View bytes) {
  return {static_cast<PduType>(bytes[kTypeOffset]), bytes[kFlagsOffset], bytes[kHlenOffset],
          bytes[kPdoOffset], Load<std::uint32_t>(bytes, kPlenOffset)};
}

std::optional<FatalError> CheckHeader(const PduHeader& header) {
  switch (header.type) {
    case PduType::kIcReq: {
      auto error = CheckData(header, kIcBytes, 0, 0);
      return error;
    }
    case PduType::kH2cTermReq:
      // Whatever it says, the connection ends; only its size matters.
      if (header.total_bytes < kDataHeaderBytes ||
          header.total_bytes > kDataHeaderBytes + kIcBytes) {
        return Invalid(kPlenOffset);
      }
      return std::nullopt;
    case PduType::kCapsuleCmd:
      return CheckData(header, kCapsuleCmdHeaderBytes, kInCapsuleBytesMaximum, 0);
    case PduType::kH2cData: {
      if (header.total_bytes > kDataHeaderBytes + kMaxH2cDataBytes) {
        return FatalError{FatalStatus::kDataLimitExceeded, kPlenOffset};
      }
      return CheckData(header, kDataHeaderBytes, kMaxH2cDataBytes, kLastPdu);
    }
    default:
      return Invalid(kTypeOffset);
  }
}

std::optional<FatalError> CheckIcReq(View pdu) {
  constexpr std::uint32_t kFormatOffset = 8;      // PFV
  constexpr std::uint32_t kAlignmentOffset = 10;  // HPDA
  constexpr std::uint8_t kAlignmentMaximum = 31;
  if (Load<std::uint16_t>(pdu, kFormatOffset) != 0) {
    return FatalError{FatalStatus::kUnsupportedParameter, kFormatOffset};
  }
  if (pdu[kAlignmentOffset] > kAlignmentMaximum) return Invalid(kAlignmentOffset);
  // The data of this target's PDUs follows their header of 24 bytes: aligned to 4 or 8 bytes.
  if (pdu[kAlignmentOffset] > 1) {
    return FatalError{FatalStatus::kUnsupportedParameter, kAlignmentOffset};
  }
  return std::nullopt;
}

DataRange ParseH2cData(View pdu) {
  return {Load<std::uint16_t>(pdu, 8), Load<std::uint16_t>(pdu, 10), Load<std::uint32_t>(pdu, 12),
          Load<std::uint32_t>(pdu, 16)};
}

void AppendIcResp(Bytes* to) {
  const auto pdu = AppendHeader(to, PduType::kIcResp, 0, kIcBytes, 0);
  // Format 0, no alignment, no digests.
  Store(pdu, 12, kMaxH2cDataBytes);
}

void AppendR2t(Bytes* to, const DataRange& range) {
  const auto pdu = AppendHeader(to, PduType::kR2t, 0, kDataHeaderBytes, 0);
  Store(pdu, 8, range.command_id);
  Store(pdu, 10, range.transfer_tag);
  Store(pdu, 12, range.offset_bytes);
  Store(pdu, 16, range.length_bytes);
}

void AppendC2hData(Bytes* to, std::uint16_t command_id, View data) {
  const auto pdu = AppendHeader(to, PduType::kC2hData, kLastPdu, kDataHeaderBytes, data.size());
  Store(pdu, 8, command_id);
  Store(pdu, 12, std::uint32_t{0});
  Store(pdu, 16, static_cast<std::uint32_t>(data.size()));
  Append(to, data);
}

void AppendTermReq(Bytes* to, const FatalError& error, View offending) {
  const View shown = offending.first(std::min(offending.size(), kTermDataBytesMaximum));
  const auto pdu = AppendHeader(to, PduType::kC2hTermReq, 0, kDataHeaderBytes, shown.size());
  pdu[kPdoOffset] = 0;  // reserved in a TermReq: its data always follows
  Store(pdu, 8, static_cast<std::uint16_t>(error.status));
  Store(pdu, 10, error.field_offset);
  Append(to, shown);
}

void AppendCapsuleResp(Bytes* to, const Completion& completion) {
  const auto pdu = AppendHeader(to, PduType::kCapsuleResp, 0, kDataHeaderBytes, 0);
  auto status = static_cast<std::uint16_t>(completion.status);
  // What is refused here stays refused, so a host need not try again. A failure of the machine
  // below may pass.
  const bool may_pass = completion.status == StatusCode::kInternalError;
  if (completion.status != StatusCode::kSuccess && !may_pass) status |= kDoNotRetry;
  Store(pdu, 8, completion.result);
  Store(pdu, 16, completion.queue_head);
  Store(pdu, 18, completion.queue_id);
  Store(pdu, 20, completion.command_id);
  Store(pdu, 22, static_cast<std::uint16_t>(status << 1U));  // bit 0 is the phase, not used
}

}  // namespace ontapnvme::sim::target
