// SPDX-License-Identifier: AGPL-3.0-or-later
// /cluster/jobs: polling. Reading a job is what makes it end.
#include "api_error.h"
#include "listing.h"
#include "routes.h"

namespace ontapnvme::sim {
namespace {

constexpr int kJobFinal = 458762;

Job& RequireJob(const Call& call, JobTable* jobs) {
  Job* job = jobs->all().Find(call.Param("uuid"));
  if (job != nullptr && job->vanishes) {
    jobs->FinishAll();  // gone from the table, but what it was to do happens
    job = nullptr;
  }
  if (job == nullptr || !call.Sees(job->svm_uuid)) {
    RefuseMissing(code::kNoEntry, "entry doesn't exist", "uuid");
  }
  return *job;
}

Reply GetJobs(Call& call, JobTable* jobs) {
  return Listing(call, models::Job()).Answer([&](const Emit& emit) {
    for (const Job& job : jobs->all()) {
      if (call.Sees(job.svm_uuid) && !job.vanishes) {
        emit(jobs->all().Order(job.uuid), jobs->ToJson(job));
      }
    }
  });
}

Reply GetJob(Call& call, JobTable* jobs) {
  const Single single(call, models::Job());
  Job& job = RequireJob(call, jobs);
  jobs->Poll(&job);
  return single.Answer(jobs->ToJson(job));
}

Reply PatchJob(Call& call, JobTable* jobs) {
  const std::string action = call.query.TakeText("action").value_or("");
  call.RequireNoMoreParams();
  Job& job = RequireJob(call, jobs);
  if (action != "cancel") {
    Refuse(code::kBadQueryValue, "The value \"" + action + "\" is invalid for field \"action\"",
           "action");
  }
  if (job.end_time) Refuse(kJobFinal, "The job has ended");
  job.end_time = call.world.Now();
  job.state = "failure";
  job.message = "cancelled";
  job.run = nullptr;
  return Reply::Of(nlohmann::json::object());
}

}  // namespace

void AddJobRoutes(Routes* routes, JobTable* jobs) {
  routes->push_back({"GET", "cluster/jobs", [jobs](Call& call) { return GetJobs(call, jobs); }});
  routes->push_back(
      {"GET", "cluster/jobs/{uuid}", [jobs](Call& call) { return GetJob(call, jobs); }});
  routes->push_back(
      {"PATCH", "cluster/jobs/{uuid}", [jobs](Call& call) { return PatchJob(call, jobs); }});
}

}  // namespace ontapnvme::sim
