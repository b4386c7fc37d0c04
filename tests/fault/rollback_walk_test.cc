// SPDX-License-Identifier: AGPL-3.0-or-later
// Back and forth among the snapshots of a VM: a model knows the bytes of each disk in each snapshot.
// Snapshots of schedules and of the array's protection come in between, and one request of each
// rollback fails now and then. After a failure each disk has its old bytes or the snapshot's, and the
// same rollback, tried again, ends with the snapshot's; no snapshot is lost on the way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "fault/fault_list.h"
#include "fault/schedule.h"
#include "fault/storage_rig.h"

namespace ontapnvme::fault {
namespace {

using testing::AnyOf;
using testing::IsEmpty;
using testing::IsSupersetOf;

constexpr unsigned kWalks = 40;
constexpr int kSteps = 24;
constexpr std::size_t kShotsMax = 4;

using Contents = std::map<std::string, std::string>;  // by disk

class RollbackWalk {
 public:
  explicit RollbackWalk(unsigned seed) : random_(seed), rig_(array_) {
    // Whether a deleted clone holds its parent is told by template_test.cc.
    array_.Set("queued_clones_hold_parent", "no");
    array_.Set("release", seed % 2 == 0 ? "9.18.1" : "9.16.1");
    array_.Set("async", seed % 3 == 0 ? "always" : "auto");
    EXPECT_TRUE(storage().Activate().ok());
    for (const char* name : {"vm-100-disk-0", "vm-100-disk-1", "vm-100-cloudinit"}) {
      rig_.MustAllocate(100, name);
      Write(name);
    }
  }

  void Walk();

 private:
  pve::Storage& storage() { return rig_.storage(); }
  std::size_t Below(std::size_t end) { return random_() % end; }
  template <typename Map>
  auto Any(Map& map) {
    return std::next(map.begin(), static_cast<std::ptrdiff_t>(Below(map.size())));
  }
  std::string AnyDisk() { return Any(contents_)->first; }
  // A new task, some time later.
  void NextTask() {
    array_.clock->Advance(std::chrono::seconds(40 + static_cast<int>(Below(400))));
    rig_.Restart();
  }
  void Write(const std::string& disk) {
    contents_[disk] = "v" + std::to_string(++last_);
    rig_.Write(disk, contents_[disk]);
  }
  void ExpectContents() {
    for (const auto& [disk, content] : contents_) EXPECT_EQ(rig_.Content(disk), content) << disk;
  }
  std::multiset<std::string> SnapshotsOnTheArray() {
    std::multiset<std::string> names;
    for (const auto& one : array_.sim.world().snapshots) {
      const auto* volume = array_.sim.world().volumes.Find(one.volume_uuid);
      const bool is_ours = volume != nullptr && volume->name.starts_with("t_vm_100_");
      if (is_ours) names.insert(volume->name + "@" + one.name);
    }
    return names;
  }

  void Snapshot();
  void OthersTakeOne();
  void DeleteSnapshot();
  void Clone();
  void RollBack();
  Status RollBackOnce(const std::string& snapshot);

