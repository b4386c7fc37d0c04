// SPDX-License-Identifier: AGPL-3.0-or-later
// A VM of three disks and its snapshots, with those of a schedule and of the array's protection among
// them: a model knows the bytes of each disk, now and in each snapshot. Each operation has one fault (a
// request that fails, an answer that is lost, or the process is killed). After each, the disks and all
// snapshots that the array lists hold the bytes of the model before it, or after it; the error says
// which; and the same operation, tried again, ends with those after it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <set>

#include "fault/fault_list.h"
#include "fault/schedule.h"
#include "fault/storage_rig.h"

namespace ontapnvme::fault {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr unsigned kWalks = 6;
constexpr std::size_t kRandomSteps = 10;
constexpr std::size_t kRequestsMax = 24;  // of one operation, about
constexpr std::array kDisks = {"vm-100-disk-0", "vm-100-disk-1", "vm-100-disk-2"};
// A snapshot, or an overwrite, that stops half-way shows at one of these.
constexpr std::array<std::uint64_t, 2> kOffsets = {0, 900 * 1024};
constexpr std::size_t kTextBytes = 16;

using Contents = std::map<std::string, std::string>;  // by disk

struct Trouble {
  std::string name = "none";
  nlohmann::json rule = {};
  bool is_kill = false;
};

class BytesWalk {
 public:
  // Without troubles for seed 0.
  explicit BytesWalk(unsigned seed) : seed_(seed), random_(seed), rig_(array_) {
    // Whether a deleted clone holds its parent is told by template_test.cc.
    array_.Set("queued_clones_hold_parent", "no");
    array_.Set("split_s", "0");
    array_.Set("release", seed % 4 == 3 ? "9.16.1" : "9.18.1");
    array_.Set("async", seed % 3 == 0 ? "always" : "auto");
    EXPECT_TRUE(storage().Activate().ok());
    for (const auto* disk : kDisks) {
      rig_.MustAllocate(100, disk);
      Write(disk);
    }
    Verify();
  }

  void FixedOrder() {
    FourSnapshots();
    for (const auto& step : std::vector<std::function<void()>>{
             [&] { RollBack("s2"); }, [&] { RollBack("s4"); }, [&] { RollBack("s1"); },
             [&] { Clone("s3"); }, [&] { CloneVm("s3"); }, [&] { Delete("s2"); }}) {
      Step(step);
    }
    EXPECT_EQ(shots_.size(), 3U);
  }
  void RandomOrder() {
    FourSnapshots();
    for (std::size_t i = 0; i < kRandomSteps; ++i) {
      Step([&] { AnyStep(); });
      if (testing::Test::HasFailure()) return;
      if (Below(2) == 0) Write(kDisks.at(Below(kDisks.size())));
      if (Below(3) == 0) OthersTakeOne();
    }
  }
  void ExpectNothingLeft();
  // Of tasks that were killed when their clones were as good as done: the hourly look has finished them.
  void FreeFinishedClones();

 private:
  pve::Storage& storage() { return rig_.storage(); }
  std::size_t Below(std::size_t end) { return random_() % end; }
  void NextTask() {
    array_.clock->Advance(std::chrono::seconds(70 + static_cast<int>(Below(400))));
    rig_.Restart();
    (void)storage().Activate();
  }

  void Recover() {
    array_.clock->Advance(std::chrono::minutes(70));
    rig_.Restart();
    (void)storage().Free("vm-999-disk-9");
    FreeFinishedClones();
  }

  // ---- bytes

