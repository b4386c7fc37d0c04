// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/flexvol/backend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "unit/catalogue/flexvol/rig.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(BackendTest, CapacityIsOneRequest) {
  TestArray array;
  Rig rig(array);
  array.ClearLog();
  const auto capacity = rig.backend().Capacity(rig.Budget());
  ASSERT_TRUE(capacity.ok()) << capacity.error().Line();
  EXPECT_EQ(array.Count(), 1);
  EXPECT_GT(capacity->total, capacity->used);
  EXPECT_GT(capacity->available, ByteCount{});
}

TEST(BackendTest, CapacityOfAnSvmIsWhatItsOwnerWasTold) {
  TestArray array;
  Rig rig(array, {.settings = {{"svm_scoped", "1"}, {"svm_capacity", "10"}}});
  const auto capacity = rig.backend().Capacity(rig.Budget());
  ASSERT_TRUE(capacity.ok()) << capacity.error().Line();
  EXPECT_EQ(capacity->total, GiB(10));
  EXPECT_LE(capacity->available, GiB(10));
}

TEST(BackendTest, CapacityIsTheSvmsWhereTheAggregateMayNotBeRead) {
  TestArray array;
  Rig rig(array);
  array.Set("permissions", {{"admin", {"GET /api/storage/aggregates"}}});
  array.Set("storage_limit", {{"svm1", GiB(10).bytes()}});
  std::string warned;
  for (int poll = 0; poll < 3; ++poll) {
    const auto capacity = rig.backend().Capacity(rig.Budget());
    ASSERT_TRUE(capacity.ok()) << capacity.error().Line();
    EXPECT_EQ(capacity->total, GiB(10));
    warned += rig.TakeLog();
    if (poll == 1) rig.Restart();
  }
  EXPECT_THAT(warned, HasSubstr("access 'readonly' to /api/storage/aggregates"));
  EXPECT_EQ(std::count(warned.begin(), warned.end(), '\n'), 1) << warned;
  // What was refused is not asked at each poll.
  array.ClearLog();
  ASSERT_TRUE(rig.backend().Capacity(rig.Budget()).ok());
  EXPECT_THAT(array.Requests(), Not(testing::Contains("GET /api/storage/aggregates")));
  // The right may be given.
  array.Set("permissions", {{"admin", nlohmann::json::array()}});
  array.clock.Advance(std::chrono::hours(2));
  EXPECT_GT(rig.backend().Capacity(rig.Budget())->total, GiB(10));
}

// ---- an account that may not read jobs

class UnseenJobTest : public testing::Test {
 protected:
  UnseenJobTest() {
    array.Set("async", "always");
    array.Set("permissions", {{"admin", {"GET /api/cluster/jobs/.*"}}});
  }
  TestArray array;
  Rig rig{array};
};

TEST_F(UnseenJobTest, OnlyTheObjectsTellAndTheRightIsNamedOnce) {
  const auto disk = rig.Make("vm-100-disk-0");
  rig.Make("vm-100-disk-1");
  EXPECT_EQ(array.MembersOf("t_pve_cg_vm_100").size(), 2U);
  const auto grown = rig.disks().Grow(rig.MustFind("vm-100-disk-0"), GiB(2), rig.Budget());
  EXPECT_TRUE(grown.ok()) << grown.error().Line();
  EXPECT_EQ(rig.MustFind("vm-100-disk-0").ns->size, GiB(2));
  const auto name = Rig::Name("vm-100-disk-0");
  const auto taken = rig.snapshots().Take(name, Rig::Snap("s1"), NewOperationId(), rig.Budget());
  EXPECT_TRUE(taken.ok()) << taken.error().Line();
  const auto dropped = rig.snapshots().Delete(name, Rig::Snap("s1"), rig.Budget());
  EXPECT_TRUE(dropped.ok()) << dropped.error().Line();
  EXPECT_TRUE(array.SnapshotsOf("t_vm_100_disk_0").empty());
  ASSERT_TRUE(rig.disks().Unmap(*disk.ns, rig.Budget()).ok());
  const auto removed = rig.disks().Remove(rig.MustFind("vm-100-disk-0").volume, rig.Budget());
  EXPECT_TRUE(removed.ok()) << removed.error().Line();
  EXPECT_EQ(array.FindVolume("t_vm_100_disk_0"), nullptr);
  const std::string warned = rig.TakeLog();
  EXPECT_THAT(warned, HasSubstr("access 'readonly' to /api/cluster/jobs"));
  EXPECT_EQ(std::count(warned.begin(), warned.end(), '\n'), 1) << warned;
}

// Nothing on the array tells whether a volume was reverted.
TEST_F(UnseenJobTest, ARestoreStaysOpenAndSaysSo) {
  rig.Make("vm-100-disk-0");
  const auto name = Rig::Name("vm-100-disk-0");
  ASSERT_TRUE(rig.snapshots().Take(name, Rig::Snap("s1"), NewOperationId(), rig.Budget()).ok());
  const auto history = rig.snapshots().ReadHistory(name, rig.Budget());
  ASSERT_TRUE(history.ok());
  const auto restored = rig.snapshots().RestoreGroup(*history, Rig::Snap("s1"), rig.Budget());
  ASSERT_TRUE(FailedWith(restored, ErrorCode::kPermissionDenied));
  EXPECT_TRUE(restored.error().outcome_unknown());
  EXPECT_THAT(restored.error().Line(), HasSubstr("/api/cluster/jobs"));
}

