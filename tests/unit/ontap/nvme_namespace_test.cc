// SPDX-License-Identifier: AGPL-3.0-or-later
#include "ontap/nvme_namespace.h"

#include "unit/ontap/rest_fixture.h"

namespace ontapnvme::ontap {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kRecord = R"({
    "uuid":"0000000a-0000-0000-0000-000000000000","name":"/vol/v/n","comment":"c",
    "location":{"volume":{"name":"v","uuid":"0000000b-0000-0000-0000-000000000000"}},
    "space":{"size":1073741824,"used":4096},
    "status":{"state":"online","container_state":"online"},
    "subsystem_map":{"subsystem":{"name":"pve","uuid":"0000000c-0000-0000-0000-000000000000"}}})";

std::string Page(const std::string& records) {
  return R"({"records":[)" + records + "]}";
}

class NvmeNamespaceTest : public RestFixture {
 protected:
  Result<NvmeNamespace> CreateOne() {
    return namespaces_.Create("v", "n", GiB(1), "mark", Budget());
  }
  NvmeNamespaces namespaces_{rest_, "svm1"};
};

TEST_F(NvmeNamespaceTest, IsFoundByItsVolume) {
  transport_.Answer(200, Page(kRecord));
  const auto found = namespaces_.FindByVolume("v", Budget());
  ASSERT_TRUE(found.ok() && *found);
  const NvmeNamespace& ns = **found;
  EXPECT_EQ(ns.uuid, ToUuid(kUuidA));
  EXPECT_EQ(ns.path, "/vol/v/n");
  EXPECT_EQ(ns.volume_name, "v");
  EXPECT_EQ(ns.volume_uuid, ToUuid(kUuidB));
  EXPECT_EQ(ns.comment, "c");
  EXPECT_EQ(ns.state, "online");
  EXPECT_EQ(ns.container_state, "online");
  EXPECT_EQ(ns.size, GiB(1));
  EXPECT_EQ(ns.used, KiB(4));
  EXPECT_EQ(ns.subsystem_uuid, ToUuid(kUuidC));
  EXPECT_EQ(ns.subsystem_name, "pve");
  EXPECT_EQ(transport_.last().target,
            "/api/storage/namespaces?svm.name=svm1&location.volume.name=v&fields=uuid,name,comment,"
            "location.volume.name,location.volume.uuid,space.size,space.used,status.state,"
            "status.container_state,subsystem_map.subsystem.name,subsystem_map.subsystem.uuid"
            "&max_records=4000");
}

TEST_F(NvmeNamespaceTest, AVolumeMayHoldNone) {
  transport_.Answer(200, Page(""));
  const auto found = namespaces_.FindByVolume("v", Budget());
  ASSERT_TRUE(found.ok());
  EXPECT_FALSE(*found);
}

TEST_F(NvmeNamespaceTest, SeveralInAVolumeAreAConflict) {
  transport_.Answer(200, Page(std::string(kRecord) + "," + kRecord));
  EXPECT_TRUE(FailedWith(namespaces_.FindByVolume("v", Budget()), ErrorCode::kConflict));
}

TEST_F(NvmeNamespaceTest, WhatIsNotWantedIsAsIfItWereNotThere) {
  const std::string other =
      R"({"uuid":"0000000d-0000-0000-0000-000000000000","name":"/vol/v/other",)"
      R"("location":{"volume":{"name":"v"}}})";
  const auto is_first = [](const NvmeNamespace& ns) { return ns.BaseName() == "n"; };
  transport_.Answer(200, Page(std::string(kRecord) + "," + other));
  const auto found = namespaces_.FindByVolume("v", Budget(), is_first);
  ASSERT_TRUE(found.ok() && *found);
  EXPECT_EQ((*found)->uuid, ToUuid(kUuidA));
  transport_.Answer(200, Page(other));
  EXPECT_FALSE(*namespaces_.FindByVolume("v", Budget(), is_first));
}

