// SPDX-License-Identifier: AGPL-3.0-or-later
#include "ontap/flexvol.h"

#include "unit/ontap/rest_fixture.h"

namespace ontapnvme::ontap {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class FlexVolTest : public RestFixture {
 protected:
  static FlexVolSpec Spec() {
    FlexVolSpec spec;
    spec.name = "vm_100_disk_0";
    spec.aggregate = "aggr1";
    spec.comment = "mark";
    spec.size = GiB(1);
    return spec;
  }
  http::Response Created() {
    http::Response made;
    made.status = 201;
    made.location = std::string("/api/storage/volumes/") + kUuidA;
    return made;
  }

  FlexVols volumes_{rest_, "svm1"};
};

TEST_F(FlexVolTest, FindsByExactName) {
  transport_.Answer(200, R"({"records":[{
      "uuid":"0000000a-0000-0000-0000-000000000000","name":"v","comment":"c","state":"online",
      "size":1073741824,"space":{"used":4096},"create_time":"2026-01-31T12:00:00Z",
      "consistency_group":{"uuid":"0000000b-0000-0000-0000-000000000000","name":"g"},
      "clone":{"parent_volume":{"name":"p"},"parent_snapshot":{"name":"s"}}}]})");
  const auto found = volumes_.Find("v", Budget());
  ASSERT_TRUE(found.ok() && *found);
  const FlexVol& volume = **found;
  EXPECT_EQ(volume.uuid, ToUuid(kUuidA));
  EXPECT_EQ(volume.comment, "c");
  EXPECT_EQ(volume.state, "online");
  EXPECT_EQ(volume.size, GiB(1));
  EXPECT_EQ(volume.used, KiB(4));
  EXPECT_EQ(volume.create_time.time_since_epoch().count(), 1769860800);
  ASSERT_TRUE(volume.group);
  EXPECT_EQ(volume.group->uuid, ToUuid(kUuidB));
  EXPECT_EQ(volume.parent_volume_name, "p");
  EXPECT_EQ(volume.parent_snapshot_name, "s");
  EXPECT_EQ(transport_.last().target,
            "/api/storage/volumes?svm.name=svm1&name=v&fields=name,uuid,comment,state,size,"
            "space.used,create_time,consistency_group.name,consistency_group.uuid,"
            "clone.parent_volume.name,clone.parent_volume.uuid,clone.parent_snapshot.name,"
            "clone.parent_snapshot.uuid&max_records=4000");
}

TEST_F(FlexVolTest, FindsNothingOfAnotherName) {
  transport_.Answer(200, R"({"records":[]})");
  const auto none = volumes_.Find("v", Budget());
  ASSERT_TRUE(none.ok());
  EXPECT_FALSE(*none);
  transport_.Answer(200, std::string(R"({"records":[{"name":"V","uuid":")") + kUuidA + R"("}]})");
  const auto other = volumes_.Find("v", Budget());
  ASSERT_TRUE(other.ok());
  EXPECT_FALSE(*other);
}

TEST_F(FlexVolTest, AnOfflineVolumeDoesNotBreakAListing) {
  transport_.Answer(200, std::string(R"({"records":[{"name":"v","state":"offline","uuid":")") +
                             kUuidA + R"("}]})");
  const auto list = volumes_.List("vm_*|base_*", Budget());
  ASSERT_TRUE(list.ok());
  ASSERT_EQ(list->size(), 1U);
  EXPECT_EQ(list->front().size, ByteCount{});
  EXPECT_FALSE(list->front().group);
  EXPECT_THAT(transport_.last().target, HasSubstr("&name=vm_*%7Cbase_*&"));
  EXPECT_THAT(transport_.last().target, Not(HasSubstr("clone.")));
}

TEST_F(FlexVolTest, AnOddRecordFailsTheListing) {
  for (const char* record :
       {R"({"name":"v"})", R"({"name":"v","uuid":"x"})",
        R"({"uuid":"0000000a-0000-0000-0000-000000000000"})",
        R"({"name":"v","uuid":"0000000a-0000-0000-0000-000000000000","size":"1"})",
        R"({"name":"v","uuid":"0000000a-0000-0000-0000-000000000000","create_time":"today"})"}) {
    transport_.Answer(200, std::string(R"({"records":[)") + record + "]}");
    EXPECT_TRUE(FailedWith(volumes_.List("*", Budget()), ErrorCode::kInternal)) << record;
  }
}