TEST(BackendTest, StoragesThatShowTheSameDisksHaveOneIdentity) {
  TestArray array;
  Rig one(array);
  Rig same(array, {.storage_id = "other"});
  Rig prefixed(array, {.settings = {{"storage_prefix", "u_"}}});
  const auto identity = [](Rig& rig) { return *rig.backend().Identity(rig.Budget()); };
  EXPECT_EQ(identity(one), identity(same));
  EXPECT_NE(identity(one), identity(prefixed));
}

TEST(BackendTest, EveryCallKnowsTheReleaseFromWhatIsRemembered) {
  // An array that is older than the parameter, and says so only in the facts.
  TestArray array;
  array.Set("release", "9.11.1");
  Rig rig(array, {.settings = {{"force_delete", "1"}}});
  const auto disk = rig.Make("vm-100-disk-0");
  ASSERT_TRUE(rig.disks().Unmap(*disk.ns, rig.Budget()).ok());
  rig.Restart();
  array.ClearLog();
  const auto removed = rig.disks().Remove(disk.volume, rig.Budget());
  EXPECT_TRUE(removed.ok()) << removed.error().Line();
  const auto log = array.sim.Ctl({{"cmd", "log"}}).dump();
  EXPECT_THAT(log, Not(HasSubstr("force=true")));
}

TEST(BackendTest, VerifiesAndRegisters) {
  TestArray array;
  Rig rig(array);
  rig.backend().Forget();
  const auto verified = rig.backend().Verify("nqn.2014-08.org.nvmexpress:uuid:n9", rig.Budget());
  ASSERT_TRUE(verified.ok()) << verified.error().Line();
  ASSERT_TRUE(rig.backend().RememberedTarget().has_value());
  EXPECT_EQ(rig.backend().RememberedTarget()->host_nqn, "nqn.2014-08.org.nvmexpress:uuid:n9");
}

TEST(BackendTest, SettingThatNamesNothingIsSaidWithItsRemedy) {
  TestArray array;
  const auto verify = [&](std::map<std::string, std::string> settings) {
    // Its own first reading fails as well where SVM or aggregate are missing.
    Rig rig(array);
    Settings all{{"mgmt_ip", "192.0.2.1"}, {"username", "admin"},  {"vserver", "svm1"},
                 {"subsystem", "pve"},     {"aggregate", "aggr1"}, {"storage_prefix", "t_"}};
    for (const auto& [key, value] : settings) all[key] = value;
    auto config = StorageConfig::Parse("tank", all);
    Log log;
    sim::SimTransport transport(&array.sim.array(), "admin", std::string("secret"));
    Secrets secrets;
    secrets.password = Secret("secret");
    Backend backend(
        *config, std::move(secrets), "c", log, transport, [] { return 0.5; }, rig.node());
    const auto verified = backend.Verify("", array.Budget());
    return verified.ok() ? std::string() : verified.error().Line();
  };
  EXPECT_EQ(verify({}), "");
  EXPECT_THAT(verify({{"vserver", "nope"}}), HasSubstr("setting 'vserver' names 'nope'"));
  EXPECT_THAT(verify({{"aggregate", "nope"}}), HasSubstr("setting 'aggregate' names 'nope'"));
  EXPECT_THAT(verify({{"qos_policy", "nope"}}), HasSubstr("setting 'qos_policy' names 'nope'"));
  EXPECT_THAT(verify({{"snapshot_policy", "nope"}}),
              HasSubstr("setting 'snapshot_policy' names 'nope'"));
}

// What a warm process pays for: the same figures as for the operations above it.
TEST(BackendTest, OperationsKeepTheirBudgets) {
  TestArray array;
  Rig rig(array);
  const auto expect = [&](int most, const char* what) {
    EXPECT_LE(array.Count(), most) << what << ": " << testing::PrintToString(array.Requests());
    EXPECT_GT(array.Count(), 0) << what;
    array.ClearLog();
  };
  array.ClearLog();
  rig.Make("vm-100-disk-0");
  expect(5, "allocate");
  ASSERT_TRUE(rig.disks().FindNamespace(Rig::Name("vm-100-disk-0"), rig.Budget()).is_present());
  expect(1, "activate");
  ASSERT_TRUE(rig.disks().Grow(rig.MustFind("vm-100-disk-0"), GiB(1), rig.Budget()).ok());
  expect(5, "resize");
  ASSERT_TRUE(
      rig.disks()
          .TurnIntoBase(rig.MustFind("vm-100-disk-0"), Rig::Name("base-100-disk-0"), rig.Budget())
          .ok());
  expect(7, "turn the last disk of a VM into a base image");
  const auto base = Rig::Name("base-100-disk-0");
  const auto neighbours = rig.disks().ListNeighbours({200}, base, rig.Budget());
  ASSERT_TRUE(neighbours.ok());
  ASSERT_TRUE(rig.disks()
                  .Clone({.volume = base, .snapshot = std::nullopt},
                         Rig::Name("base-100-disk-0/vm-200-disk-0"), *neighbours, rig.Budget())
                  .ok());
  expect(6, "linked clone");
  const auto both = rig.disks().ListNeighbours({200, 300}, std::nullopt, rig.Budget());
  ASSERT_TRUE(both.ok());
  ASSERT_TRUE(rig.disks()
                  .Rename(both->ours.front(), Rig::Name("base-100-disk-0/vm-300-disk-0"), *both,
                          rig.Budget())
                  .ok());
  expect(6, "rename the last disk of a VM");
  const auto disk = rig.MustFind("vm-300-disk-0");
  ASSERT_TRUE(rig.disks().Unmap(*disk.ns, rig.Budget()).ok());
  ASSERT_TRUE(rig.disks().Remove(disk.volume, rig.Budget()).ok());
  expect(6, "free the last disk of a VM");
}

}  // namespace
}  // namespace ontapnvme::catalogue::flexvol
