// SPDX-License-Identifier: AGPL-3.0-or-later
#include "ontap/consistency_group.h"

#include "unit/ontap/rest_fixture.h"

namespace ontapnvme::ontap {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr const char* kGroup = R"({
    "uuid":"0000000a-0000-0000-0000-000000000000","name":"g",
    "volumes":[{"uuid":"0000000b-0000-0000-0000-000000000000","name":"v1","comment":"c"},
               {"uuid":"0000000c-0000-0000-0000-000000000000","name":"v2"}],
    "namespaces":[{"uuid":"0000000c-0000-0000-0000-000000000000","name":"/vol/v1/n"}]})";
constexpr const char* kSnapshotRecord = R"({
    "uuid":"0000000b-0000-0000-0000-000000000000","name":"s","comment":"c",
    "create_time":"2026-01-31T12:00:00Z",
    "consistency_group":{"uuid":"0000000a-0000-0000-0000-000000000000","name":"g"},
    "snapshot_volumes":[
        {"volume":{"name":"v1","uuid":"0000000b-0000-0000-0000-000000000000"}},
        {"volume":{"name":"v2","uuid":"0000000c-0000-0000-0000-000000000000"}}]})";

std::string Page(const std::string& records) {
  return R"({"records":[)" + records + "]}";
}
std::string GroupTarget(const char* rest) {
  return std::string("/api/application/consistency-groups/") + kUuidA + rest;
}

class ConsistencyGroupTest : public RestFixture {
 protected:
  const Uuid group_ = ToUuid(kUuidA);
  ConsistencyGroups groups_{rest_, "svm1"};
};

TEST_F(ConsistencyGroupTest, ListsWithMembersAndTheirNamespaces) {
  rest_.SetRelease({9, 12, 1});
  transport_.Answer(200, Page(kGroup));
  const auto list = groups_.List("pve_cg_*", Budget());
  ASSERT_TRUE(list.ok()) << list.error().Line();
  ASSERT_EQ(list->size(), 1U);
  const ConsistencyGroup& group = list->front();
  EXPECT_EQ(group.uuid, group_);
  ASSERT_EQ(group.members.size(), 2U);
  EXPECT_EQ(group.members[0].volume_uuid, ToUuid(kUuidB));
  EXPECT_EQ(group.members[0].comment, "c");
  ASSERT_EQ(group.members[0].namespaces.size(), 1U);
  EXPECT_EQ(group.members[0].namespaces.front().uuid, ToUuid(kUuidC));
  EXPECT_TRUE(group.members[1].namespaces.empty());
  EXPECT_EQ(transport_.last().target,
            "/api/application/consistency-groups?svm.name=svm1&name=pve_cg_*&fields=name,uuid,"
            "volumes.name,volumes.uuid,volumes.comment,namespaces.name,namespaces.uuid");
}

TEST_F(ConsistencyGroupTest, AsksAnOlderReleaseForLess) {
  rest_.SetRelease({9, 11, 1});
  transport_.Answer(200, Page("")).Answer(200, Page(""));
  ASSERT_TRUE(groups_.List("g", Budget()).ok());
  EXPECT_THAT(transport_.last().target, Not(HasSubstr("namespaces")));
  ASSERT_TRUE(groups_.FindSnapshot(group_, "s", Budget()).ok());
  EXPECT_THAT(transport_.last().target, Not(HasSubstr("snapshot_volumes")));
  EXPECT_THAT(transport_.last().target, Not(HasSubstr("ignore_unknown_fields")));
}

TEST_F(ConsistencyGroupTest, AsksAnUnknownReleaseForWhatAllHave) {
  transport_.Answer(200, Page(""));
  ASSERT_TRUE(groups_.List("g", Budget()).ok());
  EXPECT_THAT(transport_.last().target, Not(HasSubstr("ignore_unknown_fields")));
  EXPECT_THAT(transport_.last().target, Not(HasSubstr("namespaces")));
}

