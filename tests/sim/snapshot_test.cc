// SPDX-License-Identifier: AGPL-3.0-or-later
#include "sim_fixture.h"

namespace ontapnvme::sim {
namespace {

using nlohmann::json;

class SnapshotTest : public SimTest {
 protected:
  void SetUp() override {
    volume_ = MakeVolume("v");
    ns_ = MakeNamespace("v");
    all_ = "/api/storage/volumes/" + volume_ + "/snapshots";
  }
  Answer Restore(const std::string& name) {
    return Call("PATCH", "/api/storage/volumes/" + volume_ +
                             "?return_timeout=15&restore_to.snapshot.name=" + name);
  }
  std::string Clone(const std::string& name, const std::string& snapshot) {
    return Made("/api/storage/volumes?return_timeout=15",
                {{"svm", {{"name", "svm1"}}},
                 {"name", name},
                 {"clone",
                  {{"is_flexclone", true},
                   {"parent_volume", {{"uuid", volume_}}},
                   {"parent_snapshot", {{"name", snapshot}}}}}});
  }
  std::vector<std::string> Names(const std::string& volume_uuid) {
    std::vector<std::string> names;
    for (const json& record : Get("/api/storage/volumes/" + volume_uuid + "/snapshots").Records()) {
      names.push_back(record["name"]);
    }
    return names;
  }

  std::string volume_;
  std::string ns_;
  std::string all_;
};

TEST_F(SnapshotTest, CreateRefusesWhatOntapRefuses) {
  MakeSnapshot(volume_, "taken");
  ExpectRefusals({
      {"no name", "POST", all_, "{}", 400, 262212},
      {"taken", "POST", all_, R"({"name":"taken"})", 409, 525059},
      {"bad name", "POST", all_, R"({"name":"a/b"})", 400, 1638518},
      {"reserved prefix", "POST", all_, R"({"name":"hourly.1"})", 400, 1638477},
      {"unknown volume", "POST", "/api/storage/volumes/1/snapshots", R"({"name":"a"})", 404,
       918235},
      {"label too long", "POST", all_,
       json{{"name", "a"}, {"snapmirror_label", std::string(32, 'x')}}.dump(), 400, 262247},
  });
  Call("PATCH", "/api/storage/volumes/" + volume_ + "?return_timeout=15", R"({"state":"offline"})");
  ExpectRefusals({{"offline", "POST", all_, R"({"name":"a"})", 400, 524479}});
}

TEST_F(SnapshotTest, ARestoreBringsBytesAndSizeBackAndDropsNewerSnapshots) {
  Write(ns_, "first");
  MakeSnapshot(volume_, "one");
  Write(ns_, "later");
  MakeSnapshot(volume_, "two");
  Call("PATCH", "/api/storage/namespaces/" + ns_, R"({"space":{"size":134217728}})");
  EXPECT_EQ(Restore("one").status, 200);
  EXPECT_EQ(Read(ns_, 5), "first");
  EXPECT_EQ(Names(volume_), std::vector<std::string>{"one"});
  EXPECT_EQ(Get("/api/storage/namespaces/" + ns_).body["space"]["size"], 64 * kMiB);
}

TEST_F(SnapshotTest, ARestoreBringsDeletedNamespacesBackAndDropsLaterOnes) {
  MakeSnapshot(volume_, "one");
  Call("DELETE", "/api/storage/namespaces/" + ns_);
  MakeNamespace("v", "later");
  EXPECT_EQ(Restore("one").status, 200);
  const json records = Get("/api/storage/namespaces").Records();
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0]["uuid"], ns_);
}

TEST_F(SnapshotTest, ARestoreIsRefusedWhenItMustNotBe) {
  MakeSnapshot(volume_, "one");
  MakeSnapshot(volume_, "two");
  Clone("c", "two");
  const std::string target = "/api/storage/volumes/" + volume_ + "?restore_to.snapshot.name=";
  ExpectRefusals({
      {"newer snapshot is held", "PATCH", target + "one", "", 409, 524511},
      {"unknown", "PATCH", target + "x", "", 404, 1638600},
      {"with other changes", "PATCH", target + "two", R"({"size":2147483648})", 400, 262186},
      {"force came later", "PATCH", target + "two&restore_to.snapshot.force=true", "", 400, 262179},
  });
  MakeSubsystem("s");
  Map("s", ns_);
  Set("restore_mapped", "refuse");
  EXPECT_EQ(Restore("two").code, 524511);
  Set("restore_mapped", "take");
  EXPECT_EQ(Restore("two").status, 200);
  EXPECT_EQ(Get("/api/protocols/nvme/subsystem-maps").body["num_records"], 1);
}

