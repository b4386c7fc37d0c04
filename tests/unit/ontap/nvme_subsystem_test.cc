// SPDX-License-Identifier: AGPL-3.0-or-later
#include "ontap/nvme_subsystem.h"

#include "unit/ontap/rest_fixture.h"

namespace ontapnvme::ontap {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kNqn = "nqn.2014-08.org.nvmexpress:uuid:1";
constexpr const char* kRecord = R"({
    "uuid":"0000000a-0000-0000-0000-000000000000","name":"pve",
    "target_nqn":"nqn.1992-08.com.netapp:sn.1:subsystem.pve",
    "hosts":[{"nqn":"nqn.2014-08.org.nvmexpress:uuid:1"},{"nqn":"nqn.x"}]})";

std::string Page(const std::string& records) {
  return R"({"records":[)" + records + "]}";
}

class NvmeSubsystemTest : public RestFixture {
 protected:
  const Uuid subsystem_ = ToUuid(kUuidA);
  const Uuid namespace_ = ToUuid(kUuidB);
  NvmeSubsystems subsystems_{rest_, "svm1"};
};

TEST_F(NvmeSubsystemTest, IsFoundWithItsHosts) {
  transport_.Answer(200, Page(kRecord));
  const auto found = subsystems_.Find("pve", Budget());
  ASSERT_TRUE(found.ok() && *found);
  EXPECT_EQ((*found)->uuid, subsystem_);
  EXPECT_EQ((*found)->target_nqn, "nqn.1992-08.com.netapp:sn.1:subsystem.pve");
  EXPECT_THAT((*found)->host_nqns, ElementsAre(kNqn, "nqn.x"));
  EXPECT_THAT(transport_.Lines(),
              ElementsAre("GET /api/protocols/nvme/subsystems?svm.name=svm1&name=pve"
                          "&fields=name,uuid,target_nqn,hosts.nqn"));
  transport_.Answer(200, Page(""));
  EXPECT_FALSE(*subsystems_.Find("pve", Budget()));
}

TEST_F(NvmeSubsystemTest, IsCreated) {
  transport_.Answer(201, Page(kRecord)).Refuse(409, "72090025");
  const auto created = subsystems_.Create("pve", "mark", Budget());
  ASSERT_TRUE(created.ok());
  EXPECT_EQ(created->uuid, subsystem_);
  EXPECT_EQ(transport_.Lines().back(), "POST /api/protocols/nvme/subsystems?return_records=true");
  EXPECT_EQ(LastBody(), json::parse(R"({"svm":{"name":"svm1"},"name":"pve","os_type":"linux",
      "comment":"mark"})"));
  EXPECT_TRUE(FailedWith(subsystems_.Create("pve", "", Budget()), ErrorCode::kAlreadyExists));
}

TEST_F(NvmeSubsystemTest, ItsNameOnTheWireIsReadBackWhenTheAnswerLacksIt) {
  transport_.Answer(201, "{}").Answer(200, Page(kRecord));
  EXPECT_FALSE(subsystems_.Create("pve", "", Budget())->target_nqn.empty());
}

TEST_F(NvmeSubsystemTest, AddsAHostOnceOrTwice) {
  transport_.LoseAnswer().Refuse(409, "72089705");
  ASSERT_TRUE(subsystems_.AddHost(subsystem_, kNqn, {}, Budget()).ok());
  EXPECT_EQ(transport_.Lines().back(),
            std::string("POST /api/protocols/nvme/subsystems/") + kUuidA + "/hosts");
  EXPECT_EQ(LastBody(), (json{{"nqn", kNqn}}));
}

TEST_F(NvmeSubsystemTest, AddsAHostWithSecrets) {
  HostSecurity security;
  security.dhchap_host_secret = Secret("DHHC-1:00:aGVsbG8=:");
  security.dhchap_controller_secret = Secret("DHHC-1:00:d29ybGQ=:");
  security.tls_psk = Secret("NVMeTLSkey-1:01:cHNr:");
  transport_.Answer(201, "{}");
  ASSERT_TRUE(subsystems_.AddHost(subsystem_, kNqn, security, Budget()).ok());
  EXPECT_EQ(LastBody(), json::parse(R"({"nqn":"nqn.2014-08.org.nvmexpress:uuid:1",
      "dh_hmac_chap":{"host_secret_key":"DHHC-1:00:aGVsbG8=:",
                      "controller_secret_key":"DHHC-1:00:d29ybGQ=:"},
      "tls":{"key_type":"configured","configured_psk":"NVMeTLSkey-1:01:cHNr:"}})"));
}

TEST_F(NvmeSubsystemTest, NoSecretAppearsInAnErrorOrTheLog) {
  HostSecurity security;
  security.dhchap_host_secret = Secret("DHHC-1:00:aGVsbG8=:");
  transport_.Refuse(400, "72089716");
  const Status added = subsystems_.AddHost(subsystem_, kNqn, security, Budget());
  ASSERT_TRUE(FailedWith(added, ErrorCode::kInvalidArgument));
  EXPECT_THAT(added.error().Line(), Not(HasSubstr("aGVsbG8")));
  for (const LogRecord& record : log_.Take()) EXPECT_THAT(record.text, Not(HasSubstr("aGVsbG8")));
}

