// SPDX-License-Identifier: AGPL-3.0-or-later
// What a storage asks of the array before it has a disk: release, SVM, LIFs, capacity, policies,
// subsystem and hosts.
#include "contract/array_under_test.h"

namespace ontapnvme::contract {
namespace {

using nlohmann::json;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kHostNqn =
    "nqn.2014-08.org.nvmexpress:uuid:11111111-2222-3333-4444-555555555555";

class ServiceContract : public ContractFixture {};
INSTANTIATE_TEST_SUITE_P(Array, ServiceContract, ::testing::ValuesIn(Variants()), VariantName);

TEST_P(ServiceContract, TellsItsRelease) {
  EXPECT_GE(release(), ontap::kOldestSupported);
  if (!IsReal()) {
    EXPECT_EQ(release().Text(), GetParam().release);
  }
}

TEST_P(ServiceContract, ShowsTheSvmWithItsAggregates) {
  const auto svm = svms_->Read(address_.svm, Budget());
  ASSERT_SUCCEEDS(svm);
  EXPECT_EQ(svm->name, address_.svm);
  EXPECT_EQ(svm->state, "running");
  EXPECT_TRUE(svm->IsRunning());
  EXPECT_TRUE(svm->is_nvme_allowed);
  EXPECT_THAT(svm->aggregate_names, Contains(address_.aggregate));
}

TEST_P(ServiceContract, FindsWhatWasRenamedByItsUuid) {
  const auto svm = svms_->Read(address_.svm, Budget());
  const auto aggregate = svms_->ReadAggregate(address_.aggregate, Budget());
  ASSERT_SUCCEEDS(svm);
  ASSERT_SUCCEEDS(aggregate);
  const auto same_svm = svms_->FindByUuid(svm->uuid, Budget());
  ASSERT_SUCCEEDS(same_svm);
  ASSERT_TRUE(same_svm->has_value());
  EXPECT_EQ((*same_svm)->name, address_.svm);
  const auto same_aggregate = svms_->FindAggregateByUuid(aggregate->uuid, Budget());
  ASSERT_SUCCEEDS(same_aggregate);
  ASSERT_TRUE(same_aggregate->has_value());
  EXPECT_EQ((*same_aggregate)->name, address_.aggregate);
  // Neither is the other.
  const auto no_svm = svms_->FindByUuid(aggregate->uuid, Budget());
  const auto no_aggregate = svms_->FindAggregateByUuid(svm->uuid, Budget());
  ASSERT_SUCCEEDS(no_svm);
  ASSERT_SUCCEEDS(no_aggregate);
  EXPECT_FALSE(no_svm->has_value());
  EXPECT_FALSE(no_aggregate->has_value());
}

TEST_P(ServiceContract, KnowsNoOtherSvm) {
  EXPECT_FAILS_WITH(svms_->Read("no_such_svm", Budget()), ErrorCode::kNotFound);
}

TEST_P(ServiceContract, RunsTheNvmeService) {
  const auto is_enabled = svms_->IsNvmeServiceEnabled(address_.svm, Budget());
  ASSERT_SUCCEEDS(is_enabled);
  EXPECT_TRUE(*is_enabled);
}

TEST_P(ServiceContract, ShowsTheDataLifs) {
  const auto lifs = svms_->ListNvmeTcpLifs(address_.svm, Budget());
  ASSERT_SUCCEEDS(lifs);
  EXPECT_FALSE(lifs->empty());
  for (const auto& lif : *lifs) {
    EXPECT_FALSE(lif.address.empty());
    EXPECT_FALSE(lif.home_node.empty());
  }
}

TEST_P(ServiceContract, TellsTheSpaceOfAnAggregate) {
  const auto aggregate = svms_->ReadAggregate(address_.aggregate, Budget());
  ASSERT_SUCCEEDS(aggregate);
  EXPECT_GT(aggregate->size, ByteCount{});
  EXPECT_LE(aggregate->available, aggregate->size);
  EXPECT_FAILS_WITH(svms_->ReadAggregate("no_such_aggregate", Budget()), ErrorCode::kNotFound);
}

TEST_P(ServiceContract, TellsTheSpaceOfADelegatedAggregateWhereItCan) {
  const auto available = svms_->ReadDelegatedAvailable(address_.svm, address_.aggregate, Budget());
  ASSERT_SUCCEEDS(available);
  if (!IsReal()) {
    EXPECT_EQ(available->has_value(), release() >= (ontap::Release{9, 12, 1}));
  }
}

TEST_P(ServiceContract, TellsTheLimitOfAnSvm) {
  ASSERT_SUCCEEDS(svms_->ReadCapacity(address_.svm, Budget()));
  if (IsReal()) return;
  simulator_->Control({{"cmd", "set"}, {"storage_limit", {{"svm1", GiB(500).bytes()}}}});
  const auto capacity = svms_->ReadCapacity(address_.svm, Budget());
  ASSERT_SUCCEEDS(capacity);
  const bool is_told = release() >= (ontap::Release{9, 14, 1});
  EXPECT_EQ(capacity->limit.has_value(), is_told);
  EXPECT_EQ(capacity->allocated.has_value(), is_told);
}

TEST_P(ServiceContract, KnowsItsPolicies) {
  EXPECT_TRUE(*svms_->SnapshotPolicyExists(address_.svm, "none", Budget()));
  EXPECT_FALSE(*svms_->SnapshotPolicyExists(address_.svm, "no_such_policy", Budget()));
  EXPECT_FALSE(*svms_->QosPolicyExists(address_.svm, "no_such_policy", false, Budget()));
  if (IsReal()) return;
  EXPECT_TRUE(*svms_->QosPolicyExists(address_.svm, "gold", false, Budget()));
  EXPECT_FALSE(*svms_->QosPolicyExists(address_.svm, "gold", true, Budget()));
  EXPECT_TRUE(*svms_->QosPolicyExists(address_.svm, "adaptive1", true, Budget()));
}

TEST_P(ServiceContract, SpecialCharactersInNamesAreLiteral) {
  for (const char* name :
       {"*", "svm*", "svm1|svm2", "!svm2", "null", "a\"b", "{svm1}", "a..b", "<z"}) {
    EXPECT_FAILS_WITH(svms_->Read(name, Budget()), ErrorCode::kNotFound);
  }
}

TEST_P(ServiceContract, KeepsASubsystemWithItsHosts) {
  const auto subsystem = Subsystem();
  EXPECT_THAT(subsystem.target_nqn, HasSubstr(":subsystem.ontapnvme_contract"));
  EXPECT_FAILS_WITH(subsystems_->Create(subsystem.name, "", Budget()), ErrorCode::kAlreadyExists);

  for (int twice = 0; twice < 2; ++twice) {
    ASSERT_SUCCEEDS(subsystems_->AddHost(subsystem.uuid, kHostNqn, {}, Budget()));
  }
  EXPECT_THAT((*subsystems_->Find(subsystem.name, Budget()))->host_nqns, Contains(kHostNqn));
  for (int twice = 0; twice < 2; ++twice) {
    ASSERT_SUCCEEDS(subsystems_->RemoveHost(subsystem.uuid, kHostNqn, Budget()));
  }
  EXPECT_THAT((*subsystems_->Find(subsystem.name, Budget()))->host_nqns, Not(Contains(kHostNqn)));
  const auto none = subsystems_->Find("no_such_subsystem", Budget());
  ASSERT_SUCCEEDS(none);
  EXPECT_FALSE(*none);
}

TEST_P(ServiceContract, DeletesASubsystemThatNobodyUses) {
  constexpr const char* kName = "ontapnvme_contract_scratch";
  auto made = subsystems_->FindWithComment(kName, Budget());
  ASSERT_SUCCEEDS(made);
  if (!*made) {
    ASSERT_SUCCEEDS(subsystems_->Create(kName, "made by the contract suite", Budget()));
    made = subsystems_->FindWithComment(kName, Budget());
    ASSERT_SUCCEEDS(made);
  }
  ASSERT_TRUE(*made);
  EXPECT_EQ((*made)->comment, "made by the contract suite");
  for (int twice = 0; twice < 2; ++twice) {
    ASSERT_SUCCEEDS(subsystems_->Delete((*made)->uuid, Budget()));
  }
  const auto gone = subsystems_->FindWithComment(kName, Budget());
  ASSERT_SUCCEEDS(gone);
  EXPECT_FALSE(*gone);
}

TEST_P(ServiceContract, TakesTheSecretsOfAHostWhereItCan) {
  const auto subsystem = Subsystem();
  ontap::HostSecurity security;
  security.dhchap_host_secret =
      Secret("DHHC-1:00:ia6zGodOr4SEG0Zzaw398rpY0wqipUWj4jWjUh4HWUz6aQ2n:");
  const Status added = subsystems_->AddHost(subsystem.uuid, kHostNqn, security, Budget());
  if (release() < ontap::kDhChap) {
    EXPECT_FAILS_WITH(added, ErrorCode::kUnsupported);
    return;
  }
  ASSERT_SUCCEEDS(added);
  ASSERT_SUCCEEDS(subsystems_->RemoveHost(subsystem.uuid, kHostNqn, Budget()));
}

TEST_P(ServiceContract, ListsTheConnectionsToASubsystem) {
  const auto subsystem = Subsystem();
  ASSERT_SUCCEEDS(subsystems_->ListConnections(subsystem.uuid, Budget()));
  if (IsReal()) return;  // who is connected to it is not known here
  const json host{{"nqn", kHostNqn},
                  {"id", "1b4e28ba2fa111d2883f0016d3cca427"},
                  {"transport_address", "10.77.0.1"}};
  simulator_->Control({{"cmd", "controllers"},
                       {"subsystem", subsystem.name},
                       {"controllers", {{{"id", "0041h"}, {"host", host}}}}});
  const auto connections = subsystems_->ListConnections(subsystem.uuid, Budget());
  ASSERT_SUCCEEDS(connections);
  ASSERT_EQ(connections->size(), 1U);
  EXPECT_EQ(connections->front().host_nqn, kHostNqn);
  EXPECT_EQ(connections->front().host_id, "1b4e28ba2fa111d2883f0016d3cca427");
  EXPECT_EQ(connections->front().address, "10.77.0.1");
}

TEST_P(ServiceContract, TellsTheTime) {
  ASSERT_SUCCEEDS(svms_->Read(address_.svm, Budget()));
  if (IsReal()) {
    RecordProperty("tells_time", svms_->ClockAhead().has_value());
    return;
  }
  ASSERT_TRUE(svms_->ClockAhead());
  EXPECT_LE(std::chrono::abs(*svms_->ClockAhead()), std::chrono::seconds(60));
  simulator_->Control({{"cmd", "set"}, {"clock_ahead_s", 7200}});
  ASSERT_SUCCEEDS(svms_->Read(address_.svm, Budget()));
  EXPECT_GE(*svms_->ClockAhead(), std::chrono::seconds(7140));
  simulator_->Control({{"cmd", "set"}, {"date_header", "left_out"}});
  ASSERT_SUCCEEDS(svms_->Read(address_.svm, Budget()));
  EXPECT_FALSE(svms_->ClockAhead());
}

TEST_P(ServiceContract, TellsWhatSeveralAdministratorsVerify) {
  auto verification = svms_->ReadMultiAdminVerification(Budget());
  ASSERT_SUCCEEDS(verification);
  if (IsReal()) return;
  EXPECT_FALSE(verification->is_on);
  simulator_->Control(
      {{"cmd", "set"},
       {"multi_admin_on", true},
       {"multi_admin_rules", json::array({"volume delete", "security login create"})}});
  verification = svms_->ReadMultiAdminVerification(Budget());
  ASSERT_SUCCEEDS(verification);
  const bool has_it = release() >= (ontap::Release{9, 11, 1});
  EXPECT_EQ(verification->is_on, has_it);
  EXPECT_EQ(verification->operations.size(), has_it ? 2U : 0U);
}

TEST_P(ServiceContract, RefusesAWrongPassword) {
  auto options = Options();
  options.password = Secret("wrong");
  http::CurlTransport transport(std::move(options));
  ontap::RestClient rest(transport, log_, [] { return 0.5; });
  const auto cluster = ontap::Svms(rest).ReadCluster(Budget());
  EXPECT_FAILS_WITH(cluster, ErrorCode::kUnauthenticated);
}

TEST_P(ServiceContract, LetsAnAccountOfAnSvmDoWhatItMay) {
  if (IsReal()) GTEST_SKIP() << "the account of a real array is given from outside";
  auto options = Options();
  options.username = "vsadmin";
  http::CurlTransport transport(std::move(options));
  ontap::RestClient rest(transport, log_, [] { return 0.5; });
  ontap::Svms svms(rest);
  ASSERT_SUCCEEDS(svms.ReadCluster(Budget()));
  ASSERT_SUCCEEDS(svms.Read("svm1", Budget()));
  EXPECT_FAILS_WITH(svms.Read("svm2", Budget()), ErrorCode::kNotFound);
  EXPECT_FAILS_WITH(svms.ReadAggregate("aggr1", Budget()), ErrorCode::kPermissionDenied);
}

}  // namespace
}  // namespace ontapnvme::contract
