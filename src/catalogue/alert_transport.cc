// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/alert_transport.h"

#include <array>
#include <ctime>

namespace ontapnvme::catalogue {
namespace {

// A lost packet or two are sent again by then, and an array that is merely busy has answered.
constexpr Duration kFirstAnswerWithin{5000};
// How long a LIF may take to come up elsewhere. A task makes several calls: one that has heard from
// the array so recently is in the middle of its work.
constexpr Duration kFailoverWithin{30'000};

// As the node's journal writes it. A time and not an age, so that one silence is the same text at
// each poll.
std::string LocalTime(node::SilenceMemory::WallTime time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%F %T", &parts)};
}

Error Explained(const Error& error, node::SilenceMemory::WallTime since) {
  Error explained =
      error.Wrap("the array's management LIF has not answered since " + LocalTime(since));
  explained.SetHint(
      "bring back the management LIF and the network to it, then try again; meanwhile VMs go on "
      "running, and can be started, stopped and migrated");
  return explained;
}

}  // namespace

void AlertTransport::BeginCall(Clock& clock) {
  const TimePoint now = clock.Now();
  call_ = {.begun = clock.WallTime(), .first_answer_by = now + kFirstAnswerWithin};
  if (answered_at_ && now - *answered_at_ < kFailoverWithin) return;
  call_.silent_since = memory_.Since(clock);
}

void AlertTransport::RememberSilence(Clock& clock) const {
  if (call_.was_silent && !call_.is_answered) memory_.Note(call_.begun, clock);
}

Deadline AlertTransport::Limited(const Deadline& deadline) const {
  if (!call_.silent_since) return deadline;
  return deadline.Within(
      std::chrono::duration_cast<Duration>(call_.first_answer_by - deadline.clock().Now()));
}

void AlertTransport::Learn(Result<http::Response>& answer, Clock& clock) {
  if (answer.ok() || http::IsUnusablePeer(answer.error())) {
    answered_at_ = clock.Now();
    call_.is_answered = true;
    call_.silent_since.reset();
    memory_.Forget();
  } else if (http::IsSilence(answer.error())) {
    call_.was_silent = true;
    if (call_.silent_since) answer = Explained(answer.error(), *call_.silent_since);
  }
}

Result<http::Response> AlertTransport::Perform(const http::Request& request,
                                               const Deadline& deadline) {
  auto answer = inner_->Perform(request, Limited(deadline));
  Learn(answer, deadline.clock());
  return answer;
}

std::vector<Result<http::Response>> AlertTransport::PerformAll(
    const std::vector<http::Request>& requests, const Deadline& deadline) {
  auto answers = inner_->PerformAll(requests, Limited(deadline));
  for (auto& answer : answers) Learn(answer, deadline.clock());
  return answers;
}

}  // namespace ontapnvme::catalogue
