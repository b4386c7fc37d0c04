// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/flexvol/disks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/catalogue/flexvol/rig.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class DisksTest : public testing::Test {
 protected:
  // A base image and a linked clone of it.
  void MakeTemplateAndClone() {
    const auto disk = rig.Make("vm-100-disk-0");
    ASSERT_TRUE(rig.disks().TurnIntoBase(disk, base, rig.Budget()).ok());
    const auto neighbours = rig.disks().ListNeighbours({200}, base, rig.Budget());
    ASSERT_TRUE(neighbours.ok());
    const auto cloned =
        rig.disks().Clone({.volume = base, .snapshot = std::nullopt},
                          Rig::Name("base-100-disk-0/vm-200-disk-0"), *neighbours, rig.Budget());
    ASSERT_TRUE(cloned.ok()) << cloned.error().Line();
  }
  Result<Removal> Remove(const std::string& name) {
    const auto disk = rig.MustFind(name);
    EXPECT_TRUE(disk.ns && rig.disks().Unmap(*disk.ns, rig.Budget()).ok());
    return rig.disks().Remove(disk.volume, rig.Budget());
  }

  TestArray array;
  Rig rig{array};
  const VolumeName base = Rig::Name("base-100-disk-0");
};

TEST_F(DisksTest, MapsAndUnmapsIdempotently) {
  const auto disk = rig.Make("vm-100-disk-0");
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(rig.disks().Unmap(*disk.ns, rig.Budget()).ok());
    EXPECT_EQ(array.NamespaceIn("t_vm_100_disk_0")->subsystem_uuid, "");
  }
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(rig.disks().Map(*disk.ns, rig.Budget()).ok());
    EXPECT_NE(array.NamespaceIn("t_vm_100_disk_0")->subsystem_uuid, "");
  }
}

TEST_F(DisksTest, UnmapsWhatARecordStillCallsUnmapped) {
  auto disk = rig.Make("vm-100-disk-0");
  disk.ns->mapping = Mapping::kNone;  // as old as the call that returned it
  EXPECT_TRUE(rig.disks().Unmap(*disk.ns, rig.Budget()).ok());
  EXPECT_EQ(array.NamespaceIn("t_vm_100_disk_0")->subsystem_uuid, "");
}

TEST_F(DisksTest, UnmapsFromAnotherSubsystem) {
  rig.Make("vm-100-disk-0");
  auto* ns = array.NamespaceIn("t_vm_100_disk_0");
  sim::Subsystem other = *array.world().subsystems.Find(ns->subsystem_uuid);
  other.uuid = "11234567-89ab-cdef-0123-456789abcdef";
  other.name = "other";
  array.world().subsystems.Add(other);
  ns->subsystem_uuid = other.uuid;
  const auto disk = rig.MustFind("vm-100-disk-0");
  ASSERT_EQ(disk.ns->mapping, Mapping::kElsewhere);
  EXPECT_TRUE(FailedWith(rig.disks().Map(*disk.ns, rig.Budget()), ErrorCode::kConflict));
  EXPECT_TRUE(rig.disks().Unmap(*disk.ns, rig.Budget()).ok());
  EXPECT_EQ(array.NamespaceIn("t_vm_100_disk_0")->subsystem_uuid, "");
}

TEST_F(DisksTest, GrowsTheFlexVolFirstAndNeverShrinksIt) {
  const auto disk = rig.Make("vm-100-disk-0");
  const auto found = rig.MustFind("vm-100-disk-0");
  array.ClearLog();
  ASSERT_TRUE(rig.disks().Grow(found, GiB(1), rig.Budget()).ok());
  EXPECT_EQ(array.Count(), 3) << "its ceiling, the volume, the namespace";
  const auto grown = rig.MustFind("vm-100-disk-0");
  EXPECT_EQ(grown.ns->size, GiB(1));
  EXPECT_GT(grown.volume.container_size, GiB(1));
  array.FindVolume("t_vm_100_disk_0")->size_bytes = GiB(5).bytes();  // by autosize
  array.ClearLog();
  ASSERT_TRUE(rig.disks().Grow(rig.MustFind("vm-100-disk-0"), GiB(1), rig.Budget()).ok());
  EXPECT_EQ(array.Count(), 2) << "the two of looking";
  ASSERT_TRUE(rig.disks().Grow(rig.MustFind("vm-100-disk-0"), GiB(2), rig.Budget()).ok());
  EXPECT_EQ(rig.MustFind("vm-100-disk-0").volume.container_size, GiB(5));
}

