// SPDX-License-Identifier: AGPL-3.0-or-later
#include "base/text.h"

#include <algorithm>

namespace ontapnvme {
namespace {

unsigned ByteAt(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

// Bytes of the UTF-8 sequence at the start of `text`; 0 when none begins there.
std::size_t SequenceBytes(std::string_view text) {
  const unsigned lead = ByteAt(text, 0);
  std::size_t bytes = 1;
  if (lead >= 0x80) bytes = lead < 0xc2 || lead > 0xf4 ? 0 : 2;
  if (bytes == 2 && lead >= 0xe0) bytes = lead >= 0xf0 ? 4 : 3;
  if (bytes > text.size()) return 0;
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((ByteAt(text, i) & 0xc0U) != 0x80U) return 0;
  }
  return bytes;
}

// Whether a sequence commands a terminal instead of being seen: control characters of ASCII and of
// Unicode (C1, whose U+009B begins what ESC [ does), separators of lines, changes of direction.
bool IsCommand(std::string_view sequence) {
  const unsigned lead = ByteAt(sequence, 0);
  if (sequence.size() == 1) return lead <= 0x20 || lead == 0x7f;
  const unsigned next = ByteAt(sequence, 1);
  if (sequence.size() == 2) return lead == 0xc2 && next < 0xa0;
  if (sequence.size() != 3 || lead != 0xe2) return false;
  const unsigned last = ByteAt(sequence, 2);
  return (next == 0x80 && last >= 0xa8 && last <= 0xae) ||  // U+2028 to U+202E
         (next == 0x81 && last >= 0xa6 && last <= 0xa9);    // U+2066 to U+2069
}

std::optional<std::uint8_t> HexDigit(char c) {
  if (c >= '0' && c <= '9') return static_cast<std::uint8_t>(c - '0');
  const char lower = LowerCase(c);
  if (lower >= 'a' && lower <= 'f') return static_cast<std::uint8_t>(lower - 'a' + 10);
  return std::nullopt;
}

}  // namespace

std::string CleanText(std::string_view text, std::size_t bytes_max) {
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    const std::size_t bytes = SequenceBytes(text);
    if (bytes == 0) {
      clean += '?';
    } else if (!IsCommand(text.substr(0, bytes))) {
      clean += text.substr(0, bytes);
    } else if (!clean.empty() && clean.back() != ' ') {
      clean += ' ';
    }
    text.remove_prefix(std::max<std::size_t>(bytes, 1));
  }
  while (!clean.empty() && clean.back() == ' ') clean.pop_back();
  if (clean.size() <= bytes_max) return clean;
  // Never cut inside a UTF-8 sequence: Perl would refuse the text.
  std::size_t cut = bytes_max;
  while (cut > 0 && (static_cast<unsigned char>(clean[cut]) & 0xC0U) == 0x80U) --cut;
  return clean.substr(0, cut) + "…";
}

std::string Quoted(std::string_view name) {
  return "'" + CleanText(name) + "'";
}

std::string Join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string text;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) text += separator;
    text += parts[i];
  }
  return text;
}

std::string JoinFew(const std::vector<std::string>& parts) {
  constexpr std::size_t kFew = 5;
  if (parts.size() <= kFew) return Join(parts, ", ");
  const std::vector<std::string> first(parts.begin(), parts.begin() + kFew);
  return Join(first, ", ") + ", and " + std::to_string(parts.size() - kFew) + " more";
}

void AppendTo(std::string& text, std::string_view separator, std::string_view part) {
  if (!text.empty()) text += separator;
  text += part;
}

bool IsAlphanumeric(char c) {
  const char lower = LowerCase(c);
  return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9');
}

char LowerCase(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = LowerCase(c);
  return lower;
}

std::string Hex(std::uint64_t number, unsigned digits) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text(digits, '0');
  for (auto digit = text.rbegin(); digit != text.rend(); ++digit, number >>= 4U) {
    *digit = kDigits[number & 0xFU];
  }
  return text;
}

std::optional<std::uint8_t> ParseHexByte(std::string_view two_digits) {
  if (two_digits.size() != 2) return std::nullopt;
  const auto high = HexDigit(two_digits[0]);
  const auto low = HexDigit(two_digits[1]);
  if (!high || !low) return std::nullopt;
  return static_cast<std::uint8_t>((*high << 4U) | *low);
}

std::string PercentEncode(std::string_view text, std::string_view also_plain) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";  // RFC 3986, 2.1: upper case
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    if (IsAlphanumeric(c) || also_plain.find(c) != std::string_view::npos) {
      encoded += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    encoded += {'%', kDigits[byte >> 4U], kDigits[byte & 0xFU]};
  }
  return encoded;
}

std::string PercentDecode(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = text[i] == '%' ? ParseHexByte(text.substr(i + 1, 2)) : std::nullopt;
    decoded += byte ? static_cast<char>(*byte) : text[i];
    if (byte) i += 2;
  }
  return decoded;
}

std::string ShortHash(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325U;  // FNV-1a
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return Hex(hash, 16);
}

}  // namespace ontapnvme
