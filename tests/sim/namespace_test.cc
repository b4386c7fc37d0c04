// SPDX-License-Identifier: AGPL-3.0-or-later
#include "sim_fixture.h"

namespace ontapnvme::sim {
namespace {

using nlohmann::json;

constexpr const char* kNamespaces = "/api/storage/namespaces";

class NamespaceTest : public SimTest {
 protected:
  static std::string Body(const json& changes) {
    json body = {{"svm", {{"name", "svm1"}}},
                 {"name", "/vol/v/n"},
                 {"os_type", "linux"},
                 {"space", {{"size", 64 * kMiB}}}};
    return Merged(body, changes).dump();
  }
};

TEST_F(NamespaceTest, CreateRefusesWhatOntapRefuses) {
  MakeVolume("v");
  MakeVolume("thick", {{"guarantee", {{"type", "volume"}}}});
  MakeVolume("off", {{"state", "offline"}});
  MakeNamespace("v", "taken");
  ExpectRefusals({
      {"no SVM", "POST", kNamespaces, Body({{"svm", nullptr}}), 400, 2621707},
      {"no name", "POST", kNamespaces, Body({{"name", nullptr}}), 400, 72090014},
      {"no os_type", "POST", kNamespaces, Body({{"os_type", nullptr}}), 400, 72090013},
      {"no size", "POST", kNamespaces, Body({{"space", nullptr}}), 400, 72090013},
      {"unknown os_type", "POST", kNamespaces, Body({{"os_type", "bsd"}}), 400, 262247},
      {"not a path", "POST", kNamespaces, Body({{"name", "n"}}), 400, 72089732},
      {"bad character", "POST", kNamespaces, Body({{"name", "/vol/v/a b"}}), 400, 72089732},
      {"in a snapshot", "POST", kNamespaces, Body({{"name", "/vol/v/.snapshot/s/n"}}), 400,
       72089720},
      {"unknown volume", "POST", kNamespaces, Body({{"name", "/vol/x/n"}}), 404, 917927},
      {"root volume", "POST", kNamespaces, Body({{"name", "/vol/svm1_root/n"}}), 400, 72089727},
      {"offline volume", "POST", kNamespaces, Body({{"name", "/vol/off/n"}}), 400, 72090017},
      {"taken", "POST", kNamespaces, Body({{"name", "/vol/v/taken"}}), 409, 72089725},
      {"too small", "POST", kNamespaces, Body({{"space", {{"size", 4095}}}}), 400, 262247},
      {"above 128 TB", "POST", kNamespaces, Body({{"space", {{"size", 140737488355329}}}}), 400,
       262247},
      {"not whole blocks", "POST", kNamespaces, Body({{"space", {{"size", 65537}}}}), 400, 262247},
      {"bad block size", "POST", kNamespaces, Body({{"space", {{"block_size", 1024}}}}), 400,
       262247},
      {"larger than its volume", "POST", kNamespaces, Body({{"space", {{"size", 2 * kGiB}}}}), 500,
       1245212},
      {"larger than its thick volume", "POST", kNamespaces,
       Body({{"name", "/vol/thick/n"}, {"space", {{"size", 2 * kGiB}}}}), 500, 1245212},
      {"clone with size", "POST", kNamespaces,
       Body({{"clone", {{"source", {{"name", "/vol/v/taken"}}}}}}), 400, 72090012},
      {"path and location disagree", "POST", kNamespaces,
       Body({{"location", {{"namespace", "other"}}}}), 400, 262186},
  });
  Set("release", "9.11.1");
  ExpectRefusals({{"large namespaces came later", "POST", kNamespaces,
                   Body({{"space", {{"size", 100 * 1024 * kGiB}}}}), 400, 72089724}});
}

TEST_F(NamespaceTest, AGrowingVolumeIsMeasuredByItsMaximum) {
  MakeVolume("v", {{"autosize", {{"mode", "grow"}, {"maximum", 4 * kGiB}}}});
  EXPECT_EQ(Call("POST", kNamespaces, Body({{"space", {{"size", 3 * kGiB}}}})).status, 201);
}

TEST_F(NamespaceTest, AnswersSynchronouslyWithTheRecordWhenAsked) {
  MakeVolume("v");
  const Answer answer =
      Call("POST", std::string(kNamespaces) + "?return_records=true", Body({{"comment", "c"}}));
  ASSERT_EQ(answer.status, 201);
  ASSERT_EQ(answer.Records().size(), 1U);
  const json record = answer.Records()[0];
  EXPECT_EQ(record["uuid"], answer.Created());
  EXPECT_EQ(record["space"]["size"], 64 * kMiB);
  EXPECT_EQ(record["space"]["block_size"], 4096);
  EXPECT_EQ(record["comment"], "c");
  EXPECT_FALSE(record["status"].contains("mapped"));  // expensive
}

TEST_F(NamespaceTest, GrowsAndNeverShrinks) {
  MakeVolume("v");
  const std::string target = std::string(kNamespaces) + "/" + MakeNamespace("v");
  ExpectRefusals({
      {"shrink", "PATCH", target, R"({"space":{"size":33554432}})", 400, 72090038},
      {"nothing", "PATCH", target, "{}", 400, 262190},
      {"rename", "PATCH", target, R"({"name":"/vol/v/b"})", 400, 262203},
      {"beyond the volume", "PATCH", target, R"({"space":{"size":2147483648}})", 500, 1245212},
      {"unknown", "PATCH", std::string(kNamespaces) + "/1", R"({"comment":"c"})", 404, 72090006},
  });
  EXPECT_EQ(Call("PATCH", target, R"({"space":{"size":134217728},"comment":"big"})").status, 200);
  const json record = Get(target).body;
  EXPECT_EQ(record["space"]["size"], 128 * kMiB);
  EXPECT_EQ(record["comment"], "big");
}

TEST_F(NamespaceTest, DeleteIsRefusedWhileMapped) {
  MakeVolume("v");
  const std::string uuid = MakeNamespace("v");
  MakeSubsystem("s");
  Map("s", uuid);
  const std::string target = std::string(kNamespaces) + "/" + uuid;
  ExpectRefusals({
      {"mapped", "DELETE", target, "", 409, 72089796},
      {"unknown", "DELETE", std::string(kNamespaces) + "/1", "", 404, 4},
      {"too new", "DELETE", target + "?bypass_recovery_queue=true", "", 400, 262179},
  });
  EXPECT_EQ(Call("DELETE", target + "?allow_delete_while_mapped=true").status, 200);
  EXPECT_EQ(Get("/api/protocols/nvme/subsystem-maps").body["num_records"], 0);
}

TEST_F(NamespaceTest, ARenamedVolumeRenamesThePathOnly) {
  const std::string volume = MakeVolume("v");
  const std::string uuid = MakeNamespace("v", "n");
  Call("PATCH", "/api/storage/volumes/" + volume + "?return_timeout=15", R"({"name":"w"})");
  const json record = Get(std::string(kNamespaces) + "/" + uuid).body;
  EXPECT_EQ(record["name"], "/vol/w/n");
  EXPECT_EQ(record["location"]["volume"]["name"], "w");
}

TEST_F(NamespaceTest, ClonesWithinItsVolume) {
  const std::string volume = MakeVolume("v");
  const std::string uuid = MakeNamespace("v", "n");
  Write(uuid, "old");
  MakeSnapshot(volume, "s");
  Write(uuid, "new");
  const auto clone = [&](const std::string& base, const std::string& source) {
    return Made(kNamespaces, {{"svm", {{"name", "svm1"}}},
                              {"name", "/vol/v/" + base},
                              {"clone", {{"source", {{"name", source}}}}}});
  };
  EXPECT_EQ(Read(clone("live", "/vol/v/n"), 3), "new");
  EXPECT_EQ(Read(clone("saved", "/vol/v/.snapshot/s/n"), 3), "old");
  ExpectRefusals({{"no such snapshot", "POST", kNamespaces,
                   json{{"svm", {{"name", "svm1"}}},
                        {"name", "/vol/v/x"},
                        {"clone", {{"source", {{"name", "/vol/v/.snapshot/x/n"}}}}}}
                       .dump(),
                   404, 72090007}});
}

TEST_F(NamespaceTest, IsOverwrittenWithAnotherOfItsVolume) {
  const std::string volume = MakeVolume("v");
  const std::string uuid = MakeNamespace("v", "n");
  MakeSubsystem("s");
  Map("s", uuid);
  Write(uuid, "old");
  MakeSnapshot(volume, "one");
  Write(uuid, "new");
  MakeSnapshot(volume, "two");
  const std::string target = std::string(kNamespaces) + "/" + uuid;
  ASSERT_EQ(Call("PATCH", target, R"({"space":{"size":134217728}})").status, 200);
  const std::string copy =
      Made(kNamespaces, {{"svm", {{"name", "svm1"}}},
                         {"name", "/vol/v/copy"},
                         {"clone", {{"source", {{"name", "/vol/v/.snapshot/one/n"}}}}}});
  const std::string with_copy = json{{"clone", {{"source", {{"uuid", copy}}}}}}.dump();
  MakeVolume("w");
  const auto from = [](const std::string& key, const std::string& value) {
    return json{{"clone", {{"source", {{key, value}}}}}}.dump();
  };
  ExpectRefusals({
      {"in a snapshot", "PATCH", target, from("name", "/vol/v/.snapshot/one/n"), 400, 72089730},
      {"of another volume", "PATCH", target, from("uuid", MakeNamespace("w", "n")), 404, 72090006},
      {"with itself", "PATCH", target, from("uuid", uuid), 404, 72090006},
      {"with a size", "PATCH", target,
       json{{"clone", {{"source", {{"uuid", copy}}}}}, {"space", {{"size", 1 << 30}}}}.dump(), 400,
       72090012},
  });
  ASSERT_EQ(Call("PATCH", target, with_copy).status, 200);
  EXPECT_EQ(Read(uuid, 3), "old");
  const json record = Get(target + "?fields=subsystem_map").body;
  EXPECT_EQ(Get(target).body["space"]["size"], 64 * kMiB);
  EXPECT_EQ(record["name"], "/vol/v/n");
  EXPECT_EQ(record["subsystem_map"]["subsystem"]["name"], "s");
  EXPECT_EQ(Get("/api/storage/volumes/" + volume + "/snapshots").body["num_records"], 2);
  Set("namespace_overwrite", "refuse_mapped");
  ExpectRefusals({{"mapped", "PATCH", target, with_copy, 409, 4242}});
  Set("namespace_overwrite", "refuse");
  ExpectRefusals({{"at all", "PATCH", target, with_copy, 400, 262203}});
}

TEST_F(NamespaceTest, ClonesShareBlocksOrAreCounted) {
  const std::string volume = MakeVolume("v");
  MakeNamespace("v", "n");
  MakeSnapshot(volume, "s");
  ASSERT_EQ(Call("PATCH", "/api/storage/volumes/" + volume + "?return_timeout=15",
                 json{{"size", 100 * kMiB}}.dump())
                .status,
            200);
  const auto clone = [](const std::string& base) {
    return json{{"svm", {{"name", "svm1"}}},
                {"name", "/vol/v/" + base},
                {"clone", {{"source", {{"name", "/vol/v/.snapshot/s/n"}}}}}}
        .dump();
  };
  EXPECT_EQ(Call("POST", kNamespaces, clone("shared")).status, 201);
  Set("clone_space", "counted");
  ExpectRefusals({{"counted", "POST", kNamespaces, clone("counted"), 500, 1245212}});
  Set("clone_space", "shared");
  Set("clone_from_snapshot", "refuse");
  ExpectRefusals({{"refused", "POST", kNamespaces, clone("refused"), 400, 262247}});
  Set("clone_from_snapshot", "hide");
  ExpectRefusals({{"hidden", "POST", kNamespaces, clone("hidden"), 404, 72090007}});
}

TEST_F(NamespaceTest, MinimumAndRoundingAreTheArrays) {
  MakeVolume("v");
  const std::string odd = Body({{"space", {{"size", kMiB + 1}}}});
  ExpectRefusals({{"refused", "POST", kNamespaces, odd, 400, 262247}});
  Set("namespace_rounding", "round_up");
  const Answer made = Call("POST", std::string(kNamespaces) + "?return_records=true", odd);
  EXPECT_EQ(made.Records()[0]["space"]["size"], kMiB + 4096);
  Set("namespace_minimum", "20971520");
  ExpectRefusals(
      {{"too small", "POST", kNamespaces,
        Body({{"name", "/vol/v/m"}, {"space", {{"size", 20 * kMiB - 4096}}}}), 400, 72089723}});
}

TEST_F(NamespaceTest, PagesMayBeShortOrEmpty) {
  MakeVolume("v");
  for (const char* name : {"a", "b", "c"}) MakeNamespace("v", name);
  const std::string all = std::string(kNamespaces) + "?max_records=100";
  const auto follow = [&](std::vector<std::size_t>* sizes) {
    std::string target = all;
    while (!target.empty()) {
      const json page = Get(target).body;
      sizes->push_back(page["records"].size());
      target = page["_links"].contains("next") ? page["_links"]["next"]["href"].get<std::string>()
                                               : std::string();
    }
  };
  std::vector<std::size_t> sizes;
  Set("pages", "short");
  follow(&sizes);
  EXPECT_EQ(sizes, (std::vector<std::size_t>{2, 1}));
  sizes.clear();
  Set("pages", "empty_first");
  follow(&sizes);
  EXPECT_EQ(sizes, (std::vector<std::size_t>{0, 2, 1}));
}

}  // namespace
}  // namespace ontapnvme::sim
