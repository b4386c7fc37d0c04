// SPDX-License-Identifier: AGPL-3.0-or-later
#include "fault/sweep_operations.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/unique_fd.h"

namespace ontapnvme::fault {
namespace {

using testing::IsEmpty;

Status AllocateOne(SweptWorld& world) {
  const auto made = world.rig.storage().Allocate(100, "vm-100-disk-0", 4096);
  // A retry after a lost answer may find its own disk: then it was made.
  return made.ok() || FailedWith(made, ErrorCode::kAlreadyExists) ? Status() : Status(made.error());
}

template <typename T>
Status Done(const Result<T>& result) {
  return result.ok() ? Status() : Status(result.error());
}

// A retry after a lost answer would make a second clone: whoever asks looks first.
Status CloneOnce(SweptWorld& world, const std::string& source, const std::string& snapshot) {
  if (world.rig.storage().Info("vm-200-disk-0").ok()) return {};
  return Done(world.rig.storage().Clone(source, snapshot, 200));
}

Status CloneVmOnce(SweptWorld& world) {
  const auto there = world.rig.storage().List(200);
  if (!there.ok()) return there.error();
  if (!there->empty()) return {};
  return Done(world.rig.storage().CloneVm({"vm-100-disk-0", "vm-100-disk-1"}, "", 200));
}

// How many there are after a kill is vm_clone_test.cc's affair.
void ExpectOldClones(SweptWorld& world) {
  const auto clones = world.rig.storage().List(200);
  ASSERT_TRUE(clones.ok());
  EXPECT_FALSE(clones->empty());
  for (const auto& clone : *clones) EXPECT_EQ(world.rig.Content(clone.volume_name), "old");
}

// A retry after a lost answer finds it under its new name only.
Status RenameOnce(SweptWorld& world) {
  const auto renamed = world.rig.storage().Rename("vm-100-disk-0", 200, "vm-200-disk-0");
  const bool is_done = FailedWith(renamed, ErrorCode::kNotFound);
  return is_done ? Done(world.rig.storage().Info("vm-200-disk-0")) : Done(renamed);
}

Status ForBothDisks(const std::function<Status(const std::string&)>& run) {
  for (const char* disk : {"vm-100-disk-0", "vm-100-disk-1"}) {
    if (auto status = run(disk); !status.ok()) return status;
  }
  return {};
}

void TwoDisks(SweptWorld& world) {
  for (int i = 0; i < 2; ++i) {
    const auto disk = world.rig.MustAllocate(100);
    world.rig.Write(disk, "old");
  }
}

void TwoDisksWithSnapshot(SweptWorld& world) {
  TwoDisks(world);
  const auto made = ForBothDisks(
      [&](const auto& disk) { return world.rig.storage().CreateSnapshot(disk, "s1"); });
  ASSERT_TRUE(made.ok()) << made.error().Line();
  for (const char* disk : {"vm-100-disk-0", "vm-100-disk-1"}) world.rig.Write(disk, "new");
  world.rig.Restart();
}

void TwoDisksWithTwoSnapshots(SweptWorld& world) {
  TwoDisksWithSnapshot(world);
  const auto made = ForBothDisks(
      [&](const auto& disk) { return world.rig.storage().CreateSnapshot(disk, "s2"); });
  ASSERT_TRUE(made.ok()) << made.error().Line();
  for (const char* disk : {"vm-100-disk-0", "vm-100-disk-1"}) world.rig.Write(disk, "newest");
  world.rig.Restart();
}

// As Proxmox does, and as the administrator does who is told that newer ones are in the way.
Status RollBackPast(SweptWorld& world) {
  auto& storage = world.rig.storage();
  const auto ask = [&](bool& is_blocked) {
    return ForBothDisks([&](const auto& disk) {
      const auto blockers = storage.RollbackBlockers(disk, "s1");
      is_blocked = is_blocked || (blockers.ok() && !blockers->empty());
      return Done(blockers);
    });
  };
  const auto go_back = [&] {
    return ForBothDisks([&](const auto& disk) { return storage.Rollback(disk, "s1"); });
  };
  bool is_blocked = false;
  if (auto asked = ask(is_blocked); !asked.ok()) return asked;
  const Status done = is_blocked ? Status() : go_back();
  for (const char* disk : {"vm-100-disk-0", "vm-100-disk-1"}) {
    EXPECT_THAT(world.rig.Content(disk), testing::AnyOf("newest", "old"));
  }
  is_blocked = is_blocked || (!done.ok() && !done.error().Fact("refused").empty());
  if (!is_blocked) return done;
  auto gone = ForBothDisks([&](const auto& disk) { return storage.DeleteSnapshot(disk, "s2"); });
  if (!gone.ok()) return gone;
  world.rig.Restart();
  world.Later();
  return ForBothDisks([&](const auto& disk) { return world.rig.storage().Rollback(disk, "s1"); });
}

void ExpectBothAndNewer(SweptWorld& world) {
  const auto& switches = world.array.sim.world().settings.switches;
  const bool can_overwrite =
      !switches.Is("namespace_overwrite", "refuse") && switches.Is("clone_from_snapshot", "take");
  for (const char* disk : {"vm-100-disk-0", "vm-100-disk-1"}) {
    EXPECT_EQ(world.rig.Content(disk), "old");
    const auto snapshots = world.rig.storage().ListSnapshots(disk);
    ASSERT_TRUE(snapshots.ok());
    const auto is_newer = [](const auto& one) { return one.name == "s2"; };
    const bool is_kept = std::any_of(snapshots->begin(), snapshots->end(), is_newer);
    EXPECT_EQ(is_kept, can_overwrite) << disk;
  }
}

void OneDiskWithSnapshot(SweptWorld& world) {
  world.rig.Write(world.rig.MustAllocate(100), "old");
  const auto made = world.rig.storage().CreateSnapshot("vm-100-disk-0", "s1");
  ASSERT_TRUE(made.ok()) << made.error().Line();
  world.rig.Restart();
}

// By mistake, with what it held.
void ADeletedDisk(SweptWorld& world) {
  TwoDisksWithSnapshot(world);
  for (const char* disk : {"vm-100-disk-0", "vm-100-disk-1"}) world.rig.Write(disk, "old");
  ASSERT_TRUE(world.rig.storage().Free("vm-100-disk-0").ok());
}

void ABaseImage(SweptWorld& world) {
  TwoDisks(world);
  const auto base = world.rig.storage().CreateBase("vm-100-disk-0");
  ASSERT_TRUE(base.ok()) << base.error().Line();
}

// Whose conversion was stopped before its snapshot, by an earlier release.
void ABaseImageWithoutSnapshot(SweptWorld& world) {
  ABaseImage(world);
  auto& array = world.array.sim.world();
  for (auto& volume : array.volumes) {
    if (volume.name != "t_base_100_disk_0") continue;
    volume.comment.clear();
    array.RemoveSnapshot(array.FindSnapshot(volume.uuid, "pve_base")->uuid);
  }
}

// As earlier releases made groups: cloud-init is a member.
void TwoDisksAndCloudInitInTheirGroup(SweptWorld& world) {
  TwoDisks(world);
  world.rig.MustAllocate(100, "vm-100-cloudinit");
  auto& array = world.array.sim.world();
  array.GroupOf(world.rig.Namespace("vm-100-disk-0")->volume_uuid)
      ->volume_uuids.push_back(world.rig.Namespace("vm-100-cloudinit")->volume_uuid);
}

Status SnapshotBoth(SweptWorld& world) {
  auto made = ForBothDisks(
      [&](const auto& disk) { return world.rig.storage().CreateSnapshot(disk, "s1"); });
  if (made.ok()) return made;
  // As Proxmox does: what it knows of is deleted again, then the user tries once more.
  world.rig.Restart();
  (void)ForBothDisks(
      [&](const auto& disk) { return world.rig.storage().DeleteSnapshot(disk, "s1"); });
  return made;
}

// As Proxmox does when a storage is added.
Status AddStorage(SweptWorld& world) {
  auto& storage = world.rig.storage();
  if (auto verified = storage.Verify(); !verified.ok()) return verified;
  return storage.Activate();
}

Status ListAll(SweptWorld& world) {
  const auto disks = world.rig.storage().List(std::nullopt);
  if (!disks.ok()) return disks.error();
  EXPECT_EQ(disks->size(), 3U) << "all of them, or an error";
  return {};
}

Status ListAllSnapshots(SweptWorld& world) {
  const auto all = world.rig.storage().ListVmSnapshots(std::nullopt);
  if (!all.ok()) return all.error();
  EXPECT_EQ(all->size(), 1U) << "all of them, or an error";
  if (all->size() == 1) EXPECT_EQ(all->front().disks.size(), 2U);
  return {};
}

// Another storage of the same array, which has no disks.
Status RemoveEmptyStorage(SweptWorld& world) {
  StorageRig empty(world.array, {.storage_id = "empty", .settings = {{"storage_prefix", "e_"}}});
  if (auto checked = empty.storage().RequireEmpty(); !checked.ok()) return checked;
  return empty.storage().Forget();
}

// What could not be changed is told, and done by the next try.
Status ChangePolicies(SweptWorld& world) {
  StorageRig changed(world.array,
                     {.settings = {{"qos_policy", "gold"}, {"snapshot_policy", "hourly"}}});
  auto done = changed.storage().ApplyChanges(DefaultSettings());
  if (!done.ok()) return done;
  for (const auto& record : changed.storage().TakeLog()) {
    if (record.text.find("not changed") != std::string::npos) {
      return Error(ErrorCode::kUnavailable, record.text);
    }
  }
  return {};
}

void ExpectPolicies(SweptWorld& world) {
  auto& array = world.array.sim.world();
  for (const auto& volume : array.volumes) {
    if (!volume.name.starts_with("t_vm_")) continue;
    const auto* policy = array.qos_policies.Find(volume.qos_policy_uuid);
    EXPECT_TRUE(policy != nullptr && policy->name == "gold") << volume.name;
  }
  for (const auto& group : array.groups) {
    const auto* policy = array.snapshot_policies.Find(group.snapshot_policy_uuid);
    EXPECT_TRUE(policy != nullptr && policy->name == "hourly") << group.name;
  }
}

void ExpectInNoGroup(SweptWorld& world, const std::string& flexvol) {
  auto& array = world.array.sim.world();
  for (const auto& group : array.groups) {
    for (const auto& uuid : group.volume_uuids) {
      EXPECT_NE(array.volumes.Find(uuid)->name, flexvol) << "in group " << group.name;
    }
  }
}

// The array's recovery queue has the clone, which still holds the image.
void ABaseImageOfADeletedClone(SweptWorld& world) {
  ABaseImage(world);
  const auto clone = world.rig.storage().Clone("base-100-disk-0", "", 200);
  ASSERT_TRUE(clone.ok()) << clone.error().Line();
  ASSERT_TRUE(world.rig.storage().Free(*clone).ok());
}

std::size_t CountSnapshots(SweptWorld& world) {
  std::size_t count = 0;
  for (const char* disk : {"vm-100-disk-0", "vm-100-disk-1"}) {
    const auto snapshots = world.rig.storage().ListSnapshots(disk);
    EXPECT_TRUE(snapshots.ok());
    if (snapshots.ok()) count += snapshots->size();
  }
  return count;
}

Status ExportTo(SweptWorld& world, const std::string& name, const std::string& snapshot) {
  std::filesystem::create_directories(world.rig.link("."));
  const UniqueFd file(
      ::open(world.rig.link("../../" + name).c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600));
  return world.rig.storage().Export("vm-100-disk-0", snapshot, file.get());
}

void ExpectStream(SweptWorld& world, const std::string& name) {
  const auto size = std::filesystem::file_size(world.rig.link("../../" + name));
  EXPECT_EQ(size, 8U + MiB(1).bytes());
}

// What another storage sends: the size, then bytes.
void AStream(SweptWorld& world) {
  std::filesystem::create_directories(world.rig.link("."));
  std::ofstream(world.rig.link("../../stream"), std::ios::binary)
      << std::string("\0\0\x10\0\0\0\0\0", 8) << std::string(MiB(1).bytes(), 'x');
}

// As the import hook does: allocate, write, and free again when that fails.
Status ImportOnce(SweptWorld& world) {
  auto& storage = world.rig.storage();
  const UniqueFd file(::open(world.rig.link("../../stream").c_str(), O_RDONLY));
  const auto size = storage.ReadImportSize(file.get());
  if (!size.ok()) return size.error();
  const auto made = storage.Allocate(100, "vm-100-disk-0", *size / 1024);
  if (!made.ok() && !FailedWith(made, ErrorCode::kAlreadyExists)) return made.error();
  const auto got = storage.Import("vm-100-disk-0", *size, file.get());
  if (!got.ok()) (void)storage.Free("vm-100-disk-0");
  return got;
}

}  // namespace

const std::vector<Operation>& Operations() {
  static const std::vector<Operation> kOperations = {
      {"allocate_first", [](SweptWorld&) {}, AllocateOne,
       [](SweptWorld& world) { EXPECT_TRUE(world.rig.storage().Info("vm-100-disk-0").ok()); }},
      {"allocate_second", [](SweptWorld& world) { world.rig.MustAllocate(100, "vm-100-disk-1"); },
       AllocateOne,
       [](SweptWorld& world) {
         EXPECT_TRUE(world.rig.storage().Info("vm-100-disk-0").ok());
         EXPECT_TRUE(world.rig.storage().Info("vm-100-disk-1").ok());
       }},
      {"free", TwoDisks,
       [](SweptWorld& world) { return world.rig.storage().Free("vm-100-disk-0"); },
       [](SweptWorld& world) {
         EXPECT_TRUE(FailedWith(world.rig.storage().Info("vm-100-disk-0"), ErrorCode::kNotFound));
         EXPECT_EQ(world.rig.Content("vm-100-disk-1"), "old");
       }},
      {"free_last", OneDiskWithSnapshot,
       [](SweptWorld& world) { return world.rig.storage().Free("vm-100-disk-0"); },
       [](SweptWorld& world) {
         EXPECT_TRUE(FailedWith(world.rig.storage().Info("vm-100-disk-0"), ErrorCode::kNotFound));
       }},
      {"undelete", ADeletedDisk,
       [](SweptWorld& world) { return Done(world.rig.storage().Undelete("vm-100-disk-0", "")); },
       [](SweptWorld& world) {
         EXPECT_EQ(world.rig.Content("vm-100-disk-0"), "old");
         EXPECT_EQ(world.rig.Content("vm-100-disk-1"), "old");
         EXPECT_EQ(world.rig.storage().ListSnapshots("vm-100-disk-0")->size(), 1U);
         EXPECT_TRUE(world.rig.storage().ListDeleted()->empty());
       }},
      {"list_deleted", ADeletedDisk,
       [](SweptWorld& world) {
         const auto listed = world.rig.storage().ListDeleted();
         if (listed.ok()) EXPECT_EQ(listed->size(), 1U) << "all of them, or an error";
         return Done(listed);
       },
       [](SweptWorld&) {}},
      {"resize", TwoDisks,
       [](SweptWorld& world) {
         return world.rig.storage().Resize("vm-100-disk-0", GiB(1).bytes());
       },
       [](SweptWorld& world) {
         EXPECT_EQ(world.rig.storage().Info("vm-100-disk-0")->size, GiB(1));
         EXPECT_EQ(world.rig.Content("vm-100-disk-0"), "old");
       }},
      {"activate", TwoDisks,
       [](SweptWorld& world) {
         const auto link = world.rig.storage().ActivateVolume("vm-100-disk-0");
         return link.ok() ? Status() : Status(link.error());
       },
       [](SweptWorld&) {}},
      {"snapshot", TwoDisks, SnapshotBoth,
       [](SweptWorld& world) { EXPECT_EQ(CountSnapshots(world), 2U); }},
      {"snapshot_of_old_group", TwoDisksAndCloudInitInTheirGroup, SnapshotBoth,
       [](SweptWorld& world) { EXPECT_EQ(CountSnapshots(world), 2U); }},
      {"delete_snapshot", TwoDisksWithSnapshot,
       [](SweptWorld& world) {
         return ForBothDisks(
             [&](const auto& disk) { return world.rig.storage().DeleteSnapshot(disk, "s1"); });
       },
       [](SweptWorld& world) { EXPECT_EQ(CountSnapshots(world), 0U); }},
      {"rollback", TwoDisksWithSnapshot,
       [](SweptWorld& world) {
         auto possible = ForBothDisks([&](const auto& disk) {
           const auto blockers = world.rig.storage().RollbackBlockers(disk, "s1");
           return blockers.ok() ? Status() : Status(blockers.error());
         });
         if (!possible.ok()) return possible;
         return ForBothDisks(
             [&](const auto& disk) { return world.rig.storage().Rollback(disk, "s1"); });
       },
       [](SweptWorld& world) {
         EXPECT_EQ(world.rig.Content("vm-100-disk-0"), "old");
         EXPECT_EQ(world.rig.Content("vm-100-disk-1"), "old");
       }},
      {"rollback_past_newer", TwoDisksWithTwoSnapshots, RollBackPast, ExpectBothAndNewer},
      {"create_base", TwoDisks,
       [](SweptWorld& world) { return Done(world.rig.storage().CreateBase("vm-100-disk-0")); },
       [](SweptWorld& world) {
         EXPECT_EQ(world.rig.Content("base-100-disk-0"), "old");
         ExpectInNoGroup(world, "t_base_100_disk_0");
         EXPECT_TRUE(world.rig.storage().Clone("base-100-disk-0", "", 300).ok());
       }},
      {"free_parked", ABaseImageOfADeletedClone,
       [](SweptWorld& world) { return world.rig.storage().Free("base-100-disk-0"); },
       [](SweptWorld& world) {
         EXPECT_TRUE(FailedWith(world.rig.storage().Info("base-100-disk-0"), ErrorCode::kNotFound));
         for (const auto& ns : world.array.sim.world().namespaces) {
           const auto* volume = world.array.sim.world().volumes.Find(ns.volume_uuid);
           const bool is_parked = volume != nullptr && volume->name.starts_with("t_pve_deleted_");
           EXPECT_FALSE(is_parked && !ns.subsystem_uuid.empty()) << "nodes still see its device";
         }
       }},
      {"clone", ABaseImage,
       [](SweptWorld& world) { return CloneOnce(world, "base-100-disk-0", ""); },
       [](SweptWorld& world) { EXPECT_EQ(world.rig.Content("vm-200-disk-0"), "old"); }},
      {"clone_of_old_base", ABaseImageWithoutSnapshot,
       [](SweptWorld& world) { return CloneOnce(world, "base-100-disk-0", ""); },
       [](SweptWorld& world) { EXPECT_EQ(world.rig.Content("vm-200-disk-0"), "old"); }},
      {"clone_snapshot", TwoDisksWithSnapshot,
       [](SweptWorld& world) { return CloneOnce(world, "vm-100-disk-0", "s1"); },
       [](SweptWorld& world) { EXPECT_EQ(world.rig.Content("vm-200-disk-0"), "old"); }},
      {"full_clone", TwoDisks, CloneVmOnce, ExpectOldClones},
      {"rename", TwoDisks, RenameOnce,
       [](SweptWorld& world) { EXPECT_EQ(world.rig.Content("vm-200-disk-0"), "old"); }},
      {"rename_last", OneDiskWithSnapshot, RenameOnce,
       [](SweptWorld& world) {
         EXPECT_EQ(world.rig.Content("vm-200-disk-0"), "old");
         EXPECT_EQ(world.rig.storage().ListSnapshots("vm-200-disk-0")->size(), 1U);
       }},
      {"show_snapshot", TwoDisksWithSnapshot,
       [](SweptWorld& world) {
         auto shown = Done(world.rig.storage().ActivateSnapshot("vm-100-disk-0", "s1"));
         if (!shown.ok()) return shown;
         return world.rig.storage().DeactivateSnapshot("vm-100-disk-0", "s1");
       },
       [](SweptWorld& world) {
         for (const auto& volume : world.array.sim.world().volumes) {
           EXPECT_FALSE(volume.name.starts_with("t_pve_snapshot_device")) << volume.name;
         }
         EXPECT_EQ(world.rig.Content("vm-100-disk-0"), "new");
       }},
      {"protect", TwoDisks,
       [](SweptWorld& world) { return world.rig.storage().SetProtected("vm-100-disk-0", true); },
       [](SweptWorld& world) {
         EXPECT_TRUE(world.rig.storage().Info("vm-100-disk-0")->is_protected);
       }},
      {"export", TwoDisks, [](SweptWorld& world) { return ExportTo(world, "stream", ""); },
       [](SweptWorld& world) { ExpectStream(world, "stream"); }},
      {"export_snapshot", TwoDisksWithSnapshot,
       [](SweptWorld& world) {
         auto sent = ExportTo(world, "stream", "s1");
         const auto gone = world.rig.storage().DeactivateSnapshot("vm-100-disk-0", "s1");
         return sent.ok() ? gone : sent;
       },
       [](SweptWorld& world) { ExpectStream(world, "stream"); }},
      {"import", AStream, ImportOnce,
       [](SweptWorld& world) {
         EXPECT_EQ(world.rig.storage().Info("vm-100-disk-0")->size, MiB(1));
         const auto link = world.rig.storage().ActivateVolume("vm-100-disk-0");
         ASSERT_TRUE(link.ok());
         EXPECT_EQ(std::ifstream(*link).get(), 'x');
       }},
      {"verify", [](SweptWorld&) {}, [](SweptWorld& world) { return world.rig.storage().Verify(); },
       [](SweptWorld&) {}},
      {"add", [](SweptWorld&) {}, AddStorage, [](SweptWorld&) {}},
      {"list", TwoDisks, ListAll, [](SweptWorld&) {}},
      {"list_snapshots", TwoDisksWithSnapshot, ListAllSnapshots, [](SweptWorld&) {}},
      {"change_policies", TwoDisks, ChangePolicies, ExpectPolicies},
      {"remove", TwoDisks, RemoveEmptyStorage, [](SweptWorld&) {}},
  };
  return kOperations;
}

}  // namespace ontapnvme::fault
