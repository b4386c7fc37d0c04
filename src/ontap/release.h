// SPDX-License-Identifier: AGPL-3.0-or-later
// The release of an ONTAP, e.g. 9.16.1: what may be asked of it depends on it.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace ontapnvme::ontap {

struct Release {
  unsigned generation = 0;
  unsigned major = 0;
  unsigned minor = 0;

  auto operator<=>(const Release&) const = default;
  std::string Text() const;
  // "9.16.1" and nothing else.
  static std::optional<Release> Parse(std::string_view text);
};

inline constexpr Release kOldestSupported{9, 10, 1};  // namespaces can be resized since then
inline constexpr Release kGroupMembersChange{9, 12, 1};
inline constexpr Release kForceDelete{9, 12, 1};  // DELETE volume?force=true
inline constexpr Release kDhChap{9, 12, 1};
inline constexpr Release kTlsPsk{9, 16, 1};
inline constexpr Release kRansomwareByDefault{9, 18, 1};  // on, for new volumes
inline constexpr Release kSanRansomware{9, 17, 1};  // anti-ransomware protection of SAN volumes

}  // namespace ontapnvme::ontap