TEST_F(SnapshotTest, ARefusalForTheMapMayCarryACodeThatNobodyKnows) {
  MakeSnapshot(volume_, "one");
  MakeSubsystem("s");
  Map("s", ns_);
  for (const auto& [position, status] :
       {std::pair("refuse_400", 400), std::pair("refuse_409", 409)}) {
    Set("restore_mapped", position);
    const Answer answer = Restore("one");
    EXPECT_EQ(answer.status, status);
    EXPECT_EQ(answer.code, 4242);
  }
}

TEST_F(SnapshotTest, WhatARestoreLeavesOfTheNamespaceIsASwitch) {
  Write(ns_, "first");
  MakeSnapshot(volume_, "one");
  const std::string subsystem = MakeSubsystem("s");
  Map("s", ns_);
  const auto only = [&] {
    const json records =
        Get("/api/storage/namespaces?fields=subsystem_map.nsid,subsystem_map.subsystem.uuid")
            .Records();
    EXPECT_EQ(records.size(), 1U);
    return records.empty() ? json::object() : records[0];
  };
  const json before = only();

  Set("restore_identity", "new_nsid");
  ASSERT_EQ(Restore("one").status, 200);
  EXPECT_EQ(only()["uuid"], ns_);
  EXPECT_NE(only()["subsystem_map"]["nsid"], before["subsystem_map"]["nsid"]);

  Set("restore_identity", "new_uuid");
  ASSERT_EQ(Restore("one").status, 200);
  const std::string renewed = only()["uuid"];
  EXPECT_NE(renewed, ns_);
  EXPECT_EQ(only()["subsystem_map"]["subsystem"]["uuid"], subsystem);
  EXPECT_EQ(Read(renewed, 5), "first");

  Set("restore_identity", "kept");
  Set("restore_map", "gone");
  ASSERT_EQ(Restore("one").status, 200);
  EXPECT_EQ(Get("/api/protocols/nvme/subsystem-maps").body["num_records"], 0);
}

TEST_F(SnapshotTest, NewerSnapshotsAreLostOnlyByForceFromSomeReleaseOn) {
  Set("release", "9.19.1");
  Set("ransomware_locks", "none");
  MakeSnapshot(volume_, "one");
  MakeSnapshot(volume_, "two");
  EXPECT_EQ(Restore("one").code, 524511);
  EXPECT_EQ(Restore("one&restore_to.snapshot.force=true").status, 200);
  EXPECT_EQ(Names(volume_), std::vector<std::string>{"one"});
  MakeSnapshot(volume_, "two");
  Set("restore_past_newer", "take");
  EXPECT_EQ(Restore("one").status, 200);
}

TEST_F(SnapshotTest, AFlexCloneHasItsOwnUnmappedNamespaceAndHoldsItsParent) {
  Write(ns_, "base");
  const std::string base = MakeSnapshot(volume_, "pve_base");
  Write(ns_, "gone on");
  const std::string clone = Clone("c", "pve_base");
  const json ns =
      Get("/api/storage/namespaces?location.volume.name=c&fields=status.mapped").Records().at(0);
  EXPECT_EQ(ns["name"], "/vol/c/v");
  EXPECT_NE(ns["uuid"], ns_);
  EXPECT_EQ(ns["status"]["mapped"], false);
  EXPECT_EQ(Read(ns["uuid"], 4), "base");

  const json parent = Get("/api/storage/volumes/" + clone + "?fields=clone.parent_volume").body;
  EXPECT_EQ(parent["clone"]["parent_volume"]["uuid"], volume_);
  EXPECT_EQ(Get(all_ + "/" + base).body["owners"][0], "volume_clone");
  EXPECT_EQ(Call("DELETE", all_ + "/" + base).code, 1638543);
  // The clone shows the snapshot that it stands on and cannot delete it.
  const std::string in_clone = "/api/storage/volumes/" + clone + "/snapshots";
  const json inherited = Get(in_clone + "?name=pve_base").Records().at(0);
  EXPECT_EQ(Call("DELETE", in_clone + "/" + inherited["uuid"].get<std::string>()).code, 1638555);

  EXPECT_EQ(Call("PATCH", "/api/storage/volumes/" + clone + "?return_timeout=15",
                 R"({"clone":{"split_initiated":true}})")
                .status,
            200);
  EXPECT_EQ(Call("DELETE", all_ + "/" + base).code, 1638543);
  now_ += std::chrono::minutes(5);
  const json halfway = Get("/api/storage/volumes/" + clone +
                           "?fields=clone.split_initiated,clone.split_complete_percent")
                           .body["clone"];
  EXPECT_EQ(halfway["split_initiated"], true);
  EXPECT_EQ(halfway["split_complete_percent"], 50);
  EXPECT_EQ(Call("POST", in_clone, R"({"name":"s"})").status, 409) << "no snapshot meanwhile";
  now_ += std::chrono::minutes(5);
  EXPECT_EQ(Get("/api/storage/volumes/" + clone + "?fields=clone").body["clone"]["is_flexclone"],
            false);
  EXPECT_EQ(Get(in_clone).Records().size(), 0U) << "what it had of its parent is gone";
  EXPECT_EQ(Call("DELETE", all_ + "/" + base + "?return_timeout=15").status, 200);
  EXPECT_EQ(Read(ns["uuid"], 4), "base");
}