TEST_F(ConsistencyGroupTest, CreatesFromExistingVolumes) {
  transport_.Answer(201, "{}").Answer(201, "{}").Refuse(409, "53411852").Refuse(409, "53411865");
  ASSERT_TRUE(groups_.Create("g", {"v1", "v2"}, "", Budget()).ok());
  EXPECT_EQ(LastBody(), json::parse(R"({"svm":{"name":"svm1"},"name":"g","volumes":[
      {"name":"v1","provisioning_options":{"action":"add"}},
      {"name":"v2","provisioning_options":{"action":"add"}}],
      "snapshot_policy":{"name":"none"}})"));
  ASSERT_TRUE(groups_.Create("g", {"v1"}, "daily", Budget()).ok());
  EXPECT_EQ(LastBody()["snapshot_policy"]["name"], "daily");
  EXPECT_TRUE(FailedWith(groups_.Create("g", {"v"}, "", Budget()), ErrorCode::kAlreadyExists));
  const auto elsewhere = groups_.Create("g", {"v"}, "", Budget());
  EXPECT_TRUE(FailedWith(elsewhere, ErrorCode::kConflict));
  EXPECT_EQ(elsewhere.error().origin().refusal, Refusal::kInOtherGroup);
}

TEST_F(ConsistencyGroupTest, ReadsOneWithTheIdentitiesOfItsMembers) {
  transport_.Answer(200, kGroup).Refuse(404, "53411843").Refuse(403, "6");
  const auto there = groups_.Read(group_, Budget());
  ASSERT_TRUE(there.ok()) << there.error().Line();
  ASSERT_TRUE(*there);
  EXPECT_EQ((*there)->members.size(), 2U);
  EXPECT_EQ(transport_.last().target, GroupTarget("?fields=name,volumes.name,volumes.uuid"));
  const auto gone = groups_.Read(group_, Budget());
  ASSERT_TRUE(gone.ok()) << gone.error().Line();
  EXPECT_FALSE(*gone);
  EXPECT_TRUE(FailedWith(groups_.Read(group_, Budget()), ErrorCode::kPermissionDenied));
}

TEST_F(ConsistencyGroupTest, ListsAllSnapshotsOfOneGroup) {
  rest_.SetRelease({9, 12, 1});
  transport_.Answer(200, Page(kSnapshotRecord));
  const auto list = groups_.ListSnapshots(group_, Budget());
  ASSERT_TRUE(list.ok()) << list.error().Line();
  ASSERT_EQ(list->size(), 1U);
  EXPECT_EQ(list->front().volumes.size(), 2U);
  EXPECT_THAT(transport_.last().target, StartsWith(GroupTarget("/snapshots?fields=")));
}

TEST_F(ConsistencyGroupTest, AddsAtMostSixteenAtOnce) {
  std::vector<std::string> names;
  for (int i = 0; i < 33; ++i) names.push_back("v" + std::to_string(i));
  for (int i = 0; i < 3; ++i) transport_.Answer(200, "{}");
  ASSERT_TRUE(groups_.AddMembers(group_, names, Budget()).ok());
  ASSERT_EQ(transport_.requests().size(), 3U);
  EXPECT_EQ(json::parse(transport_.requests()[0].body)["volumes"].size(), 16U);
  EXPECT_EQ(LastBody(),
            json::parse(R"({"volumes":[{"name":"v32","provisioning_options":{"action":"add"}}]})"));
}

TEST_F(ConsistencyGroupTest, CannotChangeMembersBeforeTheReleaseThatCan) {
  rest_.SetRelease({9, 11, 1});
  EXPECT_TRUE(FailedWith(groups_.AddMembers(group_, {"v"}, Budget()), ErrorCode::kUnsupported));
  EXPECT_TRUE(FailedWith(groups_.RemoveMembers(group_, {"v"}, Budget()), ErrorCode::kUnsupported));
  EXPECT_TRUE(transport_.requests().empty());
}

