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
            "cannot delete disk 'vm-100-disk-0': snapshot 'daily' is the parent of a FlexClone; "
            "delete or split that clone first [busy, svm=pve, tries=3]");
  EXPECT_EQ(error.Plain(),
            "cannot delete disk 'vm-100-disk-0': snapshot 'daily' is the parent of a FlexClone; "
            "delete or split that clone first");
}

TEST(ErrorTest, RendersWithoutWhatIsAbsent) {
  EXPECT_EQ(Error(ErrorCode::kNotFound, "no such disk").Line(), "no such disk [not-found]");
}

TEST(ErrorTest, RendersNoControlCharacters) {
  const Error error =
      Error(ErrorCode::kInternal, "bad\nname").Because("a\r\n\tb").With("k", "\x1b[1m");
  EXPECT_EQ(error.Line(), "bad name: a b [internal, k= [1m]");
}

TEST(ErrorTest, NeverCutsTheHintNorTheCode) {
  const Error error = Error(ErrorCode::kInternal, std::string(2000, 'x')).Try("the hint");
  EXPECT_TRUE(error.Line().ends_with("; the hint [internal]"));
}

TEST(ErrorTest, WrapKeepsTheCauseAsReason) {
  const Error cause = Error(ErrorCode::kNoSpace, "cannot create volume 'v'")
                          .Because("aggregate full")
                          .With("http", "500")
                          .From({.http_status = 500, .array_code = 1245212})
                          .OutcomeUnknown();
  const Error wrapped = cause.Wrap("cannot allocate disk 'd'");
  EXPECT_EQ(wrapped.code(), ErrorCode::kNoSpace);
  EXPECT_EQ(wrapped.sentence(), "cannot allocate disk 'd'");
  EXPECT_EQ(wrapped.reason(), "cannot create volume 'v': aggregate full");
  EXPECT_EQ(wrapped.Fact("http"), "500");
  EXPECT_EQ(wrapped.origin().http_status, 500);
  EXPECT_EQ(wrapped.origin().array_code, 1245212U);
  EXPECT_TRUE(wrapped.outcome_unknown());
}

TEST(ErrorTest, GrowsInPlace) {
  Error error(ErrorCode::kBusy, "a sentence");
  error = std::move(error).Because("a reason");
  error = std::move(error).OutcomeUnknown();
  EXPECT_EQ(error.Line(), "a sentence: a reason [busy]");
  EXPECT_TRUE(error.outcome_unknown());
}

TEST(ErrorTest, AnAssignmentKeepsTheOrigin) {
  Error error(ErrorCode::kBusy, "a sentence");
  EXPECT_EQ(error.origin().http_status, 0);
  EXPECT_FALSE(error.origin().array_code);
  EXPECT_EQ(error.origin().refusal, Refusal::kNone);
  error = Error(ErrorCode::kBusy, "another").From({.refusal = Refusal::kHeldByClones});
  EXPECT_EQ(error.origin().refusal, Refusal::kHeldByClones);
  error = std::move(error).Because("a reason");
  EXPECT_EQ(error.origin().refusal, Refusal::kHeldByClones);
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

}  // namespace
}  // namespace ontapnvme
