// SPDX-License-Identifier: AGPL-3.0-or-later
// Probes tell the position of each switch, and leave nothing.
#include "catalogue/flexvol/qualify/qualification.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "catalogue/flexvol/qualify/scratch_name.h"
#include "unit/catalogue/flexvol/rig.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

using testing::AnyOf;
using testing::Eq;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

// Also what the picture of volumes, namespaces, snapshots and groups does not show.
std::string WholePicture(TestArray& array) {
  std::string text = Picture(array);
  for (const auto& subsystem : array.world().subsystems) {
    text += "subsystem " + subsystem.name + " " + subsystem.comment + "\n";
  }
  return text;
}

// Of what was deleted into the queue.
bool IsQueued(TestArray& array) {
  for (const auto& queued : array.world().recovery_queue) {
    if (queued.name_before.find("pve_probe_") != std::string::npos) return true;
  }
  return false;
}

class QualifyTest : public testing::Test {
 protected:
  // A disk of ours in its group, foreign objects, and things that are nearly scratch.
  void SetUp() override {
    MakeSurroundings(rig);
    before = WholePicture(array);
  }
  void MakeSurroundings(Rig& of) {
    of.Make("vm-100-disk-0");
    array.MakeStray("t_pve_probe_0123456700", "");
    array.MakeStray("t_pve_probe_0123456701", MarkOf(kOtherCluster, "tank"));
    array.MakeStray("t_pve_probe_0123456702", MarkOf(RigOptions().cluster_id, "other"));
    // Of this storage, and of another run than its name says.
    array.MakeStray("t_pve_probe_0123456703", MarkOf(RigOptions().cluster_id, "tank"));
  }
  Result<ProbeFinding> Run(const std::string& probe) {
    return rig.backend().RunProbe(probe, rig.Budget());
  }
  std::string Position(const std::string& probe) {
    const auto finding = Run(probe);
    return finding.ok() ? finding->position : finding.error().Line();
  }

  TestArray array;
  Rig rig{array};
  std::string before;
};

TEST_F(QualifyTest, EachProbeTellsOneOfItsPositionsAndLeavesNothing) {
  for (const auto& probe : rig.backend().Probes()) {
    SCOPED_TRACE(probe.probe);
    const auto finding = Run(probe.probe);
    ASSERT_TRUE(finding.ok()) << finding.error().Line();
    EXPECT_THAT(probe.positions, testing::Contains(finding->position)) << finding->detail;
    EXPECT_EQ(finding->question, probe.question);
    EXPECT_EQ(finding->release, array.world().settings.release.Text());
    EXPECT_THAT(finding->svm_uuid, SizeIs(36));
    EXPECT_EQ(WholePicture(array), before);
    EXPECT_FALSE(IsQueued(array));
    EXPECT_THAT(rig.TakeLog(), IsEmpty());
  }
}

struct Expectation {
  const char* switch_name;
  const char* value;
  const char* probe;
  const char* position;
};

