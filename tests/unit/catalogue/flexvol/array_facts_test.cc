// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/flexvol/facts/array_facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <tuple>

#include "catalogue/array.h"
#include "fakes/temporary_folder.h"
#include "unit/catalogue/flexvol/rig.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

// As release 2.0.0 wrote them.
const node::FactsFile::Facts kFields = {
    {"release", "9.16.1"},
    {"svm_uuid", "00112233-4455-6677-8899-aabbccddeeff"},
    {"subsystem_uuid", "ffeeddcc-bbaa-9988-7766-554433221100"},
    {"subsystem_nqn", "nqn.1992-08.com.netapp:sn.1:subsystem.pve"},
    {"host_nqn", "nqn.2014-08.org.nvmexpress:uuid:node1"},
    {"lifs", "192.0.2.10 192.0.2.11"},
    {"aggregate_encrypted", "1"},
    {"read_at", "1700000000"}};

TEST(ArrayFactsTest, KeepTheFormOfTheirFirstRelease) {
  const auto facts = ArrayFacts::Parse(kFields);
  ASSERT_TRUE(facts.has_value());
  EXPECT_EQ(facts->release, (ontap::Release{9, 16, 1}));
  EXPECT_EQ(facts->lif_addresses, (std::vector<std::string>{"192.0.2.10", "192.0.2.11"}));
  EXPECT_TRUE(facts->is_aggregate_encrypted);
  EXPECT_EQ(facts->read_at_s, 1700000000);
  EXPECT_EQ(facts->Fields(), kFields);
}

TEST(ArrayFactsTest, NothingIsReadWithoutWhatTheRestHangsOn) {
  for (const char* name : {"release", "svm_uuid", "subsystem_uuid", "subsystem_nqn"}) {
    auto fields = kFields;
    fields.erase(name);
    EXPECT_FALSE(ArrayFacts::Parse(fields).has_value()) << name;
    fields[name] = "";
    EXPECT_FALSE(ArrayFacts::Parse(fields).has_value()) << name;
  }
}

TEST(ArrayFactsTest, AReleaseThatMayNotBeReadIsKeptAsUnknown) {
  auto fields = kFields;
  fields["release"] = "unknown";
  const auto facts = ArrayFacts::Parse(fields);
  ASSERT_TRUE(facts.has_value());
  EXPECT_FALSE(facts->release.has_value());
  EXPECT_EQ(facts->Fields(), fields);
}

TEST(FactSourceTest, ANewProcessAsksForNothing) {
  TestArray array;
  Rig rig(array);
  rig.Restart();
  array.ClearLog();
  const auto target = rig.backend().Target(RigOptions().host_nqn, rig.Budget());
  ASSERT_TRUE(target.ok()) << target.error().Line();
  EXPECT_EQ(target->host_nqn, RigOptions().host_nqn);
  EXPECT_FALSE(target->addresses.empty());
  EXPECT_EQ(rig.backend().RememberedTarget(), *target);
  EXPECT_EQ(array.Count(), 0);
}

TEST(FactSourceTest, StaleFactsAreRefreshedAndKeepTheRegistration) {
  TestArray array;
  Rig rig(array);
  array.clock.Advance(std::chrono::minutes(61));
  array.ClearLog();
  ASSERT_TRUE(rig.backend().Target("", rig.Budget()).ok());
  EXPECT_GT(array.Count(), 0);
  array.ClearLog();
  ASSERT_TRUE(rig.backend().Target(RigOptions().host_nqn, rig.Budget()).ok());
  EXPECT_EQ(array.Count(), 0) << "the node's host NQN was not forgotten";
}

TEST(FactSourceTest, FactsOfALaterTimeAreRefreshed) {
  TestArray array;
  Rig rig(array);
  array.clock.Advance(-std::chrono::minutes(61));  // the clock of the node was set back
  array.ClearLog();
  ASSERT_TRUE(rig.backend().Target("", rig.Budget()).ok());
  EXPECT_GT(array.Count(), 0);
}

TEST(FactSourceTest, StaleFactsServeWhileTheArrayIsSilent) {
  TestArray array;
  Rig rig(array);
  array.clock.Advance(std::chrono::minutes(61));
  array.DropFrom(1);
  const auto target = rig.backend().Target(RigOptions().host_nqn, rig.Budget());
  EXPECT_TRUE(target.ok()) << target.error().Line();
  array.ClearLog();
  EXPECT_TRUE(rig.backend().Target(RigOptions().host_nqn, rig.Budget()).ok());
  EXPECT_EQ(array.Count(), 0) << "not asked again at once";
}

