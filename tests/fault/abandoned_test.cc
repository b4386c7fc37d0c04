// SPDX-License-Identifier: AGPL-3.0-or-later
// What 'orphans --fix' removes, on arrays of which a seed decides what is on them and what goes wrong:
// nothing that does not carry this storage's mark, nothing that a guest has, no whole disk, and nothing
// for good.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <random>
#include <set>

#include "fakes/temporary_folder.h"
#include "fault/storage_rig.h"
#include "model/mark.h"

namespace ontapnvme::fault {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int kSeeds = 40;
constexpr const char* kOtherCluster = "99999999-2222-3333-4444-555555555555";

class AbandonedTest : public testing::Test {
 protected:
  // Of the storage of that name, perhaps as an unfinished full clone.
  static std::string MarkOf(const std::string& cluster, const std::string& storage,
                            std::uint64_t vmid, FullClone full_clone = FullClone::kNo) {
    Mark mark = Marker(cluster, storage).New(vmid, "0011223344556677");
    mark.full_clone = full_clone;
    return *mark.Text();
  }
  static std::string OurMark(std::uint64_t vmid) {
    return MarkOf(RigOptions().cluster_id, "tank", vmid);
  }
};

// An array with all kinds of things on it.
class Estate {
 public:
  explicit Estate(unsigned seed)
      : random_(seed), rig(array, {.disk_memory_file = folder.path() + "/tank.disks"}) {
    EXPECT_TRUE(rig.storage().Activate().ok());
    for (std::uint64_t vmid = 100; vmid < 103; ++vmid) {
      for (unsigned i = Any(3) + 1; i > 0; --i) {
        const auto disk = rig.MustAllocate(vmid);
        rig.Write(disk, disk);
        // Others stand in no configuration: whose they are only an administrator knows.
        if (Any(3) != 0) named.push_back(disk);
        if (Any(3) != 0) continue;
        EXPECT_TRUE(rig.storage().CreateSnapshot(disk, "s" + std::to_string(i)).ok());
      }
    }
  }

  unsigned Any(unsigned below) { return static_cast<unsigned>(random_()) % below; }

  void Stray(const std::string& flexvol, const std::string& comment, bool has_namespace) {
    nlohmann::json body{{"svm", {{"name", "svm1"}}},
                        {"name", flexvol},
                        {"size", 33554432},
                        {"aggregates", nlohmann::json::array({{{"name", "aggr1"}}})}};
    if (!comment.empty()) body["comment"] = comment;
    Post("/api/storage/volumes", body);
    if (!has_namespace) return;
    Post("/api/storage/namespaces", {{"svm", {{"name", "svm1"}}},
                                     {"name", "/vol/" + flexvol + "/" + flexvol},
                                     {"os_type", "linux"},
                                     {"space", {{"size", 4194304}}}});
  }
  void Post(const char* target, const nlohmann::json& body) {
    const auto reply =
        array.sim.Ctl({{"cmd", "admin"}, {"method", "POST"}, {"target", target}, {"body", body}});
    ASSERT_TRUE(reply.at("ok").get<bool>()) << reply.dump();
  }
  // Name => all that must not change of it.
  std::map<std::string, std::string> Picture() {
    std::map<std::string, std::string> picture;
    for (const auto& volume : array.sim.world().volumes) {
      std::string& text = picture[volume.name];
      text = volume.uuid + " " + volume.comment + " " + volume.state;
      for (const auto* ns : array.sim.world().NamespacesOf(volume.uuid)) {
        text += " " + ns->uuid + " mapped to " + ns->subsystem_uuid;
      }
      for (const auto* snapshot : array.sim.world().SnapshotsOf(volume.uuid)) {
        text += " @" + snapshot->name;
      }
      if (const auto* group = array.sim.world().GroupOf(volume.uuid)) text += " in " + group->name;
    }
    return picture;
  }
  std::size_t QueueSize() { return array.sim.world().recovery_queue.size(); }

 private:
  std::mt19937 random_;

