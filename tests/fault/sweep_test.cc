// SPDX-License-Identifier: AGPL-3.0-or-later
// Every operation, with every single one of its requests going wrong in every way. Whatever fails:
// nothing is left half-made, no other disk is touched, the error is one line, and the same
// operation then succeeds. Each sweep goes on until an undisturbed run ends it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <string>

#include "fault/fault_list.h"
#include "fault/sweep_operations.h"

namespace ontapnvme::fault {
namespace {

using testing::IsEmpty;

constexpr int kRequestsMax = 80;  // a runaway sweep fails instead of hanging

const char* SuffixOf(Kind kind) {
  switch (kind) {
    case Kind::kUsual:
      return "";
    case Kind::kWithJobs:
      return "_with_jobs";
    case Kind::kHard:
      return "_on_a_hard_array";
  }
  return "";
}

// Every kind of fault on the usual array; with jobs, and on a hard array, which is asked about twice as
// much, each third and fifth.
std::vector<Fault> FaultsOn(Kind kind, std::size_t operation) {
  const std::size_t step = kind == Kind::kHard ? 5 : kind == Kind::kWithJobs ? 3 : 1;
  return FaultsByStep(step, operation);
}

// What the hourly look for left-overs puts right: a disk outside its group, which the task said, and a
// group without members, of which a task knows nothing when the answer that told of it was lost.
void SettleGroups(SweptWorld& world, const std::vector<LogRecord>& log) {
  const bool is_told = std::any_of(log.begin(), log.end(), [](const auto& record) {
    return record.text.find("consistency group") != std::string::npos;
  });
  const auto orphans = world.array.Orphans();
  const bool is_only_groups = std::all_of(orphans.begin(), orphans.end(), [](const auto& line) {
    return line.starts_with("empty group") || line.starts_with("group with a deleted volume");
  });
  if (orphans.empty() || !(is_told || is_only_groups)) return;
  world.array.clock->Advance(std::chrono::minutes(70));
  world.rig.MustAllocate(901);
}

// On a hard array undoing needs requests of its own, which may be those that fail: what is left then
// has its mark, and the hourly look for left-overs settles it. Not a deleted volume that stays listed
// in its group: the group is whole without it, and goes with its last disk.
std::vector<std::string> OrphansOnAHardArray(SweptWorld& world) {
  for (int hour = 0; hour < 2; ++hour) {
    world.array.clock->Advance(std::chrono::minutes(70));
    world.rig.Restart();
    EXPECT_TRUE(world.rig.storage().Free("vm-901-disk-9").ok());
  }
  auto orphans = world.array.Orphans();
  std::erase_if(orphans,
                [](const auto& line) { return line.starts_with("group with a deleted volume"); });
  return orphans;
}

// The last line that this program prints.
class Totals : public testing::Environment {
 public:
  void Add(int points) {
    ++operations_;
    points_ += points;
  }
  void TearDown() override {
    if (operations_ == 0) return;
    std::cout << "sweep: in all " << operations_ << " operations, " << Faults().size()
              << " kinds of fault, " << points_ << " points kept all promises\n";
  }

