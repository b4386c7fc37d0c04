// SPDX-License-Identifier: AGPL-3.0-or-later
#include "world/life.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace ontapnvme::world {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint64_t kMiB = 1048576;
constexpr const char* kPrefix = "t_";  // of fault::DefaultSettings

// What a cluster remembers of its disks: without it nothing tells a new disk from a missing one.
fault::RigOptions WithMemory(fault::RigOptions options, const std::string& directory) {
  if (options.disk_memory_file.empty()) options.disk_memory_file = directory + "/tank.disks";
  return options;
}

bool IsUnseen(const Status& status) {
  return !status.ok() && status.error().origin().refusal == Refusal::kJobUnseen;
}

bool IsOurs(const std::string& array_name) {
  return array_name.starts_with(kPrefix);
}

}  // namespace

// A step that fails ends the life: what would follow only hides it.
#define STEP(...)                            \
  do {                                       \
    __VA_ARGS__;                             \
    if (testing::Test::HasFailure()) return; \
  } while (false)

Life::Life(fault::TestArray& array, fault::RigOptions options)
    : array_(&array), rig_(array, WithMemory(std::move(options), memory_.path())) {}

void Life::NextTask() {
  array_->clock->Advance(std::chrono::seconds(1));
  rig_.Restart();
}

void Life::Must(const std::string& what, const Status& status) {
  EXPECT_TRUE(status.ok()) << what << ": " << status.error().Line();
}

void Life::MustEndWithTheQueue(const std::string& what, const std::function<Status()>& change) {
  Status status = change();
  if (FailedWith(status, ErrorCode::kBusy)) {
    EXPECT_THAT(status.error().Line(), HasSubstr("recovery queue")) << what;
    EmptyRecoveryQueue();
    NextTask();
    status = change();
  }
  Must(what, status);
}

void Life::EmptyRecoveryQueue() {
  auto& world = array_->sim.world();
  std::vector<std::string> uuids;
  for (const auto& queued : world.recovery_queue) uuids.push_back(queued.uuid);
  for (const auto& uuid : uuids) {
    world.DestroyVolumeContents(uuid);
    world.recovery_queue.Erase(uuid);
  }
}

std::vector<std::string> Life::Remains() {
  auto& world = array_->sim.world();
  std::vector<std::string> lines = array_->Orphans();
  for (const auto& volume : world.volumes) {
    if (IsOurs(volume.name)) lines.push_back("volume " + volume.name);
  }
  for (const auto& group : world.groups) {
    if (IsOurs(group.name)) lines.push_back("group " + group.name);
  }
  for (const auto& snapshot : world.group_snapshots) {
    lines.push_back("group snapshot " + snapshot.name);
  }
  return lines;
}

Life::Disks Life::Create(std::uint64_t vmid) {
  const std::string vm = "vm-" + std::to_string(vmid);
  NextTask();
  const Disks disks = {rig_.MustAllocate(vmid, "", 32 * kMiB / 1024),
                       rig_.MustAllocate(vmid, "", 4 * kMiB / 1024),
                       rig_.MustAllocate(vmid, "", 528)};  // as Proxmox makes an EFI disk
  const std::string cloud_init = rig_.MustAllocate(vmid, vm + "-cloudinit", 4 * kMiB / 1024);
  NextTask();
  for (const auto& disk : disks) {
    Must("activate " + disk, storage().ActivateVolume(disk).ok()
                                 ? Status()
                                 : Status(storage().ActivateVolume(disk).error()));
  }
  Must("free " + cloud_init, storage().Free(cloud_init));
  return disks;
}

void Life::Snapshot(const Disks& disks, const std::string& name) {
  NextTask();
  for (const auto& disk : disks) {
    Must("snapshot " + disk + "@" + name, storage().CreateSnapshot(disk, name));
  }
}

void Life::DeleteSnapshot(const Disks& disks, const std::string& name) {
  NextTask();
  for (const auto& disk : disks) {
    const auto change = [&] { return storage().DeleteSnapshot(disk, name); };
    MustEndWithTheQueue("delete snapshot " + disk + "@" + name, change);
  }
}

void Life::RollBack(const Disks& disks, const std::string& name) {
  NextTask();
  for (const auto& disk : disks) Must("stop " + disk, storage().DeactivateVolume(disk));
  for (const auto& disk : disks) {
    const auto blockers = storage().RollbackBlockers(disk, name);
    ASSERT_TRUE(blockers.ok()) << blockers.error().Line();
    EXPECT_THAT(*blockers, IsEmpty());
  }
  for (const auto& disk : disks) {
    const Status reverted = storage().Rollback(disk, name);
    // Whether a job that the account may not read has done it, nothing on the array shows; it is
    // said. Here it has.
    if (!IsUnseen(reverted)) Must("roll back " + disk + "@" + name, reverted);
  }
  NextTask();
  for (const auto& disk : disks) {
    const auto link = storage().ActivateVolume(disk);
    EXPECT_TRUE(link.ok()) << "after the rollback: " << link.error().Line();
  }
}

