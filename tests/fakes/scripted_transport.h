// SPDX-License-Identifier: AGPL-3.0-or-later
// A transport that answers from a script and remembers what it was asked.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "http/transport.h"

namespace ontapnvme::fakes {

class ScriptedTransport : public http::Transport {
 public:
  // The next answer, in the order they were given.
  ScriptedTransport& Answer(int status, std::string body = "") {
    http::Response response;
    response.status = status;
    response.body = std::move(body);
    script_.emplace_back(std::move(response));
    return *this;
  }
  ScriptedTransport& AnswerWith(http::Response response) {
    script_.emplace_back(std::move(response));
    return *this;
  }
  ScriptedTransport& Fail(Error error) {
    script_.emplace_back(std::move(error));
    return *this;
  }
  ScriptedTransport& FailToConnect() {
    return Fail(Error(ErrorCode::kUnavailable, "cannot connect to 'array:443'")
                    .Because("connection refused"));
  }
  ScriptedTransport& LoseAnswer() {
    return Fail(
        Error(ErrorCode::kUnavailable, "lost the connection to 'array:443'").OutcomeUnknown());
  }
  // {"error":{…}}, as ONTAP refuses.
  ScriptedTransport& Refuse(int status, const std::string& code,
                            const std::string& message = "no") {
    return Answer(status, R"({"error":{"message":")" + message + R"(","code":")" + code + "\"}}");
  }

  Result<http::Response> Perform(const http::Request& request, const Deadline& deadline) override {
    requests_.push_back(request);
    budgets_.push_back(deadline.Remaining());
    if (script_.empty()) {
      // Not left to the caller: a test that expects a failure would take this for it.
      ADD_FAILURE() << "the script is over: " << Line(request);
      return Error(ErrorCode::kInternal, "the script is over: " + Line(request));
    }
    auto next = std::move(script_.front());
    script_.pop_front();
    return next;
  }
  std::vector<Result<http::Response>> PerformAll(const std::vector<http::Request>& requests,
                                                 const Deadline& deadline) override {
    ++batches_;
    std::vector<Result<http::Response>> answers;
    for (const http::Request& request : requests) answers.push_back(Perform(request, deadline));
    return answers;
  }

  // "METHOD target", one per request.
  std::vector<std::string> Lines() const {
    std::vector<std::string> lines;
    for (const http::Request& request : requests_) lines.push_back(Line(request));
    return lines;
  }
  const std::vector<http::Request>& requests() const { return requests_; }
  const http::Request& last() const { return requests_.back(); }
  const std::vector<Duration>& budgets() const { return budgets_; }
  int batches() const { return batches_; }
  bool IsDone() const { return script_.empty(); }

 private:
  static std::string Line(const http::Request& request) {
    return std::string(http::ToString(request.method)) + " " + request.target;
  }

  std::deque<Result<http::Response>> script_;
  std::vector<http::Request> requests_;
  std::vector<Duration> budgets_;
  int batches_ = 0;
};

}  // namespace ontapnvme::fakes
