// SPDX-License-Identifier: AGPL-3.0-or-later
// A UUID: the identity of a namespace, the same on the array and in sysfs.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ontapnvme {

class Uuid {
 public:
  Uuid() = default;
  explicit Uuid(const std::array<std::uint8_t, 16>& bytes) : bytes_(bytes) {}

  // "8-4-4-4-12" hex digits in either case; nothing for anything else.
  static std::optional<Uuid> Parse(std::string_view text);

  std::string Text() const;  // lower case, with hyphens
  const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }
  bool IsNil() const { return *this == Uuid(); }
  auto operator<=>(const Uuid&) const = default;

 private:
  std::array<std::uint8_t, 16> bytes_{};
};

}  // namespace ontapnvme
