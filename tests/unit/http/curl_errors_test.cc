// SPDX-License-Identifier: AGPL-3.0-or-later
#include "http/curl_errors.h"

#include <curl/curl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ontapnvme::http {
namespace {

using ::testing::HasSubstr;

TransferFailure Failure(CURLcode code) {
  TransferFailure failure;
  failure.curl_code = code;
  failure.peer = "array:443";
  failure.error_text = "what libcurl says\n";
  return failure;
}

TransferFailure Untrusted(long verify_result) {
  auto failure = Failure(CURLE_PEER_FAILED_VERIFICATION);
  failure.verify_result = verify_result;
  return failure;
}

TEST(CurlErrorsTest, SaysWhyACertificateIsNotTrusted) {
  const std::pair<long, const char*> cases[] = {
      {18, "self-signed"}, {19, "self-signed"},  {20, "issuer is not known"},
      {10, "has expired"}, {9, "not valid yet"}, {23, "revoked"},
  };
  for (const auto& [result, words] : cases) {
    const Error error = ExplainTransferFailure(Untrusted(result));
    EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
    EXPECT_EQ(error.sentence(), "cannot trust the array at 'array:443'");
    EXPECT_THAT(error.reason(), HasSubstr(words));
    EXPECT_THAT(error.Line(), HasSubstr("/usr/local/share/ca-certificates"));
    EXPECT_THAT(error.Line(), HasSubstr("verify_ssl 0"));
    EXPECT_EQ(error.origin().refusal, Refusal::kUnusablePeer);
    EXPECT_FALSE(error.outcome_unknown());
  }
}

TEST(CurlErrorsTest, ANameThatDoesNotMatchHasItsOwnHint) {
  const Error error = ExplainTransferFailure(Untrusted(0));
  EXPECT_THAT(error.reason(), HasSubstr("another name"));
  EXPECT_THAT(error.Line(), HasSubstr("give mgmt_ip as a name"));
  EXPECT_EQ(error.origin().refusal, Refusal::kUnusablePeer);
}

TEST(CurlErrorsTest, AnUnlistedVerdictIsToldInLibcurlsWords) {
  EXPECT_EQ(ExplainTransferFailure(Untrusted(999)).reason(), "what libcurl says");
}

TEST(CurlErrorsTest, WhatPrecedesTheRequestHasAKnownOutcome) {
  for (const CURLcode code :
       {CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_CONNECT, CURLE_SSL_CACERT_BADFILE}) {
    const Error error = ExplainTransferFailure(Failure(code));
    EXPECT_EQ(error.code(), ErrorCode::kUnavailable) << code;
    EXPECT_EQ(error.sentence(), "cannot connect to 'array:443'") << code;
    EXPECT_FALSE(error.outcome_unknown()) << code;
  }
}

// It went out on a reused connection that died, and libcurl could not connect again for it.
TEST(CurlErrorsTest, FailureToConnectAgainLeavesARequestThatWasSentOpen) {
  for (const CURLcode code :
       {CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_CONNECT, CURLE_SSL_CACERT_BADFILE,
        CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION}) {
    auto failure = Failure(code);
    failure.is_sent = true;
    EXPECT_TRUE(ExplainTransferFailure(failure).outcome_unknown()) << code;
  }
}

TEST(CurlErrorsTest, WhatFollowsTheRequestLeavesItOpen) {
  for (const CURLcode code : {CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_RECV_ERROR,
                              CURLE_PARTIAL_FILE, CURLE_HTTP2 /* not in the table */}) {
    auto failure = Failure(code);
    EXPECT_FALSE(ExplainTransferFailure(failure).outcome_unknown()) << code;
    failure.is_sent = true;
    const Error error = ExplainTransferFailure(failure);
    EXPECT_EQ(error.sentence(), "lost the connection to 'array:443'") << code;
    EXPECT_TRUE(error.outcome_unknown()) << code;
  }
}

TEST(CurlErrorsTest, ATimeoutTellsConnectingFromWaiting) {
  auto failure = Failure(CURLE_OPERATION_TIMEDOUT);
  const Error not_connected = ExplainTransferFailure(failure);
  EXPECT_EQ(not_connected.code(), ErrorCode::kUnavailable);
  EXPECT_EQ(not_connected.sentence(), "cannot connect to 'array:443'");
  failure.is_budget_over = true;
  EXPECT_EQ(ExplainTransferFailure(failure).code(), ErrorCode::kTimedOut);
  failure.is_sent = true;
  const Error no_answer = ExplainTransferFailure(failure);
  EXPECT_EQ(no_answer.sentence(), "no answer from 'array:443'");
  EXPECT_TRUE(no_answer.outcome_unknown());
}

TEST(CurlErrorsTest, NeverCarriesRawText) {
  auto failure = Failure(CURLE_COULDNT_CONNECT);
  failure.error_text = "a\r\nb";
  EXPECT_EQ(ExplainTransferFailure(failure).reason(), "a b");
  failure.error_text.clear();
  EXPECT_FALSE(ExplainTransferFailure(failure).reason().empty());
}

}  // namespace
}  // namespace ontapnvme::http
