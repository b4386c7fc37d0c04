// SPDX-License-Identifier: AGPL-3.0-or-later
#include "server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace ontapnvme::sim::target {
namespace {

constexpr int kBacklog = 128;
constexpr std::uint64_t kWakeId = 0;
constexpr std::size_t kReadBytes = 256U << 10U;
// A host that sends reads and takes no answers is not read from beyond this.
constexpr std::size_t kOutputBytesMaximum = 8U << 20U;

[[noreturn]] void Fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

SocketAddress AddressOf(const std::string& text, std::uint16_t port) {
  SocketAddress address;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (::inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    address.length = sizeof *v4;
  } else if (::inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    address.length = sizeof *v6;
  } else {
    throw std::invalid_argument("portal '" + text + "' is no IP address");
  }
  return address;
}

// Without the port, which says nothing about the host.
std::string TextOf(const SocketAddress& address) {
  const auto* v4 = reinterpret_cast<const sockaddr_in*>(&address.storage);
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&address.storage);
  const bool is_v4 = address.storage.ss_family == AF_INET;
  const void* raw = is_v4 ? static_cast<const void*>(&v4->sin_addr) : &v6->sin6_addr;
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(address.storage.ss_family, raw, text.data(), text.size());
  return text.data();
}

void Switch(int fd, int level, int option) {
  const int on = 1;
  ::setsockopt(fd, level, option, &on, sizeof on);
}

}  // namespace

Server::Server(TargetState* state, std::mutex* mutex, std::uint16_t port)
    : state_(state),
      mutex_(mutex),
      port_(port),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (epoll_ < 0 || wake_ < 0) Fail("epoll");
  std::uint32_t none = 0;
  Watch(kWakeId, wake_, &none, EPOLLIN);
  thread_ = std::thread([this] { Run(); });
}

Server::~Server() {
  {
    const std::lock_guard<std::mutex> lock(*mutex_);
    is_ending_ = true;
  }
  Wake();
  thread_.join();
  for (auto& [id, client] : clients_) ::close(client.fd);
  clients_.clear();
  for (auto& [address, portal] : portals_) StopListening(&portal);
  ::close(wake_);
  ::close(epoll_);
}

void Server::Wake() {
  const std::uint64_t one = 1;
  // It cannot fail but by being awake already.
  if (::write(wake_, &one, sizeof one) < 0) return;
}

// Unwatched descriptors leave the set: epoll reports a hang-up even to who asked for nothing.
void Server::Watch(std::uint64_t id, int fd, std::uint32_t* now, std::uint32_t wanted) {
  if (*now == wanted) return;
  epoll_event event{};
  event.events = wanted;
  event.data.u64 = id;
  const int operation = wanted == 0 ? EPOLL_CTL_DEL : *now == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  if (::epoll_ctl(epoll_, operation, fd, &event) != 0) Fail("epoll_ctl");
  *now = wanted;
}

// ---- portals

void Server::Listen(Portal* portal) {
  if (portal->listener >= 0) return;
  SocketAddress address = AddressOf(portal->address, portal->port != 0 ? portal->port : port_);
  const int fd = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) Fail("socket");
  Switch(fd, SOL_SOCKET, SO_REUSEADDR);
  if (::bind(fd, address.get(), address.length) != 0 || ::listen(fd, kBacklog) != 0 ||
      ::getsockname(fd, address.get(), &address.length) != 0) {
    const int error = errno;
    ::close(fd);
    errno = error;
    Fail("portal " + portal->address);
  }
  // Both families have the port at the same place.
  portal->port = ntohs(reinterpret_cast<sockaddr_in*>(&address.storage)->sin_port);
  portal->listener = fd;
  portal->id = ++last_id_;
  std::uint32_t none = 0;
  if (portal->mode != PortalMode::kSilent) Watch(portal->id, fd, &none, EPOLLIN);
}

void Server::StopListening(Portal* portal) {
  if (portal->listener >= 0) ::close(portal->listener);
  portal->listener = -1;
}

void Server::DropClients(const Portal& portal) {
  std::erase_if(clients_, [&](const auto& entry) {
    if (entry.second.portal != &portal) return false;
    ::close(entry.second.fd);
    return true;
  });
}

void Server::OpenPortal(const std::string& address, unsigned ana_group) {
  Portal& portal = portals_[address];
  portal.address = address;
  portal.ana_group = ana_group;
  if (portal.mode == PortalMode::kRefuse) return;
  try {
    Listen(&portal);
  } catch (const std::exception&) {
    portals_.erase(address);  // nobody has connected to it
    throw;
  }
}

void Server::ClosePortal(const std::string& address) {
  const auto found = portals_.find(address);
  if (found == portals_.end()) return;
  StopListening(&found->second);
  DropClients(found->second);
  portals_.erase(found);
  Wake();
}

