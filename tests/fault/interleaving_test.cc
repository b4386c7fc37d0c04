// SPDX-License-Identifier: AGPL-3.0-or-later
// Operations of several nodes at once, request by request, in orders drawn by a seed. Whatever the
// order: what succeeded is there, what failed says so sensibly, every listing is whole, nobody
// else's disk is touched, and after the next recovery nothing half-made is left.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "fault/storage_rig.h"

namespace ontapnvme::fault {
namespace {

using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr unsigned kSeeds = 30;  // schedules of each scenario

// Two nodes of one cluster and a second process on the first, with a VM of two disks; a node of
// another cluster on the same SVM; a bystander.
class Cluster {
 public:
  explicit Cluster(unsigned seed) : schedule(seed) {
    array.Set("async", seed % 3 == 0 ? "always" : "auto");
    AddNode({.node = "here"});
    AddNode({.node = "there"});
    AddNode({.node = "here", .directory = nodes[kHere]->directory()});
    AddNode({.cluster_id = "99999999-2222-3333-4444-555555555555", .node = "elsewhere"});
    for (const char* text : {"zero", "one"}) here().Write(here().MustAllocate(100), text);
    bystander = nodes[kOther]->MustAllocate(100);
    nodes[kOther]->Write(bystander, "bystander");
  }

  enum Node { kHere, kThere, kHereToo, kOther };

  StorageRig& here() { return *nodes[kHere]; }
  pve::Storage& storage(Node node) { return nodes[node]->storage(); }

  // An operation for the schedule, as Proxmox runs it: under the lock of the storage, or not.
  template <typename F>
  void Locked(Node node, F run) {
    schedule.Add(node == kOther ? "other" : "store", [=, this] { run(storage(node)); });
  }
  template <typename F>
  void Unlocked(Node node, F run) {
    schedule.Add("", [=, this] { run(storage(node)); });
  }
  // Meanwhile somebody lists, and must see these volumes once, and none twice.
  void Listing(Node node, std::set<std::string> always_there) {
    Unlocked(node, [=](pve::Storage& storage) {
      const auto disks = storage.List(std::nullopt);
      ASSERT_TRUE(disks.ok()) << disks.error().Line();
      std::set<std::string> seen;
      for (const auto& disk : *disks) {
        EXPECT_TRUE(seen.insert(disk.volume_name).second) << disk.volume_name << " twice";
        EXPECT_GT(disk.size.bytes(), 0U) << disk.volume_name;
      }
      for (const auto& name : always_there) EXPECT_TRUE(seen.contains(name)) << name;
    });
  }
  void ExpectNothingLeft() {
    EXPECT_EQ(nodes[kOther]->Content(bystander), "bystander");
    array.clock->Advance(std::chrono::minutes(70));
    for (const Node node : {kHere, kOther}) {
      nodes[node]->Restart();
      EXPECT_TRUE(storage(node).Free(nodes[node]->MustAllocate(901)).ok());
    }
    EXPECT_THAT(array.Orphans(), IsEmpty());
    EXPECT_EQ(nodes[kOther]->Content(bystander), "bystander");
  }
  std::vector<std::string> SnapshotsOf(const std::string& disk) {
    nodes[kThere]->Restart();
    const auto snapshots = storage(kThere).ListSnapshots(disk);
    EXPECT_TRUE(snapshots.ok()) << snapshots.error().Line();
    std::vector<std::string> names;
    if (!snapshots.ok()) return names;
    for (const auto& one : *snapshots) names.push_back(one.name);
    return names;
  }
  std::vector<std::string> Listed() {
    nodes[kThere]->Restart();
    const auto disks = storage(kThere).List(std::nullopt);
    EXPECT_TRUE(disks.ok());
    std::vector<std::string> names;
    if (!disks.ok()) return names;
    for (const auto& disk : *disks) names.push_back(disk.volume_name);
    return names;
  }

  TestArray array;
  Schedule schedule;
  std::vector<std::unique_ptr<StorageRig>> nodes;
  std::string bystander;

