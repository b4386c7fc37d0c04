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
  Refusal refusal;
  refusal.http_status = http;
  refusal.code = code;
  refusal.message = "because";
  return Judge(refusal, request, "do it");
}

TEST(OntapErrorsTest, TellsWhatWasTriedAndWhy) {
  const auto judged = JudgeCode(409, 917526);
  EXPECT_EQ(judged.error.Line(),
            "[already-exists] cannot do it: because (ontap_code=917526, http=409, request=POST "
            "/api/x)");
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
      {409, 524486, ErrorCode::kBusy, RetryCause::kRefused},
      {409, 8, ErrorCode::kBusy, RetryCause::kRefused},
      {503, 8, ErrorCode::kBusy, RetryCause::kRefused},
      {409, 13107405, ErrorCode::kBusy, RetryCause::kRefused},
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
  EXPECT_THAT(judged.error.Line(), HasSubstr("pvesm set <storage> --password"));
}

TEST(OntapErrorsTest, AMissingRightIsNamed) {
  EXPECT_THAT(JudgeCode(403, 6, "GET /api/storage/aggregates").error.Line(),
              HasSubstr("access 'readonly' to /api/storage/aggregates"));
  EXPECT_THAT(JudgeCode(403, 6, "POST /api/x").error.Line(), HasSubstr("'read_create' to /api/x"));
  EXPECT_THAT(JudgeCode(403, 6, "PATCH /api/x").error.Line(), HasSubstr("'read_modify'"));
  EXPECT_THAT(JudgeCode(403, 6, "DELETE /api/x").error.Line(), HasSubstr("'all'"));
}

TEST(OntapErrorsTest, ABusyParentHasAHint) {
  EXPECT_THAT(JudgeCode(409, 524615).error.Line(), HasSubstr("delete or split the clones"));
}

TEST(OntapErrorsTest, ServerTextIsCleanedAndCut) {
  Refusal refusal;
  refusal.http_status = 500;
  refusal.message = "a\n\x1b[31m" + std::string(5000, 'x');
  const auto judged = Judge(refusal, "GET /api/x", "do it");
  EXPECT_LT(judged.error.Line().size(), 500U);
  EXPECT_THAT(judged.error.Line(), Not(HasSubstr("\x1b")));
}

TEST(OntapErrorsTest, AJobHasNoStatus) {
  Refusal refusal;
  refusal.code = 4;
  const auto judged = Judge(refusal, "DELETE /api/x", "delete it");
  EXPECT_EQ(judged.error.code(), ErrorCode::kNotFound);
  EXPECT_EQ(judged.error.Fact("http"), "");
  EXPECT_THAT(judged.error.Line(), HasSubstr("the array gives no reason"));
}

TEST(IsGoneTest, AMissingSvmIsNoMissingObject) {
  EXPECT_TRUE(IsGone(JudgeCode(404, 4).error));
  EXPECT_TRUE(IsGone(JudgeCode(404, 918235).error));
  EXPECT_FALSE(IsGone(JudgeCode(400, 2621462).error));
  EXPECT_FALSE(IsGone(JudgeCode(404, 917505).error));
  EXPECT_FALSE(IsGone(JudgeCode(409, 1).error));
}

}  // namespace
}  // namespace ontapnvme::ontap