TEST_F(FlexVolTest, CreatesAThinVolumeWithoutAnyDefaultOfTheArray) {
  transport_.AnswerWith(Created());
  const auto uuid = volumes_.Create(Spec(), Budget());
  ASSERT_TRUE(uuid.ok()) << uuid.error().Line();
  EXPECT_EQ(*uuid, ToUuid(kUuidA));
  EXPECT_THAT(transport_.Lines(),
              ElementsAre("POST /api/storage/volumes?return_records=true&return_timeout=20"));
  EXPECT_FALSE(transport_.last().is_idempotent);
  EXPECT_EQ(LastBody(), json::parse(R"({
      "svm":{"name":"svm1"},"name":"vm_100_disk_0","aggregates":[{"name":"aggr1"}],
      "style":"flexvol","size":1073741824,"guarantee":{"type":"none"},
      "snapshot_policy":{"name":"none"},"comment":"mark"})"));
}

TEST_F(FlexVolTest, CreatesWithEverySetting) {
  rest_.SetRelease({9, 16, 1});
  FlexVolSpec spec = Spec();
  spec.is_thick = true;
  spec.snapshot_reserve_percent = 20;
  spec.encryption = true;
  spec.tiering_policy = "auto";
  spec.qos_policy = "gold";
  spec.autosize = AutosizeSetting{GiB(3)};
  spec.is_large = true;
  transport_.AnswerWith(Created());
  ASSERT_TRUE(volumes_.Create(spec, Budget()).ok());
  const json body = LastBody();
  EXPECT_EQ(body["guarantee"]["type"], "volume");
  EXPECT_EQ(body["space"],
            json::parse(R"({"large_size_enabled":true,"snapshot":{"reserve_percent":20}})"));
  EXPECT_EQ(body["encryption"]["enabled"], true);
  EXPECT_EQ(body["tiering"]["policy"], "auto");
  EXPECT_EQ(body["qos"]["policy"]["name"], "gold");
  EXPECT_EQ(body["autosize"], json::parse(R"({"mode":"grow","maximum":3221225472})"));
}

