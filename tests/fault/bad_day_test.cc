// SPDX-License-Identifier: AGPL-3.0-or-later
// Bad days: two nodes of one cluster and one of another share an array, and what can go wrong goes
// wrong, several things at once. Whatever happens, an operation that succeeded has done what it
// says, and one that failed has lost nothing. When the day is over and an hour has passed, all of
// it can be done, every disk and snapshot has its bytes, and nothing else is left.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iostream>

#include "fault/disturbances.h"
#include "fault/proxmox_cluster.h"

namespace ontapnvme::fault {
namespace {

using testing::IsEmpty;

constexpr unsigned kDays = 25;
// Disks have the number of the step that made them; clones take the lowest free ones.
constexpr int kFirstStep = 20;
constexpr int kSteps = 60;
constexpr int kStepsBetweenRests = 15;
constexpr std::size_t kStoryLines = 60;

// Of all days.
struct Tally {
  int operations = 0;
  int disturbed = 0;
  int failures = 0;
  int reboots = 0;
};

class BadDay {
 public:
  BadDay(unsigned seed, Tally& tally);

  void Step(int step);
  // Nothing disturbs for a while: what failed is done.
  void Settle();
  void End();
  std::string Story() const;

 private:
  struct Unsettled {
    ProxmoxCluster* cluster;
    ModelOperation operation;
    std::string why;
  };

  std::size_t Below(std::size_t end) { return random_() % end; }
  std::vector<ProxmoxCluster*> Clusters() { return {&ours_, &theirs_}; }
  void CompareWithArray();
  void TryAgain();
  void Tell(const std::string& line) { story_.push_back(line); }

