// SPDX-License-Identifier: AGPL-3.0-or-later
#include "nvme/helper_process.h"

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

#include "nvme/errno_text.h"

namespace ontapnvme::nvme {
namespace {

constexpr Duration kInterruptPoll{50};
constexpr Duration kExitWait{200};  // from the last line of a helper to its end

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
  int Spawn(std::string program, pid_t& pid) const {
    std::string path = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
    std::string locale = "LC_ALL=C";
    const std::array<char*, 2> arguments{program.data(), nullptr};
    const std::array<char*, 3> environment{path.data(), locale.data(), nullptr};
    return ::posix_spawn(&pid, program.c_str(), &actions_, &attributes_, arguments.data(),
                         environment.data());
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

// Takes what the pipe holds. True when the helper has said all it will.
bool ReadSome(int fd, HelperOutcome& outcome) {
  std::array<char, 4096> chunk{};
  const ssize_t got = ::read(fd, chunk.data(), chunk.size());
  if (got < 0) return errno != EINTR && errno != EAGAIN;
  if (got == 0) return true;
  outcome.output.append(chunk.data(), static_cast<std::size_t>(got));
  return IsCompleteReply(outcome.output) || outcome.output.size() > kReplyBytesMax;
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

HelperProcesses::~HelperProcesses() {
  ReapStrays();
}

HelperProcesses::Running HelperProcesses::Start(const Secret& request) const {
  Running running;
  running.is_done = true;
  auto input = MakePipe();
  auto output = MakePipe();
  if (!input || !output) {
    running.outcome.reason = "no pipe: " + ErrnoText(errno);
    return running;
  }
  // Written while we hold the reading end too: no reader can be missing, so there is no SIGPIPE,
  // and the request fits into an empty pipe, so nothing blocks.
  const std::string_view text = request.Reveal();
  const bool fits = text.size() <= kRequestBytesMax;
  if (!fits ||
      ::write(input->write.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    running.outcome.reason = "the request does not fit into a pipe";
    return running;
  }
  const SpawnPlan plan(input->read.get(), output->write.get());
  const int failure = plan.Spawn(program_, running.pid);
  if (failure != 0) {
    running.pid = -1;
    running.outcome.reason = "cannot start '" + program_ + "': " + ErrnoText(failure);
    return running;
  }
  running.output = std::move(output->read);
  running.is_done = false;
  return running;
}

void HelperProcesses::Collect(std::vector<Running>& running, const Deadline& deadline) {
  const auto is_waiting = [](const Running& one) { return !one.is_done; };
  while (std::any_of(running.begin(), running.end(), is_waiting)) {
    if (deadline.Interrupted() || deadline.Expired()) return;
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
      if (polled[i].revents == 0 || !ReadSome(polled[i].fd, waiting[i]->outcome)) continue;
      waiting[i]->is_done = true;
      waiting[i]->outcome.end = IsCompleteReply(waiting[i]->outcome.output)
                                    ? HelperOutcome::End::kAnswered
                                    : HelperOutcome::End::kFailed;
    }
  }
}

std::vector<HelperOutcome> HelperProcesses::Run(const std::vector<Secret>& requests,
                                                const Deadline& deadline) {
  ReapStrays();
  std::vector<Running> running;
  running.reserve(requests.size());
  // Nothing is begun that would only be killed again.
  const bool has_time = !deadline.Interrupted() && !deadline.Expired();
  for (const auto& request : requests) running.push_back(has_time ? Start(request) : Running());
  Collect(running, deadline);
  std::vector<HelperOutcome> outcomes;
  for (auto& one : running) {
    if (!one.is_done) {
      one.outcome.end =
          deadline.Interrupted() ? HelperOutcome::End::kInterrupted : HelperOutcome::End::kTimedOut;
      // Nobody has closed the pipe, so a member of the group is alive and its number is not reused.
      if (one.pid > 0) ::kill(-one.pid, SIGKILL);
    }
    if (one.pid > 0) Reap(one.pid);
    outcomes.push_back(std::move(one.outcome));
  }
  return outcomes;
}

void HelperProcesses::Reap(pid_t pid) {
  // The wait is on a pidfd because waitpid() has no time limit. ESRCH: somebody else has reaped it.
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!process && errno == ESRCH) return;
  if (process) {
    pollfd ended{process.get(), POLLIN, 0};
    ::poll(&ended, 1, static_cast<int>(kExitWait.count()));
  }
  if (::waitpid(pid, nullptr, WNOHANG) == 0) strays_.push_back(pid);
}

void HelperProcesses::ReapStrays() {
  std::erase_if(strays_, [](pid_t pid) { return ::waitpid(pid, nullptr, WNOHANG) != 0; });
}

}  // namespace ontapnvme::nvme
