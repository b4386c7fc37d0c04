// SPDX-License-Identifier: AGPL-3.0-or-later
// ONTAP's REST conventions over one transport: paging, jobs, errors, retries. Authentication is the
// transport's. The typed resources are its only users; nlohmann/json does not leave this folder.
#pragma once

#include <chrono>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/secret.h"
#include "http/retry.h"
#include "http/transport.h"
#include "ontap/release.h"

namespace ontapnvme::ontap {

struct ArrayError;
struct ChangeAnswer;
struct ChangeRequest;
struct ReadRequest;

// Errors of every call: what ontap_errors.h makes of a refusal, with its origin; those of the
// transport, wrapped; kInternal for an answer that cannot be read. Facts: `request`, and where they
// apply `http`, `ontap_code`, `job`, `tries`. outcome_unknown() is set when a change may have been made although
// the call failed. Every call writes one debug line per request.
class RestClient {
 public:
  // Everything is borrowed. `jitter` returns a number in [0, 1) for back-off; tests give a
  // constant.
  RestClient(http::Transport& transport, Log& log, http::Jitter jitter,
             http::RetryPolicy retry_policy = {});

  // The release of the array, where known: an account need not be allowed to read it. While it is not,
  // requests have the form that every release takes.
  std::optional<Release> release() const { return release_; }
  void SetRelease(const Release& release) { release_ = release; }
  // Whether the array is known to be older: a call that it lacks is not sent to it.
  bool IsOlderThan(const Release& release) const { return release_ && *release_ < release; }
  bool IsKnownAtLeast(const Release& release) const { return release_ && *release_ >= release; }

  // How far the array's clock is ahead of this node's, as of the last answer; nothing: that had no date.
  std::optional<std::chrono::seconds> clock_ahead() const { return clock_ahead_; }

  // What must not stand in a message although the array says it.
  void Conceal(std::vector<Secret> secrets) { concealed_ = std::move(secrets); }

  // Called when the account may not read the job that a change has become, with the refusal.
  void OnUnseenJob(std::function<void(const Error& denied, Clock& clock)> told) {
    on_unseen_job_ = std::move(told);
  }

  // One object.
  Result<nlohmann::json> Read(const ReadRequest& request, const Deadline& deadline);
  // All records of a collection, to its last page.
  Result<std::vector<nlohmann::json>> List(const ReadRequest& request, const Deadline& deadline);
  // Several collections; their first pages travel side by side. The first failure fails the call.
  Result<std::vector<std::vector<nlohmann::json>>> ListEach(
      const std::vector<ReadRequest>& requests, const Deadline& deadline);
  // Carries out a change and waits for its job, if it becomes one. A job that vanished from the
  // array before its outcome was read is kUnavailable with the fact `job_state`=gone and
  // outcome_unknown(): only the object itself shows whether the change was made. So it is with a job
  // that the account may not read (kPermissionDenied, Refusal::kJobUnseen), see unseen_job.h.
  Result<ChangeAnswer> Change(ChangeRequest request, const Deadline& deadline);

 private:
  struct Attempt;

  Result<http::Response> Exchange(const http::Request& request, const std::string& name,
                                  const Deadline& deadline);
  void LogExchange(const std::string& name, const Result<http::Response>& answer, Duration took);
  void NoteDate(const Result<http::Response>& answer, Clock& clock);
  Attempt Refused(ArrayError refused, const std::string& name, const std::string& doing,
                  std::optional<Duration> retry_after);
  Attempt ReadOnce(const ReadRequest& request, Result<http::Response> answer,
                   const Deadline& deadline);
  Result<nlohmann::json> ReadUntilAnswered(const ReadRequest& request,
                                           std::optional<Result<http::Response>> first,
                                           const Deadline& deadline);
  Result<std::vector<nlohmann::json>> FollowPages(const ReadRequest& request,
                                                  nlohmann::json first_page,
                                                  const Deadline& deadline);
  Attempt ChangeOnce(const ChangeRequest& request, ChangeAnswer& answer, const Deadline& deadline);
  Attempt WaitForJob(const ChangeRequest& request, const std::string& job,
                     const Deadline& deadline);

  http::Transport* transport_;
  Log* log_;
  http::Jitter jitter_;
  http::RetryPolicy retry_policy_;
  std::optional<Release> release_;
  std::optional<std::chrono::seconds> clock_ahead_;
  std::vector<Secret> concealed_;
  std::function<void(const Error& denied, Clock& clock)> on_unseen_job_;
  std::size_t weight_ = 0;  // of all documents that the current call has read, see ParseJson
};

}  // namespace ontapnvme::ontap
