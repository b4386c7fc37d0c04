// SPDX-License-Identifier: AGPL-3.0-or-later
// The form of a mark: "pve-storage-ontapnvme key=value key=value …". Values hold no space.
#pragma once

#include <string>
#include <string_view>

namespace ontapnvme::pve {

inline constexpr std::string_view kMarkStem = "pve-storage-ontapnvme ";

// The value of " key=" in a mark, or an empty text.
inline std::string_view MarkField(std::string_view mark, std::string_view key) {
  const std::string needle = " " + std::string(key) + "=";
  const std::size_t at = mark.find(needle);
  if (at == std::string_view::npos) return {};
  const std::string_view value = mark.substr(at + needle.size());
  return value.substr(0, value.find(' '));
}

}  // namespace ontapnvme::pve
