// SPDX-License-Identifier: AGPL-3.0-or-later
// Accounts, SVM scope, releases, platforms, and the general rules of requests and listings.
#include "sim_fixture.h"

namespace ontapnvme::sim {
namespace {

using nlohmann::json;

class AccessTest : public SimTest {};

TEST_F(AccessTest, CredentialsAreChecked) {
  EXPECT_EQ(Call("GET", "/api/cluster", "", "nobody").status, 401);
  EXPECT_EQ(sim_.array().Handle(Request{}).status, 401);
}

TEST_F(AccessTest, AnSvmAccountSeesItsSvmOnly) {
  MakeVolume("v");
  const Answer aggregates = Call("GET", "/api/storage/aggregates", "", "vsadmin");
  EXPECT_EQ(aggregates.status, 403);
  EXPECT_EQ(aggregates.code, 6);
  EXPECT_EQ(Call("GET", "/api/svm/svms", "", "vsadmin").body["num_records"], 1);
  EXPECT_EQ(Get("/api/svm/svms").body["num_records"], 2);
  const std::string foreign =
      R"({"svm":{"name":"svm2"},"name":"w","aggregates":[{"name":"aggr1"}]})";
  EXPECT_EQ(Call("POST", "/api/storage/volumes", foreign, "vsadmin").code, 2621462);
  // Its own need not be named.
  const std::string own = R"({"name":"w","aggregates":[{"name":"aggr1"}]})";
  EXPECT_EQ(Call("POST", "/api/storage/volumes?return_timeout=15", own, "vsadmin").status, 201);
  EXPECT_EQ(Call("POST", "/api/storage/volumes?return_timeout=15", own).code, 2621707);
  const json volumes = Call("GET", "/api/storage/volumes?fields=svm.name", "", "vsadmin").Records();
  for (const json& volume : volumes) EXPECT_EQ(volume["svm"]["name"], "svm1");
}

TEST_F(AccessTest, AClusterAccountMayScopeACallByHeader) {
  Request request;
  request.target = "/api/storage/volumes?fields=svm.name";
  request.headers = {{"Authorization", BasicAuthorization("admin", "secret")},
                     {"x-dot-svm-name", "svm2"}};
  const json records = ToAnswer(sim_.array().Handle(request)).Records();
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0]["svm"]["name"], "svm2");
  request.headers.back().second = "svm9";
  EXPECT_EQ(ToAnswer(sim_.array().Handle(request)).code, 2621462);
}

TEST_F(AccessTest, RightsCanBeTakenAway) {
  Set("permissions", {{"vsadmin", {"DELETE /api/storage/volumes/.*"}}});
  EXPECT_EQ(Call("DELETE", "/api/storage/volumes/1", "", "vsadmin").status, 403);
  EXPECT_EQ(Call("GET", "/api/storage/volumes", "", "vsadmin").status, 200);
}

TEST_F(AccessTest, ARoleMayHaveFewPaths) {
  const auto status = [&](const std::string& target) { return Get(target).status; };
  Set("role", "cluster_nine");
  EXPECT_EQ(status("/api/storage/volumes"), 200);
  EXPECT_EQ(status("/api/storage/aggregates"), 200);
  EXPECT_EQ(status("/api/cluster"), 403);
  EXPECT_EQ(status("/api/protocols/nvme/services"), 403);
  Set("role", "svm_seven");
  Set("denied_code", "6691623");
  EXPECT_EQ(status("/api/protocols/nvme/subsystems"), 200);
  EXPECT_EQ(status("/api/svm/svms"), 200);
  for (const char* target :
       {"/api/storage/aggregates", "/api/cluster/jobs/1", "/api/storage/qos/policies",
        "/api/storage/snapshot-policies", "/api/protocols/nvme/subsystem-controllers"}) {
    const Answer answer = Get(target);
    EXPECT_EQ(answer.status, 403) << target;
    EXPECT_EQ(answer.code, 6691623) << target;
  }
}

TEST_F(AccessTest, JobsMayBeUnreadable) {
  Set("job_reads", "denied");
  EXPECT_EQ(Get("/api/cluster/jobs/1").status, 403);
  EXPECT_EQ(Get("/api/cluster").status, 200);
}

TEST_F(AccessTest, AnSvmAccountMayBeShownLess) {
  const auto shown = [&](const std::string& target) {
    return Call("GET", target, "", "vsadmin").body;
  };
  const std::string svms = "/api/svm/svms?fields=aggregates.name";
  const std::string lifs = "/api/network/ip/interfaces?fields=location.home_node.name";
  EXPECT_TRUE(shown(svms)["records"][0].contains("aggregates"));
  EXPECT_TRUE(shown(lifs)["records"][0].contains("location"));
  Set("svm_account_fields", "hidden");
  EXPECT_FALSE(shown(svms)["records"][0].contains("aggregates"));
  EXPECT_FALSE(shown(lifs)["records"][0].contains("location"));
  Set("svm_account_aggregates", "empty");
  EXPECT_EQ(shown("/api/storage/aggregates")["num_records"], 0);
  EXPECT_EQ(Get("/api/storage/aggregates").body["num_records"], 2);
}

