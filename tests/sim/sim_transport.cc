// SPDX-License-Identifier: AGPL-3.0-or-later
#include "sim_transport.h"

#include <ctime>
#include <utility>

namespace ontapnvme::sim {
namespace {

// As the real transport's limit, so that the fault `huge` means the same here.
constexpr std::size_t kBodyBytesMaximum = std::size_t{32} << 20U;

Error Lost(const char* reason) {
  return Error(ErrorCode::kUnavailable, "lost the connection to 'simulator'")
      .Because(reason)
      .OutcomeUnknown();
}

Error Silent() {
  return Error(ErrorCode::kUnavailable, "no answer from 'simulator'")
      .Because("it said nothing for too long")
      .OutcomeUnknown();
}

Error TimedOut() {
  return Error(ErrorCode::kTimedOut, "no answer from 'simulator'")
      .Because("the time for this call is used up")
      .OutcomeUnknown();
}

http::Response ToResponse(Outcome outcome) {
  http::Response response;
  response.status = outcome.status;
  response.location = HeaderValue(outcome.headers, "Location");
  const std::string seconds = HeaderValue(outcome.headers, "Retry-After");
  if (!seconds.empty()) response.retry_after = std::chrono::seconds(std::stoi(seconds));
  const std::string date = HeaderValue(outcome.headers, "Date");
  std::tm parts{};
  if (::strptime(date.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts) != nullptr) {
    response.date = std::chrono::sys_seconds(std::chrono::seconds(::timegm(&parts)));
  }
  response.body = std::move(outcome.body);
  return response;
}

}  // namespace

SimTransport::SimTransport(Array* array, std::string username, std::string password)
    : array_(array), authorization_(BasicAuthorization(username, password)) {}

Result<http::Response> SimTransport::Perform(const http::Request& request,
                                             const Deadline& deadline) {
  if (auto status = deadline.Check("asking the array"); !status.ok()) {
    return std::move(status).error();
  }
  // What is not idempotent goes out on a connection of its own, as in the real transport.
  if (!request.is_idempotent || connections_ == 0) ++connections_;
  Request to_array;
  to_array.method = std::string(ToString(request.method));
  to_array.target = request.target;
  to_array.headers.emplace_back("Authorization", authorization_);
  to_array.body = request.body;
  to_array.connection_id = connections_;
  Outcome outcome = array_->Handle(to_array);

  const bool is_silent = outcome.delivery == Delivery::kNeverAnswered;
  const Duration wait = is_silent ? Duration::max() : outcome.delay;
  if (wait > request.silence_max && request.silence_max < deadline.Remaining()) {
    if (auto status = deadline.Sleep(request.silence_max, "waiting for the array"); !status.ok()) {
      return std::move(status).error().OutcomeUnknown();
    }
    return Silent();
  }
  if (wait >= deadline.Remaining()) {
    if (auto status = deadline.Sleep(deadline.Remaining(), "waiting for the array"); !status.ok()) {
      return std::move(status).error().OutcomeUnknown();
    }
    return TimedOut();
  }
  if (wait > Duration::zero()) deadline.clock().Sleep(wait);
  if (outcome.delivery == Delivery::kTruncated) return Lost("the answer was cut off");
  if (outcome.delivery != Delivery::kComplete) {
    return Lost("it closed the connection without an answer");
  }
  if (outcome.body.size() > kBodyBytesMaximum) {
    return Error(ErrorCode::kUnavailable, "the answer of 'simulator' is too large")
        .With("limit", std::to_string(kBodyBytesMaximum))
        .OutcomeUnknown();
  }
  if (outcome.status >= 300 && outcome.status < 400) {
    return Error(ErrorCode::kUnavailable, "'simulator' is not the array")
        .Because("it answers with a redirect, which is never followed")
        .With("http", std::to_string(outcome.status));
  }
  return ToResponse(std::move(outcome));
}

std::vector<Result<http::Response>> SimTransport::PerformAll(
    const std::vector<http::Request>& requests, const Deadline& deadline) {
  std::vector<Result<http::Response>> results;
  for (const http::Request& request : requests) results.push_back(Perform(request, deadline));
  return results;
}

}  // namespace ontapnvme::sim