  std::string Read(const std::string& ns) {
    std::set<std::string> texts;
    for (const auto offset : kOffsets) {
      const auto bytes = array_.sim.store().Read(ns, offset, kTextBytes);
      texts.insert(bytes.substr(0, bytes.find('\0')));
    }
    return texts.size() == 1 ? *texts.begin() : "torn";
  }
  std::string ContentOf(const std::string& disk) {
    const auto* ns = rig_.Namespace(disk);
    return ns == nullptr ? "(no namespace)" : Read(ns->uuid);
  }
  void Write(const std::string& disk) {
    contents_[disk] = "v" + std::to_string(++last_);
    auto bytes = contents_[disk];
    bytes.resize(kTextBytes);
    for (const auto offset : kOffsets) {
      array_.sim.store().Write(rig_.Namespace(disk)->uuid, offset, bytes);
    }
  }
  // Of all snapshots of the disk, by name.
  std::map<std::string, std::string> SnapshotsOf(const std::string& disk) {
    std::map<std::string, std::string> found;
    for (const auto* one : array_.sim.world().SnapshotsOf(rig_.Namespace(disk)->volume_uuid)) {
      for (const auto& saved : one->contents) {
        if (saved.ns.base_name.find("rollback-") != std::string::npos) continue;
        array_.sim.store().Restore(saved.image->id(), "as it was");
        found[one->name] = Read("as it was");
      }
    }
    return found;
  }

  void Verify(const Contents* may_be = nullptr);
  void VerifySnapshots(const std::string& disk);

  // ---- operations

  Trouble Draw();
  // Runs it with a trouble, and again until it succeeds. `after` is what the disks hold then.
  void Run(const std::string& what, const std::function<Status()>& operation,
           const Contents* after = nullptr);
  void Step(const std::function<void()>& step) {
    NextTask();
    step();
    Verify();
  }
  void FourSnapshots() {
    for (const char* name : {"s1", "s2", "s3", "s4"}) {
      Step([&] { Take(name); });
      OthersTakeOne();
      for (const auto* disk : kDisks) Write(disk);
    }
  }
  void AnyStep();
  void OthersTakeOne();
  void Take(const std::string& name);
  void Delete(const std::string& name);
  void RollBack(const std::string& name);
  void Clone(const std::string& name);
  void CloneVm(const std::string& name);

