// SPDX-License-Identifier: AGPL-3.0-or-later
#include "sim_fixture.h"

namespace ontapnvme::sim {
namespace {

using nlohmann::json;

constexpr const char* kGroups = "/api/application/consistency-groups";
constexpr const char* kNow = "?return_timeout=15";

class GroupTest : public SimTest {
 protected:
  static json Members(const std::vector<std::string>& names, const std::string& action) {
    json volumes = json::array();
    for (const std::string& name : names) {
      volumes.push_back({{"name", name}, {"provisioning_options", {{"action", action}}}});
    }
    return volumes;
  }
  static std::string Body(const std::string& name, const std::vector<std::string>& volumes) {
    return json{{"svm", {{"name", "svm1"}}}, {"name", name}, {"volumes", Members(volumes, "add")}}
        .dump();
  }
  std::string MakeGroup(const std::string& name, const std::vector<std::string>& volumes) {
    return Made(std::string(kGroups) + kNow, json::parse(Body(name, volumes)));
  }
  Answer Change(const std::string& group, const std::vector<std::string>& names,
                const std::string& action) {
    return Call("PATCH", std::string(kGroups) + "/" + group + kNow,
                json{{"volumes", Members(names, action)}}.dump());
  }
  std::string Snapshots(const std::string& group) {
    return std::string(kGroups) + "/" + group + "/snapshots";
  }
  std::string TakeSnapshotOf(const std::string& group, const std::string& name) {
    return Made(Snapshots(group) + kNow, {{"name", name}});
  }
  Answer Restore(const std::string& group, const std::string& name) {
    return Call("PATCH", std::string(kGroups) + "/" + group + kNow,
                json{{"restore_to", {{"snapshot", {{"name", name}}}}}}.dump());
  }
};

TEST_F(GroupTest, CreateRefusesWhatOntapRefuses) {
  for (const char* name : {"a", "b", "c"}) MakeVolume(name);
  MakeGroup("g", {"a"});
  ExpectRefusals({
      {"no volumes", "POST", kGroups, Body("h", {}), 400, 262212},
      {"no name for two", "POST", kGroups,
       json{{"svm", {{"name", "svm1"}}}, {"volumes", Members({"b", "c"}, "add")}}.dump(), 400,
       262212},
      {"name taken", "POST", kGroups, Body("g", {"b"}), 409, 53411860},
      {"in another group", "POST", kGroups, Body("h", {"a"}), 409, 53411865},
      {"unknown volume", "POST", kGroups, Body("h", {"x"}), 404, 917927},
      {"twice", "POST", kGroups, Body("h", {"b", "b"}), 400, 262188},
      {"no action", "POST", kGroups,
       json{{"svm", {{"name", "svm1"}}}, {"name", "h"}, {"volumes", {{{"name", "b"}}}}}.dump(), 400,
       53411864},
      {"unknown snapshot policy", "POST", kGroups,
       json{{"svm", {{"name", "svm1"}}},
            {"name", "h"},
            {"volumes", Members({"b"}, "add")},
            {"snapshot_policy", {{"name", "x"}}}}
           .dump(),
       400, 917551},
  });
  Set("group_name_max", "30");
  EXPECT_EQ(Call("POST", kGroups, Body(std::string(31, 'g'), {"b"})).code, 262247);
}

TEST_F(GroupTest, MembersChangeSince9121) {
  for (const char* name : {"a", "b"}) MakeVolume(name);
  const std::string g = MakeGroup("g", {"a"});
  Set("release", "9.11.1");
  EXPECT_EQ(Change(g, {"b"}, "add").status, 405);
  Set("release", "9.12.1");
  EXPECT_EQ(Change(g, {"b"}, "add").status, 200);
  EXPECT_EQ(Change(g, {"b"}, "add").status, 409);
  EXPECT_EQ(Change(g, {"x"}, "remove").code, 53411861);
  EXPECT_EQ(Change(g, {"a"}, "remove").status, 200);
  // The last one takes the group along.
  Set("empty_groups", "vanish");
  EXPECT_EQ(Change(g, {"b"}, "remove").status, 200);
  EXPECT_EQ(Get(std::string(kGroups) + "/" + g).code, 53411843);
}

TEST_F(GroupTest, SixteenMembersPerAddAndNoneWithNvmeWhereForbidden) {
  MakeVolume("a");
  MakeNamespace("a");
  const std::string g = MakeGroup("g", {"a"});
  std::vector<std::string> many;
  for (int i = 0; i < 17; ++i) {
    many.push_back("m" + std::to_string(i));
    MakeVolume(many.back());
  }
  EXPECT_EQ(Change(g, many, "add").code, 262247);
  many.pop_back();
  Set("group_change_with_nvme", "refuse");
  EXPECT_EQ(Change(g, many, "add").status, 405);
  Set("group_change_with_nvme", "take");
  EXPECT_EQ(Change(g, many, "add").status, 200);
}

TEST_F(GroupTest, OddRefusalHasACodeThatNobodyKnows) {
  MakeVolume("a");
  MakeNamespace("a");
  MakeVolume("b");
  const std::string g = MakeGroup("g", {"a"});
  Set("group_change_with_nvme", "refuse_oddly");
  EXPECT_EQ(Change(g, {"b"}, "add").status, 400);
}

TEST_F(GroupTest, MoreThanSixteenAtCreation) {
  std::vector<std::string> many;
  for (int i = 0; i < 17; ++i) {
    many.push_back("m" + std::to_string(i));
    MakeVolume(many.back());
  }
  Set("group_create_above_16", "refuse");
  EXPECT_EQ(Call("POST", kGroups, Body("g", many)).code, 262247);
  Set("group_create_above_16", "take");
  MakeGroup("g", many);
}

TEST_F(GroupTest, GroupMayGoBeforeSomethingIsAdded) {
  MakeVolume("a");
  MakeVolume("b");
  const std::string g = MakeGroup("g", {"a"});
  Set("group_at_add", "gone");
  EXPECT_EQ(Change(g, {"b"}, "add").code, 53411843);
  EXPECT_EQ(Get(std::string(kGroups) + "/" + g).status, 404);
}

TEST_F(GroupTest, PolicyThatIsNotNamed) {
  MakeVolume("a");
  MakeVolume("b");
  const auto policy = [&](const std::string& group) {
    return Get(std::string(kGroups) + "/" + group + "?fields=snapshot_policy.name")
        .body["snapshot_policy"]["name"];
  };
  Set("group_policy_unsaid", "default");
  EXPECT_EQ(policy(MakeGroup("g", {"a"})), "default");
  Set("group_policy_unsaid", "none");
  EXPECT_EQ(policy(MakeGroup("h", {"b"})), "none");
}

TEST_F(GroupTest, EmptyGroupKeepsItsSnapshotsWhichKeepIt) {
  const std::string a = MakeVolume("a");
  const std::string g = MakeGroup("g", {"a"});
  const std::string snapshot = TakeSnapshotOf(g, "s");
  Set("empty_groups", "stay");
  EXPECT_EQ(Change(g, {"a"}, "remove").status, 200);
  EXPECT_FALSE(Get(std::string(kGroups) + "/" + g + "?fields=volumes").body.contains("volumes"));
  Call("DELETE", "/api/storage/volumes/" + a + "?force=true&return_timeout=15");
  EXPECT_EQ(Get(Snapshots(g)).body["num_records"], 1);
  EXPECT_EQ(Call("DELETE", std::string(kGroups) + "/" + g + kNow).status, 409);
  EXPECT_EQ(Call("DELETE", Snapshots(g) + "/" + snapshot + kNow).status, 200);
  EXPECT_EQ(Call("DELETE", std::string(kGroups) + "/" + g + kNow).status, 200);
}

TEST_F(GroupTest, DeletedVolumeMayStayUntilItIsTakenOut) {
  const std::string a = MakeVolume("a");
  MakeVolume("b");
  const std::string g = MakeGroup("g", {"a", "b"});
  Set("deleted_volume_in_group", "stays");
  Call("DELETE", "/api/storage/volumes/" + a + kNow);
  const auto members = [&] {
    return Get(std::string(kGroups) + "/" + g + "?fields=volumes.name").body["volumes"];
  };
  ASSERT_EQ(members().size(), 2U);
  EXPECT_EQ(members()[0]["name"], "a");
  EXPECT_EQ(Call("POST", Snapshots(g), R"({"name":"s"})").code, 53411921);
  EXPECT_EQ(Change(g, {"a"}, "remove").status, 200);
  EXPECT_EQ(members().size(), 1U);
  TakeSnapshotOf(g, "s");
}

TEST_F(GroupTest, DeletingAGroupSnapshotMayLeaveThoseOfItsMembers) {
  const std::string a = MakeVolume("a");
  const std::string g = MakeGroup("g", {"a"});
  const std::string target = Snapshots(g) + "/" + TakeSnapshotOf(g, "s");
  Set("group_snapshot_delete", "group_only");
  EXPECT_EQ(Call("DELETE", target + kNow).status, 200);
  EXPECT_EQ(Get("/api/storage/volumes/" + a + "/snapshots").body["num_records"], 1);
}

TEST_F(GroupTest, RenamingAGroupSnapshotMayLeaveThoseOfItsMembersOrBeRefused) {
  const std::string a = MakeVolume("a");
  const std::string g = MakeGroup("g", {"a"});
  Ctl({{"cmd", "schedule-snapshot"}, {"group", "g"}, {"name", "hourly.1"}});
  const std::string target =
      Snapshots(g) + "/" + std::string(Get(Snapshots(g)).Records().at(0)["uuid"]) + kNow;
  const auto names = [&] {
    return std::string(Get(Snapshots(g)).Records().at(0)["name"]) + " " +
           std::string(Get("/api/storage/volumes/" + a + "/snapshots").Records().at(0)["name"]);
  };
  Set("group_snapshot_rename", "refuse");
  EXPECT_EQ(Call("PATCH", target, R"({"name":"b"})").code, 53411925);
  EXPECT_EQ(names(), "hourly.1 hourly.1");
  Set("group_snapshot_rename", "group_only");
  EXPECT_EQ(Call("PATCH", target, R"({"name":"b"})").status, 200);
  EXPECT_EQ(names(), "b hourly.1");
  Set("group_snapshot_rename", "members_too");
  TakeSnapshotOf(g, "taken");
  EXPECT_EQ(Call("PATCH", target, R"({"name":"taken"})").code, 53411921);
  const std::string other =
      Snapshots(g) + "/" + std::string(Get(Snapshots(g) + "?name=taken").Records().at(0)["uuid"]);
  EXPECT_EQ(Call("PATCH", other + kNow, R"({"name":"c"})").status, 200);
  EXPECT_EQ(Get("/api/storage/volumes/" + a + "/snapshots?name=c").body["num_records"], 1);
  EXPECT_EQ(Call("PATCH", target, R"({"comment":"x"})").status, 400);
}

TEST_F(GroupTest, DeletedVolumesLeaveAndTheLastTakesTheGroupAlong) {
  Set("empty_groups", "vanish");
  const std::string a = MakeVolume("a");
  const std::string b = MakeVolume("b");
  const std::string g = MakeGroup("g", {"a", "b"});
  Call("DELETE", "/api/storage/volumes/" + a + kNow);
  const json members =
      Get(std::string(kGroups) + "?name=g&fields=volumes.name").Records().at(0)["volumes"];
  ASSERT_EQ(members.size(), 1U);
  EXPECT_EQ(members[0]["name"], "b");
  Call("DELETE", "/api/storage/volumes/" + b + kNow);
  EXPECT_EQ(Get(std::string(kGroups) + "/" + g).status, 404);
}

TEST_F(GroupTest, OneSnapshotCoversAllMembersAndRestoresThemTogether) {
  const std::string a = MakeVolume("a");
  const std::string b = MakeVolume("b");
  const std::string na = MakeNamespace("a");
  const std::string nb = MakeNamespace("b");
  const std::string g = MakeGroup("g", {"a", "b"});
  Write(na, "one");
  Write(nb, "one");
  TakeSnapshotOf(g, "s");
  EXPECT_EQ(Get("/api/storage/volumes/" + a + "/snapshots?name=s").body["num_records"], 1);
  const json record =
      Get(Snapshots(g) + "?name=s&fields=is_partial,snapshot_volumes").Records().at(0);
  EXPECT_EQ(record["is_partial"], false);
  EXPECT_EQ(record["snapshot_volumes"].size(), 2U);

  EXPECT_EQ(Call("POST", Snapshots(g), R"({"name":"s"})").code, 53411921);
  Write(na, "two");
  Write(nb, "two");
  TakeSnapshotOf(g, "later");
  EXPECT_EQ(Restore(g, "s").status, 200);
  EXPECT_EQ(Read(na, 3), "one");
  EXPECT_EQ(Read(nb, 3), "one");
  EXPECT_EQ(Get(Snapshots(g)).body["num_records"], 1);  // newer ones are gone
  EXPECT_EQ(Restore(g, "later").status, 404);
}

TEST_F(GroupTest, ASnapshotIsOnePointInTime) {
  MakeVolume("a");
  MakeVolume("b");
  const std::string g = MakeGroup("g", {"a", "b"});
  tick_ = std::chrono::seconds(1);
  TakeSnapshotOf(g, "s");
  const json all =
      Get("/api/storage/volumes/*/snapshots?name=s&fields=create_time&return_records=true")
          .Records();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0]["create_time"], all[1]["create_time"]);
  const json group = Get(Snapshots(g) + "?name=s&fields=create_time").Records().at(0);
  EXPECT_EQ(group["create_time"], all[0]["create_time"]);
}

