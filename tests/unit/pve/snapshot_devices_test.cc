// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/snapshot_devices.h"

#include <filesystem>

#include "base/files.h"
#include "fakes/other_task.h"
#include "operations_test.h"

namespace ontapnvme::pve {
namespace {

using catalogue::Mapping;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class SnapshotDevicesTest : public OperationsTest {
 protected:
  SnapshotDevicesTest() {
    Connect();
    world.AddDisk("vm-100-disk-0", "then");
    world.AddSnapshot("vm-100-disk-0", "pve_snap_a", {});
    world.AddSnapshot("vm-100-disk-0", "pve_snap_b", {});
    world.Disk("vm-100-disk-0")->content = "now";
  }
  Result<std::string> Activate(const std::string& snapshot = "a") {
    return devices.ActivateSnapshot(disk, Snap(snapshot), Budget());
  }
  Status Deactivate(const std::string& snapshot = "a") {
    return devices.DeactivateSnapshot(disk, Snap(snapshot), Budget());
  }
  // Those on the array.
  std::vector<fakes::PlainDisk> Shown() {
    std::vector<fakes::PlainDisk> shown;
    for (const auto& one : world.all()) {
      if (one.shown) shown.push_back(one);
    }
    return shown;
  }
  // As if other tasks had asked for all that is shown, and had ended.
  void EndTasks() {
    for (const auto& one : Shown()) {
      const std::string link = node::LinkName(disk, one.shown->snapshot);
      node.link_tasks.Forget(link);
      fakes::OtherTask(node.link_tasks, link).End();
    }
  }
  void NextMinute() { clock.Advance(std::chrono::minutes(1)); }
  void ShowTo(const std::string& host_nqn) {
    const auto made = array.snapshots().MakeDevice({disk, Snap("a"), host_nqn}, Budget());
    ASSERT_TRUE(Succeeds(made));
    ASSERT_TRUE(Succeeds(array.disks().Map(*made->ns, Budget())));
  }

  const VolumeName disk = Name("vm-100-disk-0");
  SnapshotDevices& devices = operations.snapshot_devices;
};

TEST_F(SnapshotDevicesTest, SnapshotIsShownToThisNodeUnderALink) {
  const auto path = Activate();
  ASSERT_TRUE(Succeeds(path));
  EXPECT_EQ(*path, folder / "links/tank/vm-100-disk-0@a");
  ASSERT_EQ(Shown().size(), 1U);
  EXPECT_EQ(Shown()[0].content, "then");
  EXPECT_EQ(Shown()[0].shown->host_nqn, host.identity.host_nqn);
  EXPECT_EQ(LinkOf("vm-100-disk-0@a"), DevicePath(Shown()[0].uuid));
}

TEST_F(SnapshotDevicesTest, SecondActivationFindsTheFirst) {
  ASSERT_TRUE(Succeeds(Activate()));
  const Uuid first = Shown()[0].uuid;
  ASSERT_TRUE(Succeeds(Activate()));
  ASSERT_EQ(Shown().size(), 1U);
  EXPECT_EQ(Shown()[0].uuid, first);
}

TEST_F(SnapshotDevicesTest, DeviceThatLostItsLinkIsMadeAnew) {
  ASSERT_TRUE(Succeeds(Activate()));
  const Uuid first = Shown()[0].uuid;
  ASSERT_TRUE(node.links.Remove("vm-100-disk-0@a").ok());
  ASSERT_TRUE(Succeeds(Activate()));
  ASSERT_EQ(Shown().size(), 1U);
  EXPECT_NE(Shown()[0].uuid, first) << "a reader before the restart may have written to it";
}

TEST_F(SnapshotDevicesTest, UnknownIsNotMadeAgain) {
  world.FailNext("FindDevice", Silence());
  EXPECT_TRUE(FailedWith(Activate(), ErrorCode::kUnavailable));
  EXPECT_THAT(Shown(), IsEmpty());
}

TEST_F(SnapshotDevicesTest, MissingSnapshotIsNotFound) {
  const auto activated = Activate("none");
  ASSERT_TRUE(FailedWith(activated, ErrorCode::kNotFound));
  EXPECT_EQ(activated.error().sentence(),
            "cannot activate snapshot 'none' of volume 'vm-100-disk-0'");
}

TEST_F(SnapshotDevicesTest, FailureLeavesNothing) {
  for (const char* call : {"MakeDevice", "Map"}) {
    world.FailNext(call, Error(ErrorCode::kPermissionDenied, "no right"));
    EXPECT_TRUE(FailedWith(Activate(), ErrorCode::kPermissionDenied)) << call;
    EXPECT_THAT(Shown(), IsEmpty()) << call;
    EXPECT_EQ(LinkOf("vm-100-disk-0@a"), "");
  }
}

TEST_F(SnapshotDevicesTest, WhatCouldNotBeUndoneIsNamed) {
  world.FailNext("Map", Error(ErrorCode::kPermissionDenied, "no right"));
  world.FailNext("RemoveDevice", Error(ErrorCode::kPermissionDenied, "no right"));
  const auto activated = Activate();
  ASSERT_FALSE(activated.ok());
  EXPECT_EQ(activated.error().Fact("left_over"), Shown().at(0).ContainerName());
}

TEST_F(SnapshotDevicesTest, DeactivationRemovesDeviceAndLink) {
  ASSERT_TRUE(Succeeds(Activate()));
  ASSERT_TRUE(Succeeds(Deactivate()));
  EXPECT_THAT(Shown(), IsEmpty());
  EXPECT_EQ(LinkOf("vm-100-disk-0@a"), "");
  (void)world.TakeCalls();
  ASSERT_TRUE(Succeeds(Deactivate()));
  EXPECT_THAT(world.TakeCalls(), IsEmpty()) << "no request where there is no link";
}

TEST_F(SnapshotDevicesTest, DeviceInUseStays) {
  ASSERT_TRUE(Succeeds(Activate()));
  Use(Shown()[0].uuid);
  EXPECT_TRUE(FailedWith(Deactivate(), ErrorCode::kBusy));
  EXPECT_EQ(Shown().size(), 1U);
  EXPECT_NE(LinkOf("vm-100-disk-0@a"), "");
}

TEST_F(SnapshotDevicesTest, LinkWithoutADeviceIsRemoved) {
  ASSERT_TRUE(Succeeds(Activate()));
  world.Erase(Shown()[0].uuid);
  ASSERT_TRUE(Succeeds(Deactivate()));
  EXPECT_EQ(LinkOf("vm-100-disk-0@a"), "");
}

TEST_F(SnapshotDevicesTest, UnknownKeepsTheLink) {
  ASSERT_TRUE(Succeeds(Activate()));
  world.FailNext("FindDevice", Silence());
  EXPECT_TRUE(FailedWith(Deactivate(), ErrorCode::kUnavailable));
  EXPECT_NE(LinkOf("vm-100-disk-0@a"), "");
}

TEST_F(SnapshotDevicesTest, UnusedOnesAreReleasedAndUsedOnesStay) {
  ASSERT_TRUE(Succeeds(Activate("a")));
  ASSERT_TRUE(Succeeds(Activate("b")));
  for (const auto& one : Shown()) {
    if (one.shown->snapshot == Snap("b")) Use(one.uuid);
  }
  devices.ReleaseUnused(disk, Budget());
  EXPECT_EQ(LinkOf("vm-100-disk-0@a"), "");
  EXPECT_NE(LinkOf("vm-100-disk-0@b"), "");
  EXPECT_THAT(TakeLines(LogLevel::kWarning), IsEmpty());
}

TEST_F(SnapshotDevicesTest, ReleasingWhatIsNotShownAsksNothing) {
  devices.ReleaseUnused(disk, Budget());
  EXPECT_THAT(world.TakeCalls(), IsEmpty());
}

TEST_F(SnapshotDevicesTest, DevicesOfOtherNodesAreLeftAlone) {
  ShowTo("nqn.other-node");
  EXPECT_FALSE(devices.Reap({"disk/vm-100-disk-0"}, std::nullopt, Budget()));
  clock.Advance(std::chrono::hours(48));
  EXPECT_EQ(devices.ReapAbandoned(clock.WallTime(), Budget()), 0);
  EXPECT_EQ(Shown().size(), 1U);
}

TEST_F(SnapshotDevicesTest, DeviceOfANodeThatIsCutOffHoldsNothing) {
  const catalogue::HostConnection own{
      .host_nqn = host.identity.host_nqn, .host_id = "", .address = ""};
  const catalogue::HostConnection other{.host_nqn = "nqn.other-node", .host_id = "", .address = ""};
  const auto reaps = [&] { return devices.Reap({"disk/vm-100-disk-0"}, std::nullopt, Budget()); };
  SetCluster(/*is_other_online=*/false);
  ShowTo("nqn.other-node");
  world.connections = {own, other};
  EXPECT_FALSE(reaps()) << "it may be reading";
  for (const auto& untrusted : {std::vector{other}, std::vector<catalogue::HostConnection>{}}) {
    world.connections = untrusted;
    EXPECT_FALSE(reaps());
    clock.Advance(std::chrono::minutes(11));
    EXPECT_FALSE(reaps()) << "a list without this node shows nothing";
  }
  world.connections = {own};
  EXPECT_FALSE(reaps()) << "its reader may be waiting for a switch to come back";
  clock.Advance(std::chrono::minutes(9));
  EXPECT_FALSE(reaps());
  world.connections = {own, other};
  EXPECT_FALSE(reaps()) << "back again";
  world.connections = {own};
  clock.Advance(std::chrono::minutes(11));
  EXPECT_FALSE(reaps()) << "a moment only, once more";
  clock.Advance(std::chrono::minutes(181));
  EXPECT_FALSE(reaps()) << "much may have been in between";
  clock.Advance(std::chrono::minutes(11));
  world.FailNext("Connections", Silence());
  EXPECT_FALSE(reaps());
  EXPECT_EQ(Shown().size(), 1U);
  Use(Shown()[0].uuid);
  EXPECT_FALSE(reaps()) << "somebody here has it open";
  host.usage.clear();
  EXPECT_TRUE(reaps());
  EXPECT_THAT(Shown(), IsEmpty());
}

// Its management network is there and its data network is not, or the array's list lags.
TEST_F(SnapshotDevicesTest, DeviceOfANodeThatTheClusterDoesNotKnowToBeDownStays) {
  const catalogue::HostConnection own{
      .host_nqn = host.identity.host_nqn, .host_id = "", .address = ""};
  const auto reaps = [&] { return devices.Reap({"disk/vm-100-disk-0"}, std::nullopt, Budget()); };
  const auto reaps_at_last = [&] {
    const bool at_once = reaps();
    clock.Advance(std::chrono::minutes(11));
    return at_once || reaps();
  };
  ShowTo("nqn.other-node");
  world.connections = {own};
  EXPECT_FALSE(reaps_at_last()) << "nothing is known of it";
  SetCluster(/*is_other_online=*/true);
  EXPECT_FALSE(reaps_at_last()) << "a member that is up";
  SetCluster(/*is_other_online=*/false, /*is_quorate=*/false);
  EXPECT_FALSE(reaps_at_last()) << "it is this node that is alone";
  SetCluster(/*is_other_online=*/false);
  EXPECT_FALSE(reaps()) << "the time before does not count";
  SetCluster(/*is_other_online=*/true);
  EXPECT_FALSE(reaps());
  SetCluster(/*is_other_online=*/false);
  clock.Advance(std::chrono::minutes(11));
  EXPECT_FALSE(reaps()) << "it was back in between";
  EXPECT_EQ(Shown().size(), 1U);
  clock.Advance(std::chrono::minutes(11));
  EXPECT_TRUE(reaps());
}

TEST_F(SnapshotDevicesTest, NodeTellsItsNqnBeforeItHasADevice) {
  fakes::WriteMembers(folder / "members", "node1", {{"node1", true}});
  world.DuringNext("MakeDevice", [&] {
    EXPECT_EQ(ReadSmallFile(folder / "hosts/node1", 300), host.identity.host_nqn + "\n");
  });
  ASSERT_TRUE(Succeeds(Activate()));
  EXPECT_TRUE(std::filesystem::exists(folder / "hosts/node1"));
}

TEST_F(SnapshotDevicesTest, LinkOfThisNodeStaysWhenAnothersDeviceGoes) {
  SetCluster(/*is_other_online=*/false);
  fakes::OtherTask task(node.link_tasks, "vm-100-disk-0@a");
  ASSERT_TRUE(Succeeds(Activate()));
  ShowTo("nqn.other-node");
  world.connections = {{.host_nqn = host.identity.host_nqn, .host_id = "", .address = ""}};
  EXPECT_FALSE(devices.Reap({"disk/vm-100-disk-0"}, std::nullopt, Budget()));
  clock.Advance(std::chrono::minutes(11));
  EXPECT_TRUE(devices.Reap({"disk/vm-100-disk-0"}, std::nullopt, Budget()));
  ASSERT_EQ(Shown().size(), 1U);
  EXPECT_EQ(LinkOf("vm-100-disk-0@a"), DevicePath(Shown()[0].uuid));
}

// ---- for whom a device is

TEST_F(SnapshotDevicesTest, DeviceGoesSoonAfterItsTaskHasEnded) {
  ASSERT_TRUE(Succeeds(Activate("a")));
  ASSERT_TRUE(Succeeds(Activate("b")));
  devices.ReleaseEnded(Budget());
  EXPECT_EQ(Shown().size(), 2U) << "the task is this one";
  EndTasks();
  (void)world.TakeCalls();
  devices.ReleaseEnded(Budget());
  EXPECT_EQ(Shown().size(), 1U) << "one at a time";
  devices.ReleaseEnded(Budget());
  EXPECT_EQ(Shown().size(), 1U) << "and not at each poll";
  NextMinute();
  devices.ReleaseEnded(Budget(std::chrono::seconds(5)));
  EXPECT_EQ(Shown().size(), 1U) << "nor where there is no time for it";
  NextMinute();
  devices.ReleaseEnded(Budget());
  EXPECT_THAT(Shown(), IsEmpty());
  EXPECT_EQ(LinkOf("vm-100-disk-0@a"), "");
  EXPECT_THAT(node.link_tasks.Ended(), IsEmpty());
}

TEST_F(SnapshotDevicesTest, DeviceThatCannotGoHoldsUpNoOther) {
  ASSERT_TRUE(Succeeds(Activate("a")));
  ASSERT_TRUE(Succeeds(Activate("b")));
  EndTasks();
  Use(Shown()[0].uuid);
  for (int minute = 0; minute < 4; ++minute, NextMinute()) devices.ReleaseEnded(Budget());
  ASSERT_EQ(Shown().size(), 1U);
  EXPECT_EQ(Shown()[0].shown->snapshot, Snap("a")) << "what is open stays";
}

TEST_F(SnapshotDevicesTest, DeviceWhoseRemovalWasCutShortIsFoundAgain) {
  ASSERT_TRUE(Succeeds(Activate()));
  devices.ReleaseEnded(Budget());  // the day's look for those without a link
  EndTasks();
  world.FailNext("RemoveDevice", Silence());
  devices.ReleaseEnded(Budget());
  EXPECT_EQ(Shown().size(), 1U);
  EXPECT_EQ(LinkOf("vm-100-disk-0@a"), "");
  NextMinute();
  devices.ReleaseEnded(Budget());
  EXPECT_THAT(Shown(), IsEmpty());
  EXPECT_THAT(node.link_tasks.Ended(), IsEmpty());
}

TEST_F(SnapshotDevicesTest, PollFindsWhatTheNodeHadBeforeItsRestart) {
  ShowTo(host.identity.host_nqn);
  ShowTo("nqn.other-node");
  devices.ReleaseEnded(Budget());
  ASSERT_EQ(Shown().size(), 1U);
  EXPECT_EQ(Shown()[0].shown->host_nqn, "nqn.other-node");
  (void)world.TakeCalls();
  devices.ReleaseEnded(Budget());
  EXPECT_THAT(world.TakeCalls(), IsEmpty()) << "once";
}

TEST_F(SnapshotDevicesTest, DeviceThatARunningTaskHasAskedForStays) {
  fakes::OtherTask task(node.link_tasks, "vm-100-disk-0@a");
  ASSERT_TRUE(Succeeds(Activate()));
  const auto ended = Deactivate();
  ASSERT_TRUE(FailedWith(ended, ErrorCode::kBusy)) << "a copy of several disks opens one at a time";
  EXPECT_THAT(ended.error().Line(), HasSubstr("process " + std::to_string(task.pid())));
  devices.ReleaseUnused(disk, Budget());
  EXPECT_FALSE(devices.Reap({"disk/vm-100-disk-0"}, std::nullopt, Budget()));
  EXPECT_EQ(Shown().size(), 1U);
  task.End();
  EXPECT_TRUE(Succeeds(Deactivate()));
  EXPECT_THAT(Shown(), IsEmpty());
}

TEST_F(SnapshotDevicesTest, NoteWithoutALinkIsForgotten) {
  fakes::OtherTask(node.link_tasks, "vm-100-disk-0@a").End();
  fakes::OtherTask(node.link_tasks, "no link").End();
  for (int minute = 0; minute < 3; ++minute, NextMinute()) devices.ReleaseEnded(Budget());
  EXPECT_THAT(node.link_tasks.Ended(), IsEmpty());
}

TEST_F(SnapshotDevicesTest, ReapFindsWhatACrashLeftWithoutALink) {
  ShowTo(host.identity.host_nqn);
  EXPECT_FALSE(devices.Reap({"disk/vm-100-disk-1"}, std::nullopt, Budget())) << "another volume's";
  EXPECT_FALSE(devices.Reap({"disk/vm-100-disk-0"}, ArraySnapshotName(Snap("b")), Budget()));
  EXPECT_EQ(Shown().size(), 1U);
  EXPECT_TRUE(devices.Reap({"disk/vm-100-disk-0"}, ArraySnapshotName(Snap("a")), Budget()));
  EXPECT_THAT(Shown(), IsEmpty());
}

TEST_F(SnapshotDevicesTest, AbandonedAreThoseThatAreOldAndThatNoTaskHasAskedFor) {
  ASSERT_TRUE(Succeeds(Activate("a")));
  ASSERT_TRUE(
      array.snapshots().MakeDevice({disk, Snap("b"), host.identity.host_nqn}, Budget()).ok());
  const auto made_at = clock.WallTime();
  clock.Advance(std::chrono::hours(2));
  EXPECT_EQ(devices.ReapAbandoned(made_at, Budget()), 0) << "too young";
  EXPECT_EQ(devices.ReapAbandoned(made_at + std::chrono::seconds(1), Budget()), 1);
  ASSERT_EQ(Shown().size(), 1U);
  EXPECT_EQ(Shown()[0].shown->snapshot, Snap("a")) << "this task may be about to open it";
  EndTasks();
  EXPECT_EQ(devices.ReapAbandoned(made_at, Budget()), 0) << "too young";
  Use(Shown()[0].uuid);
  EXPECT_EQ(devices.ReapAbandoned(clock.WallTime(), Budget()), 0) << "somebody has it open";
  host.usage.clear();
  EXPECT_EQ(devices.ReapAbandoned(clock.WallTime(), Budget()), 1) << "with its link";
  EXPECT_EQ(LinkOf("vm-100-disk-0@a"), "");
}

TEST_F(SnapshotDevicesTest, AbandonedDeviceOfANodeThatIsCutOffGoesWithTheHourlyLook) {
  SetCluster(/*is_other_online=*/false);
  ShowTo("nqn.other-node");
  world.connections = {{.host_nqn = host.identity.host_nqn, .host_id = "", .address = ""}};
  clock.Advance(std::chrono::hours(2));
  const auto reaped = [&] {
    return devices.ReapAbandoned(clock.WallTime() - std::chrono::hours(1), Budget());
  };
  EXPECT_EQ(reaped(), 0) << "a moment only";
  clock.Advance(std::chrono::minutes(70));
  world.FailNext("Connections", Silence());
  EXPECT_EQ(reaped(), 0) << "unknown";
  EXPECT_EQ(reaped(), 1);
  EXPECT_THAT(Shown(), IsEmpty());
}

TEST_F(SnapshotDevicesTest, SnapshotOfAScheduleIsShownUnderTheArraysName) {
  world.AddSnapshot("vm-100-disk-0", "hourly.2026-11-28_1005", {});
  world.Disk("vm-100-disk-0")->snapshots.back().content = "scheduled";
  world.AddSnapshot("vm-100-disk-0", "pve_snap_hourly.2026-11-28_1005", {});
  const auto shown = SnapshotName::ParseShown("~hourly.2026-11-28_1005");
  ASSERT_TRUE(Succeeds(shown));
  const auto path = devices.ActivateSnapshot(disk, *shown, Budget());
  ASSERT_TRUE(Succeeds(path));
  EXPECT_EQ(*path, folder / "links/tank/vm-100-disk-0@~hourly.2026-11-28_1005");
  ASSERT_EQ(Shown().size(), 1U);
  EXPECT_EQ(Shown()[0].content, "scheduled");
  ASSERT_TRUE(Succeeds(Activate("hourly.2026-11-28_1005")));
  EXPECT_EQ(Shown().size(), 2U) << "Proxmox's of that name is another one";
  EndTasks();
  for (int minute = 0; minute < 3; ++minute, NextMinute()) devices.ReleaseEnded(Budget());
  EXPECT_THAT(Shown(), IsEmpty());
  EXPECT_EQ(LinkOf("vm-100-disk-0@~hourly.2026-11-28_1005"), "");
}

TEST_F(SnapshotDevicesTest, TwoTasksDoNotTakeEachOthersDeviceForALeftOver) {
  ShowTo(host.identity.host_nqn);
  const auto held = node.Lock("snapshot-devices").Take(Budget());
  ASSERT_TRUE(held.ok() && *held);
  EXPECT_FALSE(devices.Reap({"disk/vm-100-disk-0"}, std::nullopt, Budget()));
  EXPECT_TRUE(FailedWith(Activate(), ErrorCode::kTimedOut));
  EXPECT_EQ(Shown().size(), 1U);
}

TEST_F(SnapshotDevicesTest, ThoseOfAllNodesAreDescribed) {
  ShowTo("nqn.other-node");
  const auto lines = devices.Describe(Budget());
  ASSERT_TRUE(Succeeds(lines));
  EXPECT_THAT(*lines, ElementsAre(HasSubstr("snapshot a of vm-100-disk-0 is shown to "
                                            "nqn.other-node")));
}

}  // namespace
}  // namespace ontapnvme::pve
