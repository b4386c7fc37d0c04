// SPDX-License-Identifier: AGPL-3.0-or-later
// What names, messages and codes need of texts. ASCII throughout: the process's locale has no say.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ontapnvme {

// Text from outside as it may stand in a message: control characters, those of Unicode included,
// become spaces, runs of white space one space, bytes that are not UTF-8 question marks, and what
// is longer than `bytes_max` is cut with an ellipsis.
std::string CleanText(std::string_view text, std::size_t bytes_max = 300);
// The same in single quotes, as names stand in messages.
std::string Quoted(std::string_view name);

std::string Join(const std::vector<std::string>& parts, std::string_view separator);
// The first five, and of more how many they are.
std::string JoinFew(const std::vector<std::string>& parts);
// Appends `part`, and before it `separator` unless `text` is empty.
void AppendTo(std::string& text, std::string_view separator, std::string_view part);

bool IsAlphanumeric(char c);
char LowerCase(char c);
std::string LowerCase(std::string_view text);

// The low `digits` hexadecimal digits of `number`, in lower case.
std::string Hex(std::uint64_t number, unsigned digits);
// The byte that two hexadecimal digits in either case stand for; nothing for any other text.
std::optional<std::uint8_t> ParseHexByte(std::string_view two_digits);

// Letters, digits and the characters in `also_plain` as they are, the rest as %XX (RFC 3986, 2.1).
std::string PercentEncode(std::string_view text, std::string_view also_plain);
// The way back. A '%' without two digits behind it stays as it is.
std::string PercentDecode(std::string_view text);

// 16 hexadecimal digits that differ for different texts, as good as always. Not for secrets.
std::string ShortHash(std::string_view text);

}  // namespace ontapnvme
