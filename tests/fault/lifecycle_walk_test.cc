// SPDX-License-Identifier: AGPL-3.0-or-later
// Random walks through the life of disks, with single faults now and then. A model knows what must
// be there: after an error what was before or what was asked for, and after a second try the
// latter.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "fault/fault_list.h"
#include "fault/storage_rig.h"
#include "pve/volume_name.h"

namespace ontapnvme::fault {
namespace {

using testing::AnyOf;
using testing::IsEmpty;

constexpr unsigned kWalks = 12;
constexpr int kSteps = 80;
constexpr std::size_t kDisksMax = 10;
constexpr std::uint64_t kMiB = 1048576;

struct Disk {
  std::string content;
  std::uint64_t size_bytes = kMiB;
  bool is_base = false;
  bool is_protected = false;
  std::string parent;  // base image, or volume@snapshot
};

struct Shot {
  std::string name;
  std::map<std::string, Disk> disks;  // as they were
};

struct Model {
  std::map<std::string, Disk> disks;                 // by volume name
  std::map<std::uint64_t, std::vector<Shot>> shots;  // by VM, oldest first
};

std::uint64_t VmidOf(const std::string& name) {
  return pve::VolumeName::Parse(name)->vmid;
}

// Something to do now. `run` may be run twice, `apply` tells the model what it has done.
struct Operation {
  std::string name;
  std::function<Status()> run;
  std::function<void(Model&)> apply = [](Model&) {};
};

template <typename T>
Status Done(const Result<T>& result) {
  return result.ok() ? Status() : Status(result.error());
}

// Of all walks.
struct Tally {
  int operations = 0;
  int faults = 0;
  int failures = 0;
};

class Walk {
 public:
  Walk(unsigned seed, Tally& tally) : random_(seed), rig_(array_), tally_(tally) {
    // Whether it does is told by template_test.cc; here a deleted clone frees its parent.
    array_.Set("queued_clones_hold_parent", false);
    array_.Set("async", seed % 2 == 0 ? "always" : "auto");
    EXPECT_TRUE(storage().Activate().ok());
  }

  void Step(int step);
  void End();

 private:
  pve::Storage& storage() { return rig_.storage(); }
  std::size_t Below(std::size_t end) { return random_() % end; }
  std::uint64_t AnyVmid() { return 100 + Below(3); }

  // ---- what may be done to what, as Proxmox sees to it
  bool IsHeld(const std::string& what) const {
    return std::any_of(model_.disks.begin(), model_.disks.end(),
                       [&](const auto& disk) { return disk.second.parent == what; });
  }
  bool IsInShot(const std::string& disk) const {
    const auto shots = model_.shots.find(VmidOf(disk));
    return shots != model_.shots.end() &&
           std::any_of(shots->second.begin(), shots->second.end(),
                       [&](const Shot& shot) { return shot.disks.contains(disk); });
  }
  bool IsHeld(const Shot& shot) const {
    return std::any_of(shot.disks.begin(), shot.disks.end(),
                       [&](const auto& disk) { return IsHeld(disk.first + "@" + shot.name); });
  }
  template <typename Predicate>
  std::string Draw(const Predicate& is_wanted) {
    std::vector<std::string> names;
    for (const auto& [name, disk] : model_.disks) {
      if (is_wanted(name, disk)) names.push_back(name);
    }
    return names.empty() ? "" : names[Below(names.size())];
  }
  std::string DrawLoose() {
    return Draw(
        [&](const auto& name, const Disk& disk) { return !disk.is_base && !IsInShot(name); });
  }
  std::string DrawOrdinary() {
    return Draw([](const auto&, const Disk& disk) { return !disk.is_base; });
  }
  // A VM's last snapshot, or none.
  std::pair<std::uint64_t, const Shot*> DrawLastShot() {
    const std::uint64_t vmid = AnyVmid();
    const auto shots = model_.shots.find(vmid);
    const bool is_there = shots != model_.shots.end() && !shots->second.empty();
    return {vmid, is_there ? &shots->second.back() : nullptr};
  }

  // ---- operations; without a name: nothing of the kind can be done now
  Operation Allocate(int step);
  Operation Free();
  Operation CloneOf(const std::string& source, const std::string& snapshot, const Disk& as);
  Operation Clone();
  Operation CreateBase();
  Operation Rename(int step);
  Operation Resize();
  Operation Protect();
  Operation Show();
  Operation Snapshot(int step);
  Operation DeleteSnapshot();
  Operation Rollback();
  Operation ShowSnapshot();
  Operation DrawOperation(int step);