// What tells one position of a switch from another.
const std::vector<Expectation>& Expectations() {
  static const std::vector<Expectation> kAll = {
      {"late_listing_ms", "0", "late_listing", "at_once"},
      {"late_listing_ms", "2000", "late_listing", "late"},
      {"late_listing_ms", "8000", "late_listing", "late"},
      {"late_by_uuid", "no", "late_by_uuid", "found"},
      {"late_by_uuid", "yes", "late_by_uuid", "late"},
      {"fractional_reserve_create", "take", "fractional_reserve_create", "take"},
      {"fractional_reserve_create", "refuse", "fractional_reserve_create", "refuse"},
      {"autosize_with_size", "take", "autosize_with_size", "take"},
      {"autosize_with_size", "refuse", "autosize_with_size", "refuse"},
      {"namespace_minimum", "4096", "namespace_minimum", "4096"},
      {"namespace_minimum", "20971520", "namespace_minimum", "larger"},
      {"namespace_rounding", "round_up", "namespace_rounding", "round_up"},
      {"namespace_rounding", "refuse", "namespace_rounding", "refuse"},
      {"delete_mapped", "take", "delete_mapped", "take"},
      {"delete_mapped", "refuse", "delete_mapped", "refuse"},
      {"queue_fields", "times", "queue_fields", "times"},
      {"queue_fields", "names", "queue_fields", "names"},
      {"volume_busy_s", "0", "volume_busy", "quick"},
      {"volume_busy_s", "5", "volume_busy", "slow"},
      {"restore_mapped", "take", "restore_mapped", "take"},
      {"restore_mapped", "refuse", "restore_mapped", "refuse"},
      {"restore_mapped", "refuse_400", "restore_mapped", "refuse"},
      {"restore_mapped", "refuse_409", "restore_mapped", "refuse"},
      {"restore_mapped", "take", "group_restore", "take"},
      {"restore_mapped", "refuse", "group_restore", "refuse"},
      {"restore_map", "kept", "restore_map", "kept"},
      {"restore_map", "gone", "restore_map", "gone"},
      {"restore_identity", "kept", "restore_identity", "kept"},
      {"restore_identity", "new_uuid", "restore_identity", "new_uuid"},
      {"restore_past_newer", "take", "restore_past_newer", "take"},
      {"restore_past_newer", "refuse", "restore_past_newer", "refuse"},
      {"clone_from_snapshot", "take", "clone_from_snapshot", "take"},
      {"clone_from_snapshot", "refuse", "clone_from_snapshot", "refuse"},
      {"clone_from_snapshot", "hide", "clone_from_snapshot", "hide"},
      {"clone_comment", "empty", "clone_comment", "empty"},
      {"clone_comment", "of_source", "clone_comment", "of_source"},
      {"namespace_overwrite", "take", "namespace_overwrite", "take"},
      {"namespace_overwrite", "refuse_mapped", "namespace_overwrite", "refuse_mapped"},
      {"namespace_overwrite", "refuse", "namespace_overwrite", "refuse"},
      {"clone_online_ms", "0", "clone_online", "online"},
      {"clone_online_ms", "3000", "clone_online", "later"},
      {"held_snapshot_code", "1638543", "held_snapshot_code", "1638543"},
      {"held_snapshot_code", "1638555", "held_snapshot_code", "1638555"},
      {"queued_clones_hold_parent", "no", "queued_clones_hold_parent", "no"},
      {"queued_clones_hold_parent", "yes", "queued_clones_hold_parent", "yes"},
      {"group_policy_unsaid", "none", "group_policy_unsaid", "none"},
      {"group_policy_unsaid", "default", "group_policy_unsaid", "some"},
      {"group_name_max", "255", "group_name_max", "longer"},
      {"group_name_max", "30", "group_name_max", "30"},
      {"group_change_with_nvme", "take", "group_change_with_nvme", "take"},
      {"group_change_with_nvme", "refuse", "group_change_with_nvme", "refuse"},
      {"group_change_with_nvme", "refuse_oddly", "group_change_with_nvme", "refuse"},
      {"empty_groups", "vanish", "empty_groups", "vanish"},
      {"empty_groups", "stay", "empty_groups", "stay"},
      {"deleted_volume_in_group", "leaves", "deleted_volume_in_group", "leaves"},
      {"deleted_volume_in_group", "stays", "deleted_volume_in_group", "stays"},
      {"group_snapshot_delete", "members_too", "group_snapshot_delete", "members_too"},
      {"group_snapshot_delete", "group_only", "group_snapshot_delete", "group_only"},
      {"role", "full", "private_cli", "allowed"},
      {"role", "cluster_nine", "private_cli", "denied"},
  };
  return kAll;
}

class QualifyPositionTest : public QualifyTest, public testing::WithParamInterface<Expectation> {};

TEST_P(QualifyPositionTest, IsTold) {
  const auto& [name, value, probe, position] = GetParam();
  if (std::string(name) == "late_by_uuid") array.Set("late_listing_ms", "2000");
  if (std::string(name) == "restore_past_newer") {
    array.Set("ransomware_locks", "none");
    array.Set("release", "9.19.1");
  }
  array.Set(name, value);
  EXPECT_EQ(Position(probe), position);
  array.clock.Advance(std::chrono::seconds(60));
  EXPECT_EQ(WholePicture(array), before);
  EXPECT_FALSE(IsQueued(array));
}

INSTANTIATE_TEST_SUITE_P(Positions, QualifyPositionTest, testing::ValuesIn(Expectations()),
                         [](const auto& one) {
                           return std::string(one.param.switch_name) + "_" + one.param.value + "_" +
                                  one.param.probe;
                         });

// In every probe each nth request goes wrong.
class QualifySweepTest : public QualifyTest, public testing::WithParamInterface<std::size_t> {};

constexpr int kMoreThanAny = 60;

TEST_P(QualifySweepTest, NothingIsLeftWhicheverRequestFails) {
  const std::string probe = AllProbes()[GetParam()]->name;
  const std::vector<nlohmann::json> rules = {{{"status", 500}}, {{"drop_after", true}}};
  for (auto rule : rules) {
    for (int nth = 1;; ++nth) {
      ASSERT_LT(nth, kMoreThanAny);
      rule["nth"] = nth;
      array.AddFault(rule);
      (void)rig.backend().RunProbe(probe, rig.Budget());
      if (!array.FaultFired()) break;
      array.ClearFaults();
      rig.Restart();
      const auto next = rig.backend().RunProbe("aggregate", rig.Budget());
      ASSERT_TRUE(next.ok()) << next.error().Line();
      ASSERT_EQ(WholePicture(array), before) << rule.dump();
    }
    array.ClearFaults();
  }
}

