// SPDX-License-Identifier: AGPL-3.0-or-later
// The sockets of the target: portals that listen, connections that are read and written, in one
// thread over epoll.
#pragma once

#include <sys/epoll.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "../data_plane.h"
#include "connection.h"

namespace ontapnvme::sim::target {

class Server {
 public:
  // All borrowed; `mutex` guards `state` and is taken for every event. Starts the thread.
  Server(TargetState* state, std::mutex* mutex, std::uint16_t port);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // ---- under the mutex; these throw std::system_error, or std::invalid_argument for an unknown
  // portal
  void OpenPortal(const std::string& address, unsigned ana_group);  // fine when it is open
  void ClosePortal(const std::string& address);                     // fine when it is not
  void SetMode(const std::string& address, PortalMode mode);
  std::uint16_t PortOf(const std::string& address) const;

  // Has the thread look at everything again: timers, ended controllers, what is to be sent.
  void Wake();

 private:
  struct Portal {
    std::string address;
    unsigned ana_group = 0;
    PortalMode mode = PortalMode::kServe;
    std::uint64_t id = 0;  // of its listener
    int listener = -1;
    std::uint16_t port = 0;
  };
  struct Client {
    int fd = -1;
    Portal* portal = nullptr;
    std::unique_ptr<Connection> connection;
    std::uint32_t events = 0;  // that epoll waits for; 0: not watched
  };

  void Run();
  void HandleEvent(const epoll_event& event);
  void Listen(Portal* portal);
  void StopListening(Portal* portal);
  void Accept(Portal* portal);
  void DropClients(const Portal& portal);
  void ReadFrom(Client* client);
  // False when it is gone.
  static bool WriteTo(Client* client);
  // After events and wake-ups: sends, ends what is over, waits for the right things.
  void Settle();
  void Watch(std::uint64_t id, int fd, std::uint32_t* now, std::uint32_t wanted);
  int TimeoutMs();

  TargetState* state_;
  std::mutex* mutex_;
  std::uint16_t port_;
  int epoll_ = -1;
  int wake_ = -1;
  bool is_ending_ = false;
  // Events name these, never descriptors: a number may be another connection's by then.
  std::uint64_t last_id_ = 0;
  std::map<std::string, Portal> portals_;  // by address
  std::map<std::uint64_t, Client> clients_;
  std::thread thread_;
};

}  // namespace ontapnvme::sim::target
