// SPDX-License-Identifier: AGPL-3.0-or-later
#include "ontap/query_value.h"

#include <gtest/gtest.h>

namespace ontapnvme::ontap {
namespace {

TEST(LiteralFilterTest, LeavesPlainNames) {
  EXPECT_EQ(LiteralFilter("pve_vm_100_disk_0"), "pve_vm_100_disk_0");
  EXPECT_EQ(LiteralFilter("svm-1.example"), "svm-1.example");
}

TEST(LiteralFilterTest, QuotesWhatWouldBeAnOperator) {
  EXPECT_EQ(LiteralFilter("a*"), "\"a*\"");
  EXPECT_EQ(LiteralFilter("a|b"), "\"a|b\"");
  EXPECT_EQ(LiteralFilter("!a"), "\"!a\"");
  EXPECT_EQ(LiteralFilter("a..b"), "\"a..b\"");
  EXPECT_EQ(LiteralFilter("<5"), "\"<5\"");
  EXPECT_EQ(LiteralFilter("null"), "\"null\"");
  EXPECT_EQ(LiteralFilter(""), "\"\"");
}

TEST(LiteralFilterTest, WrapsQuotesThemselves) {
  EXPECT_EQ(LiteralFilter("a\"b"), "a{\"}b");
  EXPECT_EQ(LiteralFilter("{x}*"), "{{}x{}}{*}");
}

TEST(AnyOfFilterTest, SeparatesLiterals) {
  EXPECT_EQ(AnyOfFilter({"a", "b|c"}), "a|\"b|c\"");
  EXPECT_EQ(AnyOfFilter({}), "");
}

TEST(PatternFilterTest, KeepsWildcardsAndAlternatives) {
  EXPECT_EQ(PatternFilter("pve_vm_*|pve_base_*"), "pve_vm_*|pve_base_*");
  EXPECT_EQ(PatternFilter("a!*"), "a{!}*");
}

TEST(PatternFilterTest, TakesTheRestLiterally) {
  EXPECT_EQ(PatternFilter("null"), "\"null\"");
  EXPECT_EQ(PatternFilter("plain"), "plain");
}

}  // namespace
}  // namespace ontapnvme::ontap
