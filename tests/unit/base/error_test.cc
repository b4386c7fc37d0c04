// SPDX-License-Identifier: AGPL-3.0-or-later
#include "base/error.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace ontapnvme {
namespace {

TEST(ErrorTest, RendersToOneLine) {
  const Error error = Error(ErrorCode::kBusy, "cannot delete disk 'vm-100-disk-0'")
                          .Because("snapshot 'daily' is the parent of a FlexClone")
                          .With("svm", "pve")
                          .With("tries", "3")
                          .Try("delete or split that clone first");
  EXPECT_EQ(error.Line(),
            "[busy] cannot delete disk 'vm-100-disk-0': snapshot 'daily' is the parent of a "
            "FlexClone (svm=pve, tries=3); delete or split that clone first");
}

TEST(ErrorTest, RendersWithoutWhatIsAbsent) {
  EXPECT_EQ(Error(ErrorCode::kNotFound, "no such disk").Line(), "[not-found] no such disk");
}

TEST(ErrorTest, RendersNoControlCharacters) {
  const Error error =
      Error(ErrorCode::kInternal, "bad\nname").Because("a\r\n\tb").With("k", "\x1b[1m");
  EXPECT_EQ(error.Line(), "[internal] bad name: a b (k= [1m)");
}

TEST(ErrorTest, NeverCutsTheHint) {
  const Error error = Error(ErrorCode::kInternal, std::string(2000, 'x')).Try("the hint");
  EXPECT_TRUE(error.Line().ends_with("; the hint"));
}

TEST(ErrorTest, WrapKeepsTheCauseAsReason) {
  const Error cause = Error(ErrorCode::kNoSpace, "cannot create volume 'v'")
                          .Because("aggregate full")
                          .With("http", "500")
                          .OutcomeUnknown();
  const Error wrapped = cause.Wrap("cannot allocate disk 'd'");
  EXPECT_EQ(wrapped.code(), ErrorCode::kNoSpace);
  EXPECT_EQ(wrapped.sentence(), "cannot allocate disk 'd'");
  EXPECT_EQ(wrapped.reason(), "cannot create volume 'v': aggregate full");
  EXPECT_EQ(wrapped.Fact("http"), "500");
  EXPECT_TRUE(wrapped.outcome_unknown());
}

TEST(ErrorTest, GrowsInPlace) {
  Error error(ErrorCode::kBusy, "a sentence");
  error = std::move(error).Because("a reason");
  error = std::move(error).OutcomeUnknown();
  EXPECT_EQ(error.Line(), "[busy] a sentence: a reason");
  EXPECT_TRUE(error.outcome_unknown());
}

TEST(ErrorTest, AFactThatIsNotThereIsEmpty) {
  EXPECT_EQ(Error(ErrorCode::kBusy, "x").Fact("http"), "");
}

TEST(ErrorTest, EveryCodeHasItsOwnText) {
  std::vector<std::string_view> texts;
  for (int code = 0; code <= static_cast<int>(ErrorCode::kInternal); ++code) {
    const auto text = ToString(static_cast<ErrorCode>(code));
    EXPECT_EQ(std::count(texts.begin(), texts.end(), text), 0) << text;
    texts.push_back(text);
  }
}

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

}  // namespace
}  // namespace ontapnvme
