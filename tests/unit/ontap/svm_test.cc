// SPDX-License-Identifier: AGPL-3.0-or-later
#include "ontap/svm.h"

#include "unit/ontap/rest_fixture.h"

namespace ontapnvme::ontap {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::string Page(const std::string& records) {
  return R"({"records":[)" + records + "]}";
}

class SvmTest : public RestFixture {
 protected:
  Svms svms_{rest_};
};

TEST_F(SvmTest, ReadsTheCluster) {
  transport_
      .Answer(200, R"({"name":"c1","version":{"full":"NetApp Release 9.16.1P2",
          "generation":9,"major":16,"minor":1}})")
      .Answer(200, R"({"san_optimized":true,"disaggregated":true})");
  const auto cluster = svms_.ReadCluster(Budget());
  ASSERT_TRUE(cluster.ok()) << cluster.error().Line();
  EXPECT_EQ(cluster->name, "c1");
  EXPECT_EQ(cluster->release, (Release{9, 16, 1}));
  EXPECT_TRUE(cluster->is_disaggregated);
  EXPECT_TRUE(cluster->is_san_optimized);
  EXPECT_THAT(transport_.Lines(), ElementsAre("GET /api/cluster",
                                              "GET /api/cluster?fields=san_optimized,disaggregated"
                                              "&ignore_unknown_fields=true"));
}

TEST_F(SvmTest, AsksNothingOfAReleaseBeforeItIsKnown) {
  transport_.Answer(200, R"({"name":"c1","version":{"generation":9,"major":10,"minor":1}})");
  const auto cluster = svms_.ReadCluster(Budget());
  ASSERT_TRUE(cluster.ok()) << cluster.error().Line();
  EXPECT_EQ(cluster->release, (Release{9, 10, 1}));
  EXPECT_FALSE(cluster->is_disaggregated);
  EXPECT_THAT(transport_.Lines(), ElementsAre("GET /api/cluster"));
  EXPECT_FALSE(*svms_.ReadDelegatedAvailable("svm1", "a1", Budget()));
  EXPECT_FALSE(svms_.ReadCapacity("svm1", Budget())->limit);
  EXPECT_EQ(transport_.requests().size(), 1U);
}

TEST_F(SvmTest, AVersionMustBeOne) {
  for (const char* body : {"{}", R"({"version":{"generation":"9","major":16,"minor":1}})",
                           R"({"version":{"generation":9,"major":16}})",
                           R"({"version":{"generation":9,"major":99999999999,"minor":1}})"}) {
    transport_.Answer(200, body);
    EXPECT_TRUE(FailedWith(svms_.ReadCluster(Budget()), ErrorCode::kInternal)) << body;
  }
}

TEST_F(SvmTest, ReadsAnSvm) {
  transport_.Answer(200, Page(R"({"uuid":"0000000a-0000-0000-0000-000000000000","name":"svm1",
      "state":"running","nvme":{"allowed":false},"aggregates":[{"name":"a1"},{"name":"a2"}]})"));
  const auto svm = svms_.Read("svm1", Budget());
  ASSERT_TRUE(svm.ok());
  EXPECT_EQ(svm->uuid, ToUuid(kUuidA));
  EXPECT_EQ(svm->state, "running");
  EXPECT_FALSE(svm->is_nvme_allowed);
  EXPECT_THAT(svm->aggregate_names, ElementsAre("a1", "a2"));
}

TEST_F(SvmTest, AnUnknownSvmIsNotFound) {
  transport_.Answer(200, Page(""));
  const auto svm = svms_.Read("svm1", Budget());
  ASSERT_TRUE(FailedWith(svm, ErrorCode::kNotFound));
  EXPECT_THAT(svm.error().Line(), HasSubstr("'vserver'"));
}

TEST_F(SvmTest, TheNameOfAnSvmIsNoPattern) {
  transport_.Answer(200, Page(""));
  (void)svms_.Read("*", Budget());
  EXPECT_THAT(transport_.last().target, HasSubstr("name=%22*%22"));
}

TEST_F(SvmTest, TellsWhetherTheServiceRuns) {
  transport_.Answer(200, Page(R"({"enabled":true})"))
      .Answer(200, Page(R"({"enabled":false})"))
      .Answer(200, Page(""));
  EXPECT_TRUE(*svms_.IsNvmeServiceEnabled("svm1", Budget()));
  EXPECT_FALSE(*svms_.IsNvmeServiceEnabled("svm1", Budget()));
  EXPECT_FALSE(*svms_.IsNvmeServiceEnabled("svm1", Budget()));
}

