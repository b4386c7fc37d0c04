// SPDX-License-Identifier: AGPL-3.0-or-later
// What is taken from the header of an answer.
#include <gtest/gtest.h>

#include <array>
#include <ctime>
#include <memory>

#include "http/curl_transport.h"
#include "unit/http/tls_server.h"

namespace ontapnvme::http {
namespace {

using std::chrono::seconds;

class AnswerHeaderTest : public ::testing::Test {
 protected:
  void Serve(const std::string& headers) {
    transport_.reset();
    server_ = std::make_unique<testing::TlsServer>(
        testing::MakeCertificate({}), [headers](const std::string& request) -> testing::Reply {
          const bool is_bare = request.find("/bare") != std::string::npos;
          return {.bytes = testing::HttpAnswer(429, "{}", is_bare ? "" : headers)};
        });
    CurlOptions options;
    options.host = "127.0.0.1";
    options.port = server_->port();
    options.verify = false;
    transport_ = std::make_unique<CurlTransport>(options);
  }
  Response Ask(const std::string& target = "/") {
    Request request;
    request.target = target;
    auto answer = transport_->Perform(request, Deadline(SystemClock(), seconds(20)));
    EXPECT_TRUE(answer.ok());
    return answer.ok() ? *std::move(answer) : Response();
  }
  std::optional<Duration> RetryAfter(const std::string& value) {
    Serve("Retry-After: " + value + "\r\n");
    return Ask().retry_after;
  }
  static std::string HttpDate(std::time_t when) {
    std::tm parts{};
    ::gmtime_r(&when, &parts);
    std::array<char, 64> text{};
    return {text.data(),
            std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts)};
  }

  std::unique_ptr<testing::TlsServer> server_;
  std::unique_ptr<CurlTransport> transport_;
};

TEST_F(AnswerHeaderTest, DateIsTakenWhereThereIsOne) {
  Serve("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
  EXPECT_EQ(Ask().date, std::chrono::sys_seconds(seconds(784'111'777)));
  EXPECT_FALSE(Ask("/bare").date) << "of the answer before";
  Serve("Date: the day before\r\n");
  EXPECT_FALSE(Ask().date);
}

TEST_F(AnswerHeaderTest, LocationIsTakenWhateverItsCase) {
  Serve("location:  /api/a/b \r\n");
  EXPECT_EQ(Ask().location, "/api/a/b");
  EXPECT_EQ(Ask("/bare").location, "") << "of the answer before";
  Serve("Locations: /api/a/b\r\n");
  EXPECT_EQ(Ask().location, "");
}

TEST_F(AnswerHeaderTest, RetryAfterIsSecondsOrADate) {
  EXPECT_EQ(RetryAfter("7"), seconds(7));
  const auto soon = RetryAfter(HttpDate(std::time(nullptr) + 600));
  ASSERT_TRUE(soon);
  EXPECT_GT(*soon, seconds(300));
  EXPECT_LE(*soon, seconds(600));
}

TEST_F(AnswerHeaderTest, RetryAfterIsAnHourAtMost) {
  EXPECT_EQ(RetryAfter("99999"), seconds(3600));
  EXPECT_EQ(RetryAfter("Fri, 31 Dec 9999 23:59:59 GMT"), seconds(3600));
}

TEST_F(AnswerHeaderTest, RetryAfterIsAbsentWhenItIsOverOrNoTime) {
  for (const char* text : {"0", "Wed, 21 Oct 2015 07:28:00 GMT", "", "-1", "soon", "\x1b"}) {
    EXPECT_FALSE(RetryAfter(text)) << text;
  }
  EXPECT_FALSE(Ask("/bare").retry_after) << "of the answer before";
}

}  // namespace
}  // namespace ontapnvme::http
