// SPDX-License-Identifier: AGPL-3.0-or-later
#include "base/text.h"

#include <gtest/gtest.h>

namespace ontapnvme {
namespace {

TEST(CleanTextTest, MakesOneLineOfRunsOfBlanks) {
  EXPECT_EQ(CleanText("  a \r\n b\t\tc\x7f "), "a b c");
  EXPECT_EQ(CleanText(std::string("a\0b", 3)), "a b");
}

TEST(CleanTextTest, LeavesNothingThatCommandsATerminal) {
  EXPECT_EQ(CleanText("a\x1b[31mb"), "a [31mb");
  EXPECT_EQ(CleanText("a\xc2\x9b\x33mb\xc2\x80"), "a 3mb");                // C1: CSI
  EXPECT_EQ(CleanText("a\xe2\x80\xa8next\xe2\x80\xaegpj"), "a next gpj");  // separator, override
  EXPECT_EQ(CleanText("\xe2\x81\xa6x\xe2\x81\xa9"), "x");                  // isolates
  EXPECT_EQ(CleanText("5 \xe2\x82\xac \xe2\x80\xa6 \xc2\xa0 \xf0\x9f\x92\xbe"),
            "5 \xe2\x82\xac \xe2\x80\xa6 \xc2\xa0 \xf0\x9f\x92\xbe");  // letters and signs stay
}

TEST(CleanTextTest, SaysWhereTextIsNoUtf8) {
  EXPECT_EQ(CleanText("a\xff\xc0\x80z"), "a???z");
  EXPECT_EQ(CleanText("a\xe2\x82"), "a??");  // cut short
  EXPECT_EQ(CleanText("\x9b\x33m"), "?3m");
}

TEST(CleanTextTest, CutsWithAnEllipsis) {
  EXPECT_EQ(CleanText("abcdef", 3), "abc…");
  EXPECT_EQ(CleanText("abc", 3), "abc");
}

TEST(CleanTextTest, NeverCutsInsideACharacter) {
  EXPECT_EQ(CleanText("aä", 2), "a…");  // 'ä' is two bytes
  EXPECT_EQ(CleanText("ää", 2), "ä…");
}

TEST(QuotedTest, IsCleaned) {
  EXPECT_EQ(Quoted("vol\n1"), "'vol 1'");
}

TEST(JoinTest, PutsTheSeparatorBetween) {
  EXPECT_EQ(Join({}, ", "), "");
  EXPECT_EQ(Join({"a"}, ", "), "a");
  EXPECT_EQ(Join({"a", "", "b"}, ", "), "a, , b");
  EXPECT_EQ(JoinFew({}), "");
  EXPECT_EQ(JoinFew({"a", "b", "c", "d", "e"}), "a, b, c, d, e");
  EXPECT_EQ(JoinFew({"a", "b", "c", "d", "e", "f", "g"}), "a, b, c, d, e, and 2 more");
  std::string text;
  AppendTo(text, "; ", "a");
  AppendTo(text, "; ", "b");
  EXPECT_EQ(text, "a; b");
}

TEST(LettersTest, AreThoseOfAscii) {
  EXPECT_EQ(LowerCase("aZ09-Ä\xff"), "az09-Ä\xff");
  for (const char c : {'a', 'z', 'A', 'Z', '0', '9'}) EXPECT_TRUE(IsAlphanumeric(c)) << c;
  for (const char c : {'_', '-', '@', '[', '`', '{', '/', ':', '\xe4', '\0'}) {
    EXPECT_FALSE(IsAlphanumeric(c)) << c;
  }
}

TEST(HexTest, HasAsManyDigitsAsAskedFor) {
  EXPECT_EQ(Hex(0, 2), "00");
  EXPECT_EQ(Hex(0xabc, 3), "abc");
  EXPECT_EQ(Hex(0xabc, 5), "00abc");
  EXPECT_EQ(Hex(0xabc, 2), "bc");
  EXPECT_EQ(Hex(~std::uint64_t{0}, 16), "ffffffffffffffff");
}

TEST(HexTest, IsReadByTheByte) {
  EXPECT_EQ(ParseHexByte("00"), 0);
  EXPECT_EQ(ParseHexByte("aF"), 0xaf);
  for (const char* text : {"", "a", "abc", "0x", "g0", "-1", "+1", " 1"}) {
    EXPECT_FALSE(ParseHexByte(text)) << text;
  }
}

TEST(PercentTest, EncodesAllButWhatIsPlain) {
  EXPECT_EQ(PercentEncode("aZ9-._~/%\xff", "-._~"), "aZ9-._~%2F%25%FF");
  EXPECT_EQ(PercentEncode("", ""), "");
  EXPECT_EQ(PercentEncode(std::string_view("\0", 1), ""), "%00");
}

TEST(PercentTest, DecodesWhatItEncoded) {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) bytes += static_cast<char>(byte);
  EXPECT_EQ(PercentDecode(PercentEncode(bytes, "")), bytes);
  EXPECT_EQ(PercentDecode("%41%4a"), "AJ");
}

TEST(PercentTest, LeavesWhatIsNoCode) {
  for (const char* text : {"%", "%4", "%zz", "100%", "%%", "a+b"}) {
    EXPECT_EQ(PercentDecode(text), text);
  }
}

TEST(ShortHashTest, StaysTheSame) {
  // Names on arrays are made of it: these are the published values of FNV-1a, 64 bits.
  EXPECT_EQ(ShortHash(""), "cbf29ce484222325");
  EXPECT_EQ(ShortHash("a"), "af63dc4c8601ec8c");
  EXPECT_EQ(ShortHash("foobar"), "85944171f73967e8");
}

}  // namespace
}  // namespace ontapnvme
