// SPDX-License-Identifier: AGPL-3.0-or-later
#include "ontap/rest_client.h"

#include "ontap/rest_types.h"
#include "unit/ontap/rest_fixture.h"

namespace ontapnvme::ontap {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kAccepted = R"({"job":{"uuid":"j1","_links":{"self":{"href":"/x"}}}})";

class RestClientTest : public RestFixture {
 protected:
  static ReadRequest Listing(const std::string& path = "/api/things") {
    ReadRequest request;
    request.path = path;
    request.query.Add("fields", "name");
    request.doing = "list the things";
    return request;
  }
  static ChangeRequest Creation() {
    ChangeRequest request;
    request.path = "/api/things";
    request.body = R"({"name":"t"})";
    request.doing = "create thing 't'";
    return request;
  }
  static ChangeRequest Deletion() {
    ChangeRequest request;
    request.method = http::Method::kDelete;
    request.path = "/api/things/1";
    request.doing = "delete thing 't'";
    request.is_idempotent = true;
    return request;
  }
  std::vector<std::string> Names(const std::vector<Json>& records) {
    std::vector<std::string> names;
    for (const Json& record : records) names.push_back(record["name"]);
    return names;
  }
};

TEST_F(RestClientTest, ReadsAnObject) {
  transport_.Answer(200, R"({"name":"x"})");
  const auto object = rest_.Read(Listing("/api/cluster"), Budget());
  ASSERT_TRUE(object.ok());
  EXPECT_EQ((*object)["name"], "x");
  EXPECT_THAT(transport_.Lines(), ElementsAre("GET /api/cluster?fields=name"));
}

TEST_F(RestClientTest, FollowsEveryPage) {
  transport_
      .Answer(200, R"({"records":[{"name":"a"}],"num_records":1,
                       "_links":{"next":{"href":"/api/things?start.uuid=1&fields=name"}}})")
      .Answer(200, R"({"records":[],"num_records":0,
                       "_links":{"next":{"href":"/api/things?start.uuid=2&fields=name"}}})")
      .Answer(200, R"({"records":[{"name":"b"},{"name":"c"}],"num_records":2})");
  const auto records = rest_.List(Listing(), Budget());
  ASSERT_TRUE(records.ok()) << records.error().Line();
  EXPECT_THAT(Names(*records), ElementsAre("a", "b", "c"));
  EXPECT_THAT(transport_.Lines(),
              ElementsAre("GET /api/things?fields=name", "GET /api/things?start.uuid=1&fields=name",
                          "GET /api/things?start.uuid=2&fields=name"));
}

TEST_F(RestClientTest, AListWithoutRecordsIsEmpty) {
  transport_.Answer(200, R"({"num_records":0})");
  const auto records = rest_.List(Listing(), Budget());
  ASSERT_TRUE(records.ok());
  EXPECT_TRUE(records->empty());
}

TEST_F(RestClientTest, RefusesANextPageElsewhere) {
  for (const char* href : {"https://evil.example/api/x", "//evil.example/api/x", "api/things",
                           "/other", "/api/a b", "/api/a\\r\\nX: y", "/apis/x"}) {
    transport_.Answer(
        200, std::string(R"({"records":[],"_links":{"next":{"href":")") + href + R"("}}})");
    const auto records = rest_.List(Listing(), Budget());
    EXPECT_TRUE(FailedWith(records, ErrorCode::kInternal)) << href;
    EXPECT_TRUE(transport_.IsDone());
  }
}

TEST_F(RestClientTest, RefusesPagesInACircle) {
  constexpr const char* kPage = R"({"records":[],"_links":{"next":{"href":"/api/things?p=1"}}})";
  transport_.Answer(200, kPage).Answer(200, kPage);
  EXPECT_TRUE(FailedWith(rest_.List(Listing(), Budget()), ErrorCode::kInternal));
  EXPECT_EQ(transport_.requests().size(), 2U);
}

TEST_F(RestClientTest, RefusesEndlessPages) {
  for (int page = 0; page < 1100; ++page) {
    transport_.Answer(200, R"({"records":[],"_links":{"next":{"href":"/api/things?p=)" +
                               std::to_string(page) + R"("}}})");
  }
  EXPECT_TRUE(FailedWith(rest_.List(Listing(), Budget()), ErrorCode::kInternal));
  EXPECT_EQ(transport_.requests().size(), 1000U);
}