TEST_F(DisksTest, CeilingThatCannotBeSetDoesNotStopGrowing) {
  rig.Make("vm-100-disk-0");
  const auto found = rig.MustFind("vm-100-disk-0");
  array.AddFault({{"method", "PATCH"},
                  {"path", "/storage/volumes/"},
                  {"nth", 1},
                  {"status", 400},
                  {"code", 262203}});
  ASSERT_TRUE(rig.disks().Grow(found, GiB(1), rig.Budget()).ok());
  ASSERT_TRUE(array.FaultFired());
  EXPECT_EQ(rig.MustFind("vm-100-disk-0").ns->size, GiB(1));
  EXPECT_THAT(rig.TakeLog(), HasSubstr("was grown, but autosize could not be set"));
}

TEST_F(DisksTest, BusyVolumeIsWaitedFor) {
  array.Set("volume_busy_s", "20");
  rig.Make("vm-100-disk-0");
  ASSERT_EQ(*Remove("vm-100-disk-0"), Removal::kRemoved);
}

TEST_F(DisksTest, ClonesAreLookedForWhenTheCodeSaysNothing) {
  MakeTemplateAndClone();
  const auto disk = rig.MustFind("base-100-disk-0");
  ASSERT_TRUE(rig.disks().Unmap(*disk.ns, rig.Budget()).ok());
  array.AddFault({{"method", "DELETE"},
                  {"path", "/storage/volumes/"},
                  {"times", -1},
                  {"status", 500},
                  {"code", 99999999}});
  const auto removed = rig.disks().Remove(disk.volume, rig.Budget());
  ASSERT_FALSE(removed.ok());
  EXPECT_EQ(removed.error().origin().refusal, Refusal::kHeldByClones);
  EXPECT_EQ(removed.error().Fact("clone_names"), "vm-200-disk-0");
}

TEST_F(DisksTest, AnnotationChangesWhatIsGivenAndNothingElse) {
  rig.Make("vm-100-disk-0");
  const auto name = Rig::Name("vm-100-disk-0");
  const auto annotate = [&](const Annotation& annotation) {
    array.ClearLog();
    const auto done = rig.disks().Annotate(name, annotation, rig.Budget());
    EXPECT_TRUE(done.ok()) << done.error().Line();
    return array.Count();
  };
  const auto mark = [&] { return rig.MustFind("vm-100-disk-0").volume.mark.mark; };
  EXPECT_EQ(annotate({.notes = "one\ntwo", .is_protected = std::nullopt}), 2);
  EXPECT_EQ(annotate({.notes = std::nullopt, .is_protected = true}), 2);
  EXPECT_EQ(mark().notes, "one\ntwo");
  EXPECT_TRUE(mark().is_protected);
  EXPECT_EQ(annotate({.notes = "one\ntwo", .is_protected = true}), 1) << "no change, no request";
  const auto too_long = rig.disks().Annotate(
      name, {.notes = std::string(2000, 'x'), .is_protected = {}}, rig.Budget());
  EXPECT_TRUE(FailedWith(too_long, ErrorCode::kInvalidArgument));
  EXPECT_THAT(too_long.error().Line(), HasSubstr("vm-100-disk-0"));
  EXPECT_TRUE(FailedWith(rig.disks().Annotate(Rig::Name("vm-100-disk-9"),
                                              {.notes = "x", .is_protected = {}}, rig.Budget()),
                         ErrorCode::kNotFound));
}

TEST_F(DisksTest, MarkOnAFormerNameBringsThePresentOne) {
  array.MakeStray("t_vm_100_state_before_upgrade", "");
  const auto name = Rig::Name("vm-100-state-before-upgrade");
  ASSERT_TRUE(rig.disks().Annotate(name, {.notes = "n", .is_protected = {}}, rig.Budget()).ok());
  EXPECT_EQ(rig.MustFind("vm-100-state-before-upgrade").volume.mark.mark.notes, "n");
  EXPECT_TRUE(rig.disks().FindNamespace(name, rig.Budget()).is_present());
}