 private:
  void AddNode(RigOptions options) {
    options.schedule = &schedule;
    nodes.push_back(std::make_unique<StorageRig>(array, std::move(options)));
    EXPECT_TRUE(nodes.back()->storage().Activate().ok());
  }
};

template <typename T>
Status Done(const Result<T>& result) {
  return result.ok() ? Status() : Status(result.error());
}

constexpr const char* kDisks[] = {"vm-100-disk-0", "vm-100-disk-1"};

Status SnapshotBoth(pve::Storage& storage) {
  for (const char* disk : kDisks) {
    if (auto made = storage.CreateSnapshot(disk, "s1"); !made.ok()) return made;
  }
  return {};
}

Status DeleteBoth(pve::Storage& storage) {
  for (const char* disk : kDisks) {
    if (auto gone = storage.DeleteSnapshot(disk, "s1"); !gone.ok()) return gone;
  }
  return {};
}

void ExpectOk(const Status& status) {
  EXPECT_TRUE(status.ok()) << status.error().Line();
}

// Success, or one line with one of these codes.
void ExpectOkOr(const Status& status, std::set<ErrorCode> codes) {
  if (status.ok()) return;
  EXPECT_TRUE(codes.contains(status.error().code())) << status.error().Line();
  EXPECT_EQ(status.error().Line().find('\n'), std::string::npos);
}

struct Scenario {
  const char* name;
  void (*run)(Cluster&);
};

void AllocateAndSnapshot(Cluster& cluster) {
  std::string added;
  cluster.Locked(Cluster::kHere, [&](pve::Storage& storage) {
    const auto made = storage.Allocate(100, "", 1024);
    ExpectOk(Done(made));
    if (made.ok()) added = *made;
  });
  cluster.Unlocked(Cluster::kThere, [](pve::Storage& storage) { ExpectOk(SnapshotBoth(storage)); });
  cluster.Listing(Cluster::kHereToo, {kDisks[0], kDisks[1]});
  cluster.schedule.Run();
  for (const char* disk : kDisks)
    EXPECT_THAT(cluster.SnapshotsOf(disk), UnorderedElementsAre("s1"));
  ExpectOk(DeleteBoth(cluster.storage(Cluster::kHereToo)));
  for (const char* disk : kDisks) EXPECT_THAT(cluster.SnapshotsOf(disk), IsEmpty());
  EXPECT_THAT(cluster.SnapshotsOf(added), IsEmpty());
}

void FreeAndDeleteSnapshot(Cluster& cluster) {
  ExpectOk(SnapshotBoth(cluster.storage(Cluster::kHereToo)));
  cluster.Locked(Cluster::kHere, [](pve::Storage& storage) { ExpectOk(storage.Free(kDisks[1])); });
  cluster.Unlocked(Cluster::kThere, [](pve::Storage& storage) { ExpectOk(DeleteBoth(storage)); });
  cluster.Listing(Cluster::kHereToo, {kDisks[0]});
  cluster.schedule.Run();
  EXPECT_THAT(cluster.SnapshotsOf(kDisks[0]), IsEmpty());
  EXPECT_THAT(cluster.Listed(), UnorderedElementsAre(kDisks[0]));
}

void FreeAndSnapshot(Cluster& cluster) {
  cluster.Locked(Cluster::kHere, [](pve::Storage& storage) { ExpectOk(storage.Free(kDisks[1])); });
  cluster.Unlocked(Cluster::kThere, [](pve::Storage& storage) {
    ExpectOk(storage.CreateSnapshot(kDisks[0], "s1"));
  });
  cluster.schedule.Run();
  EXPECT_THAT(cluster.SnapshotsOf(kDisks[0]), UnorderedElementsAre("s1"));
  ExpectOk(cluster.storage(Cluster::kHereToo).DeleteSnapshot(kDisks[0], "s1"));
  EXPECT_THAT(cluster.SnapshotsOf(kDisks[0]), IsEmpty());
}

void CloneAndDeleteSnapshot(Cluster& cluster) {
  ExpectOk(SnapshotBoth(cluster.storage(Cluster::kHereToo)));
  cluster.here().Write(kDisks[0], "later");
  Status cloned;
  cluster.Locked(Cluster::kHere, [&](pve::Storage& storage) {
    cloned = Done(storage.Clone(kDisks[0], "s1", 200));
    ExpectOkOr(cloned, {ErrorCode::kNotFound, ErrorCode::kConflict, ErrorCode::kBusy});
  });
  Status deleted;
  cluster.Unlocked(Cluster::kThere, [&](pve::Storage& storage) {
    deleted = DeleteBoth(storage);
    ExpectOkOr(deleted, {ErrorCode::kBusy});
  });
  cluster.schedule.Run();
  EXPECT_TRUE(cloned.ok() || deleted.ok());
  EXPECT_EQ(cluster.here().Content(kDisks[0]), "later");
  if (cloned.ok()) {
    EXPECT_EQ(cluster.here().Content("vm-200-disk-0"), "zero");
  }
}

void RenameAndSnapshot(Cluster& cluster) {
  std::string renamed;
  cluster.Locked(Cluster::kHere, [&](pve::Storage& storage) {
    const auto name = storage.Rename(kDisks[1], 200, "");
    ExpectOk(Done(name));
    if (name.ok()) renamed = *name;
  });
  cluster.Unlocked(Cluster::kThere, [](pve::Storage& storage) {
    ExpectOk(storage.CreateSnapshot(kDisks[0], "s1"));
    // As Proxmox: what was taken is deleted again when a disk fails.
    const auto second = storage.CreateSnapshot(kDisks[1], "s1");
    ExpectOkOr(second, {ErrorCode::kNotFound});
    if (!second.ok()) ExpectOk(storage.DeleteSnapshot(kDisks[0], "s1"));
  });
  cluster.Listing(Cluster::kHereToo, {kDisks[0]});
  cluster.schedule.Run();
  EXPECT_EQ(cluster.here().Content(renamed), "one");
  EXPECT_EQ(cluster.here().Content(kDisks[0]), "zero");
}

void TwoActivateOneSnapshot(Cluster& cluster) {
  ExpectOk(SnapshotBoth(cluster.storage(Cluster::kHere)));
  for (const auto node : {Cluster::kHere, Cluster::kHereToo, Cluster::kThere}) {
    cluster.Unlocked(node, [](pve::Storage& storage) {
      ExpectOk(Done(storage.ActivateSnapshot(kDisks[0], "s1")));
    });
  }
  cluster.schedule.Run();
  EXPECT_TRUE(std::filesystem::is_symlink(cluster.here().link("vm-100-disk-0@s1")));
  for (const auto node : {Cluster::kHere, Cluster::kHereToo, Cluster::kThere}) {
    ExpectOk(cluster.storage(node).DeactivateSnapshot(kDisks[0], "s1"));
  }
  for (const auto& volume : cluster.array.sim.world().volumes) {
    EXPECT_FALSE(volume.name.starts_with("t_pve_snapshot_device")) << volume.name;
  }
}

void ActivateAndDeleteSnapshot(Cluster& cluster) {
  ExpectOk(SnapshotBoth(cluster.storage(Cluster::kHereToo)));
  cluster.Unlocked(Cluster::kHere, [](pve::Storage& storage) {
    ExpectOkOr(Done(storage.ActivateSnapshot(kDisks[0], "s1")),
               {ErrorCode::kNotFound, ErrorCode::kBusy, ErrorCode::kConflict});
  });
  cluster.Unlocked(Cluster::kThere, [](pve::Storage& storage) {
    ExpectOkOr(DeleteBoth(storage), {ErrorCode::kBusy});
  });
  cluster.schedule.Run();
  ExpectOk(cluster.storage(Cluster::kHereToo).DeactivateSnapshot(kDisks[0], "s1"));
}

void CreateBaseAndList(Cluster& cluster) {
  cluster.Locked(Cluster::kHere,
                 [](pve::Storage& storage) { ExpectOk(Done(storage.CreateBase(kDisks[0]))); });
  cluster.Listing(Cluster::kThere, {kDisks[1]});
  cluster.Listing(Cluster::kHereToo, {kDisks[1]});
  cluster.schedule.Run();
  EXPECT_THAT(cluster.Listed(), UnorderedElementsAre("base-100-disk-0", kDisks[1]));
  EXPECT_EQ(cluster.here().Content("base-100-disk-0"), "zero");
}

void FreeAndActivate(Cluster& cluster) {
  Status freed;
  cluster.Locked(Cluster::kHere, [&](pve::Storage& storage) {
    freed = storage.Free(kDisks[1]);
    ExpectOkOr(freed, {ErrorCode::kBusy});
  });
  cluster.Unlocked(Cluster::kThere, [](pve::Storage& storage) {
    ExpectOkOr(Done(storage.ActivateVolume(kDisks[1])),
               {ErrorCode::kNotFound, ErrorCode::kDeviceMissing, ErrorCode::kConflict});
  });
  cluster.schedule.Run();
  if (!freed.ok()) ExpectOk(cluster.storage(Cluster::kHereToo).Free(kDisks[1]));
  EXPECT_THAT(cluster.Listed(), UnorderedElementsAre(kDisks[0]));
}

void AllocateAndRollback(Cluster& cluster) {
  ExpectOk(SnapshotBoth(cluster.storage(Cluster::kThere)));
  for (const char* disk : kDisks) cluster.here().Write(disk, "later");
  cluster.Locked(Cluster::kHere,
                 [](pve::Storage& storage) { ExpectOk(Done(storage.Allocate(100, "", 1024))); });
  cluster.Unlocked(Cluster::kThere, [](pve::Storage& storage) {
    for (const char* disk : kDisks) ExpectOk(Done(storage.RollbackBlockers(disk, "s1")));
    for (const char* disk : kDisks) ExpectOk(storage.Rollback(disk, "s1"));
  });
  cluster.schedule.Run();
  EXPECT_EQ(cluster.here().Content(kDisks[0]), "zero");
  EXPECT_EQ(cluster.here().Content(kDisks[1]), "one");
}

void ResizeAndSnapshotAndActivate(Cluster& cluster) {
  cluster.Unlocked(Cluster::kHere, [](pve::Storage& storage) {
    ExpectOk(storage.Resize(kDisks[0], GiB(1).bytes()));
  });
  cluster.Unlocked(Cluster::kThere, [](pve::Storage& storage) { ExpectOk(SnapshotBoth(storage)); });
  cluster.Unlocked(Cluster::kHereToo, [](pve::Storage& storage) {
    ExpectOkOr(Done(storage.ActivateVolume(kDisks[0])), {ErrorCode::kDeviceMissing});
  });
  cluster.schedule.Run();
  EXPECT_EQ(cluster.storage(Cluster::kHere).Info(kDisks[0])->size, GiB(1));
}

// Two owners without a lock in common choose names at the same time.
void TwoClustersAllocate(Cluster& cluster) {
  for (const auto node : {Cluster::kHere, Cluster::kOther}) {
    cluster.Locked(node, [](pve::Storage& storage) {
      for (int i = 0; i < 2; ++i) ExpectOk(Done(storage.Allocate(300, "", 1024)));
    });
  }
  cluster.Listing(Cluster::kThere, {kDisks[0], kDisks[1]});
  cluster.schedule.Run();
  EXPECT_EQ(cluster.Listed().size(), 4U);
}

void TwoClustersRename(Cluster& cluster) {
  std::string renamed;
  cluster.Locked(Cluster::kHere, [&](pve::Storage& storage) {
    const auto name = storage.Rename(kDisks[1], 300, "");
    ExpectOk(Done(name));
    if (name.ok()) renamed = *name;
  });
  cluster.Locked(Cluster::kOther,
                 [](pve::Storage& storage) { ExpectOk(Done(storage.Allocate(300, "", 1024))); });
  cluster.schedule.Run();
  EXPECT_THAT(cluster.Listed(), UnorderedElementsAre(kDisks[0], renamed));
  EXPECT_EQ(cluster.here().Content(renamed), "one");
}

// What an hour ago was left, and everything else at the same time.
void RecoveryAndEverything(Cluster& cluster) {
  ExpectOk(SnapshotBoth(cluster.storage(Cluster::kHere)));
  cluster.array.AddFault({{"drop_before", true}, {"nth", 3}, {"times", -1}});
  EXPECT_FALSE(cluster.storage(Cluster::kHere).Allocate(100, "", 1024).ok());
  cluster.array.ClearFaults();
  ASSERT_THAT(cluster.array.Orphans(), Not(IsEmpty()));
  cluster.array.clock->Advance(std::chrono::minutes(70));
  cluster.Locked(Cluster::kHere,
                 [](pve::Storage& storage) { ExpectOk(Done(storage.Allocate(100, "", 1024))); });
  cluster.Locked(Cluster::kThere, [](pve::Storage& storage) {
    ExpectOk(Done(storage.Clone(kDisks[0], "s1", 200)));
  });
  cluster.Unlocked(Cluster::kThere, [](pve::Storage& storage) {
    ExpectOk(Done(storage.ActivateSnapshot(kDisks[1], "s1")));
    ExpectOk(storage.DeactivateSnapshot(kDisks[1], "s1"));
  });
  cluster.Locked(Cluster::kOther,
                 [](pve::Storage& storage) { ExpectOk(Done(storage.Allocate(100, "", 1024))); });
  cluster.Listing(Cluster::kHereToo, {kDisks[0], kDisks[1]});
  cluster.schedule.Run();
  EXPECT_EQ(cluster.here().Content("vm-200-disk-0"), "zero");
  EXPECT_EQ(cluster.Listed().size(), 4U);
}

// Both are kept in one comment.
void ProtectAndNote(Cluster& cluster) {
  cluster.Locked(Cluster::kHere,
                 [](pve::Storage& storage) { ExpectOk(storage.SetProtected(kDisks[0], true)); });
  cluster.Locked(Cluster::kThere,
                 [](pve::Storage& storage) { ExpectOk(storage.SetNotes(kDisks[0], "keep")); });
  cluster.schedule.Run();
  const auto info = cluster.storage(Cluster::kHereToo).Info(kDisks[0]);
  ASSERT_TRUE(info.ok());
  EXPECT_TRUE(info->is_protected);
  EXPECT_EQ(info->notes, "keep");
}

constexpr Scenario kScenarios[] = {
    {"AllocateAndSnapshot", AllocateAndSnapshot},
    {"FreeAndDeleteSnapshot", FreeAndDeleteSnapshot},
    {"FreeAndSnapshot", FreeAndSnapshot},
    {"CloneAndDeleteSnapshot", CloneAndDeleteSnapshot},
    {"RenameAndSnapshot", RenameAndSnapshot},
    {"TwoActivateOneSnapshot", TwoActivateOneSnapshot},
    {"ActivateAndDeleteSnapshot", ActivateAndDeleteSnapshot},
    {"CreateBaseAndList", CreateBaseAndList},
    {"FreeAndActivate", FreeAndActivate},
    {"AllocateAndRollback", AllocateAndRollback},
    {"ResizeAndSnapshotAndActivate", ResizeAndSnapshotAndActivate},
    {"TwoClustersAllocate", TwoClustersAllocate},
    {"TwoClustersRename", TwoClustersRename},
    {"RecoveryAndEverything", RecoveryAndEverything},
    {"ProtectAndNote", ProtectAndNote},
};

class InterleavingTest : public testing::TestWithParam<Scenario> {};

TEST_P(InterleavingTest, KeepsItsPromisesInEveryOrder) {
  std::set<std::string> traces;
  for (unsigned seed = 1; seed <= Seeds(kSeeds); ++seed) {
    Cluster cluster(seed);
    GetParam().run(cluster);
    cluster.ExpectNothingLeft();
    traces.insert(cluster.schedule.trace());
    ASSERT_FALSE(HasFailure()) << GetParam().name << ": seed " << seed << ", schedule "
                               << cluster.schedule.trace();
  }
  std::cout << "interleaving: " << GetParam().name << ": " << Seeds(kSeeds) << " schedules, "
            << traces.size() << " of them different, kept all promises\n";
}

INSTANTIATE_TEST_SUITE_P(Scenarios, InterleavingTest, testing::ValuesIn(kScenarios),
                         [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace ontapnvme::fault
