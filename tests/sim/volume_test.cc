// SPDX-License-Identifier: AGPL-3.0-or-later
#include "sim_fixture.h"

namespace ontapnvme::sim {
namespace {

using nlohmann::json;

constexpr const char* kVolumes = "/api/storage/volumes";

class VolumeTest : public SimTest {
 protected:
  // A create body with some members replaced.
  static std::string Body(const json& changes) {
    json body = {{"svm", {{"name", "svm1"}}},
                 {"name", "v"},
                 {"aggregates", {{{"name", "aggr1"}}}},
                 {"size", kGiB},
                 {"guarantee", {{"type", "none"}}}};
    return Merged(body, changes).dump();
  }
};

TEST_F(VolumeTest, CreateRefusesWhatOntapRefuses) {
  MakeVolume("taken");
  const std::string long_name(204, 'a');
  ExpectRefusals({
      {"no SVM", "POST", kVolumes, Body({{"svm", nullptr}}), 400, 2621707},
      {"unknown SVM", "POST", kVolumes, Body({{"svm", {{"name", "x"}}}}), 400, 2621462},
      {"no name", "POST", kVolumes, Body({{"name", nullptr}}), 400, 262212},
      {"name too long", "POST", kVolumes, Body({{"name", long_name}}), 400, 917886},
      {"name starts with a digit", "POST", kVolumes, Body({{"name", "1a"}}), 400, 917887},
      {"name with a dash", "POST", kVolumes, Body({{"name", "a-b"}}), 400, 917888},
      {"name taken", "POST", kVolumes, Body({{"name", "taken"}}), 409, 917526},
      {"no aggregate", "POST", kVolumes, Body({{"aggregates", nullptr}}), 400, 787140},
      {"unknown aggregate", "POST", kVolumes, Body({{"aggregates", {{{"name", "x"}}}}}), 400,
       917508},
      {"two aggregates", "POST", kVolumes,
       Body({{"aggregates", {{{"name", "aggr1"}}, {{"name", "aggr_nae"}}}}}), 400, 918242},
      {"too small", "POST", kVolumes, Body({{"size", 20 * kMiB - 1}}), 400, 917534},
      {"too large", "POST", kVolumes, Body({{"size", 301 * 1024 * kGiB}}), 400, 262247},
      {"sizes disagree", "POST", kVolumes, Body({{"space", {{"size", 2 * kGiB}}}}), 400, 262186},
      {"reserve above 90", "POST", kVolumes,
       Body({{"space", {{"snapshot", {{"reserve_percent", 91}}}}}}), 400, 917835},
      {"autodelete at creation", "POST", kVolumes,
       Body({{"space", {{"snapshot", {{"autodelete", {{"enabled", false}}}}}}}}), 400, 262196},
      {"autodelete at creation, the old spelling", "POST", kVolumes,
       Body({{"space", {{"snapshot", {{"autodelete_enabled", false}}}}}}), 400, 262196},
      {"fractional reserve at creation", "POST", kVolumes,
       Body({{"space", {{"fractional_reserve", 100}}}}), 400, 262196},
      {"unknown snapshot policy", "POST", kVolumes, Body({{"snapshot_policy", {{"name", "x"}}}}),
       400, 917551},
      {"unknown QoS policy", "POST", kVolumes, Body({{"qos", {{"policy", {{"name", "x"}}}}}}), 400,
       262247},
      {"named and inline QoS", "POST", kVolumes,
       Body({{"qos", {{"policy", {{"name", "gold"}, {"max_throughput_iops", 5}}}}}}), 400, 262186},
      {"tiering without FabricPool", "POST", kVolumes,
       Body({{"aggregates", {{{"name", "aggr_nae"}}}}, {"tiering", {{"policy", "auto"}}}}), 400,
       787144},
      {"cooling days with policy all", "POST", kVolumes,
       Body({{"tiering", {{"policy", "all"}, {"min_cooling_days", 5}}}}), 400, 918196},
      {"autosize thresholds", "POST", kVolumes,
       Body({{"autosize", {{"mode", "grow"}, {"grow_threshold", 50}, {"shrink_threshold", 50}}}}),
       400, 917829},
      {"autosize minimum above maximum", "POST", kVolumes,
       Body({{"autosize", {{"mode", "grow"}, {"maximum", kGiB / 2}, {"minimum", kGiB}}}}), 400,
       917831},
      {"autosize minimum above size", "POST", kVolumes,
       Body({{"autosize", {{"mode", "grow"}, {"maximum", 3 * kGiB}, {"minimum", 2 * kGiB}}}}), 400,
       918524},
      {"autosize maximum too large", "POST", kVolumes,
       Body({{"autosize", {{"mode", "grow"}, {"maximum", 2000 * 1024 * kGiB}}}}), 400, 918521},
      {"bad state", "POST", kVolumes, Body({{"state", "mixed"}}), 400, 918652},
      {"FlexGroup", "POST", kVolumes, Body({{"style", "flexgroup"}}), 400, 262247},
      {"unknown query parameter", "POST", std::string(kVolumes) + "?foo=1", Body({}), 400, 262179},
      {"thick beyond the aggregate", "POST", kVolumes,
       Body({{"size", 2 * 1024 * kGiB}, {"guarantee", {{"type", "volume"}}}}), 500, 1245212},
  });
  EXPECT_EQ(Get(std::string(kVolumes) + "?name=v").body["num_records"], 0);
}

TEST_F(VolumeTest, DefaultsAreOntaps) {
  const std::string uuid =
      Made(std::string(kVolumes) + "?return_timeout=15",
           {{"svm", {{"name", "svm1"}}}, {"name", "v"}, {"aggregates", {{{"name", "aggr1"}}}}});
  const json volume = Get(std::string(kVolumes) + "/" + uuid + "?fields=**").body;
  EXPECT_EQ(volume["size"], 20 * kMiB);
  EXPECT_EQ(volume["guarantee"]["type"], "volume");
  EXPECT_EQ(volume["snapshot_policy"]["name"], "default");
  EXPECT_EQ(volume["space"]["fractional_reserve"], 100);
  EXPECT_EQ(volume["space"]["snapshot"]["reserve_percent"], 5);
  EXPECT_EQ(volume["encryption"]["enabled"], false);
  EXPECT_EQ(volume["tiering"]["policy"], "snapshot_only");
  EXPECT_EQ(volume["autosize"]["mode"], "off");
  EXPECT_FALSE(volume.contains("comment"));
}

TEST_F(VolumeTest, EncryptionFollowsTheAggregateAndTheKeyManager) {
  const auto type_of = [&](const std::string& uuid) {
    return Get(std::string(kVolumes) + "/" + uuid + "?fields=encryption")
        .body["encryption"]["type"];
  };
  const json nae = {{"aggregates", {{{"name", "aggr_nae"}}}}};
  json nae_on = nae;
  nae_on["encryption"]["enabled"] = true;
  json nae_off = nae;
  nae_off["encryption"]["enabled"] = false;
  EXPECT_EQ(type_of(MakeVolume("a", nae)), "aggregate");
  EXPECT_EQ(type_of(MakeVolume("b", nae_on)), "aggregate");
  EXPECT_EQ(type_of(MakeVolume("c", nae_off)), "none");
  EXPECT_EQ(type_of(MakeVolume("d", {{"encryption", {{"enabled", true}}}})), "volume");
  EXPECT_EQ(type_of(MakeVolume("e")), "none");
  Set("key_manager", false);
  ExpectRefusals({{"no key manager", "POST", kVolumes, Body({{"encryption", {{"enabled", true}}}}),
                   400, 65537463}});
}

TEST_F(VolumeTest, PatchChangesAndRefuses) {
  const std::string uuid = MakeVolume("v");
  MakeVolume("taken");
  const std::string target = std::string(kVolumes) + "/" + uuid;
  ExpectRefusals({
      {"nothing", "PATCH", target, "{}", 400, 262190},
      {"name taken", "PATCH", target, R"({"name":"taken"})", 409, 917526},
      {"create-only", "PATCH", target, R"({"style":"flexvol"})", 400, 262203},
      {"unknown volume", "PATCH", std::string(kVolumes) + "/1-2", R"({"name":"b"})", 404, 918235},
      {"split of no clone", "PATCH", target, R"({"clone":{"split_initiated":true}})", 400, 262247},
      {"same aggregate", "PATCH", target,
       R"({"movement":{"destination_aggregate":{"name":"aggr1"}}})", 400, 918265},
      {"unknown aggregate", "PATCH", target,
       R"({"movement":{"destination_aggregate":{"name":"x"}}})", 400, 918267},
      {"odd fractional reserve", "PATCH", target, R"({"space":{"fractional_reserve":50}})", 400,
       262247},
      {"size and autosize at once", "PATCH", target,
       R"({"size":2147483648,"autosize":{"mode":"grow","maximum":4294967296}})", 400, 262186},
  });
  Set("autosize_with_size", "take");
  const Answer renamed = Call("PATCH", target + "?return_timeout=15",
                              R"({"name":"w","size":2147483648,"comment":"c","autosize":
                                  {"mode":"grow","maximum":4294967296}})");
  EXPECT_EQ(renamed.status, 200) << renamed.body.dump();
  const json volume = Get(target + "?fields=autosize,size,comment").body;
  EXPECT_EQ(volume["name"], "w");
  EXPECT_EQ(volume["size"], 2 * kGiB);
  EXPECT_EQ(volume["comment"], "c");
  EXPECT_EQ(volume["autosize"]["maximum"], 4 * kGiB);
}

TEST_F(VolumeTest, DoesNotShrinkBelowItsNamespaces) {
  const std::string uuid = MakeVolume("v");
  MakeNamespace("v");
  const std::string target = std::string(kVolumes) + "/" + uuid;
  ExpectRefusals({{"shrink", "PATCH", target, R"({"size":33554432})", 500, 1245212}});
  EXPECT_EQ(Call("PATCH", target + "?return_timeout=15", R"({"size":134217728})").status, 200);
}

TEST_F(VolumeTest, DeleteGoesThroughTheRecoveryQueue) {
  const std::string uuid = MakeVolume("v");
  MakeNamespace("v");
  const std::string target = std::string(kVolumes) + "/" + uuid + "?return_timeout=15";
  EXPECT_EQ(Call("DELETE", target).status, 200);
  EXPECT_EQ(Call("DELETE", target).code, 918235);
  EXPECT_EQ(Get("/api/storage/namespaces").body["num_records"], 0);

  const std::string queue = "/api/private/cli/volume/recovery-queue";
  const json queued = Get(queue + "?vserver=svm1&volume=v*&fields=volume").Records();
  ASSERT_EQ(queued.size(), 1U);
  EXPECT_NE(queued[0]["volume"], "v");
  EXPECT_NE(MakeVolume("v"), uuid);  // the name is free again
  const json parameters = {{"vserver", "svm1"}, {"volume", queued[0]["volume"]}};
  EXPECT_EQ(Call("POST", queue + "/purge", parameters.dump()).status, 200);
  EXPECT_EQ(Call("POST", queue + "/purge", parameters.dump()).code, 4);
  EXPECT_EQ(sim_.world().namespaces.size(), 0U);
}

TEST_F(VolumeTest, RecoveredVolumesKeepTheirContent) {
  const std::string uuid = MakeVolume("v", {{"comment", "a comment"}});
  const std::string ns = MakeNamespace("v");
  Write(ns, "precious");
  Call("DELETE", std::string(kVolumes) + "/" + uuid + "?return_timeout=15");
  const std::string queue = "/api/private/cli/volume/recovery-queue";
  const json entry = Get(queue + "?fields=volume").Records()[0];
  EXPECT_EQ(Call("POST", queue + "/recover", R"({"vserver":"svm1","name":"v"})").code, 262179);
  EXPECT_EQ(Call("POST", queue + "/recover",
                 json{{"vserver", "svm1"}, {"volume", entry["volume"]}}.dump())
                .status,
            200);
  const auto record = [&] { return Get(std::string(kVolumes) + "/" + uuid).body; };
  EXPECT_EQ(record()["name"], entry["volume"]);
  EXPECT_EQ(record()["state"], "offline");
  EXPECT_EQ(record()["comment"], "a comment");
  EXPECT_EQ(Read(ns, 8), "precious");
  EXPECT_EQ(Get("/api/storage/namespaces").Records().at(0)["uuid"], ns);
  Set("offline_volume", "bare");
  EXPECT_FALSE(record().contains("comment"));
  EXPECT_EQ(Get("/api/storage/namespaces").body["num_records"], 0);
  Call("PATCH", std::string(kVolumes) + "/" + uuid + "?return_timeout=15", R"({"state":"online"})");
  EXPECT_EQ(record()["comment"], "a comment");
  EXPECT_EQ(Get("/api/storage/namespaces").Records().at(0)["uuid"], ns);
}

TEST_F(VolumeTest, RecoveredVolumesMayHoldOtherNamespacesAndHaveTheDefaultSchedule) {
  const std::string uuid = MakeVolume("v");
  Write(MakeNamespace("v"), "precious");
  const std::string before = Get("/api/storage/namespaces").Records().at(0)["uuid"];
  Set("recovered_namespace", "new_uuid");
  Set("recovered_policy", "default");
  Call("DELETE", std::string(kVolumes) + "/" + uuid + "?return_timeout=15");
  const std::string queue = "/api/private/cli/volume/recovery-queue";
  const json entry =
      Get(queue + "?fields=volume,deletion_request_time,retention_hours").Records()[0];
  EXPECT_EQ(entry["retention_hours"], 12);
  Call("POST", queue + "/recover", json{{"vserver", "svm1"}, {"volume", entry["volume"]}}.dump());
  const std::string after = Get("/api/storage/namespaces").Records().at(0)["uuid"];
  EXPECT_NE(after, before);
  EXPECT_EQ(Read(after, 8), "precious");
  EXPECT_EQ(Get(std::string(kVolumes) + "/" + uuid).body["snapshot_policy"]["name"], "default");
  Set("queue_fields", "names");
  EXPECT_EQ(Call("GET", queue + "?fields=volume,retention_hours").code, 262179);
}

TEST_F(VolumeTest, ForceNeedsARelease) {
  const std::string target = std::string(kVolumes) + "/" + MakeVolume("v") + "?force=true";
  Set("release", "9.11.1");
  EXPECT_EQ(Call("DELETE", target).code, 262179);
  Set("release", "9.12.1");
  EXPECT_EQ(Call("DELETE", target + "&return_timeout=15").status, 200);
  EXPECT_EQ(Get("/api/private/cli/volume/recovery-queue").body["num_records"], 0);
}

TEST_F(VolumeTest, DeleteIsRefusedWhileSomethingNeedsIt) {
  const std::string mapped = MakeVolume("mapped");
  MakeSubsystem("s");
  Map("s", MakeNamespace("mapped"));
  const std::string parent = MakeVolume("parent");
  MakeSnapshot(parent, "base");
  const std::string clone = Made(std::string(kVolumes) + "?return_timeout=15",
                                 {{"svm", {{"name", "svm1"}}},
                                  {"name", "clone"},
                                  {"clone",
                                   {{"is_flexclone", true},
                                    {"parent_volume", {{"name", "parent"}}},
                                    {"parent_snapshot", {{"name", "base"}}}}}});
  const std::string root =
      Get(std::string(kVolumes) + "?is_svm_root=true&svm.name=svm1").Records()[0]["uuid"];
  const std::string all = std::string(kVolumes) + "/";
  ExpectRefusals({
      {"mapped namespace", "DELETE", all + mapped, "", 409, 72089796},
      {"FlexClone", "DELETE", all + parent, "", 409, 524615},
      {"root volume", "DELETE", all + root, "", 400, 917531},
  });
  // Also while the clone waits in the recovery queue.
  EXPECT_EQ(Call("DELETE", all + clone + "?return_timeout=15").status, 200);
  EXPECT_EQ(Call("DELETE", all + parent).code, 524615);
  Set("queued_clones_hold_parent", "no");
  EXPECT_EQ(Call("DELETE", all + parent + "?return_timeout=15").status, 200);
}

TEST_F(VolumeTest, AStorageLimitCountsWhatVolumesMayGrowTo) {
  Set("storage_limit", {{"svm1", 4 * kGiB}});
  MakeVolume("v");
  ExpectRefusals({{"limit", "POST", kVolumes,
                   Body({{"name", "w"}, {"autosize", {{"mode", "grow"}, {"maximum", 3 * kGiB}}}}),
                   500, 1245212}});
  const json storage = Get("/api/svm/svms?name=svm1&fields=storage").Records()[0]["storage"];
  EXPECT_EQ(storage["limit"], 4 * kGiB);
  EXPECT_EQ(storage["allocated"], 2 * kGiB);  // with the root volume
}

TEST_F(VolumeTest, FractionalReserveFollowsTheGuarantee) {
  const auto reserve_of = [&](const std::string& uuid) {
    return Get(std::string(kVolumes) + "/" + uuid + "?fields=space.fractional_reserve")
        .body["space"]["fractional_reserve"];
  };
  EXPECT_EQ(reserve_of(MakeVolume("thin")), 0);
  EXPECT_EQ(reserve_of(MakeVolume("thick", {{"guarantee", {{"type", "volume"}}}})), 100);
  Set("fractional_reserve_create", "take");
  EXPECT_EQ(reserve_of(MakeVolume("taken", {{"space", {{"fractional_reserve", 100}}}})), 100);
}

TEST_F(VolumeTest, NewOnesMayBeListedLate) {
  Set("late_listing_ms", "2000");
  const std::string uuid = MakeVolume("v");
  const std::string ns = MakeNamespace("v");
  const std::string by_name = std::string(kVolumes) + "?name=v";
  const std::string of_volume = "/api/storage/namespaces?location.volume.name=v";
  EXPECT_EQ(Get(by_name).body["num_records"], 0);
  EXPECT_EQ(Get(of_volume).body["num_records"], 0);
  EXPECT_EQ(Get(std::string(kVolumes) + "/" + uuid).status, 200);
  EXPECT_EQ(Get("/api/storage/namespaces/" + ns).status, 200);
  Set("late_by_uuid", "yes");
  EXPECT_EQ(Get(std::string(kVolumes) + "/" + uuid).status, 404);
  EXPECT_EQ(Get("/api/storage/namespaces/" + ns).code, 72090006);
  EXPECT_EQ(
      Call("PATCH", std::string(kVolumes) + "/" + uuid + "?return_timeout=15", R"({"comment":"c"})")
          .status,
      200);
  now_ += std::chrono::seconds(2);
  EXPECT_EQ(Get(by_name).body["num_records"], 1);
  EXPECT_EQ(Get(of_volume).body["num_records"], 1);
  EXPECT_EQ(Get("/api/storage/namespaces/" + ns).status, 200);
}

TEST_F(VolumeTest, ClonesTakeNoMoreAtTheirCreationThanClientsSend) {
  MakeSnapshot(MakeVolume("parent"), "base");
  const json minimal = {{"svm", {{"name", "svm1"}}},
                        {"name", "clone"},
                        {"comment", "c"},
                        {"clone",
                         {{"is_flexclone", true},
                          {"parent_volume", {{"name", "parent"}}},
                          {"parent_snapshot", {{"name", "base"}}}}}};
  const auto with = [&](const json& changes) { return Merged(minimal, changes).dump(); };
  const json qos = {{"qos", {{"policy", {{"name", "gold"}}}}}};
  const json guarantee = {{"guarantee", {{"type", "none"}}}};
  ExpectRefusals({
      {"QoS", "POST", kVolumes, with(qos), 400, 262196},
      {"guarantee", "POST", kVolumes, with(guarantee), 400, 262196},
      {"snapshot policy", "POST", kVolumes, with({{"snapshot_policy", {{"name", "none"}}}}), 400,
       262196},
      {"reserve", "POST", kVolumes, with({{"space", {{"snapshot", {{"reserve_percent", 5}}}}}}),
       400, 262196},
  });
  Set("clone_create", "refuse_qos");
  ExpectRefusals({{"QoS", "POST", kVolumes, with(qos), 400, 262196}});
  EXPECT_EQ(Call("POST", kVolumes, with(guarantee)).status, 202);
  Set("clone_create", "take");
  EXPECT_EQ(Call("POST", kVolumes, with(Merged(qos, {{"name", "clone2"}}))).status, 202);
}

TEST_F(VolumeTest, ClonesMayComeOnlineLate) {
  Set("clone_online_ms", "3000");
  MakeSnapshot(MakeVolume("parent"), "base");
  const std::string clone = Made(std::string(kVolumes) + "?return_timeout=15",
                                 {{"svm", {{"name", "svm1"}}},
                                  {"name", "clone"},
                                  {"clone",
                                   {{"is_flexclone", true},
                                    {"parent_volume", {{"name", "parent"}}},
                                    {"parent_snapshot", {{"name", "base"}}}}}});
  const auto state = [&] {
    return Get(std::string(kVolumes) + "/" + clone + "?fields=state").body["state"];
  };
  EXPECT_EQ(state(), "offline");
  now_ += std::chrono::seconds(3);
  EXPECT_EQ(state(), "online");
}

TEST_F(VolumeTest, AnswersOfAJobHaveSeveralForms) {
  const std::string target = std::string(kVolumes) + "?return_timeout=15&return_records=true";
  const Answer hidden = Call("POST", target, Body({{"name", "a"}}));
  EXPECT_EQ(hidden.status, 201);
  EXPECT_TRUE(hidden.body.contains("job"));
  EXPECT_EQ(hidden.Records().size(), 0U);
  Set("job_records", "show");
  EXPECT_EQ(Call("POST", target, Body({{"name", "b"}})).Records().size(), 1U);
  Set("volume_location", "name");
  EXPECT_EQ(Call("POST", target, Body({{"name", "c"}})).Location(), "/api/storage/volumes/?name=c");
  Set("job_answers", "later");
  EXPECT_EQ(Call("POST", target, Body({{"name", "d"}})).status, 202);
}

TEST_F(VolumeTest, ABusyVolumeIsDeletedLater) {
  Set("volume_busy_s", "5");
  const std::string target = std::string(kVolumes) + "/" + MakeVolume("v") + "?return_timeout=15";
  EXPECT_EQ(Call("DELETE", target).code, 524486);
  now_ += std::chrono::seconds(4);
  EXPECT_EQ(Call("DELETE", target).code, 524486);
  now_ += std::chrono::seconds(1);
  EXPECT_EQ(Call("DELETE", target).status, 200);
}

TEST_F(VolumeTest, MappedOneMayBeDeletedWhereTheArrayLetsIt) {
  Set("delete_mapped", "take");
  const std::string uuid = MakeVolume("v");
  MakeSubsystem("s");
  Map("s", MakeNamespace("v"));
  EXPECT_EQ(Call("DELETE", std::string(kVolumes) + "/" + uuid + "?return_timeout=15").status, 200);
}

TEST_F(VolumeTest, NoQosPolicyHasOneForm) {
  const std::string target = std::string(kVolumes) + "/" +
                             MakeVolume("v", {{"qos", {{"policy", {{"name", "gold"}}}}}}) +
                             "?return_timeout=15";
  const auto patch = [&](const json& form) {
    return Call("PATCH", target, json{{"qos", {{"policy", {{"name", form}}}}}}.dump());
  };
  const auto has_policy = [&] {
    return !sim_.world()
                .FindVolume(sim_.world().FindSvm("svm1")->uuid, "v")
                ->qos_policy_uuid.empty();
  };
  Set("qos_removal", "null");
  EXPECT_EQ(patch("none").status, 400);
  EXPECT_EQ(patch("").status, 400);
  EXPECT_TRUE(has_policy());
  Set("qos_removal", "empty_others_ignored");
  EXPECT_EQ(patch("none").status, 200);
  EXPECT_EQ(patch(nullptr).status, 200);
  EXPECT_TRUE(has_policy());
  EXPECT_EQ(patch("").status, 200);
  EXPECT_FALSE(has_policy());
}

TEST_F(VolumeTest, SizesEndWithThePlatform) {
  const std::uint64_t tib = 1024 * kGiB;
  const json large = {{"size", 200 * tib}, {"space", {{"large_size_enabled", true}}}};
  ExpectRefusals({{"not made for it", "POST", kVolumes, Body({{"size", 101 * tib}}), 400, 262247}});
  EXPECT_EQ(Call("POST", kVolumes, Body(Merged(large, {{"name", "a"}}))).status, 202);
  Set("volume_size_limit", "100TiB");
  ExpectRefusals({{"small platform", "POST", kVolumes, Body(large), 400, 262247},
                  {"autosize", "POST", kVolumes,
                   Body({{"autosize", {{"mode", "grow"}, {"maximum", 101 * tib}}}}), 400, 918521}});
  Set("volume_size_limit", "none");
  EXPECT_EQ(Call("POST", kVolumes, Body({{"size", 700 * tib}})).status, 202);
}

}  // namespace
}  // namespace ontapnvme::sim