TEST_P(QualifySweepTest, NothingIsLeftWhereverTheProcessIsKilled) {
  const std::string probe = AllProbes()[GetParam()]->name;
  bool was_killed = true;
  for (int nth = 1; was_killed; ++nth) {
    ASSERT_LT(nth, kMoreThanAny);
    array.DropFrom(nth);
    (void)rig.backend().RunProbe(probe, rig.Budget());
    was_killed = array.FaultFired();
    array.ClearFaults();
    rig.Restart();
    // The one half is found by recovery, the other by the next probe.
    if (nth % 2 == 0) {
      array.clock.Advance(std::chrono::hours(2));
      const auto oldest = array.clock.WallTime() - std::chrono::hours(1);
      const auto survey = rig.backend().Look(oldest, rig.Budget());
      ASSERT_TRUE(survey.ok()) << survey.error().Line();
      for (const auto& left_over : survey->left_overs) {
        const auto settled = rig.backend().Settle(left_over, rig.Budget());
        EXPECT_TRUE(settled.ok()) << settled.error().Line();
      }
    } else {
      const auto next = rig.backend().RunProbe("aggregate", rig.Budget());
      ASSERT_TRUE(next.ok()) << next.error().Line();
    }
    ASSERT_EQ(WholePicture(array), before) << "killed at request " << nth;
    ASSERT_FALSE(IsQueued(array)) << "killed at request " << nth;
  }
}

INSTANTIATE_TEST_SUITE_P(Probes, QualifySweepTest,
                         testing::Range(std::size_t{0}, AllProbes().size()),
                         [](const auto& one) { return std::string(AllProbes()[one.param]->name); });

TEST_F(QualifyTest, EndsWithTheRoleLineWhereARightIsMissing) {
  array.AddFault({{"method", "POST"},
                  {"path", "/api/application/consistency-groups"},
                  {"status", 403},
                  {"code", 6},
                  {"times", -1}});
  const auto finding = Run("basics");
  ASSERT_FALSE(finding.ok());
  EXPECT_EQ(finding.error().code(), ErrorCode::kPermissionDenied);
  EXPECT_THAT(finding.error().Line(),
              HasSubstr("security login rest-role create -vserver CLUSTER -role ROLE -access all "
                        "-api /api/application/consistency-groups"));
  array.ClearFaults();
  EXPECT_EQ(WholePicture(array), before);
}

TEST_F(QualifyTest, ARightThatIsNotNeededLeavesAPositionUnknown) {
  array.Set("role", "cluster_nine");
  const auto finding = Run("queue_fields");
  ASSERT_TRUE(finding.ok()) << finding.error().Line();
  EXPECT_EQ(finding->position, "unknown");
  EXPECT_THAT(finding->detail, Not(IsEmpty()));
}

TEST_F(QualifyTest, RefusesWhatIsNoProbe) {
  const auto finding = Run("nothing");
  ASSERT_FALSE(finding.ok());
  EXPECT_EQ(finding.error().code(), ErrorCode::kInvalidArgument);
}

// A group that is called like one of a run, and has a member that is not the run's.
TEST_F(QualifyTest, LeavesAGroupAloneThatHoldsAnythingElse) {
  const ScratchName run{.run = "0123abcd"};
  const Marker marker(RigOptions().cluster_id, "tank");
  array.MakeStray(run.Text("t_"), marker.New(0, "0123abcd00000000").ShortText());
  const auto reply = array.sim.Ctl({{"cmd", "admin"},
                                    {"method", "POST"},
                                    {"target", "/api/application/consistency-groups"},
                                    {"body",
                                     {{"svm", {{"name", "svm1"}}},
                                      {"name", run.GroupName("t_")},
                                      {"volumes",
                                       {{{"name", "t_pve_probe_0123456700"},
                                         {"provisioning_options", {{"action", "add"}}}}}}}}});
  ASSERT_TRUE(reply.at("ok").get<bool>()) << reply.dump();
  ASSERT_TRUE(Run("answers").ok());
  EXPECT_EQ(array.FindVolume(run.Text("t_")), nullptr);
  EXPECT_THAT(array.MembersOf(run.GroupName("t_")), testing::ElementsAre("t_pve_probe_0123456700"));
}

TEST(ScratchNameTest, TellsItsOwnNamesOnly) {
  const ScratchName name{.run = "0123abcd", .number = 17};
  EXPECT_EQ(name.Text("p_"), "p_pve_probe_0123abcd11");
  const auto parsed = ScratchName::Parse("p_", "p_pve_probe_0123abcd11");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->run, "0123abcd");
  EXPECT_EQ(parsed->number, 17U);
  for (const char* other :
       {"pve_probe_0123abcd11", "p_pve_probe_0123abcd1", "p_pve_probe_0123abcd111",
        "p_pve_probe_0123ABCD11", "p_pve_probe_", "p_vm_100_disk_0"}) {
    EXPECT_FALSE(ScratchName::Parse("p_", other)) << other;
  }
  EXPECT_LE(name.GroupName("a_rather_long_prefix_of_it_").size(), 30U);
  EXPECT_GT(name.LongGroupName().size(), 30U);
}

}  // namespace
}  // namespace ontapnvme::catalogue::flexvol
