// SPDX-License-Identifier: AGPL-3.0-or-later
#include "node/node_state.h"

#include <gtest/gtest.h>

#include "fakes/fake_clock.h"
#include "fakes/temporary_folder.h"

namespace ontapnvme::node {
namespace {

class NodeStateTest : public testing::Test {
 protected:
  NodeStateTest() {
    config.storage_id = "tank";
    config.mgmt_host = "192.0.2.1";
    config.svm = "svm1";
    config.subsystem = "pve";
    config.aggregate = "aggr1";
    config.portals = {"192.0.2.11"};
    surroundings.state_directory = folder / "run";
    surroundings.link_directory = folder / "dev";
    surroundings.disk_memory_file = folder / "disks";
    surroundings.lvm_config_file = folder / "lvm.conf";
  }

  fakes::TemporaryFolder folder;
  StorageConfig config;
  Surroundings surroundings;
};

TEST_F(NodeStateTest, EverythingIsKeptWhereTheSurroundingsSay) {
  fakes::FakeClock clock;
  const NodeState state(surroundings, config);
  const auto name = *VolumeName::Parse("vm-100-disk-0");
  state.facts.Store({{"a", "1"}});
  state.silence.Note(clock.WallTime(), clock);
  ASSERT_TRUE(state.turns.Take("recovery", std::chrono::hours(1), clock));
  state.disks.Remember(name, *Uuid::Parse("11111111-1111-1111-1111-111111111111"));
  ASSERT_TRUE(state.links.Point("vm-100-disk-0", "/dev/nvme0n1").ok());
  const auto held = state.Lock("devices").Take(Deadline(clock, std::chrono::seconds(1)));
  ASSERT_TRUE(held.ok() && *held);
  for (const char* path : {"run/tank.facts", "run/tank.silent", "run/tank.recovery.turn", "disks",
                           "dev/tank/vm-100-disk-0", "run/tank.devices.lock"}) {
    EXPECT_TRUE(folder.Has(path)) << path;
  }
  EXPECT_EQ(state.lvm_config_file, folder / "lvm.conf");
}

TEST_F(NodeStateTest, FactsOutliveOtherSettingsButThoseTheyDependOn) {
  NodeState(surroundings, config).facts.Store({{"a", "1"}});
  const auto is_known = [&](const StorageConfig& other) {
    return NodeState(surroundings, other).facts.Load().has_value();
  };
  EXPECT_TRUE(is_known(config));
  const std::vector<std::function<void(StorageConfig&)>> another_array = {
      [](auto& one) { one.mgmt_host = "192.0.2.2"; },
      [](auto& one) { one.mgmt_port = 8443; },
      [](auto& one) { one.svm = "svm2"; },
      [](auto& one) { one.subsystem = "other"; },
      [](auto& one) { one.aggregate = "aggr2"; },
      [](auto& one) { one.is_svm_scoped = true; },
      [](auto& one) { one.portals.clear(); },
      [](auto& one) { one.portals.emplace_back("192.0.2.12"); }};
  for (std::size_t i = 0; i < another_array.size(); ++i) {
    StorageConfig other = config;
    another_array[i](other);
    EXPECT_FALSE(is_known(other)) << "change " << i;
  }
  StorageConfig same_array = config;
  same_array.debug = 2;
  same_array.is_thick = true;
  same_array.username = "other";
  EXPECT_TRUE(is_known(same_array));
}

TEST_F(NodeStateTest, RemovedStorageLeavesItsLinksAndWhatOthersNeed) {
  fakes::FakeClock clock;
  StorageConfig other = config;
  other.storage_id = "tank2";
  const NodeState state(surroundings, config);
  const NodeState others(surroundings, other);
  for (const NodeState* one : {&state, &others}) {
    one->facts.Store({{"a", "1"}});
    one->silence.Note(clock.WallTime(), clock);
    ASSERT_TRUE(one->turns.Take("recovery", std::chrono::hours(1), clock));
  }
  state.NoteSubsystem("nqn.x");
  ASSERT_TRUE(state.links.Point("vm-100-disk-0", "/dev/nvme0n1").ok());
  state.Forget();
  for (const char* file : {".facts", ".silent", ".recovery.turn"}) {
    EXPECT_FALSE(folder.Has(std::string("run/tank") + file)) << file;
    EXPECT_TRUE(folder.Has(std::string("run/tank2") + file)) << file;
  }
  EXPECT_TRUE(folder.Has("run/subsystems/nqn.x")) << "another storage may use the subsystem";
  EXPECT_TRUE(folder.Has("dev/tank/vm-100-disk-0"));
}

// Content is none of it: the package's udev rule asks whether the file is there.
TEST_F(NodeStateTest, SubsystemIsNotedForUdev) {
  const NodeState state(surroundings, config);
  const std::string nqn = "nqn.1992-08.com.netapp:sn.aa:subsystem.pve";
  state.NoteSubsystem(nqn);
  state.NoteSubsystem(nqn);
  EXPECT_EQ(folder.Mode("run/subsystems/" + nqn), 0600U);
  EXPECT_EQ(folder.Mode("run/subsystems"), 0700U);
  EXPECT_EQ(folder.Mode("run"), 0700U);
  EXPECT_EQ(folder.Count("run/subsystems"), 1U);
}

TEST_F(NodeStateTest, SubsystemThatIsNoFileNameIsNotNoted) {
  const NodeState state(surroundings, config);
  for (const char* nqn : {"", "../../evil", "/tmp/evil", "a/b", ".", ".."})
    state.NoteSubsystem(nqn);
  EXPECT_EQ(folder.Count("run/subsystems"), 0U);
  EXPECT_EQ(folder.Count(), folder.Has("run") ? 1U : 0U);
}

}  // namespace
}  // namespace ontapnvme::node
