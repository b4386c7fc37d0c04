// SPDX-License-Identifier: AGPL-3.0-or-later
// What all fuzz targets share. A target is one file with LLVMFuzzerTestOneInput; it is linked
// either with libFuzzer or with run_corpus.cc.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace ontapnvme::fuzz {

// A property that holds for every input. The process ends when it does not, as with a sanitizer.
inline void Require(bool holds, const char* property, std::string_view seen = {}) {
  if (holds) return;
  std::cerr << "does not hold: " << property << ": " << seen << std::endl;
  std::abort();
}

inline std::string_view Text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// Takes what stands before the next `separator`, or all of it.
inline std::string_view Take(std::string_view& rest, char separator) {
  const std::size_t end = std::min(rest.find(separator), rest.size());
  const std::string_view taken = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return taken;
}

// What may stand in a log or a message: one line without control characters, the C1 controls of
// UTF-8 included, no longer than anybody reads.
inline void RequireReadable(std::string_view line) {
  constexpr std::size_t kLineMax = 8192;
  Require(line.size() <= kLineMax, "a message has an end", line.substr(0, 200));
  for (std::size_t i = 0; i < line.size(); ++i) {
    const auto byte = static_cast<unsigned char>(line[i]);
    Require(byte >= 0x20 && byte != 0x7f, "a message has no control character", line);
    const bool is_c1 = byte == 0xc2 && i + 1 < line.size() &&
                       (static_cast<unsigned char>(line[i + 1]) & 0xe0U) == 0x80U;
    Require(!is_c1, "a message has no control character of UTF-8", line);
  }
}

}  // namespace ontapnvme::fuzz
