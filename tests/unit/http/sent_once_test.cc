// SPDX-License-Identifier: AGPL-3.0-or-later
// Changes go over the connection that is there, and none is sent twice or taken for not sent.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/curl_transport.h"
#include "unit/http/tls_server.h"

namespace ontapnvme::http {
namespace {

using std::chrono::seconds;
using testing::Certificate;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using testing::HttpAnswer;
using testing::MakeCertificate;
using testing::PemFile;
using testing::Reply;
using testing::TlsServer;

class SentOnceTest : public ::testing::Test {
 protected:
  static Reply Ok() { return {.bytes = HttpAnswer(200, "{}")}; }

  void Serve(TlsServer::Handler handler) {
    server_ = std::make_unique<TlsServer>(leaf_, std::move(handler));
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
  static Deadline Budget() { return Deadline(SystemClock(), seconds(20)); }
  static Request Get() {
    Request request;
    request.target = "/api/cluster";
    return request;
  }
  static Request Post(std::string body) {
    Request request;
    request.method = Method::kPost;
    request.target = "/api/storage/volumes";
    request.body = std::move(body);
    request.is_idempotent = false;
    return request;
  }

  Certificate ca_ = MakeCertificate({.common_name = "test ca", .is_ca = true});
  PemFile ca_file_{ca_.x509.get()};
  Certificate leaf_ = MakeCertificate({}, &ca_);
  std::unique_ptr<TlsServer> server_;
};

TEST_F(SentOnceTest, ChangesGoOverTheKeptConnection) {
  Serve([](const std::string&) { return Ok(); });
  CurlTransport transport(Options());
  ASSERT_TRUE(transport.Perform(Get(), Budget()).ok());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(transport.Perform(Post(R"({"name":"v"})"), Budget()).ok());
    EXPECT_THAT(server_->requests().back(), EndsWith("\r\n\r\n{\"name\":\"v\"}"));
  }
  EXPECT_EQ(server_->connections(), 1);
}

// A body of more than one TLS record is sent by parts.
TEST_F(SentOnceTest, SendsALargeChangeWhole) {
  Serve([](const std::string&) { return Ok(); });
  CurlTransport transport(Options());
  const std::string body = "\"" + std::string(100'000, 'x') + "\"";
  ASSERT_TRUE(transport.Perform(Post(body), Budget()).ok());
  EXPECT_THAT(server_->requests().back(), EndsWith("\r\n\r\n" + body));
}

TEST_F(SentOnceTest, AChangeFindsThatItsConnectionWasClosed) {
  Serve([](const std::string& request) -> Reply {
    return {.bytes = HttpAnswer(200, "{}"), .closes = request.rfind("GET", 0) == 0};
  });
  CurlTransport transport(Options());
  ASSERT_TRUE(transport.Perform(Get(), Budget()).ok());
  const auto answer = transport.Perform(Post("{}"), Budget());
  ASSERT_TRUE(answer.ok()) << answer.error().Line();
  EXPECT_EQ(server_->connections(), 2);
  EXPECT_EQ(server_->requests().size(), 2U);
}

// libcurl sends again by itself when a reused connection dies before the answer begins.
TEST_F(SentOnceTest, NeverSendsAChangeTwice) {
  Serve([](const std::string& request) -> Reply {
    if (request.rfind("POST", 0) == 0) return {.bytes = "", .closes = true};
    return Ok();
  });
  CurlTransport transport(Options());
  ASSERT_TRUE(transport.Perform(Get(), Budget()).ok());
  const auto answer = transport.Perform(Post("{}"), Budget());
  ASSERT_TRUE(FailedWith(answer, ErrorCode::kUnavailable));
  EXPECT_TRUE(answer.error().outcome_unknown());
  EXPECT_THAT(answer.error().Line(), HasSubstr("it closed the connection without an answer"));
  EXPECT_EQ(server_->requests().size(), 2U);
}

// The array did it, and went away for good.
TEST_F(SentOnceTest, AChangeWhoseServerIsGoneAfterwardsIsLost) {
  Serve([this](const std::string& request) -> Reply {
    if (request.rfind("POST", 0) != 0) return Ok();
    server_->StopListening();
    return {.bytes = "", .closes = true};
  });
  CurlTransport transport(Options());
  ASSERT_TRUE(transport.Perform(Get(), Budget()).ok());
  const auto answer = transport.Perform(Post("{}"), Budget());
  ASSERT_TRUE(FailedWith(answer, ErrorCode::kUnavailable));
  EXPECT_TRUE(answer.error().outcome_unknown()) << answer.error().Line();
  EXPECT_EQ(server_->requests().size(), 2U);
}

}  // namespace
}  // namespace ontapnvme::http
