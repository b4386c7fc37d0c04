// SPDX-License-Identifier: AGPL-3.0-or-later
#include "base/uuid.h"

namespace ontapnvme {
namespace {

std::optional<std::uint8_t> HexDigit(char c) {
  if (c >= '0' && c <= '9') return static_cast<std::uint8_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<std::uint8_t>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<std::uint8_t>(c - 'A' + 10);
  return std::nullopt;
}

bool HyphenBefore(std::size_t byte) {
  return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

}  // namespace

std::optional<Uuid> Uuid::Parse(std::string_view text) {
  constexpr std::size_t kTextLength = 36;
  if (text.size() != kTextLength) return std::nullopt;
  std::array<std::uint8_t, 16> bytes{};
  std::size_t at = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (HyphenBefore(i) && text[at++] != '-') return std::nullopt;
    const auto high = HexDigit(text[at++]);
    const auto low = HexDigit(text[at++]);
    if (!high || !low) return std::nullopt;
    bytes[i] = static_cast<std::uint8_t>((*high << 4U) | *low);
  }
  return Uuid(bytes);
}

std::string Uuid::Text() const {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(36);
  for (std::size_t i = 0; i < bytes_.size(); ++i) {
    if (HyphenBefore(i)) text += '-';
    text += kDigits[bytes_[i] >> 4U];
    text += kDigits[bytes_[i] & 0xFU];
  }
  return text;
}

}  // namespace ontapnvme
