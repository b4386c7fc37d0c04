// SPDX-License-Identifier: AGPL-3.0-or-later
// Clusters, storages and prefixes on one SVM: whatever they do, none sees or touches another's
// disks. Random walks; the seed is fixed, so that a failure comes back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "fault/storage_rig.h"

namespace ontapnvme::fault {
namespace {

using testing::IsEmpty;

// What a model of each storage says must be there, with the content of each disk.
struct Party {
  std::unique_ptr<StorageRig> rig;
  std::string prefix;
  std::map<std::string, std::string> disks;
};

class IsolationTest : public testing::TestWithParam<unsigned> {
 protected:
  void AddParty(RigOptions options, const std::string& prefix) {
    options.settings["storage_prefix"] = prefix;
    auto rig = std::make_unique<StorageRig>(array, std::move(options));
    ASSERT_TRUE(rig->storage().Activate().ok());
    parties.push_back({std::move(rig), prefix, {}});
  }
  std::size_t Below(std::size_t end) { return random() % end; }
  std::string AnyDisk(Party& party) {
    if (party.disks.empty()) return "";
    return std::next(party.disks.begin(), static_cast<long>(Below(party.disks.size())))->first;
  }

  void Step(Party& party, int step) {
    auto& storage = party.rig->storage();
    const std::uint64_t vmid = 100 + Below(3);
    const std::string disk = AnyDisk(party);
    switch (Below(5)) {
      case 0:
      case 1: {
        const char* names[] = {"", "", "cloudinit", "state-a-b", "state-a_b", "fleece-0", "x.Y-z"};
        const std::string rest = names[Below(std::size(names))];
        const auto made = storage.Allocate(
            vmid, rest.empty() ? "" : "vm-" + std::to_string(vmid) + "-" + rest, 64);
        if (!made.ok()) {
          // Its own disk of that name, or another's FlexVol: never an overwritten one.
          EXPECT_TRUE(FailedWith(made, ErrorCode::kAlreadyExists) ||
                      FailedWith(made, ErrorCode::kConflict))
              << made.error().Line();
          return;
        }
        EXPECT_FALSE(party.disks.contains(*made)) << *made;
        party.disks[*made] = "p" + std::to_string(step);
        party.rig->Write(*made, party.disks[*made]);
        return;
      }
      case 2:
        if (disk.empty()) return;
        EXPECT_TRUE(storage.Free(disk).ok());
        party.disks.erase(disk);
        return;
      case 3: {
        if (disk.empty()) return;
        const auto renamed = storage.Rename(disk, vmid, "");
        ASSERT_TRUE(renamed.ok()) << renamed.error().Line();
        party.disks[*renamed] = party.disks[disk];
        party.disks.erase(disk);
        return;
      }
      case 4:
        if (disk.empty()) return;
        EXPECT_TRUE(storage.CreateSnapshot(disk, "s" + std::to_string(step)).ok());
        EXPECT_TRUE(storage.DeleteSnapshot(disk, "s" + std::to_string(step)).ok());
        party.rig->Restart();
        return;
    }
  }

  TestArray array;
  std::vector<Party> parties;
  std::mt19937 random{GetParam()};
};

TEST_P(IsolationTest, NobodySeesOrTouchesAnothersDisks) {
  AddParty({.node = "a"}, "t_");
  AddParty({.cluster_id = "99999999-2222-3333-4444-555555555555", .node = "b"}, "t_");
  AddParty({.storage_id = "tank2", .node = "c"}, "t_");
  AddParty({.storage_id = "tank3", .node = "d"}, "t_vm_");
  AddParty({.storage_id = "tank4", .node = "e"}, "");
  for (int step = 0; step < 60; ++step) {
    Party& party = parties[Below(parties.size())];
    Step(party, step);
    for (auto& one : parties) {
      std::vector<std::string> expected;
      for (const auto& [name, content] : one.disks) expected.push_back(name);
      std::vector<std::string> listed;
      const auto disks = one.rig->storage().List(std::nullopt);
      ASSERT_TRUE(disks.ok());
      for (const auto& disk : *disks) listed.push_back(disk.volume_name);
      ASSERT_THAT(listed, testing::UnorderedElementsAreArray(expected)) << "step " << step;
      for (const auto& [name, content] : one.disks) {
        ASSERT_EQ(one.rig->Content(name), content) << name << " at step " << step;
      }
    }
  }
  EXPECT_THAT(array.Orphans(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Seeds, IsolationTest, testing::Range(1U, 9U));

}  // namespace
}  // namespace ontapnvme::fault