TEST_F(RestClientTest, RefusesPagesThatFillTheMemory) {
  std::string records = "{}";
  for (int i = 0; i < 500000; ++i) records += ",{}";
  for (int page = 0; page < 100; ++page) {
    transport_.Answer(200, R"({"records":[)" + records +
                               R"(],"_links":{"next":{"href":"/api/things?p=)" +
                               std::to_string(page) + R"("}}})");
  }
  EXPECT_TRUE(FailedWith(rest_.List(Listing(), Budget()), ErrorCode::kInternal));
  EXPECT_EQ(transport_.requests().size(), 3U) << "two of them are within the limit";
}

TEST_F(RestClientTest, ALinkIsNeverToldAtLength) {
  const auto page = [](const std::string& href) {
    return R"({"records":[],"_links":{"next":{"href":")" + href + R"("}}})";
  };
  transport_.Answer(200, page("/api/" + std::string(100000, 'x')));
  EXPECT_TRUE(FailedWith(rest_.List(Listing(), Budget()), ErrorCode::kInternal));
  EXPECT_TRUE(transport_.IsDone());
  transport_.Answer(200, page("/api/" + std::string(5000, 'x') + "?start=secret")).Answer(404);
  const auto records = rest_.List(Listing(), Budget());
  ASSERT_FALSE(records.ok());
  EXPECT_LT(records.error().Line().size(), 1500U);
  EXPECT_THAT(records.error().Line(), Not(HasSubstr("start=secret")));
}

// A disk that is missing from a list counts as deleted.
TEST_F(RestClientTest, RefusesAListThatWasCut) {
  transport_.Answer(200, R"({"records":[{"name":"a"}],"num_records":2})");
  EXPECT_TRUE(FailedWith(rest_.List(Listing(), Budget()), ErrorCode::kInternal));
}

TEST_F(RestClientTest, RefusesRecordsOfTheWrongType) {
  for (const char* body :
       {R"({"records":{}})", R"({"records":[1]})", R"({"records":[null]})",
        R"({"records":[],"num_records":"x"})", R"({"records":[],"_links":{"next":{"href":7}}})"}) {
    transport_.Answer(200, body);
    EXPECT_TRUE(FailedWith(rest_.List(Listing(), Budget()), ErrorCode::kInternal)) << body;
  }
}

TEST_F(RestClientTest, ListsSideBySide) {
  transport_.Answer(200, R"({"records":[{"name":"a"}]})")
      .Answer(200, R"({"records":[{"name":"b"}],"_links":{"next":{"href":"/api/b?p=2"}}})")
      .Answer(200, R"({"records":[{"name":"c"}]})");
  const auto lists = rest_.ListEach({Listing("/api/a"), Listing("/api/b")}, Budget());
  ASSERT_TRUE(lists.ok());
  EXPECT_THAT(Names((*lists)[0]), ElementsAre("a"));
  EXPECT_THAT(Names((*lists)[1]), ElementsAre("b", "c"));
  EXPECT_EQ(transport_.batches(), 1);
}

TEST_F(RestClientTest, RepeatsOnlyTheListThatFailed) {
  transport_.Answer(200, R"({"records":[{"name":"a"}]})")
      .LoseAnswer()
      .Answer(200, R"({"records":[{"name":"b"}]})");
  const auto lists = rest_.ListEach({Listing("/api/a"), Listing("/api/b")}, Budget());
  ASSERT_TRUE(lists.ok()) << lists.error().Line();
  EXPECT_EQ(transport_.requests().size(), 3U);
  EXPECT_EQ(transport_.last().target, "/api/b?fields=name");
}