TEST_F(NvmeNamespaceTest, IsClonedFromASnapshotByName) {
  NvmeNamespace ns;
  ns.path = "/vol/v/n";
  ns.volume_name = "v";
  transport_.Answer(201, Page(kRecord));
  ASSERT_TRUE(namespaces_.CloneFromSnapshot(ns, "s1", "copy", Budget()).ok());
  EXPECT_EQ(json::parse(transport_.last().body),
            json::parse(R"({"svm":{"name":"svm1"},"name":"/vol/v/copy",)"
                        R"("clone":{"source":{"name":"/vol/v/.snapshot/s1/n"}}})"));
  ns.path = "/vol/w/n";
  EXPECT_TRUE(
      FailedWith(namespaces_.CloneFromSnapshot(ns, "s1", "copy", Budget()), ErrorCode::kInternal))
      << "the record contradicts itself, and another volume's bytes are not wanted";
}

TEST_F(NvmeNamespaceTest, OverwritesAgainWhenTheAnswerIsLost) {
  transport_.Refuse(400, "72090011").Answer(200, "{}");
  ASSERT_TRUE(namespaces_.Overwrite(ToUuid(kUuidA), ToUuid(kUuidB), Budget()).ok());
  EXPECT_EQ(transport_.requests().size(), 2U);
  EXPECT_EQ(transport_.last().target, std::string("/api/storage/namespaces/") + kUuidA);
  EXPECT_EQ(json::parse(transport_.last().body),
            (json{{"clone", {{"source", {{"uuid", kUuidB}}}}}}));
}

TEST_F(NvmeNamespaceTest, DeletingWhatIsGoneIsSuccess) {
  transport_.Answer(200, "{}").Refuse(404, "4").Refuse(409, "72089796");
  EXPECT_TRUE(namespaces_.Delete(ToUuid(kUuidA), Budget()).ok());
  EXPECT_TRUE(namespaces_.Delete(ToUuid(kUuidA), Budget()).ok());
  EXPECT_FALSE(namespaces_.Delete(ToUuid(kUuidA), Budget()).ok()) << "it is mapped";
}

TEST_F(NvmeNamespaceTest, IsFoundByItsUuid) {
  transport_.Answer(200, kRecord).Refuse(404, "72090006");
  const auto found = namespaces_.FindByUuid(ToUuid(kUuidA), Budget());
  ASSERT_TRUE(found.ok() && *found);
  EXPECT_THAT(transport_.last().target,
              HasSubstr(std::string("/api/storage/namespaces/") + kUuidA + "?fields="));
  const auto missing = namespaces_.FindByUuid(ToUuid(kUuidA), Budget());
  ASSERT_TRUE(missing.ok());
  EXPECT_FALSE(*missing);
}

TEST_F(NvmeNamespaceTest, AnUnmappedOneHasNoSubsystem) {
  transport_.Answer(200, Page(R"({"uuid":"0000000a-0000-0000-0000-000000000000",
      "name":"/vol/v/n","status":{"state":"offline"}})"));
  const auto list = namespaces_.List("v*", Budget(), NamespaceMaps::kSkip);
  ASSERT_TRUE(list.ok());
  EXPECT_FALSE(list->front().subsystem_uuid);
  EXPECT_EQ(list->front().size, ByteCount{});
  EXPECT_THAT(transport_.last().target, Not(HasSubstr("subsystem_map")));
}

TEST_F(NvmeNamespaceTest, CreatesAndTakesTheSizeInForce) {
  transport_.Answer(201, Page(kRecord));
  const auto ns = CreateOne();
  ASSERT_TRUE(ns.ok()) << ns.error().Line();
  EXPECT_EQ(ns->uuid, ToUuid(kUuidA));
  EXPECT_EQ(ns->size, GiB(1));
  EXPECT_THAT(transport_.Lines(), ElementsAre("POST /api/storage/namespaces?return_records=true"));
  EXPECT_EQ(LastBody(), json::parse(R"({"svm":{"name":"svm1"},"name":"/vol/v/n",
      "os_type":"linux","space":{"size":1073741824,"block_size":4096},"comment":"mark"})"));
}

