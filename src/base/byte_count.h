// SPDX-License-Identifier: AGPL-3.0-or-later
// A number of bytes. Everything in the library counts bytes; only Proxmox's alloc_image speaks KiB,
// and that is converted at the border.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>

#include "base/result.h"

namespace ontapnvme {

class ByteCount {
 public:
  constexpr ByteCount() = default;
  constexpr explicit ByteCount(std::uint64_t bytes) : bytes_(bytes) {}

  constexpr std::uint64_t bytes() const { return bytes_; }
  constexpr auto operator<=>(const ByteCount&) const = default;

  // Rounded up to a multiple of `block_bytes`, which is not 0; saturates instead of wrapping.
  constexpr ByteCount RoundUp(std::uint64_t block_bytes) const {
    const std::uint64_t rest = bytes_ % block_bytes;
    if (rest == 0) return *this;
    const std::uint64_t missing = block_bytes - rest;
    constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
    return ByteCount{bytes_ > kMost - missing ? kMost - kMost % block_bytes : bytes_ + missing};
  }

 private:
  std::uint64_t bytes_ = 0;
};

constexpr ByteCount KiB(std::uint64_t n) {
  return ByteCount{n << 10U};
}
constexpr ByteCount MiB(std::uint64_t n) {
  return ByteCount{n << 20U};
}
constexpr ByteCount GiB(std::uint64_t n) {
  return ByteCount{n << 30U};
}

// `kib` as bytes; kInvalidArgument when it does not fit 64 bits.
inline Result<ByteCount> FromKiB(std::uint64_t kib) {
  if (kib > (std::numeric_limits<std::uint64_t>::max() >> 10U)) {
    return Error(ErrorCode::kInvalidArgument, "size is too large to count in bytes");
  }
  return KiB(kib);
}

}  // namespace ontapnvme
