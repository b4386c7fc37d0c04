// SPDX-License-Identifier: AGPL-3.0-or-later
#include "jobs.h"

#include <vector>

namespace ontapnvme::sim {
namespace {

constexpr std::chrono::seconds kKeptAfterEnd{300};

}  // namespace

void JobTable::Finish(Job* job) {
  const auto run = std::move(job->run);
  job->run = nullptr;
  job->end_time = world_->Now();
  try {
    if (job->failure) throw ApiError(*job->failure);
    run(Phase::kApply);
    job->state = "success";
    job->message = "success";
  } catch (const ApiError& error) {
    job->state = "failure";
    job->code = error.code();
    job->message = error.message();
  }
}

void JobTable::FinishAll() {
  for (Job& job : jobs_) {
    if (!job.end_time) Finish(&job);
  }
}

void JobTable::Expire() {
  std::vector<std::string> expired;
  for (const Job& job : jobs_) {
    if (job.end_time && world_->Now() - *job.end_time > kKeptAfterEnd) expired.push_back(job.uuid);
  }
  for (const std::string& uuid : expired) jobs_.Erase(uuid);
}

void JobTable::Poll(Job* job) {
  if (job->end_time) return;
  job->state = "running";
  if (world_->Now() - job->start_time < world_->settings.job_time) return;
  if (--job->polls_left <= 0) Finish(job);
}

nlohmann::json JobTable::ToJson(const Job& job) const {
  nlohmann::json record = {
      {"uuid", job.uuid},
      {"description", job.description},
      {"state", job.state},
      {"message", job.message},
      {"code", job.code},
      {"start_time", World::Timestamp(job.start_time)},
      {"svm", world_->SvmReference(job.svm_uuid)},
      {"node", {{"name", world_->nodes.front().name}}},
      {"_links", {{"self", {{"href", "/api/cluster/jobs/" + job.uuid}}}}},
  };
  if (job.end_time) record["end_time"] = World::Timestamp(*job.end_time);
  if (job.state == "failure") {
    record["error"] = {{"code", std::to_string(job.code)}, {"message", job.message}};
  }
  return record;
}

}  // namespace ontapnvme::sim