  unsigned seed_;
  std::mt19937 random_;
  TestArray array_;
  StorageRig rig_;
  Contents contents_;
  std::map<std::string, Contents> shots_;      // ours, by name
  std::map<std::string, std::string> others_;  // by "disk@name": when first seen
  std::set<std::string> cloned_;               // what clones have held
  std::optional<std::string> open_;            // a shot that is being taken, or deleted
  int last_ = 0;
};

// `may_be`: where the operation would bring the disks.
void BytesWalk::Verify(const Contents* may_be) {
  for (const auto* disk : kDisks) {
    const auto now = ContentOf(disk);
    EXPECT_THAT(now, AnyOf(contents_.at(disk), may_be ? may_be->at(disk) : contents_.at(disk)))
        << disk;
    VerifySnapshots(disk);
  }
}

void BytesWalk::VerifySnapshots(const std::string& disk) {
  const auto found = SnapshotsOf(disk);
  for (const auto& [name, bytes] : found) {
    const std::string own = name.starts_with("pve_snap_") ? name.substr(9) : "";
    const auto shot = shots_.find(own);
    if (shot != shots_.end()) {
      EXPECT_EQ(bytes, shot->second.at(disk)) << disk << "@" << name;
    } else if (!own.empty()) {
      EXPECT_EQ(own, open_.value_or("")) << "a snapshot that nobody took: " << disk << "@" << name;
    } else if (!name.starts_with("pve_")) {
      // Taken by others since the last look: of what the disk held since then.
      EXPECT_EQ(bytes, others_.emplace(disk + "@" + name, bytes).first->second) << name;
    }
  }
  for (const auto& [name, contents] : shots_) {
    if (name != open_) EXPECT_TRUE(found.contains("pve_snap_" + name)) << disk << "@" << name;
  }
  for (const auto& [name, bytes] : others_) {
    // Those of the protection expire.
    if (!name.starts_with(disk + "@hourly")) continue;
    EXPECT_TRUE(found.contains(name.substr(disk.size() + 1))) << name << " is lost";
  }
}

Trouble BytesWalk::Draw() {
  if (seed_ == 0) return {};
  static const std::vector<std::string> kLost = {"lost_after", "lost_before", "silent",
                                                 "unheard",    "too_late",    "job_vanishes"};
  const auto kind = Below(3);
  if (kind == 0) return {"killed", {{"drop_before", true}, {"times", -1}}, true};
  const bool is_lost = kind == 1;
  while (true) {
    const auto& fault = Faults()[Below(Faults().size())];
    const bool is_of_kind = std::find(kLost.begin(), kLost.end(), fault.name) != kLost.end();
    if (is_of_kind == is_lost) return {fault.name, fault.rule, false};
  }
}

void BytesWalk::Run(const std::string& what, const std::function<Status()>& operation,
                    const Contents* after) {
  auto trouble = Draw();
  const std::size_t nth = 1 + Below(kRequestsMax);
  SCOPED_TRACE(what + ", request " + std::to_string(nth) + ": " + trouble.name);
  if (!trouble.rule.is_null()) {
    trouble.rule["nth"] = nth;
    array_.AddFault(trouble.rule);
  }
  auto done = operation();
  array_.ClearFaults();
  Verify(after);
  if (done.ok() && after != nullptr) {
    for (const auto* disk : kDisks) EXPECT_EQ(ContentOf(disk), after->at(disk)) << disk;
  }
  // Whoever reads the error knows which disks have changed.
  if (!done.ok() && after != nullptr && !trouble.is_kill) {
    const std::string line = done.error().Line();
    for (const auto* disk : kDisks) {
      const bool has_changed =
          contents_.at(disk) != after->at(disk) && ContentOf(disk) == after->at(disk);
      if (has_changed) EXPECT_THAT(line, HasSubstr("roll back again")) << disk;
    }
  }
  const std::string first = done.ok() ? "" : done.error().Line();
  for (int tries = 0; !done.ok() && tries < 4; ++tries) {
    // A clone that an earlier task was killed at may hold a snapshot until the hourly look.
    if (tries > 0) Recover();
    NextTask();
    done = operation();
    Verify(after);
  }
  EXPECT_TRUE(done.ok()) << done.error().Line() << " after " << first;
}

void BytesWalk::Take(const std::string& name) {
  open_ = name;
  Run("snapshot " + name, [&]() -> Status {
    std::vector<std::string> taken;
    for (const auto* disk : kDisks) {
      auto done = storage().CreateSnapshot(disk, name);
      if (done.ok()) {
        taken.emplace_back(disk);
        continue;
      }
      // As Proxmox does, without those that it was told have failed.
      for (const auto& other : taken) (void)storage().DeleteSnapshot(other, name);
      return done;
    }
    return {};
  });
  open_.reset();
  shots_[name] = contents_;
}

// Of one disk, on time; and of the protection, where the release has it, as time goes by.
void BytesWalk::OthersTakeOne() {
  array_.sim.Ctl({{"cmd", "schedule-snapshot"},
                  {"volume", "t_vm_100_disk_" + std::to_string(Below(kDisks.size()))},
                  {"name", "hourly." + std::to_string(++last_)}});
  array_.clock->Advance(std::chrono::hours(static_cast<int>(Below(5))));
  Verify();
}

void BytesWalk::Delete(const std::string& name) {
  open_ = name;
  Run("delete " + name, [&]() -> Status {
    for (const auto* disk : kDisks) {
      if (auto gone = storage().DeleteSnapshot(disk, name); !gone.ok()) return gone;
    }
    return {};
  });
  shots_.erase(name);
  open_.reset();
  for (const auto* disk : kDisks) EXPECT_FALSE(SnapshotsOf(disk).contains("pve_snap_" + name));
}

void BytesWalk::RollBack(const std::string& name) {
  const Contents after = shots_.at(name);
  Run(
      "roll back to " + name,
      [&]() -> Status {
        for (const auto* disk : kDisks) {
          const auto blockers = storage().RollbackBlockers(disk, name);
          if (!blockers.ok()) return blockers.error();
          EXPECT_THAT(*blockers, IsEmpty());
        }
        for (const auto* disk : kDisks) {
          if (auto done = storage().Rollback(disk, name); !done.ok()) return done;
        }
        return {};
      },
      &after);
  contents_ = after;
}

void BytesWalk::Clone(const std::string& name) {
  const std::string disk = kDisks.at(Below(kDisks.size()));
  std::string clone;
  Run("clone " + disk + "@" + name, [&]() -> Status {
    const auto made = storage().Clone(disk, name, 200);
    if (!made.ok()) return made.error();
    clone = *made;
    return {};
  });
  EXPECT_EQ(ContentOf(clone), shots_.at(name).at(disk));
  cloned_.insert(ContentOf(clone));
  Run("free " + clone, [&] { return storage().Free(clone); });
}

void BytesWalk::CloneVm(const std::string& name) {
  std::vector<std::string> clones;
  Run("clone the VM of " + name, [&]() -> Status {
    const auto made = storage().CloneVm({kDisks.begin(), kDisks.end()}, name, 300);
    if (!made.ok()) return made.error();
    clones = *made;
    return {};
  });
  ASSERT_EQ(clones.size(), kDisks.size());
  for (std::size_t i = 0; i < clones.size(); ++i) {
    EXPECT_EQ(ContentOf(clones[i]), shots_.at(name).at(kDisks.at(i))) << clones[i];
    cloned_.insert(ContentOf(clones[i]));
  }
  for (const auto& clone : clones) {
    Run("free " + clone, [&] { return storage().Free(clone); });
  }
}

void BytesWalk::AnyStep() {
  std::vector<std::string> names;
  for (const auto& [name, contents] : shots_) names.push_back(name);
  if (names.empty()) return Take("s" + std::to_string(++last_));
  const auto name = names[Below(names.size())];
  switch (Below(8)) {
    case 0:
      return Delete(name);
    case 1:
      return Clone(name);
    case 2:
      return CloneVm(name);
    case 3:
      return Take("s" + std::to_string(++last_));
    default:
      return RollBack(name);
  }
}

void BytesWalk::FreeFinishedClones() {
  const auto found = storage().List(std::nullopt);
  ASSERT_TRUE(found.ok());
  for (const auto& one : *found) {
    if (one.vmid != 200 && one.vmid != 300) continue;
    EXPECT_TRUE(cloned_.contains(ContentOf(one.volume_name))) << one.volume_name;
    const auto freed = storage().Free(one.volume_name);
    EXPECT_TRUE(freed.ok()) << freed.error().Line();
  }
}

void BytesWalk::ExpectNothingLeft() {
  for (int hour = 0; hour < 4; ++hour) {
    Recover();
    (void)storage().Activate();
  }
  Verify();
  EXPECT_THAT(array_.Orphans(), IsEmpty());
  for (const auto& one : array_.sim.world().snapshots) {
    EXPECT_FALSE(one.name.starts_with("pve_clone_")) << one.name;
  }
  for (const auto* disk : kDisks) {
    for (const auto* ns : array_.sim.world().NamespacesOf(rig_.Namespace(disk)->volume_uuid)) {
      EXPECT_FALSE(ns->base_name.starts_with("rollback-")) << ns->base_name;
    }
  }
  const auto pending = storage().Pending();
  ASSERT_TRUE(pending.ok());
  EXPECT_THAT(*pending, IsEmpty());
  const auto disks = storage().List(std::nullopt);
  ASSERT_TRUE(disks.ok());
  EXPECT_EQ(disks->size(), kDisks.size());
}

TEST(BytesWalkTest, FixedOrderUndisturbed) {
  BytesWalk walk(0);
  walk.FixedOrder();
  walk.ExpectNothingLeft();
}

TEST(BytesWalkTest, FixedOrderWithATroubleInEachStep) {
  for (const unsigned seed : SeedList(kWalks)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    BytesWalk walk(seed);
    walk.FixedOrder();
    if (testing::Test::HasFailure()) return;
    walk.ExpectNothingLeft();
    if (testing::Test::HasFailure()) return;
  }
}

TEST(BytesWalkTest, RandomOrdersWithATroubleInEachStep) {
  for (const unsigned seed : SeedList(kWalks)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    BytesWalk walk(seed);
    walk.RandomOrder();
    if (testing::Test::HasFailure()) return;
    walk.ExpectNothingLeft();
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace ontapnvme::fault