TEST_F(AccessTest, GeneralRulesOfRequests) {
  ExpectRefusals({
      {"body on GET", "GET", "/api/cluster", "{}", 400, 262198},
      {"body on DELETE", "DELETE", "/api/storage/volumes/1", "{}", 400, 262198},
      {"no such path", "GET", "/api/storage/qtrees", "", 404, 3},
      {"not under /api", "GET", "/cluster", "", 404, 3},
      {"no such method", "POST", "/api/cluster", "{}", 405, 3},
      {"collection delete", "DELETE", "/api/storage/volumes?name=*", "", 405, 3},
      {"unknown filter", "GET", "/api/storage/volumes?nme=a", "", 400, 262179},
      {"secret filter", "GET",
       "/api/protocols/nvme/subsystems?hosts.dh_hmac_chap.host_secret_key=x", "", 400, 262202},
      {"unknown field", "GET", "/api/storage/volumes?fields=sizes", "", 400, 262197},
      {"field of a later release", "GET", "/api/storage/volumes?fields=space.max_sizes", "", 400,
       262197},
      {"unknown sort key", "GET", "/api/storage/volumes?order_by=foo", "", 400, 262268},
      {"bad sort direction", "GET", "/api/storage/volumes?order_by=name+down", "", 400, 262197},
      {"number expected", "GET", "/api/storage/volumes?size=big", "", 400, 262197},
      {"parameter twice", "GET", "/api/storage/volumes?name=a&name=b", "", 400, 262188},
  });
  EXPECT_EQ(Get("/api/storage/volumes?fields=sizes&nme=a&ignore_unknown_fields=true").status, 200);
  Set("release", "9.10.1");
  EXPECT_EQ(Get("/api/storage/volumes?ignore_unknown_fields=false").code, 262179);
  EXPECT_EQ(Call("HEAD", "/api/cluster").status, 200);
}

TEST_F(AccessTest, AListingShowsKeysFiltersAndNamedFieldsOnly) {
  MakeVolume("v", {{"comment", "mark"}});
  const json plain = Get("/api/storage/volumes?name=v").Records().at(0);
  EXPECT_EQ(plain.size(), 3U) << plain.dump();  // uuid, name, _links
  const json filtered = Get("/api/storage/volumes?comment=mark").Records().at(0);
  EXPECT_EQ(filtered["comment"], "mark");
  const json standard = Get("/api/storage/volumes?name=v&fields=*").Records().at(0);
  EXPECT_TRUE(standard.contains("size"));
  EXPECT_FALSE(standard.contains("encryption"));
  EXPECT_TRUE(Get("/api/storage/volumes?name=v&fields=**").Records()[0].contains("encryption"));
  const json counted = Get("/api/storage/volumes?name=v&return_records=false").body;
  EXPECT_EQ(counted["num_records"], 1);
  EXPECT_FALSE(counted.contains("records"));
}

TEST_F(AccessTest, AListingPagesToAnEmptyEnd) {
  for (int i = 0; i < 4; ++i) MakeVolume("v" + std::to_string(i));
  std::string target = "/api/storage/volumes?name=v*&fields=size&max_records=2";
  std::vector<std::string> names;
  std::size_t pages = 0;
  while (!target.empty()) {
    const json page = Get(target).body;
    ++pages;
    for (const json& record : page["records"]) {
      names.push_back(record["name"]);
      EXPECT_TRUE(record.contains("size"));
    }
    target = page["_links"].contains("next") ? page["_links"]["next"]["href"] : "";
    // What goes and comes between two pages does not disturb the rest.
    if (pages == 1) {
      Call("DELETE", "/api/storage/volumes/" + page["records"][0]["uuid"].get<std::string>() +
                         "?return_timeout=15");
    }
  }
  EXPECT_EQ(pages, 3U);
  EXPECT_EQ(names, (std::vector<std::string>{"v0", "v1", "v2", "v3"}));
}

TEST_F(AccessTest, AListingIsSortedWhenAsked) {
  for (const char* name : {"b", "c", "a"}) MakeVolume(name);
  const auto names = [&](const std::string& order) {
    std::string text;
    for (const json& record :
         Get("/api/storage/volumes?is_svm_root=false&order_by=" + order).Records()) {
      text += record["name"].get<std::string>();
    }
    return text;
  };
  EXPECT_EQ(names("name"), "abc");
  EXPECT_EQ(names("name%20desc"), "cba");
  const Answer first = Get("/api/storage/volumes?is_svm_root=false&order_by=name&max_records=2");
  EXPECT_EQ(Get(first.body["_links"]["next"]["href"]).Records().at(0)["name"], "c");
}

TEST_F(AccessTest, TheReleaseIsTold) {
  Set("release", "9.13.1");
  const json cluster = Get("/api/cluster?fields=version").body;
  EXPECT_EQ(cluster["version"]["major"], 13);
  EXPECT_EQ(Get("/api/cluster?fields=disaggregated").code, 262197);
  EXPECT_FALSE(sim_.Ctl({{"cmd", "set"}, {"release", "9.8.1"}})["ok"].get<bool>());
}

TEST_F(AccessTest, ThePersonalityIsHiddenFromSvmAccountsUnlessNamed) {
  Set("personality", "asa_r2");
  EXPECT_EQ(Get("/api/cluster").body["disaggregated"], true);
  EXPECT_FALSE(Call("GET", "/api/cluster?fields=**", "", "vsadmin").body.contains("disaggregated"));
  EXPECT_EQ(Call("GET", "/api/cluster?fields=disaggregated,san_optimized", "", "vsadmin")
                .body["san_optimized"],
            true);
}

TEST_F(AccessTest, AsaR2RefusesFlexVols) {
  Set("personality", "asa_r2");
  EXPECT_EQ(Call("POST", "/api/storage/volumes", "{}").code, 918701);
  EXPECT_EQ(Call("DELETE", "/api/storage/volumes/1").code, 918701);
  EXPECT_EQ(Get("/api/storage/aggregates").body["num_records"], 0);
  EXPECT_FALSE(
      Get("/api/svm/svms?name=svm1&fields=aggregates.name").Records()[0].contains("aggregates"));
}

}  // namespace
}  // namespace ontapnvme::sim