TEST_F(DisksTest, DeletedDiskWaitsInTheRecoveryQueueUnlessForced) {
  rig.Make("vm-100-disk-0");
  ASSERT_EQ(*Remove("vm-100-disk-0"), Removal::kRemoved);
  EXPECT_EQ(std::distance(array.world().recovery_queue.begin(), array.world().recovery_queue.end()),
            1);
  Rig forcing(array, {.settings = {{"force_delete", "1"}}});
  const auto disk = forcing.Make("vm-100-disk-0");
  ASSERT_TRUE(forcing.disks().Unmap(*disk.ns, forcing.Budget()).ok());
  ASSERT_TRUE(forcing.disks().Remove(disk.volume, forcing.Budget()).ok());
  EXPECT_EQ(std::distance(array.world().recovery_queue.begin(), array.world().recovery_queue.end()),
            1);
  ASSERT_TRUE(forcing.disks().Remove(disk.volume, forcing.Budget()).ok()) << "idempotent";
}

TEST_F(DisksTest, ClonesThatHoldADiskAreNamed) {
  MakeTemplateAndClone();
  const auto disk = rig.MustFind("base-100-disk-0");
  const auto asked = rig.disks().RequireNoClones(disk.volume, rig.Budget());
  for (const auto& error : {asked.error(), Remove("base-100-disk-0").error()}) {
    EXPECT_EQ(error.code(), ErrorCode::kBusy);
    EXPECT_EQ(error.origin().refusal, Refusal::kHeldByClones);
    EXPECT_EQ(error.Fact("clone_names"), "vm-200-disk-0");
    EXPECT_THAT(error.Line(), HasSubstr("remove the clones"));
  }
  ASSERT_TRUE(Remove("vm-200-disk-0").ok());
  EXPECT_TRUE(rig.disks().RequireNoClones(disk.volume, rig.Budget()).ok());
}

TEST_F(DisksTest, CloneOfAnotherOwnerIsNamedByItsFlexVol) {
  MakeTemplateAndClone();
  array.FindVolume("t_vm_200_disk_0")->comment = MarkOf(kOtherCluster, "tank");
  const auto asked =
      rig.disks().RequireNoClones(rig.MustFind("base-100-disk-0").volume, rig.Budget());
  ASSERT_FALSE(asked.ok());
  EXPECT_EQ(asked.error().Fact("clone_names"), "FlexVol t_vm_200_disk_0");
}

TEST_F(DisksTest, DiskHeldByDeletedClonesGoesOutOfSight) {
  array.Set("queued_clones_hold_parent", "yes");
  MakeTemplateAndClone();
  ASSERT_EQ(*Remove("vm-200-disk-0"), Removal::kRemoved);
  ASSERT_EQ(*Remove("base-100-disk-0"), Removal::kDeferred);
  EXPECT_TRUE(rig.disks().Find(base, rig.Budget()).is_absent());
  EXPECT_THAT(array.VolumeNames(), Contains(HasSubstr("t_pve_deleted_")));
}

// ---- an array whose anti-ransomware protection locks snapshots

class LockedTest : public testing::Test {
 protected:
  LockedTest() {
    array.Set("release", "9.18.1");
    array.Set("ransomware_locks", "delete_refused");
    EXPECT_TRUE(rig.backend().RefreshTarget(RigOptions().host_nqn, rig.Budget()).ok());
    disk = rig.Make("vm-100-disk-0");
    EXPECT_TRUE(rig.disks().Unmap(*disk.ns, rig.Budget()).ok());
  }
  Result<Removal> Remove() { return rig.disks().Remove(disk.volume, rig.Budget()); }
  std::string Protection() {
    for (const auto& volume : array.world().volumes) {
      if (volume.is_svm_root) continue;
      return volume.extras.value("anti_ransomware", nlohmann::json::object())
          .value("state", "enabled");
    }
    return "(no volume)";
  }
  TestArray array;
  Rig rig{array};
  Disk disk;
};

