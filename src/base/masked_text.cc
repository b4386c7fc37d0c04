// SPDX-License-Identifier: AGPL-3.0-or-later
#include "base/masked_text.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "base/text.h"

namespace ontapnvme {
namespace {

constexpr std::size_t kSecretBytesMin = 4;
constexpr std::string_view kMask = "***";

bool IsSameLetter(char a, char b) {
  return LowerCase(a) == LowerCase(b);
}

void Base64(std::string_view bytes, std::string& text) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      const auto byte = at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : 0U;
      group = group << 8U | byte;
    }
    for (std::size_t i = 0; i < 4; ++i) {
      const std::uint32_t digit = group >> (18U - 6U * i) & 63U;
      text += at + i > bytes.size() ? '=' : kDigits[digit];
    }
  }
}

}  // namespace

std::string MaskedText(std::string text, const std::vector<Secret>& secrets) {
  for (const Secret& secret : secrets) {
    const std::string_view needle = secret.Reveal();
    if (needle.size() < kSecretBytesMin) continue;
    std::size_t from = 0;
    while (true) {
      const auto begin = text.begin() + static_cast<std::ptrdiff_t>(from);
      const auto found = std::search(begin, text.end(), needle.begin(), needle.end(), IsSameLetter);
      if (found == text.end()) break;
      const auto at = static_cast<std::size_t>(found - text.begin());
      text.replace(at, needle.size(), kMask);
      from = at + kMask.size();
    }
  }
  return text;
}

Secret BasicLogin(const std::string& username, const Secret& password) {
  // Reserved whole, so that no copy of a shorter one is left behind.
  std::string plain;
  plain.reserve(username.size() + 1 + password.Reveal().size());
  plain += username;
  plain += ':';
  plain += password.Reveal();
  std::string text;
  text.reserve((plain.size() + 2) / 3 * 4);
  Base64(plain, text);
  WipeText(plain);
  Secret login{text};
  WipeText(text);
  return login;
}

}  // namespace ontapnvme
