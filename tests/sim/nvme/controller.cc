// SPDX-License-Identifier: AGPL-3.0-or-later
#include "controller.h"

namespace ontapnvme::sim::target {
namespace {

enum PropertyOffset : std::uint32_t { kCap = 0x00, kVs = 0x08, kCc = 0x14, kCsts = 0x1C };

constexpr std::uint32_t kVersion = 0x00010400;  // 1.4
constexpr std::uint32_t kEnable = 1U;
constexpr std::uint32_t kShutdownMask = 3U << 14U;
constexpr std::uint32_t kReady = 1U;
constexpr std::uint32_t kShutdownComplete = 2U << 2U;
constexpr std::uint32_t kFatal = 1U << 1U;

constexpr std::uint64_t Capabilities() {
  constexpr std::uint64_t kContiguousQueues = 1U << 16U;
  constexpr std::uint64_t kTimeoutHalfSeconds = 15U << 24U;
  constexpr std::uint64_t kNvmCommandSet = std::uint64_t{1} << 37U;
  return (kQueueEntriesMaximum - 1U) | kContiguousQueues | kTimeoutHalfSeconds | kNvmCommandSet;
}

// Entry sizes of 64 and 16 bytes, pages of 4 KiB, the NVM command set: nothing else is offered.
bool IsSupported(std::uint32_t configuration) {
  const std::uint32_t command_set = (configuration >> 4U) & 7U;
  const std::uint32_t page_size = (configuration >> 7U) & 15U;
  const std::uint32_t submission_entry = (configuration >> 16U) & 15U;
  const std::uint32_t completion_entry = (configuration >> 20U) & 15U;
  return command_set == 0 && page_size == 0 && submission_entry == 6 && completion_entry == 4;
}

enum Feature : std::uint8_t {
  kVolatileWriteCache = 0x06,
  kNumberOfQueues = 0x07,
  kAsyncEventConfiguration = 0x0B,
  kKeepAliveTimer = 0x0F,
  kHostIdentifier = 0x81,
};

constexpr std::uint32_t kQueuesGranted = (kIoQueuesMaximum - 1U) << 16U | (kIoQueuesMaximum - 1U);

// Completion dword 0 of an asynchronous event: a notice, which one, and the log page to read.
constexpr std::uint32_t kNotice = 2;
constexpr std::uint32_t kNamespaceEvent = 0x04U << 16U | 0x00U << 8U | kNotice;
constexpr std::uint32_t kAnaEvent = 0x0CU << 16U | 0x03U << 8U | kNotice;

}  // namespace

Answer Controller::GetProperty(const Command& command) const {
  const bool is_eight_bytes = (command.bytes()[40] & 7U) == 1;
  switch (Load<std::uint32_t>(command.bytes(), 44)) {
    case kCap:
      return is_eight_bytes ? Result(Capabilities()) : Refuse(StatusCode::kInvalidField);
    case kVs:
      return is_eight_bytes ? Refuse(StatusCode::kInvalidField) : Result(kVersion);
    case kCc:
      return is_eight_bytes ? Refuse(StatusCode::kInvalidField) : Result(configuration_);
    case kCsts:
      return is_eight_bytes ? Refuse(StatusCode::kInvalidField) : Result(status_);
    default:
      return Refuse(StatusCode::kInvalidField);
  }
}

Answer Controller::SetProperty(const Command& command) {
  const bool is_eight_bytes = (command.bytes()[40] & 7U) == 1;
  if (is_eight_bytes || Load<std::uint32_t>(command.bytes(), 44) != kCc) {
    return Refuse(StatusCode::kInvalidField);
  }
  Configure(Load<std::uint32_t>(command.bytes(), 48));
  return {};
}

void Controller::Configure(std::uint32_t configuration) {
  const bool was_enabled = (configuration_ & kEnable) != 0;
  const bool is_enabled = (configuration & kEnable) != 0;
  const bool is_shutdown = (configuration & kShutdownMask) != 0;
  configuration_ = configuration;
  if (is_enabled && !was_enabled) {
    status_ = IsSupported(configuration) ? kReady : kFatal;
  }
  if (!is_enabled && was_enabled) Reset();
  // Nothing is held back in memory, so a shutdown is over at once.
  if (is_shutdown) status_ |= kShutdownComplete;
}

void Controller::Reset() {
  status_ = 0;
  notices_ = 0;
  namespace_notice_ = ana_notice_ = {};
  changed_.clear();
  waiting_.clear();
}

Answer Controller::GetFeature(const Command& command) const {
  switch (command.Dword(10) & 0xFFU) {
    case kVolatileWriteCache:
      return Result(1);
    case kNumberOfQueues:
      return Result(kQueuesGranted);
    case kAsyncEventConfiguration:
      return Result(notices_);
    case kKeepAliveTimer:
      return Result(static_cast<std::uint64_t>(keep_alive_.count()));
    case kHostIdentifier: {
      const bool is_extended = (command.Dword(11) & 1U) != 0;
      if (!is_extended) return Refuse(StatusCode::kInvalidField);
      return Data(Bytes(identity_.host_id.begin(), identity_.host_id.end()));
    }
    default:
      return Refuse(StatusCode::kInvalidField);
  }
}

Answer Controller::SetFeature(const Command& command) {
  switch (command.Dword(10) & 0xFFU) {
    case kNumberOfQueues: {
      const std::uint32_t wanted = command.Dword(11);
      if ((wanted & 0xFFFFU) == 0xFFFFU || wanted >> 16U == 0xFFFFU) {
        return Refuse(StatusCode::kInvalidField);
      }
      return Result(kQueuesGranted);
    }
    case kAsyncEventConfiguration:
      notices_ = command.Dword(11) & (kNamespaceNotices | kAnaNotices);
      return Result(0);
    case kKeepAliveTimer:
      SetKeepAlive(command.Dword(11));
      return Result(0);
    case kHostIdentifier:  // comes with Connect
    case kVolatileWriteCache:
      return Refuse(StatusCode::kFeatureNotChangeable);
    default:
      return Refuse(StatusCode::kInvalidField);
  }
}

Answer Controller::RequestEvent(const Command& command) {
  if (waiting_.size() == kAsyncEventsMaximum) return Refuse(StatusCode::kAsyncEventLimitExceeded);
  waiting_.push_back(command.Id());
  Deliver();
  Answer answer;
  answer.comes_later = true;
  return answer;
}

void Controller::NamespaceChanged(unsigned nsid, bool is_notice_lost) {
  changed_.insert(nsid);
  if (!is_notice_lost) Raise(&namespace_notice_, kNamespaceNotices);
}

void Controller::AnaChanged() {
  Raise(&ana_notice_, kAnaNotices);
}

void Controller::Raise(Notice* notice, std::uint32_t kind) {
  if ((notices_ & kind) == 0) return;
  notice->is_pending = true;
  Deliver();
}

void Controller::Deliver() {
  const auto send = [this](Notice* notice, std::uint32_t event) {
    if (!notice->is_pending || notice->is_held_back || waiting_.empty()) return;
    notice->is_pending = false;
    notice->is_held_back = true;
    const std::uint16_t command_id = waiting_.front();
    waiting_.pop_front();
    complete_(command_id, event);
  };
  send(&namespace_notice_, kNamespaceEvent);
  send(&ana_notice_, kAnaEvent);
}

std::set<unsigned> Controller::TakeChangedNamespaces(bool retains) {
  if (retains) return changed_;
  std::set<unsigned> taken;
  taken.swap(changed_);
  // All that happened until now is in what is taken, so no notice of it is owed any more.
  namespace_notice_ = {};
  return taken;
}

void Controller::AnaWasRead(bool retains) {
  if (!retains) ana_notice_ = {};
}

std::optional<SteadyTime> Controller::KeepAliveEnd() const {
  if (keep_alive_.count() == 0) return std::nullopt;
  return last_command_ + keep_alive_;
}

}  // namespace ontapnvme::sim::target
