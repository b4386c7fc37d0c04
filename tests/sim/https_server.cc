// SPDX-License-Identifier: AGPL-3.0-or-later
#include "https_server.h"

#include <dirent.h>
#include <httplib.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cstdlib>
#include <functional>
#include <stdexcept>

namespace ontapnvme::sim {
namespace {

// A connection occupies a thread for as long as it is kept alive.
constexpr std::size_t kThreads = 96;
constexpr time_t kKeepAliveSeconds = 60;
constexpr std::size_t kRequestsPerConnection = 1'000'000;
constexpr std::size_t kBodyBytesMaximum = 16U << 20U;
constexpr int kHangupPollMs = 50;

struct Socket {
  int fd = -1;
  std::uint64_t inode = 0;
};

// The library hides its sockets, so they are found among the descriptors of the process.
void ForEachPeer(const std::function<void(Socket, const std::string&, int)>& visit) {
  DIR* folder = ::opendir("/proc/self/fd");
  if (folder == nullptr) return;
  while (const dirent* entry = ::readdir(folder)) {
    const int fd = std::atoi(entry->d_name);
    sockaddr_storage peer{};
    socklen_t length = sizeof peer;
    if (entry->d_name[0] == '.' ||
        ::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &length) != 0) {
      continue;
    }
    char host[NI_MAXHOST];
    char service[NI_MAXSERV];
    if ((peer.ss_family != AF_INET && peer.ss_family != AF_INET6) ||
        ::getnameinfo(reinterpret_cast<sockaddr*>(&peer), length, host, sizeof host, service,
                      sizeof service, NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
      continue;
    }
    struct stat info {};
    if (::fstat(fd, &info) == 0) visit({fd, info.st_ino}, host, std::atoi(service));
  }
  ::closedir(folder);
}

Socket FindSocket(const std::string& address, int port) {
  Socket found;
  ForEachPeer([&](Socket socket, const std::string& host, int service) {
    if (service == port && host == address) found = socket;
  });
  return found;
}

// A body on a GET is not read by the library; that there is one must still be seen.
bool AnnouncesBody(const httplib::Request& request) {
  const std::string length = request.get_header_value("Content-Length");
  return (!length.empty() && length != "0") || request.has_header("Transfer-Encoding");
}

}  // namespace

struct HttpsServer::Listener {
  std::unique_ptr<httplib::SSLServer> server;
  std::thread thread;
};

Endpoint Endpoint::Parse(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos || colon + 1 == text.size()) {
    throw std::invalid_argument("not an endpoint: " + text);
  }
  Endpoint endpoint;
  endpoint.address = text.substr(0, colon);
  if (endpoint.address.size() > 2 && endpoint.address.front() == '[') {
    endpoint.address = endpoint.address.substr(1, endpoint.address.size() - 2);
  }
  endpoint.port = std::stoi(text.substr(colon + 1));
  return endpoint;
}

std::string Endpoint::Text() const {
  const bool is_v6 = address.find(':') != std::string::npos;
  return (is_v6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

HttpsServer::HttpsServer(Array* array, std::mutex* mutex, const ServerIdentity& identity,
                         const std::vector<Endpoint>& endpoints)
    : array_(array),
      array_mutex_(mutex),
      endpoints_(endpoints),
      watch_(array, mutex, [this](std::chrono::milliseconds cost) { Wait(cost); }) {
  for (Endpoint& endpoint : endpoints_) {
    auto listener = std::make_unique<Listener>();
    listener->server =
        std::make_unique<httplib::SSLServer>(identity.certificate.get(), identity.key.get());
    httplib::SSLServer& server = *listener->server;
    server.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
    server.set_keep_alive_max_count(kRequestsPerConnection);
    server.set_keep_alive_timeout(kKeepAliveSeconds);
    server.set_payload_max_length(kBodyBytesMaximum);
    server.set_tcp_nodelay(true);
    watch_.Attach(server.ssl_context());
    Route(&server);
    if (endpoint.port == 0) {
      endpoint.port = server.bind_to_any_port(endpoint.address);
      if (endpoint.port < 0) throw std::runtime_error("cannot bind " + endpoint.address);
    } else if (!server.bind_to_port(endpoint.address, endpoint.port)) {
      throw std::runtime_error("cannot bind " + endpoint.Text());
    }
    listeners_.push_back(std::move(listener));
  }
  for (const auto& listener : listeners_) {
    listener->thread =
        std::thread([server = listener->server.get()] { server->listen_after_bind(); });
    // A stop that comes before the loop runs would be lost.
    while (!listener->server->is_running()) std::this_thread::yield();
  }
}

HttpsServer::~HttpsServer() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    is_stopping_ = true;
  }
  stopping_changed_.notify_all();
  for (const auto& listener : listeners_) listener->server->stop();
  // Idle connections would hold their threads until the keep-alive time is over.
  ForEachPeer([](Socket socket, const std::string&, int) { ::shutdown(socket.fd, SHUT_RDWR); });
  for (const auto& listener : listeners_) {
    if (listener->thread.joinable()) listener->thread.join();
  }
}

