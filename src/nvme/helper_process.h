// SPDX-License-Identifier: AGPL-3.0-or-later
// Runs the helper program: one process per request, all at the same time, under one deadline. What
// can block in the kernel without regard for signals (connecting, deleting a controller, scanning)
// happens there, so that the caller always gets away in time.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/unique_fd.h"
#include "nvme/helper_protocol.h"

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

// Starts real processes. The helper gets its request on standard input and nothing else: an
// environment of PATH and LC_ALL, no argument, no open file of ours, default signals, a process
// group of its own. Its exit status is not used: a Perl daemon that waits for any child may have
// taken it.
class HelperProcesses : public Helpers {
 public:
  explicit HelperProcesses(std::string program) : program_(std::move(program)) {}
  ~HelperProcesses() override;

  std::vector<HelperOutcome> Run(const std::vector<Secret>& requests,
                                 const Deadline& deadline) override;

 private:
  struct Running {
    pid_t pid = -1;
    UniqueFd output;
    HelperOutcome outcome;
    bool is_done = false;
  };
  Running Start(const Secret& request) const;
  void Collect(std::vector<Running>& running, const Deadline& deadline);
  void Reap(pid_t pid);
  void ReapStrays();

  std::string program_;
  // Killed, but not dead yet: in the kernel, out of reach of signals. Waited for on the next call.
  std::vector<pid_t> strays_;
};

}  // namespace ontapnvme::nvme
