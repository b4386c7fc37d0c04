// SPDX-License-Identifier: AGPL-3.0-or-later
// What looking at a storage says: nothing of a healthy one, and of one that has a single fault the one
// check that is about it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <set>

#include "fault/storage_rig.h"

namespace ontapnvme::fault {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ExamineTest : public testing::Test {
 protected:
  void Begin(const Settings& settings = {}) {
    rig.emplace(array, RigOptions{.settings = settings});
    ASSERT_TRUE(rig->storage().Activate().ok());
    rig->MustAllocate(100);
    array.ClearLog();
  }
  CheckResults Examine() {
    auto results = rig->storage().Examine();
    EXPECT_TRUE(results.ok());
    return results.ok() ? *results : CheckResults{};
  }
  TestArray array;
  std::optional<StorageRig> rig;
};

// "check outcome" of each that is as asked.
std::vector<std::string> Named(const CheckResults& results, std::set<CheckOutcome> outcomes) {
  std::vector<std::string> names;
  for (const auto& result : results) {
    if (!outcomes.contains(result.outcome)) continue;
    names.push_back(result.check + (result.outcome == CheckOutcome::kFail ? " fail" : ""));
  }
  return names;
}

std::vector<std::string> Complaints(const CheckResults& results) {
  return Named(results, {CheckOutcome::kWarn, CheckOutcome::kFail});
}

std::vector<std::string> Checks(const CheckResults& results) {
  std::vector<std::string> checks;
  for (const auto& result : results) checks.push_back(result.check);
  return checks;
}

TEST_F(ExamineTest, AHealthyStorageHasNoComplaintAndNothingIsChanged) {
  Begin({{"qos_policy", "gold"}, {"snapshot_policy", "hourly"}});
  const auto results = Examine();
  EXPECT_THAT(Complaints(results), IsEmpty());
  EXPECT_THAT(Named(results, {CheckOutcome::kSkipped}), IsEmpty());
  for (const auto& request : array.Requests()) EXPECT_THAT(request, testing::StartsWith("GET "));
  EXPECT_LE(array.Count(), 22);
}

TEST_F(ExamineTest, SoHasOneOfAnAccountOfTheSvm) {
  Begin({{"username", "vsadmin"}, {"svm_scoped", "1"}});
  EXPECT_THAT(Complaints(Examine()), IsEmpty());
}

struct Trouble {
  const char* name;
  const char* complaint;
  const char* text;
  const char* remedy;
  std::function<void(TestArray&, StorageRig&)> cause;
  Settings settings = {};
};

void Deny(TestArray& array, const char* what) {
  array.Set("permissions", {{"admin", {what}}});
}

sim::Svm& SvmOf(TestArray& array) {
  return *array.sim.world().FindSvm("svm1");
}

std::vector<Trouble> Troubles() {
  return {
      {"ArrayIsSilent", "array fail", "lost the connection", "curl -v https://",
       [](TestArray& array, StorageRig&) {
         array.AddFault({{"drop_before", true}, {"times", -1}});
       }},
      {"AccountIsRefused", "account fail", "right password", "pvesm set tank --password",
       [](TestArray& array, StorageRig&) {
         array.sim.world().accounts.front().password = "another";
       }},
      {"ClusterMayNotBeRead", "release", "may not", "-access readonly -api /api/cluster",
       [](TestArray& array, StorageRig&) { Deny(array, "GET /api/cluster"); }},
      {"ReleaseIsTooOld", "release fail", "9.9.1", "system node image show",
       [](TestArray& array, StorageRig&) {
         array.sim.world().settings.release = *sim::Release::Parse("9.9.1");
       }},
      {"SvmIsGone", "svm fail", "svm1", "vserver show",
       [](TestArray& array, StorageRig&) { SvmOf(array).name = "other"; }},
      {"SvmMayNotBeRead", "svm fail", "may not", "-api /api/svm/svms",
       [](TestArray& array, StorageRig&) { Deny(array, "GET /api/svm/svms"); }},
      {"SvmIsStopped", "svm-state fail", "'stopped'", "vserver start -vserver svm1",
       [](TestArray& array, StorageRig&) { SvmOf(array).state = "stopped"; }},
      {"SvmDoesNotAllowNvme", "svm-protocol fail", "NVMe", "vserver add-protocols -vserver svm1",
       [](TestArray& array, StorageRig&) { SvmOf(array).is_nvme_allowed = false; }},
      {"NvmeServiceIsOff", "nvme-service fail", "is off", "vserver nvme modify -vserver svm1",
       [](TestArray& array, StorageRig&) { SvmOf(array).is_nvme_enabled = false; }},
      {"NvmeServiceMayNotBeRead", "nvme-service", "may not", "-api /api/protocols/nvme/services",
       [](TestArray& array, StorageRig&) { Deny(array, "GET /api/protocols/nvme/services"); }},
      {"AggregateIsGone",
       "aggregate fail",
       "'nope'",
       "storage aggregate show",
       [](TestArray&, StorageRig&) {},
       {{"aggregate", "nope"}}},
      {"AggregateIsFull", "space", "% used", "ontapnvme status tank",
       [](TestArray& array, StorageRig&) {
         auto& aggregate = *array.sim.world().FindAggregate("aggr1");
         aggregate.foreign_used_bytes = aggregate.size_bytes / 100 * 92;
       }},
      {"OneLifIsDown", "lifs", "127.0.0.2", "network interface show -vserver svm1",
       [](TestArray& array, StorageRig&) {
         array.Set("lif", {{"name", "127.0.0.2"}, {"state", "down"}});
       }},
      {"AllLifsAreDown", "lifs fail", "no NVMe/TCP data LIF", "network interface show",
       [](TestArray& array, StorageRig&) {
         for (auto& lif : array.sim.world().lifs) lif.is_up = false;
       }},
      {"AllLifsAreOnOneController", "lif-spread", "on one controller", "network interface show",
       [](TestArray& array, StorageRig&) {
         auto& lifs = array.sim.world().lifs;
         for (auto& lif : lifs) lif.home_node_name = lifs.begin()->home_node_name;
       }},
      {"SubsystemsMayNotBeRead", "subsystem fail", "may not", "-api /api/protocols/nvme/subsystems",
       [](TestArray& array, StorageRig&) { Deny(array, "GET /api/protocols/nvme/subsystems"); }},
      {"NodeIsNotRegistered", "registration fail", "does not know", "pvesm status --storage tank",
       [](TestArray& array, StorageRig&) {
         for (auto& subsystem : array.sim.world().subsystems) subsystem.hosts.clear();
       }},
      {"QosPolicyIsGone",
       "qos-policy fail",
       "'nope'",
       "qos policy-group show",
       [](TestArray&, StorageRig&) {},
       {{"qos_policy", "nope"}}},
      {"AdaptivePolicyIsGone",
       "adaptive-qos-policy fail",
       "'nope'",
       "qos adaptive-policy-group",
       [](TestArray&, StorageRig&) {},
       {{"adaptive_qos_policy", "nope"}}},
      {"SnapshotPolicyIsGone",
       "snapshot-policy fail",
       "'nope'",
       "volume snapshot policy show",
       [](TestArray&, StorageRig&) {},
       {{"snapshot_policy", "nope"}}},
      {"VolumesMayNotBeRead", "right-volumes fail", "may not",
       "-access all -api /api/storage/volumes",
       [](TestArray& array, StorageRig&) { Deny(array, "GET /api/storage/volumes"); }},
      {"NamespacesMayNotBeRead", "right-namespaces fail", "may not",
       "-access all -api /api/storage/namespaces",
       [](TestArray& array, StorageRig&) { Deny(array, "GET /api/storage/namespaces"); }},
      {"GroupsMayNotBeRead", "right-groups fail", "may not",
       "-access all -api /api/application/consistency-groups",
       [](TestArray& array, StorageRig&) {
         Deny(array, "GET /api/application/consistency-groups");
       }},
      {"ATaskWasInterrupted", "left-overs", "1 unfinished", "ontapnvme pending tank",
       [](TestArray& array, StorageRig& rig) {
         array.AddFault(
             {{"method", "POST"}, {"path", "/storage/namespaces"}, {"status", 500}, {"times", -1}});
         array.AddFault(
             {{"method", "DELETE"}, {"path", "/storage/volumes"}, {"status", 500}, {"times", -1}});
         EXPECT_FALSE(rig.storage().Allocate(101, "", 1024).ok());
         array.ClearFaults();
         array.clock->Advance(std::chrono::hours(2));
       }},
      {"APathWasDeleted", "missing-paths", "no path to", "nc -zv",
       [](TestArray&, StorageRig& rig) { rig.host().controllers.pop_back(); }},
      {"AnotherNodeHasThisOnesIdentity", "twins fail", "two nodes share", "/etc/nvme/hostnqn",
       [](TestArray& array, StorageRig& rig) {
         array.sim.Ctl({{"cmd", "controllers"},
                        {"subsystem", "pve"},
                        {"controllers",
                         {{{"id", "0041h"},
                           {"host",
                            {{"nqn", rig.host().identity.host_nqn},
                             {"id", std::string(32, 'a')},
                             {"transport_address", "10.77.0.2"}}}}}}});
       }},
      {"ConnectionsMayNotBeRead", "twins", "not known", "ontapnvme doctor tank",
       [](TestArray& array, StorageRig&) {
         Deny(array, "GET /api/protocols/nvme/subsystem-controllers");
       }},
  };
}

class TroubleTest : public ExamineTest, public testing::WithParamInterface<Trouble> {};

TEST_P(TroubleTest, IsTheOneComplaint) {
  const auto& trouble = GetParam();
  rig.emplace(array);
  ASSERT_TRUE(rig->storage().Activate().ok());
  rig->MustAllocate(100);
  const auto checks = Checks(Examine());
  // The node's memory of the array stays, as for any storage whose settings change.
  rig.emplace(array, RigOptions{.settings = trouble.settings, .directory = rig->directory()});
  if (rig->host().controllers.empty()) ASSERT_TRUE(rig->storage().Activate().ok());
  trouble.cause(array, *rig);
  const auto results = Examine();
  EXPECT_THAT(Complaints(results), ElementsAre(trouble.complaint));
  EXPECT_EQ(Checks(results), checks) << "always the same ones";
  for (const auto& result : results) {
    EXPECT_EQ(result.text.find('\n'), std::string::npos);
    EXPECT_EQ(result.text.find("secret"), std::string::npos);
    if (result.outcome == CheckOutcome::kOk || result.outcome == CheckOutcome::kSkipped) continue;
    EXPECT_THAT(result.text, HasSubstr(trouble.text));
    EXPECT_THAT(result.remedy, HasSubstr(trouble.remedy));
  }
}

INSTANTIATE_TEST_SUITE_P(Each, TroubleTest, testing::ValuesIn(Troubles()),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST_F(ExamineTest, WhichOfTheQuestionsFailsIsTheOnlyDifference) {
  Begin();
  const auto checks = Checks(Examine());
  const int asked = array.Count();
  for (int nth = 1; nth <= asked; ++nth) {
    SCOPED_TRACE(nth);
    array.AddFault({{"status", 500}, {"nth", nth}, {"times", -1}});
    const auto results = Examine();
    array.ClearFaults();
    EXPECT_EQ(Checks(results), checks);
    EXPECT_THAT(Complaints(results), testing::Not(IsEmpty()));
  }
}

}  // namespace
}  // namespace ontapnvme::fault