TEST_F(NvmeNamespaceTest, MayBeAJobOnNewerReleases) {
  rest_.SetRelease({9, 16, 1});
  transport_.Answer(202, R"({"job":{"uuid":"j"}})")
      .Answer(200, R"({"state":"success"})")
      .Answer(200, Page(kRecord));
  ASSERT_TRUE(CreateOne().ok());
  EXPECT_EQ(transport_.requests().front().target,
            "/api/storage/namespaces?return_records=true&return_timeout=20");
}

TEST_F(NvmeNamespaceTest, ReadsBackByUuidWhatTheAnswerLeavesOut) {
  transport_
      .Answer(201, Page(R"({"uuid":"0000000a-0000-0000-0000-000000000000","name":"/vol/v/n"})"))
      .Refuse(404, "72090006")
      .Answer(200, kRecord);
  EXPECT_EQ(CreateOne()->size, GiB(1));
  EXPECT_THAT(transport_.last().target,
              HasSubstr(std::string("/api/storage/namespaces/") + kUuidA + "?"));
}

TEST_F(NvmeNamespaceTest, ACreatedOneThatIsListedLateIsFound) {
  transport_.Answer(201, "{}")
      .Answer(200, Page(""))
      .Answer(200, Page(""))
      .Answer(200, Page(kRecord));
  EXPECT_EQ(CreateOne()->uuid, ToUuid(kUuidA));
  EXPECT_EQ(clock_.TakeSlept(), Duration(300));
}

TEST_F(NvmeNamespaceTest, ACreatedOneThatIsNeverListedLeavesTheOutcomeOpen) {
  transport_.Answer(201, "{}");
  for (int i = 0; i < 40; ++i) transport_.Answer(200, Page(""));
  const auto ns = CreateOne();
  ASSERT_FALSE(ns.ok());
  EXPECT_TRUE(ns.error().outcome_unknown());
}

TEST_F(NvmeNamespaceTest, ACreatedOneThatCannotBeReadLeavesTheOutcomeOpen) {
  transport_.Answer(201, Page(R"({"uuid":"not a UUID","name":"/vol/v/n"})"));
  const auto ns = CreateOne();
  ASSERT_TRUE(FailedWith(ns, ErrorCode::kInternal));
  EXPECT_TRUE(ns.error().outcome_unknown());
  EXPECT_EQ(transport_.requests().size(), 1U);
}

TEST_F(NvmeNamespaceTest, APathThatIsTakenIsToldAsSuch) {
  transport_.Refuse(409, "72089725");
  EXPECT_TRUE(FailedWith(CreateOne(), ErrorCode::kAlreadyExists));
}

TEST_F(NvmeNamespaceTest, AHalfMadeOneLeavesTheOutcomeOpenAndIsNotRepeated) {
  transport_.Refuse(400, "72090009");
  const auto ns = CreateOne();
  ASSERT_TRUE(FailedWith(ns, ErrorCode::kConflict));
  EXPECT_TRUE(ns.error().outcome_unknown());
  EXPECT_EQ(transport_.requests().size(), 1U);
}

TEST_F(NvmeNamespaceTest, GrowsButNeverShrinks) {
  transport_.Answer(200, "{}").Refuse(400, "72090038");
  ASSERT_TRUE(namespaces_.Grow(ToUuid(kUuidA), GiB(2), Budget()).ok());
  EXPECT_EQ(LastBody(), json::parse(R"({"space":{"size":2147483648}})"));
  EXPECT_EQ(transport_.Lines().back(), std::string("PATCH /api/storage/namespaces/") + kUuidA);
  EXPECT_TRUE(
      FailedWith(namespaces_.Grow(ToUuid(kUuidA), GiB(1), Budget()), ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace ontapnvme::ontap
