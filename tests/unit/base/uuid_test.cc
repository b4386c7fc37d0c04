// SPDX-License-Identifier: AGPL-3.0-or-later
#include "base/uuid.h"

#include <gtest/gtest.h>

namespace ontapnvme {
namespace {

constexpr const char* kText = "0123abcd-4567-89ef-0011-223344556677";

TEST(UuidTest, ReadsWhatItWrites) {
  const auto uuid = Uuid::Parse(kText);
  ASSERT_TRUE(uuid);
  EXPECT_EQ(uuid->Text(), kText);
  EXPECT_EQ(uuid->bytes()[0], 0x01);
  EXPECT_EQ(uuid->bytes()[15], 0x77);
}

TEST(UuidTest, TakesUpperCaseAndWritesLowerCase) {
  EXPECT_EQ(Uuid::Parse("0123ABCD-4567-89EF-0011-223344556677")->Text(), kText);
}

TEST(UuidTest, RefusesEverythingElse) {
  for (const char* text :
       {"", "0123abcd", "0123abcd-4567-89ef-0011-22334455667",
        "0123abcd-4567-89ef-0011-2233445566778", "0123abcd4567-89ef-0011-2233445566777",
        "0123abcd-4567-89ef-0011-22334455667g", "{123abcd-4567-89ef-0011-22334455667}",
        " 123abcd-4567-89ef-0011-223344556677", "0123abcd-4567-89ef-00-11223344556677",
        "+123abcd-4567-89ef-0011-223344556677"}) {
    EXPECT_FALSE(Uuid::Parse(text)) << text;
  }
}

TEST(UuidTest, NilIsTheDefault) {
  EXPECT_TRUE(Uuid().IsNil());
  EXPECT_FALSE(Uuid::Parse(kText)->IsNil());
}

}  // namespace
}  // namespace ontapnvme
