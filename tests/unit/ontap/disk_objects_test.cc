// SPDX-License-Identifier: AGPL-3.0-or-later
#include "ontap/disk_objects.h"

#include "unit/ontap/rest_fixture.h"

namespace ontapnvme::ontap {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Page(const std::string& records) {
  return R"({"records":[)" + records + "]}";
}
std::string Volume(const std::string& uuid, const std::string& name) {
  return R"({"uuid":")" + uuid + R"(","name":")" + name + "\"}";
}
std::string Namespace(const std::string& uuid, const std::string& volume_uuid) {
  return R"({"uuid":")" + uuid + R"(","name":"/vol/x/n","location":{"volume":{"uuid":")" +
         volume_uuid + "\"}}}";
}

class DiskObjectsTest : public RestFixture {};

TEST_F(DiskObjectsTest, JoinsVolumesAndNamespacesByUuid) {
  transport_.Answer(200, Page(Volume(kUuidA, "vm_1_disk_0") + "," + Volume(kUuidB, "vm_1_disk_1")))
      .Answer(200, Page(Namespace(kUuidC, kUuidB) + "," + Namespace(kUuidA, kUuidC)));
  const auto disks = ReadDiskObjects(rest_, "svm1", "vm_*", Budget());
  ASSERT_TRUE(disks.ok()) << disks.error().Line();
  ASSERT_EQ(disks->size(), 2U);
  EXPECT_TRUE((*disks)[0].namespaces.empty());  // stranded
  ASSERT_EQ((*disks)[1].namespaces.size(), 1U);
  EXPECT_EQ((*disks)[1].namespaces[0].uuid, ToUuid(kUuidC));
  EXPECT_EQ(transport_.batches(), 1);
  EXPECT_EQ(transport_.requests().size(), 2U);
  EXPECT_THAT(transport_.requests()[1].target, HasSubstr("location.volume.name=vm_*"));
}

TEST_F(DiskObjectsTest, AVolumeMayHoldSeveralNamespaces) {
  transport_.Answer(200, Page(Volume(kUuidA, "v")))
      .Answer(200, Page(Namespace(kUuidB, kUuidA) + "," + Namespace(kUuidC, kUuidA)));
  const auto disks = ReadDiskObjects(rest_, "svm1", "v", Budget());
  ASSERT_TRUE(disks.ok());
  ASSERT_EQ((*disks)[0].namespaces.size(), 2U);
  EXPECT_EQ((*disks)[0].namespaces[1].uuid, ToUuid(kUuidC));
}

TEST_F(DiskObjectsTest, LeavesOutWhatCosts) {
  transport_.Answer(200, Page("")).Answer(200, Page(""));
  ASSERT_TRUE(
      ReadDiskObjects(rest_, "svm1", "v", Budget(), {CloneParents::kSkip, NamespaceMaps::kSkip})
          .ok());
  EXPECT_THAT(transport_.requests()[0].target, Not(HasSubstr("clone")));
  EXPECT_THAT(transport_.requests()[1].target, Not(HasSubstr("subsystem_map")));
}

TEST_F(DiskObjectsTest, OneListingIsNotEnough) {
  transport_.Answer(200, Page("")).Refuse(403, "6");
  EXPECT_TRUE(
      FailedWith(ReadDiskObjects(rest_, "svm1", "v", Budget()), ErrorCode::kPermissionDenied));
}

}  // namespace
}  // namespace ontapnvme::ontap
