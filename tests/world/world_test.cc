// SPDX-License-Identifier: AGPL-3.0-or-later
// One life in every position of every switch alone, in pairs that a seed draws, with everything as
// hard as it may be, and on every release.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <random>

#include "base/text.h"
#include "fault/positions.h"
#include "fault/schedule.h"
#include "sim/switches.h"
#include "world/life.h"

namespace ontapnvme::world {
namespace {

using fault::AsTestName;
using fault::Position;
using fault::Positions;

constexpr unsigned kPairs = 12;
constexpr unsigned kOldest = 10;  // 9.10.1
constexpr unsigned kNewest = 19;

class PositionTest : public testing::TestWithParam<Position> {};

// What some switches need to make a difference.
fault::RigOptions Circumstances(const std::string& name, fault::TestArray& array) {
  if (name == "ransomware_locks" || name == "restore_past_newer") array.Set("release", "9.19.1");
  if (name == "late_by_uuid") array.Set("late_listing_ms", "2000");
  if (name == "job_reads") array.Set("job_answers", "later");
  fault::RigOptions options;
  if (name == "group_name_max")
    options.settings = {{"storage_prefix", "t_longer_than_groups_like_"}};
  if (name.starts_with("svm_account")) {
    options.settings = {{"username", "vsadmin"}, {"svm_scoped", "1"}};
  }
  return options;
}

TEST_P(PositionTest, DisksLiveAndLeaveNothing) {
  fault::TestArray array;
  const auto options = Circumstances(GetParam().name, array);
  array.Set(GetParam().name, GetParam().value);
  Life(array, options).Live();
  // What docs/array-behaviour.md says of the price.
  std::cout << GetParam().name << ' ' << GetParam().value << ": " << array.Count() << " requests\n";
}

// What probes tell of it, and that they leave it as it was. Which position each tells where is in
// tests/unit/catalogue/flexvol/qualify_test.cc.
TEST_P(PositionTest, ProbesTellWhatItIsLikeAndLeaveNothing) {
  fault::TestArray array;
  const auto options = Circumstances(GetParam().name, array);
  fault::StorageRig rig(array, options);
  rig.MustAllocate(100);
  array.Set(GetParam().name, GetParam().value);
  const auto before = array.Orphans();
  const auto probes = rig.storage().Probes();
  ASSERT_TRUE(probes.ok());
  EXPECT_FALSE(probes->empty());
  for (const auto& probe : *probes) {
    const auto finding = rig.storage().RunProbe(probe.probe);
    ASSERT_TRUE(finding.ok()) << finding.error().Line();
    auto positions = probe.positions;
    positions.emplace_back("unknown");
    EXPECT_NE(std::find(positions.begin(), positions.end(), finding->position), positions.end())
        << probe.probe << ": " << finding->position;
    std::cout << probe.probe << ' ' << finding->position << ' ' << finding->detail << '\n';
  }
  // The next run takes away what an array did not list in time.
  array.clock->Advance(std::chrono::minutes(1));
  EXPECT_TRUE(rig.storage().RunProbe(probes->front().probe).ok());
  EXPECT_EQ(array.Orphans(), before);
  EXPECT_TRUE(rig.storage().Free("vm-100-disk-0").ok());
}

// Whoever adds a switch says what it means.
TEST(WorldTest, EachPositionIsDescribed) {
  std::ifstream file(ARRAY_BEHAVIOUR);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  for (const auto& row : sim::SwitchRows()) {
    std::string positions;
    for (const auto& position : row.positions) {
      const bool is_initial = position == row.initial;
      AppendTo(positions, ", ", is_initial ? "**" + position + "**" : position);
    }
    const std::string line = "| `" + row.name + "` | " + positions + " |";
    EXPECT_NE(text.find(line), std::string::npos) << "docs/array-behaviour.md lacks: " << line;
  }
}

INSTANTIATE_TEST_SUITE_P(World, PositionTest, testing::ValuesIn(Positions()),
                         [](const auto& position) {
                           return AsTestName(position.param.name + "_" + position.param.value);
                         });

TEST(WorldTest, DisksLiveInPairsOfPositions) {
  const auto positions = Positions();
  for (unsigned seed = 1; seed <= fault::Seeds(kPairs); ++seed) {
    std::mt19937 random(seed);
    fault::TestArray array;
    std::string drawn;
    for (int i = 0; i < 2; ++i) {
      const auto& position = positions[random() % positions.size()];
      array.Set(position.name, position.value);
      drawn += " " + position.name + "=" + position.value;
    }
    SCOPED_TRACE("seed " + std::to_string(seed) + ":" + drawn);
    Life(array).Live();
    if (HasFailure()) return;
  }
}

TEST(WorldTest, DisksLiveWhereEverythingIsHard) {
  fault::TestArray array;
  array.BeHard();
  Life(array).Live();
}

class ReleaseTest : public testing::TestWithParam<unsigned> {};

TEST_P(ReleaseTest, DisksLiveAndLeaveNothing) {
  fault::TestArray array;
  array.Set("release", "9." + std::to_string(GetParam()) + ".1");
  Life(array).Live();
}

TEST_P(ReleaseTest, DisksLiveWhereEverythingIsHard) {
  fault::TestArray array;
  array.Set("release", "9." + std::to_string(GetParam()) + ".1");
  array.BeHard();
  Life(array).Live();
}

INSTANTIATE_TEST_SUITE_P(World, ReleaseTest, testing::Range(kOldest, kNewest + 1),
                         [](const auto& release) {
                           return "ontap_9_" + std::to_string(release.param) + "_1";
                         });

}  // namespace
}  // namespace ontapnvme::world
