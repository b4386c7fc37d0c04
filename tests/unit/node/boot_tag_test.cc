// SPDX-License-Identifier: AGPL-3.0-or-later
#include "node/boot_tag.h"

#include <gtest/gtest.h>

namespace ontapnvme::node {
namespace {

TEST(BootTagTest, StaysTheSameAsLongAsTheNodeRuns) {
  EXPECT_EQ(BootTag().size(), 8U);
  EXPECT_EQ(BootTag(), BootTag());
  EXPECT_EQ(BootTag().find_first_not_of("0123456789abcdef"), std::string::npos);
}

}  // namespace
}  // namespace ontapnvme::node