// ---- a question that is answered with a refusal

struct Question {
  const char* name;
  const char* path;
};

class StaleFactsTest : public testing::TestWithParam<std::tuple<Question, int>> {
 protected:
  StaleFactsTest() { array.clock.Advance(std::chrono::minutes(61)); }
  bool TargetServes() {
    const auto target = rig.backend().Target(RigOptions().host_nqn, rig.Budget());
    return target.ok() && !target->addresses.empty();
  }
  TestArray array;
  Rig rig{array};
};

TEST_P(StaleFactsTest, ServeWhileOneQuestionIsRefused) {
  const auto& [question, status] = GetParam();
  array.AddFault(
      {{"method", "GET"}, {"path", question.path}, {"status", status}, {"code", 6}, {"times", -1}});
  EXPECT_TRUE(TargetServes());
  EXPECT_TRUE(array.FaultFired());
  const std::string warned = rig.TakeLog();
  EXPECT_EQ(std::count(warned.begin(), warned.end(), '\n'), 1) << warned;
  // Neither at once, nor with a warning each time.
  array.ClearLog();
  EXPECT_TRUE(TargetServes());
  EXPECT_EQ(array.Count(), 0);
  for (int minute = 0; minute < 30; ++minute) {
    array.clock.Advance(std::chrono::minutes(1));
    EXPECT_TRUE(TargetServes());
  }
  EXPECT_GT(array.Count(), 0) << "it is tried again";
  EXPECT_EQ(rig.TakeLog(), "");
  array.ClearFaults();
  array.clock.Advance(std::chrono::minutes(17));
  array.ClearLog();
  EXPECT_TRUE(TargetServes());
  EXPECT_GT(array.Count(), 3) << "and read anew";
}

INSTANTIATE_TEST_SUITE_P(
    Each, StaleFactsTest,
    testing::Combine(testing::Values(Question{"svm", "/svm/svms"},
                                     Question{"subsystem", "/protocols/nvme/subsystems"},
                                     Question{"lifs", "/network/ip/interfaces"}),
                     testing::Values(403, 500)),
    [](const auto& tested) {
      return std::get<0>(tested.param).name + std::to_string(std::get<1>(tested.param));
    });

TEST(FactSourceTest, AnErrorOfTheClusterIsNoReasonToStop) {
  TestArray array;
  Rig rig(array);
  array.clock.Advance(std::chrono::minutes(61));
  array.AddFault({{"method", "GET"}, {"path", "/api/cluster"}, {"status", 500}, {"times", -1}});
  EXPECT_TRUE(rig.backend().Target(RigOptions().host_nqn, rig.Budget()).ok());
  EXPECT_TRUE(array.FaultFired());
}

// ---- rights that cost a feature only

TEST(FactSourceTest, WithoutTheReleaseTheRestIsKnown) {
  TestArray array;
  array.Set("permissions", {{"admin", {"GET /api/cluster"}}});
  Rig rig(array);
  rig.Restart();
  const auto target = rig.backend().RefreshTarget(RigOptions().host_nqn, rig.Budget());
  ASSERT_TRUE(target.ok()) << target.error().Line();
  const auto fields = rig.node().facts.Load();
  ASSERT_TRUE(fields.has_value());
  EXPECT_EQ(fields->at("release"), "unknown");
  EXPECT_TRUE(ArrayFacts::Parse(*fields).has_value());
  EXPECT_EQ(rig.TakeLog(), "") << "said once, when the storage was first used";
  EXPECT_EQ(rig.Make("vm-100-disk-0").volume.container_name, "t_vm_100_disk_0");
}

TEST(FactSourceTest, AReleaseThatWasKnownStaysKnown) {
  TestArray array;
  Rig rig(array);
  array.Set("permissions", {{"admin", {"GET /api/cluster"}}});
  ASSERT_TRUE(rig.backend().RefreshTarget(RigOptions().host_nqn, rig.Budget()).ok());
  EXPECT_EQ(rig.node().facts.Load()->at("release"), "9.16.1");
  EXPECT_THAT(rig.TakeLog(), testing::HasSubstr("access 'readonly' to /api/cluster"));
}

