// SPDX-License-Identifier: AGPL-3.0-or-later
// The protocol data units of NVMe/TCP: what a host may send, and what this target answers.
// Digests are not offered: a host that asks for them is told so in ICResp.
#pragma once

#include <cstdint>
#include <optional>

#include "command.h"
#include "wire.h"

namespace ontapnvme::sim::target {

enum class PduType : std::uint8_t {
  kIcReq = 0x00,
  kIcResp = 0x01,
  kH2cTermReq = 0x02,
  kC2hTermReq = 0x03,
  kCapsuleCmd = 0x04,
  kCapsuleResp = 0x05,
  kH2cData = 0x06,
  kC2hData = 0x07,
  kR2t = 0x09,
};

inline constexpr std::uint8_t kLastPdu = 0x04;  // flag of the data PDUs

inline constexpr std::size_t kCommonHeaderBytes = 8;
inline constexpr std::size_t kIcBytes = 128;
inline constexpr std::size_t kCapsuleCmdHeaderBytes = kCommonHeaderBytes + Command::kBytes;
inline constexpr std::size_t kDataHeaderBytes = 24;
inline constexpr std::uint32_t kInCapsuleBytesMaximum = 8192;
inline constexpr std::uint32_t kMaxH2cDataBytes = 128U << 10U;     // MAXH2CDATA
inline constexpr std::uint32_t kTransferBytesMaximum = 1U << 20U;  // as ONTAP: MDTS 8
inline constexpr std::uint8_t kMdts = 8;  // in units of 4 KiB, power of two

// Fatal error status of a TermReq.
enum class FatalStatus : std::uint16_t {
  kInvalidHeaderField = 0x01,
  kSequenceError = 0x02,
  kDataOutOfRange = 0x04,
  kDataLimitExceeded = 0x05,
  kUnsupportedParameter = 0x06,
};

// Ends the connection: the status, and the offset of the field that is wrong.
struct FatalError {
  FatalStatus status;
  std::uint32_t field_offset = 0;
};

struct PduHeader {
  PduType type{};
  std::uint8_t flags = 0;
  std::uint8_t header_bytes = 0;
  std::uint8_t data_offset = 0;
  std::uint32_t total_bytes = 0;

  static PduHeader Parse(View bytes);
  // Where the data begins: at PDO, or nowhere.
  std::size_t DataBytes() const { return data_offset == 0 ? 0 : total_bytes - data_offset; }
};

// What is wrong with a header from a host; called before the rest of the PDU is waited for.
std::optional<FatalError> CheckHeader(const PduHeader& header);
// The parameters of an ICReq, whose header is fine.
std::optional<FatalError> CheckIcReq(View pdu);

// The address of data inside of a command's whole transfer.
struct DataRange {
  std::uint16_t command_id = 0;
  std::uint16_t transfer_tag = 0;
  std::uint32_t offset_bytes = 0;
  std::uint32_t length_bytes = 0;
};
DataRange ParseH2cData(View pdu);

void AppendIcResp(Bytes* to);
void AppendR2t(Bytes* to, const DataRange& range);
// All data of a command in one PDU.
void AppendC2hData(Bytes* to, std::uint16_t command_id, View data);
void AppendTermReq(Bytes* to, const FatalError& error, View offending);

struct Completion {
  std::uint64_t result = 0;
  std::uint16_t queue_head = 0;
  std::uint16_t queue_id = 0;
  std::uint16_t command_id = 0;
  StatusCode status = StatusCode::kSuccess;
};
void AppendCapsuleResp(Bytes* to, const Completion& completion);

}  // namespace ontapnvme::sim::target