TEST_F(GroupTest, AMemberSnapshotOfThatNameFailsTheWhole) {
  const std::string a = MakeVolume("a");
  MakeVolume("b");
  const std::string g = MakeGroup("g", {"a", "b"});
  MakeSnapshot(a, "s");
  EXPECT_EQ(Call("POST", Snapshots(g), R"({"name":"s"})").code, 53411921);
}

TEST_F(GroupTest, AddingMakesOldSnapshotsPartialAndRemovingMakesThemInvalid) {
  for (const char* name : {"a", "b", "c"}) MakeVolume(name);
  const std::string g = MakeGroup("g", {"a", "b"});
  TakeSnapshotOf(g, "s");
  Change(g, {"c"}, "add");
  const json record =
      Get(Snapshots(g) + "?name=s&fields=is_partial,missing_volumes.name").Records().at(0);
  EXPECT_EQ(record["is_partial"], true);
  EXPECT_EQ(record["missing_volumes"][0]["name"], "c");
  EXPECT_EQ(Restore(g, "s").status, 200);
  Change(g, {"b"}, "remove");
  EXPECT_EQ(Restore(g, "s").code, 53411918);
}

TEST_F(GroupTest, DeletingAMemberSnapshotInvalidatesTheGroupSnapshot) {
  const std::string a = MakeVolume("a");
  MakeVolume("b");
  const std::string g = MakeGroup("g", {"a", "b"});
  TakeSnapshotOf(g, "s");
  const std::string member =
      Get("/api/storage/volumes/" + a + "/snapshots?name=s").Records().at(0)["uuid"];
  Call("DELETE", "/api/storage/volumes/" + a + "/snapshots/" + member + kNow);
  EXPECT_EQ(Restore(g, "s").code, 53411918);
}

