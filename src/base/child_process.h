// SPDX-License-Identifier: AGPL-3.0-or-later
// Runs programs beside a call, under its deadline. What blocks without regard for signals and time, in
// the kernel or in the C library, happens in one, so that the caller always gets away in time.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/secret.h"
#include "base/unique_fd.h"

namespace ontapnvme {

struct ChildTask {
  std::string program;                      // its path
  std::vector<std::string> arguments = {};  // others can read them: no secret
  Secret input = {};                        // on standard input; kChildInputBytesMax at most
};

// Fits into an empty pipe whatever its limits are: it is written before anyone reads.
inline constexpr std::size_t kChildInputBytesMax = 4096;

struct ChildOutcome {
  enum class End { kDone, kTimedOut, kInterrupted, kFailed };
  End end = End::kFailed;
  std::string output;  // of its standard output, as far as it came
  std::string reason;  // kFailed: why it could not be started
};

// A child gets its input and nothing else: an environment of PATH and LC_ALL, no open file of ours,
// default signals, a process group of its own. Its exit status is not used: a Perl daemon that waits
// for any child may have taken it.
class ChildProcesses {
 public:
  ChildProcesses() = default;
  ~ChildProcesses() { ReapStrays(); }
  ChildProcesses(const ChildProcesses&) = delete;
  ChildProcesses& operator=(const ChildProcesses&) = delete;

  // Starts all at the same time; one outcome per task, in order. kDone: it has closed its output, or
  // `is_complete` with what it wrote. Blocks until all are done, the deadline is over, or the task is
  // stopped; those that are not done by then are killed.
  std::vector<ChildOutcome> Run(const std::vector<ChildTask>& tasks,
                                const std::function<bool(const std::string& output)>& is_complete,
                                const Deadline& deadline);

 private:
  struct Running {
    pid_t pid = -1;
    UniqueFd output;
    ChildOutcome outcome;
    bool is_done = false;
  };
  static Running Start(const ChildTask& task);
  void Reap(pid_t pid);
  void ReapStrays();

  // Killed, but not dead yet: in the kernel, out of reach of signals. Waited for on the next call.
  std::vector<pid_t> strays_;
};

}  // namespace ontapnvme
