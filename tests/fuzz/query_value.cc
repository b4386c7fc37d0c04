// SPDX-License-Identifier: AGPL-3.0-or-later
// Texts on their way into a URL: none can end its part of it, or become an operator of ONTAP.
#include "ontap/query_value.h"
#include "fuzz/target.h"
#include "http/url.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ontapnvme;
  using fuzz::Require;
  const std::string text(fuzz::Text(data, size));
  const std::string segment = http::PathSegment(text);
  Require(segment.find_first_of("/?#&%") == segment.find('%'), "a segment is one", segment);
  Require(segment != "." && segment != "..", "a segment leads nowhere else", segment);
  const std::string target = http::Query().Add("name", ontap::LiteralFilter(text)).After("/api/x");
  Require(std::count(target.begin(), target.end(), '?') == 1 &&
              std::count(target.begin(), target.end(), '=') == 1 &&
              target.find_first_of("&#;+ ") == std::string::npos,
          "a value is one", target);
  Require(http::PathOf(target) == "/api/x", "the path stays", target);
  for (const char c : target) Require(c > 0x20 && c < 0x7f, "a target is one line of ASCII");
  // Outside of quotes and braces stands no operator.
  const std::string filter = ontap::LiteralFilter(text);
  const bool is_quoted = filter.starts_with('"') && filter.size() == text.size() + 2;
  Require(is_quoted || filter.find('{') != std::string::npos ||
              filter.find_first_of("*|!<>") == std::string::npos,
          "a literal is no pattern", filter);
  return 0;
}
