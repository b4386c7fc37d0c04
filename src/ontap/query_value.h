// SPDX-License-Identifier: AGPL-3.0-or-later
// Values of ONTAP's query filters. In a filter '*' matches any text, '|' separates alternatives,
// '!', '<', '>' and '..' compare, and "null" means unset; a text is taken literally in double
// quotes or braces (NetApp REST reference, "Query-based filters").
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ontapnvme::ontap {

// Matches exactly `text`.
std::string LiteralFilter(std::string_view text);
// Matches any of the texts.
std::string AnyOfFilter(const std::vector<std::string>& texts);
// As LiteralFilter, but '*' and '|' keep their meaning.
std::string PatternFilter(std::string_view pattern);

}  // namespace ontapnvme::ontap
