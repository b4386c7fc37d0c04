// SPDX-License-Identifier: AGPL-3.0-or-later
// The array behind real sockets: TLS, keep-alive, and the accidents that can only happen there.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "array.h"
#include "certificate.h"
#include "tls_watch.h"

namespace httplib {
class SSLServer;
struct Request;
struct Response;
}  // namespace httplib

namespace ontapnvme::sim {

struct Endpoint {
  std::string address;
  int port = 0;  // 0: any

  // "127.0.0.1:443" or "[::1]:443". Throws std::invalid_argument.
  static Endpoint Parse(const std::string& text);
  std::string Text() const;
};

class HttpsServer {
 public:
  // `array` is borrowed and used under `mutex`. Binds and starts serving; throws
  // std::runtime_error when an endpoint cannot be bound.
  HttpsServer(Array* array, std::mutex* mutex, const ServerIdentity& identity,
              const std::vector<Endpoint>& endpoints);
  ~HttpsServer();
  HttpsServer(const HttpsServer&) = delete;
  HttpsServer& operator=(const HttpsServer&) = delete;

  // With the ports that were chosen.
  const std::vector<Endpoint>& endpoints() const { return endpoints_; }

 private:
  struct Listener;

  void Route(httplib::SSLServer* server);
  void Serve(const httplib::Request& from, httplib::Response* to);
  void Deliver(const Outcome& outcome, int fd, httplib::Response* to);
  void WaitForHangup(int fd);
  // Returns false when the server stops first.
  bool Wait(std::chrono::milliseconds delay);
  std::uint64_t ConnectionId(std::uint64_t inode);

  Array* array_;
  std::mutex* array_mutex_;
  std::vector<Endpoint> endpoints_;
  TlsWatch watch_;
  std::vector<std::unique_ptr<Listener>> listeners_;

  std::mutex mutex_;  // of all below
  std::condition_variable stopping_changed_;
  bool is_stopping_ = false;
  std::map<std::uint64_t, std::uint64_t> connection_ids_;  // by the inode of the socket
};

}  // namespace ontapnvme::sim
