// SPDX-License-Identifier: AGPL-3.0-or-later
// Stand-ins for what the host layer asks of the machine beyond files: device nodes, helper
// processes, kernel events and time.
#pragma once

#include <fcntl.h>
#include <linux/nvme_ioctl.h>

#include <cerrno>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "nvme/helper/helper_process.h"
#include "nvme/kernel/device_port.h"
#include "nvme/ontap_labels.h"
#include "nvme/uevent_watch.h"

namespace ontapnvme::nvme {

// Builds log page C2h element by element.
class LabelPage {
 public:
  explicit LabelPage(std::uint8_t echo = 1) { page_[16] = echo; }
  LabelPage& Add(std::uint8_t type, std::string text) {
    while (text.size() % 4 != 0) text += '\0';
    return AddRaw(type, static_cast<std::uint16_t>(text.size() / 4), text);
  }
  LabelPage& AddRaw(std::uint8_t type, std::uint16_t units, const std::string& bytes) {
    page_.at(at_) = type;
    page_.at(at_ + 2) = static_cast<std::uint8_t>(units & 0xFFU);
    page_.at(at_ + 3) = static_cast<std::uint8_t>(units >> 8U);
    std::memcpy(&page_.at(at_ + 4), bytes.data(), bytes.size());
    at_ += 4 + bytes.size();
    return *this;
  }
  const Page& page() const { return page_; }

  static Page Of(const std::string& svm, const std::string& volume, const std::string& name) {
    return LabelPage().Add(0x11, svm).Add(0x12, volume).Add(0x13, name).page();
  }

 private:
  Page page_{};
  std::size_t at_ = 32;
};

inline Page DescriptorPage(const std::vector<std::pair<std::uint8_t, Uuid>>& descriptors) {
  Page page{};
  std::size_t at = 0;
  for (const auto& [type, id] : descriptors) {
    page[at] = type;
    page[at + 1] = 16;
    std::memcpy(&page[at + 4], id.bytes().data(), 16);
    at += 20;
  }
  return page;
}

inline Page ModelPage(std::string model = "NetApp ONTAP Controller") {
  model.resize(40, ' ');
  Page page{};
  std::memcpy(&page[24], model.data(), model.size());
  return page;
}

// What one device answers; a status that is not 0 takes the place of the page.
struct FakeNamespace {
  Page model = ModelPage();
  Page descriptors{};
  Page labels{};
  int model_status = 0;
  int descriptors_status = 0;
  int labels_status = 0;
};

class FakeDevices : public DevicePort {
 public:
  std::map<std::string, FakeNamespace> namespaces;  // by path of the node
  std::map<std::string, dev_t> numbers;             // by path, for BlockNumber
  std::set<std::string> claimed;
  int exclusive_failure = 0;
  std::vector<nvme_passthru_cmd> commands;
  std::vector<std::string> flushed;
  int flush_failure = 0;

  Result<UniqueFd> Open(const std::string& path) override {
    if (!namespaces.contains(path)) return Error(ErrorCode::kNotFound, "cannot open " + path);
    UniqueFd fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    paths_[fd.get()] = path;
    return fd;
  }
  int Admin(int fd, nvme_passthru_cmd& command) override {
    commands.push_back(command);
    const FakeNamespace& device = namespaces.at(paths_.at(fd));
    const bool is_log = command.opcode == 0x02;
    const bool is_model = command.cdw10 == 1;
    const int status = is_log ? device.labels_status
                              : (is_model ? device.model_status : device.descriptors_status);
    if (status != 0) return status;
    const Page& page = is_log ? device.labels : (is_model ? device.model : device.descriptors);
    std::memcpy(reinterpret_cast<void*>(static_cast<std::uintptr_t>(command.addr)), page.data(),
                command.data_len);
    return 0;
  }
  int FlushBuffers(int fd) override {
    flushed.push_back(paths_.at(fd));
    return flush_failure;
  }
  int TryExclusive(const std::string& path) override {
    return claimed.contains(path) ? EBUSY : exclusive_failure;
  }
  std::optional<dev_t> BlockNumber(const std::string& path) override {
    const auto number = numbers.find(path);
    if (number == numbers.end()) return std::nullopt;
    return number->second;
  }

 private:
  std::map<int, std::string> paths_;
};

class FakeHelpers : public Helpers {
 public:
  std::deque<HelperOutcome> answers;  // then: "ok"
  std::vector<std::string> requests;

  std::vector<HelperOutcome> Run(const std::vector<Secret>& batch, const Deadline&) override {
    std::vector<HelperOutcome> outcomes;
    for (const auto& request : batch) {
      requests.emplace_back(request.Reveal());
      outcomes.push_back(answers.empty() ? Answer("ok\n") : answers.front());
      if (!answers.empty()) answers.pop_front();
    }
    return outcomes;
  }
  static HelperOutcome Answer(std::string text) {
    return {HelperOutcome::End::kAnswered, std::move(text), ""};
  }
};

class HandClock : public Clock {
 public:
  TimePoint Now() override { return now_; }
  std::chrono::system_clock::time_point WallTime() override { return {}; }
  void Sleep(Duration duration) override { now_ += duration; }
  Duration Elapsed() const { return std::chrono::duration_cast<Duration>(now_ - TimePoint()); }

 private:
  TimePoint now_{};
};

class FlagInterrupt : public Interrupt {
 public:
  bool is_pending = false;
  bool Pending() override { return is_pending; }
};

// Events at given times of a HandClock; waiting moves the clock.
class FakeEvents : public EventSource {
 public:
  explicit FakeEvents(HandClock& clock) : clock_(clock) {}
  // `action` happens `after` the start, announced or not.
  void At(Duration after, std::function<void()> action, bool is_announced = true) {
    planned_.emplace(after, Planned{std::move(action), is_announced});
  }
  bool Wait(Duration duration) override {
    ++waits;
    const Duration end = clock_.Elapsed() + duration;
    while (!planned_.empty() && planned_.begin()->first <= end) {
      const auto [when, event] = *planned_.begin();
      planned_.erase(planned_.begin());
      if (when > clock_.Elapsed()) clock_.Sleep(when - clock_.Elapsed());
      event.action();
      if (event.is_announced) return true;
    }
    clock_.Sleep(end - clock_.Elapsed());
    return false;
  }
  int waits = 0;

 private:
  struct Planned {
    std::function<void()> action;
    bool is_announced;
  };
  HandClock& clock_;
  std::multimap<Duration, Planned> planned_;
};

inline Uuid TestUuid(unsigned number) {
  std::array<std::uint8_t, 16> bytes{0x6b, 0x1c, 0x00, 0x11, 0x22, 0x33, 0x44,
                                     0x55, 0x86, 0x77, 0x88, 0x99, 0xaa, 0xbb};
  bytes[14] = static_cast<std::uint8_t>(number >> 8U);
  bytes[15] = static_cast<std::uint8_t>(number & 0xFFU);
  return Uuid(bytes);
}

inline constexpr const char* kNqn =
    "nqn.1992-08.com.netapp:sn.d0f1e2d3c4b5a6978877665544332211:subsystem.pve";

}  // namespace ontapnvme::nvme