TEST_F(ConsistencyGroupTest, AMemberThatIsThereAlreadyIsAdded) {
  transport_.Refuse(409, "53411865").Answer(200, kGroup);
  EXPECT_TRUE(groups_.AddMembers(group_, {"v1"}, Budget()).ok());
}

TEST_F(ConsistencyGroupTest, AMemberOfAnotherGroupIsAConflict) {
  transport_.Refuse(409, "53411865").Answer(200, kGroup);
  EXPECT_TRUE(FailedWith(groups_.AddMembers(group_, {"v9"}, Budget()), ErrorCode::kConflict));
}

TEST_F(ConsistencyGroupTest, AMemberThatIsNotThereIsRemoved) {
  transport_.Refuse(404, "53411861").Answer(200, kGroup);
  EXPECT_TRUE(groups_.RemoveMembers(group_, {"v9"}, Budget()).ok());
  // Removing the last one deletes the group.
  transport_.Refuse(404, "53411843").Refuse(404, "53411843");
  EXPECT_TRUE(groups_.RemoveMembers(group_, {"v1"}, Budget()).ok());
}

TEST_F(ConsistencyGroupTest, SetsAndClearsTheSnapshotPolicy) {
  transport_.Answer(200, "{}").Answer(200, "{}");
  ASSERT_TRUE(groups_.SetSnapshotPolicy(group_, "daily", Budget()).ok());
  EXPECT_EQ(LastBody(), json::parse(R"({"snapshot_policy":{"name":"daily"}})"));
  ASSERT_TRUE(groups_.SetSnapshotPolicy(group_, "", Budget()).ok());
  EXPECT_EQ(LastBody(), json::parse(R"({"snapshot_policy":{"name":"none"}})"));
}

TEST_F(ConsistencyGroupTest, DeletesTheGroupingAndNothingElse) {
  transport_.Answer(200, "{}").Refuse(404, "4");
  ASSERT_TRUE(groups_.Delete(group_, Budget()).ok());
  EXPECT_THAT(transport_.last().target, StartsWith(GroupTarget("?return_timeout")));
  EXPECT_THAT(transport_.last().target, Not(HasSubstr("delete_data")));
  EXPECT_TRUE(groups_.Delete(group_, Budget()).ok());
}

TEST_F(ConsistencyGroupTest, Snapshots) {
  transport_.Answer(201, "{}");
  ASSERT_TRUE(groups_.CreateSnapshot(group_, "s", "c", Budget()).ok());
  EXPECT_THAT(transport_.last().target, StartsWith(GroupTarget("/snapshots?")));
  EXPECT_EQ(LastBody(), json::parse(R"({"name":"s","comment":"c","consistency_type":"crash"})"));
}

TEST_F(ConsistencyGroupTest, TellsATakenNameFromAFailure) {
  transport_.Refuse(409, "53411921").Answer(200, Page(kSnapshotRecord));
  const Status taken = groups_.CreateSnapshot(group_, "s", "", Budget());
  ASSERT_TRUE(FailedWith(taken, ErrorCode::kAlreadyExists));
  EXPECT_EQ(taken.error().Fact("ontap_code"), "53411921");
  transport_.Refuse(500, "53411921").Answer(200, Page(""));
  EXPECT_TRUE(
      FailedWith(groups_.CreateSnapshot(group_, "s", "", Budget()), ErrorCode::kUnavailable));
}

TEST_F(ConsistencyGroupTest, ALostSnapshotIsNotTakenTwice) {
  transport_.LoseAnswer();
  const Status lost = groups_.CreateSnapshot(group_, "s", "", Budget());
  ASSERT_FALSE(lost.ok());
  EXPECT_TRUE(lost.error().outcome_unknown());
  EXPECT_EQ(transport_.requests().size(), 1U);
}

