// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/flexvol/qualify/qualification.h"

#include <algorithm>
#include <array>

#include "catalogue/flexvol/qualify/scratch_removal.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

// What is kept of the budget for taking scratch objects away.
constexpr Duration kRemovalReserve{20'000};

// What earlier runs left may be busy: it is tried again before the next probe, which must have time left.
constexpr Duration kEarlierBudget{5'000};

// What a role needs besides reading (SECURITY.md). The longer paths first.
constexpr std::array kWrittenPaths = {
    "/api/storage/volumes",
    "/api/storage/namespaces",
    "/api/protocols/nvme/subsystem-maps",
    "/api/protocols/nvme/subsystems",
    "/api/application/consistency-groups",
};

// Nothing that a probe asks could be told by the next one either.
bool EndsRun(const Error& error) {
  switch (error.code()) {
    case ErrorCode::kUnavailable:
    case ErrorCode::kTimedOut:
    case ErrorCode::kInterrupted:
    case ErrorCode::kUnauthenticated:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::vector<const Probe*> AllProbes() {
  std::vector<const Probe*> all;
  for (const auto* table : {&BasicProbes(), &VolumeProbes(), &DeletionProbes(), &RestoreProbes(),
                            &CloneProbes(), &GroupProbes()}) {
    for (const auto& probe : *table) all.push_back(&probe);
  }
  return all;
}

std::vector<ProbeInfo> DescribeProbes() {
  std::vector<ProbeInfo> described;
  for (const auto* probe : AllProbes()) {
    described.push_back({.probe = probe->name,
                         .question = probe->question,
                         .steps = probe->steps,
                         .positions = {probe->positions.begin(), probe->positions.end()}});
  }
  return described;
}

// What the account lacks, as a line that can be pasted.
Error Qualification::WithRight(Error error) const {
  if (error.code() != ErrorCode::kPermissionDenied) return error;
  const std::string role = "security login rest-role create -vserver " +
                           (config_->is_svm_scoped ? config_->svm : std::string("CLUSTER")) +
                           " -role ROLE -access ";
  if (error.origin().refusal == Refusal::kJobUnseen) {
    error.SetHint(role + "readonly -api /api/cluster/jobs");
    return error;
  }
  const std::string request(error.Fact("request"));
  for (const char* path : kWrittenPaths) {
    if (request.find(path) == std::string::npos) continue;
    error.SetHint(role + "all -api " + path);
    break;
  }
  return error;
}

Result<ProbeFinding> Qualification::Run(const std::string& name, const Deadline& deadline) {
  const auto all = AllProbes();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Probe* probe) { return probe->name == name; });
  if (found == all.end()) {
    return Error(ErrorCode::kInvalidArgument, "there is no probe '" + name + "'");
  }
  const Probe& probe = **found;
  const auto before =
      ScratchRemoval(*rest_, *config_, *marker_).RemoveAll(deadline.Within(kEarlierBudget));
  if (!before.ok()) {
    const bool is_denied = before.error().code() == ErrorCode::kPermissionDenied;
    const bool ends = EndsRun(before.error()) && !FailedWith(before, ErrorCode::kTimedOut);
    if (ends || (probe.is_needed && is_denied)) return WithRight(before.error());
    log_->Debug(before.error().Line());
  }
  Scratch scratch(*rest_, *config_, *marker_, deadline.Reserve(kRemovalReserve));
  auto answer = probe.run(scratch);
  const auto removed = scratch.RemoveAll();
  const bool is_busy = FailedWith(removed, ErrorCode::kBusy);
  // What is busy is deleted a moment later.
  if (is_busy) log_->Debug(removed.error().Line());
  if (!removed.ok() && !is_busy) {
    log_->Warning(
        "scratch objects '" + scratch.run().PatternOfRun(config_->prefix) +
        "' of a probe are still on the array, and are taken away by the next run or recovery: " +
        removed.error().Plain());
  }
  if (!answer.ok()) {
    const Error error = WithRight(std::move(answer).error());
    if (probe.is_needed || EndsRun(error)) {
      return error.Wrap("probe '" + name + "' cannot be run on SVM '" + config_->svm + "'");
    }
    answer = Answer{"unknown", error.Plain()};
  }
  ProbeFinding finding;
  finding.probe = name;
  finding.question = probe.question;
  finding.position = answer->position;
  finding.detail = answer->detail;
  return finding;
}

}  // namespace ontapnvme::catalogue::flexvol
