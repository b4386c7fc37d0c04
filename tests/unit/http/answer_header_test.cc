// SPDX-License-Identifier: AGPL-3.0-or-later
#include "http/answer_header.h"

#include <gtest/gtest.h>

#include "fakes/fake_clock.h"

namespace ontapnvme::http {
namespace {

using std::chrono::seconds;

class AnswerHeaderTest : public ::testing::Test {
 protected:
  Response Read(std::string_view line) {
    Response response;
    ReadHeaderLine(line, clock_, response);
    return response;
  }
  fakes::FakeClock clock_;  // stands in November 2023
};

TEST_F(AnswerHeaderTest, TakesLocationWhateverItsCase) {
  EXPECT_EQ(Read("location:  /api/x \r\n").location, "/api/x");
  EXPECT_EQ(Read("Locations: /api/x\r\n").location, "");
  EXPECT_EQ(Read("Location\r\n").location, "");
}

TEST_F(AnswerHeaderTest, RetryAfterIsSecondsOrADate) {
  EXPECT_EQ(Read("Retry-After: 7").retry_after, seconds(7));
  EXPECT_EQ(Read("Retry-After: Tue, 14 Nov 2023 22:13:50 GMT").retry_after, seconds(30));
  EXPECT_EQ(Read("Retry-After: Wed, 21 Oct 2015 07:28:00 GMT").retry_after, seconds(0));
}

TEST_F(AnswerHeaderTest, RetryAfterIsAnHourAtMost) {
  EXPECT_EQ(Read("Retry-After: 99999").retry_after, seconds(3600));
  EXPECT_EQ(Read("Retry-After: " + std::string(300, '9')).retry_after, seconds(3600));
  // Beyond what 64 bits hold in nanoseconds.
  EXPECT_EQ(Read("Retry-After: Fri, 31 Dec 9999 23:59:59 GMT").retry_after, seconds(3600));
}

TEST_F(AnswerHeaderTest, WhatIsNoTimeIsNone) {
  for (const char* text : {"", "-1", "soon", "1.5", "0x10", "\x1b"}) {
    EXPECT_FALSE(Read(std::string("Retry-After: ") + text).retry_after) << text;
  }
}

}  // namespace
}  // namespace ontapnvme::http
