// SPDX-License-Identifier: AGPL-3.0-or-later
#include "query.h"
#include "sim_fixture.h"

namespace ontapnvme::sim {
namespace {

using nlohmann::json;

constexpr const char* kSubsystems = "/api/protocols/nvme/subsystems";
constexpr const char* kMaps = "/api/protocols/nvme/subsystem-maps";
constexpr const char* kNqn = "nqn.2014-08.org.nvmexpress:uuid:0000-1";
constexpr const char* kSecret = "DHHC-1:00:c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0:";

class SubsystemTest : public SimTest {};

TEST_F(SubsystemTest, CreateRefusesWhatOntapRefuses) {
  MakeSubsystem("taken");
  const auto body = [](const json& changes) {
    json subsystem = {{"svm", {{"name", "svm1"}}}, {"name", "s"}, {"os_type", "linux"}};
    return Merged(subsystem, changes).dump();
  };
  ExpectRefusals({
      {"no name", "POST", kSubsystems, body({{"name", nullptr}}), 400, 262212},
      {"name too long", "POST", kSubsystems, body({{"name", std::string(65, 'a')}}), 400, 262247},
      {"bad name", "POST", kSubsystems, body({{"name", "a b"}}), 400, 72089709},
      {"no os_type", "POST", kSubsystems, body({{"os_type", nullptr}}), 400, 262212},
      {"taken", "POST", kSubsystems, body({{"name", "taken"}}), 409, 72090025},
      {"comment too long", "POST", kSubsystems, body({{"comment", std::string(256, 'c')}}), 400,
       262247},
      {"read-only", "POST", kSubsystems, body({{"serial_number", "1"}}), 400, 262196},
      {"bad host", "POST", kSubsystems, body({{"hosts", {{{"nqn", "x"}}}}}), 400, 72089772},
  });
  const json record =
      Get(std::string(kSubsystems) + "?name=taken&fields=target_nqn,serial_number").Records().at(0);
  EXPECT_EQ(record["serial_number"].get<std::string>().size(), 20U);
  const std::string nqn = record["target_nqn"];
  EXPECT_EQ(nqn.rfind("nqn.1992-08.com.netapp:sn.", 0), 0U);
  EXPECT_NE(nqn.find(":subsystem.taken"), std::string::npos);
}

TEST_F(SubsystemTest, HostsAreCheckedAndSecretsStaySecret) {
  const std::string hosts = std::string(kSubsystems) + "/" + MakeSubsystem("s") + "/hosts";
  const auto body = [](const json& changes) {
    json host = {{"nqn", kNqn}};
    return Merged(host, changes).dump();
  };
  const json chap = {{"host_secret_key", kSecret}, {"group_size", "none"}};
  ExpectRefusals({
      {"no NQN", "POST", hosts, "{}", 400, 72090003},
      {"no prefix", "POST", hosts, body({{"nqn", "iqn.2014-08.org:x"}}), 400, 72089772},
      {"bad date", "POST", hosts, body({{"nqn", "nqn.2014-13.org:x"}}), 400, 72089773},
      {"no qualifier", "POST", hosts, body({{"nqn", "nqn.2014-08.org"}}), 400, 72089771},
      {"malformed secret", "POST", hosts,
       body({{"dh_hmac_chap", {{"host_secret_key", "DHHC-1:02:eA==:"}}}}), 400, 72089716},
      {"controller secret alone", "POST", hosts,
       body({{"dh_hmac_chap", {{"controller_secret_key", kSecret}}}}), 400, 72090042},
      {"configured without key", "POST", hosts, body({{"tls", {{"key_type", "configured"}}}}), 400,
       72090204},
      {"key without configured", "POST", hosts,
       body({{"tls", {{"key_type", "none"}, {"configured_psk", "x"}}}}), 400, 72090205},
      {"invalid key", "POST", hosts, body({{"tls", {{"configured_psk", "x"}}}}), 400, 72090202},
      {"generated without group", "POST", hosts,
       body({{"dh_hmac_chap", chap}, {"tls", {{"key_type", "generated"}}}}), 400, 72090206},
      {"twice", "POST", hosts, json{{"records", {{{"nqn", kNqn}}, {{"nqn", kNqn}}}}}.dump(), 400,
       72090036},
  });
  EXPECT_EQ(Call("POST", hosts, body({{"dh_hmac_chap", chap}})).status, 201);
  EXPECT_EQ(Call("POST", hosts, body({})).code, 72089705);
  const std::string one = hosts + "/" + PercentEncode(kNqn);
  const json host = Get(one + "?fields=**").body;
  EXPECT_EQ(host["dh_hmac_chap"]["mode"], "unidirectional");
  EXPECT_EQ(host.dump().find("DHHC"), std::string::npos);
  EXPECT_EQ(Call("DELETE", one).status, 200);
  EXPECT_EQ(Call("DELETE", one).code, 72090004);
}

TEST_F(SubsystemTest, SecurityOfHostsNeedsARelease) {
  const std::string hosts = std::string(kSubsystems) + "/" + MakeSubsystem("s") + "/hosts";
  const std::string chap =
      json{{"nqn", kNqn}, {"dh_hmac_chap", {{"host_secret_key", kSecret}}}}.dump();
  const std::string tls = json{{"nqn", kNqn}, {"tls", {{"key_type", "none"}}}}.dump();
  Set("release", "9.11.1");
  EXPECT_EQ(Call("POST", hosts, chap).code, 262179);
  Set("release", "9.15.1");
  EXPECT_EQ(Call("POST", hosts, tls).code, 262179);
  EXPECT_EQ(Call("POST", hosts, chap).status, 201);
}

TEST_F(SubsystemTest, SeveralHostsComeInOneCall) {
  const std::string hosts = std::string(kSubsystems) + "/" + MakeSubsystem("s") + "/hosts";
  const json records = {{{"nqn", kNqn}}, {{"nqn", std::string(kNqn) + "2"}}};
  EXPECT_EQ(Call("POST", hosts, json{{"records", records}}.dump()).status, 201);
  const json listed = Get(std::string(kSubsystems) + "?name=s&fields=hosts.nqn").Records().at(0);
  EXPECT_EQ(listed["hosts"].size(), 2U);
}

TEST_F(SubsystemTest, MapsAreCheckedAndNumbered) {
  MakeVolume("v");
  const std::string a = MakeNamespace("v", "a");
  const std::string b = MakeNamespace("v", "b");
  const std::string c = MakeNamespace("v", "c");
  const std::string s = MakeSubsystem("s");
  MakeSubsystem("t");
  Map("s", a);
  Map("s", b);
  const auto body = [](const std::string& subsystem, const std::string& ns) {
    return json{{"svm", {{"name", "svm1"}}},
                {"subsystem", {{"name", subsystem}}},
                {"namespace", {{"uuid", ns}}}}
        .dump();
  };
  ExpectRefusals({
      {"mapped here", "POST", kMaps, body("s", a), 409, 72089790},
      {"mapped elsewhere", "POST", kMaps, body("t", a), 409, 8},
      {"unknown subsystem", "POST", kMaps, body("x", c), 404, 72090021},
      {"unknown namespace", "POST", kMaps, body("s", "1"), 404, 72090006},
      {"not mapped", "DELETE", std::string(kMaps) + "/" + s + "/" + c, "", 404, 72090019},
  });
  // The lowest free number is used again.
  EXPECT_EQ(Call("DELETE", std::string(kMaps) + "/" + s + "/" + a).status, 200);
  Map("s", c);
  const json map = Get(std::string(kMaps) + "?namespace.uuid=" + c + "&fields=nsid").Records()[0];
  EXPECT_EQ(map["nsid"], "00000001h");
  EXPECT_FALSE(map.contains("anagrpid"));
  const json ns = Get("/api/storage/namespaces/" + c + "?fields=subsystem_map").body;
  EXPECT_EQ(ns["subsystem_map"]["subsystem"]["name"], "s");
}

TEST_F(SubsystemTest, DeleteIsRefusedWhileInUse) {
  MakeVolume("v");
  const std::string ns = MakeNamespace("v");
  const std::string target = std::string(kSubsystems) + "/" + MakeSubsystem("s");
  Map("s", ns);
  EXPECT_EQ(Call("DELETE", target).code, 72090023);
  Call("POST", target + "/hosts", json{{"nqn", kNqn}}.dump());
  EXPECT_EQ(Call("DELETE", target + "?allow_delete_while_mapped=true").code, 72090024);
  EXPECT_EQ(Call("DELETE", target + "?allow_delete_while_mapped=true&allow_delete_with_hosts=true")
                .status,
            200);
  EXPECT_EQ(Call("DELETE", target).code, 72090001);
}

TEST_F(SubsystemTest, DeleteOnUnmapTakesTheSubsystemAlong) {
  MakeVolume("v");
  const std::string ns = MakeNamespace("v");
  const std::string s = MakeSubsystem("s");
  Call("PATCH", std::string(kSubsystems) + "/" + s, R"({"delete_on_unmap":true})");
  Map("s", ns);
  EXPECT_EQ(Call("DELETE", std::string(kMaps) + "/" + s + "/" + ns).status, 200);
  EXPECT_EQ(Get(kSubsystems).body["num_records"], 0);
}

TEST_F(SubsystemTest, AMapNeedsALifOnEveryNode) {
  const std::string svm2 = R"("svm":{"name":"svm2"})";
  Call("POST", "/api/storage/volumes?return_timeout=15",
       "{" + svm2 + R"(,"name":"v","aggregates":[{"name":"aggr1"}],"size":134217728,
           "space":{"snapshot":{"reserve_percent":0}}})");
  Call("POST", "/api/storage/namespaces",
       "{" + svm2 + R"(,"name":"/vol/v/v","os_type":"linux","space":{"size":67108864}})");
  Call("POST", kSubsystems, "{" + svm2 + R"(,"name":"s","os_type":"linux"})");
  EXPECT_EQ(Call("POST", kMaps,
                 "{" + svm2 + R"(,"subsystem":{"name":"s"},"namespace":{"name":"/vol/v/v"}})")
                .code,
            72089903);
}

TEST_F(SubsystemTest, ControllersAreWhatATestSays) {
  MakeSubsystem("s");
  Ctl({{"cmd", "controllers"},
       {"subsystem", "s"},
       {"controllers", {{{"id", "0001h"}, {"host", {{"nqn", kNqn}}}}}}});
  const json controllers =
      Get("/api/protocols/nvme/subsystem-controllers?subsystem.name=s&fields=host.nqn").Records();
  ASSERT_EQ(controllers.size(), 1U);
  EXPECT_EQ(controllers[0]["host"]["nqn"], kNqn);
}

}  // namespace
}  // namespace ontapnvme::sim
