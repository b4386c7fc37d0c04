// SPDX-License-Identifier: AGPL-3.0-or-later
// One request without an answer: it costs its own limit and not the call, and neither its connection
// nor the idle ones beside it carry anything after it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "http/curl_transport.h"
#include "http/retry.h"
#include "unit/http/tls_server.h"

namespace ontapnvme::http {
namespace {

using std::chrono::seconds;
using testing::Certificate;
using ::testing::HasSubstr;
using testing::HttpAnswer;
using testing::MakeCertificate;
using testing::PemFile;
using testing::Reply;
using testing::TlsServer;

constexpr Duration kShort{300};

class SilenceTest : public ::testing::Test {
 protected:
  void Serve(TlsServer::Handler handler) {
    server_ = std::make_unique<TlsServer>(leaf_, std::move(handler));
  }
  // Answers all but the path /silent.
  void ServeAllButOne() {
    Serve([](const std::string& request) -> Reply {
      if (request.find("/silent ") != std::string::npos) return {.is_held = true};
      return {.bytes = HttpAnswer(200, "{}")};
    });
  }
  CurlOptions Options() const {
    CurlOptions options;
    options.host = "127.0.0.1";
    options.port = server_->port();
    options.username = "pve";
    options.password = Secret("s3cret");
    options.ca_file = ca_file_.path();
    return options;
  }
  static Request Get(const std::string& target, Duration silence_max = kShort) {
    Request request;
    request.target = target;
    request.silence_max = silence_max;
    return request;
  }
  static Deadline Budget() { return Deadline(SystemClock(), seconds(20)); }
  static void ExpectLost(const Result<Response>& answer) {
    ASSERT_TRUE(FailedWith(answer, ErrorCode::kUnavailable));
    EXPECT_THAT(answer.error().Line(), HasSubstr("it said nothing for 0.3 s"));
    EXPECT_EQ(CauseOf(answer.error()), RetryCause::kLost);
  }

  Certificate ca_ = MakeCertificate({.common_name = "test ca", .is_ca = true});
  PemFile ca_file_{ca_.x509.get()};
  Certificate leaf_ = MakeCertificate({}, &ca_);
  std::unique_ptr<TlsServer> server_;
};

TEST_F(SilenceTest, RequestWithoutAnAnswerIsRepeatedOnAnotherConnection) {
  std::atomic<int> asked = 0;
  Serve([&](const std::string&) -> Reply {
    if (asked++ == 0) return {.is_held = true};
    return {.bytes = HttpAnswer(200, "{}")};
  });
  CurlTransport transport(Options());
  const auto start = std::chrono::steady_clock::now();
  ExpectLost(transport.Perform(Get("/api/cluster"), Budget()));
  ASSERT_TRUE(transport.Perform(Get("/api/cluster"), Budget()).ok());
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(5));
  EXPECT_EQ(server_->connections(), 2);
}

TEST_F(SilenceTest, IdleConnectionsBesideItAreNotUsedEither) {
  ServeAllButOne();
  CurlTransport transport(Options());
  for (const auto& answer : transport.PerformAll({Get("/a"), Get("/b"), Get("/c")}, Budget())) {
    ASSERT_TRUE(answer.ok());
  }
  const int before = server_->connections();
  ExpectLost(transport.Perform(Get("/silent"), Budget()));
  ASSERT_TRUE(transport.Perform(Get("/a"), Budget()).ok());
  EXPECT_EQ(server_->connections(), before + 1);
}

TEST_F(SilenceTest, ConnectionThatOutlivedTheDeadlineIsNotUsedAgain) {
  ServeAllButOne();
  CurlTransport transport(Options());
  for (const auto& answer : transport.PerformAll({Get("/a"), Get("/b")}, Budget())) {
    ASSERT_TRUE(answer.ok());
  }
  const int before = server_->connections();
  const auto late =
      transport.Perform(Get("/silent", Duration::max()), Deadline(SystemClock(), kShort));
  EXPECT_TRUE(FailedWith(late, ErrorCode::kTimedOut));
  ASSERT_TRUE(transport.Perform(Get("/a"), Budget()).ok());
  EXPECT_EQ(server_->connections(), before + 1);
}

TEST_F(SilenceTest, EndsTheSilentOneOfSeveralOnly) {
  ServeAllButOne();
  CurlTransport transport(Options());
  const auto answers = transport.PerformAll({Get("/a"), Get("/silent"), Get("/b")}, Budget());
  EXPECT_TRUE(answers[0].ok());
  ExpectLost(answers[1]);
  EXPECT_TRUE(answers[2].ok());
}

TEST_F(SilenceTest, AnswerThatArrivesMayTakeLonger) {
  // A byte each 20 ms. libcurl tells of a header once its line is whole.
  Serve([](const std::string&) -> Reply {
    return {.bytes = HttpAnswer(200, std::string(60, 'x')), .is_slow = true};
  });
  const auto start = std::chrono::steady_clock::now();
  const auto answer = CurlTransport(Options()).Perform(Get("/api/cluster", seconds(1)), Budget());
  ASSERT_TRUE(answer.ok()) << answer.error().Line();
  EXPECT_GT(std::chrono::steady_clock::now() - start, seconds(1));
}

TEST_F(SilenceTest, AnswerThatStopsInTheMiddleIsLost) {
  Serve([](const std::string&) -> Reply {
    return {.bytes = "HTTP/1.1 200 x\r\nContent-Length: 100\r\n\r\n{\"half\":"};
  });
  ExpectLost(CurlTransport(Options()).Perform(Get("/api/cluster"), Budget()));
}

}  // namespace
}  // namespace ontapnvme::http
