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

}  // namespace
}  // namespace ontapnvme::sim
