// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/found.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace ontapnvme::catalogue {
namespace {

const Error kSilence(ErrorCode::kUnavailable, "no answer");
const Error kNotThere(ErrorCode::kNotFound, "there is no such thing");

TEST(FoundTest, EachAnswerIsExactlyOneOfThree) {
  const Found<std::string> present(std::string("it"));
  EXPECT_TRUE(present.is_present() && !present.is_absent() && !present.is_unknown());
  const auto absent = Found<std::string>::Absent();
  EXPECT_TRUE(!absent.is_present() && absent.is_absent() && !absent.is_unknown());
  const Found<std::string> unknown(kSilence);
  EXPECT_TRUE(!unknown.is_present() && !unknown.is_absent() && unknown.is_unknown());
}

TEST(FoundTest, RecordAndReasonAreAsGiven) {
  Found<std::string> present(std::string("it"));
  EXPECT_EQ(*present, "it");
  EXPECT_EQ(present->size(), 2U);
  *present += "self";
  EXPECT_EQ(*present, "itself");
  EXPECT_EQ(Found<std::string>(kSilence).reason().sentence(), "no answer");
}

TEST(FoundTest, EmptyRecordIsPresent) {
  EXPECT_TRUE(Found<std::string>(std::string()).is_present());
  EXPECT_TRUE(Found<int>(0).is_present());
}

TEST(FoundTest, RequiredRecordIsMovedOut) {
  auto required = Found<std::unique_ptr<int>>(std::make_unique<int>(7)).Require(kNotThere);
  ASSERT_TRUE(required.ok());
  EXPECT_EQ(**required, 7);
}

// Unknown must never pass for absent, nor the other way round.
TEST(FoundTest, WhatIsRequiredFailsAsAbsentOrAsUnknown) {
  EXPECT_TRUE(FailedWith(Found<int>::Absent().Require(kNotThere), ErrorCode::kNotFound));
  EXPECT_TRUE(FailedWith(Found<int>(kSilence).Require(kNotThere), ErrorCode::kUnavailable));
}

}  // namespace
}  // namespace ontapnvme::catalogue
