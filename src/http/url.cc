// SPDX-License-Identifier: AGPL-3.0-or-later
#include "http/url.h"

namespace ontapnvme::http {
namespace {

bool IsUnreserved(char c) {
  const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  const bool is_digit = c >= '0' && c <= '9';
  return is_letter || is_digit || c == '-' || c == '.' || c == '_' || c == '~';
}

void AppendEncoded(std::string& out, char c) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  const auto byte = static_cast<unsigned char>(c);
  out += '%';
  out += kDigits[byte >> 4U];
  out += kDigits[byte & 0xFU];
}

// `also_plain`: characters beyond the unreserved ones that stay as they are.
std::string Encode(std::string_view text, std::string_view also_plain) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (IsUnreserved(c) || also_plain.find(c) != std::string_view::npos) {
      out += c;
    } else {
      AppendEncoded(out, c);
    }
  }
  return out;
}

}  // namespace

std::string PathSegment(std::string_view text) {
  if (text.find_first_not_of('.') != std::string_view::npos) return Encode(text, "");
  std::string dots;
  for (const char c : text) AppendEncoded(dots, c);
  return dots;
}

Query& Query::Add(std::string_view key, std::string_view value) {
  // Legal in a query by RFC 3986, 3.4, and without meaning to a form decoder ('+', '&', '=', ';'
  // are not among them).
  constexpr std::string_view kPlain = "/:,*";
  if (!text_.empty()) text_ += '&';
  text_ += Encode(key, kPlain) + "=" + Encode(value, kPlain);
  return *this;
}

std::string Query::After(std::string_view path) const {
  std::string target(path);
  if (!text_.empty()) target += "?" + text_;
  return target;
}

std::string_view PathOf(std::string_view target) {
  return target.substr(0, target.find('?'));
}

}  // namespace ontapnvme::http