TEST_F(SvmTest, ListsDataLifsUpOrNot) {
  transport_.Answer(200, Page(R"(
      {"name":"l1","ip":{"address":"10.0.0.1"},"enabled":true,"state":"up",
       "location":{"home_node":{"name":"n1"}}},
      {"name":"l2","ip":{"address":"fd00::2"},"enabled":true,"state":"down"},
      {"name":"l3","ip":{"address":"10.0.0.3"},"enabled":false,"state":"up"})"));
  const auto lifs = svms_.ListNvmeTcpLifs("svm1", Budget());
  ASSERT_TRUE(lifs.ok());
  ASSERT_EQ(lifs->size(), 3U);
  EXPECT_EQ((*lifs)[0].address, "10.0.0.1");
  EXPECT_EQ((*lifs)[0].home_node, "n1");
  EXPECT_TRUE((*lifs)[0].is_up);
  EXPECT_FALSE((*lifs)[1].is_up);
  EXPECT_FALSE((*lifs)[2].is_up);
  EXPECT_THAT(transport_.last().target, HasSubstr("&services=data_nvme_tcp&"));
}

TEST_F(SvmTest, ReadsAnAggregate) {
  transport_
      .Answer(
          200,
          Page(
              R"({"uuid":"0000000b-0000-0000-0000-000000000000","name":"a1","data_encryption":{"software_encryption_enabled":true},
          "space":{"block_storage":{"size":100,"used":60,"available":40}}})"))
      .Answer(200, Page(""))
      .Refuse(403, "6");
  const auto aggregate = svms_.ReadAggregate("a1", Budget());
  ASSERT_TRUE(aggregate.ok()) << aggregate.error().Line();
  EXPECT_EQ(aggregate->size, ByteCount{100});
  EXPECT_EQ(aggregate->used, ByteCount{60});
  EXPECT_EQ(aggregate->available, ByteCount{40});
  EXPECT_TRUE(aggregate->is_encrypted);
  EXPECT_TRUE(FailedWith(svms_.ReadAggregate("a1", Budget()), ErrorCode::kNotFound));
  EXPECT_TRUE(FailedWith(svms_.ReadAggregate("a1", Budget()), ErrorCode::kPermissionDenied));
}

TEST_F(SvmTest, ReadsTheSpaceOfADelegatedAggregate) {
  rest_.SetRelease({9, 12, 1});
  constexpr const char* kBody = R"({"uuid":"0000000a-0000-0000-0000-000000000000",
      "aggregates":[{"name":"a1","available_size":7},{"name":"a2"}]})";
  transport_.Answer(200, Page(kBody)).Answer(200, Page(kBody)).Answer(200, Page(kBody));
  EXPECT_EQ(**svms_.ReadDelegatedAvailable("svm1", "a1", Budget()), ByteCount{7});
  EXPECT_FALSE(*svms_.ReadDelegatedAvailable("svm1", "a2", Budget()));
  EXPECT_FALSE(*svms_.ReadDelegatedAvailable("svm1", "a3", Budget()));
  rest_.SetRelease({9, 11, 1});
  EXPECT_FALSE(*svms_.ReadDelegatedAvailable("svm1", "a1", Budget()));
  EXPECT_EQ(transport_.requests().size(), 3U);
}

TEST_F(SvmTest, ReadsTheLimitOfAnSvm) {
  rest_.SetRelease({9, 14, 1});
  transport_.Answer(200, Page(R"({"storage":{"limit":100,"allocated":60}})"))
      .Answer(200, Page(R"({"name":"svm1"})"))
      .Answer(200, Page(R"({"storage":{"limit":0}})"));
  const auto limited = svms_.ReadCapacity("svm1", Budget());
  ASSERT_TRUE(limited.ok());
  EXPECT_EQ(limited->limit, ByteCount{100});
  EXPECT_EQ(limited->allocated, ByteCount{60});
  EXPECT_FALSE(svms_.ReadCapacity("svm1", Budget())->limit);
  EXPECT_FALSE(svms_.ReadCapacity("svm1", Budget())->limit);
  rest_.SetRelease({9, 12, 1});
  EXPECT_FALSE(svms_.ReadCapacity("svm1", Budget())->limit);
  EXPECT_EQ(transport_.requests().size(), 3U);
}

TEST_F(SvmTest, AQosPolicyMustBeOfTheRightKindAndPlace) {
  constexpr const char* kOwn = R"({"name":"q","svm":{"name":"svm1"},"fixed":{}})";
  constexpr const char* kForeign = R"({"name":"q","svm":{"name":"svm2"},"fixed":{}})";
  constexpr const char* kPreset =
      R"({"name":"q","svm":{"name":"c1"},"scope":"cluster","adaptive":{}})";
  transport_.Answer(200, Page(kOwn))
      .Answer(200, Page(kOwn))
      .Answer(200, Page(kForeign))
      .Answer(200, Page(kPreset))
      .Answer(200, Page(""));
  EXPECT_TRUE(*svms_.QosPolicyExists("svm1", "q", false, Budget()));
  EXPECT_FALSE(*svms_.QosPolicyExists("svm1", "q", true, Budget()));
  EXPECT_FALSE(*svms_.QosPolicyExists("svm1", "q", false, Budget()));
  EXPECT_TRUE(*svms_.QosPolicyExists("svm1", "q", true, Budget()));
  EXPECT_FALSE(*svms_.QosPolicyExists("svm1", "q", false, Budget()));
}

TEST_F(SvmTest, ASnapshotPolicyMayBelongToTheCluster) {
  transport_.Answer(200, Page(R"({"name":"p","scope":"cluster"})"))
      .Answer(200, Page(R"({"name":"p","scope":"svm","svm":{"name":"svm2"}})"));
  EXPECT_TRUE(*svms_.SnapshotPolicyExists("svm1", "p", Budget()));
  EXPECT_FALSE(*svms_.SnapshotPolicyExists("svm1", "p", Budget()));
}

TEST_F(SvmTest, AsksNoReleaseForWhatItDoesNotKnow) {
  rest_.SetRelease({9, 10, 1});
  transport_.Answer(200, Page(""));
  (void)svms_.QosPolicyExists("svm1", "q", false, Budget());
  EXPECT_THAT(transport_.last().target, Not(HasSubstr("scope")));
}

}  // namespace
}  // namespace ontapnvme::ontap
