// SPDX-License-Identifier: AGPL-3.0-or-later
// A cluster in the middle of its upgrade: some nodes have this plugin, one still has the predecessor, and
// each works on what the other has made, in an order drawn by a seed. What was asked for is there
// afterwards, for both.
//
// What the predecessor's node cannot have, and what is therefore not drawn, or expected to be refused:
// - It does not know protected disks, and no names but disk-N, cloudinit and state-NAME.
// - A template that was made of a clone has its snapshot under another name than pve_base, which
//   the clone shows of its own base image: there the predecessor clones the wrong bytes, as it does of
//   its own templates of that kind.
// - It gives a linked clone to another VM without its base image's name.
// - It refuses to roll back to a group's snapshot whose group has other members by now: new disks, and
//   RAM and cloud-init, which this plugin takes out of the group with the VM's next snapshot.
// - A snapshot that one of our nodes shows as a device (a backup, a clone of it) is held as long.
// - With a storage_prefix that makes groups' names longer than 30 characters it does not find new
//   groups.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <map>

#include "fault/estate.h"
#include "fault/proxmox_cluster.h"
#include "model/volume_name.h"

namespace ontapnvme::fault {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr unsigned kWalks = 10;
constexpr int kSteps = 40;
constexpr int kStepsBetweenLooks = 4;  // each asks for every disk
constexpr std::size_t kDisksMax = 12;
constexpr std::uint64_t kVms = 3;
constexpr std::uint64_t kMiB = 1048576;

std::string LeafOf(const std::string& name) {
  return name.substr(name.find('/') + 1);
}

std::uint64_t VmidOf(const std::string& name) {
  return VolumeName::Parse(name)->vmid;
}

std::vector<std::string> NamesOf(const std::map<std::string, Disk>& disks) {
  std::vector<std::string> names;
  for (const auto& [name, disk] : disks) names.push_back(name);
  return names;
}

// Of all walks.
struct Tally {
  int ours = 0;
  int theirs = 0;
  int refused = 0;
};

class MixedWalk {
 public:
  MixedWalk(unsigned seed, Tally& tally) : random_(seed), tally_(tally) {
    array_.Set("queued_clones_hold_parent", "no");
  }

  void Step(int step);
  void End();

 private:
  using Wanted = std::function<bool(const std::string&, const Disk&)>;

  std::size_t Below(std::size_t end) { return random_() % end; }
  const Model& model() const { return cluster_.model(); }
  bool IsInShot(const std::string& name) const;
  bool IsHeld(const std::string& what) const;
  std::string Draw(const Wanted& is_wanted);
  std::string DrawLoose();
  std::string FreeName(std::uint64_t vmid) const;
  std::pair<std::uint64_t, const Shot*> DrawShot();

  void Ours(int step);
  // Says what was done; nothing: nothing of the kind can be done.
  std::string Theirs(int step);
  std::string Make();
  std::string Free();
  std::string Clone();
  std::string CreateBase();
  std::string Rename();
  std::string Resize();
  std::string Snapshot(int step);
  std::string DeleteSnapshot();
  std::string Rollback();
  std::string Did(const std::string& what, std::function<void(Model&)> apply);
  void CompareWithPredecessor();

