// SPDX-License-Identifier: AGPL-3.0-or-later
#include "model/snapshot_name.h"

#include <gtest/gtest.h>

#include <type_traits>

namespace ontapnvme {
namespace {

TEST(SnapshotNameTest, NamesThatProxmoxGivesAreTaken) {
  for (const std::string& text : {std::string("a"), std::string("before"), std::string("Auto_1"),
                                  std::string("_x"), std::string("0"), std::string("a.b-c"),
                                  std::string("__replicate_100-0_1__"), std::string(100, 'x')}) {
    const auto name = SnapshotName::Parse(text);
    ASSERT_TRUE(name.ok()) << text;
    EXPECT_EQ(name->Text(), text);
  }
}

TEST(SnapshotNameTest, WhatCouldMeanSomethingElseIsNoName) {
  for (const std::string& text :
       {std::string(), std::string(101, 'x'), std::string(".a"), std::string("-a"),
        std::string(".."), std::string("a/b"), std::string("../x"), std::string("a@b"),
        std::string("a b"), std::string("a\n"), std::string("\na"), std::string("a\0b", 3),
        std::string("a,b"), std::string("a*"), std::string("a|b"), std::string("a%2F"),
        std::string("ä"), std::string("a\x7f")}) {
    EXPECT_TRUE(FailedWith(SnapshotName::Parse(text), ErrorCode::kInvalidArgument)) << text;
  }
}

TEST(SnapshotNameTest, RefusedNameIsShownOnOneLine) {
  const auto refused = SnapshotName::Parse("a\x1b[2J\nb");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().sentence(), "'a [2J b' is not a name of a snapshot");
}

TEST(SnapshotNameTest, NamesGoToTheArrayAndBack) {
  const auto name = SnapshotName::Parse("before");
  const ArraySnapshotName on_array(*name);
  EXPECT_EQ(on_array.Text(), "pve_snap_before");
  EXPECT_EQ(on_array.OfProxmox(), *name);
  EXPECT_EQ(on_array.Shown(), "before");
  EXPECT_EQ(ArraySnapshotName("pve_snap_before"), on_array);
}

TEST(SnapshotNameTest, LongestNameGoesThereAndBack) {
  const auto name = SnapshotName::Parse(std::string(100, 'x'));
  ASSERT_TRUE(name.ok());
  EXPECT_EQ(ArraySnapshotName(*name).OfProxmox(), *name);
}

TEST(SnapshotNameTest, SnapshotsThatProxmoxDidNotMakeAreShownAsTheyAre) {
  for (const char* text : {"hourly.2026-11-24_0905", "pve_base", "pve_snap", "pve_snapbefore",
                           "PVE_SNAP_before", " pve_snap_before"}) {
    const ArraySnapshotName name(text);
    EXPECT_FALSE(name.OfProxmox().has_value()) << text;
  }
  EXPECT_EQ(ArraySnapshotName("hourly.0").Shown(), "hourly.0");
  EXPECT_EQ(ArraySnapshotName(std::string(kBaseSnapshot)).Shown(), "pve_base");
}

TEST(SnapshotNameTest, WhatTheArraySaysIsCheckedLikeAnArgument) {
  for (const std::string& text :
       {std::string("pve_snap_"), std::string("pve_snap_../x"), std::string("pve_snap_a\nb"),
        std::string("pve_snap_a\0", 11), std::string("pve_snap_.a"), std::string("pve_snap_a/b"),
        "pve_snap_" + std::string(101, 'x')}) {
    EXPECT_FALSE(ArraySnapshotName(text).OfProxmox().has_value()) << text;
  }
  EXPECT_EQ(ArraySnapshotName("pve_snap_a\x1b[2J\nb").Shown(), "pve_snap_a [2J b");
}

TEST(SnapshotNameTest, WhatIsShownAsADeviceHasOneNameEach) {
  for (const auto& [on_array, shown] : {std::pair("pve_snap_before", "before"),
                                        {"hourly.2026-11-24_0905", "~hourly.2026-11-24_0905"},
                                        {"pve_base", "~pve_base"},
                                        {"before", "~before"}}) {
    const auto name = ArraySnapshotName(on_array).AsShown();
    ASSERT_TRUE(name.has_value()) << on_array;
    EXPECT_EQ(name->Text(), shown);
    const auto parsed = SnapshotName::ParseShown(shown);
    ASSERT_TRUE(parsed.ok()) << shown;
    EXPECT_EQ(*parsed, *name);
    EXPECT_EQ(ArraySnapshotName(*name).Text(), on_array);
  }
  for (const std::string& text : {std::string("a b"), std::string("a/b"), std::string("../x"),
                                  std::string(), std::string("~a"), std::string(101, 'x')}) {
    EXPECT_FALSE(ArraySnapshotName(text).AsShown().has_value()) << text;
    EXPECT_FALSE(SnapshotName::ParseShown("~" + text).ok()) << text;
  }
  EXPECT_FALSE(SnapshotName::ParseShown("~pve_snap_before").ok()) << "it is 'before'";
  EXPECT_FALSE(SnapshotName::Parse("~hourly.2026-11-24_0905").ok()) << "no name of Proxmox's";
}

TEST(SnapshotNameTest, NamesOfSchedulesEndInATime) {
  EXPECT_TRUE(ArraySnapshotName("hourly.2026-11-24_0905").IsOfSchedule());
  for (const char* text :
       {"hourly", ".2026-11-24_0905", "hourly.2026-11-24_09051", "hourly.2026-11-24",
        "hourly_2026-11-24_0905", "hourly.2026-11-2x_0905"}) {
    EXPECT_FALSE(ArraySnapshotName(text).IsOfSchedule()) << text;
  }
}

TEST(SnapshotNameTest, TheTwoNamesNeverMix) {
  EXPECT_FALSE((std::is_convertible_v<SnapshotName, ArraySnapshotName>));
  EXPECT_FALSE((std::is_convertible_v<ArraySnapshotName, SnapshotName>));
  EXPECT_FALSE((std::is_convertible_v<std::string, ArraySnapshotName>));
  EXPECT_FALSE((std::is_constructible_v<SnapshotName, std::string>));
}

}  // namespace
}  // namespace ontapnvme