  TestArray array_;
  std::mt19937 random_;
  ProxmoxCluster ours_;
  ProxmoxCluster theirs_;
  Disturbances disturbances_{array_, random_};
  std::vector<Unsettled> unsettled_;
  std::vector<std::string> story_;
  Tally& tally_;
};

BadDay::BadDay(unsigned seed, Tally& tally)
    : random_(seed),
      ours_(array_, random_, {.nodes = 2, .vms = 4}),
      theirs_(array_, random_,
              {.cluster_id = "99999999-2222-3333-4444-555555555555", .nodes = 1, .vms = 2}),
      tally_(tally) {
  // Whether it does is told by template_test.cc; here a deleted clone frees its parent.
  array_.Set("queued_clones_hold_parent", "no");
  array_.Set("async", Below(2) == 0 ? "always" : "auto");
  array_.Set("empty_groups", Below(2) == 0 ? "vanish" : "stay");
}

void BadDay::Step(int step) {
  auto& cluster = Below(5) == 0 ? theirs_ : ours_;
  cluster.GoTo(Below(cluster.nodes().size()));
  auto& node = cluster.node();
  // The array's times have whole seconds, and snapshots of one second block each other's rollback.
  array_.clock->Advance(std::chrono::seconds(1 + Below(20)));
  if (Below(12) == 0) array_.clock->Advance(std::chrono::minutes(70));  // recovery is due
  disturbances_.Next(cluster);
  // The silence of an array is remembered for a quarter of a minute.
  if (!disturbances_.Any()) array_.clock->Advance(std::chrono::seconds(20));
  const ModelOperation operation = cluster.DrawOperation(step);
  if (operation.name.empty()) return;
  const bool is_disturbed = disturbances_.Any();
  const std::string line = "step " + std::to_string(step) + ", " +
                           (&cluster == &ours_ ? "node " : "other cluster's node ") +
                           std::to_string(cluster.current()) + ": " + operation.name +
                           "; disturbed by " + disturbances_.Describe();
  ++tally_.operations;
  tally_.disturbed += is_disturbed ? 1 : 0;
  // As Proxmox does before each task.
  Status done = node.storage().Activate();
  const bool is_begun = done.ok();
  if (is_begun) done = operation.run();
  Tell(line + (done.ok() ? ": done" : ": " + done.error().Line()));
  if (Below(8) == 0) {
    Tell("the node starts anew");
    node.Reboot();
    ++tally_.reboots;
  } else {
    node.Restart();
  }
  if (done.ok()) {
    cluster.Apply(operation);
  } else {
    ++tally_.failures;
    const bool is_held = FailedWith(done, ErrorCode::kBusy) && cluster.MayShowSnapshots();
    EXPECT_TRUE(is_disturbed || is_held) << done.error().Line();
    EXPECT_EQ(done.error().Line().find('\n'), std::string::npos);
    if (is_begun) {
      cluster.Rest(operation);
      unsettled_.push_back({&cluster, operation, done.error().Line()});
    }
  }
  CompareWithArray();
  cluster.LetGuestsWrite(step);
  if ((step + 1) % kStepsBetweenRests == 0) Settle();
}

void BadDay::CompareWithArray() {
  for (auto* cluster : Clusters()) cluster->CompareWithArray();
  for (const auto& one : unsettled_) one.cluster->ExpectBeforeOrAfter(one.operation);
}

void BadDay::TryAgain() {
  std::vector<Unsettled> failed;
  for (auto& one : unsettled_) {
    one.cluster->GoTo(Below(one.cluster->nodes().size()));
    one.cluster->node().Restart();
    const Status ready = one.cluster->node().storage().Activate();
    EXPECT_TRUE(ready.ok()) << ready.error().Line();
    const Status done = one.operation.run();
    Tell("again: " + one.operation.name + (done.ok() ? ": done" : ": " + done.error().Line()));
    if (done.ok()) {
      one.cluster->Apply(one.operation);
    } else {
      one.why = done.error().Line();
      failed.push_back(std::move(one));
    }
  }
  unsettled_ = std::move(failed);
}

void BadDay::Settle() {
  disturbances_.End();
  array_.clock->Advance(std::chrono::seconds(20));
  for (auto* cluster : Clusters()) cluster->HideSnapshots();
  TryAgain();
  if (!unsettled_.empty()) {
    Tell("an hour passes");
    for (auto* cluster : Clusters()) cluster->Recover();
    TryAgain();
    // Of a snapshot that was taken in part the rest was deleted just now.
    TryAgain();
  }
  for (const auto& one : unsettled_) ADD_FAILURE() << one.operation.name << ": " << one.why;
  for (auto* cluster : Clusters()) cluster->WakeAll();
  CompareWithArray();
  for (auto* cluster : Clusters()) {
    cluster->LetGuestsWrite(kFirstStep - 1);
    cluster->node().Restart();
    cluster->CompareWithStorage();
  }
}

void BadDay::End() {
  Settle();
  if (testing::Test::HasFailure()) return;
  for (auto* cluster : Clusters()) cluster->Recover();
  EXPECT_THAT(array_.Orphans(), IsEmpty());
  std::set<std::string> expected = ours_.FlexVols();
  expected.merge(theirs_.FlexVols());
  std::set<std::string> there;
  for (const auto& volume : array_.sim.world().volumes) {
    if (!volume.is_svm_root) there.insert(volume.name);
  }
  EXPECT_EQ(there, expected);
  CompareWithArray();
  for (auto* cluster : Clusters()) {
    cluster->CompareWithStorage();
    cluster->ExpectSnapshotsHoldTheirBytes();
  }
}

std::string BadDay::Story() const {
  std::string text;
  const std::size_t first = story_.size() > kStoryLines ? story_.size() - kStoryLines : 0;
  for (std::size_t i = first; i < story_.size(); ++i) text += story_[i] + "\n";
  return text;
}

TEST(BadDayTest, NothingIsLostAndNothingIsLeft) {
  Tally tally;
  const auto seeds = SeedList(kDays);
  for (const unsigned seed : seeds) {
    BadDay day(seed, tally);
    for (int i = 0; i < kSteps && !HasFailure(); ++i) day.Step(kFirstStep + i);
    if (!HasFailure()) day.End();
    ASSERT_FALSE(HasFailure()) << "ONTAPNVME_SEED=" << seed << " does it again:\n" << day.Story();
  }
  std::cout << "bad days: " << seeds.size() << " with " << tally.operations << " operations, "
            << tally.disturbed << " disturbed, " << tally.failures << " failed, " << tally.reboots
            << " nodes started anew\n";
}

}  // namespace
}  // namespace ontapnvme::fault
