// SPDX-License-Identifier: AGPL-3.0-or-later
#include "base/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "base/errno_text.h"

namespace ontapnvme {
namespace {

constexpr Duration kInterruptPoll{50};
constexpr Duration kExitWait{200};  // from the end of its output to its own

struct Pipe {
  UniqueFd read, write;
};

// Both ends close-on-exec and above standard input and output, whatever of those the caller has
// closed: dup2() in the child must not hit a descriptor that is still needed.
std::optional<Pipe> MakePipe() {
  std::array<int, 2> fds{-1, -1};
  if (::pipe2(fds.data(), O_CLOEXEC) != 0) return std::nullopt;
  Pipe pipe{UniqueFd(fds[0]), UniqueFd(fds[1])};
  for (UniqueFd* end : {&pipe.read, &pipe.write}) {
    if (end->get() > STDERR_FILENO) continue;
    *end = UniqueFd(::fcntl(end->get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
    if (!*end) return std::nullopt;
  }
  return pipe;
}

// Request and answer pipes and everything else of the child, torn down as one.
class SpawnPlan {
 public:
  SpawnPlan(int request, int answer) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
    ::posix_spawn_file_actions_adddup2(&actions_, request, STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions_, answer, STDOUT_FILENO);
    ::posix_spawn_file_actions_addopen(&actions_, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    // Perl daemons hold sockets without close-on-exec, and a stuck helper would keep them open.
    ::posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    ::posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  ~SpawnPlan() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  // The errno of a failure, or 0.
  int Spawn(const ChildTask& task, pid_t& pid) const {
    std::vector<std::string> words{task.program};
    words.insert(words.end(), task.arguments.begin(), task.arguments.end());
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    std::string path = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
    std::string locale = "LC_ALL=C";
    const std::array<char*, 3> environment{path.data(), locale.data(), nullptr};
    return ::posix_spawn(&pid, task.program.c_str(), &actions_, &attributes_, arguments.data(),
                         environment.data());
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

// Takes what the pipe holds. True when the child has closed it.
bool ReadSome(int fd, std::string& output) {
  std::array<char, 4096> chunk{};
  const ssize_t got = ::read(fd, chunk.data(), chunk.size());
  if (got < 0) return errno != EINTR && errno != EAGAIN;
  output.append(chunk.data(), static_cast<std::size_t>(got));
  return got == 0;
}

}  // namespace

ChildProcesses::Running ChildProcesses::Start(const ChildTask& task) {
  Running running;
  running.is_done = true;
  auto input = MakePipe();
  auto output = MakePipe();
  if (!input || !output) {
    running.outcome.reason = "no pipe: " + ErrnoText(errno);
    return running;
  }
  // Written while we hold the reading end too: no reader can be missing, so there is no SIGPIPE,
  // and the input fits into an empty pipe, so nothing blocks.
  const std::string_view text = task.input.Reveal();
  const bool fits = text.size() <= kChildInputBytesMax;
  if (!fits ||
      ::write(input->write.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    running.outcome.reason = "the request does not fit into a pipe";
    return running;
  }
  const SpawnPlan plan(input->read.get(), output->write.get());
  const int failure = plan.Spawn(task, running.pid);
  if (failure != 0) {
    running.pid = -1;
    running.outcome.reason = "cannot start '" + task.program + "': " + ErrnoText(failure);
    return running;
  }
  running.output = std::move(output->read);
  running.is_done = false;
  return running;
}

std::vector<ChildOutcome> ChildProcesses::Run(
    const std::vector<ChildTask>& tasks,
    const std::function<bool(const std::string& output)>& is_complete, const Deadline& deadline) {
  ReapStrays();
  std::vector<Running> running;
  running.reserve(tasks.size());
  // Nothing is begun that would only be killed again.
  const bool has_time = !deadline.Interrupted() && !deadline.Expired();
  for (const auto& task : tasks) running.push_back(has_time ? Start(task) : Running());

  const auto is_waiting = [](const Running& one) { return !one.is_done; };
  while (std::any_of(running.begin(), running.end(), is_waiting)) {
    if (deadline.Interrupted() || deadline.Expired()) break;
    std::vector<pollfd> polled;
    std::vector<Running*> waiting;
    for (auto& one : running) {
      if (one.is_done) continue;
      polled.push_back({one.output.get(), POLLIN, 0});
      waiting.push_back(&one);
    }
    const auto pause = std::min(kInterruptPoll, deadline.Remaining());
    if (::poll(polled.data(), polled.size(), static_cast<int>(pause.count())) <= 0) continue;
    for (std::size_t i = 0; i < polled.size(); ++i) {
      if (polled[i].revents == 0) continue;
      auto& outcome = waiting[i]->outcome;
      waiting[i]->is_done = ReadSome(polled[i].fd, outcome.output) || is_complete(outcome.output);
      if (waiting[i]->is_done) outcome.end = ChildOutcome::End::kDone;
    }
  }

  std::vector<ChildOutcome> outcomes;
  for (auto& one : running) {
    if (!one.is_done) {
      one.outcome.end =
          deadline.Interrupted() ? ChildOutcome::End::kInterrupted : ChildOutcome::End::kTimedOut;
      // Nobody has closed the pipe, so a member of the group is alive and its number is not reused.
      if (one.pid > 0) ::kill(-one.pid, SIGKILL);
    }
    one.output.Reset();  // ends one that goes on writing
    if (one.pid > 0) Reap(one.pid);
    outcomes.push_back(std::move(one.outcome));
  }
  return outcomes;
}

void ChildProcesses::Reap(pid_t pid) {
  // The wait is on a pidfd because waitpid() has no time limit. ESRCH: it has been reaped already.
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!process && errno == ESRCH) return;
  if (process) {
    pollfd ended{process.get(), POLLIN, 0};
    ::poll(&ended, 1, static_cast<int>(kExitWait.count()));
  }
  if (::waitpid(pid, nullptr, WNOHANG) == 0) strays_.push_back(pid);
}

void ChildProcesses::ReapStrays() {
  std::erase_if(strays_, [](pid_t pid) { return ::waitpid(pid, nullptr, WNOHANG) != 0; });
}

}  // namespace ontapnvme
