// SPDX-License-Identifier: AGPL-3.0-or-later
// A REST client whose array answers with the bytes of a fuzzer, on a clock that only sleeping
// moves.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "fakes/fake_clock.h"
#include "fuzz/target.h"
#include "http/transport.h"
#include "ontap/rest_client.h"

namespace ontapnvme::fuzz {

class HostileTransport : public http::Transport {
 public:
  int status = 200;
  int first_status = 0;      // of the first answer; 0: as all
  std::string_view bodies;   // one after the other, with 0x1e between; the last one stays
  std::string_view headers;  // of every answer: its Location

  Result<http::Response> Perform(const http::Request& request, const Deadline&) override {
    // Whatever the array says, the next request goes to its API: the host is not even part of it.
    Require(request.target.starts_with("/api/"), "a request goes to the API", request.target);
    for (const char c : request.target) {
      Require(c > 0x20 && c < 0x7f, "a request is one line of ASCII", request.target);
    }
    Require(++requests_ <= kRequestsMax, "the requests come to an end", request.target);
    http::Response response;
    response.status = requests_ == 1 && first_status != 0 ? first_status : status;
    response.location = std::string(headers);
    if (bodies.find('\x1e') == std::string_view::npos) {
      response.body = std::string(bodies);
    } else {
      response.body = std::string(Take(bodies, '\x1e'));
    }
    return response;
  }
  std::vector<Result<http::Response>> PerformAll(const std::vector<http::Request>& requests,
                                                 const Deadline& deadline) override {
    std::vector<Result<http::Response>> answers;
    for (const http::Request& request : requests) answers.push_back(Perform(request, deadline));
    return answers;
  }

 private:
  static constexpr int kRequestsMax = 20000;
  int requests_ = 0;
};

struct RestRig {
  fakes::FakeClock clock;
  HostileTransport transport;
  Log log;
  ontap::RestClient rest{transport, log, [] { return 0.0; }};

  Deadline Budget() { return Deadline(clock, std::chrono::seconds(45)); }
  void RequireReadableLog() {
    for (const LogRecord& record : log.Take()) RequireReadable(record.text);
  }
};

template <typename T>
Status StatusOf(const Result<T>& result) {
  return result.ok() ? Status() : Status(result.error());
}

inline void RequireReadable(const Status& status) {
  if (!status.ok()) RequireReadable(status.error().Line());
}

}  // namespace ontapnvme::fuzz