  std::set<std::string> Listed();
  static std::set<std::string> NamesOf(const Model& model);
  void ExpectBeforeOrAfter(const Operation& operation);
  void Compare();

  TestArray array_;
  std::mt19937 random_;
  StorageRig rig_;
  Model model_;
  Tally& tally_;
};

Operation Walk::Allocate(int step) {
  if (model_.disks.size() >= kDisksMax) return {};
  const std::uint64_t vmid = AnyVmid();
  const std::string name = "vm-" + std::to_string(vmid) + "-disk-" + std::to_string(step);
  const auto run = [=, this] {
    const auto made = storage().Allocate(vmid, name, kMiB / 1024);
    return FailedWith(made, ErrorCode::kAlreadyExists) ? Done(storage().Info(name)) : Done(made);
  };
  return {"allocate " + name, run, [=](Model& model) { model.disks[name] = {}; }};
}

Operation Walk::Free() {
  const auto name = Draw([&](const auto& volume, const Disk& disk) {
    return !IsInShot(volume) && !IsHeld(volume) && !disk.is_protected;
  });
  if (name.empty()) return {};
  return {"free " + name, [=, this] { return storage().Free(name); },
          [=](Model& model) { model.disks.erase(name); }};
}

// A second try looks first whether the first one made it.
Operation Walk::CloneOf(const std::string& source, const std::string& snapshot, const Disk& as) {
  const std::uint64_t vmid = AnyVmid();
  const auto made = std::make_shared<std::string>();
  const auto run = [=, this]() -> Status {
    for (const auto& name : Listed()) {
      if (!model_.disks.contains(name)) *made = name;
    }
    if (!made->empty()) return {};
    const auto clone = storage().Clone(source, snapshot, vmid);
    if (clone.ok()) *made = *clone;
    return Done(clone);
  };
  Disk disk;
  disk.content = as.content;
  disk.size_bytes = as.size_bytes;
  disk.parent = snapshot.empty() ? source : source + "@" + snapshot;
  return {"clone " + disk.parent, run, [=](Model& model) { model.disks[*made] = disk; }};
}

Operation Walk::Clone() {
  if (model_.disks.size() >= kDisksMax) return {};
  const auto base = Draw([](const auto&, const Disk& disk) { return disk.is_base; });
  if (!base.empty() && Below(2) == 0) return CloneOf(base, "", model_.disks[base]);
  const auto [vmid, shot] = DrawLastShot();
  if (shot == nullptr) return {};
  return CloneOf(shot->disks.begin()->first, shot->name, shot->disks.begin()->second);
}

Operation Walk::CreateBase() {
  const auto name = DrawLoose();
  if (name.empty()) return {};
  const auto base = std::make_shared<std::string>();
  const auto run = [=, this] {
    const auto made = storage().CreateBase(name);
    if (made.ok()) *base = *made;
    return Done(made);
  };
  return {"create_base " + name, run, [=](Model& model) {
            auto disk = model.disks.extract(name);
            disk.mapped().is_base = true;
            model.disks[*base] = disk.mapped();
          }};
}

Operation Walk::Rename(int step) {
  const auto name = DrawLoose();
  if (name.empty()) return {};
  const std::uint64_t vmid = AnyVmid();
  const std::string leaf = "vm-" + std::to_string(vmid) + "-disk-" + std::to_string(step);
  const std::string target =
      name.find('/') == std::string::npos ? leaf : name.substr(0, name.find('/') + 1) + leaf;
  const auto run = [=, this] {
    const auto renamed = storage().Rename(name, vmid, leaf);
    return FailedWith(renamed, ErrorCode::kNotFound) ? Done(storage().Info(target)) : Done(renamed);
  };
  return {"rename " + name + " to " + target, run, [=](Model& model) {
            auto disk = model.disks.extract(name);
            model.disks[target] = disk.mapped();
          }};
}

Operation Walk::Resize() {
  const auto name = DrawOrdinary();
  if (name.empty()) return {};
  const std::uint64_t bytes = model_.disks[name].size_bytes + kMiB * (1 + Below(4));
  return {"resize " + name, [=, this] { return storage().Resize(name, bytes); },
          [=](Model& model) { model.disks[name].size_bytes = bytes; }};
}

Operation Walk::Protect() {
  const auto name = Draw([](const auto&, const Disk&) { return true; });
  if (name.empty()) return {};
  const bool is_protected = !model_.disks[name].is_protected;
  return {"protect " + name, [=, this] { return storage().SetProtected(name, is_protected); },
          [=](Model& model) { model.disks[name].is_protected = is_protected; }};
}

Operation Walk::Show() {
  const auto name = DrawOrdinary();
  if (name.empty()) return {};
  const bool is_shown = Below(3) != 0;
  return {(is_shown ? "activate " : "deactivate ") + name, [=, this] {
            return is_shown ? Done(storage().ActivateVolume(name))
                            : storage().DeactivateVolume(name);
          }};
}

// All disks of a VM; what fails is deleted again, as Proxmox does.
Operation Walk::Snapshot(int step) {
  const std::uint64_t vmid = AnyVmid();
  Shot shot{"s" + std::to_string(step), {}};
  for (const auto& [name, disk] : model_.disks) {
    if (VmidOf(name) == vmid && !disk.is_base) shot.disks[name] = disk;
  }
  if (shot.disks.empty()) return {};
  const auto run = [=, this]() -> Status {
    for (const auto& [name, disk] : shot.disks) {
      const auto taken = storage().CreateSnapshot(name, shot.name);
      if (taken.ok()) continue;
      rig_.Restart();
      for (const auto& other : shot.disks) (void)storage().DeleteSnapshot(other.first, shot.name);
      return taken;
    }
    return {};
  };
  return {"snapshot " + shot.name, run, [=](Model& model) { model.shots[vmid].push_back(shot); }};
}

Operation Walk::DeleteSnapshot() {
  const std::uint64_t vmid = AnyVmid();
  const auto& shots = model_.shots[vmid];
  if (shots.empty()) return {};
  const Shot shot = shots[Below(shots.size())];
  if (IsHeld(shot)) return {};
  const auto run = [=, this]() -> Status {
    for (const auto& [name, disk] : shot.disks) {
      if (auto gone = storage().DeleteSnapshot(name, shot.name); !gone.ok()) return gone;
    }
    return {};
  };
  return {"delete snapshot " + shot.name, run, [=](Model& model) {
            std::erase_if(model.shots[vmid],
                          [&](const Shot& other) { return other.name == shot.name; });
          }};
}

Operation Walk::Rollback() {
  const auto [vmid, last] = DrawLastShot();
  if (last == nullptr) return {};
  const Shot shot = *last;
  const auto run = [=, this]() -> Status {
    for (const auto& [name, disk] : shot.disks) {
      const auto blockers = storage().RollbackBlockers(name, shot.name);
      if (!blockers.ok()) return blockers.error();
      EXPECT_THAT(*blockers, IsEmpty());
    }
    for (const auto& [name, disk] : shot.disks) {
      if (auto back = storage().Rollback(name, shot.name); !back.ok()) return back;
    }
    return {};
  };
  return {"roll back to " + shot.name, run, [=](Model& model) {
            for (const auto& [name, disk] : shot.disks) {
              model.disks[name].content = disk.content;
              model.disks[name].size_bytes = disk.size_bytes;
            }
          }};
}

Operation Walk::ShowSnapshot() {
  const auto [vmid, shot] = DrawLastShot();
  if (shot == nullptr) return {};
  const std::string disk = shot->disks.begin()->first;
  const std::string name = shot->name;
  const bool is_shown = Below(2) == 0;
  return {(is_shown ? "activate " : "deactivate ") + disk + "@" + name, [=, this] {
            return is_shown ? Done(storage().ActivateSnapshot(disk, name))
                            : storage().DeactivateSnapshot(disk, name);
          }};
}

Operation Walk::DrawOperation(int step) {
  switch (Below(16)) {
    case 0:
    case 1:
    case 2:
      return Allocate(step);
    case 3:
      return Free();
    case 4:
    case 5:
      return Clone();
    case 6:
      return CreateBase();
    case 7:
      return Rename(step);
    case 8:
      return Resize();
    case 9:
      return Protect();
    case 10:
      return Show();
    case 11:
    case 12:
      return Snapshot(step);
    case 13:
      return DeleteSnapshot();
    case 14:
      return Rollback();
    default:
      return ShowSnapshot();
  }
}

std::set<std::string> Walk::Listed() {
  const auto disks = storage().List(std::nullopt);
  std::set<std::string> names;
  if (!disks.ok()) return NamesOf(model_);  // a fault of this very request: nothing is learnt
  for (const auto& disk : *disks) EXPECT_TRUE(names.insert(disk.volume_name).second);
  return names;
}

std::set<std::string> Walk::NamesOf(const Model& model) {
  std::set<std::string> names;
  for (const auto& [name, disk] : model.disks) names.insert(name);
  return names;
}

void Walk::Compare() {
  ASSERT_EQ(Listed(), NamesOf(model_));
  for (const auto& [name, disk] : model_.disks) {
    ASSERT_EQ(rig_.Content(name), disk.content) << name;
    const auto info = storage().Info(name);
    ASSERT_TRUE(info.ok()) << info.error().Line();
    ASSERT_EQ(info->size.bytes(), disk.size_bytes) << name;
    ASSERT_EQ(info->is_protected, disk.is_protected) << name;
    const auto snapshots = storage().ListSnapshots(name);
    ASSERT_TRUE(snapshots.ok()) << snapshots.error().Line();
    std::set<std::string> there;
    for (const auto& one : *snapshots) there.insert(one.name);
    std::set<std::string> expected;
    for (const auto& shot : model_.shots[VmidOf(name)]) {
      if (shot.disks.contains(name)) expected.insert(shot.name);
    }
    // A clone shows its parent's snapshots too.
    if (disk.parent.empty()) {
      ASSERT_EQ(there, expected) << name;
    } else {
      ASSERT_TRUE(std::includes(there.begin(), there.end(), expected.begin(), expected.end()))
          << name;
    }
  }
}

void Walk::ExpectBeforeOrAfter(const Operation& operation) {
  Model after = model_;
  operation.apply(after);
  after.disks.erase("");  // the clone that was not made
  const auto listed = Listed();
  EXPECT_THAT(listed, AnyOf(NamesOf(model_), NamesOf(after)));
  for (const auto& name : listed) {
    if (!model_.disks.contains(name) || !after.disks.contains(name)) continue;
    EXPECT_THAT(rig_.Content(name), AnyOf(model_.disks[name].content, after.disks[name].content))
        << name;
  }
}

void Walk::Step(int step) {
  const Operation operation = DrawOperation(step);
  if (operation.name.empty()) return;
  SCOPED_TRACE("step " + std::to_string(step) + ": " + operation.name);
  if (Below(12) == 0) array_.clock->Advance(std::chrono::minutes(70));  // recovery is due
  std::string fault_name = "none";
  if (Below(3) == 0) {
    const Fault& fault = Faults()[Below(Faults().size())];
    auto rule = fault.rule;
    rule["nth"] = 1 + Below(9);
    array_.AddFault(rule);
    fault_name = std::string(fault.name) + " at " + rule["nth"].dump();
  }
  SCOPED_TRACE("fault: " + fault_name);
  const Status first = operation.run();
  const bool fired = array_.FaultFired();
  ++tally_.operations;
  tally_.faults += fired ? 1 : 0;
  array_.ClearFaults();
  rig_.Restart();  // each is a task of its own
  if (!first.ok()) {
    ASSERT_TRUE(fired) << first.error().Line();
    ASSERT_EQ(first.error().Line().find('\n'), std::string::npos);
    ++tally_.failures;
    ExpectBeforeOrAfter(operation);
    const Status second = operation.run();
    ASSERT_TRUE(second.ok()) << second.error().Line() << " after " << first.error().Line();
    rig_.Restart();
  }
  operation.apply(model_);
  for (auto& [name, disk] : model_.disks) {
    if (!disk.content.empty() || disk.is_base) continue;
    disk.content = "w" + std::to_string(step);
    rig_.Write(name, disk.content);
  }
  Compare();
}

void Walk::End() {
  array_.clock->Advance(std::chrono::minutes(70));
  EXPECT_TRUE(storage().Free(rig_.MustAllocate(901)).ok());
  EXPECT_THAT(array_.Orphans(), IsEmpty());
  Compare();
}

TEST(LifecycleWalkTest, ArrayIsWhatTheModelSays) {
  Tally tally;
  for (unsigned seed = 1; seed <= Seeds(kWalks); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Walk walk(seed, tally);
    for (int step = 0; step < kSteps; ++step) {
      walk.Step(step);
      if (HasFailure()) return;
    }
    walk.End();
    if (HasFailure()) return;
  }
  std::cout << "walks: " << Seeds(kWalks) << " with " << tally.operations << " operations, "
            << tally.faults << " faults, " << tally.failures << " first tries that failed\n";
}

}  // namespace
}  // namespace ontapnvme::fault