TEST_F(RestClientTest, RepeatsAReadThatWasLostOrRefused) {
  http::Response busy;
  busy.status = 429;
  busy.retry_after = seconds(3);
  transport_.FailToConnect().LoseAnswer().AnswerWith(busy).Answer(503, "gateway").Answer(200, "{}");
  EXPECT_TRUE(rest_.Read(Listing(), Budget()).ok());
  EXPECT_GE(clock_.TakeSlept(), seconds(3));
}

TEST_F(RestClientTest, TellsHowOftenItTried) {
  for (int i = 0; i < 5; ++i) transport_.FailToConnect();
  const auto read = rest_.Read(Listing(), Budget());
  ASSERT_TRUE(FailedWith(read, ErrorCode::kUnavailable));
  EXPECT_EQ(read.error().Line(),
            "cannot list the things: cannot connect to 'array:443': connection refused "
            "[unavailable, request=GET /api/things, tries=5]");
}

TEST_F(RestClientTest, DoesNotRepeatWhatStaysWrong) {
  transport_.Fail(
      Error(ErrorCode::kUnavailable, "untrusted").From({.refusal = Refusal::kUnusablePeer}));
  EXPECT_FALSE(rest_.Read(Listing(), Budget()).ok());
  transport_.Refuse(404, "4");
  EXPECT_TRUE(FailedWith(rest_.Read(Listing(), Budget()), ErrorCode::kNotFound));
  transport_.Answer(401);
  EXPECT_TRUE(FailedWith(rest_.Read(Listing(), Budget()), ErrorCode::kUnauthenticated));
  EXPECT_EQ(transport_.requests().size(), 3U);
}

TEST_F(RestClientTest, ReadIsRepeatedEarlyAndWaitedForLongerEachTime) {
  transport_.LoseAnswer().LoseAnswer().FailToConnect().Answer(200, "{}");
  ASSERT_TRUE(rest_.Read(Listing(), Budget()).ok());
  std::vector<Duration> silences;
  for (const auto& request : transport_.requests()) silences.push_back(request.silence_max);
  EXPECT_THAT(silences, ElementsAre(seconds(6), seconds(12), seconds(24), seconds(24)));
}

TEST_F(RestClientTest, EachOfSeveralListsHasItsOwnLimit) {
  transport_.Answer(200, "{}").LoseAnswer().Answer(200, "{}");
  ASSERT_TRUE(rest_.ListEach({Listing("/api/a"), Listing("/api/b")}, Budget()).ok());
  std::vector<Duration> silences;
  for (const auto& request : transport_.requests()) silences.push_back(request.silence_max);
  EXPECT_THAT(silences, ElementsAre(seconds(6), seconds(6), seconds(12)));
}

TEST_F(RestClientTest, ChangeIsLostWhenTheArrayShouldHaveAnsweredLongAgo) {
  transport_.LoseAnswer().Answer(201, "{}").Answer(201, "{}");
  const auto lost = rest_.Change(Creation(), Budget(seconds(45)));
  ASSERT_TRUE(FailedWith(lost, ErrorCode::kUnavailable)) << "its mark tells what happened";
  EXPECT_TRUE(lost.error().outcome_unknown());
  EXPECT_EQ(transport_.last().silence_max, seconds(30));
  ASSERT_TRUE(rest_.Change(Creation(), Budget(seconds(6))).ok());
  EXPECT_EQ(transport_.last().silence_max, seconds(15)) << "held for 5 s";
  ChangeRequest synchronous = Creation();
  synchronous.takes_return_timeout = false;
  ASSERT_TRUE(rest_.Change(synchronous, Budget()).ok());
  EXPECT_EQ(transport_.last().silence_max, seconds(30));
}

TEST_F(RestClientTest, StaysWithinItsBudget) {
  for (int i = 0; i < 50; ++i) transport_.FailToConnect();
  EXPECT_FALSE(rest_.Read(Listing(), Budget(Duration(250))).ok());
  EXPECT_LE(clock_.TakeSlept(), Duration(250));
}

