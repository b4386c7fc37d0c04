// SPDX-License-Identifier: AGPL-3.0-or-later
#include "base/files.h"

#include <gtest/gtest.h>

#include "fakes/temporary_folder.h"

namespace ontapnvme {
namespace {

TEST(FilesTest, WhatWasReplacedIsReadAndForRootOnly) {
  const fakes::TemporaryFolder folder;
  ASSERT_TRUE(ReplaceSmallFile(folder / "file", "one").ok());
  ASSERT_TRUE(ReplaceSmallFile(folder / "file", "two").ok());
  EXPECT_EQ(ReadSmallFile(folder / "file", 3), "two");
  EXPECT_EQ(folder.Mode("file"), 0600U);
  EXPECT_EQ(folder.Count(), 1U) << "nothing half-written is left";
}

TEST(FilesTest, MissingOrTooLargeIsNothing) {
  const fakes::TemporaryFolder folder;
  EXPECT_FALSE(ReadSmallFile(folder / "file", 10).has_value());
  folder.Write("file", "four");
  EXPECT_FALSE(ReadSmallFile(folder / "file", 3).has_value());
  EXPECT_FALSE(ReplaceSmallFile(folder / "no/such/folder", "x").ok());
}

TEST(FilesTest, OnlyLinesWithAKeyCount) {
  const auto lines = ParseLines("a=1\nnothing\n\nb=2=3\nc=");
  EXPECT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines.at("a"), "1");
  EXPECT_EQ(lines.at("b"), "2=3");
  EXPECT_EQ(lines.at("c"), "");
}

}  // namespace
}  // namespace ontapnvme