TEST(FactSourceTest, WithoutTheAggregateEncryptionIsAskedForByTheVolume) {
  TestArray array;
  array.Set("permissions", {{"admin", {"GET /api/storage/aggregates"}}});
  Rig rig(array, {.settings = {{"aggregate", "aggr_nae"}, {"encryption", "1"}}});
  rig.Make("vm-100-disk-0");
  EXPECT_NE(array.FindVolume("t_vm_100_disk_0")->encryption_type, "none");
}

TEST(FactSourceTest, AnAggregateThatCannotBeReadAgainIsWhatItWas) {
  const nlohmann::json is_empty = {{"empty", true}};
  const nlohmann::json is_denied = {{"status", 403}, {"code", 6}};
  for (const auto& fault : {is_empty, is_denied}) {
    TestArray array;
    Rig rig(array, {.settings = {{"aggregate", "aggr_nae"}}});
    const auto before = rig.node().facts.Load();
    ASSERT_EQ(before->at("aggregate_encrypted"), "1");
    nlohmann::json rule = {{"method", "GET"}, {"path", "storage/aggregates\\?"}, {"times", -1}};
    rule.update(fault);
    array.AddFault(rule);
    ASSERT_TRUE(rig.backend().RefreshTarget(RigOptions().host_nqn, rig.Budget()).ok());
    EXPECT_TRUE(array.FaultFired());
    EXPECT_EQ(rig.node().facts.Load()->at("aggregate_encrypted"), "1") << fault;
    EXPECT_EQ(rig.node().facts.Load()->at("aggregate_uuid"), before->at("aggregate_uuid"));
  }
}

TEST(FactSourceTest, ForgettingLeavesNothing) {
  TestArray array;
  Rig rig(array);
  rig.backend().Forget();
  EXPECT_FALSE(rig.backend().RememberedTarget().has_value());
  rig.Restart();
  EXPECT_FALSE(rig.backend().RememberedTarget().has_value());
}

// ---- portals by name

class NamedPortalTest : public testing::Test {
 protected:
  // Returns the path of a program that says that.
  std::string Resolver(const std::string& body) {
    const auto path = folder.Write("resolver", "#!/bin/sh\n" + body + "\n");
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path;
  }
  Result<FabricTarget> Refresh() {
    return rig.backend().RefreshTarget(RigOptions().host_nqn, rig.Budget());
  }

  fakes::TemporaryFolder folder;
  TestArray array;
  Rig rig{array,
          {.settings = {{"ontap_portal", "lif1.example"}, {"ontap_portal2", "192.0.2.12"}},
           .resolver = Resolver("echo '192.0.2.11 STREAM lif1.example'")}};
};

TEST_F(NamedPortalTest, AddressesServeWhileTheResolverDoesNotAnswer) {
  const std::vector<std::string> addresses{"192.0.2.11", "192.0.2.12"};
  ASSERT_EQ(Refresh()->addresses, addresses);
  EXPECT_EQ(rig.TakeLog(), "");
  Resolver("exit 2");
  const auto target = Refresh();
  ASSERT_TRUE(target.ok()) << target.error().Line();
  EXPECT_EQ(target->addresses, addresses);
  EXPECT_THAT(rig.TakeLog(), testing::HasSubstr("cannot resolve portal 'lif1.example'"));
  ASSERT_TRUE(Refresh().ok());
  EXPECT_EQ(rig.TakeLog(), "") << "once a day";
}

TEST_F(NamedPortalTest, NameWithoutAnAddressIsNoSilenceOfTheArray) {
  ASSERT_TRUE(Refresh().ok());
  Resolver("exit 2");
  rig.node().names.Forget();
  const auto target = Refresh();
  ASSERT_TRUE(FailedWith(target, ErrorCode::kUnavailable));
  EXPECT_FALSE(IsArraySilent(target.error())) << target.error().Line();
  // Facts that are stale serve, and the operator gets to know why.
  array.clock.Advance(std::chrono::minutes(61));
  EXPECT_TRUE(rig.backend().Target(RigOptions().host_nqn, rig.Budget()).ok());
  EXPECT_THAT(rig.TakeLog(), testing::HasSubstr("cannot resolve portal 'lif1.example'"));
}

}  // namespace
}  // namespace ontapnvme::catalogue::flexvol
