// SPDX-License-Identifier: AGPL-3.0-or-later
#include "ontap/release.h"

#include <gtest/gtest.h>

namespace ontapnvme::ontap {
namespace {

TEST(ReleaseTest, ReadsWhatItWrites) {
  const auto release = Release::Parse("9.16.1");
  ASSERT_TRUE(release);
  EXPECT_EQ(*release, (Release{9, 16, 1}));
  EXPECT_EQ(release->Text(), "9.16.1");
}

TEST(ReleaseTest, ComparesByNumberAndNotByText) {
  EXPECT_LT(*Release::Parse("9.9.1"), *Release::Parse("9.10.1"));
  EXPECT_LT(*Release::Parse("9.12.0"), *Release::Parse("9.12.1"));
  EXPECT_LT(*Release::Parse("9.19.1"), *Release::Parse("10.0.0"));
}

TEST(ReleaseTest, RefusesEverythingElse) {
  for (const char* text : {"", "9", "9.16", "9.16.", "9.16.1.", "9.16.1P2", " 9.16.1", "9..1",
                           "9.16.-1", "v9.16.1", "9.99999999999999.1", "9.+1.1"}) {
    EXPECT_FALSE(Release::Parse(text)) << text;
  }
}

}  // namespace
}  // namespace ontapnvme::ontap
