// SPDX-License-Identifier: AGPL-3.0-or-later
#include "control_socket.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <system_error>
#include <vector>

namespace ontapnvme::sim {
namespace {

constexpr int kBacklog = 16;
constexpr std::size_t kLineBytesMaximum = 16U << 20U;

[[noreturn]] void Fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

bool SendAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

}  // namespace

ControlSocket::ControlSocket(Control* control, std::mutex* mutex, std::string path)
    : control_(control), mutex_(mutex), path_(std::move(path)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path_.size() >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    Fail("control socket " + path_);
  }
  std::memcpy(address.sun_path, path_.c_str(), path_.size() + 1);
  ::unlink(path_.c_str());
  listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener_ < 0 ||
      ::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener_, kBacklog) != 0 || ::pipe2(wake_, O_CLOEXEC) != 0) {
    Fail("control socket " + path_);
  }
  thread_ = std::thread([this] { Serve(); });
}

ControlSocket::~ControlSocket() {
  ::close(wake_[1]);
  thread_.join();
  ::close(wake_[0]);
  ::close(listener_);
  ::unlink(path_.c_str());
}

void ControlSocket::Serve() {
  std::map<int, std::string> clients;  // descriptor -> what has arrived of the next line
  for (;;) {
    std::vector<pollfd> waiting = {{wake_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
    for (const auto& [fd, pending] : clients) waiting.push_back({fd, POLLIN, 0});
    if (::poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR) break;
    if (waiting[0].revents != 0) break;
    if (waiting[1].revents != 0) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd >= 0) clients[fd];
    }
    for (std::size_t i = 2; i < waiting.size(); ++i) {
      if (waiting[i].revents == 0 || AnswerLines(waiting[i].fd, &clients[waiting[i].fd])) continue;
      ::close(waiting[i].fd);
      clients.erase(waiting[i].fd);
    }
  }
  for (const auto& [fd, pending] : clients) ::close(fd);
}

bool ControlSocket::AnswerLines(int fd, std::string* pending) {
  char buffer[65536];
  const ssize_t got = ::recv(fd, buffer, sizeof buffer, 0);
  if (got <= 0) return false;
  pending->append(buffer, static_cast<std::size_t>(got));
  if (pending->size() > kLineBytesMaximum) return false;
  for (auto end = pending->find('\n'); end != std::string::npos; end = pending->find('\n')) {
    const auto command = nlohmann::json::parse(pending->substr(0, end), nullptr, false);
    pending->erase(0, end + 1);
    nlohmann::json reply;
    {
      const std::lock_guard<std::mutex> lock(*mutex_);
      reply = control_->Execute(command);
    }
    // Bytes of namespaces travel as hexadecimal, but a name may hold anything.
    if (!SendAll(fd, reply.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n")) {
      return false;
    }
  }
  return true;
}

}  // namespace ontapnvme::sim
