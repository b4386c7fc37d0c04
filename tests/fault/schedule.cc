// SPDX-License-Identifier: AGPL-3.0-or-later
#include "fault/schedule.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>

namespace ontapnvme::fault {

unsigned Seeds(unsigned usual) {
  const char* asked = std::getenv("ONTAPNVME_SEEDS");
  return asked == nullptr ? usual : static_cast<unsigned>(std::stoul(asked));
}

std::vector<unsigned> SeedList(unsigned usual) {
  const char* asked = std::getenv("ONTAPNVME_SEED");
  if (asked != nullptr) return {static_cast<unsigned>(std::stoul(asked))};
  std::vector<unsigned> seeds(Seeds(usual));
  std::iota(seeds.begin(), seeds.end(), 1U);
  return seeds;
}

void Schedule::Add(const std::string& lock, std::function<void()> run) {
  auto task = std::make_unique<Task>();
  task->lock = lock;
  task->run = std::move(run);
  tasks_.push_back(std::move(task));
}

std::vector<std::size_t> Schedule::Ready() const {
  std::vector<std::size_t> ready;
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    const Task& task = *tasks_[i];
    const bool is_locked_out =
        !task.is_started && !task.lock.empty() &&
        std::any_of(tasks_.begin(), tasks_.end(), [&](const auto& other) {
          return other->is_started && !other->is_done && other->lock == task.lock;
        });
    if (!task.is_done && !is_locked_out) ready.push_back(i);
  }
  return ready;
}

void Schedule::Run() {
  trace_.clear();
  std::unique_lock guard(mutex_);
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    tasks_[i]->thread = std::thread([this, i] { Work(i); });
  }
  for (auto ready = Ready(); !ready.empty(); ready = Ready()) {
    const std::size_t next = ready[random_() % ready.size()];
    trace_ += std::to_string(next);
    tasks_[next]->is_started = true;
    turn_ = next;
    changed_.notify_all();
    WaitForTurn(guard, kNobody);
  }
  guard.unlock();
  for (const auto& task : tasks_) task->thread.join();
  tasks_.clear();
}

void Schedule::Work(std::size_t index) {
  std::unique_lock guard(mutex_);
  WaitForTurn(guard, index);
  guard.unlock();
  tasks_[index]->run();
  guard.lock();
  tasks_[index]->is_done = true;
  turn_ = kNobody;
  changed_.notify_all();
}

void Schedule::WaitForTurn(std::unique_lock<std::mutex>& guard, std::size_t index) {
  changed_.wait(guard, [&] { return turn_ == index; });
}

void Schedule::Yield() {
  std::unique_lock guard(mutex_);
  if (turn_ == kNobody) return;
  const std::size_t self = turn_;
  turn_ = kNobody;
  changed_.notify_all();
  WaitForTurn(guard, self);
}

Result<http::Response> ScheduledTransport::Perform(const http::Request& request,
                                                   const Deadline& deadline) {
  schedule_->Yield();
  return inner_->Perform(request, deadline);
}

// They are under way together: each reaches the array at a time of its own.
std::vector<Result<http::Response>> ScheduledTransport::PerformAll(
    const std::vector<http::Request>& requests, const Deadline& deadline) {
  std::vector<Result<http::Response>> results;
  for (const auto& request : requests) results.push_back(Perform(request, deadline));
  return results;
}

void ScheduledClock::Sleep(Duration duration) {
  schedule_->Yield();
  inner_->Sleep(duration);
}

}  // namespace ontapnvme::fault
