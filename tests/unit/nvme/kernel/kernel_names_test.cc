// SPDX-License-Identifier: AGPL-3.0-or-later
#include "nvme/kernel/kernel_names.h"

#include <gtest/gtest.h>

namespace ontapnvme::nvme {
namespace {

TEST(KernelNamesTest, AcceptsHeadsAndNothingElse) {
  const auto head = ParseHeadName("nvme12n345");
  ASSERT_TRUE(head.has_value());
  EXPECT_EQ(head->subsystem, 12U);
  EXPECT_EQ(head->head, 345U);
  for (const char* other :
       {"nvme0c1n2", "nvme0n1p1", "nvme0", "ng0n1", "nvme0n", "nvmen1", "sda", "", "nvme0n1 ",
        "nvme-subsys0", "nvme99999999999999n1", "nvme-1n1", "nvme0n+1", "xnvme0n1"}) {
    EXPECT_FALSE(ParseHeadName(other).has_value()) << other;
  }
}

TEST(KernelNamesTest, AcceptsControllersAndNothingElse) {
  EXPECT_EQ(ParseControllerName("nvme7"), 7U);
  for (const char* other : {"nvme0n1", "nvme", "nvme0c1n1", "nvme-fabrics", "nvme0 "}) {
    EXPECT_FALSE(ParseControllerName(other).has_value()) << other;
  }
}

TEST(KernelNamesTest, NamesTheHiddenDiskOfAController) {
  EXPECT_EQ(PathName({0, 63}, 5), "nvme0c5n63");
}

TEST(KernelNamesTest, KnowsPartitionsOfADiskFromThoseOfItsNeighbour) {
  EXPECT_TRUE(IsPartitionOf("nvme0n1p1", "nvme0n1"));
  EXPECT_FALSE(IsPartitionOf("nvme0n11", "nvme0n1"));
  EXPECT_FALSE(IsPartitionOf("nvme0n11p1", "nvme0n1"));
  EXPECT_FALSE(IsPartitionOf("nvme0n1p", "nvme0n1"));
  EXPECT_FALSE(IsPartitionOf("power", "nvme0n1"));
}

}  // namespace
}  // namespace ontapnvme::nvme
