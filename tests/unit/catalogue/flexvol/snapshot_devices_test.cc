// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/flexvol/snapshot_devices.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/catalogue/flexvol/rig.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

class SnapshotDevicesTest : public testing::Test {
 protected:
  SnapshotDevicesTest() {
    rig.Make("vm-100-disk-0");
    EXPECT_TRUE(
        rig.snapshots().Take(shown.volume, shown.snapshot, NewOperationId(), rig.Budget()).ok());
    array.ClearLog();
  }
  Found<SnapshotDevice> Find() { return rig.snapshots().FindDevice(shown, rig.Budget()); }
  Result<SnapshotDevice> Make() { return rig.snapshots().MakeDevice(shown, rig.Budget()); }

  TestArray array;
  Rig rig{array};
  const ShownSnapshot shown{
      .volume = Rig::Name("vm-100-disk-0"), .snapshot = Rig::Snap("s1"), .host_nqn = "nqn.node1"};
};

TEST_F(SnapshotDevicesTest, IsFoundAbsentThenMadeThenThere) {
  EXPECT_TRUE(Find().is_absent());
  EXPECT_EQ(array.Count(), 2) << "the volume beside it proves that the array answers";
  const auto made = Make();
  ASSERT_TRUE(made.ok()) << made.error().Line();
  EXPECT_EQ(array.Count(), 4);
  EXPECT_EQ(made->parent_container_name, "t_vm_100_disk_0");
  EXPECT_EQ(made->ns->mapping, Mapping::kNone);
  ASSERT_TRUE(rig.disks().Map(*made->ns, rig.Budget()).ok());
  const auto found = Find();
  ASSERT_TRUE(found.is_present());
  EXPECT_EQ(found->ns->uuid, made->ns->uuid);
  EXPECT_EQ(found->ns->mapping, Mapping::kHere);
  EXPECT_EQ(found->parent_container_name, "t_vm_100_disk_0");
  EXPECT_EQ(found->parent_snapshot.Text(), "pve_snap_s1");
  const auto listed = rig.snapshots().ListDevices(rig.Budget());
  ASSERT_TRUE(listed.ok());
  ASSERT_EQ(listed->size(), 1U);
  EXPECT_EQ(listed->front().shown.host_nqn, "nqn.node1");
  const auto disks = rig.disks().List(std::nullopt, rig.Budget());
  ASSERT_TRUE(disks.ok());
  EXPECT_EQ(disks->size(), 1U) << "no listing of disks shows it";
}

TEST_F(SnapshotDevicesTest, RemovalUnmapsWhatWasMappedSince) {
  const auto made = Make();
  ASSERT_TRUE(made.ok());
  ASSERT_TRUE(rig.disks().Map(*made->ns, rig.Budget()).ok());
  array.ClearLog();
  const auto removed = rig.snapshots().RemoveDevice(*made, rig.Budget());
  ASSERT_TRUE(removed.ok()) << removed.error().Line();
  EXPECT_EQ(array.Count(), 2);
  EXPECT_TRUE(Find().is_absent());
  EXPECT_EQ(std::distance(array.world().recovery_queue.begin(), array.world().recovery_queue.end()),
            0)
      << "in the queue it would go on holding the snapshot";
  EXPECT_TRUE(rig.snapshots().RemoveDevice(*made, rig.Budget()).ok()) << "idempotent";
}

TEST_F(SnapshotDevicesTest, WithoutItsSnapshotThereIsNone) {
  const ShownSnapshot other{
      .volume = shown.volume, .snapshot = Rig::Snap("s9"), .host_nqn = "nqn.node1"};
  EXPECT_TRUE(FailedWith(rig.snapshots().MakeDevice(other, rig.Budget()), ErrorCode::kNotFound));
}

TEST_F(SnapshotDevicesTest, EveryStepThatFailsLeavesNothing) {
  const std::string before = Picture(array);
  for (int nth = 1; nth <= 3; ++nth) {
    array.AddFault({{"nth", nth}, {"status", 403}, {"code", 6}});
    EXPECT_FALSE(Make().ok());
    array.ClearFaults();
    EXPECT_EQ(Picture(array), before);
  }
}

TEST_F(SnapshotDevicesTest, AnotherNodeHasOneOfItsOwn) {
  ASSERT_TRUE(Make().ok());
  const ShownSnapshot other{
      .volume = shown.volume, .snapshot = shown.snapshot, .host_nqn = "nqn.node2"};
  EXPECT_TRUE(rig.snapshots().FindDevice(other, rig.Budget()).is_absent());
  EXPECT_TRUE(rig.snapshots().MakeDevice(other, rig.Budget()).ok());
}

TEST_F(SnapshotDevicesTest, OnlyOurOwnMarkMakesOne) {
  const auto made = Make();
  ASSERT_TRUE(made.ok());
  for (const std::string& comment : {std::string(), MarkOf(kOtherCluster, "tank")}) {
    array.FindVolume(made->container_name)->comment = comment;
    EXPECT_TRUE(Find().is_absent());
    const auto listed = rig.snapshots().ListDevices(rig.Budget());
    ASSERT_TRUE(listed.ok());
    EXPECT_THAT(*listed, IsEmpty());
    EXPECT_FALSE(Make().ok());
    EXPECT_THAT(array.VolumeNames(), Contains(made->container_name));
  }
  // Ours, but not this.
  array.FindVolume(made->container_name)->comment = MarkOf(RigOptions().cluster_id, "tank");
  const auto found = Find();
  ASSERT_TRUE(found.is_unknown());
  EXPECT_EQ(found.reason().code(), ErrorCode::kConflict);
}

TEST_F(SnapshotDevicesTest, ListingThatShowsNeitherProvesNothing) {
  rig.transport().tamper = [](const http::Request& request, http::Response& response) {
    if (request.target.starts_with("/api/storage/")) {
      response.body = R"({"records":[],"num_records":0})";
    } else if (request.target.starts_with("/api/svm/svms?")) {
      auto answer = nlohmann::json::parse(response.body);
      answer.at("records").at(0)["uuid"] = "01234567-89ab-cdef-0123-456789abcdef";
      response.body = answer.dump();
    }
  };
  EXPECT_TRUE(Find().is_unknown());
}

}  // namespace
}  // namespace ontapnvme::catalogue::flexvol
