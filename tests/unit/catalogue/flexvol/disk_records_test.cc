// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/flexvol/records/disk_records.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/catalogue/flexvol/rig.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

class DiskRecordsTest : public testing::Test {
 protected:
  DiskRecordsTest() { rig.Make("vm-100-disk-0"); }
  Found<DiskNamespace> Namespace() {
    return rig.disks().FindNamespace(Rig::Name("vm-100-disk-0"), rig.Budget());
  }
  TestArray array;
  Rig rig{array};
};

TEST_F(DiskRecordsTest, SnapshotsSayWhenTheyWereTakenByOurOwnMarkOnly) {
  const auto name = Rig::Name("vm-100-disk-0");
  ASSERT_TRUE(rig.snapshots().Take(name, Rig::Snap("s1"), NewOperationId(), rig.Budget()).ok());
  const auto ours = rig.snapshots().List(name, rig.Budget());
  ASSERT_TRUE(ours.ok());
  ASSERT_THAT(*ours, SizeIs(1));
  EXPECT_FALSE(ours->front().taken_by.empty());
  rig.ChangeRecords("/api/storage/volumes/", [](nlohmann::json& record) {
    record["comment"] = MarkOf(kOtherCluster, "tank") + " details=1 taken=0123abcd.5";
  });
  const auto foreign = rig.snapshots().List(name, rig.Budget());
  ASSERT_TRUE(foreign.ok());
  ASSERT_THAT(*foreign, SizeIs(1));
  EXPECT_EQ(foreign->front().taken_by, "");
}

TEST_F(DiskRecordsTest, MappingIsHereElsewhereOrNone) {
  const auto here = Namespace();
  ASSERT_TRUE(here.is_present());
  EXPECT_EQ(here->mapping, Mapping::kHere);
  ASSERT_TRUE(rig.disks().Unmap(*here, rig.Budget()).ok());
  const auto none = Namespace();
  ASSERT_TRUE(none.is_present());
  EXPECT_EQ(none->mapping, Mapping::kNone);
}

TEST_F(DiskRecordsTest, NamespaceThatTheArrayDoesNotServeSaysWhy) {
  for (const auto& [state, words] :
       {std::pair{"offline", "not online"}, std::pair{"space_error", "out of space"}}) {
    rig.ChangeRecords("/api/storage/namespaces", [state = state](nlohmann::json& record) {
      record["status"]["state"] = state;
    });
    const auto found = Namespace();
    ASSERT_TRUE(found.is_present());
    ASSERT_TRUE(found->fault.has_value()) << state;
    EXPECT_THAT(found->fault->Line(), HasSubstr(words));
  }
}

}  // namespace
}  // namespace ontapnvme::catalogue::flexvol
