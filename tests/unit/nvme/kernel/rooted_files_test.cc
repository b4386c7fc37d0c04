// SPDX-License-Identifier: AGPL-3.0-or-later
#include "nvme/kernel/rooted_files.h"

#include <gtest/gtest.h>

#include "fakes/sysfs_tree.h"

namespace ontapnvme::nvme {
namespace {

class RootedFilesTest : public testing::Test {
 protected:
  SysfsTree tree_;
  RootedFiles files_{tree_.Path("")};
};

TEST_F(RootedFilesTest, GivesAnAttributeWithoutItsTrailingBlanks) {
  tree_.Write("state", "live  \n");
  EXPECT_EQ(files_.Attribute("state"), "live");
  tree_.Write("empty", "");
  EXPECT_EQ(files_.Attribute("empty"), "");
  EXPECT_EQ(files_.Attribute("missing"), std::nullopt);
}

TEST_F(RootedFilesTest, RefusesWhatNoAttributeCanBe) {
  tree_.Write("huge", std::string(4097, 'x'));
  tree_.Write("page", std::string(4096, 'x'));
  tree_.Write("nul", std::string("li\0ve", 5));
  EXPECT_EQ(files_.Attribute("huge"), std::nullopt);
  EXPECT_EQ(files_.Attribute("page")->size(), 4096U);
  EXPECT_EQ(files_.Attribute("nul"), std::nullopt);
  EXPECT_EQ(files_.Attribute("sys"), std::nullopt) << "a folder";
}

TEST_F(RootedFilesTest, ReadsNumbersWholeOrNotAtAll) {
  tree_.Write("size", "2097152\n");
  EXPECT_EQ(files_.Number("size"), 2097152U);
  for (const char* odd : {"", "-1", "12 34", "0x10", "99999999999999999999999"}) {
    tree_.Write("odd", odd);
    EXPECT_EQ(files_.Number("odd"), std::nullopt) << odd;
  }
}

TEST_F(RootedFilesTest, TellsAbsentFromUnreadable) {
  EXPECT_TRUE(FailedWith(files_.List("missing"), ErrorCode::kNotFound));
  EXPECT_TRUE(FailedWith(files_.Text("missing", 10), ErrorCode::kNotFound));
  tree_.Write("long", "0123456789A");
  EXPECT_TRUE(FailedWith(files_.Text("long", 10), ErrorCode::kInternal));
  tree_.Link("loop", "loop");
  EXPECT_TRUE(FailedWith(files_.Text("loop", 10), ErrorCode::kInternal));
}

TEST_F(RootedFilesTest, NeverCreatesWhatItIsToWrite) {
  EXPECT_TRUE(FailedWith(files_.Write("missing", "1"), ErrorCode::kNotFound));
  EXPECT_FALSE(files_.Exists("missing"));
  tree_.Write("present", "");
  EXPECT_TRUE(files_.Write("present", "1").ok());
  EXPECT_EQ(tree_.Read("present"), "1");
}

TEST_F(RootedFilesTest, CountsItsOperations) {
  const auto before = files_.operations();
  (void)files_.Attribute("a");
  (void)files_.Link("b");
  (void)files_.Exists("c");
  EXPECT_EQ(files_.operations() - before, 3U);
}

}  // namespace
}  // namespace ontapnvme::nvme