  TestArray array_;
  std::mt19937 random_;
  ProxmoxCluster cluster_{array_, random_, {.nodes = 2}};
  Predecessor predecessor_{array_};
  Tally& tally_;
};

bool MixedWalk::IsInShot(const std::string& name) const {
  const auto shots = model().shots.find(VmidOf(name));
  return shots != model().shots.end() &&
         std::any_of(shots->second.begin(), shots->second.end(),
                     [&](const Shot& shot) { return shot.disks.contains(name); });
}

bool MixedWalk::IsHeld(const std::string& what) const {
  return std::any_of(model().disks.begin(), model().disks.end(),
                     [&](const auto& disk) { return disk.second.parent == what; });
}

std::string MixedWalk::Draw(const Wanted& is_wanted) {
  std::vector<std::string> names;
  for (const auto& [name, disk] : model().disks) {
    if (is_wanted(name, disk)) names.push_back(name);
  }
  return names.empty() ? "" : names[Below(names.size())];
}

std::string MixedWalk::DrawLoose() {
  return Draw([&](const auto& name, const Disk& disk) { return !disk.is_base && !IsInShot(name); });
}

// The lowest: names come again, with other disks behind them.
std::string MixedWalk::FreeName(std::uint64_t vmid) const {
  for (int number = 0;; ++number) {
    const std::string rest = std::to_string(vmid) + "-disk-" + std::to_string(number);
    const bool is_taken =
        std::any_of(model().disks.begin(), model().disks.end(), [&](const auto& disk) {
          return LeafOf(disk.first) == "vm-" + rest || LeafOf(disk.first) == "base-" + rest;
        });
    if (!is_taken) return "vm-" + rest;
  }
}

std::pair<std::uint64_t, const Shot*> MixedWalk::DrawShot() {
  const std::uint64_t vmid = 100 + Below(kVms);
  const auto shots = model().shots.find(vmid);
  const bool is_there = shots != model().shots.end() && !shots->second.empty();
  return {vmid, is_there ? &shots->second.back() : nullptr};
}

std::string MixedWalk::Did(const std::string& what, std::function<void(Model&)> apply) {
  ++tally_.theirs;
  cluster_.Apply({.name = what, .vms = {}, .apply = std::move(apply)});
  return what;
}

std::string MixedWalk::Make() {
  if (model().disks.size() >= kDisksMax) return {};
  const auto name = FreeName(100 + Below(kVms));
  predecessor_.Make(name);
  return Did("make " + name, [=](Model& model) { model.disks[name] = {}; });
}

std::string MixedWalk::Free() {
  const auto name = Draw([&](const auto& volume, const Disk& disk) {
    return !IsInShot(volume) && !IsHeld(volume) && !disk.is_protected;
  });
  if (name.empty()) return {};
  predecessor_.Free(name);
  return Did("free " + name, [=](Model& model) { model.disks.erase(name); });
}

std::string MixedWalk::Clone() {
  const auto base =
      Draw([](const auto&, const Disk& disk) { return disk.is_base && disk.parent.empty(); });
  if (base.empty() || model().disks.size() >= kDisksMax) return {};
  const auto name = FreeName(100 + Below(kVms));
  predecessor_.Clone(base, name);
  Disk disk = model().disks.at(base);
  disk.is_base = disk.is_protected = false;
  disk.parent = base;
  return Did("clone " + base + " to " + name,
             [=](Model& model) { model.disks[base + "/" + name] = disk; });
}

std::string MixedWalk::CreateBase() {
  const auto name = DrawLoose();
  if (name.empty()) return {};
  const auto before = name.substr(0, name.size() - LeafOf(name).size());
  const auto base = before + predecessor_.CreateBase(name);
  return Did("convert " + name, [=](Model& model) {
    auto disk = model.disks.extract(name);
    disk.mapped().is_base = true;
    model.disks[base] = disk.mapped();
  });
}

std::string MixedWalk::Rename() {
  const auto name = DrawLoose();
  if (name.empty() || name.find('/') != std::string::npos) return {};
  const auto target = FreeName(100 + Below(kVms));
  predecessor_.Rename(name, target);
  return Did("rename " + name + " to " + target, [=](Model& model) {
    auto disk = model.disks.extract(name);
    model.disks[target] = disk.mapped();
  });
}

std::string MixedWalk::Resize() {
  const auto name = cluster_.DrawOrdinary();
  if (name.empty()) return {};
  const std::uint64_t bytes = model().disks.at(name).size_bytes + kMiB * (1 + Below(4));
  predecessor_.Resize(name, bytes);
  return Did("resize " + name, [=](Model& model) { model.disks[name].size_bytes = bytes; });
}

std::string MixedWalk::Snapshot(int step) {
  const std::uint64_t vmid = 100 + Below(kVms);
  Shot shot{"s" + std::to_string(step), {}};
  for (const auto& [name, disk] : model().disks) {
    if (VmidOf(name) == vmid && !disk.is_base) shot.disks[name] = disk;
  }
  if (shot.disks.empty()) return {};
  predecessor_.Snapshot(NamesOf(shot.disks), shot.name);
  return Did("snapshot " + shot.name + " of VM " + std::to_string(vmid),
             [=](Model& model) { model.shots[vmid].push_back(shot); });
}

std::string MixedWalk::DeleteSnapshot() {
  const auto drawn = DrawShot();
  const std::uint64_t vmid = drawn.first;
  const Shot* shot = drawn.second;
  if (shot == nullptr) return {};
  const bool is_held = std::any_of(shot->disks.begin(), shot->disks.end(), [&](const auto& disk) {
    return IsHeld(disk.first + "@" + shot->name);
  });
  if (is_held) return {};
  const std::string name = shot->name;
  predecessor_.DeleteSnapshot(NamesOf(shot->disks), name);
  return Did("delete snapshot " + name, [=](Model& model) {
    std::erase_if(model.shots[vmid], [&](const Shot& other) { return other.name == name; });
  });
}

std::string MixedWalk::Rollback() {
  const auto [vmid, found] = DrawShot();
  if (found == nullptr) return {};
  const Shot shot = *found;
  const std::string what = "roll back to " + shot.name;
  if (!predecessor_.Rollback(NamesOf(shot.disks), shot.name)) {
    ++tally_.refused;
    return what + ": refused";
  }
  return Did(what, [=](Model& model) {
    for (const auto& [name, disk] : shot.disks) {
      model.disks[name].content = disk.content;
      model.disks[name].size_bytes = disk.size_bytes;
    }
  });
}

std::string MixedWalk::Theirs(int step) {
  switch (Below(12)) {
    case 0:
    case 1:
    case 2:
      return Make();
    case 3:
      return Free();
    case 4:
      return Clone();
    case 5:
      return CreateBase();
    case 6:
      return Rename();
    case 7:
      return Resize();
    case 8:
    case 9:
      return Snapshot(step);
    case 10:
      return DeleteSnapshot();
    default:
      return Rollback();
  }
}

void MixedWalk::Ours(int step) {
  cluster_.GoTo(Below(2));
  const ModelOperation operation = cluster_.DrawOperation(step);
  if (operation.name.empty()) return;
  SCOPED_TRACE("ours: " + operation.name);
  const Status done = operation.run();
  ASSERT_TRUE(done.ok()) << done.error().Line();
  cluster_.node().Restart();
  cluster_.Apply(operation);
  ++tally_.ours;
}

void MixedWalk::Step(int step) {
  SCOPED_TRACE("step " + std::to_string(step));
  array_.clock->Advance(std::chrono::seconds(2));
  if (Below(12) == 0) array_.clock->Advance(std::chrono::minutes(70));  // recovery is due
  std::string what;
  if (Below(2) == 0) {
    Ours(step);
  } else {
    cluster_.HideSnapshots();
    what = Theirs(step);
  }
  SCOPED_TRACE("theirs: " + what);
  if (testing::Test::HasFailure()) return;
  cluster_.CompareWithArray();
  cluster_.LetGuestsWrite(step);
  CompareWithPredecessor();
  if (step % kStepsBetweenLooks == 0) cluster_.CompareWithStorage();
}

// A clone of a snapshot, or of a template that was a clone, is behind no base image for it.
void MixedWalk::CompareWithPredecessor() {
  std::set<std::string> listed;
  for (const auto& name : predecessor_.List()) listed.insert(LeafOf(name));
  std::set<std::string> expected;
  for (const auto& [name, disk] : model().disks) expected.insert(LeafOf(name));
  ASSERT_EQ(listed, expected);
  for (const auto& [name, disk] : model().disks) {
    ASSERT_FALSE(predecessor_.FindNamespace(name)->subsystem_uuid.empty()) << name;
    const auto* group = array_.sim.world().GroupOf(predecessor_.FindFlexVol(name)->uuid);
    if (disk.is_base) continue;
    ASSERT_NE(group, nullptr) << name;
    ASSERT_EQ(group->name, Predecessor::GroupOf(name));
  }
}

void MixedWalk::End() {
  cluster_.Recover();
  EXPECT_THAT(array_.Orphans(), IsEmpty());
  cluster_.CompareWithStorage();
  cluster_.ExpectSnapshotsHoldTheirBytes();
}

TEST(MixedClusterTest, EachWorksOnWhatTheOtherHasMade) {
  Tally tally;
  const auto seeds = SeedList(kWalks);
  for (const unsigned seed : seeds) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    MixedWalk walk(seed, tally);
    for (int step = 0; step < kSteps; ++step) {
      walk.Step(step);
      if (HasFailure()) return;
    }
    walk.End();
    if (HasFailure()) return;
  }
  EXPECT_GT(tally.ours, 0);
  EXPECT_GT(tally.theirs, 0);
  std::cout << "mixed cluster: " << seeds.size() << " walks, " << tally.ours
            << " operations of ours, " << tally.theirs << " of the predecessor's, " << tally.refused
            << " rollbacks that it refused\n";
}

}  // namespace
}  // namespace ontapnvme::fault