TEST_F(LockedTest, DiskThatCannotBeDeletedGoesOutOfSightUntilTheLocksHaveExpired) {
  ASSERT_EQ(*Remove(), Removal::kDeferredByLock);
  EXPECT_TRUE(rig.disks().Find(Rig::Name("vm-100-disk-0"), rig.Budget()).is_absent());
  EXPECT_THAT(array.VolumeNames(), testing::ElementsAre(HasSubstr("t_pve_deleted_")));
  EXPECT_EQ(Protection(), "disabled") << "or there would be new locks for ever";
  const auto settle = [&] {
    const auto survey = rig.backend().Look(array.clock.WallTime(), rig.Budget());
    EXPECT_EQ(survey->left_overs.size(), 1U);
    return rig.backend().Settle(survey->left_overs.front(), rig.Budget());
  };
  EXPECT_FALSE(settle().ok());
  EXPECT_EQ(array.VolumeNames().size(), 1U);
  array.clock.Advance(std::chrono::hours(13));
  EXPECT_TRUE(settle().ok());
  EXPECT_TRUE(array.VolumeNames().empty());
}

TEST_F(LockedTest, ProtectionThatMayNotBeTurnedOffIsTriedAgainByRecovery) {
  array.AddFault(
      {{"method", "PATCH"}, {"path", "volumes/"}, {"nth", 2}, {"status", 403}, {"code", 6}});
  ASSERT_EQ(*Remove(), Removal::kDeferredByLock);
  EXPECT_TRUE(array.FaultFired());
  ASSERT_EQ(Protection(), "enabled");
  const auto survey = rig.backend().Look(array.clock.WallTime(), rig.Budget());
  EXPECT_FALSE(rig.backend().Settle(survey->left_overs.front(), rig.Budget()).ok());
  EXPECT_EQ(Protection(), "disabled");
}

TEST_F(LockedTest, DiskThatCannotBeParkedEitherKeepsItsProtection) {
  array.AddFault({{"method", "PATCH"}, {"status", 403}, {"code", 6}, {"times", -1}});
  const auto removed = Remove();
  ASSERT_FALSE(removed.ok());
  EXPECT_THAT(removed.error().Line(), HasSubstr("anti-ransomware"));
  EXPECT_EQ(array.VolumeNames(), std::vector<std::string>{"t_vm_100_disk_0"});
  EXPECT_EQ(Protection(), "enabled");
}

TEST_F(LockedTest, LockThatDoesNotKeepTheVolumeIsNone) {
  array.Set("ransomware_locks", "delete_allowed");
  EXPECT_EQ(*Remove(), Removal::kRemoved);
}

TEST_F(LockedTest, RefusalWithoutALockStaysOne) {
  array.Set("ransomware_locks", "none");
  array.clock.Advance(std::chrono::hours(13));
  for (auto& volume : array.world().volumes) array.world().DestroyVolumeContents(volume.uuid);
  array.AddFault({{"method", "DELETE"}, {"status", 409}, {"code", 4242}, {"times", -1}});
  ASSERT_FALSE(Remove().ok());
  EXPECT_EQ(array.VolumeNames(), std::vector<std::string>{"t_vm_100_disk_0"});
}

TEST_F(LockedTest, ItsSnapshotsAreKnownAsTheArraysOwn) {
  const auto snapshots = rig.snapshots().List(Rig::Name("vm-100-disk-0"), rig.Budget());
  ASSERT_TRUE(snapshots.ok());
  ASSERT_EQ(snapshots->size(), 1U);
  EXPECT_TRUE(snapshots->front().is_locked_by_array);
  EXPECT_FALSE(snapshots->front().name.OfProxmox().has_value());
  ASSERT_TRUE(rig.snapshots()
                  .Take(Rig::Name("vm-100-disk-0"), Rig::Snap("s1"), NewOperationId(), rig.Budget())
                  .ok());
  EXPECT_FALSE(
      rig.snapshots().List(Rig::Name("vm-100-disk-0"), rig.Budget())->back().is_locked_by_array);
}

}  // namespace
}  // namespace ontapnvme::catalogue::flexvol