TEST_F(NvmeSubsystemTest, SecretsThatNoReleaseOrArrayTakesAreNotSent) {
  const auto add = [&](const char* host, const char* controller, const char* psk) {
    HostSecurity security;
    security.dhchap_host_secret = Secret(host);
    security.dhchap_controller_secret = Secret(controller);
    security.tls_psk = Secret(psk);
    return subsystems_.AddHost(subsystem_, kNqn, security, Budget());
  };
  EXPECT_TRUE(FailedWith(add("", "DHHC-1:x", ""), ErrorCode::kInvalidArgument));
  EXPECT_TRUE(FailedWith(add("a\"b", "", ""), ErrorCode::kInvalidArgument));
  EXPECT_TRUE(FailedWith(add("a\n", "", ""), ErrorCode::kInvalidArgument));
  EXPECT_TRUE(FailedWith(add("", "", "a\\b"), ErrorCode::kInvalidArgument));
  rest_.SetRelease({9, 11, 1});
  EXPECT_TRUE(FailedWith(add("DHHC-1:x", "", ""), ErrorCode::kUnsupported));
  EXPECT_TRUE(FailedWith(add("", "", "psk"), ErrorCode::kUnsupported));
  EXPECT_TRUE(transport_.requests().empty());
  EXPECT_TRUE(FailedWith(subsystems_.AddHost(subsystem_, "n\"qn", {}, Budget()),
                         ErrorCode::kInvalidArgument));
}

TEST_F(NvmeSubsystemTest, ListsConnectionsWithTheAddressAlone) {
  transport_.Answer(200, R"({"records":[
      {"id":"0041h","host":{"nqn":"nqn.a","id":"1b4e","transport_address":"10.0.0.1"}},
      {"id":"0042h","host":{"nqn":"nqn.b","transport_address":"10.0.0.2:4420"}},
      {"id":"0043h","host":{"nqn":"nqn.c","transport_address":"[2001:db8::1]:4420"}},
      {"id":"0044h","host":{"nqn":"nqn.d","transport_address":"2001:db8::2"}},
      {"id":"0045h"}],"num_records":5})");
  const auto connections = subsystems_.ListConnections(subsystem_, Budget());
  ASSERT_TRUE(connections.ok()) << connections.error().Line();
  std::string text;
  for (const auto& one : *connections) text += one.host_nqn + "=" + one.address + " ";
  EXPECT_EQ(text, "nqn.a=10.0.0.1 nqn.b=10.0.0.2 nqn.c=2001:db8::1 nqn.d=2001:db8::2 = ");
  EXPECT_EQ(connections->front().host_id, "1b4e");
}

TEST_F(NvmeSubsystemTest, RemovesAHost) {
  transport_.Answer(200, "{}").Refuse(404, "72090022");
  ASSERT_TRUE(subsystems_.RemoveHost(subsystem_, kNqn, Budget()).ok());
  EXPECT_EQ(transport_.Lines().back(), std::string("DELETE /api/protocols/nvme/subsystems/") +
                                           kUuidA + "/hosts/nqn.2014-08.org.nvmexpress%3Auuid%3A1");
  EXPECT_TRUE(subsystems_.RemoveHost(subsystem_, kNqn, Budget()).ok());
}

TEST_F(NvmeSubsystemTest, Maps) {
  transport_.Answer(201, "{}").LoseAnswer().Refuse(409, "72089790");
  ASSERT_TRUE(subsystems_.Map(namespace_, "pve", Budget()).ok());
  EXPECT_EQ(transport_.Lines().back(), "POST /api/protocols/nvme/subsystem-maps");
  EXPECT_EQ(LastBody(), json::parse(R"({"svm":{"name":"svm1"},"subsystem":{"name":"pve"},
      "namespace":{"uuid":"0000000b-0000-0000-0000-000000000000"}})"));
  EXPECT_TRUE(subsystems_.Map(namespace_, "pve", Budget()).ok());
}

TEST_F(NvmeSubsystemTest, AMapElsewhereIsAConflictThatNamesIt) {
  transport_.Refuse(400, "72089799999").Answer(200, Page(R"({"subsystem":{"name":"other"}})"));
  const Status mapped = subsystems_.Map(namespace_, "pve", Budget());
  ASSERT_TRUE(FailedWith(mapped, ErrorCode::kConflict));
  EXPECT_THAT(mapped.error().reason(), HasSubstr("'other'"));
}

TEST_F(NvmeSubsystemTest, AMapHereIsASuccessWhateverTheCode) {
  transport_.Refuse(409, "5").Answer(200, Page(R"({"subsystem":{"name":"pve"}})"));
  EXPECT_TRUE(subsystems_.Map(namespace_, "pve", Budget()).ok());
}

TEST_F(NvmeSubsystemTest, WithoutAMapTheRefusalStands) {
  transport_.Refuse(400, "72089902").Answer(200, Page(""));
  EXPECT_TRUE(FailedWith(subsystems_.Map(namespace_, "pve", Budget()), ErrorCode::kConflict));
  transport_.Refuse(403, "6");
  EXPECT_TRUE(
      FailedWith(subsystems_.Map(namespace_, "pve", Budget()), ErrorCode::kPermissionDenied));
}

TEST_F(NvmeSubsystemTest, Unmaps) {
  transport_.Answer(200, "{}").Refuse(404, "72090019").Refuse(404, "4");
  ASSERT_TRUE(subsystems_.Unmap(subsystem_, namespace_, Budget()).ok());
  EXPECT_EQ(transport_.Lines().back(),
            std::string("DELETE /api/protocols/nvme/subsystem-maps/") + kUuidA + "/" + kUuidB);
  EXPECT_TRUE(subsystems_.Unmap(subsystem_, namespace_, Budget()).ok());
  EXPECT_TRUE(subsystems_.Unmap(subsystem_, namespace_, Budget()).ok());
}

}  // namespace
}  // namespace ontapnvme::ontap