  std::mt19937 random_;
  TestArray array_;
  StorageRig rig_;
  Contents contents_;
  std::map<std::string, Contents> shots_;
  int last_ = 0;
};

void RollbackWalk::Snapshot() {
  if (shots_.size() == kShotsMax) return DeleteSnapshot();
  const std::string name = "s" + std::to_string(++last_);
  for (const auto& [disk, content] : contents_) {
    const auto taken = storage().CreateSnapshot(disk, name);
    ASSERT_TRUE(taken.ok()) << taken.error().Line();
  }
  shots_[name] = contents_;
}

// A schedule, or the protection, which takes its own as time goes by.
void RollbackWalk::OthersTakeOne() {
  array_.sim.Ctl({{"cmd", "schedule-snapshot"},
                  {"volume", "t_vm_100_disk_" + std::to_string(Below(2))},
                  {"name", "hourly." + std::to_string(++last_)}});
  array_.clock->Advance(std::chrono::hours(static_cast<int>(Below(5))));
}

void RollbackWalk::DeleteSnapshot() {
  if (shots_.empty()) return;
  const auto shot = Any(shots_);
  for (const auto& [disk, content] : contents_) {
    const auto gone = storage().DeleteSnapshot(disk, shot->first);
    ASSERT_TRUE(gone.ok()) << gone.error().Line();
  }
  shots_.erase(shot);
}

void RollbackWalk::Clone() {
  if (shots_.empty()) return;
  const auto shot = Any(shots_);
  const auto disk = AnyDisk();
  const auto clone = storage().Clone(disk, shot->first, 200);
  ASSERT_TRUE(clone.ok()) << clone.error().Line();
  EXPECT_EQ(rig_.Content(*clone), shot->second.at(disk));
  const auto freed = storage().Free(*clone);
  ASSERT_TRUE(freed.ok()) << freed.error().Line();
}

Status RollbackWalk::RollBackOnce(const std::string& snapshot) {
  for (const auto& [disk, content] : contents_) {
    const auto blockers = storage().RollbackBlockers(disk, snapshot);
    if (!blockers.ok()) return blockers.error();
    EXPECT_THAT(*blockers, IsEmpty());
  }
  for (const auto& [disk, content] : contents_) {
    if (auto done = storage().Rollback(disk, snapshot); !done.ok()) return done;
  }
  return {};
}

void RollbackWalk::RollBack() {
  if (shots_.empty()) return;
  const auto shot = Any(shots_);
  const auto& fault = Faults()[Below(Faults().size())];
  const std::size_t nth = 1 + Below(20);
  SCOPED_TRACE("to " + shot->first + ", request " + std::to_string(nth) + ": " + fault.name);
  const auto before = SnapshotsOnTheArray();
  auto rule = fault.rule;
  rule["nth"] = nth;
  array_.AddFault(rule);
  const auto done = RollBackOnce(shot->first);
  array_.ClearFaults();
  for (const auto& [disk, content] : contents_) {
    EXPECT_THAT(rig_.Content(disk), AnyOf(content, shot->second.at(disk))) << disk;
  }
  if (!done.ok()) {
    NextTask();
    const auto again = RollBackOnce(shot->first);
    EXPECT_TRUE(again.ok()) << again.error().Line() << " after " << done.error().Line();
  }
  contents_ = shot->second;
  ExpectContents();
  // Those of the protection may have expired meanwhile.
  auto kept = before;
  std::erase_if(kept, [](const auto& name) { return name.find("Anti_") != std::string::npos; });
  EXPECT_THAT(SnapshotsOnTheArray(), IsSupersetOf(kept));
}

void RollbackWalk::Walk() {
  for (int step = 0; step < kSteps; ++step) {
    SCOPED_TRACE("step " + std::to_string(step));
    NextTask();
    switch (Below(8)) {
      case 0:
      case 1:
        Snapshot();
        break;
      case 2:
        OthersTakeOne();
        break;
      case 3:
        Clone();
        break;
      case 4:
        if (Below(3) == 0) DeleteSnapshot();
        break;
      default:
        RollBack();
    }
    if (testing::Test::HasFailure()) return;
    if (Below(2) == 0) Write(AnyDisk());
    ExpectContents();
  }
  array_.clock->Advance(std::chrono::minutes(70));
  rig_.Restart();
  rig_.MustAllocate(901);
  EXPECT_THAT(array_.Orphans(), IsEmpty());
  const auto disks = storage().List(100);
  ASSERT_TRUE(disks.ok()) << disks.error().Line();
  EXPECT_EQ(disks->size(), contents_.size());
}

TEST(RollbackWalkTest, BytesAreThoseOfTheSnapshotAndNoSnapshotIsLost) {
  for (unsigned seed = 1; seed <= Seeds(kWalks); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RollbackWalk(seed).Walk();
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace ontapnvme::fault
