// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/volume_details.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pve/ownership.h"
#include "pve/volume_name.h"

namespace ontapnvme::pve {
namespace {

using testing::HasSubstr;

const Ownership kOwner("cluster-a", "tank");

TEST(VolumeDetailsTest, GoIntoTheCommentAndComeBack) {
  const std::string mark = kOwner.Mark(100, "0123456789abcdef");
  VolumeDetails details;
  details.base_name = "base-1-disk-0";
  details.base_snapshot = "pve_base_77";
  details.is_protected = true;
  details.notes = "a b+c%41=\n\"ü\" op=evil details=1 protected=0";
  const auto comment = WithDetails(mark, details);
  ASSERT_TRUE(comment.ok());
  EXPECT_EQ(ReadDetails(*comment), details);
  EXPECT_TRUE(kOwner.IsMadeBy(*comment, "0123456789abcdef")) << "notes do not forge a mark";
  for (const char c : *comment) EXPECT_TRUE(c >= ' ' && c <= '~') << *comment;
}

TEST(VolumeDetailsTest, ReplaceEachOtherAndVanish) {
  const std::string mark = kOwner.Mark(100, "1");
  const auto first = WithDetails(mark, {.notes = "one"});
  const auto second = WithDetails(*first, {.is_protected = true});
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(ReadDetails(*second).notes, "");
  EXPECT_TRUE(ReadDetails(*second).is_protected);
  EXPECT_EQ(*WithDetails(*second, {}), mark);
}

TEST(VolumeDetailsTest, CommentWithoutAMarkTellsNothing) {
  EXPECT_EQ(ReadDetails("made by hand protected=1 notes=x"), VolumeDetails());
  EXPECT_EQ(BaseSnapshotOf("made by hand"), kBaseSnapshot);
}

TEST(VolumeDetailsTest, CommentEditedByHandBreaksNothing) {
  const std::string mark = kOwner.Mark(100, "1") + " details=1 notes=50%+%4 protected=yes";
  EXPECT_EQ(ReadDetails(mark).notes, "50% %4");
  EXPECT_FALSE(ReadDetails(mark).is_protected);
}

TEST(VolumeDetailsTest, TooLongNotesAreRefusedWithTheirExcess) {
  const std::string mark = kOwner.Mark(100, "1");
  const auto refused = WithDetails(mark, {.notes = std::string(1023, 'x')});
  ASSERT_TRUE(FailedWith(refused, ErrorCode::kInvalidArgument));
  EXPECT_THAT(refused.error().Line(), HasSubstr("too_many_characters="));
}

}  // namespace
}  // namespace ontapnvme::pve
