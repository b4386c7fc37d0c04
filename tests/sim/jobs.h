// SPDX-License-Identifier: AGPL-3.0-or-later
// Jobs of calls that answered 202. A job's change is applied when the job ends, not before.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "api_error.h"
#include "call.h"

namespace ontapnvme::sim {

struct Job {
  std::string uuid;
  std::string svm_uuid;
  std::string description;
  std::string state = "queued";
  std::string message;
  int code = 0;
  Time start_time;
  std::optional<Time> end_time;
  int polls_left = 1;
  bool vanishes = false;                     // a fault: unknown to whoever asks for it
  std::optional<ApiError> failure;           // a fault: what it ends with instead of being applied
  std::function<nlohmann::json(Phase)> run;  // empty once applied
};

class JobTable {
 public:
  explicit JobTable(World* world) : world_(world) {}

  Job& Add(Job job) { return jobs_.Add(std::move(job)); }
  // Ends all unfinished jobs, so that a job whose caller went away still takes effect.
  void FinishAll();
  // Drops the ones that ended long enough ago.
  void Expire();
  // One poll of its caller; ends the job when it was polled often enough, and its time is over.
  void Poll(Job* job);

  Table<Job>& all() { return jobs_; }
  nlohmann::json ToJson(const Job& job) const;

 private:
  void Finish(Job* job);

  World* world_;
  Table<Job> jobs_;
};

}  // namespace ontapnvme::sim