TEST_F(RestClientTest, ASignalEndsTheRepeating) {
  interrupt_.Raise();
  transport_.FailToConnect();
  EXPECT_TRUE(FailedWith(rest_.Read(Listing(), Budget()), ErrorCode::kInterrupted));
}

TEST_F(RestClientTest, AnAnswerThatIsNoJsonIsNeverShown) {
  transport_.Answer(200, "<html>password</html>");
  const auto read = rest_.Read(Listing(), Budget());
  ASSERT_TRUE(FailedWith(read, ErrorCode::kInternal));
  EXPECT_THAT(read.error().Line(), HasSubstr("GET /api/things"));
  EXPECT_THAT(read.error().Line(), Not(HasSubstr("password")));
}

TEST_F(RestClientTest, AnErrorThatIsNoJsonIsJudgedByItsStatus) {
  transport_.Answer(404, "<html>nothing here</html>");
  const auto read = rest_.Read(Listing(), Budget());
  ASSERT_TRUE(FailedWith(read, ErrorCode::kNotFound));
  EXPECT_THAT(read.error().Line(), Not(HasSubstr("html")));
}

TEST_F(RestClientTest, OddErrorEnvelopesDoNoHarm) {
  for (const char* body : {R"({"error":null})", R"({"error":[]})", R"({"error":{"code":{}}})",
                           R"({"error":{"code":"x","message":7}})", R"({"error":{"code":-4}})",
                           R"({"error":{"code":"99999999999999999999999999"}})", "[]"}) {
    transport_.Answer(409, body);
    EXPECT_TRUE(FailedWith(rest_.Read(Listing(), Budget()), ErrorCode::kConflict)) << body;
  }
  transport_.Answer(409, R"({"error":{"code":4}})");  // a number is taken as well
  EXPECT_TRUE(FailedWith(rest_.Read(Listing(), Budget()), ErrorCode::kNotFound));
}

TEST_F(RestClientTest, TracesEachRequestInOneLine) {
  transport_.FailToConnect().Answer(200, "{}");
  ASSERT_TRUE(rest_.Read(Listing(), Budget()).ok());
  const auto records = log_.Take();
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].text, "GET /api/things unavailable 0 ms");
  EXPECT_EQ(records[1].text, "GET /api/things 200 0 ms");
  EXPECT_EQ(records[1].level, LogLevel::kTrace);
}

TEST_F(RestClientTest, AsksTheArrayToHoldAChangeWhileThereIsTime) {
  transport_.Answer(201, "{}").Answer(201, "{}").Answer(201, "{}").Answer(201, "{}");
  ASSERT_TRUE(rest_.Change(Creation(), Budget(seconds(45))).ok());
  ASSERT_TRUE(rest_.Change(Creation(), Budget(seconds(10))).ok());
  ASSERT_TRUE(rest_.Change(Creation(), Budget(Duration(900))).ok());
  ChangeRequest synchronous = Creation();
  synchronous.takes_return_timeout = false;
  ASSERT_TRUE(rest_.Change(synchronous, Budget()).ok());
  EXPECT_THAT(transport_.Lines(),
              ElementsAre("POST /api/things?return_timeout=20", "POST /api/things?return_timeout=9",
                          "POST /api/things?return_timeout=0", "POST /api/things"));
  EXPECT_FALSE(transport_.last().is_idempotent);
}

TEST_F(RestClientTest, AChangeThatEndedInTimeNeedsNoPoll) {
  http::Response made;
  made.status = 201;
  made.location = "/api/things/7";
  made.body = R"({"records":[{"name":"t"}],"job":{"uuid":"j1"}})";
  transport_.AnswerWith(made);
  const auto answer = rest_.Change(Creation(), Budget());
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->location, "/api/things/7");
  EXPECT_THAT(Names(answer->records), ElementsAre("t"));
  EXPECT_EQ(transport_.requests().size(), 1U);
}

