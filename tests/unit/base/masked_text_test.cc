// SPDX-License-Identifier: AGPL-3.0-or-later
#include "base/masked_text.h"

#include <gtest/gtest.h>

namespace ontapnvme {
namespace {

std::vector<Secret> Secrets(std::initializer_list<const char*> texts) {
  std::vector<Secret> secrets;
  for (const char* text : texts) secrets.emplace_back(text);
  return secrets;
}

TEST(MaskedTextTest, EachSecretIsHiddenWhereverItStands) {
  const auto secrets = Secrets({"kestrel", "osprey:1"});
  EXPECT_EQ(MaskedText("kestrel", secrets), "***");
  EXPECT_EQ(MaskedText("login kestrel, key osprey:1, KESTREL", secrets), "login ***, key ***, ***");
  EXPECT_EQ(MaskedText("kestrelkestrel", secrets), "******");
  EXPECT_EQ(MaskedText("kestre l", secrets), "kestre l");
  EXPECT_EQ(MaskedText("", secrets), "");
}

TEST(MaskedTextTest, WhatIsTooShortHidesNothing) {
  EXPECT_EQ(MaskedText("abc ***", Secrets({"", "a", "abc"})), "abc ***");
  EXPECT_EQ(MaskedText("***** abcd", Secrets({"****", "abcd"})), "**** ***");
}

TEST(MaskedTextTest, LoginIsMaskedAsItTravels) {
  // RFC 7617, section 2.
  EXPECT_EQ(BasicLogin("Aladdin", Secret("open sesame")).Reveal(), "QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  EXPECT_EQ(BasicLogin("a", Secret("b")).Reveal(), "YTpi");
  EXPECT_EQ(BasicLogin("a", Secret("bc")).Reveal(), "YTpiYw==");
  EXPECT_EQ(BasicLogin("a", Secret("bcd")).Reveal(), "YTpiY2Q=");
}

}  // namespace
}  // namespace ontapnvme
