// SPDX-License-Identifier: AGPL-3.0-or-later
// mgmt_ip may be a name. The C library's resolver, which knows neither deadline nor signal, is replaced
// in this program: libcurl asks the one below.
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netdb.h>

#include <atomic>
#include <string_view>

#include "http/curl_transport.h"

namespace {

std::atomic<int> hanging = 0;
std::atomic<bool> is_released = false;

}  // namespace

// Visible, or libcurl would not find it.
extern "C" [[gnu::visibility("default")]] int getaddrinfo(const char* name, const char* service,
                                                          const addrinfo* hints, addrinfo** found) {
  if (name != nullptr && std::string_view(name) == "hangs.example") {
    ++hanging;
    hanging.notify_all();
    is_released.wait(false);
    --hanging;
    hanging.notify_all();
    return EAI_AGAIN;
  }
  static const auto real =
      reinterpret_cast<decltype(&getaddrinfo)>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  return real(name, service, hints, found);
}

namespace ontapnvme::http {
namespace {

using std::chrono::seconds;

// Pending as soon as the resolver hangs.
class WhileResolving : public Interrupt {
 public:
  bool Pending() override { return hanging > 0; }
};

class HostNameTest : public ::testing::Test {
 protected:
  HostNameTest() { is_released = false; }
  ~HostNameTest() override {
    is_released = true;
    is_released.notify_all();
    for (int still = hanging; still > 0; still = hanging) hanging.wait(still);
  }
  // With all that belongs to it gone by the end.
  static Result<Response> Ask(const Deadline& deadline) {
    CurlOptions options;
    options.host = "hangs.example";
    options.username = "pve";
    options.password = Secret("s3cret");
    Request request;
    request.target = "/api/cluster";
    return CurlTransport(options).Perform(request, deadline);
  }
};

TEST_F(HostNameTest, NameServerThatDoesNotAnswerHoldsNoCall) {
  const auto start = std::chrono::steady_clock::now();
  const auto answer = Ask(Deadline(SystemClock(), Duration(300)));
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(10));
  ASSERT_TRUE(FailedWith(answer, ErrorCode::kTimedOut)) << answer.error().Line();
  EXPECT_FALSE(answer.error().outcome_unknown());
  EXPECT_EQ(hanging, 1) << "the resolver was asked, and still hangs";
}

TEST_F(HostNameTest, SignalEndsTheWaitForANameServer) {
  WhileResolving interrupt;
  const auto start = std::chrono::steady_clock::now();
  const auto answer = Ask(Deadline(SystemClock(), seconds(60), &interrupt));
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(10));
  EXPECT_TRUE(FailedWith(answer, ErrorCode::kInterrupted));
}

}  // namespace
}  // namespace ontapnvme::http