 public:
  fakes::TemporaryFolder folder;
  TestArray array;
  StorageRig rig;
  std::vector<std::string> named;
};

TEST_F(AbandonedTest, NothingGoesThatIsNotProvenAbandoned) {
  int removed_in_all = 0;
  int refused_in_all = 0;
  for (unsigned seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Estate estate(seed);
    const auto ours = RigOptions().cluster_id;
    std::set<std::string> may_go;
    for (unsigned i = 0; i < 6; ++i) {
      const std::uint64_t vmid = 400 + i;
      const std::string flexvol = "t_vm_" + std::to_string(vmid) + "_disk_0";
      switch (estate.Any(6)) {
        case 0:
          estate.Stray(flexvol, OurMark(vmid), false);
          may_go.insert(flexvol);
          break;
        case 1:
          estate.Stray(flexvol, "", false);
          break;
        case 2:
          estate.Stray(flexvol, MarkOf(kOtherCluster, "tank", vmid), false);
          break;
        case 3:
          estate.Stray(flexvol, MarkOf(ours, "other", vmid), estate.Any(2) == 0);
          break;
        case 4:
          estate.Stray(flexvol, OurMark(vmid) + " edited", false);
          break;
        default:
          estate.Stray("t_data_" + std::to_string(i), "", estate.Any(2) == 0);
      }
    }
    estate.array.clock->Advance(std::chrono::hours(2));
    // Too young: perhaps its task still runs.
    estate.Stray("t_vm_500_disk_0", OurMark(500), false);
    const auto before = estate.Picture();
    static const std::vector<std::string> kFaults = {"", "status", "empty", "short"};
    const auto& fault = kFaults[estate.Any(4)];
    if (!fault.empty()) {
      nlohmann::json rule{{"method", "GET"}, {"nth", 1 + estate.Any(8)}};
      if (fault == "status") rule["status"] = 500;
      if (fault == "empty") rule["empty"] = true;
      if (fault == "short") rule["short"] = 1 + estate.Any(3);
      rule["times"] = estate.Any(2) == 0 ? 1 : -1;
      estate.array.AddFault(rule);
    }
    const auto removed = estate.rig.storage().RemoveAbandoned(estate.named);
    estate.array.ClearFaults();

    const auto after = estate.Picture();
    std::size_t gone = 0;
    for (const auto& [name, text] : before) {
      const auto found = after.find(name);
      if (found != after.end()) {
        EXPECT_EQ(found->second, text) << name;
        continue;
      }
      EXPECT_TRUE(may_go.contains(name)) << name << " is gone";
      ++gone;
    }
    EXPECT_EQ(after.size() + gone, before.size());
    EXPECT_EQ(estate.QueueSize(), gone) << "nothing goes for good";
    if (!removed.ok()) EXPECT_EQ(gone, 0U);
    if (fault.empty()) {
      ASSERT_TRUE(removed.ok()) << removed.error().Line();
      EXPECT_EQ(gone, may_go.size());
    }
    removed_in_all += static_cast<int>(gone);
    refused_in_all += removed.ok() ? 0 : 1;
  }
  std::cout << "abandoned: " << kSeeds << " arrays, " << removed_in_all << " volumes removed, "
            << refused_in_all << " times nothing\n";
  EXPECT_GT(removed_in_all, 10);
  EXPECT_GT(refused_in_all, 5);
}

TEST_F(AbandonedTest, WhatAConfigurationNamesKeepsEverythingFromGoingUntilItIsThere) {
  Estate estate(1);
  estate.Stray("t_vm_400_disk_0", OurMark(400), false);
  estate.array.clock->Advance(std::chrono::hours(2));
  const auto before = estate.Picture();
  estate.named.emplace_back("vm-400-disk-0");
  const auto refused = estate.rig.storage().RemoveAbandoned(estate.named);
  ASSERT_TRUE(FailedWith(refused, ErrorCode::kConflict));
  EXPECT_THAT(refused.error().Line(), HasSubstr("'vm-400-disk-0'"));
  EXPECT_EQ(estate.Picture(), before);
}

TEST_F(AbandonedTest, WhatTheClusterRemembersMustBeListed) {
  Estate estate(2);
  const auto disk = estate.rig.MustAllocate(200);
  estate.Stray("t_vm_400_disk_0", OurMark(400), false);
  estate.array.clock->Advance(std::chrono::hours(2));
  // Removed on the array, or not listed: who could tell.
  estate.array.sim.world().volumes.Find(estate.rig.Namespace(disk)->volume_uuid)->name = "t_books";
  for (auto* ns : estate.array.sim.world().NamespacesOf(
           estate.array.sim.world()
               .FindVolume(estate.array.sim.world().FindSvm("svm1")->uuid, "t_books")
               ->uuid)) {
    ns->base_name = "books";
  }
  const auto refused = estate.rig.storage().RemoveAbandoned({});
  ASSERT_TRUE(FailedWith(refused, ErrorCode::kConflict));
  EXPECT_THAT(refused.error().Line(), HasSubstr("'" + disk + "', which the cluster remembers"));
  EXPECT_EQ(estate.QueueSize(), 0U);
}

TEST_F(AbandonedTest, GroupsWithoutMembersAndUnfinishedClonesGo) {
  Estate estate(3);
  estate.Stray("t_vm_400_disk_0", MarkOf(RigOptions().cluster_id, "tank", 400, FullClone::kBegun),
               false);
  const auto disk = estate.rig.MustAllocate(700);
  estate.array.sim.world().LeaveGroup(estate.rig.Namespace(disk)->volume_uuid);
  estate.array.clock->Advance(std::chrono::hours(2));
  const auto removed = estate.rig.storage().RemoveAbandoned(estate.named);
  ASSERT_TRUE(removed.ok()) << removed.error().Line();
  EXPECT_THAT(*removed, Contains(HasSubstr("removed consistency group t_pve_cg_vm_700")));
  EXPECT_TRUE(estate.rig.storage().Info(disk).ok()) << "the disk that had left it stays";
  EXPECT_THAT(*removed, Contains(HasSubstr("left alone: ")))
      << "an unfinished clone that is none: " << testing::PrintToString(*removed);
}

}  // namespace
}  // namespace ontapnvme::fault
