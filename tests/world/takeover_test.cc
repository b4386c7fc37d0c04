// SPDX-License-Identifier: AGPL-3.0-or-later
// What the predecessor left is used on releases old and new, and where everything is as hard as it may be. What
// it is like on the usual array is in fault/takeover_test.cc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/temporary_folder.h"
#include "fault/estate.h"

namespace ontapnvme::world {
namespace {

using testing::ElementsAre;

enum class Array { kUsual, kHard };

class TakeoverTest : public testing::TestWithParam<std::tuple<unsigned, Array>> {
 protected:
  using Disks = std::vector<std::string>;

  TakeoverTest() {
    array.Set("release", "9." + std::to_string(std::get<0>(GetParam())) + ".1");
    estate = std::make_unique<fault::Estate>(array);
    if (std::get<1>(GetParam()) == Array::kHard) array.BeHard();
    // These lie about for longer than it takes until snapshots are locked that nobody asked for.
    array.Set("ransomware_locks", "none");
    rig = std::make_unique<fault::StorageRig>(
        array, fault::RigOptions{.disk_memory_file = memory / "tank.disks"});
    EXPECT_TRUE(rig->storage().Activate().ok());
  }

  pve::Storage& storage() { return rig->storage(); }
  // Everything is listed, and no volume is busy any more.
  void NextTask() {
    array.clock->Advance(std::chrono::minutes(1));
    rig->Restart();
  }
  void ForEach(const char* what, const Disks& disks,
               const std::function<Status(const std::string&)>& run) {
    NextTask();
    for (const auto& disk : disks) {
      const Status done = run(disk);
      // Whether a job that the account may not read has done it, nothing on the array shows.
      const bool is_unseen = !done.ok() && done.error().origin().refusal == Refusal::kJobUnseen;
      EXPECT_TRUE(done.ok() || is_unseen) << what << " " << disk << ": " << done.error().Line();
    }
  }
  void Snapshot(const Disks& disks, const std::string& name) {
    ForEach("snapshot", disks,
            [&](const auto& disk) { return storage().CreateSnapshot(disk, name); });
  }
  void DeleteSnapshot(const Disks& disks, const std::string& name) {
    ForEach("delete snapshot of", disks,
            [&](const auto& disk) { return storage().DeleteSnapshot(disk, name); });
  }
  void RollBack(const Disks& disks, const std::string& name) {
    for (const auto& disk : disks) rig->Write(disk, "lost by rollback");
    ForEach("ask to roll back", disks, [&](const auto& disk) {
      const auto blockers = storage().RollbackBlockers(disk, name);
      return blockers.ok() ? Status() : Status(blockers.error());
    });
    ForEach("roll back", disks, [&](const auto& disk) { return storage().Rollback(disk, name); });
  }
  Disks Contents(const Disks& disks) {
    Disks contents;
    for (const auto& disk : disks) contents.push_back(rig->Content(disk));
    return contents;
  }

  fault::TestArray array;
  fakes::TemporaryFolder memory;
  std::unique_ptr<fault::Estate> estate;
  std::unique_ptr<fault::StorageRig> rig;
};

TEST_P(TakeoverTest, DisksSnapshotsAndTemplatesServe) {
  NextTask();
  const auto listed = storage().List(std::nullopt);
  ASSERT_TRUE(listed.ok()) << listed.error().Line();
  EXPECT_EQ(listed->size(), estate->disks().size());
  for (const auto& [volume, disk] : estate->disks()) {
    const auto link = storage().ActivateVolume(disk.configured);
    EXPECT_TRUE(link.ok()) << link.error().Line();
    EXPECT_EQ(rig->ContentOf(disk.namespace_uuid), disk.content) << volume;
    EXPECT_TRUE(storage().DeactivateVolume(disk.configured).ok());
  }

  const Disks disks = {"vm-100-disk-0", "vm-100-disk-1"};
  Snapshot(disks, "three");
  RollBack(disks, "three");
  EXPECT_THAT(Contents(disks), ElementsAre("a2", "b2"));
  DeleteSnapshot(disks, "three");
  RollBack(disks, "two");
  EXPECT_THAT(Contents(disks), ElementsAre("a1", "b1"));
  DeleteSnapshot(disks, "two");
  RollBack(disks, "one");
  EXPECT_THAT(Contents(disks), ElementsAre("a0", "b0"));
  RollBack({"vm-121-disk-0", "vm-121-disk-1"}, "mixed");
  EXPECT_THAT(Contents({"vm-121-disk-0", "vm-121-disk-1"}), ElementsAre("m0", "m1"));

  for (const char* base : {"base-200-disk-0", "base-210-disk-0", "base-220-disk-0"}) {
    NextTask();
    const auto& left = estate->At(base);
    const auto clone = storage().Clone(left.configured, "", 300);
    ASSERT_TRUE(clone.ok()) << clone.error().Line();
    EXPECT_EQ(rig->Content(*clone), left.content);
  }
  ForEach("free", {"vm-110-disk-0", "vm-110-disk-1", "vm-140-state-before-upgrade"},
          [&](const auto& disk) { return storage().Free(disk); });

  // A day later everything else is what it was.
  array.clock->Advance(std::chrono::hours(25));
  NextTask();
  rig->MustAllocate(901);
  for (const auto& [volume, disk] : estate->disks()) {
    if (volume.starts_with("vm-100-disk") || volume.starts_with("vm-110")) continue;
    if (volume.starts_with("vm-121") || volume == "vm-140-state-before-upgrade") continue;
    EXPECT_EQ(rig->ContentOf(disk.namespace_uuid), disk.content) << volume;
  }
}

INSTANTIATE_TEST_SUITE_P(World, TakeoverTest,
                         testing::Combine(testing::Values(10U, 12U, 16U, 17U, 19U),  // of ONTAP 9
                                          testing::Values(Array::kUsual, Array::kHard)),
                         [](const auto& tested) {
                           return "ontap_9_" + std::to_string(std::get<0>(tested.param)) + "_1" +
                                  (std::get<1>(tested.param) == Array::kHard ? "_hard" : "");
                         });

}  // namespace
}  // namespace ontapnvme::world
