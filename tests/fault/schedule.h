// SPDX-License-Identifier: AGPL-3.0-or-later
// Several operations at once, one request at a time: each operation is a thread that runs only
// while it has the baton, and gives it back before each request and each nap. Who gets it next is
// drawn by a seeded generator, so that a schedule comes back with its seed.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "base/deadline.h"
#include "http/transport.h"

namespace ontapnvme::fault {

// How many seeds a search tries: this many, or for a longer one what ONTAPNVME_SEEDS says.
unsigned Seeds(unsigned usual);
// These, or the one that ONTAPNVME_SEED names: what a failure has printed is run again alone.
std::vector<unsigned> SeedList(unsigned usual);

class Schedule {
 public:
  explicit Schedule(unsigned seed) : random_(seed) {}

  // An operation for the next Run. `lock` is held from its start to its end, as Proxmox holds the
  // lock of a storage; empty: none.
  void Add(const std::string& lock, std::function<void()> run);
  // Runs what was added, to the end.
  void Run();
  // From an operation: others may go first. Nothing outside of Run.
  void Yield();
  // Which operation ran at each turn, by its place in the order of Add.
  const std::string& trace() const { return trace_; }

 private:
  struct Task {
    std::string lock;
    std::function<void()> run;
    std::thread thread;
    bool is_started = false;
    bool is_done = false;
  };
  static constexpr std::size_t kNobody = ~std::size_t{0};

  // Those that could go on: not ended, and not waiting for a lock that another holds.
  std::vector<std::size_t> Ready() const;
  void Work(std::size_t index);
  void WaitForTurn(std::unique_lock<std::mutex>& guard, std::size_t index);

  std::mt19937 random_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t turn_ = kNobody;
  std::vector<std::unique_ptr<Task>> tasks_;
  std::string trace_;
};

// Gives the baton back before each request.
class ScheduledTransport : public http::Transport {
 public:
  ScheduledTransport(std::unique_ptr<http::Transport> inner, Schedule* schedule)
      : inner_(std::move(inner)), schedule_(schedule) {}
  Result<http::Response> Perform(const http::Request& request, const Deadline& deadline) override;
  std::vector<Result<http::Response>> PerformAll(const std::vector<http::Request>& requests,
                                                 const Deadline& deadline) override;

 private:
  std::unique_ptr<http::Transport> inner_;
  Schedule* schedule_;
};

// Gives it back before each nap: who waits for another lets it work.
class ScheduledClock : public Clock {
 public:
  ScheduledClock(Clock* inner, Schedule* schedule) : inner_(inner), schedule_(schedule) {}
  TimePoint Now() override { return inner_->Now(); }
  std::chrono::system_clock::time_point WallTime() override { return inner_->WallTime(); }
  void Sleep(Duration duration) override;

 private:
  Clock* inner_;
  Schedule* schedule_;
};

}  // namespace ontapnvme::fault
