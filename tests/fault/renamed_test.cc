// SPDX-License-Identifier: AGPL-3.0-or-later
// Names on the array change under a storage: a switchover or an administrator renames the SVM, an
// aggregate is renamed or evacuated. Nothing is taken for gone because a name leads nowhere.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "fault/storage_rig.h"

namespace ontapnvme::fault {
namespace {

using testing::HasSubstr;

class RenamedTest : public testing::Test {
 protected:
  RenamedTest() : rig(array, Options()) {
    EXPECT_TRUE(rig.storage().Activate().ok());
    volume = rig.MustAllocate(100);
    rig.Write(volume, "of VM 100");
    EXPECT_TRUE(rig.storage().CreateSnapshot(volume, "before").ok());
  }
  RigOptions Options(Settings settings = {}) {
    return {.settings = std::move(settings), .disk_memory_file = memory_folder + "disks"};
  }
  // The same node under changed settings; with another directory, another node.
  std::unique_ptr<StorageRig> With(Settings settings, bool is_same_node = true) {
    RigOptions options = Options(std::move(settings));
    if (is_same_node)
      options.directory = rig.directory();
    else
      options.node = "node2";
    return std::make_unique<StorageRig>(array, options);
  }
  void RenameSvm(const std::string& from, const std::string& to) {
    array.Set("svm_name", {{from, to}});
  }
  bool IsRemembered() {
    const auto text = ReadSmallFile(memory_folder + "disks", 1 << 20U);
    return text && text->find(volume) != std::string::npos;
  }
  std::string Words(const Status& status) {
    return status.ok() ? "success" : status.error().Line();
  }
  template <typename T>
  std::string Words(const Result<T>& result) {
    return result.ok() ? "success" : result.error().Line();
  }