TEST_F(RestClientTest, WaitsForAJob) {
  transport_.Answer(202, kAccepted)
      .Answer(200, R"({"state":"queued"})")
      .Answer(200, R"({"state":"running"})")
      .Answer(200, R"({"state":"paused"})")
      .Answer(200, R"({"state":"success"})");
  ASSERT_TRUE(rest_.Change(Creation(), Budget()).ok());
  EXPECT_EQ(transport_.last().target, "/api/cluster/jobs/j1?fields=state,message,code,error");
  EXPECT_EQ(clock_.TakeSlept(), Duration(100 + 200 + 400 + 800));
}

TEST_F(RestClientTest, AJobThatFailedIsJudgedByItsCode) {
  transport_.Answer(202, kAccepted).Answer(200, R"({"state":"failure","message":"no","code":917526,
                       "error":{"message":"name taken","code":"917526"}})");
  const auto answer = rest_.Change(Creation(), Budget());
  ASSERT_TRUE(FailedWith(answer, ErrorCode::kAlreadyExists));
  EXPECT_EQ(answer.error().reason(), "name taken");
  EXPECT_EQ(answer.error().Fact("job"), "j1");
  EXPECT_EQ(answer.error().Fact("request"), "POST /api/things");
  EXPECT_FALSE(answer.error().outcome_unknown());
}

TEST_F(RestClientTest, SecretsThatTheArrayQuotesAreMasked) {
  rest_.Conceal({Secret("kestrel")});
  transport_.Refuse(400, "2", "bad login kestrel")
      .Refuse(409, "2", "key kestrel is taken")
      .Answer(202, kAccepted)
      .Answer(200, R"({"state":"failure","error":{"message":"no kestrel","code":"2"}})");
  EXPECT_EQ(rest_.Read(Listing(), Budget()).error().reason(), "bad login ***");
  EXPECT_EQ(rest_.Change(Creation(), Budget()).error().reason(), "key *** is taken");
  EXPECT_EQ(rest_.Change(Creation(), Budget()).error().reason(), "no ***");
}

