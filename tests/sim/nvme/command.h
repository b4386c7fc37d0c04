// SPDX-License-Identifier: AGPL-3.0-or-later
// A submission queue entry, and what becomes of it.
#pragma once

#include <array>
#include <cstdint>

#include "wire.h"

namespace ontapnvme::sim::target {

// Status code type and status code, as in the status field of a completion.
enum class StatusCode : std::uint16_t {
  kSuccess = 0x000,
  kInvalidOpcode = 0x001,
  kInvalidField = 0x002,
  kCommandIdConflict = 0x003,
  kInternalError = 0x006,
  kInvalidNamespace = 0x00B,
  kCommandSequenceError = 0x00C,
  kDataSglLengthInvalid = 0x00F,
  kSglTypeInvalid = 0x011,
  kSglOffsetInvalid = 0x016,
  kLbaOutOfRange = 0x080,
  kAsyncEventLimitExceeded = 0x105,
  kInvalidLogPage = 0x109,
  kFeatureNotChangeable = 0x10E,
  kConnectIncompatibleFormat = 0x180,
  kConnectInvalidParameters = 0x182,
  kConnectInvalidHost = 0x184,
};

struct Answer {
  StatusCode status = StatusCode::kSuccess;
  std::uint64_t result = 0;  // dwords 0 and 1 of the completion
  Bytes data;                // for the host
  bool comes_later = false;  // no completion now: an asynchronous event request waits
};

inline Answer Refuse(StatusCode status) {
  return Answer{status, 0, {}, false};
}
inline Answer Result(std::uint64_t result) {
  return Answer{StatusCode::kSuccess, result, {}, false};
}
inline Answer Data(Bytes data) {
  return Answer{StatusCode::kSuccess, 0, std::move(data), false};
}

enum class Direction { kNone, kToController, kToHost, kBoth };

// The one SGL descriptor that a capsule of NVMe/TCP carries.
struct Sgl {
  std::uint64_t address = 0;
  std::uint32_t length_bytes = 0;
  std::uint8_t type = 0;  // descriptor type and subtype

  bool IsInCapsule() const { return type == 0x01; }  // data block, offset
  bool IsTransport() const { return type == 0x5A; }  // transport data block, transport specific
};

class Command {
 public:
  static constexpr std::size_t kBytes = 64;
  static constexpr std::uint8_t kFabricsOpcode = 0x7F;

  explicit Command(View bytes) { std::copy_n(bytes.begin(), kBytes, bytes_.begin()); }

  std::uint8_t Opcode() const { return bytes_[0]; }
  std::uint16_t Id() const { return Load<std::uint16_t>(bytes_, 2); }
  std::uint32_t Nsid() const { return Load<std::uint32_t>(bytes_, 4); }
  bool IsFabrics() const { return Opcode() == kFabricsOpcode; }
  std::uint8_t FabricsType() const { return bytes_[4]; }
  bool UsesSgl() const { return bytes_[1] >> 6U == 1; }
  Sgl DataPointer() const {
    return {Load<std::uint64_t>(bytes_, 24), Load<std::uint32_t>(bytes_, 32), bytes_[39]};
  }
  // Command dwords 10 to 15.
  std::uint32_t Dword(std::size_t number) const { return Load<std::uint32_t>(bytes_, 4 * number); }
  std::uint64_t Dwords(std::size_t number) const { return Load<std::uint64_t>(bytes_, 4 * number); }
  // By offset, for fabrics commands: their fields are no dwords.
  View bytes() const { return bytes_; }

  // The two low bits of an opcode, or of a fabrics command's type.
  Direction DataDirection() const {
    return static_cast<Direction>((IsFabrics() ? FabricsType() : Opcode()) & 3U);
  }

 private:
  std::array<std::uint8_t, kBytes> bytes_{};
};

}  // namespace ontapnvme::sim::target
