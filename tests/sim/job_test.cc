// SPDX-License-Identifier: AGPL-3.0-or-later
#include "sim_fixture.h"

namespace ontapnvme::sim {
namespace {

using nlohmann::json;

constexpr const char* kVolumes = "/api/storage/volumes";

class JobTest : public SimTest {
 protected:
  static std::string Body(const std::string& name = "v") {
    return json{{"svm", {{"name", "svm1"}}}, {"name", name}, {"aggregates", {{{"name", "aggr1"}}}}}
        .dump();
  }
  std::string Start(const std::string& body) {
    const Answer answer = Call("POST", kVolumes, body);
    EXPECT_EQ(answer.status, 202) << answer.body.dump();
    return answer.body["job"]["_links"]["self"]["href"];
  }
};

TEST_F(JobTest, IsAppliedWhenItEndsAndNotBefore) {
  Set("job_polls", 3);
  const std::string job = Start(Body());
  EXPECT_EQ(sim_.world().FindVolume(sim_.world().FindSvm("svm1")->uuid, "v"), nullptr);
  EXPECT_EQ(Get(job).body["state"], "running");
  EXPECT_EQ(Get(job).body["state"], "running");
  EXPECT_EQ(Get(job).body["state"], "success");
  EXPECT_EQ(Get(std::string(kVolumes) + "?name=v").body["num_records"], 1);
}

TEST_F(JobTest, AnAbandonedJobEndsBeforeTheNextRequest) {
  Start(Body());
  EXPECT_EQ(Get(std::string(kVolumes) + "?name=v").body["num_records"], 1);
}

TEST_F(JobTest, AFinishInTimeAnswersDirectly) {
  const Answer answer = Call("POST", std::string(kVolumes) + "?return_timeout=15", Body());
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(Get(answer.body["job"]["_links"]["self"]["href"]).body["state"], "success");
  EXPECT_EQ(Get(answer.Location()).body["name"], "v");
}

TEST_F(JobTest, TakesItsTimeHoweverOftenItIsPolled) {
  Set("job_ms", 2000);
  const std::string job = Start(Body());
  EXPECT_EQ(Get(job).body["state"], "running");
  EXPECT_EQ(Get(job).body["state"], "running");
  now_ += std::chrono::seconds(2);
  EXPECT_EQ(Get(job).body["state"], "success");
}

TEST_F(JobTest, WhoWaitsForItsWholeTimeIsAnsweredAtItsEnd) {
  Set("job_ms", 2000);
  EXPECT_EQ(Call("POST", std::string(kVolumes) + "?return_timeout=1", Body("v")).status, 202);
  EXPECT_EQ(Call("POST", std::string(kVolumes) + "?return_timeout=2", Body("w")).status, 201);
  const json log = sim_.Ctl({{"cmd", "log"}})["requests"];
  EXPECT_LT(log[0]["ms"], 2000);
  EXPECT_GE(log[1]["ms"], 2000);
}

TEST_F(JobTest, RefusalsCanComeInsideTheJob) {
  MakeVolume("v");
  EXPECT_EQ(Call("POST", kVolumes, Body()).status, 409);
  Set("errors_in_jobs", true);
  const json job = Get(Start(Body())).body;
  EXPECT_EQ(job["state"], "failure");
  EXPECT_EQ(job["code"], 917526);
  EXPECT_EQ(job["error"]["code"], "917526");
}

TEST_F(JobTest, IsForgottenSomeTimeAfterItsEnd) {
  const std::string job = Start(Body());
  EXPECT_EQ(Get(job).body["state"], "success");
  now_ += std::chrono::seconds(301);
  EXPECT_EQ(Get(job).code, 4);
}

TEST_F(JobTest, TheModeDecidesWhoAnswers202) {
  MakeVolume("v");
  const std::string ns = json{
      {"svm", {{"name", "svm1"}}},
      {"name", "/vol/v/n"},
      {"os_type", "linux"},
      {"space",
       {{"size", kMiB}}}}.dump();
  Set("async", "always");
  EXPECT_EQ(Call("POST", "/api/storage/namespaces", ns).status, 202);
  EXPECT_EQ(Call("POST", std::string(kVolumes) + "?return_timeout=15", Body("w")).status, 202);
  EXPECT_EQ(Call("POST", "/api/protocols/nvme/subsystems",
                 R"({"svm":{"name":"svm1"},"name":"s","os_type":"linux"})")
                .status,
            201);
  Set("async", "never");
  EXPECT_EQ(Call("POST", kVolumes, Body("x")).status, 201);
}

TEST_F(JobTest, IsReadableByTheAccountOfItsSvmOnly) {
  Set("job_polls", 5);
  const std::string job = Start(Body());
  EXPECT_EQ(Call("GET", job, "", "vsadmin").status, 200);
  const Answer other = Call(
      "POST", kVolumes, R"({"svm":{"name":"svm2"},"name":"v","aggregates":[{"name":"aggr1"}]})");
  EXPECT_EQ(Call("GET", other.body["job"]["_links"]["self"]["href"], "", "vsadmin").code, 4);
}

TEST_F(JobTest, CanBeFoundAndCancelled) {
  Set("job_polls", 5);
  const std::string job = Start(Body());
  EXPECT_EQ(Get("/api/cluster/jobs?description=*volumes*&state=queued").body["num_records"], 1);
  EXPECT_EQ(Call("PATCH", job + "?action=cancel").status, 200);
  EXPECT_EQ(Get(job).body["state"], "failure");
  EXPECT_EQ(Call("PATCH", job + "?action=cancel").code, 458762);
  EXPECT_EQ(Get(std::string(kVolumes) + "?name=v").body["num_records"], 0);
}

}  // namespace
}  // namespace ontapnvme::sim