TEST_F(GroupTest, DeletingAGroupSnapshotDeletesItsMembers) {
  const std::string a = MakeVolume("a");
  const std::string g = MakeGroup("g", {"a"});
  const std::string target = Snapshots(g) + "/" + TakeSnapshotOf(g, "s");
  const std::string clone =
      Made(std::string("/api/storage/volumes") + kNow, {{"svm", {{"name", "svm1"}}},
                                                        {"name", "clone"},
                                                        {"clone",
                                                         {{"is_flexclone", true},
                                                          {"parent_volume", {{"name", "a"}}},
                                                          {"parent_snapshot", {{"name", "s"}}}}}});
  EXPECT_EQ(Call("DELETE", target).code, 53412007);
  Call("DELETE", "/api/storage/volumes/" + clone + "?force=true&return_timeout=15");
  EXPECT_EQ(Call("DELETE", target + kNow).status, 200);
  EXPECT_EQ(Get("/api/storage/volumes/" + a + "/snapshots").body["num_records"], 0);
  EXPECT_EQ(Call("DELETE", target).code, 4);
}

TEST_F(GroupTest, DeletingTheGroupKeepsTheSnapshotsOfItsVolumes) {
  const std::string a = MakeVolume("a");
  const std::string g = MakeGroup("g", {"a"});
  TakeSnapshotOf(g, "s");
  EXPECT_EQ(Call("DELETE", std::string(kGroups) + "/" + g + "?delete_data=true").code, 262179);
  EXPECT_EQ(Call("DELETE", std::string(kGroups) + "/" + g + kNow).status, 200);
  EXPECT_EQ(Get("/api/storage/volumes/" + a + "/snapshots").body["num_records"], 1);
}

TEST_F(GroupTest, ShowsItsMembersWhenTheyAreNamed) {
  MakeVolume("a", {{"comment", "mark"}});
  const std::string ns = MakeNamespace("a");
  MakeGroup("g", {"a"});
  EXPECT_FALSE(Get(std::string(kGroups) + "?fields=*").Records().at(0).contains("volumes"));
  const json group = Get(std::string(kGroups) + "?fields=volumes,namespaces").Records().at(0);
  EXPECT_EQ(group["volumes"][0]["comment"], "mark");
  EXPECT_EQ(group["namespaces"][0]["uuid"], ns);
}

TEST_F(GroupTest, OneListingCoversAllGroupsSince9121) {
  MakeVolume("a");
  TakeSnapshotOf(MakeGroup("g", {"a"}), "s");
  EXPECT_EQ(Get(Snapshots("*")).body["num_records"], 1);
  Set("release", "9.11.1");
  EXPECT_EQ(Get(Snapshots("*")).status, 400);
}

}  // namespace
}  // namespace ontapnvme::sim
