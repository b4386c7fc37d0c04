// SPDX-License-Identifier: AGPL-3.0-or-later
// All operations of one node at a PlainArray, over a host without a kernel: what an operation
// does is seen on the array, in the node's files and in the log.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/log.h"
#include "fakes/fake_clock.h"
#include "fakes/fake_host.h"
#include "fakes/members_file.h"
#include "fakes/plain_array.h"
#include "fakes/temporary_folder.h"
#include "node/node_state.h"
#include "pve/operations.h"

namespace ontapnvme::pve {

inline VolumeName Name(const std::string& text) {
  auto name = VolumeName::Parse(text);
  EXPECT_TRUE(name.ok()) << text;
  return std::move(name).value();
}

inline SnapshotName Snap(const std::string& text) {
  auto name = SnapshotName::Parse(text);
  EXPECT_TRUE(name.ok()) << text;
  return std::move(name).value();
}

// Shows a result's error where a test expects none.
template <typename R>
testing::AssertionResult Succeeds(const R& result) {
  if (result.ok()) return testing::AssertionSuccess();
  return testing::AssertionFailure() << result.error().Line();
}

class OperationsTest : public testing::Test {
 protected:
  Deadline Budget(Duration budget = std::chrono::seconds(45)) {
    return {clock, budget, &interrupt};
  }
  // As after the storage's activation: the array is known, and all paths are live.
  void Connect();
  // What the kernel shows: a device for each mapped namespace, once a path is live.
  std::vector<nvme::Device> Devices();
  std::string DevicePath(const Uuid& uuid) const;
  Uuid UuidOf(const std::string& name) { return world.Disk(name)->uuid; }
  // Proxmox's cluster has this node and "other", which has told its NQN.
  void SetCluster(bool is_other_online, bool is_quorate = true) {
    fakes::WriteMembers(folder / "members", "node1", {{"node1", true}, {"other", is_other_online}},
                        is_quorate);
    fakes::WriteMembers(folder / "members-of-other", "other", {{"other", true}});
    const node::ClusterMembers other(folder / "members-of-other", folder / "hosts");
    ASSERT_TRUE(other.TellNqn("nqn.other-node").ok());
  }
  void Use(const Uuid& uuid) { host.usage[uuid] = {true, "process 12 (kvm)"}; }
  // The target of a volume's link; empty without one.
  std::string LinkOf(const std::string& name) { return node.links.Target(name).value_or(""); }
  // Lines of that level since the last call.
  std::vector<std::string> TakeLines(LogLevel level);
  static Error Silence() { return Error(ErrorCode::kUnavailable, "no answer"); }

  fakes::TemporaryFolder folder;
  fakes::FakeClock clock;
  fakes::FakeInterrupt interrupt;
  Log log;
  StorageConfig config = Config();
  Secrets secrets;
  fakes::PlainArray array;
  fakes::PlainWorld& world = array.world;
  fakes::FakeHost host{[this] { return Devices(); }};
  std::set<Uuid> hidden;                 // whose device the kernel does not show
  std::set<Uuid> elsewhere;              // whose device comes from another subsystem
  std::map<Uuid, ByteCount> size_shown;  // by the kernel, where it is not the array's
  unsigned live_paths = 2;               // of each device
  bool has_udev = true;                  // which makes links to devices
  node::NodeState node{Around(folder), config};
  Operations operations{config, secrets, array, host, node, log, &interrupt};

 private:
  static StorageConfig Config();
  static Surroundings Around(const fakes::TemporaryFolder& folder);
};

inline StorageConfig OperationsTest::Config() {
  StorageConfig config;
  config.storage_id = "tank";
  config.mgmt_host = "192.0.2.9";
  config.svm = "svm1";
  config.subsystem = "pve";
  config.aggregate = "aggr1";
  return config;
}

inline Surroundings OperationsTest::Around(const fakes::TemporaryFolder& folder) {
  Surroundings around;
  around.state_directory = folder / "run";
  around.link_directory = folder / "links";
  around.disk_memory_file = folder / "disks";
  around.members_file = folder / "members";
  around.hosts_directory = folder / "hosts";
  return around;
}

inline void OperationsTest::Connect() {
  ASSERT_TRUE(Succeeds(operations.storage_activation.Activate(Budget())));
  (void)world.TakeCalls();
  (void)log.Take();
}

inline std::string OperationsTest::DevicePath(const Uuid& uuid) const {
  return folder / ("nvme0n" + std::to_string(uuid.bytes()[15]));
}

inline std::vector<nvme::Device> OperationsTest::Devices() {
  std::vector<nvme::Device> devices;
  const auto controllers = host.Controllers(world.target.subsystem_nqn);
  if (!controllers.ok() || controllers->empty()) return devices;
  for (const auto& disk : world.all()) {
    const bool is_shown = disk.is_whole && disk.mapping == catalogue::Mapping::kHere &&
                          !disk.is_deferred && !hidden.contains(disk.uuid);
    if (!is_shown) continue;
    const auto other_size = size_shown.find(disk.uuid);
    nvme::Device device;
    device.path = DevicePath(disk.uuid);
    device.stable_path = has_udev ? device.path : "";
    device.name = device.path.substr(device.path.rfind('/') + 1);
    device.uuid = disk.uuid;
    device.subsystem_nqn = elsewhere.contains(disk.uuid) ? "nqn.other" : world.target.subsystem_nqn;
    device.size = other_size == size_shown.end() ? disk.size : other_size->second;
    device.live_paths = live_paths;
    devices.push_back(device);
  }
  return devices;
}

inline std::vector<std::string> OperationsTest::TakeLines(LogLevel level) {
  std::vector<std::string> lines;
  for (const auto& record : log.Take()) {
    if (record.level == level) lines.push_back(record.text);
  }
  return lines;
}

}  // namespace ontapnvme::pve
