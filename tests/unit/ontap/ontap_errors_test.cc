// SPDX-License-Identifier: AGPL-3.0-or-later
#include "ontap/ontap_errors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ontapnvme::ontap {
namespace {

using http::RetryCause;
using ::testing::HasSubstr;
using ::testing::Not;

Judgement JudgeCode(int http, std::uint64_t code, std::string_view request = "POST /api/x") {
  ArrayError refused;
  refused.http_status = http;
  refused.code = code;
  refused.message = "because";
  return Judge(refused, request, "do it");
}

TEST(OntapErrorsTest, TellsWhatWasTriedAndWhy) {
  const auto judged = JudgeCode(409, 917526);
  EXPECT_EQ(judged.error.Line(),
            "cannot do it: because [already-exists, ontap_code=917526, http=409, request=POST "
            "/api/x]");
}

TEST(OntapErrorsTest, MapsTheCodesThatCallersDecideBy) {
  const struct {
    int http;
    std::uint64_t code;
    ErrorCode expected;
    RetryCause retry;
  } rows[] = {
      {409, 1, ErrorCode::kAlreadyExists, RetryCause::kFinal},
      {400, 917526, ErrorCode::kAlreadyExists, RetryCause::kFinal},
      {409, 525059, ErrorCode::kAlreadyExists, RetryCause::kFinal},
      {409, 72089725, ErrorCode::kAlreadyExists, RetryCause::kFinal},
      {409, 72089705, ErrorCode::kAlreadyExists, RetryCause::kFinal},
      {404, 4, ErrorCode::kNotFound, RetryCause::kFinal},
      {400, 2621462, ErrorCode::kNotFound, RetryCause::kFinal},
      {404, 917508, ErrorCode::kNotFound, RetryCause::kFinal},
      {409, 524615, ErrorCode::kBusy, RetryCause::kFinal},
      {409, 1638543, ErrorCode::kBusy, RetryCause::kFinal},
      {409, 1638555, ErrorCode::kBusy, RetryCause::kFinal},
      {409, 524486, ErrorCode::kBusy, RetryCause::kBusy},
      {409, 8, ErrorCode::kBusy, RetryCause::kRefused},
      {503, 8, ErrorCode::kBusy, RetryCause::kRefused},
      {409, 13107405, ErrorCode::kBusy, RetryCause::kBusy},
      {429, 262160, ErrorCode::kUnavailable, RetryCause::kRefused},
      {500, 1245212, ErrorCode::kNoSpace, RetryCause::kFinal},
      {409, 525062, ErrorCode::kNoSpace, RetryCause::kFinal},
      {500, 65541, ErrorCode::kUnavailable, RetryCause::kLost},
      {500, 262145, ErrorCode::kUnavailable, RetryCause::kLost},
      {500, 393271, ErrorCode::kUnavailable, RetryCause::kLost},
      {409, 53411865, ErrorCode::kConflict, RetryCause::kFinal},
      {400, 72090038, ErrorCode::kInvalidArgument, RetryCause::kFinal},
      {405, 3, ErrorCode::kUnsupported, RetryCause::kFinal},
      {400, 262179, ErrorCode::kUnsupported, RetryCause::kFinal},
      {403, 6, ErrorCode::kPermissionDenied, RetryCause::kFinal},
      {400, 6691623, ErrorCode::kPermissionDenied, RetryCause::kFinal},
  };
  for (const auto& row : rows) {
    const auto judged = JudgeCode(row.http, row.code);
    EXPECT_EQ(judged.error.code(), row.expected) << row.code;
    EXPECT_EQ(judged.cause, row.retry) << row.code;
    EXPECT_EQ(judged.error.outcome_unknown(), row.retry == RetryCause::kLost) << row.code;
  }
}

TEST(OntapErrorsTest, AnUnknownCodeIsJudgedByItsStatus) {
  const struct {
    int http;
    ErrorCode expected;
    RetryCause retry;
  } rows[] = {
      {400, ErrorCode::kInternal, RetryCause::kFinal},
      {401, ErrorCode::kUnauthenticated, RetryCause::kFinal},
      {403, ErrorCode::kPermissionDenied, RetryCause::kFinal},
      {404, ErrorCode::kNotFound, RetryCause::kFinal},
      {405, ErrorCode::kUnsupported, RetryCause::kFinal},
      {409, ErrorCode::kConflict, RetryCause::kFinal},
      {418, ErrorCode::kInternal, RetryCause::kFinal},
      {429, ErrorCode::kUnavailable, RetryCause::kRefused},
      {500, ErrorCode::kInternal, RetryCause::kFinal},
      {502, ErrorCode::kUnavailable, RetryCause::kLost},
      {503, ErrorCode::kUnavailable, RetryCause::kRefused},
      {504, ErrorCode::kUnavailable, RetryCause::kLost},
  };
  for (const auto& row : rows) {
    const auto judged = JudgeCode(row.http, 999999999);
    EXPECT_EQ(judged.error.code(), row.expected) << row.http;
    EXPECT_EQ(judged.cause, row.retry) << row.http;
  }
}

TEST(OntapErrorsTest, WrongCredentialsNameTheRemedy) {
  const auto judged = JudgeCode(401, 6);  // whatever code stands beside it
  EXPECT_EQ(judged.error.code(), ErrorCode::kUnauthenticated);
  EXPECT_THAT(judged.error.Line(), HasSubstr("with '--password'"));
}

TEST(OntapErrorsTest, AMissingRightIsNamed) {
  EXPECT_THAT(JudgeCode(403, 6, "GET /api/storage/aggregates").error.Line(),
              HasSubstr("access 'readonly' to /api/storage/aggregates"));
  EXPECT_THAT(JudgeCode(403, 6, "POST /api/x").error.Line(), HasSubstr("'read_create' to /api/x"));
  EXPECT_THAT(JudgeCode(403, 6, "PATCH /api/x").error.Line(), HasSubstr("'read_modify'"));
  // A role grants a collection with what is in it.
  const char* snapshot =
      "DELETE /api/storage/volumes/00112233-4455-6677-8899-aabbccddeeff/snapshots/"
      "00112233-4455-6677-8899-aabbccddeeff";
  EXPECT_THAT(JudgeCode(403, 6, snapshot).error.Line(),
              HasSubstr("access 'all' to /api/storage/volumes ["));
  EXPECT_THAT(JudgeCode(403, 6, "GET /api/storage/volumes/*/snapshots").error.Line(),
              HasSubstr("access 'readonly' to /api/storage/volumes ["));
  EXPECT_THAT(JudgeCode(403, 6, "DELETE /api/x").error.Line(), HasSubstr("'all'"));
}

TEST(OntapErrorsTest, ABusyParentHasAHint) {
  EXPECT_THAT(JudgeCode(409, 524615).error.Line(), HasSubstr("delete or split the clones"));
}

TEST(OntapErrorsTest, ServerTextIsCleanedAndCut) {
  ArrayError refused;
  refused.http_status = 500;
  refused.message = "a\n\x1b[31m" + std::string(5000, 'x');
  const auto judged = Judge(refused, "GET /api/x", "do it");
  EXPECT_LT(judged.error.Line().size(), 500U);
  EXPECT_THAT(judged.error.Line(), Not(HasSubstr("\x1b")));
}

TEST(OntapErrorsTest, AJobHasNoStatus) {
  ArrayError refused;
  refused.code = 4;
  const auto judged = Judge(refused, "DELETE /api/x", "delete it");
  EXPECT_EQ(judged.error.code(), ErrorCode::kNotFound);
  EXPECT_EQ(judged.error.Fact("http"), "");
  EXPECT_THAT(judged.error.Line(), HasSubstr("the array gives no reason"));
}

TEST(OntapErrorsTest, CarriesItsOriginAsNumbers) {
  const Origin origin = JudgeCode(409, 524615).error.Wrap("cannot free it").origin();
  EXPECT_EQ(origin.http_status, 409);
  EXPECT_EQ(origin.array_code, 524615U);
  EXPECT_EQ(origin.refusal, Refusal::kHeldByClones);
}

TEST(OntapErrorsTest, ClassifiesWhatCallersDecideBy) {
  const struct {
    int http;
    std::uint64_t code;
    Refusal expected;
  } rows[] = {
      {404, 4, Refusal::kGone},
      {404, 918235, Refusal::kGone},
      {404, 72090006, Refusal::kGone},
      {404, 999999999, Refusal::kGone},
      {409, 524615, Refusal::kHeldByClones},
      {409, 1638543, Refusal::kHeldByClones},
      {409, 1638555, Refusal::kHeldByClones},
      {409, 53412007, Refusal::kHeldByClones},
      {400, 262179, Refusal::kFieldRefused},
      {400, 262196, Refusal::kFieldRefused},
      {400, 262197, Refusal::kFieldRefused},
      {400, 262203, Refusal::kFieldRefused},
      {409, 72089790, Refusal::kMappedHere},
      {409, 1638480, Refusal::kNewerHeld},
      {409, 9437886, Refusal::kNewerHeld},
      {500, 53411921, Refusal::kFailedOrTaken},
      {409, 1, Refusal::kNone},
      {400, 999999999, Refusal::kUnknownCode},
      {500, 999999999, Refusal::kUnknownCode},
      {400, 2, Refusal::kFieldRefused},
      {400, 72089723, Refusal::kTooSmall},
      {400, 918521, Refusal::kAboveLimit},
      // Missing is something that the request names besides its object: that proves nothing of it.
      {400, 2621462, Refusal::kNone},
      {404, 917505, Refusal::kNone},
      {404, 1260882, Refusal::kNone},
      {404, 917508, Refusal::kNone},
      {404, 72089651, Refusal::kNone},
      {401, 4, Refusal::kNone},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(JudgeCode(row.http, row.code).error.origin().refusal, row.expected) << row.code;
  }
}

TEST(OntapErrorsTest, OnlyARequestWithAWildcardCanBeRefusedForIt) {
  const char* bulk = "GET /api/storage/volumes/*/snapshots";
  for (const int status : {400, 404, 405}) {
    EXPECT_EQ(JudgeCode(status, 4, bulk).error.origin().refusal, Refusal::kBulkRefused) << status;
  }
  EXPECT_EQ(JudgeCode(403, 6, bulk).error.origin().refusal, Refusal::kNone);
  EXPECT_EQ(JudgeCode(404, 4).error.origin().refusal, Refusal::kGone);
}

}  // namespace
}  // namespace ontapnvme::ontap
