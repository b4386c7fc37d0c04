// SPDX-License-Identifier: AGPL-3.0-or-later
#include "base/byte_count.h"

#include <gtest/gtest.h>

namespace ontapnvme {
namespace {

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

TEST(ByteCountTest, RoundsUpToBlocks) {
  EXPECT_EQ(ByteCount{0}.RoundUp(4096), ByteCount{0});
  EXPECT_EQ(ByteCount{1}.RoundUp(4096), ByteCount{4096});
  EXPECT_EQ(ByteCount{4096}.RoundUp(4096), ByteCount{4096});
  EXPECT_EQ(ByteCount{540672}.RoundUp(1 << 20), MiB(1));
}

TEST(ByteCountTest, SaturatesInsteadOfWrapping) {
  const ByteCount rounded = ByteCount{kMost}.RoundUp(4096);
  EXPECT_EQ(rounded.bytes() % 4096, 0U);
  EXPECT_GT(rounded, GiB(1));
}

TEST(ByteCountTest, RefusesKibibytesThatDoNotFit) {
  EXPECT_EQ(*FromKiB(4), ByteCount{4096});
  EXPECT_TRUE(FromKiB(kMost >> 10U).ok());
  EXPECT_TRUE(FailedWith(FromKiB((kMost >> 10U) + 1), ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace ontapnvme