bool Life::RollBackPast(const Disks& disks, const std::string& name) {
  NextTask();
  for (const auto& disk : disks) Must("stop " + disk, storage().DeactivateVolume(disk));
  bool is_blocked = false;
  for (const auto& disk : disks) {
    const auto blockers = storage().RollbackBlockers(disk, name);
    // Locked by the array: an error that names them.
    const bool is_locked = FailedWith(blockers, ErrorCode::kBusy);
    if (!is_locked) Must("ask about " + disk, blockers.ok() ? Status() : Status(blockers.error()));
    is_blocked = is_blocked || is_locked || (blockers.ok() && !blockers->empty());
  }
  for (const auto& disk : disks) {
    if (is_blocked) break;
    const Status reverted = storage().Rollback(disk, name);
    if (IsUnseen(reverted)) continue;
    is_blocked = !reverted.ok() && !reverted.error().Fact("refused").empty();
    if (!is_blocked) Must("roll back " + disk + "@" + name, reverted);
  }
  NextTask();
  for (const auto& disk : disks) {
    const auto link = storage().ActivateVolume(disk);
    EXPECT_TRUE(link.ok()) << "after the rollback: " << link.error().Line();
  }
  return !is_blocked;
}

// Past a newer snapshot, and forward to it again.
void Life::BackAndForth(const Disks& disks) {
  const auto& switches = array_->sim.world().settings.switches;
  const bool can_overwrite =
      !switches.Is("namespace_overwrite", "refuse") && switches.Is("clone_from_snapshot", "take");
  EXPECT_EQ(RollBackPast(disks, "s1"), can_overwrite);
  const std::string content = can_overwrite ? "one" : "three";
  for (const auto& disk : disks) EXPECT_EQ(rig_.Content(disk), content) << disk;
  if (!can_overwrite) return;
  EXPECT_TRUE(RollBackPast(disks, "s2"));
  for (const auto& disk : disks) {
    EXPECT_EQ(rig_.Content(disk), "two") << disk;
    const auto left = storage().ListSnapshots(disk);
    ASSERT_TRUE(left.ok()) << left.error().Line();
    const auto is_ours = [](const auto& one) { return one.name == "s1" || one.name == "s2"; };
    EXPECT_EQ(std::count_if(left->begin(), left->end(), is_ours), 2) << disk;
  }
}

void Life::ChangeQosPolicy(std::uint64_t vmid) {
  NextTask();
  Settings before = fault::DefaultSettings();
  before["qos_policy"] = "gold";
  const std::string disk = rig_.MustAllocate(vmid, "", 4 * kMiB / 1024);
  auto& world = array_->sim.world();
  const auto policy_of_disk = [&]() -> std::string& {
    const auto newest = std::prev(world.volumes.end());
    return newest->qos_policy_uuid;
  };
  policy_of_disk() = world.FindQosPolicy(world.FindSvm("svm1")->uuid, "gold")->uuid;
  array_->clock->Advance(std::chrono::minutes(1));  // until it is listed
  NextTask();
  Must("change the QoS policy", storage().ApplyChanges(before));
  std::string log;
  for (const auto& record : storage().TakeLog()) log += record.text + "\n";
  // What could not be done is said, and left to the administrator.
  EXPECT_TRUE(policy_of_disk().empty() || log.find("QoS policy") != std::string::npos) << log;
  Free(disk);
}

void Life::HaveALargeDisk(std::uint64_t vmid) {
  NextTask();
  // In TiB; a namespace had less than 16 before 9.12.1.
  const std::uint64_t size_tib = array_->sim.world().settings.release.Has(12) ? 64 : 15;
  const std::uint64_t size_kib = size_tib << 30U;
  const std::string disk = rig_.MustAllocate(vmid, "", size_kib);
  array_->clock->Advance(std::chrono::minutes(1));
  NextTask();
  const auto info = storage().Info(disk);
  ASSERT_TRUE(info.ok()) << info.error().Line();
  EXPECT_EQ(info->size.bytes(), size_kib * 1024);
  Free(disk);
}

void Life::Grow(const std::string& disk) {
  NextTask();
  const std::uint64_t size_bytes = 64 * kMiB;
  Must("grow " + disk, storage().Resize(disk, size_bytes));
  const auto info = storage().Info(disk);
  ASSERT_TRUE(info.ok()) << info.error().Line();
  EXPECT_EQ(info->size.bytes(), size_bytes);
}

void Life::CloneSnapshot(const std::string& disk, const std::string& snapshot) {
  NextTask();
  const auto clone = storage().Clone(disk, snapshot, 200);
  ASSERT_TRUE(clone.ok()) << clone.error().Line();
  EXPECT_EQ(rig_.Content(*clone), "one");
  NextTask();
  const auto link = storage().ActivateVolume(*clone);
  EXPECT_TRUE(link.ok()) << link.error().Line();
  Free(*clone);
}

