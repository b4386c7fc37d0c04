// SPDX-License-Identifier: AGPL-3.0-or-later
// Random walks through the life of disks on one node, with single faults now and then. After an
// error what was before is there, or what was asked for; after a second try the latter.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iostream>

#include "fault/fault_list.h"
#include "fault/proxmox_cluster.h"

namespace ontapnvme::fault {
namespace {

using testing::IsEmpty;

constexpr unsigned kWalks = 8;
constexpr int kSteps = 80;

// Of all walks.
struct Tally {
  int operations = 0;
  int faults = 0;
  int failures = 0;
};

class Walk {
 public:
  Walk(unsigned seed, Tally& tally) : random_(seed), tally_(tally) {
    // Whether it does is told by template_test.cc; here a deleted clone frees its parent.
    array_.Set("queued_clones_hold_parent", "no");
    array_.Set("async", seed % 2 == 0 ? "always" : "auto");
  }

  void Step(int step);
  void End();

 private:
  std::size_t Below(std::size_t end) { return random_() % end; }
  std::string AddFault();

  TestArray array_;
  std::mt19937 random_;
  ProxmoxCluster cluster_{array_, random_, {}};
  Tally& tally_;
};

std::string Walk::AddFault() {
  if (Below(3) != 0) return "none";
  const Fault& fault = Faults()[Below(Faults().size())];
  auto rule = fault.rule;
  rule["nth"] = 1 + Below(9);
  array_.AddFault(rule);
  return std::string(fault.name) + " at " + rule["nth"].dump();
}

void Walk::Step(int step) {
  const ModelOperation operation = cluster_.DrawOperation(step);
  if (operation.name.empty()) return;
  SCOPED_TRACE("step " + std::to_string(step) + ": " + operation.name);
  // The array's times have whole seconds, and snapshots of one second block each other's rollback.
  array_.clock->Advance(std::chrono::seconds(1));
  if (Below(12) == 0) array_.clock->Advance(std::chrono::minutes(70));  // recovery is due
  SCOPED_TRACE("fault: " + AddFault());
  const Status first = operation.run();
  const bool fired = array_.FaultFired();
  ++tally_.operations;
  tally_.faults += fired ? 1 : 0;
  array_.ClearFaults();
  cluster_.node().Restart();  // each is a task of its own
  if (!first.ok()) {
    ASSERT_TRUE(fired) << first.error().Line();
    ASSERT_EQ(first.error().Line().find('\n'), std::string::npos);
    ++tally_.failures;
    cluster_.ExpectBeforeOrAfter(operation);
    const Status second = operation.run();
    ASSERT_TRUE(second.ok()) << second.error().Line() << " after " << first.error().Line();
    cluster_.node().Restart();
  }
  cluster_.Apply(operation);
  cluster_.CompareWithArray();
  cluster_.LetGuestsWrite(step);
  cluster_.CompareWithStorage();
}

void Walk::End() {
  cluster_.Recover();
  EXPECT_THAT(array_.Orphans(), IsEmpty());
  cluster_.CompareWithStorage();
  cluster_.ExpectSnapshotsHoldTheirBytes();
}

TEST(LifecycleWalkTest, ArrayIsWhatTheModelSays) {
  Tally tally;
  const auto seeds = SeedList(kWalks);
  for (const unsigned seed : seeds) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Walk walk(seed, tally);
    for (int step = 0; step < kSteps; ++step) {
      walk.Step(step);
      if (HasFailure()) return;
    }
    walk.End();
    if (HasFailure()) return;
  }
  std::cout << "walks: " << seeds.size() << " with " << tally.operations << " operations, "
            << tally.faults << " faults, " << tally.failures << " first tries that failed\n";
}

}  // namespace
}  // namespace ontapnvme::fault
