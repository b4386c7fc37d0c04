// SPDX-License-Identifier: AGPL-3.0-or-later
// Fault rules and the journal.
#include "sim_fixture.h"

namespace ontapnvme::sim {
namespace {

using nlohmann::json;

constexpr const char* kCluster = "/api/cluster";
constexpr const char* kVolumes = "/api/storage/volumes";

class FaultTest : public SimTest {
 protected:
  Outcome Handle(const std::string& method, const std::string& target,
                 const std::string& body = "") {
    Request request;
    request.method = method;
    request.target = target;
    request.body = body;
    request.headers.emplace_back("Authorization", BasicAuthorization("admin", "secret"));
    return sim_.array().Handle(request);
  }
  void AddFault(json rule) {
    rule["cmd"] = "fault-add";
    Ctl(rule);
  }
  std::size_t Volumes() {
    sim_.array().jobs().FinishAll();
    return sim_.world().volumes.size() - 2;  // without the root volumes
  }
  static std::string Body(const std::string& name = "v") {
    return json{{"svm", {{"name", "svm1"}}}, {"name", name}, {"aggregates", {{{"name", "aggr1"}}}}}
        .dump();
  }
};

TEST_F(FaultTest, CountsFromItsCreationAndEndsByItself) {
  Get(kCluster);
  AddFault({{"path", "^/api/cluster$"}, {"nth", 2}, {"times", 2}, {"status", 503}, {"code", 8}});
  std::vector<int> statuses;
  for (int i = 0; i < 4; ++i) statuses.push_back(Get(kCluster).status);
  EXPECT_EQ(statuses, (std::vector<int>{200, 503, 503, 200}));
  EXPECT_EQ(Get("/api/cluster/jobs").status, 200);
  const json rule = sim_.Ctl({{"cmd", "fault-list"}})["rules"][0];
  EXPECT_EQ(rule["seen"], 4);
  EXPECT_EQ(rule["fired"], 2);
}

TEST_F(FaultTest, MatchesMethodAndPath) {
  AddFault({{"method", "POST|PATCH"}, {"path", "volumes"}, {"times", -1}, {"status", 500}});
  EXPECT_EQ(Get(kVolumes).status, 200);
  EXPECT_EQ(Call("POST", kVolumes, Body()).status, 500);
  EXPECT_EQ(Call("POST", kVolumes, Body()).status, 500);
  Ctl({{"cmd", "fault-clear"}});
  EXPECT_EQ(Call("POST", kVolumes, Body()).status, 202);
}

TEST_F(FaultTest, AnErrorAnswerCarriesCodeAndRetryAfter) {
  AddFault({{"status", 429}, {"code", 262160}, {"retry_after", 7}});
  const Outcome outcome = Handle("POST", kVolumes, Body());
  EXPECT_EQ(outcome.status, 429);
  EXPECT_EQ(ToAnswer(outcome).code, 262160);
  EXPECT_EQ(HeaderValue(outcome.headers, "Retry-After"), "7");
  EXPECT_EQ(Volumes(), 0U);
}

TEST_F(FaultTest, AnErrorAnswerMayHideSuccess) {
  AddFault({{"status", 503}, {"applied", true}});
  EXPECT_EQ(Handle("POST", kVolumes, Body()).status, 503);
  EXPECT_EQ(Volumes(), 1U);
}

TEST_F(FaultTest, DropsBeforeOrAfter) {
  AddFault({{"drop_before", true}});
  EXPECT_EQ(Handle("POST", kVolumes, Body()).delivery, Delivery::kDropBefore);
  EXPECT_EQ(Volumes(), 0U);
  AddFault({{"drop_after", true}});
  EXPECT_EQ(Handle("POST", kVolumes, Body()).delivery, Delivery::kDropAfter);
  EXPECT_EQ(Volumes(), 1U);
}

TEST_F(FaultTest, SpoilsAnswersOfAppliedRequests) {
  AddFault({{"truncated", true}});
  EXPECT_EQ(Handle("POST", kVolumes, Body("a")).delivery, Delivery::kTruncated);
  AddFault({{"never_answer", true}});
  EXPECT_EQ(Handle("POST", kVolumes, Body("b")).delivery, Delivery::kNeverAnswered);
  AddFault({{"malformed", true}});
  const Outcome malformed = Handle("POST", kVolumes, Body("c"));
  EXPECT_TRUE(json::parse(malformed.body, nullptr, false).is_discarded());
  AddFault({{"huge", 1000}});
  EXPECT_GE(Handle("POST", kVolumes, Body("d")).body.size(), 1000U);
  AddFault({{"delay_ms", 1500}});
  const Outcome late = Handle("POST", kVolumes, Body("e"));
  EXPECT_EQ(late.status, 202);
  EXPECT_EQ(late.delay.count(), 1500);
  EXPECT_EQ(Volumes(), 5U);
}

TEST_F(FaultTest, RedirectsElsewhere) {
  AddFault({{"redirect", "https://192.0.2.9/api"}});
  const Outcome outcome = Handle("GET", kCluster);
  EXPECT_EQ(outcome.status, 302);
  EXPECT_EQ(HeaderValue(outcome.headers, "Location"), "https://192.0.2.9/api");
}

TEST_F(FaultTest, EmptiesAndShortensListingsOnly) {
  for (const char* name : {"a", "b", "c"}) Call("POST", kVolumes, Body(name));
  const std::string listing = std::string(kVolumes) + "?name=a|b|c";
  const std::string uuid = Get(listing).body["records"][0]["uuid"];
  AddFault({{"method", "GET"}, {"path", "/storage/volumes"}, {"nth", 2}, {"empty", true}});
  AddFault({{"method", "GET"}, {"path", "/storage/volumes"}, {"nth", 3}, {"short", 2}});
  EXPECT_EQ(Get(listing).body["records"].size(), 3U);
  const Answer empty = Get(listing + "&max_records=2");
  EXPECT_EQ(empty.status, 200);
  EXPECT_EQ(empty.body["num_records"], 0);
  EXPECT_TRUE(empty.body["records"].empty());
  EXPECT_FALSE(empty.body["_links"].contains("next"));
  const json rest = Get(listing).body;
  EXPECT_EQ(rest["num_records"], 1);
  ASSERT_EQ(rest["records"].size(), 1U);
  EXPECT_EQ(rest["records"][0]["uuid"], uuid);

  AddFault({{"empty", true}});
  EXPECT_EQ(Get(std::string(kVolumes) + "/" + uuid).body["uuid"], uuid);
  AddFault({{"empty", true}});
  EXPECT_EQ(Get(std::string(kVolumes) + "?nonsense=1").status, 400);
}

TEST_F(FaultTest, MakesJobsFailVanishOrDrag) {
  AddFault({{"method", "POST"}, {"job_failure", 13107405}});
  const json failed =
      Get(Call("POST", kVolumes, Body()).body["job"]["_links"]["self"]["href"]).body;
  EXPECT_EQ(failed["state"], "failure");
  EXPECT_EQ(failed["code"], 13107405);
  EXPECT_EQ(Volumes(), 0U);

  AddFault({{"method", "POST"}, {"job_vanishes", true}});
  const Answer vanishing = Call("POST", kVolumes, Body());
  EXPECT_EQ(Get(vanishing.body["job"]["_links"]["self"]["href"]).code, 4);
  EXPECT_EQ(Volumes(), 1U);

  AddFault({{"method", "POST"}, {"job_polls", 2}});
  const std::string slow = Call("POST", kVolumes, Body("w")).body["job"]["_links"]["self"]["href"];
  EXPECT_EQ(Get(slow).body["state"], "running");
  EXPECT_EQ(Get(slow).body["state"], "success");
}

TEST_F(FaultTest, AJobFailureOfADirectAnswerIsADirectError) {
  AddFault({{"method", "POST"}, {"job_failure", 917536}});
  EXPECT_EQ(Call("POST", std::string(kVolumes) + "?return_timeout=15", Body()).code, 917536);
  EXPECT_EQ(Volumes(), 0U);
}

TEST_F(FaultTest, RefusesRulesThatMeanNothing) {
  for (const json& rule : {json{{"path", "x"}}, json{{"stauts", 500}, {"status", 500}},
                           json{{"status", 500}, {"path", "("}}}) {
    json command = rule;
    command["cmd"] = "fault-add";
    EXPECT_FALSE(sim_.Ctl(command)["ok"].get<bool>()) << rule.dump();
  }
}

TEST_F(FaultTest, TheAdministratorOfTheTestIsNeitherCountedNorMadeToFail) {
  AddFault({{"times", -1}, {"status", 500}});
  const json reply = sim_.Ctl({{"cmd", "admin"}, {"target", kCluster}});
  EXPECT_EQ(reply["status"], 200);
  EXPECT_EQ(sim_.Ctl({{"cmd", "count"}})["count"], 0);
}

TEST_F(FaultTest, TheJournalTellsWhatWasAsked) {
  Request request;
  request.target = kCluster;
  request.connection_id = 7;
  request.headers = {{"authorization", BasicAuthorization("admin", "secret")},
                     {"x-dot-client-app", "test/1"}};
  sim_.array().Handle(request);
  const json entry = sim_.Ctl({{"cmd", "log"}})["requests"][0];
  EXPECT_EQ(entry["method"], "GET");
  EXPECT_EQ(entry["target"], kCluster);
  EXPECT_EQ(entry["connection"], 7);
  EXPECT_EQ(entry["status"], 200);
  EXPECT_EQ(entry["headers"]["X-Dot-Client-App"], "test/1");
  EXPECT_EQ(entry["headers"]["has_authorization"], true);
  Ctl({{"cmd", "log-clear"}});
  EXPECT_EQ(sim_.Ctl({{"cmd", "count"}})["count"], 0);
}

TEST_F(FaultTest, TheJournalHoldsNoSecret) {
  const std::string secret = "c2VjcmV0LW9mLWEtaG9zdC10aGF0";
  const json host = {{"nqn", "nqn.2014-08.org.nvmexpress:uuid:1"},
                     {"dh_hmac_chap", {{"host_secret_key", "DHHC-1:00:" + secret + "==:"}}},
                     {"tls", {{"configured_psk", "NVMeTLSkey-1:01:" + secret + ":"}}}};
  const std::string hosts = "/api/protocols/nvme/subsystems/" + MakeSubsystem("s") + "/hosts";
  EXPECT_EQ(Call("POST", hosts, host.dump()).status, 201);
  Call("POST", hosts, json{{"records", {host}}}.dump());
  Call("POST", hosts, "not JSON " + secret);
  Get("/api/cluster?password=" + secret + "&x=1");
  const std::string log = sim_.Ctl({{"cmd", "log"}}).dump();
  EXPECT_EQ(log.find(secret), std::string::npos);
  EXPECT_EQ(log.find("Basic "), std::string::npos);
  EXPECT_NE(log.find("password=<redacted>&x=1"), std::string::npos);
  EXPECT_NE(log.find("uuid:1"), std::string::npos);
}

}  // namespace
}  // namespace ontapnvme::sim
