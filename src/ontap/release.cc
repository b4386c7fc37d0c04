// SPDX-License-Identifier: AGPL-3.0-or-later
#include "ontap/release.h"

#include <array>
#include <charconv>

namespace ontapnvme::ontap {

std::string Release::Text() const {
  return std::to_string(generation) + "." + std::to_string(major) + "." + std::to_string(minor);
}

std::optional<Release> Release::Parse(std::string_view text) {
  std::array<unsigned, 3> parts{};
  const char* at = text.data();
  const char* const end = text.data() + text.size();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0 && (at == end || *at++ != '.')) return std::nullopt;
    const auto parsed = std::from_chars(at, end, parts[i]);
    if (parsed.ec != std::errc()) return std::nullopt;
    at = parsed.ptr;
  }
  if (at != end) return std::nullopt;
  return Release{parts[0], parts[1], parts[2]};
}

}  // namespace ontapnvme::ontap
