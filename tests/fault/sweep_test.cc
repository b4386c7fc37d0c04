// SPDX-License-Identifier: AGPL-3.0-or-later
// Every operation, with every single one of its requests going wrong in every way. Whatever fails:
// nothing is left half-made, no other disk is touched, the error is one line, and the same
// operation then succeeds. Each sweep goes on until an undisturbed run ends it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "base/unique_fd.h"
#include "fault/fault_list.h"
#include "fault/storage_rig.h"

namespace ontapnvme::fault {
namespace {

using testing::IsEmpty;

constexpr int kRequestsMax = 40;  // a runaway sweep fails instead of hanging

// One storage with a bystander's disk that nothing may touch.
class World {
 public:
  World() : rig(array, {.has_device_files = true}) {
    EXPECT_TRUE(rig.storage().Activate().ok());
    bystander = rig.MustAllocate(999);
    rig.Write(bystander, "bystander");
  }

  void ExpectBystanderUntouched() {
    EXPECT_EQ(rig.Content(bystander), "bystander");
    const auto snapshots = rig.storage().ListSnapshots(bystander);
    ASSERT_TRUE(snapshots.ok()) << snapshots.error().Line();
    EXPECT_THAT(*snapshots, IsEmpty());
  }

  TestArray array;
  StorageRig rig;
  std::string bystander;
};

struct Operation {
  const char* name;
  std::function<void(World&)> prepare;
  std::function<Status(World&)> run;
  // What must hold after the operation has succeeded, at once or when repeated.
  std::function<void(World&)> expect_done;
};

Status AllocateOne(World& world) {
  const auto made = world.rig.storage().Allocate(100, "vm-100-disk-0", 4096);
  // A retry after a lost answer may find its own disk: then it was made.
  return made.ok() || FailedWith(made, ErrorCode::kAlreadyExists) ? Status() : Status(made.error());
}

template <typename T>
Status Done(const Result<T>& result) {
  return result.ok() ? Status() : Status(result.error());
}

// A retry after a lost answer would make a second clone: whoever asks looks first.
Status CloneOnce(World& world, const std::string& source, const std::string& snapshot) {
  if (world.rig.storage().Info("vm-200-disk-0").ok()) return {};
  return Done(world.rig.storage().Clone(source, snapshot, 200));
}

Status ForBothDisks(const std::function<Status(const std::string&)>& run) {
  for (const char* disk : {"vm-100-disk-0", "vm-100-disk-1"}) {
    if (auto status = run(disk); !status.ok()) return status;
  }
  return {};
}

void TwoDisks(World& world) {
  for (int i = 0; i < 2; ++i) {
    const auto disk = world.rig.MustAllocate(100);
    world.rig.Write(disk, "old");
  }
}

void TwoDisksWithSnapshot(World& world) {
  TwoDisks(world);
  const auto made = ForBothDisks(
      [&](const auto& disk) { return world.rig.storage().CreateSnapshot(disk, "s1"); });
  ASSERT_TRUE(made.ok()) << made.error().Line();
  for (const char* disk : {"vm-100-disk-0", "vm-100-disk-1"}) world.rig.Write(disk, "new");
  world.rig.Restart();
}

void ABaseImage(World& world) {
  TwoDisks(world);
  const auto base = world.rig.storage().CreateBase("vm-100-disk-0");
  ASSERT_TRUE(base.ok()) << base.error().Line();
}

// As Proxmox does when a storage is added.
Status AddStorage(World& world) {
  auto& storage = world.rig.storage();
  if (auto verified = storage.Verify(); !verified.ok()) return verified;
  return storage.Activate();
}

Status ListAll(World& world) {
  const auto disks = world.rig.storage().List(std::nullopt);
  if (!disks.ok()) return disks.error();
  EXPECT_EQ(disks->size(), 3U) << "all of them, or an error";
  return {};
}

// Another storage of the same array, which has no disks.
Status RemoveEmptyStorage(World& world) {
  StorageRig empty(world.array, {.storage_id = "empty", .settings = {{"storage_prefix", "e_"}}});
  if (auto checked = empty.storage().RequireEmpty(); !checked.ok()) return checked;
  return empty.storage().Forget();
}

// What could not be changed is told, and done by the next try.
Status ChangePolicies(World& world) {
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

void ExpectPolicies(World& world) {
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

void ExpectInNoGroup(World& world, const std::string& flexvol) {
  auto& array = world.array.sim.world();
  for (const auto& group : array.groups) {
    for (const auto& uuid : group.volume_uuids) {
      EXPECT_NE(array.volumes.Find(uuid)->name, flexvol) << "in group " << group.name;
    }
  }
}

// The array's recovery queue has the clone, which still holds the image.
void ABaseImageOfADeletedClone(World& world) {
  ABaseImage(world);
  const auto clone = world.rig.storage().Clone("base-100-disk-0", "", 200);
  ASSERT_TRUE(clone.ok()) << clone.error().Line();
  ASSERT_TRUE(world.rig.storage().Free(*clone).ok());
}

std::size_t CountSnapshots(World& world) {
  std::size_t count = 0;
  for (const char* disk : {"vm-100-disk-0", "vm-100-disk-1"}) {
    const auto snapshots = world.rig.storage().ListSnapshots(disk);
    EXPECT_TRUE(snapshots.ok());
    if (snapshots.ok()) count += snapshots->size();
  }
  return count;
}

Status ExportTo(World& world, const std::string& name, const std::string& snapshot) {
  std::filesystem::create_directories(world.rig.link("."));
  const UniqueFd file(
      ::open(world.rig.link("../../" + name).c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600));
  return world.rig.storage().Export("vm-100-disk-0", snapshot, file.get());
}

void ExpectStream(World& world, const std::string& name) {
  const auto size = std::filesystem::file_size(world.rig.link("../../" + name));
  EXPECT_EQ(size, 8U + MiB(1).bytes());
}

// What another storage sends: the size, then bytes.
void AStream(World& world) {
  std::filesystem::create_directories(world.rig.link("."));
  std::ofstream(world.rig.link("../../stream"), std::ios::binary)
      << std::string("\0\0\x10\0\0\0\0\0", 8) << std::string(MiB(1).bytes(), 'x');
}

// As the import hook does: allocate, write, and free again when that fails.
Status ImportOnce(World& world) {
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

const std::vector<Operation>& Operations() {
  static const std::vector<Operation> kOperations = {
      {"allocate_first", [](World&) {}, AllocateOne,
       [](World& world) { EXPECT_TRUE(world.rig.storage().Info("vm-100-disk-0").ok()); }},
      {"allocate_second", [](World& world) { world.rig.MustAllocate(100, "vm-100-disk-1"); },
       AllocateOne,
       [](World& world) {
         EXPECT_TRUE(world.rig.storage().Info("vm-100-disk-0").ok());
         EXPECT_TRUE(world.rig.storage().Info("vm-100-disk-1").ok());
       }},
      {"free", TwoDisks, [](World& world) { return world.rig.storage().Free("vm-100-disk-0"); },
       [](World& world) {
         EXPECT_TRUE(FailedWith(world.rig.storage().Info("vm-100-disk-0"), ErrorCode::kNotFound));
         EXPECT_EQ(world.rig.Content("vm-100-disk-1"), "old");
       }},
      {"resize", TwoDisks,
       [](World& world) { return world.rig.storage().Resize("vm-100-disk-0", GiB(1).bytes()); },
       [](World& world) {
         EXPECT_EQ(world.rig.storage().Info("vm-100-disk-0")->size, GiB(1));
         EXPECT_EQ(world.rig.Content("vm-100-disk-0"), "old");
       }},
      {"activate", TwoDisks,
       [](World& world) {
         const auto link = world.rig.storage().ActivateVolume("vm-100-disk-0");
         return link.ok() ? Status() : Status(link.error());
       },
       [](World&) {}},
      {"snapshot", TwoDisks,
       [](World& world) {
         auto made = ForBothDisks(
             [&](const auto& disk) { return world.rig.storage().CreateSnapshot(disk, "s1"); });
         if (made.ok()) return made;
         // As Proxmox does: what it knows of is deleted again, then the user tries once more.
         world.rig.Restart();
         (void)ForBothDisks(
             [&](const auto& disk) { return world.rig.storage().DeleteSnapshot(disk, "s1"); });
         return made;
       },
       [](World& world) { EXPECT_EQ(CountSnapshots(world), 2U); }},
      {"delete_snapshot", TwoDisksWithSnapshot,
       [](World& world) {
         return ForBothDisks(
             [&](const auto& disk) { return world.rig.storage().DeleteSnapshot(disk, "s1"); });
       },
       [](World& world) { EXPECT_EQ(CountSnapshots(world), 0U); }},
      {"rollback", TwoDisksWithSnapshot,
       [](World& world) {
         auto possible = ForBothDisks([&](const auto& disk) {
           const auto blockers = world.rig.storage().RollbackBlockers(disk, "s1");
           return blockers.ok() ? Status() : Status(blockers.error());
         });
         if (!possible.ok()) return possible;
         return ForBothDisks(
             [&](const auto& disk) { return world.rig.storage().Rollback(disk, "s1"); });
       },
       [](World& world) {
         EXPECT_EQ(world.rig.Content("vm-100-disk-0"), "old");
         EXPECT_EQ(world.rig.Content("vm-100-disk-1"), "old");
       }},
      {"create_base", TwoDisks,
       [](World& world) { return Done(world.rig.storage().CreateBase("vm-100-disk-0")); },
       [](World& world) {
         EXPECT_EQ(world.rig.Content("base-100-disk-0"), "old");
         ExpectInNoGroup(world, "t_base_100_disk_0");
         EXPECT_TRUE(world.rig.storage().Clone("base-100-disk-0", "", 300).ok());
       }},
      {"free_parked", ABaseImageOfADeletedClone,
       [](World& world) { return world.rig.storage().Free("base-100-disk-0"); },
       [](World& world) {
         EXPECT_TRUE(FailedWith(world.rig.storage().Info("base-100-disk-0"), ErrorCode::kNotFound));
         for (const auto& ns : world.array.sim.world().namespaces) {
           const auto* volume = world.array.sim.world().volumes.Find(ns.volume_uuid);
           const bool is_parked = volume != nullptr && volume->name.starts_with("t_pve_deleted_");
           EXPECT_FALSE(is_parked && !ns.subsystem_uuid.empty()) << "nodes still see its device";
         }
       }},
      {"clone", ABaseImage, [](World& world) { return CloneOnce(world, "base-100-disk-0", ""); },
       [](World& world) { EXPECT_EQ(world.rig.Content("vm-200-disk-0"), "old"); }},
      {"clone_snapshot", TwoDisksWithSnapshot,
       [](World& world) { return CloneOnce(world, "vm-100-disk-0", "s1"); },
       [](World& world) { EXPECT_EQ(world.rig.Content("vm-200-disk-0"), "old"); }},
      {"rename", TwoDisks,
       [](World& world) {
         const auto renamed = world.rig.storage().Rename("vm-100-disk-0", 200, "vm-200-disk-0");
         // A retry after a lost answer finds it under its new name only.
         if (FailedWith(renamed, ErrorCode::kNotFound)) {
           return Done(world.rig.storage().Info("vm-200-disk-0"));
         }
         return Done(renamed);
       },
       [](World& world) { EXPECT_EQ(world.rig.Content("vm-200-disk-0"), "old"); }},
      {"show_snapshot", TwoDisksWithSnapshot,
       [](World& world) {
         auto shown = Done(world.rig.storage().ActivateSnapshot("vm-100-disk-0", "s1"));
         if (!shown.ok()) return shown;
         return world.rig.storage().DeactivateSnapshot("vm-100-disk-0", "s1");
       },
       [](World& world) {
         for (const auto& volume : world.array.sim.world().volumes) {
           EXPECT_FALSE(volume.name.starts_with("t_pve_snapshot_device")) << volume.name;
         }
         EXPECT_EQ(world.rig.Content("vm-100-disk-0"), "new");
       }},
      {"protect", TwoDisks,
       [](World& world) { return world.rig.storage().SetProtected("vm-100-disk-0", true); },
       [](World& world) { EXPECT_TRUE(world.rig.storage().Info("vm-100-disk-0")->is_protected); }},
      {"export", TwoDisks, [](World& world) { return ExportTo(world, "stream", ""); },
       [](World& world) { ExpectStream(world, "stream"); }},
      {"export_snapshot", TwoDisksWithSnapshot,
       [](World& world) {
         auto sent = ExportTo(world, "stream", "s1");
         const auto gone = world.rig.storage().DeactivateSnapshot("vm-100-disk-0", "s1");
         return sent.ok() ? gone : sent;
       },
       [](World& world) { ExpectStream(world, "stream"); }},
      {"import", AStream, ImportOnce,
       [](World& world) {
         EXPECT_EQ(world.rig.storage().Info("vm-100-disk-0")->size, MiB(1));
         const auto link = world.rig.storage().ActivateVolume("vm-100-disk-0");
         ASSERT_TRUE(link.ok());
         EXPECT_EQ(std::ifstream(*link).get(), 'x');
       }},
      {"verify", [](World&) {}, [](World& world) { return world.rig.storage().Verify(); },
       [](World&) {}},
      {"add", [](World&) {}, AddStorage, [](World&) {}},
      {"list", TwoDisks, ListAll, [](World&) {}},
      {"change_policies", TwoDisks, ChangePolicies, ExpectPolicies},
      {"remove", TwoDisks, RemoveEmptyStorage, [](World&) {}},
  };
  return kOperations;
}

// The last line that this program prints.
class Totals : public testing::Environment {
 public:
  void Add(int points) {
    ++operations_;
    points_ += points;
  }
  void TearDown() override {
    if (operations_ == 0) return;
    std::cout << "sweep: in all " << operations_ << " operations, " << Faults().size()
              << " kinds of fault, " << points_ << " points kept all promises\n";
  }

 private:
  int operations_ = 0;
  int points_ = 0;
};
auto* const totals = static_cast<Totals*>(testing::AddGlobalTestEnvironment(new Totals));

class SweepTest : public testing::TestWithParam<std::tuple<std::size_t, bool>> {};

TEST_P(SweepTest, KeepsItsPromisesWhicheverRequestFails) {
  const auto& [index, always_jobs] = GetParam();
  const Operation& operation = Operations()[index];
  int points = 0;
  for (const Fault& fault : Faults()) {
    for (int nth = 1;; ++nth) {
      ASSERT_LE(nth, kRequestsMax) << "the sweep never ran clean";
      SCOPED_TRACE(std::string(operation.name) + ", request " + std::to_string(nth) + ": " +
                   fault.name);
      World world;
      if (always_jobs) world.array.Set("async", "always");
      operation.prepare(world);
      auto rule = fault.rule;
      rule["nth"] = nth;
      world.array.AddFault(rule);
      Status outcome = operation.run(world);
      const bool fired = world.array.FaultFired();
      world.array.ClearFaults();
      if (!fired) {
        ASSERT_TRUE(outcome.ok()) << outcome.error().Line();
        operation.expect_done(world);
        break;
      }
      ++points;
      if (!outcome.ok()) {
        const std::string line = outcome.error().Line();
        EXPECT_EQ(line.find('\n'), std::string::npos);
        EXPECT_EQ(line.find("secret"), std::string::npos) << line;
        EXPECT_NE(outcome.error().code(), ErrorCode::kInterrupted) << line;
      }
      world.rig.Restart();  // the task is over; another one looks at what it left
      world.ExpectBystanderUntouched();
      Status again = outcome.ok() ? Status() : operation.run(world);
      EXPECT_TRUE(again.ok()) << "repeated: " << again.error().Line() << " after "
                              << outcome.error().Line();
      if (again.ok()) operation.expect_done(world);
      EXPECT_THAT(world.array.Orphans(), IsEmpty());
      if (HasFailure()) return;
    }
  }
  totals->Add(points);
  std::cout << "sweep: " << operation.name << (always_jobs ? " with jobs" : "") << ": " << points
            << " points kept all promises\n";
}

INSTANTIATE_TEST_SUITE_P(Operations, SweepTest,
                         testing::Combine(testing::Range(std::size_t{0}, Operations().size()),
                                          testing::Bool()),
                         [](const auto& tested) {
                           return std::string(Operations()[std::get<0>(tested.param)].name) +
                                  (std::get<1>(tested.param) ? "_with_jobs" : "");
                         });

// From the nth request on nothing leaves this process any more, undoing included: as if it had been
// killed there.
class KilledTest : public testing::TestWithParam<std::size_t> {};

TEST_P(KilledTest, NextTaskSettlesWhatItLeft) {
  const Operation& operation = Operations()[GetParam()];
  const std::string_view kind = operation.name;
  for (int nth = 1;; ++nth) {
    ASSERT_LE(nth, kRequestsMax) << "the sweep never ran clean";
    SCOPED_TRACE(std::string(operation.name) + ", killed before request " + std::to_string(nth));
    World world;
    operation.prepare(world);
    world.array.AddFault({{"drop_before", true}, {"nth", nth}, {"times", -1}});
    const Status outcome = operation.run(world);
    const bool fired = world.array.FaultFired();
    world.array.ClearFaults();
    if (!fired) {
      ASSERT_TRUE(outcome.ok()) << outcome.error().Line();
      std::cout << "killed: " << operation.name << ": " << nth - 1 << " points settled\n";
      return;
    }
    world.rig.Restart();
    world.ExpectBystanderUntouched();
    if (kind.starts_with("allocate") || kind == "import" || kind.starts_with("clone")) {
      // Half a disk is never handed out under that name; removing it by its name takes all there is
      // of it.
      const auto freed =
          world.rig.storage().Free(kind.starts_with("clone") ? "vm-200-disk-0" : "vm-100-disk-0");
      ASSERT_TRUE(freed.ok()) << freed.error().Line();
      EXPECT_THAT(world.array.Orphans(), IsEmpty());
    }
    const Status again = operation.run(world);
    ASSERT_TRUE(again.ok()) << again.error().Line();
    operation.expect_done(world);
    // What no operation comes by again is settled after an hour.
    world.array.clock->Advance(std::chrono::minutes(70));
    world.rig.MustAllocate(901);
    EXPECT_THAT(world.array.Orphans(), IsEmpty());
  }
}

INSTANTIATE_TEST_SUITE_P(Operations, KilledTest,
                         testing::Range(std::size_t{0}, Operations().size()),
                         [](const auto& tested) {
                           return std::string(Operations()[tested.param].name);
                         });

}  // namespace
}  // namespace ontapnvme::fault