void HttpsServer::Route(httplib::SSLServer* server) {
  const auto serve = [this](const httplib::Request& from, httplib::Response& to) {
    Serve(from, &to);
  };
  server->Get(".*", serve);
  server->Post(".*", serve);
  server->Put(".*", serve);
  server->Patch(".*", serve);
  server->Delete(".*", serve);
  server->Options(".*", serve);
}

std::uint64_t HttpsServer::ConnectionId(std::uint64_t inode) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return connection_ids_.emplace(inode, connection_ids_.size() + 1).first->second;
}

void HttpsServer::Serve(const httplib::Request& from, httplib::Response* to) {
  const Socket socket = FindSocket(from.remote_addr, from.remote_port);
  Request request;
  request.method = from.method;
  request.target = from.target;
  request.body = from.body;
  request.connection_id = ConnectionId(socket.inode);
  for (const auto& [name, value] : from.headers) request.headers.emplace_back(name, value);
  if (request.body.empty() && AnnouncesBody(from)) {
    request.body = " ";
    to->set_header("Connection", "close");  // what follows on it would be taken for a request
  }
  Outcome outcome;
  {
    const std::lock_guard<std::mutex> lock(*array_mutex_);
    outcome = array_->Handle(request);
  }
  if (!Wait(outcome.delay)) return;
  Deliver(outcome, socket.fd, to);
}

void HttpsServer::Deliver(const Outcome& outcome, int fd, httplib::Response* to) {
  switch (outcome.delivery) {
    case Delivery::kNeverAnswered:
      WaitForHangup(fd);
      [[fallthrough]];
    case Delivery::kDropBefore:
    case Delivery::kDropAfter:
      ::shutdown(fd, SHUT_RDWR);
      return;
    case Delivery::kComplete:
    case Delivery::kTruncated:
      break;
  }
  to->status = outcome.status;
  std::string type = "text/html";
  for (const auto& [name, value] : outcome.headers) {
    if (name == "Content-Type") {
      type = value;
    } else {
      to->set_header(name, value);
    }
  }
  if (outcome.delivery == Delivery::kComplete) {
    if (!outcome.body.empty()) to->set_content(outcome.body, type);
    return;
  }
  const auto body = std::make_shared<const std::string>(outcome.body);
  to->set_content_provider(body->size() + 1, type,
                           [body, fd](std::size_t, std::size_t, httplib::DataSink& sink) {
                             sink.write(body->data(), body->size() / 2);
                             ::shutdown(fd, SHUT_RDWR);
                             return false;
                           });
}

void HttpsServer::WaitForHangup(int fd) {
  for (;;) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (is_stopping_) return;
    }
    pollfd waiting{fd, POLLRDHUP, 0};
    if (::poll(&waiting, 1, kHangupPollMs) != 0) return;
  }
}

bool HttpsServer::Wait(std::chrono::milliseconds delay) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (delay.count() == 0) return !is_stopping_;
  return !stopping_changed_.wait_for(lock, delay, [this] { return is_stopping_; });
}

}  // namespace ontapnvme::sim
