// SPDX-License-Identifier: AGPL-3.0-or-later
#include "nvme/helper/helper_process.h"

#include <utility>

namespace ontapnvme::nvme {
namespace {

static_assert(kRequestBytesMax <= kChildInputBytesMax);

HelperOutcome OutcomeOf(ChildOutcome child) {
  HelperOutcome outcome;
  outcome.output = std::move(child.output);
  outcome.reason = std::move(child.reason);
  switch (child.end) {
    case ChildOutcome::End::kDone:
      outcome.end = IsCompleteReply(outcome.output) ? HelperOutcome::End::kAnswered
                                                    : HelperOutcome::End::kFailed;
      break;
    case ChildOutcome::End::kTimedOut:
      outcome.end = HelperOutcome::End::kTimedOut;
      break;
    case ChildOutcome::End::kInterrupted:
      outcome.end = HelperOutcome::End::kInterrupted;
      break;
    case ChildOutcome::End::kFailed:
      outcome.end = HelperOutcome::End::kFailed;
  }
  return outcome;
}

}  // namespace

Result<HelperReply> HelperOutcome::Reply() const {
  if (end == End::kTimedOut) {
    return Error(ErrorCode::kTimedOut, "the NVMe helper has not answered in time");
  }
  if (end == End::kInterrupted) {
    return Error(ErrorCode::kInterrupted, "stopped by a signal while the NVMe helper ran");
  }
  auto reply = end == End::kAnswered ? DecodeReply(output) : std::nullopt;
  if (reply) return *std::move(reply);
  return Error(ErrorCode::kInternal, "the NVMe helper gave no answer")
      .Because(reason.empty() ? "it wrote '" + CleanText(output, 80) + "'" : reason);
}

std::string InstalledHelper() {
  return ONTAPNVME_HELPER_PATH;  // from src/CMakeLists.txt
}

std::vector<HelperOutcome> HelperProcesses::Run(const std::vector<Secret>& requests,
                                                const Deadline& deadline) {
  std::vector<ChildTask> tasks;
  for (const auto& request : requests) tasks.push_back({.program = program_, .input = request});
  // The first child of the helper ends early: its last line counts, not the end of its output.
  const auto is_complete = [](const std::string& output) {
    return IsCompleteReply(output) || output.size() > kReplyBytesMax;
  };
  std::vector<HelperOutcome> outcomes;
  for (auto& child : processes_.Run(tasks, is_complete, deadline)) {
    outcomes.push_back(OutcomeOf(std::move(child)));
  }
  return outcomes;
}

}  // namespace ontapnvme::nvme
