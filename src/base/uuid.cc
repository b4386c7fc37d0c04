// SPDX-License-Identifier: AGPL-3.0-or-later
#include "base/uuid.h"

#include "base/text.h"

namespace ontapnvme {
namespace {

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
    const auto byte = ParseHexByte(text.substr(at, 2));
    if (!byte) return std::nullopt;
    bytes[i] = *byte;
    at += 2;
  }
  return Uuid(bytes);
}

std::string Uuid::Text() const {
  std::string text;
  text.reserve(36);
  for (std::size_t i = 0; i < bytes_.size(); ++i) {
    if (HyphenBefore(i)) text += '-';
    text += Hex(bytes_[i], 2);
  }
  return text;
}

}  // namespace ontapnvme
