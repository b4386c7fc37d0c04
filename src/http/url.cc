// SPDX-License-Identifier: AGPL-3.0-or-later
#include "http/url.h"

#include "base/text.h"

namespace ontapnvme::http {
namespace {

constexpr std::string_view kUnreserved = "-._~";

}  // namespace

std::string PathSegment(std::string_view text) {
  const bool is_dots_only = text.find_first_not_of('.') == std::string_view::npos;
  return PercentEncode(text, is_dots_only ? "" : kUnreserved);
}

Query& Query::Add(std::string_view key, std::string_view value) {
  // Beyond the unreserved ones: legal in a query by RFC 3986, 3.4, and without meaning to a form
  // decoder ('+', '&', '=', ';' are not among them).
  constexpr std::string_view kPlain = "-._~/:,*";
  AppendTo(text_, "&", PercentEncode(key, kPlain) + "=" + PercentEncode(value, kPlain));
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