 private:
  int operations_ = 0;
  int points_ = 0;
};
auto* const totals = static_cast<Totals*>(testing::AddGlobalTestEnvironment(new Totals));

class SweepTest : public testing::TestWithParam<std::tuple<std::size_t, Kind>> {};

TEST_P(SweepTest, KeepsItsPromisesWhicheverRequestFails) {
  const auto& [index, kind_of_array] = GetParam();
  const Operation& operation = Operations()[index];
  int points = 0;
  for (const Fault& fault : FaultsOn(kind_of_array, index)) {
    for (int nth = 1;; ++nth) {
      ASSERT_LE(nth, kRequestsMax) << "the sweep never ran clean";
      SCOPED_TRACE(std::string(operation.name) + ", request " + std::to_string(nth) + ": " +
                   fault.name);
      SweptWorld world(kind_of_array);
      operation.prepare(world);
      world.Later();
      auto rule = fault.rule;
      rule["nth"] = nth;
      world.array.AddFault(rule);
      Status outcome = operation.run(world);
      const bool fired = world.array.FaultFired();
      world.array.ClearFaults();
      if (!fired) {
        ASSERT_TRUE(outcome.ok()) << outcome.error().Line();
        world.Later();
        operation.expect_done(world);
        break;
      }
      ++points;
      if (!outcome.ok()) {
        const std::string line = outcome.error().Line();
        EXPECT_EQ(line.find('\n'), std::string::npos);
        EXPECT_EQ(line.find("secret"), std::string::npos) << line;
        EXPECT_NE(outcome.error().code(), ErrorCode::kInterrupted) << line;
      }
      const auto log = world.rig.storage().TakeLog();
      world.rig.Restart();  // the task is over; another one looks at what it left
      world.Later();
      world.ExpectBystanderUntouched();
      Status again = outcome.ok() ? Status() : operation.run(world);
      EXPECT_TRUE(again.ok()) << "repeated: " << again.error().Line() << " after "
                              << outcome.error().Line();
      world.Later();
      if (again.ok()) operation.expect_done(world);
      SettleGroups(world, log);
      EXPECT_THAT(kind_of_array == Kind::kHard ? OrphansOnAHardArray(world) : world.array.Orphans(),
                  IsEmpty());
      if (HasFailure()) return;
    }
  }
  totals->Add(points);
  std::cout << "sweep: " << operation.name << SuffixOf(kind_of_array) << ": " << points
            << " points kept all promises\n";
}

INSTANTIATE_TEST_SUITE_P(Operations, SweepTest,
                         testing::Combine(testing::Range(std::size_t{0}, Operations().size()),
                                          testing::Values(Kind::kUsual, Kind::kWithJobs,
                                                          Kind::kHard)),
                         [](const auto& tested) {
                           return std::string(Operations()[std::get<0>(tested.param)].name) +
                                  SuffixOf(std::get<1>(tested.param));
                         });

// From the nth request on nothing leaves this process any more, undoing included: as if it had been
// killed there.
class KilledTest : public testing::TestWithParam<std::size_t> {};

TEST_P(KilledTest, NextTaskSettlesWhatItLeft) {
  const Operation& operation = Operations()[GetParam()];
  const std::string_view kind = operation.name;
  for (int nth = 1;; ++nth) {
    ASSERT_LE(nth, kRequestsMax) << "the sweep never ran clean";
    SCOPED_TRACE(std::string(operation.name) + ", killed before request " + std::to_string(nth));
    SweptWorld world(Kind::kUsual);
    operation.prepare(world);
    world.array.AddFault({{"drop_before", true}, {"nth", nth}, {"times", -1}});
    const Status outcome = operation.run(world);
    const bool fired = world.array.FaultFired();
    world.array.ClearFaults();
    if (!fired) {
      ASSERT_TRUE(outcome.ok()) << outcome.error().Line();
      std::cout << "killed: " << operation.name << ": " << nth - 1 << " points settled\n";
      return;
    }
    world.rig.Restart();
    world.ExpectBystanderUntouched();
    if (kind.starts_with("allocate") || kind == "import" || kind.starts_with("clone")) {
      // Half a disk is never handed out under that name; removing it by its name takes all there is
      // of it.
      const auto freed =
          world.rig.storage().Free(kind.starts_with("clone") ? "vm-200-disk-0" : "vm-100-disk-0");
      ASSERT_TRUE(freed.ok()) << freed.error().Line();
      EXPECT_THAT(world.array.Orphans(), IsEmpty());
    }
    world.Later();
    const Status again = operation.run(world);
    ASSERT_TRUE(again.ok()) << again.error().Line();
    operation.expect_done(world);
    // What no operation comes by again is settled after an hour.
    world.array.clock->Advance(std::chrono::minutes(70));
    world.rig.MustAllocate(901);
    EXPECT_THAT(world.array.Orphans(), IsEmpty());
  }
}

INSTANTIATE_TEST_SUITE_P(Operations, KilledTest,
                         testing::Range(std::size_t{0}, Operations().size()),
                         [](const auto& tested) {
                           return std::string(Operations()[tested.param].name);
                         });

}  // namespace
}  // namespace ontapnvme::fault
