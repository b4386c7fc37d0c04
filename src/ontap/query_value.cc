// SPDX-License-Identifier: AGPL-3.0-or-later
#include "ontap/query_value.h"

namespace ontapnvme::ontap {
namespace {

constexpr std::string_view kOperators = "*|!<>";
constexpr std::string_view kQuotes = "\"{}";

bool HasOperator(std::string_view text) {
  return text.find_first_of(kOperators) != std::string_view::npos ||
         text.find("..") != std::string_view::npos || text == "null" || text.empty() ||
         text.front() == ' ' || text.back() == ' ';
}

// Braces quote anything, themselves included.
std::string BraceEach(std::string_view text, std::string_view kept) {
  std::string out;
  for (const char c : text) {
    const bool has_meaning =
        kOperators.find(c) != std::string_view::npos || kQuotes.find(c) != std::string_view::npos;
    if (has_meaning && kept.find(c) == std::string_view::npos) {
      out += '{';
      out += c;
      out += '}';
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

std::string LiteralFilter(std::string_view text) {
  if (text.find_first_of(kQuotes) != std::string_view::npos) return BraceEach(text, "");
  if (HasOperator(text)) return "\"" + std::string(text) + "\"";
  return std::string(text);
}

std::string AnyOfFilter(const std::vector<std::string>& texts) {
  std::string filter;
  for (const std::string& text : texts) {
    if (!filter.empty()) filter += '|';
    filter += LiteralFilter(text);
  }
  return filter;
}

std::string PatternFilter(std::string_view pattern) {
  constexpr std::string_view kKept = "*|";
  if (pattern.find_first_of(kKept) == std::string_view::npos) return LiteralFilter(pattern);
  return BraceEach(pattern, kKept);
}

}  // namespace ontapnvme::ontap
