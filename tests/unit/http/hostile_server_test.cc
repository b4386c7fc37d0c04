// SPDX-License-Identifier: AGPL-3.0-or-later
// What an array, or whoever took its place, may send: nothing of it crashes, hangs, stands in an
// error as it came, or makes the credentials go elsewhere.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/curl_transport.h"
#include "unit/http/tls_server.h"

namespace ontapnvme::http {
namespace {

using std::chrono::seconds;
using testing::Certificate;
using ::testing::HasSubstr;
using testing::HttpAnswer;
using testing::MakeCertificate;
using ::testing::Not;
using testing::PemFile;
using testing::Reply;
using testing::TlsServer;

// Stands in every hostile answer; must stand in no error.
const std::string kRaw = "R4WT3XT";

class HostileServerTest : public ::testing::Test {
 protected:
  void Serve(Reply reply) {
    server_ = std::make_unique<TlsServer>(leaf_, [reply](const std::string&) { return reply; });
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
  Result<Response> Ask(const CurlOptions& options, Duration budget = seconds(20)) {
    Request request;
    request.target = "/api/cluster";
    return CurlTransport(options).Perform(request, Deadline(SystemClock(), budget));
  }
  Result<Response> Ask(Duration budget = seconds(20)) { return Ask(Options(), budget); }

  // Every refusal of this file: an error of one line that repeats nothing.
  static void ExpectRefused(const Result<Response>& answer, const char* words) {
    ASSERT_TRUE(FailedWith(answer, ErrorCode::kUnavailable));
    const std::string line = answer.error().Line();
    EXPECT_THAT(line, HasSubstr(words));
    EXPECT_THAT(line, Not(HasSubstr(kRaw)));
    EXPECT_THAT(line, Not(HasSubstr("s3cret")));
    EXPECT_LT(line.size(), 1000U);
  }

  Certificate ca_ = MakeCertificate({.common_name = "test ca", .is_ca = true});
  PemFile ca_file_{ca_.x509.get()};
  Certificate leaf_ = MakeCertificate({}, &ca_);
  std::unique_ptr<TlsServer> server_;
};

TEST_F(HostileServerTest, ALengthBeyondTheLimitIsNotWaitedFor) {
  Serve({.bytes = "HTTP/1.1 200 x\r\nContent-Length: 1073741824\r\n\r\n" + kRaw});
  ExpectRefused(Ask(), "larger than any answer");
}

TEST_F(HostileServerTest, AnEndlessBodyEndsAtTheLimit) {
  const std::string kilobytes(16384, 'x');
  Serve({.bytes = "HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n",
         .repeated = "4000\r\n" + kilobytes + "\r\n"});
  CurlOptions options = Options();
  options.limits.body_bytes_max = 1U << 20U;
  ExpectRefused(Ask(options), "larger than any answer");
  // Without a length it ends with the connection, that is never.
  Serve({.bytes = "HTTP/1.1 200 x\r\n\r\n", .repeated = kilobytes});
  options.port = server_->port();
  ExpectRefused(Ask(options), "larger than any answer");
}

TEST_F(HostileServerTest, EndlessHeadersEndAtTheLimit) {
  Serve({.bytes = "HTTP/1.1 200 x\r\n", .repeated = "X-" + kRaw + ": x\r\n"});
  ExpectRefused(Ask(), "header");
  Serve({.bytes = "HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n",
         .repeated = "X-Trailer: " + kRaw + "\r\n"});
  ExpectRefused(Ask(), "header");
}

TEST_F(HostileServerTest, ALineThatNeverEndsIsRefused) {
  Serve({.bytes = "HTTP/1.1 200 x\r\nX-Fill: ", .repeated = std::string(16384, 'x')});
  const auto answer = Ask();
  ASSERT_TRUE(FailedWith(answer, ErrorCode::kUnavailable));
}

TEST_F(HostileServerTest, AFloodOfInterimAnswersIsRefused) {
  Serve({.repeated = "HTTP/1.1 100 Continue\r\nX: " + kRaw + "\r\n\r\n"});
  ExpectRefused(Ask(), "header");
  Serve({.repeated = "HTTP/1.1 103 Early Hints\r\nLink: <https://evil.example/>\r\n\r\n"});
  ExpectRefused(Ask(), "header");
}

TEST_F(HostileServerTest, ATrickleEndsWithTheBudget) {
  Serve({.bytes = HttpAnswer(200, std::string(5000, 'x')), .is_slow = true});
  const auto start = std::chrono::steady_clock::now();
  const auto answer = Ask(Duration(300));
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(5));
  ASSERT_TRUE(FailedWith(answer, ErrorCode::kTimedOut));
  EXPECT_TRUE(answer.error().outcome_unknown());
}

TEST_F(HostileServerTest, WhatIsNoHttpIsRefused) {
  for (const std::string status :
       {"", "HTTP/0.9 200\r\n\r\n", "SSH-2.0-x\r\n", "HTTP/1.1\r\n\r\n", "HTTP/1.1 abc x\r\n\r\n",
        "HTTP/1.1 99999 x\r\n\r\n", "\x1b[2J\r\n", "ICY 200 OK\r\n\r\n"}) {
    Serve({.bytes = status + kRaw + std::string("\0\x1b[31m", 6), .closes = true});
    const auto answer = Ask();
    ASSERT_FALSE(answer.ok()) << status;
    EXPECT_THAT(answer.error().Line(), Not(HasSubstr(kRaw))) << status;
    EXPECT_THAT(answer.error().Line(), Not(HasSubstr("\x1b"))) << status;
  }
}

TEST_F(HostileServerTest, ChunksThatAreNoneAreRefused) {
  for (const char* chunk : {"-1\r\n", "ffffffffffffffffff\r\n", "zz\r\n", "0x2\r\n{}\r\n"}) {
    Serve({.bytes =
               std::string("HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n") + chunk + kRaw,
           .closes = true});
    const auto answer = Ask();
    ASSERT_TRUE(FailedWith(answer, ErrorCode::kUnavailable)) << chunk;
    EXPECT_THAT(answer.error().Line(), Not(HasSubstr(kRaw))) << chunk;
  }
}

TEST_F(HostileServerTest, LengthsThatAreNoneAreRefused) {
  for (const char* length : {"-1", "99999999999999999999999999", "1073741824"}) {
    Serve({.bytes = std::string("HTTP/1.1 200 x\r\nContent-Length: ") + length + "\r\n\r\n" + kRaw,
           .closes = true});
    const auto answer = Ask();
    ASSERT_FALSE(answer.ok()) << length;
    EXPECT_THAT(answer.error().Line(), Not(HasSubstr(kRaw))) << length;
  }
}

// A body of some kilobytes may stand for gigabytes: compression is neither offered nor undone.
TEST_F(HostileServerTest, NothingIsUnpacked) {
  const std::string packed = "\x1f\x8b\x08" + kRaw;
  Serve({.bytes = HttpAnswer(200, packed, "Content-Encoding: gzip\r\n")});
  const auto answer = Ask();
  ASSERT_TRUE(answer.ok()) << answer.error().Line();
  EXPECT_EQ(answer->body, packed);
  EXPECT_THAT(server_->requests().front(), Not(HasSubstr("Accept-Encoding")));
  EXPECT_THAT(server_->requests().front(), Not(HasSubstr("TE:")));
}

TEST_F(HostileServerTest, OtherWaysToLogInAreNotTaken) {
  for (const char* way : {"Negotiate", "NTLM", "Digest realm=\"x\", nonce=\"y\"", "Bearer"}) {
    Serve({.bytes = HttpAnswer(401, "{}", std::string("WWW-Authenticate: ") + way + "\r\n")});
    const auto answer = Ask();
    ASSERT_TRUE(answer.ok()) << way;
    EXPECT_EQ(answer->status, 401);
    EXPECT_EQ(server_->requests().size(), 1U) << way;
  }
  Serve({.bytes = HttpAnswer(407, "{}", "Proxy-Authenticate: Basic\r\n")});
  ASSERT_TRUE(Ask().ok());
  EXPECT_EQ(server_->requests().size(), 1U);
}

TEST_F(HostileServerTest, NoAnswerLeadsToAnotherHost) {
  const auto other_leaf = MakeCertificate({}, &ca_);
  const TlsServer other(other_leaf,
                        [](const std::string&) -> Reply { return {.bytes = HttpAnswer(200, "")}; });
  const std::string elsewhere = "127.0.0.1:" + std::to_string(other.port()) + "/" + kRaw;
  for (const std::string& header :
       {"Location: https://" + elsewhere, "Location: //" + elsewhere,
        "Location: http://pve:s3cret@" + elsewhere, "Refresh: 0; url=https://" + elsewhere,
        "Alt-Svc: h2=\"" + elsewhere + "\"; ma=86400", "Content-Location: https://" + elsewhere,
        std::string("Set-Cookie: a=b; domain=127.0.0.1")}) {
    for (const int status : {200, 302, 308}) {
      Serve({.bytes = HttpAnswer(status, "{}", header + "\r\n")});
      CurlTransport transport(Options());
      for (int i = 0; i < 2; ++i) {  // the second request may use what the first one left
        Request request;
        request.target = "/api/cluster";
        const auto answer = transport.Perform(request, Deadline(SystemClock(), seconds(20)));
        EXPECT_EQ(answer.ok(), status < 300) << header;
        if (!answer.ok()) ExpectRefused(answer, "is not the array");
      }
      EXPECT_EQ(server_->requests().size(), 2U);
      EXPECT_THAT(server_->requests().back(), Not(HasSubstr("Cookie")));
    }
  }
  EXPECT_EQ(other.connections(), 0);
  EXPECT_TRUE(other.requests().empty());
}

TEST_F(HostileServerTest, NulAndControlCharactersInHeadersDoNoHarm) {
  const std::string odd = std::string("Location: /api/\0x\x1b[2J\r\nRetry-After: \0\r\n", 37);
  Serve({.bytes = HttpAnswer(200, "{}", odd + "X\r\n:\r\n folded\r\n")});
  const auto answer = Ask();  // taken or refused, but nothing else
  if (!answer.ok()) {
    EXPECT_THAT(answer.error().Line(), Not(HasSubstr("\x1b")));
  }
}

TEST_F(HostileServerTest, AnAnswerBeforeTheRequestIsNotTaken) {
  // The second answer lies in the connection when the second request is sent.
  Serve({.bytes = HttpAnswer(200, "{\"n\":1}") + HttpAnswer(200, "{\"n\":\"" + kRaw + "\"}")});
  CurlTransport transport(Options());
  Request request;
  request.target = "/api/cluster";
  for (int i = 0; i < 3; ++i) {
    const auto answer = transport.Perform(request, Deadline(SystemClock(), seconds(20)));
    if (answer.ok()) {
      EXPECT_EQ(answer->body, "{\"n\":1}");
    }
  }
}

}  // namespace
}  // namespace ontapnvme::http
