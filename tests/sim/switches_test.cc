// SPDX-License-Identifier: AGPL-3.0-or-later
#include "switches.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <stdexcept>

namespace ontapnvme::sim {
namespace {

TEST(SwitchesTest, EachRowIsWhole) {
  std::set<std::string> names;
  for (const SwitchRow& row : SwitchRows()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_GE(row.positions.size(), 2U) << row.name;
    EXPECT_EQ(std::count(row.positions.begin(), row.positions.end(), row.initial), 1) << row.name;
    EXPECT_FALSE(row.evidence.empty()) << row.name;
  }
}

TEST(SwitchesTest, RowsStandInTheOrderOfTheirNames) {
  const auto is_before = [](const SwitchRow& a, const SwitchRow& b) { return a.name < b.name; };
  EXPECT_TRUE(std::is_sorted(SwitchRows().begin(), SwitchRows().end(), is_before));
}

TEST(SwitchesTest, SwitchStandsWhereItWasPut) {
  Switches switches;
  EXPECT_TRUE(switches.Is("restore_mapped", FindSwitchRow("restore_mapped")->initial));
  switches.Set("restore_mapped", "refuse");
  EXPECT_TRUE(switches.Is("restore_mapped", "refuse"));
  EXPECT_FALSE(switches.Is("restore_mapped", "take"));
  switches.Set("group_name_max", "30");
  EXPECT_EQ(switches.Number("group_name_max"), 30);
}

TEST(SwitchesTest, MisspeltNamesAndPositionsAreNoticed) {
  Switches switches;
  EXPECT_THROW((void)switches.Is("restore-mapped", "take"), std::logic_error);
  EXPECT_THROW((void)switches.Is("restore_mapped", "allow"), std::logic_error);
  EXPECT_THROW(switches.Set("restore_mapped", "allow"), std::invalid_argument);
  EXPECT_THROW(switches.Set("restoring", "take"), std::invalid_argument);
}

}  // namespace
}  // namespace ontapnvme::sim
