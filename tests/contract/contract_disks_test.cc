// SPDX-License-Identifier: AGPL-3.0-or-later
// The life of a disk: volume, namespace, map, snapshots, clones.
#include "contract/array_under_test.h"

namespace ontapnvme::contract {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class DiskContract : public ContractFixture {
 protected:
  std::vector<std::string> SnapshotNames(const std::vector<ontap::VolumeRef>& volumes) {
    const auto list = snapshots_->List(volumes, Budget());
    if (!list.ok()) {
      ADD_FAILURE() << list.error().Line();
      return {};
    }
    std::vector<std::string> names;
    for (const auto& snapshot : *list) names.push_back(snapshot.name);
    return names;
  }
  Uuid SnapshotUuid(const ontap::VolumeRef& volume, const std::string& name) {
    const auto found = snapshots_->FindByName({volume}, name, Budget());
    if (found.ok() && found->size() == 1) return found->front().uuid;
    ADD_FAILURE() << "no snapshot " << name;
    return {};
  }
};
INSTANTIATE_TEST_SUITE_P(Array, DiskContract, ::testing::ValuesIn(Variants()), VariantName);

TEST_P(DiskContract, MakesAVolumeAndTellsItBack) {
  const Uuid uuid = MakeVolume("v");
  const auto found = volumes_->Find(Name("v"), Budget());
  ASSERT_SUCCEEDS(found);
  ASSERT_TRUE(*found);
  EXPECT_EQ((*found)->uuid, uuid);
  EXPECT_EQ((*found)->comment, "made by the contract suite");
  EXPECT_EQ((*found)->state, "online");
  EXPECT_EQ((*found)->size, MiB(100));
  EXPECT_GT((*found)->create_time.time_since_epoch().count(), 0);
  EXPECT_FALSE((*found)->group);
  EXPECT_EQ((*found)->parent_volume_name, "");

  EXPECT_FAILS_WITH(volumes_->Create(Spec("v"), Budget()), ErrorCode::kAlreadyExists);
}

TEST_P(DiskContract, MakesAVolumeWithEverySetting) {
  auto spec = Spec("v");
  spec.is_thick = true;
  spec.snapshot_reserve_percent = 10;
  spec.autosize_maximum = MiB(300);
  spec.is_snapshot_autodelete_on = true;
  spec.autodelete_spared_prefix = "pve_snap_";
  if (!IsReal()) {
    spec.encryption = true;
    spec.tiering_policy = "auto";
    spec.qos_policy = "gold";
  }
  const auto uuid = volumes_->Create(spec, Budget());
  ASSERT_SUCCEEDS(uuid);
  ontap::FlexVolSettings settings;
  settings.autosize = ontap::AutosizeSetting{MiB(400)};
  settings.snapshot_reserve_percent = 5;
  settings.is_snapshot_autodelete_on = false;
  if (!IsReal()) settings.tiering_policy = "none";
  ASSERT_SUCCEEDS(volumes_->ApplySettings(*uuid, settings, Budget()));
}

TEST_P(DiskContract, RefusesAVolumeThatCannotBe) {
  auto spec = Spec("v");
  spec.aggregate = "no_such_aggregate";
  EXPECT_FAILS_WITH(volumes_->Create(spec, Budget()), ErrorCode::kNotFound);
  spec = Spec("v");
  spec.size = MiB(1);
  EXPECT_FAILS_WITH(volumes_->Create(spec, Budget()), ErrorCode::kInvalidArgument);
  spec = Spec("a-b");
  EXPECT_FAILS_WITH(volumes_->Create(spec, Budget()), ErrorCode::kInvalidArgument);
  ontap::FlexVols elsewhere(*rest_, "no_such_svm");
  EXPECT_FAILS_WITH(elsewhere.Create(Spec("v"), Budget()), ErrorCode::kNotFound);
  const auto none = volumes_->List(Name("*"), Budget());
  ASSERT_SUCCEEDS(none);
  EXPECT_TRUE(none->empty());
}

TEST_P(DiskContract, RefusesWhatDoesNotFit) {
  if (IsReal()) GTEST_SKIP() << "a real aggregate is not filled";
  simulator_->Control({{"cmd", "set"}, {"free_space", {{"aggr1", MiB(50).bytes()}}}});
  auto spec = Spec("v");
  spec.is_thick = true;
  EXPECT_FAILS_WITH(volumes_->Create(spec, Budget()), ErrorCode::kNoSpace);
}

TEST_P(DiskContract, ChangesAVolume) {
  const Uuid uuid = MakeVolume("v");
  ASSERT_SUCCEEDS(volumes_->Resize(uuid, MiB(200), std::nullopt, Budget()));
  ASSERT_SUCCEEDS(volumes_->Resize(uuid, MiB(200), MiB(600), Budget()));
  ASSERT_SUCCEEDS(volumes_->SetComment(uuid, "ä \"other\"", Budget()));
  ASSERT_SUCCEEDS(volumes_->Rename(uuid, Name("w"), Budget()));
  const auto found = volumes_->Find(Name("w"), Budget());
  ASSERT_SUCCEEDS(found);
  ASSERT_TRUE(*found);
  EXPECT_EQ((*found)->uuid, uuid);
  EXPECT_EQ((*found)->size, MiB(200));
  EXPECT_EQ((*found)->comment, "ä \"other\"");
  EXPECT_FALSE(*volumes_->Find(Name("v"), Budget()));
  MakeVolume("v");
  EXPECT_FAILS_WITH(volumes_->Rename(uuid, Name("v"), Budget()), ErrorCode::kAlreadyExists);
}

TEST_P(DiskContract, DeletesAVolumeOnceOrTwice) {
  for (const bool is_final : {false, true}) {
    const Uuid uuid = MakeVolume("v");
    for (int twice = 0; twice < 2; ++twice) {
      ASSERT_SUCCEEDS(volumes_->Delete(uuid, is_final, Budget()));
    }
    EXPECT_FALSE(*volumes_->Find(Name("v"), Budget()));
  }
}

TEST_P(DiskContract, MakesANamespaceAndTellsItBack) {
  const auto made = MakeDisk("d");
  EXPECT_EQ(made.size, MiB(64));
  const auto found = namespaces_->FindByVolume(Name("d"), Budget());
  ASSERT_SUCCEEDS(found);
  ASSERT_TRUE(*found);
  EXPECT_EQ((*found)->uuid, made.uuid);
  EXPECT_EQ((*found)->path, "/vol/" + Name("d") + "/" + Name("d"));
  EXPECT_EQ((*found)->volume_uuid, made.volume_uuid);
  EXPECT_EQ((*found)->volume_name, Name("d"));
  EXPECT_EQ((*found)->comment, "a disk");
  EXPECT_EQ((*found)->state, "online");
  EXPECT_EQ((*found)->size, MiB(64));
  EXPECT_FALSE((*found)->subsystem_uuid);
  EXPECT_TRUE(*namespaces_->FindByUuid(made.uuid, Budget()));
  EXPECT_FAILS_WITH(namespaces_->Create(Name("d"), Name("d"), MiB(64), "", Budget()),
                    ErrorCode::kAlreadyExists);
  EXPECT_FAILS_WITH(namespaces_->Create(Name("none"), "n", MiB(64), "", Budget()),
                    ErrorCode::kNotFound);
  EXPECT_FALSE(
      *namespaces_->FindByUuid(*Uuid::Parse("00000000-1111-2222-3333-444444444444"), Budget()));
}

TEST_P(DiskContract, GrowsANamespaceAndNeverShrinksIt) {
  const auto ns = MakeDisk("d");
  ASSERT_SUCCEEDS(volumes_->Resize(ns.volume_uuid, MiB(200), std::nullopt, Budget()));
  for (int twice = 0; twice < 2; ++twice) {
    ASSERT_SUCCEEDS(namespaces_->Grow(ns.uuid, MiB(128), Budget()));
  }
  EXPECT_EQ((*namespaces_->FindByUuid(ns.uuid, Budget()))->size, MiB(128));
  EXPECT_FAILS_WITH(namespaces_->Grow(ns.uuid, MiB(64), Budget()), ErrorCode::kInvalidArgument);
  ASSERT_SUCCEEDS(namespaces_->SetComment(ns.uuid, "other", Budget()));
  EXPECT_EQ((*namespaces_->FindByUuid(ns.uuid, Budget()))->comment, "other");
}

TEST_P(DiskContract, ANamespaceKeepsItsUuidWhenItsVolumeIsRenamed) {
  const auto ns = MakeDisk("d");
  ASSERT_SUCCEEDS(volumes_->Rename(ns.volume_uuid, Name("e"), Budget()));
  const auto found = namespaces_->FindByVolume(Name("e"), Budget());
  ASSERT_SUCCEEDS(found);
  ASSERT_TRUE(*found);
  EXPECT_EQ((*found)->uuid, ns.uuid);
  EXPECT_EQ((*found)->path, "/vol/" + Name("e") + "/" + Name("d"));
}

TEST_P(DiskContract, ListsDisksWithTheirNamespaces) {
  MakeVolume("a_stranded");
  const auto ns = MakeDisk("b");
  MakeDisk("c");
  const auto disks =
      ontap::ReadDiskObjects(*rest_, address_.svm, Name("a*|") + Name("b*"), Budget());
  ASSERT_SUCCEEDS(disks);
  ASSERT_EQ(disks->size(), 2U);
  const bool is_first = (*disks)[0].volume.name == Name("b");
  const auto& disk = (*disks)[is_first ? 0 : 1];
  const auto& stranded = (*disks)[is_first ? 1 : 0];
  EXPECT_FALSE(stranded.ns);
  ASSERT_TRUE(disk.ns);
  EXPECT_EQ(disk.ns->uuid, ns.uuid);
  EXPECT_FALSE(disk.is_ambiguous);
}

TEST_P(DiskContract, ListsMoreThanOnePage) {
  if (IsReal()) GTEST_SKIP() << "the page of a real array is large";
  simulator_->Control({{"cmd", "set"}, {"page_records", 2}});
  for (const char* part : {"a", "b", "c", "d", "e"}) MakeDisk(part);
  // Without a page size of its own a listing follows the array's.
  std::vector<ontap::VolumeRef> volumes;
  const auto list = volumes_->List(Name("*"), Budget());
  ASSERT_SUCCEEDS(list);
  EXPECT_EQ(list->size(), 5U);
  for (const auto& volume : *list) {
    volumes.push_back({volume.uuid, volume.name});
    ASSERT_SUCCEEDS(snapshots_->Create(volume.uuid, "s", "", Budget()));
  }
  EXPECT_EQ(SnapshotNames(volumes).size(), 5U);
}

TEST_P(DiskContract, MapsAndUnmapsOnceOrTwice) {
  const auto ns = MakeDisk("d");
  const auto subsystem = Subsystem();
  for (int twice = 0; twice < 2; ++twice) {
    ASSERT_SUCCEEDS(subsystems_->Map(ns.uuid, subsystem.name, Budget()));
  }
  const auto mapped = namespaces_->FindByUuid(ns.uuid, Budget());
  ASSERT_SUCCEEDS(mapped);
  EXPECT_EQ((*mapped)->subsystem_uuid, subsystem.uuid);
  EXPECT_EQ((*mapped)->subsystem_name, subsystem.name);
  for (int twice = 0; twice < 2; ++twice) {
    ASSERT_SUCCEEDS(subsystems_->Unmap(subsystem.uuid, ns.uuid, Budget()));
  }
  EXPECT_FALSE((*namespaces_->FindByUuid(ns.uuid, Budget()))->subsystem_uuid);
}

TEST_P(DiskContract, AMapElsewhereIsAConflict) {
  if (IsReal()) GTEST_SKIP() << "leaves a second subsystem behind";
  const auto ns = MakeDisk("d");
  ASSERT_SUCCEEDS(subsystems_->Create("other", "", Budget()));
  ASSERT_SUCCEEDS(subsystems_->Map(ns.uuid, "other", Budget()));
  const Status mapped = subsystems_->Map(ns.uuid, Subsystem().name, Budget());
  EXPECT_FAILS_WITH(mapped, ErrorCode::kConflict);
  EXPECT_THAT(mapped.error().Line(), HasSubstr("'other'"));
  EXPECT_FAILS_WITH(subsystems_->Map(ns.uuid, "no_such_subsystem", Budget()), ErrorCode::kNotFound);
}

TEST_P(DiskContract, TakesAndDeletesSnapshots) {
  const ontap::VolumeRef a{MakeVolume("a"), Name("a")};
  const ontap::VolumeRef b{MakeVolume("b"), Name("b")};
  EXPECT_THAT(SnapshotNames({a}), IsEmpty());
  ASSERT_SUCCEEDS(snapshots_->Create(a.uuid, "pve_snap_one", "why", Budget()));
  EXPECT_FAILS_WITH(snapshots_->Create(a.uuid, "pve_snap_one", "", Budget()),
                    ErrorCode::kAlreadyExists);
  ASSERT_SUCCEEDS(snapshots_->Create(a.uuid, "pve_snap_two", "", Budget()));
  ASSERT_SUCCEEDS(snapshots_->Create(b.uuid, "pve_snap_two", "", Budget()));
  EXPECT_EQ(SnapshotNames({a, b}).size(), 3U);
  EXPECT_EQ(SnapshotNames({b}).size(), 1U);
  const auto found = snapshots_->FindByName({a, b}, "pve_snap_one", Budget());
  ASSERT_SUCCEEDS(found);
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ(found->front().volume_uuid, a.uuid);
  EXPECT_EQ(found->front().comment, "why");
  EXPECT_THAT(found->front().owners, IsEmpty());
  for (int twice = 0; twice < 2; ++twice) {
    ASSERT_SUCCEEDS(snapshots_->Delete(a.uuid, found->front().uuid, Budget()));
  }
  EXPECT_THAT(SnapshotNames({a}), ElementsAre("pve_snap_two"));
}

TEST_P(DiskContract, ListsSnapshotsWhereTheBulkFormIsRefused) {
  if (IsReal()) GTEST_SKIP() << "a real array takes it";
  simulator_->Control({{"cmd", "set"}, {"wildcard_snapshots", "refuse"}});
  const ontap::VolumeRef a{MakeVolume("a"), Name("a")};
  const ontap::VolumeRef b{MakeVolume("b"), Name("b")};
  ASSERT_SUCCEEDS(snapshots_->Create(a.uuid, "s", "", Budget()));
  ASSERT_SUCCEEDS(snapshots_->Create(b.uuid, "s", "", Budget()));
  EXPECT_EQ(SnapshotNames({a, b}).size(), 2U);
}

TEST_P(DiskContract, RestoresAndDropsNewerSnapshots) {
  const auto ns = MakeDisk("d");
  const ontap::VolumeRef volume{ns.volume_uuid, Name("d")};
  ASSERT_SUCCEEDS(snapshots_->Create(volume.uuid, "one", "", Budget()));
  ASSERT_SUCCEEDS(snapshots_->Create(volume.uuid, "two", "", Budget()));
  ASSERT_SUCCEEDS(volumes_->Restore(volume.uuid, "one", Budget()));
  EXPECT_THAT(SnapshotNames({volume}), ElementsAre("one"));
  EXPECT_EQ((*namespaces_->FindByVolume(Name("d"), Budget()))->uuid, ns.uuid);
  EXPECT_FAILS_WITH(volumes_->Restore(volume.uuid, "none", Budget()), ErrorCode::kNotFound);
}

TEST_P(DiskContract, ClonesAreNewDisksThatHoldTheirParent) {
  const auto ns = MakeDisk("base");
  const ontap::VolumeRef parent{ns.volume_uuid, Name("base")};
  ASSERT_SUCCEEDS(snapshots_->Create(parent.uuid, "pve_base", "", Budget()));
  ontap::FlexCloneSpec spec;
  spec.name = Name("clone");
  spec.parent_volume = Name("base");
  spec.parent_snapshot = "pve_base";
  spec.comment = "mark";
  const auto clone = volumes_->Clone(spec, Budget());
  ASSERT_SUCCEEDS(clone);
  EXPECT_FAILS_WITH(volumes_->Clone(spec, Budget()), ErrorCode::kAlreadyExists);

  const auto found = volumes_->Find(Name("clone"), Budget());
  ASSERT_SUCCEEDS(found);
  EXPECT_EQ((*found)->uuid, *clone);
  EXPECT_EQ((*found)->comment, "mark");
  EXPECT_EQ((*found)->parent_volume_name, Name("base"));
  EXPECT_EQ((*found)->parent_snapshot_name, "pve_base");
  const auto inside = namespaces_->FindByVolume(Name("clone"), Budget());
  ASSERT_SUCCEEDS(inside);
  ASSERT_TRUE(*inside);
  EXPECT_NE((*inside)->uuid, ns.uuid);
  EXPECT_EQ((*inside)->size, ns.size);
  EXPECT_FALSE((*inside)->subsystem_uuid);

  EXPECT_FAILS_WITH(volumes_->Delete(parent.uuid, true, Budget()), ErrorCode::kBusy);
  const Uuid snapshot = SnapshotUuid(parent, "pve_base");
  EXPECT_FAILS_WITH(snapshots_->Delete(parent.uuid, snapshot, Budget()), ErrorCode::kBusy);
  ASSERT_SUCCEEDS(volumes_->StartSplit(*clone, Budget()));
}

TEST_P(DiskContract, ClonesOnlyWhatIsThere) {
  const auto ns = MakeDisk("base");
  ontap::FlexCloneSpec spec;
  spec.name = Name("clone");
  spec.parent_volume = Name("base");
  spec.parent_snapshot = "none";
  EXPECT_FAILS_WITH(volumes_->Clone(spec, Budget()), ErrorCode::kNotFound);
  spec.parent_volume = Name("none");
  EXPECT_FAILS_WITH(volumes_->Clone(spec, Budget()), ErrorCode::kNotFound);
}

}  // namespace
}  // namespace ontapnvme::contract
