// SPDX-License-Identifier: AGPL-3.0-or-later
// Little-endian fields in byte strings: every structure of NVMe is read and written through these,
// never by laying a struct over what a stranger sent.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace ontapnvme::sim::target {

using Bytes = std::vector<std::uint8_t>;
using View = std::span<const std::uint8_t>;

// The caller has checked that the field lies inside.
template <typename T>
T Load(View bytes, std::size_t offset) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value |= static_cast<std::uint64_t>(bytes[offset + i]) << (8 * i);
  }
  return static_cast<T>(value);
}

template <typename T>
void Store(std::span<std::uint8_t> bytes, std::size_t offset, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    bytes[offset + i] = static_cast<std::uint8_t>(static_cast<std::uint64_t>(value) >> (8 * i));
  }
}

// Cut or padded to `width`.
inline void StoreText(std::span<std::uint8_t> bytes, std::size_t offset, std::size_t width,
                      std::string_view text, char padding = ' ') {
  for (std::size_t i = 0; i < width; ++i) {
    bytes[offset + i] = static_cast<std::uint8_t>(i < text.size() ? text[i] : padding);
  }
}

inline void Append(Bytes* to, View more) {
  to->insert(to->end(), more.begin(), more.end());
}

}  // namespace ontapnvme::sim::target