TEST_F(ConsistencyGroupTest, FindsASnapshotByName) {
  rest_.SetRelease({9, 16, 1});
  transport_.Answer(200, Page(kSnapshotRecord));
  const auto found = groups_.FindSnapshot(group_, "s", Budget());
  ASSERT_TRUE(found.ok() && *found);
  EXPECT_EQ((*found)->uuid, ToUuid(kUuidB));
  EXPECT_EQ((*found)->group_uuid, group_);
  ASSERT_EQ((*found)->volumes.size(), 2U);
  EXPECT_EQ((*found)->volumes[1].name, "v2");
  EXPECT_EQ((*found)->volumes[1].uuid, ToUuid(kUuidC));
  EXPECT_EQ(transport_.last().target,
            GroupTarget("/snapshots?fields=name,uuid,comment,create_time,consistency_group.uuid,"
                        "snapshot_volumes.volume.name,snapshot_volumes.volume.uuid&name=s"));
}

TEST_F(ConsistencyGroupTest, FindsSnapshotsOfManyGroupsByOneRequest) {
  rest_.SetRelease({9, 12, 1});
  transport_.Answer(200, Page(kSnapshotRecord));
  const auto found = groups_.FindSnapshots("pve_cg_*", "s", Budget());
  ASSERT_TRUE(found.ok());
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ(found->front().group_uuid, group_);
  EXPECT_THAT(transport_.last().target,
              StartsWith("/api/application/consistency-groups/*/snapshots?"));
  EXPECT_THAT(transport_.last().target,
              HasSubstr("&svm.name=svm1&consistency_group.name=pve_cg_*&name=s"));
}

TEST_F(ConsistencyGroupTest, FindsSnapshotsGroupByGroupBefore) {
  rest_.SetRelease({9, 11, 1});
  transport_.Answer(200, Page(kGroup))
      .Answer(200, Page(R"({"uuid":"0000000b-0000-0000-0000-000000000000","name":"s"})"));
  const auto found = groups_.FindSnapshots("g*", "s", Budget());
  ASSERT_TRUE(found.ok()) << found.error().Line();
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ(found->front().group_uuid, group_);
}

TEST_F(ConsistencyGroupTest, FallsBackWhenTheBulkFormIsRefused) {
  transport_.Refuse(404, "4").Answer(200, Page(""));
  const auto found = groups_.FindSnapshots("g*", "s", Budget());
  ASSERT_TRUE(found.ok());
  EXPECT_TRUE(found->empty());
}

TEST_F(ConsistencyGroupTest, DeletesASnapshot) {
  transport_.Answer(200, "{}").Refuse(404, "4").Refuse(409, "53412007");
  const Uuid snapshot = ToUuid(kUuidB);
  ASSERT_TRUE(groups_.DeleteSnapshot(group_, snapshot, Budget()).ok());
  EXPECT_THAT(transport_.last().target,
              StartsWith(GroupTarget("/snapshots/") + kUuidB + "?return_timeout"));
  EXPECT_TRUE(groups_.DeleteSnapshot(group_, snapshot, Budget()).ok());
  EXPECT_TRUE(FailedWith(groups_.DeleteSnapshot(group_, snapshot, Budget()), ErrorCode::kBusy));
}

TEST_F(ConsistencyGroupTest, RestoresByBodyAndNeverTwice) {
  transport_.Answer(200, "{}").LoseAnswer();
  ASSERT_TRUE(groups_.Restore(group_, "s", Budget()).ok());
  EXPECT_EQ(LastBody(), json::parse(R"({"restore_to":{"snapshot":{"name":"s"}}})"));
  EXPECT_FALSE(transport_.last().is_idempotent);
  EXPECT_TRUE(groups_.Restore(group_, "s", Budget()).error().outcome_unknown());
  EXPECT_EQ(transport_.requests().size(), 2U);
}

}  // namespace
}  // namespace ontapnvme::ontap
