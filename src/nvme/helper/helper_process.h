// SPDX-License-Identifier: AGPL-3.0-or-later
// Runs the helper program: one process per request, all at the same time, under one deadline. What
// can block in the kernel without regard for signals (connecting, deleting a controller, scanning)
// happens there, so that the caller always gets away in time.
#pragma once

#include <string>
#include <vector>

#include "base/child_process.h"
#include "base/deadline.h"
#include "base/result.h"
#include "base/secret.h"
#include "nvme/helper/helper_protocol.h"

namespace ontapnvme::nvme {

struct HelperOutcome {
  enum class End { kAnswered, kTimedOut, kInterrupted, kFailed };
  End end = End::kFailed;
  std::string output;  // kAnswered: a complete reply
  std::string reason;  // kFailed: why

  // The decoded reply; kTimedOut, kInterrupted or kInternal when there is none.
  Result<HelperReply> Reply() const;
};

class Helpers {
 public:
  virtual ~Helpers() = default;

  // One outcome per request, in order. Blocks until every helper has answered, the deadline is
  // over, or the task is stopped; those that have not answered by then are killed.
  virtual std::vector<HelperOutcome> Run(const std::vector<Secret>& requests,
                                         const Deadline& deadline) = 0;
  HelperOutcome RunOne(const Secret& request, const Deadline& deadline) {
    return Run({request}, deadline).front();
  }
};

// Where the helper program is installed.
std::string InstalledHelper();

// Starts real processes, which get their request on standard input and nothing else.
class HelperProcesses : public Helpers {
 public:
  explicit HelperProcesses(std::string program) : program_(std::move(program)) {}

  std::vector<HelperOutcome> Run(const std::vector<Secret>& requests,
                                 const Deadline& deadline) override;

 private:
  std::string program_;
  ChildProcesses processes_;
};

}  // namespace ontapnvme::nvme
