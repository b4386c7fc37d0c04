// SPDX-License-Identifier: AGPL-3.0-or-later
#include "http/curl_transport.h"

#include <curl/curl.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <optional>
#include <set>
#include <string_view>

#include "http/curl_transfer.h"

namespace ontapnvme::http {
namespace {

// Short enough that a stopped task does not feel stuck.
constexpr Duration kPollMax{100};
// Idle connections worth keeping: a poll needs one, a listing two or three side by side.
constexpr long kIdleConnectionsMax = 3;

// libcurl sets up OpenSSL once and is never torn down: Perl may have loaded OpenSSL as well.
bool CurlIsReady() {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  return ready == CURLE_OK;
}

// No SIGPIPE reaches the process while this lives, and none that a write inside caused comes later:
// Proxmox installs a handler that dies, and libcurl promises nothing together with NOSIGNAL.
class SigpipeGuard {
 public:
  SigpipeGuard() {
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~SigpipeGuard() {
    const timespec no_wait{};
    if (!was_pending_) {
      while (sigtimedwait(&pipe_, nullptr, &no_wait) == -1 && errno == EINTR) continue;
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  SigpipeGuard(const SigpipeGuard&) = delete;
  SigpipeGuard& operator=(const SigpipeGuard&) = delete;

 private:
  bool was_pending_ = false;
  sigset_t pipe_{};
  sigset_t before_{};
};

std::set<int> OpenDescriptors() {
  std::set<int> fds;
  DIR* folder = ::opendir("/proc/self/fd");
  if (folder == nullptr) return fds;
  while (const dirent* entry = ::readdir(folder)) {
    const std::string_view name = entry->d_name;
    int fd = -1;
    std::from_chars(name.data(), name.data() + name.size(), fd);
    if (fd >= 0 && fd != ::dirfd(folder)) fds.insert(fd);
  }
  ::closedir(folder);
  return fds;
}

bool IsUsableHost(std::string_view host) {
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:%";
  return !host.empty() && host.find_first_not_of(kAllowed) == std::string_view::npos;
}

}  // namespace

// The handles of one process: a multi handle, which owns the connections, and a slot per transfer
// that may run at once.
class CurlTransport::Session {
 public:
  explicit Session(const CurlOptions& options) : options_(&options) {
    // libcurl's wake-up pipe is not close-on-exec: find it by looking before and after.
    const std::set<int> before = OpenDescriptors();
    multi_ = curl_multi_init();
    for (const int fd : OpenDescriptors()) {
      if (before.contains(fd)) continue;
      ::fcntl(fd, F_SETFD, FD_CLOEXEC);
      wakeup_.Adopt(fd);
    }
    const long connections = static_cast<long>(options.limits.connections_max);
    curl_multi_setopt(multi_, CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_NOTHING));
    curl_multi_setopt(multi_, CURLMOPT_MAX_TOTAL_CONNECTIONS, connections);
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, std::min(connections, kIdleConnectionsMax));
  }
  ~Session() {
    slots_.clear();
    curl_multi_cleanup(multi_);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // See CurlTransport: the child's copies go without a word, the handles stay allocated.
  void Abandon() {
    sockets_.CloseInheritedCopies();
    wakeup_.CloseInheritedCopies();
  }

  std::vector<Result<Response>> Run(const std::vector<Request>& requests, const Deadline& deadline);

  // Whether a connection did not answer in time. What took it from us, such as a LIF that moved to
  // another port, took its idle neighbours as well.
  bool IsSuspect() const { return is_suspect_; }

 private:
  using Results = std::vector<std::optional<Result<Response>>>;

  Transfer* FreeSlot();
  void Collect(Results& results, const Deadline& deadline);
  void GiveUpSilent(Results& results, TimePoint now);
  void StopAll(Results& results, const Deadline& deadline);
  // Ends the transfer, and with it its connection unless the answer is complete.
  void Release(Transfer* slot) {
    curl_multi_remove_handle(multi_, slot->easy());
    busy_.erase(slot);
  }

  const CurlOptions* options_;
  CURLM* multi_ = nullptr;
  SocketSet sockets_;
  SocketSet wakeup_;
  std::vector<std::unique_ptr<Transfer>> slots_;
  std::set<Transfer*> busy_;
  bool is_suspect_ = false;
};

Transfer* CurlTransport::Session::FreeSlot() {
  for (const auto& slot : slots_) {
    if (!busy_.contains(slot.get())) return slot.get();
  }
  if (slots_.size() >= options_->limits.connections_max) return nullptr;
  CURL* easy = curl_easy_init();
  if (easy == nullptr) throw std::bad_alloc();
  return slots_.emplace_back(std::make_unique<Transfer>(easy)).get();
}

void CurlTransport::Session::Collect(Results& results, const Deadline& deadline) {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;
    Transfer* slot = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &slot);
    results[slot->index()] = slot->Finish(code, deadline);
    is_suspect_ = is_suspect_ || code == CURLE_OPERATION_TIMEDOUT;
    Release(slot);
  }
}

void CurlTransport::Session::GiveUpSilent(Results& results, TimePoint now) {
  const auto running = busy_;  // Release changes it
  for (Transfer* slot : running) {
    if (!slot->IsSilent(now)) continue;
    results[slot->index()] = slot->GiveUp();
    is_suspect_ = true;
    Release(slot);
  }
}

void CurlTransport::Session::StopAll(Results& results, const Deadline& deadline) {
  is_suspect_ = is_suspect_ || !busy_.empty();
  while (!busy_.empty()) {
    Transfer* slot = *busy_.begin();
    results[slot->index()] = slot->Stop(deadline);
    Release(slot);
  }
}

std::vector<Result<Response>> CurlTransport::Session::Run(const std::vector<Request>& requests,
                                                          const Deadline& deadline) {
  Results results(requests.size());
  std::size_t next = 0;
  while (next < requests.size() || !busy_.empty()) {
    if (deadline.Interrupted() || deadline.Expired()) {
      StopAll(results, deadline);
      break;
    }
    while (next < requests.size()) {
      Transfer* slot = FreeSlot();
      if (slot == nullptr) break;
      slot->Prepare(*options_, requests[next], next, deadline, sockets_);
      ++next;
      busy_.insert(slot);
      curl_multi_add_handle(multi_, slot->easy());
    }
    int running = 0;
    curl_multi_perform(multi_, &running);
    Collect(results, deadline);
    GiveUpSilent(results, deadline.clock().Now());
    if (busy_.empty()) continue;
    const Duration wait = std::min(deadline.Remaining(), kPollMax);
    curl_multi_poll(multi_, nullptr, 0, static_cast<int>(wait.count()), nullptr);
  }

  std::vector<Result<Response>> answers;
  answers.reserve(results.size());
  for (auto& result : results) {
    if (result) {
      answers.push_back(*std::move(result));
      continue;
    }
    Status stopped = deadline.Check("sending a request to the array");
    answers.emplace_back(stopped.ok() ? Error(ErrorCode::kInternal, "a request was not sent")
                                      : std::move(stopped).error());
  }
  return answers;
}

CurlTransport::CurlTransport(CurlOptions options) : options_(std::move(options)) {}

CurlTransport::~CurlTransport() {
  AbandonIfForked();
  const SigpipeGuard guard;  // closing a TLS session writes to the socket
  session_.reset();
}

void CurlTransport::AbandonIfForked() {
  if (owner_.IsThisProcess()) return;
  if (session_) {
    session_->Abandon();
    (void)session_.release();  // leaked on purpose: cleaning up would speak on the parent's sockets
  }
  owner_.TakeOver();
}

Result<Response> CurlTransport::Perform(const Request& request, const Deadline& deadline) {
  auto results = PerformAll({request}, deadline);
  return std::move(results.front());
}

std::vector<Result<Response>> CurlTransport::PerformAll(const std::vector<Request>& requests,
                                                        const Deadline& deadline) {
  AbandonIfForked();
  const auto all_fail = [&](const Error& error) {
    return std::vector<Result<Response>>(requests.size(), error);
  };
  if (!IsUsableHost(options_.host)) {
    return all_fail(
        Error(ErrorCode::kInvalidArgument,
              "'" + CleanText(options_.host) + "' is neither a host name nor an address"));
  }
  if (!CurlIsReady()) return all_fail(Error(ErrorCode::kInternal, "cannot set up libcurl"));
  const SigpipeGuard guard;
  if (!session_) session_ = std::make_unique<Session>(options_);
  auto answers = session_->Run(requests, deadline);
  if (session_->IsSuspect()) session_.reset();
  return answers;
}

}  // namespace ontapnvme::http