TEST_F(SnapshotTest, CloneRefusesWhatOntapRefuses) {
  const auto body = [&](const json& changes) {
    json clone = {{"svm", {{"name", "svm1"}}},
                  {"name", "c"},
                  {"clone",
                   {{"is_flexclone", true},
                    {"parent_volume", {{"name", "v"}}},
                    {"parent_snapshot", {{"name", "s"}}}}}};
    return Merged(clone, changes).dump();
  };
  MakeSnapshot(volume_, "s");
  const std::string target = "/api/storage/volumes";
  ExpectRefusals({
      {"aggregate", "POST", target, body({{"aggregates", {{{"name", "aggr1"}}}}}), 400, 262186},
      {"size", "POST", target, body({{"size", kGiB}}), 400, 262186},
      {"unknown parent", "POST", target, body({{"clone", {{"parent_volume", {{"name", "x"}}}}}}),
       400, 524601},
      {"unknown snapshot", "POST", target,
       body({{"clone", {{"parent_snapshot", {{"name", "x"}}}}}}), 404, 1638600},
      {"name taken", "POST", target, body({{"name", "v"}}), 409, 917526},
      {"not marked as a clone", "POST", target, body({{"clone", {{"is_flexclone", nullptr}}}}), 400,
       262186},
  });
  Set("clone_licence", false);
  ExpectRefusals({{"no licence", "POST", target, body({}), 400, 524819}});
}

TEST_F(SnapshotTest, OneListingCoversAllVolumesWhereAllowed) {
  MakeSnapshot(volume_, "a");
  MakeSnapshot(MakeVolume("w"), "b");
  const std::string target = "/api/storage/volumes/*/snapshots?fields=volume.name";
  EXPECT_EQ(Get(target).body["num_records"], 2);
  EXPECT_EQ(Get(target + "&volume.name=w").Records().at(0)["name"], "b");
  Set("bulk_snapshots", "refuse");
  EXPECT_EQ(Get(target).status, 400);
}

TEST_F(SnapshotTest, SchedulesTakeSnapshotsOfAnyName) {
  Ctl({{"cmd", "schedule-snapshot"}, {"volume", "v"}, {"name", "hourly.2026-01-01_0005"}});
  EXPECT_EQ(Names(volume_), std::vector<std::string>{"hourly.2026-01-01_0005"});
}

TEST_F(SnapshotTest, NameThatItsSchedulesHaveIsNotGivenBack) {
  const std::string name = "hourly.2026-01-01_0005";
  Ctl({{"cmd", "schedule-snapshot"}, {"volume", "v"}, {"name", name}});
  const std::string uuid = Get(all_).Records().at(0)["uuid"];
  const std::string target = all_ + "/" + uuid + "?return_timeout=15";
  EXPECT_EQ(Call("PATCH", target, R"({"name":"hourly.2026-01-01_0005"})").status, 200);
  EXPECT_EQ(Call("PATCH", target, R"({"name":"a"})").status, 200);
  EXPECT_EQ(Call("PATCH", target, R"({"name":"hourly.2026-01-01_0005"})").code, 1638477);
}

TEST_F(SnapshotTest, RenamesAndComments) {
  const std::string target = all_ + "/" + MakeSnapshot(volume_, "a");
  MakeSnapshot(volume_, "b");
  EXPECT_EQ(Call("PATCH", target, R"({"name":"b"})").code, 525059);
  EXPECT_EQ(Call("PATCH", target + "?return_timeout=15", R"({"name":"c","comment":"x"})").status,
            200);
  EXPECT_EQ(Get(target).body["comment"], "x");
}

}  // namespace
}  // namespace ontapnvme::sim