void Server::SetMode(const std::string& address, PortalMode mode) {
  const auto found = portals_.find(address);
  if (found == portals_.end()) throw std::invalid_argument("no portal '" + address + "'");
  Portal& portal = found->second;
  portal.mode = mode;
  // Anew, so that the listener is watched or not as the mode wants it.
  StopListening(&portal);
  if (mode == PortalMode::kRefuse || mode == PortalMode::kClose) DropClients(portal);
  if (mode != PortalMode::kRefuse) Listen(&portal);
  Wake();
}

std::uint16_t Server::PortOf(const std::string& address) const {
  const auto found = portals_.find(address);
  if (found == portals_.end()) throw std::invalid_argument("no portal '" + address + "'");
  return found->second.port;
}

// ---- the thread

void Server::Run() {
  std::array<epoll_event, 64> events{};
  int timeout_ms = -1;
  for (;;) {
    const int count =
        ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), timeout_ms);
    const std::lock_guard<std::mutex> lock(*mutex_);
    if (is_ending_) return;
    for (int i = 0; i < count; ++i) HandleEvent(events[static_cast<std::size_t>(i)]);
    timeout_ms = TimeoutMs();
    Settle();
  }
}

void Server::HandleEvent(const epoll_event& event) {
  const std::uint64_t id = event.data.u64;  // a copy: the struct is packed, so no reference to it
  if (id == kWakeId) {
    std::uint64_t count = 0;
    if (::read(wake_, &count, sizeof count) < 0) return;  // somebody was faster
    return;
  }
  const auto client = clients_.find(id);
  if (client != clients_.end()) {
    if ((event.events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) ReadFrom(&client->second);
    return;
  }
  for (auto& [address, portal] : portals_) {
    if (portal.listener >= 0 && portal.id == id) Accept(&portal);
  }
}

void Server::Accept(Portal* portal) {
  for (;;) {
    SocketAddress peer;
    peer.length = sizeof peer.storage;
    const int fd =
        ::accept4(portal->listener, peer.get(), &peer.length, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    if (portal->mode != PortalMode::kServe) {
      ::close(fd);
      continue;
    }
    Switch(fd, IPPROTO_TCP, TCP_NODELAY);
    Client& client = clients_[++last_id_];
    client.fd = fd;
    client.portal = portal;
    client.connection = std::make_unique<Connection>(
        state_, Route{portal->ana_group, portal->address, TextOf(peer)});
  }
}

void Server::ReadFrom(Client* client) {
  thread_local Bytes buffer(kReadBytes);
  if (client->connection->IsOver()) return;
  const ssize_t got = ::recv(client->fd, buffer.data(), buffer.size(), 0);
  if (got > 0) {
    client->connection->Receive(View(buffer).first(static_cast<std::size_t>(got)));
  } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
    client->portal = nullptr;  // gone; Settle forgets it
  }
}

bool Server::WriteTo(Client* client) {
  Connection& connection = *client->connection;
  while (!connection.Output().empty()) {
    const View output = connection.Output();
    const ssize_t sent = ::send(client->fd, output.data(), output.size(), MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN || errno == EINTR;
    connection.Sent(static_cast<std::size_t>(sent));
  }
  return true;
}

void Server::Settle() {
  // Ending an admin queue ends its controller, and so other connections: until none is left over.
  for (bool is_settled = false; !is_settled;) {
    is_settled = true;
    for (auto entry = clients_.begin(); entry != clients_.end();) {
      auto& [id, client] = *entry;
      const bool is_silent = client.portal != nullptr && client.portal->mode == PortalMode::kSilent;
      if (is_silent) {
        Watch(id, client.fd, &client.events, 0);
        ++entry;
        continue;
      }
      const bool is_alive = client.portal != nullptr && WriteTo(&client);
      const bool is_finished =
          client.connection->IsOver() &&
          (client.connection->Output().empty() || client.connection->HasEndedController());
      if (!is_alive || is_finished) {
        ::close(client.fd);
        entry = clients_.erase(entry);
        is_settled = false;
        continue;
      }
      const std::size_t unsent = client.connection->Output().size();
      std::uint32_t wanted = unsent == 0 ? 0U : static_cast<std::uint32_t>(EPOLLOUT);
      const bool may_read = unsent < kOutputBytesMaximum && !client.connection->IsOver();
      if (may_read) wanted |= static_cast<std::uint32_t>(EPOLLIN);
      Watch(id, client.fd, &client.events, wanted);
      ++entry;
    }
  }
}

int Server::TimeoutMs() {
  const auto next = state_->ExpireKeepAlives();
  if (!next) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*next - state_->Now()).count();
  constexpr long kAtMost = 60'000;
  return static_cast<int>(std::clamp<long>(left, 0, kAtMost));
}

}  // namespace ontapnvme::sim::target