  const std::string memory_folder =
      testing::TempDir() + "renamed." + std::to_string(::getpid()) + "." +
      testing::UnitTest::GetInstance()->current_test_info()->name() + ".";
  TestArray array;
  StorageRig rig;
  std::string volume;
};

TEST_F(RenamedTest, AnSvmOfAnotherNameIsNoEmptyStorage) {
  RenameSvm("svm1", "svm1-mc");
  auto& storage = rig.storage();
  const auto told = testing::AllOf(HasSubstr("SVM 'svm1' is called 'svm1-mc' now"),
                                   HasSubstr("pvesm set tank --vserver svm1-mc"));
  EXPECT_THAT(Words(storage.List({})), told);
  EXPECT_THAT(Words(storage.List(100)), told);
  EXPECT_THAT(Words(storage.RequireEmpty()), told);
  EXPECT_EQ(storage.RequireEmpty().error().code(), ErrorCode::kConflict);
  const TimePoint begun = array.clock->Now();
  EXPECT_THAT(Words(storage.Free(volume)), told);
  EXPECT_LT(array.clock->Now() - begun, std::chrono::seconds(5)) << "nothing to wait for";
  EXPECT_THAT(Words(storage.DeleteSnapshot(volume, "before")), told);
  EXPECT_THAT(Words(storage.ListSnapshots(volume)), told);
  EXPECT_THAT(Words(storage.ActivateVolume(volume)), told);
  // With fresh facts to be had, too.
  array.clock->Advance(std::chrono::hours(2));
  EXPECT_THAT(Words(storage.List({})), told);
  EXPECT_FALSE(storage.Allocate(101, "", 1024).ok());
  EXPECT_TRUE(IsRemembered()) << "for the whole cluster";

  RenameSvm("svm1-mc", "svm1");
  EXPECT_EQ(storage.List({})->size(), 1U);
  EXPECT_EQ(rig.Content(volume).substr(0, 9), "of VM 100");
  EXPECT_EQ(storage.ListSnapshots(volume)->size(), 1U);
}

TEST_F(RenamedTest, AnotherSvmThatHasTheNameNowIsNotTakenForIt) {
  RenameSvm("svm1", "svm1-old");
  RenameSvm("svm2", "svm1");
  EXPECT_THAT(Words(rig.storage().List({})), HasSubstr("is called 'svm1-old' now"));
  array.clock->Advance(std::chrono::hours(2));
  EXPECT_THAT(Words(rig.storage().Free(volume)), HasSubstr("is called 'svm1-old' now"));
  EXPECT_EQ(array.Orphans(), std::vector<std::string>());
  EXPECT_TRUE(IsRemembered());
}

// Rebuilt by an administrator: nothing of the former one is there.
TEST_F(RenamedTest, SvmThatWasMadeAnewIsNotAdoptedWhileDisksAreRemembered) {
  for (auto& svm : array.sim.world().svms) {
    if (svm.name == "svm1") svm.name = "gone";
  }
  array.Set("permissions", {{"admin", nlohmann::json::array()}});
  array.AddFault(
      {{"method", "GET"}, {"path", "svm/svms/"}, {"status", 404}, {"code", 4}, {"times", -1}});
  RenameSvm("svm2", "svm1");
  // The new one has all that a storage needs.
  for (const auto& svm : array.sim.world().svms) {
    if (svm.name != "svm1") continue;
    for (auto& lif : array.sim.world().lifs) lif.svm_uuid = svm.uuid;
  }
  for (int hour = 0; hour < 3; ++hour) {
    EXPECT_THAT(Words(rig.storage().List({})), HasSubstr("'svm1' is not the one it was"));
    EXPECT_THAT(Words(rig.storage().Free(volume)), HasSubstr("'svm1' is not the one it was"));
    array.clock->Advance(std::chrono::hours(1));
    (void)rig.storage().Activate();  // looks whether what is known of the array still holds
  }
  EXPECT_TRUE(IsRemembered());
  EXPECT_EQ(rig.storage().RequireEmpty().error().Fact("svm_state"), "replaced")
      << "by this the storage can be removed";
}

TEST_F(RenamedTest, SvmThatIsOnlyNotListedIsFoundByItsUuid) {
  array.AddFault({{"method", "GET"}, {"path", "svm/svms\\?"}, {"empty", true}, {"times", -1}});
  EXPECT_EQ(Words(rig.storage().Free(volume)), "success");
  EXPECT_EQ(rig.storage().List({})->size(), 0U);
}

TEST_F(RenamedTest, TheSettingMayFollowTheSvm) {
  ASSERT_TRUE(IsRemembered());
  RenameSvm("svm1", "svm1-mc");
  for (const bool is_same_node : {true, false}) {
    SCOPED_TRACE(is_same_node ? "a node that knows the SVM" : "a node that knows the disks only");
    const auto follows = With({{"vserver", "svm1-mc"}}, is_same_node);
    EXPECT_EQ(Words(follows->storage().RequireSameDisks()), "success");
    EXPECT_EQ(Words(follows->storage().Verify()), "success");
    EXPECT_EQ(follows->storage().List({})->size(), 1U);
  }
  const auto follows = With({{"vserver", "svm1-mc"}});
  EXPECT_EQ(Words(follows->storage().Activate()), "success");
  EXPECT_EQ(Words(follows->storage().DeleteSnapshot(volume, "before")), "success");
  EXPECT_EQ(Words(follows->storage().Free(volume)), "success");
  EXPECT_EQ(array.Orphans(), std::vector<std::string>());
}

TEST_F(RenamedTest, TheSettingDoesNotLeadToAnotherSvm) {
  for (const bool is_same_node : {true, false}) {
    const auto astray = With({{"vserver", "svm2"}}, is_same_node);
    const auto status = astray->storage().RequireSameDisks();
    EXPECT_THAT(Words(status), HasSubstr("'svm2', which is not the SVM that holds"));
    EXPECT_EQ(status.error().code(), ErrorCode::kConflict);
  }
}

TEST_F(RenamedTest, AnAggregateIsNeededOnlyWhereDisksAreMade) {
  array.Set("aggregate_name", {{"aggr1", "aggr1_new"}});
  array.clock->Advance(std::chrono::hours(2));
  rig.Restart();
  auto& storage = rig.storage();
  EXPECT_EQ(Words(storage.Activate()), "success");
  EXPECT_EQ(Words(storage.ActivateVolume(volume)), "success");
  const auto capacity = storage.Capacity();
  ASSERT_TRUE(capacity.ok()) << capacity.error().Line();
  EXPECT_GT(capacity->available.bytes(), 0U);
  std::string warned;
  for (const auto& record : storage.TakeLog()) warned += record.text + "\n";
  EXPECT_THAT(warned, HasSubstr("aggregate 'aggr1' is called 'aggr1_new' now"));
  EXPECT_THAT(warned, HasSubstr("pvesm set tank --aggregate aggr1_new"));
  EXPECT_THAT(Words(storage.Allocate(100, "", 1024)), HasSubstr("aggr1"));

  const auto follows = With({{"aggregate", "aggr1_new"}});
  EXPECT_EQ(Words(follows->storage().Verify()), "success");
  EXPECT_EQ(Words(follows->storage().Allocate(100, "", 1024)), "success");
}

TEST_F(RenamedTest, AnAggregateThatIsGoneStopsNoDisk) {
  array.Set("aggregate_name", {{"aggr1", "elsewhere"}});
  const auto fresh = With({}, false);
  EXPECT_EQ(Words(fresh->storage().Activate()), "success");
  EXPECT_EQ(Words(fresh->storage().ActivateVolume(volume)), "success");
  const auto capacity = fresh->storage().Capacity();
  ASSERT_TRUE(capacity.ok()) << capacity.error().Line();
  EXPECT_GT(capacity->used.bytes(), 0U) << "the SVM's";
  EXPECT_EQ(Words(fresh->storage().CreateSnapshot(volume, "later")), "success");
  EXPECT_EQ(Words(fresh->storage().Resize(volume, std::uint64_t{2} << 20U)), "success");
}

}  // namespace
}  // namespace ontapnvme::fault