TEST_F(FlexVolTest, TakesTheUuidFromTheRecordWhenThereIsNoLocation) {
  transport_.Answer(201, std::string(R"({"records":[{"uuid":")") + kUuidB + R"("}]})");
  EXPECT_EQ(*volumes_.Create(Spec(), Budget()), ToUuid(kUuidB));
}

TEST_F(FlexVolTest, LooksTheUuidUpWhenTheArrayDoesNotTellIt) {
  transport_.Answer(201, "{}").Answer(
      200, std::string(R"({"records":[{"name":"vm_100_disk_0","uuid":")") + kUuidC + R"("}]})");
  EXPECT_EQ(*volumes_.Create(Spec(), Budget()), ToUuid(kUuidC));
}

TEST_F(FlexVolTest, LooksAgainUntilTheArrayListsWhatItMade) {
  auto made = Created();
  made.location = "/api/storage/volumes/?name=vm_100_disk_0";
  transport_.AnswerWith(made);
  for (int i = 0; i < 5; ++i) transport_.Answer(200, R"({"records":[]})");
  transport_.Answer(
      200, std::string(R"({"records":[{"name":"vm_100_disk_0","uuid":")") + kUuidC + R"("}]})");
  EXPECT_EQ(*volumes_.Create(Spec(), Budget()), ToUuid(kUuidC));
  EXPECT_EQ(clock_.TakeSlept(), Duration(100 + 200 + 400 + 800 + 1600));
}

TEST_F(FlexVolTest, ACreatedVolumeThatIsNeverListedLeavesTheOutcomeOpen) {
  transport_.Answer(201, "{}");
  for (int i = 0; i < 40; ++i) transport_.Answer(200, R"({"records":[]})");
  const auto uuid = volumes_.Create(Spec(), Budget());
  ASSERT_TRUE(FailedWith(uuid, ErrorCode::kUnavailable));
  EXPECT_TRUE(uuid.error().outcome_unknown());
  const Duration slept = clock_.TakeSlept();
  EXPECT_GT(slept, std::chrono::seconds(27));
  EXPECT_LE(slept, std::chrono::seconds(30));
}

TEST_F(FlexVolTest, LookingAgainEndsWithTheBudgetAndWithASignal) {
  transport_.Answer(201, "{}");
  for (int i = 0; i < 40; ++i) transport_.Answer(200, R"({"records":[]})");
  EXPECT_TRUE(FailedWith(volumes_.Create(Spec(), Budget(std::chrono::seconds(4))),
                         ErrorCode::kUnavailable));
  EXPECT_LE(clock_.TakeSlept(), std::chrono::seconds(4));
  transport_ = {};
  transport_.Answer(201, "{}").Answer(200, R"({"records":[]})");
  interrupt_.Raise();
  const auto stopped = volumes_.Create(Spec(), Budget());
  ASSERT_TRUE(FailedWith(stopped, ErrorCode::kInterrupted));
  EXPECT_TRUE(stopped.error().outcome_unknown());
}

TEST_F(FlexVolTest, ANameThatIsTakenIsToldAsSuch) {
  transport_.Refuse(400, "917526", "Volume name is taken");
  EXPECT_TRUE(FailedWith(volumes_.Create(Spec(), Budget()), ErrorCode::kAlreadyExists));
}

TEST_F(FlexVolTest, AFullAggregateIsNamed) {
  transport_.Refuse(500, "1245212");
  const auto uuid = volumes_.Create(Spec(), Budget());
  ASSERT_TRUE(FailedWith(uuid, ErrorCode::kNoSpace));
  EXPECT_EQ(uuid.error().Fact("aggregate"), "aggr1");
  EXPECT_THAT(uuid.error().sentence(), HasSubstr("'vm_100_disk_0'"));
}

TEST_F(FlexVolTest, ACreateThatIsRunningIsWaitedFor) {
  transport_.Refuse(409, "13107405").Refuse(400, "917526");
  EXPECT_TRUE(FailedWith(volumes_.Create(Spec(), Budget()), ErrorCode::kAlreadyExists));
}

TEST_F(FlexVolTest, Clones) {
  FlexCloneSpec spec;
  spec.name = "vm_200_disk_0";
  spec.parent_volume = "base_100_disk_0";
  spec.parent_snapshot = "pve_base";
  spec.comment = "mark";
  transport_.AnswerWith(Created());
  ASSERT_TRUE(volumes_.Clone(spec, Budget()).ok());
  EXPECT_EQ(LastBody(), json::parse(R"({
      "svm":{"name":"svm1"},"name":"vm_200_disk_0",
      "clone":{"is_flexclone":true,"parent_volume":{"name":"base_100_disk_0"},
               "parent_snapshot":{"name":"pve_base"}},"comment":"mark"})"));
}

TEST_F(FlexVolTest, NeverClonesWithoutASnapshot) {
  FlexCloneSpec spec;
  spec.name = "a";
  spec.parent_volume = "b";
  EXPECT_TRUE(FailedWith(volumes_.Clone(spec, Budget()), ErrorCode::kInvalidArgument));
  EXPECT_TRUE(transport_.requests().empty());
}

TEST_F(FlexVolTest, ChangesWithAbsoluteValues) {
  const Uuid uuid = ToUuid(kUuidA);
  for (int i = 0; i < 4; ++i) transport_.Answer(200, "{}");
  ASSERT_TRUE(volumes_.Resize(uuid, GiB(2), Budget()).ok());
  EXPECT_EQ(LastBody(), json::parse(R"({"size":2147483648})"));
  EXPECT_THAT(transport_.Lines().back(),
              StartsWith(std::string("PATCH /api/storage/volumes/") + kUuidA + "?return_timeout"));
  EXPECT_TRUE(transport_.last().is_idempotent);
  ASSERT_TRUE(volumes_.SetComment(uuid, "ü \"x\"", Budget()).ok());
  EXPECT_EQ(LastBody(), json::parse(R"({"comment":"ü \"x\""})"));
  ASSERT_TRUE(volumes_.Rename(uuid, "other", Budget()).ok());
  EXPECT_EQ(LastBody(), json::parse(R"({"name":"other"})"));
  ASSERT_TRUE(volumes_.StartSplit(uuid, Budget()).ok());
  EXPECT_EQ(LastBody(), json::parse(R"({"clone":{"split_initiated":true}})"));
}

TEST_F(FlexVolTest, ATextThatIsNoUtf8IsSentAllTheSame) {
  transport_.Answer(200, "{}");
  ASSERT_TRUE(volumes_.SetComment(ToUuid(kUuidA), "\xff", Budget()).ok());
  EXPECT_EQ(LastBody()["comment"], "\xEF\xBF\xBD");
}

TEST_F(FlexVolTest, DeletesIntoTheRecoveryQueue) {
  transport_.Answer(200, "{}");
  ASSERT_TRUE(volumes_.Delete(ToUuid(kUuidA), false, Budget()).ok());
  EXPECT_THAT(transport_.Lines(), ElementsAre(std::string("DELETE /api/storage/volumes/") + kUuidA +
                                              "?return_timeout=20"));
}

TEST_F(FlexVolTest, DeletesForGoodWhereTheReleaseCan) {
  rest_.SetRelease({9, 12, 1});
  transport_.Answer(200, "{}").Answer(200, "{}");
  ASSERT_TRUE(volumes_.Delete(ToUuid(kUuidA), true, Budget()).ok());
  EXPECT_THAT(transport_.last().target, HasSubstr("force=true"));
  rest_.SetRelease({9, 11, 1});
  ASSERT_TRUE(volumes_.Delete(ToUuid(kUuidA), true, Budget()).ok());
  EXPECT_THAT(transport_.last().target, Not(HasSubstr("force")));
}

TEST_F(FlexVolTest, SendsNoParameterToAReleaseThatMayNotKnowIt) {
  transport_.Answer(200, "{}");
  ASSERT_TRUE(volumes_.Delete(ToUuid(kUuidA), true, Budget()).ok());
  EXPECT_THAT(transport_.last().target, Not(HasSubstr("force")));
}

TEST_F(FlexVolTest, AMissingVolumeIsDeleted) {
  transport_.LoseAnswer().Refuse(404, "4");
  EXPECT_TRUE(volumes_.Delete(ToUuid(kUuidA), false, Budget()).ok());
  transport_.Answer(202, R"({"job":{"uuid":"j"}})")
      .Answer(200, R"({"state":"failure","message":"entry doesn't exist","code":4})");
  EXPECT_TRUE(volumes_.Delete(ToUuid(kUuidA), false, Budget()).ok());
}

TEST_F(FlexVolTest, AMissingSvmIsNoMissingVolume) {
  transport_.Refuse(400, "2621462");
  EXPECT_TRUE(FailedWith(volumes_.Delete(ToUuid(kUuidA), false, Budget()), ErrorCode::kNotFound));
}

TEST_F(FlexVolTest, AParentOfClonesIsBusyAtOnceAndABusyVolumeAfterAWhile) {
  transport_.Refuse(409, "524615");
  EXPECT_TRUE(FailedWith(volumes_.Delete(ToUuid(kUuidA), false, Budget()), ErrorCode::kBusy));
  EXPECT_EQ(transport_.requests().size(), 1U);
  for (int i = 0; i < 12; ++i) transport_.Refuse(409, "524486");
  transport_.Answer(200, "{}");
  EXPECT_TRUE(volumes_.Delete(ToUuid(kUuidA), false, Budget()).ok());
  EXPECT_GT(clock_.TakeSlept(), std::chrono::seconds(25));
}

TEST_F(FlexVolTest, RestoresByQueryAndNeverTwice) {
  transport_.LoseAnswer();
  const Status restored = volumes_.Restore(ToUuid(kUuidA), "pve_snap_a b", Budget());
  ASSERT_FALSE(restored.ok());
  EXPECT_TRUE(restored.error().outcome_unknown());
  EXPECT_EQ(transport_.requests().size(), 1U);
  EXPECT_THAT(transport_.last().target, HasSubstr("?restore_to.snapshot.name=pve_snap_a%20b&"));
  EXPECT_EQ(transport_.last().body, "{}");
}

}  // namespace
}  // namespace ontapnvme::ontap