TEST_F(RestClientTest, AJobOfAnOlderReleaseTellsCodeAndMessageOnly) {
  transport_.Answer(202, kAccepted)
      .Answer(200, R"({"state":"failure","message":"entry doesn't exist","code":4})");
  const auto answer = rest_.Change(Deletion(), Budget());
  ASSERT_TRUE(FailedWith(answer, ErrorCode::kNotFound));
  EXPECT_EQ(answer.error().reason(), "entry doesn't exist");
}

TEST_F(RestClientTest, AVanishedJobLeavesTheOutcomeOpen) {
  transport_.Answer(202, kAccepted).Refuse(404, "4");
  const auto answer = rest_.Change(Creation(), Budget());
  ASSERT_TRUE(FailedWith(answer, ErrorCode::kUnavailable));
  EXPECT_EQ(answer.error().Fact("job_state"), "gone");
  EXPECT_TRUE(answer.error().outcome_unknown());
}

TEST_F(RestClientTest, AVanishedJobOfAnIdempotentChangeIsSettledByRepeating) {
  transport_.Answer(202, kAccepted).Refuse(404, "4").Refuse(404, "4");
  const auto answer = rest_.Change(Deletion(), Budget());
  ASSERT_TRUE(FailedWith(answer, ErrorCode::kNotFound));
  EXPECT_EQ(transport_.last().method, http::Method::kDelete);
}

TEST_F(RestClientTest, AJobOutlivingTheBudgetLeavesTheOutcomeOpen) {
  transport_.Answer(202, kAccepted);
  for (int i = 0; i < 100; ++i) transport_.Answer(200, R"({"state":"running"})");
  const auto answer = rest_.Change(Creation(), Budget(seconds(5)));
  ASSERT_TRUE(FailedWith(answer, ErrorCode::kTimedOut));
  EXPECT_TRUE(answer.error().outcome_unknown());
  EXPECT_EQ(answer.error().sentence(), "cannot create thing 't'");
}

TEST_F(RestClientTest, ASignalWhileAJobRunsLeavesTheOutcomeOpen) {
  transport_.Answer(202, kAccepted);
  interrupt_.Raise();
  const auto answer = rest_.Change(Creation(), Budget());
  ASSERT_TRUE(FailedWith(answer, ErrorCode::kInterrupted));
  EXPECT_TRUE(answer.error().outcome_unknown());
}

TEST_F(RestClientTest, AJobThatCannotBeReadLeavesTheOutcomeOpen) {
  transport_.Answer(202, kAccepted).Refuse(403, "6");
  const auto denied = rest_.Change(Creation(), Budget());
  ASSERT_TRUE(FailedWith(denied, ErrorCode::kPermissionDenied));
  EXPECT_TRUE(denied.error().outcome_unknown());
  transport_.Answer(202, kAccepted).Answer(200, R"({"state":7})");
  const auto odd = rest_.Change(Creation(), Budget());
  ASSERT_TRUE(FailedWith(odd, ErrorCode::kInternal));
  EXPECT_TRUE(odd.error().outcome_unknown());
}

TEST_F(RestClientTest, APollThatIsLostIsRepeated) {
  transport_.Answer(202, kAccepted).LoseAnswer().Answer(200, R"({"state":"success"})");
  EXPECT_TRUE(rest_.Change(Creation(), Budget()).ok());
}

TEST_F(RestClientTest, ALostCreationIsNotRepeated) {
  transport_.LoseAnswer();
  const auto answer = rest_.Change(Creation(), Budget());
  ASSERT_TRUE(FailedWith(answer, ErrorCode::kUnavailable));
  EXPECT_TRUE(answer.error().outcome_unknown());
  EXPECT_EQ(transport_.requests().size(), 1U);
}

TEST_F(RestClientTest, ACreationThatWasNeverSentIsRepeated) {
  transport_.FailToConnect().Refuse(503, "8").Answer(201, "{}");
  EXPECT_TRUE(rest_.Change(Creation(), Budget()).ok());
  EXPECT_EQ(transport_.last().body, R"({"name":"t"})");
}

TEST_F(RestClientTest, ABusyJobIsRepeatedAsAWhole) {
  transport_.Answer(202, kAccepted)
      .Answer(200, R"({"state":"failure","error":{"message":"volume busy","code":"524486"}})")
      .Answer(200, "{}");
  EXPECT_TRUE(rest_.Change(Deletion(), Budget()).ok());
}

TEST_F(RestClientTest, AnUnreadableAnswerToAChangeLeavesTheOutcomeOpen) {
  for (const char* body : {"<html>", R"({"job":{"uuid":5}})", R"({"records":{}})"}) {
    transport_.Answer(202, body);
    const auto answer = rest_.Change(Creation(), Budget());
    ASSERT_TRUE(FailedWith(answer, ErrorCode::kInternal)) << body;
    EXPECT_TRUE(answer.error().outcome_unknown()) << body;
  }
}

TEST_F(RestClientTest, AnEmptyBodyIsASuccess) {
  transport_.Answer(200, "");
  EXPECT_TRUE(rest_.Change(Deletion(), Budget()).ok());
}

TEST_F(RestClientTest, AJobNumberCannotChangeThePath) {
  transport_.Answer(202, R"({"job":{"uuid":"../../x?y"}})").Answer(200, R"({"state":"success"})");
  ASSERT_TRUE(rest_.Change(Creation(), Budget()).ok());
  EXPECT_THAT(transport_.last().target, HasSubstr("/api/cluster/jobs/..%2F..%2Fx%3Fy?"));
}

TEST_F(RestClientTest, KnowsNothingOfReleasesUntilTold) {
  EXPECT_FALSE(rest_.IsOlderThan({9, 99, 1}));
  EXPECT_FALSE(rest_.IsKnownAtLeast({9, 0, 0}));
  rest_.SetRelease({9, 12, 1});
  EXPECT_TRUE(rest_.IsOlderThan({9, 13, 1}));
  EXPECT_FALSE(rest_.IsOlderThan({9, 12, 1}));
  EXPECT_TRUE(rest_.IsKnownAtLeast({9, 12, 1}));
}

}  // namespace
}  // namespace ontapnvme::ontap
