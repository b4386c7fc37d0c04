// SPDX-License-Identifier: AGPL-3.0-or-later
#include "ontap/snapshot.h"

#include "unit/ontap/rest_fixture.h"

namespace ontapnvme::ontap {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

std::string Record(const std::string& uuid, const std::string& name, const std::string& volume,
                   const std::string& volume_uuid, const std::string& time) {
  return R"({"uuid":")" + uuid + R"(","name":")" + name + R"(","create_time":")" + time +
         R"(","volume":{"name":")" + volume + R"(","uuid":")" + volume_uuid + "\"}}";
}
std::string Page(const std::string& records) {
  return R"({"records":[)" + records + "]}";
}

class SnapshotTest : public RestFixture {
 protected:
  const VolumeRef a_{ToUuid(kUuidA), "va"};
  const VolumeRef b_{ToUuid(kUuidB), "vb"};
  Snapshots snapshots_{rest_, "svm1"};
};

TEST_F(SnapshotTest, OneVolumeIsAskedByItsUuid) {
  transport_.Answer(200, Page(R"({"uuid":"0000000c-0000-0000-0000-000000000000","name":"s",
      "comment":"c","owners":["volume clone"],"create_time":"2026-01-31T12:00:00Z"})"));
  const auto list = snapshots_.List({a_}, Budget());
  ASSERT_TRUE(list.ok()) << list.error().Line();
  ASSERT_EQ(list->size(), 1U);
  const Snapshot& snapshot = list->front();
  EXPECT_EQ(snapshot.uuid, ToUuid(kUuidC));
  EXPECT_EQ(snapshot.comment, "c");
  EXPECT_EQ(snapshot.volume_uuid, a_.uuid);
  EXPECT_EQ(snapshot.volume_name, "va");
  EXPECT_THAT(snapshot.owners, ElementsAre("volume clone"));
  EXPECT_EQ(transport_.last().target,
            std::string("/api/storage/volumes/") + kUuidA +
                "/snapshots?fields=name,uuid,comment,create_time,owners,volume.name,volume.uuid");
}

TEST_F(SnapshotTest, SeveralVolumesAreOneRequest) {
  transport_.Answer(200, Page(Record(kUuidC, "s2", "vb", kUuidB, "2026-01-02T00:00:00Z") + "," +
                              Record(kUuidB, "s1", "vb", kUuidB, "2026-01-01T00:00:00Z") + "," +
                              Record(kUuidA, "s9", "va", kUuidA, "2026-01-09T00:00:00Z") + "," +
                              Record(kUuidA, "s0", "va", kUuidC, "2026-01-09T00:00:00Z")));
  const auto list = snapshots_.List({a_, b_}, Budget());
  ASSERT_TRUE(list.ok());
  std::vector<std::string> names;
  for (const Snapshot& snapshot : *list) names.push_back(snapshot.name);
  // By volume, oldest first; one of a volume that only has the name now is left out.
  EXPECT_THAT(names, ElementsAre("s9", "s1", "s2"));
  EXPECT_THAT(transport_.Lines(),
              ElementsAre("GET /api/storage/volumes/*/snapshots?svm.name=svm1&volume.name=va%7Cvb"
                          "&fields=name,uuid,comment,create_time,owners,volume.name,volume.uuid"));
}

TEST_F(SnapshotTest, FallsBackToOneRequestPerVolume) {
  transport_.Refuse(400, "262247")
      .Answer(200, Page(Record(kUuidA, "s", "va", kUuidA, "2026-01-01T00:00:00Z")))
      .Answer(200, Page(Record(kUuidB, "s", "vb", kUuidB, "2026-01-01T00:00:00Z")));
  const auto list = snapshots_.FindByName({a_, b_}, "s", Budget());
  ASSERT_TRUE(list.ok()) << list.error().Line();
  EXPECT_EQ(list->size(), 2U);
  EXPECT_THAT(transport_.last().target, HasSubstr("&name=s"));
  EXPECT_EQ(transport_.batches(), 2);
}

TEST_F(SnapshotTest, OtherErrorsOfTheBulkFormStand) {
  transport_.Refuse(403, "6");
  EXPECT_TRUE(FailedWith(snapshots_.List({a_, b_}, Budget()), ErrorCode::kPermissionDenied));
  EXPECT_EQ(transport_.requests().size(), 1U);
}

TEST_F(SnapshotTest, NoVolumesAreNoRequest) {
  const auto list = snapshots_.List({}, Budget());
  ASSERT_TRUE(list.ok());
  EXPECT_THAT(*list, IsEmpty());
  EXPECT_THAT(transport_.requests(), IsEmpty());
}

TEST_F(SnapshotTest, ManyVolumesAreSplitOverRequests) {
  std::vector<VolumeRef> volumes(120, a_);
  for (int i = 0; i < 3; ++i) transport_.Answer(200, Page(""));
  ASSERT_TRUE(snapshots_.List(volumes, Budget()).ok());
  EXPECT_EQ(transport_.requests().size(), 3U);
  EXPECT_EQ(transport_.batches(), 1);
}

TEST_F(SnapshotTest, CreatesOnceOnly) {
  transport_.Answer(201, "{}").Refuse(409, "525059").LoseAnswer();
  ASSERT_TRUE(snapshots_.Create(a_.uuid, "s", "c", Budget()).ok());
  EXPECT_EQ(LastBody(), json::parse(R"({"name":"s","comment":"c"})"));
  EXPECT_THAT(transport_.last().target,
              StartsWith(std::string("/api/storage/volumes/") + kUuidA + "/snapshots?"));
  EXPECT_TRUE(FailedWith(snapshots_.Create(a_.uuid, "s", "", Budget()), ErrorCode::kAlreadyExists));
  EXPECT_TRUE(snapshots_.Create(a_.uuid, "s", "", Budget()).error().outcome_unknown());
  EXPECT_EQ(transport_.requests().size(), 3U);
}

TEST_F(SnapshotTest, AMissingOneIsDeleted) {
  transport_.Answer(200, "{}").Refuse(404, "4").Refuse(404, "1638600").Refuse(409, "1638555");
  const Uuid snapshot = ToUuid(kUuidC);
  EXPECT_TRUE(snapshots_.Delete(a_.uuid, snapshot, Budget()).ok());
  EXPECT_THAT(transport_.last().target,
              StartsWith(std::string("/api/storage/volumes/") + kUuidA + "/snapshots/" + kUuidC));
  EXPECT_TRUE(snapshots_.Delete(a_.uuid, snapshot, Budget()).ok());
  EXPECT_TRUE(snapshots_.Delete(a_.uuid, snapshot, Budget()).ok());
  EXPECT_TRUE(FailedWith(snapshots_.Delete(a_.uuid, snapshot, Budget()), ErrorCode::kBusy));
}

}  // namespace
}  // namespace ontapnvme::ontap