void Life::ShowSnapshot(const std::string& disk, const std::string& snapshot) {
  NextTask();
  const auto link = storage().ActivateSnapshot(disk, snapshot);
  EXPECT_TRUE(link.ok()) << link.error().Line();
  NextTask();
  Must("hide snapshot", storage().DeactivateSnapshot(disk, snapshot));
}

void Life::GiveAway(const std::string& disk, std::uint64_t vmid) {
  NextTask();
  Must("stop " + disk, storage().DeactivateVolume(disk));
  const std::string content = rig_.Content(disk);
  const auto renamed = storage().Rename(disk, vmid, "");
  ASSERT_TRUE(renamed.ok()) << renamed.error().Line();
  EXPECT_EQ(rig_.Content(*renamed), content);
  Free(*renamed);
}

void Life::Free(const std::string& disk) {
  NextTask();
  Must("stop " + disk, storage().DeactivateVolume(disk));
  MustEndWithTheQueue("free " + disk, [&] { return storage().Free(disk); });
}

void Life::LiveOnce(std::uint64_t vmid) {
  Disks disks;
  STEP(disks = Create(vmid));
  for (const auto& disk : disks) rig_.Write(disk, "one");
  STEP(Snapshot(disks, "s1"));
  for (const auto& disk : disks) rig_.Write(disk, "two");
  STEP(Snapshot(disks, "s2"));
  for (const auto& disk : disks) rig_.Write(disk, "three");
  STEP(BackAndForth(disks));
  STEP(DeleteSnapshot(disks, "s2"));
  STEP(RollBack(disks, "s1"));
  for (const auto& disk : disks) ASSERT_EQ(rig_.Content(disk), "one") << disk;
  STEP(Grow(disks.front()));
  STEP(CloneSnapshot(disks.front(), "s1"));
  STEP(ShowSnapshot(disks.front(), "s1"));
  STEP(DeleteSnapshot(disks, "s1"));
  STEP(GiveAway(disks.back(), 300));
  disks.pop_back();
  for (const auto& disk : disks) STEP(Free(disk));
  const auto listed = storage().List(std::nullopt);
  ASSERT_TRUE(listed.ok()) << listed.error().Line();
  EXPECT_THAT(*listed, IsEmpty());
}

void Life::ServeAsTemplate(std::uint64_t vmid) {
  NextTask();
  const std::string disk = rig_.MustAllocate(vmid, "", 8 * kMiB / 1024);
  rig_.Write(disk, "golden");
  NextTask();
  const auto base = storage().CreateBase(disk);
  ASSERT_TRUE(base.ok()) << base.error().Line();
  Disks clones;
  for (const std::uint64_t user : {vmid + 1, vmid + 2}) {
    NextTask();
    const auto clone = storage().Clone(*base, "", user);
    ASSERT_TRUE(clone.ok()) << clone.error().Line();
    EXPECT_EQ(rig_.Content(*clone), "golden");
    clones.push_back(*clone);
    STEP(Snapshot({*clone}, "s1"));
    rig_.Write(*clone, "changed");
    STEP(RollBack({*clone}, "s1"));
    EXPECT_EQ(rig_.Content(*clone), "golden");
    STEP(DeleteSnapshot({*clone}, "s1"));
  }
  for (const auto& clone : clones) STEP(Free(clone));
  STEP(Free(*base));
}

// An hour later, with the first change, the product looks for what was left over.
void Life::CleanUp() {
  EmptyRecoveryQueue();
  // What the array has locked has expired by then, as what is in the queue has left it.
  array_->clock->Advance(std::chrono::hours(13));
  for (int hour = 0; hour < 2; ++hour) {
    array_->clock->Advance(std::chrono::minutes(70));
    NextTask();
    const std::string disk = rig_.MustAllocate(901);
    STEP(Free(disk));
    EmptyRecoveryQueue();
  }
  // These last disks may have been locked too, and a volume that is busy at that moment waits for the
  // next time. To delete what is not there changes nothing else.
  for (int time = 0; time < 2; ++time) {
    array_->clock->Advance(std::chrono::hours(13));
    NextTask();
    Must("free nothing", storage().Free("vm-901-disk-9"));
    EmptyRecoveryQueue();
  }
}

void Life::Live() {
  STEP(Must("add", storage().Verify()));
  NextTask();
  STEP(Must("activate", storage().Activate()));
  for (int life = 1; life <= 3; ++life) {
    SCOPED_TRACE("life " + std::to_string(life) + " of VM 100");
    STEP(LiveOnce(100));
  }
  STEP(ServeAsTemplate(500));
  STEP(ChangeQosPolicy(600));
  STEP(HaveALargeDisk(700));
  STEP(CleanUp());
  EXPECT_THAT(Remains(), IsEmpty());
  NextTask();
  Must("remove", storage().RequireEmpty());
}

}  // namespace ontapnvme::world
