// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/ownership.h"

#include <gtest/gtest.h>

namespace ontapnvme::pve {
namespace {

TEST(OwnershipTest, MarkTellsOwnerAndOperation) {
  const Ownership ours("cluster-a", "tank");
  const std::string mark = ours.Mark(100, "0123456789abcdef");
  EXPECT_EQ(ours.Judge(mark), Owner::kOurs);
  EXPECT_TRUE(ours.IsMadeBy(mark, "0123456789abcdef"));
  EXPECT_FALSE(ours.IsMadeBy(mark, "0123456789abcde0"));
  EXPECT_LE(mark.size(), 254U) << "a namespace's comment holds no more";
}

TEST(OwnershipTest, OtherClusterAndOtherStorageAreForeign) {
  const std::string mark = Ownership("cluster-a", "tank").Mark(100, "1");
  EXPECT_EQ(Ownership("cluster-b", "tank").Judge(mark), Owner::kForeign);
  EXPECT_EQ(Ownership("cluster-a", "tank2").Judge(mark), Owner::kForeign);
  EXPECT_EQ(Ownership("cluster-a", "tan").Judge(mark), Owner::kForeign);
}

TEST(OwnershipTest, UnmarkedObjectsComeFromOlderInstallations) {
  const Ownership ours("cluster-a", "tank");
  EXPECT_EQ(ours.Judge(""), Owner::kUnmarked);
  EXPECT_EQ(ours.Judge("made by hand"), Owner::kUnmarked);
}

TEST(OwnershipTest, ClusterWithoutIdOwnsNothingMarked) {
  const Ownership nobody("", "tank");
  EXPECT_EQ(nobody.Judge(nobody.Mark(100, "1")), Owner::kForeign);
}

TEST(OwnershipTest, OperationIdsDiffer) {
  EXPECT_EQ(NewOperationId().size(), 16U);
  EXPECT_NE(NewOperationId(), NewOperationId());
}

TEST(OwnershipTest, ShortTagDependsOnClusterAndStorage) {
  const std::string tag = Ownership("a", "tank").ShortTag();
  EXPECT_EQ(tag.size(), 8U);
  EXPECT_EQ(tag, Ownership("a", "tank").ShortTag());
  EXPECT_NE(tag, Ownership("b", "tank").ShortTag());
  EXPECT_NE(tag, Ownership("a", "tonk").ShortTag());
}

}  // namespace
}  // namespace ontapnvme::pve
