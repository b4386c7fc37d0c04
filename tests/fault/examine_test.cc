// SPDX-License-Identifier: AGPL-3.0-or-later
// What looking at a storage says: nothing of a healthy one, and of one that has a single fault the one
// check that is about it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <set>

#include "fakes/members_file.h"
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
  EXPECT_LE(array.Count(), 25);
  const int asked = array.Count();
  for (std::uint64_t vmid = 101; vmid < 110; ++vmid) rig->MustAllocate(vmid);
  array.ClearLog();
  EXPECT_THAT(Complaints(Examine()), IsEmpty());
  EXPECT_EQ(array.Count(), asked) << "no more for ten disks than for one";
}

TEST_F(ExamineTest, SoHasOneOfAnAccountOfTheSvm) {
  Begin({{"username", "vsadmin"}, {"svm_scoped", "1"}});
  EXPECT_THAT(Complaints(Examine()), IsEmpty());
}

// Neither good nor bad, and no reason to complain.
TEST_F(ExamineTest, WhatTheArrayDoesNotTellIsSaidToBeUntold) {
  array.Set("release", "9.17.1");
  Begin();
  for (const char* left_out : {"date_header", "snapshot_count", "attack_probability"}) {
    array.Set(left_out, "left_out");
  }
  for (auto& volume : array.sim.world().volumes) volume.extras["anti_ransomware"]["state"] = "";
  const auto results = Examine();
  EXPECT_THAT(Complaints(results), IsEmpty());
  EXPECT_THAT(Named(results, {CheckOutcome::kSkipped}),
              ElementsAre("clock", "snapshot-count", "ransomware"));
}

// A note that cannot be read may be of a node that is here.
TEST_F(ExamineTest, WhoTheNodesAreMayNotBeKnown) {
  Begin();
  const std::string hosts = rig->directory() + "/hosts";
  rig.emplace(array, RigOptions{.hosts_directory = hosts, .directory = rig->directory()});
  ASSERT_TRUE(rig->storage().Activate().ok());
  std::filesystem::create_directories(hosts);
  EXPECT_THAT(Named(Examine(), {CheckOutcome::kSkipped}), IsEmpty()) << "nobody has told anything";
  std::ofstream(hosts + "/node9") << "nqn.of.node9\n";
  EXPECT_THAT(Named(Examine(), {CheckOutcome::kSkipped}), ElementsAre("left-hosts"));
  fakes::WriteMembers(rig->members_file(), "node1", {{"node1", true}, {"node9", false}});
  const auto results = Examine();
  EXPECT_THAT(Complaints(results), IsEmpty()) << "a node that is off is a member";
  EXPECT_THAT(Named(results, {CheckOutcome::kSkipped}), IsEmpty());
}

struct Trouble {
  const char* name;
  const char* complaint;
  const char* text;
  const char* remedy;
  std::function<void(TestArray&, StorageRig&)> cause;
  Settings settings = {};
  const char* release = nullptr;
};

void Deny(TestArray& array, const char* what) {
  array.Set("permissions", {{"admin", {what}}});
}

sim::Svm& SvmOf(TestArray& array) {
  return *array.sim.world().FindSvm("svm1");
}

sim::Volume& DiskOf(TestArray& array) {
  return *array.sim.world().FindVolume(SvmOf(array).uuid, "t_vm_100_disk_0");
}

void FillDisk(TestArray& array) {
  DiskOf(array).bytes_in_snapshots = DiskOf(array).size_bytes * 3;
}

// Of somebody else.
void FillSubsystem(TestArray& array) {
  auto& world = array.sim.world();
  sim::Volume other = DiskOf(array);
  other.uuid = world.NewUuid();
  other.name = "elsewhere";
  world.volumes.Add(other);
  for (unsigned nsid = 100; nsid < 999; ++nsid) {
    sim::NvmeNamespace ns;
    ns.uuid = world.NewUuid();
    ns.volume_uuid = other.uuid;
    ns.base_name = "ns" + std::to_string(nsid);
    ns.size_bytes = 4096;
    ns.subsystem_uuid = world.subsystems.begin()->uuid;
    ns.nsid = nsid;
    world.blocks().Create(ns.uuid, ns.size_bytes);
    world.namespaces.Add(std::move(ns));
  }
}

void TakeManySnapshots(TestArray& array) {
  auto& world = array.sim.world();
  for (int i = 0; i < 900; ++i) {
    sim::Snapshot snapshot;
    snapshot.uuid = world.NewUuid();
    snapshot.name = "hourly." + std::to_string(i);
    snapshot.volume_uuid = DiskOf(array).uuid;
    world.snapshots.Add(std::move(snapshot));
  }
}

// A node that made snapshots' devices, was let in, and was taken out of the cluster.
void ForgetANode(TestArray& array, StorageRig& rig) {
  std::filesystem::create_directories(rig.directory() + "/hosts");
  std::ofstream(rig.directory() + "/hosts/node9") << "nqn.of.node9\n";
  fakes::WriteMembers(rig.members_file(), "node1", {{"node1", true}});
  for (auto& subsystem : array.sim.world().subsystems) {
    subsystem.hosts.push_back({.nqn = "nqn.of.node9"});
  }
}

