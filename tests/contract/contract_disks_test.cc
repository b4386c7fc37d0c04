// SPDX-License-Identifier: AGPL-3.0-or-later
// The life of a disk: volume, namespace, map, snapshots, clones.
#include <algorithm>

#include "contract/array_under_test.h"

namespace ontapnvme::contract {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class DiskContract : public ContractFixture {
 protected:
  std::vector<std::string> SnapshotNames(const std::vector<ontap::VolumeRef>& volumes) {
    const auto list = snapshots_->List(volumes, Budget());
    if (!list.ok()) {
      ADD_FAILURE() << list.error().Line();
      return {};
    }
    std::vector<std::string> names;
    for (const auto& snapshot : *list) {
      // The array takes these by itself.
      if (!snapshot.IsOfAntiRansomware()) names.push_back(snapshot.name);
    }
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
  spec.autosize = ontap::AutosizeSetting{MiB(300)};
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
  settings.is_snapshot_autodelete_on = true;
  settings.autodelete_spared_prefix = "pve_snap_";
  if (!IsReal()) settings.tiering_policy = "none";
  const auto refused = volumes_->ApplySettings(*uuid, settings, Budget());
  ASSERT_SUCCEEDS(refused);
  for (const auto& one : *refused) ADD_FAILURE() << one.name << ": " << one.why.Line();

  const auto state = volumes_->ReadState(*uuid, Budget());
  ASSERT_SUCCEEDS(state);
  ASSERT_TRUE(*state);
  EXPECT_EQ((*state)->state, "online");
  EXPECT_EQ((*state)->settings.is_thick, true);
  EXPECT_EQ((*state)->settings.is_fully_reserved, true) << "with a guarantee, by default";
  EXPECT_EQ((*state)->settings.autosize, settings.autosize);
  EXPECT_EQ((*state)->settings.snapshot_policy, "none");
  EXPECT_EQ((*state)->settings.snapshot_reserve_percent, 5U);
  if (IsReal()) return;
  EXPECT_EQ((*state)->is_encrypted, true);
  EXPECT_EQ((*state)->settings.qos_policy, "gold");
  settings = {};
  settings.qos_policy = "";
  ASSERT_SUCCEEDS(volumes_->ApplySettings(*uuid, settings, Budget()));
  EXPECT_EQ((*volumes_->ReadState(*uuid, Budget()))->settings.qos_policy, "");
}

// Which may need a licence, and before 9.17.1 is not for SAN volumes.
TEST_P(DiskContract, SetsTheProtectionAgainstRansomwareWhereThereIsOne) {
  const Uuid uuid = MakeVolume("v");
  const Status set = volumes_->SetRansomwareProtection(uuid, false, Budget());
  if (release() < ontap::kSanRansomware || IsReal()) return;
  EXPECT_TRUE(set.ok()) << set.error().Line();
}

TEST_P(DiskContract, TellsHowAVolumeFares) {
  const Uuid uuid = MakeVolume("v");
  ASSERT_SUCCEEDS(snapshots_->Create(uuid, "s1", "", Budget()));
  const auto found = volumes_->ListHealth(Name("v"), Budget());
  ASSERT_SUCCEEDS(found);
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ(found->front().name, Name("v"));
  EXPECT_EQ(found->front().comment, "made by the contract suite");
  if (IsReal()) return;
  EXPECT_GE(found->front().snapshot_count.value_or(0), 1U);
  const bool has_protection = release() >= ontap::kSanRansomware;
  EXPECT_EQ(found->front().attack_probability, has_protection ? "none" : "");
  EXPECT_EQ(found->front().protection.empty(), !has_protection);
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
  ontap::FlexVolSettings ceiling;
  ceiling.autosize = ontap::AutosizeSetting{MiB(600)};
  ASSERT_SUCCEEDS(volumes_->ApplySettings(uuid, ceiling, Budget()));
  ASSERT_SUCCEEDS(volumes_->Resize(uuid, MiB(200), Budget()));
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
  ASSERT_SUCCEEDS(volumes_->Resize(ns.volume_uuid, MiB(200), Budget()));
  for (int twice = 0; twice < 2; ++twice) {
    ASSERT_SUCCEEDS(namespaces_->Grow(ns.uuid, MiB(128), Budget()));
  }
  EXPECT_EQ((*namespaces_->FindByUuid(ns.uuid, Budget()))->size, MiB(128));
  EXPECT_FAILS_WITH(namespaces_->Grow(ns.uuid, MiB(64), Budget()), ErrorCode::kInvalidArgument);
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
  EXPECT_THAT(stranded.namespaces, IsEmpty());
  ASSERT_EQ(disk.namespaces.size(), 1U);
  EXPECT_EQ(disk.namespaces.front().uuid, ns.uuid);
  for (const auto maps : {ontap::NamespaceMaps::kRead, ontap::NamespaceMaps::kSkip}) {
    const auto namespaces = namespaces_->List(Name("b*"), Budget(), maps);
    ASSERT_SUCCEEDS(namespaces);
    ASSERT_EQ(namespaces->size(), 1U);
    EXPECT_EQ(namespaces->front().uuid, ns.uuid);
  }
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
  const auto count = subsystems_->CountMaps(subsystem.uuid, Budget());
  ASSERT_SUCCEEDS(count);
  EXPECT_GE(*count, 1U);
  for (int twice = 0; twice < 2; ++twice) {
    ASSERT_SUCCEEDS(subsystems_->Unmap(subsystem.uuid, ns.uuid, Budget()));
  }
  EXPECT_FALSE((*namespaces_->FindByUuid(ns.uuid, Budget()))->subsystem_uuid);
  const auto rest = subsystems_->CountMaps(subsystem.uuid, Budget());
  ASSERT_SUCCEEDS(rest);
  EXPECT_EQ(*rest + 1, *count);
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

TEST_P(DiskContract, RenamesASnapshotAndMarksItByOneRequest) {
  const ontap::VolumeRef a{MakeVolume("a"), Name("a")};
  ASSERT_SUCCEEDS(snapshots_->Create(a.uuid, "one", "", Budget()));
  ASSERT_SUCCEEDS(snapshots_->Create(a.uuid, "two", "", Budget()));
  const Uuid one = SnapshotUuid(a, "one");
  EXPECT_FAILS_WITH(snapshots_->Rename(a.uuid, one, "two", "why", Budget()),
                    ErrorCode::kAlreadyExists);
  for (int twice = 0; twice < 2; ++twice) {
    ASSERT_SUCCEEDS(snapshots_->Rename(a.uuid, one, "pve_snap_three", "why", Budget()));
  }
  EXPECT_THAT(SnapshotNames({a}), UnorderedElementsAre("pve_snap_three", "two"));
  ASSERT_SUCCEEDS(snapshots_->SetComment(a.uuid, one, "other", Budget()));
  const auto found = snapshots_->FindByName({a}, "pve_snap_three", Budget());
  ASSERT_SUCCEEDS(found);
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ(found->front().uuid, one);
  EXPECT_EQ(found->front().comment, "other");
  EXPECT_FAILS_WITH(snapshots_->Rename(a.uuid, a.uuid, "four", "", Budget()), ErrorCode::kNotFound);
}

TEST_P(DiskContract, ListsSnapshotsWhereTheBulkFormIsRefused) {
  if (IsReal()) GTEST_SKIP() << "a real array takes it";
  simulator_->Control({{"cmd", "set"}, {"bulk_snapshots", "refuse"}});
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

TEST_P(DiskContract, OverwritesWithASnapshotAndKeepsNewerOnes) {
  const auto ns = MakeDisk("d");
  const ontap::VolumeRef volume{ns.volume_uuid, Name("d")};
  const auto subsystem = Subsystem();
  ASSERT_SUCCEEDS(subsystems_->Map(ns.uuid, subsystem.name, Budget()));
  ASSERT_SUCCEEDS(snapshots_->Create(volume.uuid, "one", "", Budget()));
  ASSERT_SUCCEEDS(volumes_->Resize(ns.volume_uuid, MiB(400), Budget()));
  ASSERT_SUCCEEDS(namespaces_->Grow(ns.uuid, MiB(128), Budget()));
  ASSERT_SUCCEEDS(snapshots_->Create(volume.uuid, "two", "", Budget()));
  const auto copy = namespaces_->CloneFromSnapshot(ns, "one", "copy-of-one", Budget());
  ASSERT_SUCCEEDS(copy);
  EXPECT_EQ(copy->path, "/vol/" + Name("d") + "/copy-of-one");
  EXPECT_EQ(copy->size, MiB(64));
  EXPECT_FALSE(copy->subsystem_uuid);
  EXPECT_FAILS_WITH(namespaces_->CloneFromSnapshot(ns, "one", "copy-of-one", Budget()),
                    ErrorCode::kAlreadyExists);
  EXPECT_FAILS_WITH(namespaces_->CloneFromSnapshot(ns, "none", "copy-of-none", Budget()),
                    ErrorCode::kNotFound);
  for (int twice = 0; twice < 2; ++twice) {
    ASSERT_SUCCEEDS(namespaces_->Overwrite(ns.uuid, copy->uuid, Budget()));
  }
  for (int twice = 0; twice < 2; ++twice) {
    ASSERT_SUCCEEDS(namespaces_->Delete(copy->uuid, Budget()));
  }
  const auto now = namespaces_->FindByUuid(ns.uuid, Budget());
  ASSERT_SUCCEEDS(now);
  ASSERT_TRUE(*now);
  EXPECT_EQ((*now)->size, MiB(64));
  EXPECT_EQ((*now)->path, ns.path);
  EXPECT_EQ((*now)->subsystem_uuid, subsystem.uuid);
  EXPECT_THAT(SnapshotNames({volume}), ElementsAre("one", "two"));
  EXPECT_FAILS_WITH(namespaces_->Overwrite(ns.uuid, copy->uuid, Budget()), ErrorCode::kNotFound);
  EXPECT_FALSE(namespaces_->Delete(ns.uuid, Budget()).ok()) << "it is mapped";
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

  const auto clones = volumes_->ListClones(Name("base"), Budget());
  ASSERT_SUCCEEDS(clones);
  ASSERT_EQ(clones->size(), 1U);
  EXPECT_EQ(clones->front().uuid, *clone);
  EXPECT_EQ(clones->front().parent_snapshot_name, "pve_base");
  const auto none = volumes_->ListClones(Name("clone"), Budget());
  ASSERT_SUCCEEDS(none);
  EXPECT_THAT(*none, IsEmpty());

  const Status held = volumes_->Delete(parent.uuid, true, Budget());
  EXPECT_FAILS_WITH(held, ErrorCode::kBusy);
  EXPECT_EQ(held.error().origin().refusal, Refusal::kHeldByClones);
  const Uuid snapshot = SnapshotUuid(parent, "pve_base");
  EXPECT_FAILS_WITH(snapshots_->Delete(parent.uuid, snapshot, Budget()), ErrorCode::kBusy);
  const auto ours = snapshots_->FindByPrefix({parent}, "pve_ba", Budget());
  ASSERT_SUCCEEDS(ours);
  ASSERT_EQ(ours->size(), 1U);
  EXPECT_EQ(ours->front().name, "pve_base");
  EXPECT_THAT(*snapshots_->FindByPrefix({parent}, "pve_base_", Budget()), IsEmpty());
  // Of several volumes at once, by a pattern of their names; the clone shows what it stands on.
  const ontap::VolumeRef cloned{*clone, Name("clone")};
  const auto detailed = snapshots_->ListDetailed({parent, cloned}, Name("*"), Budget());
  ASSERT_SUCCEEDS(detailed);
  for (const auto& volume : {parent, cloned}) {
    EXPECT_TRUE(std::any_of(detailed->begin(), detailed->end(), [&](const auto& one) {
      return one.volume_uuid == volume.uuid && one.name == "pve_base";
    })) << volume.name;
  }

  // How far it is: at once, or for a small volume soon, it is no clone any more.
  ASSERT_SUCCEEDS(volumes_->StartSplit(*clone, Budget()));
  const auto splits = volumes_->List(Name("clone"), Budget(), ontap::CloneParents::kReadWithSplits);
  ASSERT_SUCCEEDS(splits);
  ASSERT_EQ(splits->size(), 1U);
  const auto& split = splits->front();
  EXPECT_TRUE(split.split_percent || split.parent_volume_name.empty());
}

TEST_P(DiskContract, SaysWhereAVolumeIsAndMovesItNowhere) {
  const Uuid uuid = MakeVolume("v");
  const auto place = volumes_->ReadPlace(uuid, Budget());
  ASSERT_SUCCEEDS(place);
  EXPECT_EQ(place->aggregate, address_.aggregate);
  EXPECT_EQ(place->destination, "");
  const Status moved = volumes_->StartMove(uuid, "no_such_aggregate", Budget());
  EXPECT_FAILS_WITH(moved, ErrorCode::kNotFound);
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