// What works today.
std::vector<Trouble> LaterTroubles() {
  return {
      {"ClocksAreApart", "clock", "60 min ahead of this node's", "chronyc tracking",
       [](TestArray& array, StorageRig&) { array.Set("clock_ahead_s", 3600); }},
      {"TheArraysClockIsBehind", "clock", "6 min behind this node's", "cluster date show",
       [](TestArray& array, StorageRig&) { array.Set("clock_ahead_s", -361); }},
      {"SubsystemIsNearlyFull", "namespace-limit", "900 in the subsystem, of about 1024",
       "ontapnvme orphans tank", [](TestArray& array, StorageRig&) { FillSubsystem(array); }},
      {"MapsMayNotBeRead", "namespace-limit fail", "may not",
       "-access all -api /api/protocols/nvme/subsystem-maps",
       [](TestArray& array, StorageRig&) {
         Deny(array, "GET /api/protocols/nvme/subsystem-maps");
       }},
      {"ANodeHasLeft", "left-hosts", "'node9' (nqn.of.node9)",
       "vserver nvme subsystem host remove -vserver svm1 -subsystem pve -host-nqn nqn.of.node9",
       [](TestArray& array, StorageRig& rig) { ForgetANode(array, rig); }},
      {"SnapshotsAreNearlyTooMany", "snapshot-count", "'vm-100-disk-0' has 900 of 1023",
       "volume snapshot show -vserver svm1 -volume t_vm_100_disk_0",
       [](TestArray& array, StorageRig&) { TakeManySnapshots(array); }},
      {.name = "AnAttackIsSuspected",
       .complaint = "ransomware fail",
       .text = "'vm-100-disk-0' (moderate)",
       .remedy =
           "security anti-ransomware volume show -instance -vserver svm1 -volume t_vm_100_disk_0",
       .cause =
           [](TestArray& array, StorageRig&) {
             DiskOf(array).extras["anti_ransomware"]["attack_probability"] = "moderate";
           },
       .release = "9.17.1"},
      {.name = "TheProtectionIsPaused",
       .complaint = "ransomware",
       .text = "paused for 'vm-100-disk-0'",
       .remedy = "security anti-ransomware volume resume -vserver svm1 -volume t_vm_100_disk_0",
       .cause =
           [](TestArray& array, StorageRig&) {
             DiskOf(array).extras["anti_ransomware"]["state"] = "enable_paused";
           },
       .release = "9.17.1"},
      {.name = "TheProtectionIsWantedAndOff",
       .complaint = "ransomware",
       .text = "not for 'vm-100-disk-0'",
       .remedy = "security anti-ransomware volume enable -vserver svm1 -volume t_vm_100_disk_0",
       .cause = [](TestArray&, StorageRig&) {},
       .settings = {{"ransomware_protection", "on"}},
       .release = "9.17.1"},
      {"OthersHaveToApprove", "multi-admin", "'volume delete' (deleting disks)",
       "security multi-admin-verify rule show",
       [](TestArray& array, StorageRig&) {
         array.Set("multi_admin_on", true);
         array.Set("multi_admin_rules",
                   nlohmann::json::array({"security login create", "volume delete"}));
       }},
      {"MultiAdminMayNotBeRead", "multi-admin", "may not",
       "-access readonly -api /api/security/multi-admin-verify",
       [](TestArray& array, StorageRig&) { Deny(array, "GET /api/security/multi-admin-verify"); }},
  };
}

std::vector<Trouble> PresentTroubles() {
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
      {"ADiskIsOffline", "disks fail", "does not serve t_vm_100_disk_0",
       "vserver nvme namespace show -vserver svm1",
       [](TestArray& array, StorageRig&) { DiskOf(array).state = "offline"; }},
      {"ADiskIsNearlyFull", "disk-ceilings", "t_vm_100_disk_0", "volume autosize -vserver svm1",
       [](TestArray& array, StorageRig&) { FillDisk(array); }},
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

std::vector<Trouble> Troubles() {
  auto troubles = PresentTroubles();
  for (auto& trouble : LaterTroubles()) troubles.push_back(std::move(trouble));
  return troubles;
}

class TroubleTest : public ExamineTest, public testing::WithParamInterface<Trouble> {};

TEST_P(TroubleTest, IsTheOneComplaint) {
  const auto& trouble = GetParam();
  if (trouble.release != nullptr) array.Set("release", trouble.release);
  rig.emplace(array);
  ASSERT_TRUE(rig->storage().Activate().ok());
  rig->MustAllocate(100);
  const auto checks = Checks(Examine());
  // The node's memory of the array stays, as for any storage whose settings change.
  const std::string directory = rig->directory();
  rig.emplace(array, RigOptions{.settings = trouble.settings,
                                .hosts_directory = directory + "/hosts",
                                .directory = directory});
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

// Those of the node alone have their table in tests/perl.
TEST_F(ExamineTest, EachCheckIsBrokenByOneOfThese) {
  Begin();
  std::set<std::string> broken;
  for (const auto& trouble : Troubles()) {
    broken.insert(std::string(trouble.complaint, std::strcspn(trouble.complaint, " ")));
  }
  const auto checks = Checks(Examine());
  EXPECT_EQ(broken, std::set<std::string>(checks.begin(), checks.end()));
  EXPECT_GE(Troubles().size(), 40U);
}

TEST_F(ExamineTest, WhichOfTheQuestionsFailsIsTheOnlyDifference) {
  Begin();
  array.Set("multi_admin_on", true);
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
