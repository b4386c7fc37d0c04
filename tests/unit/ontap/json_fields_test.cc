// SPDX-License-Identifier: AGPL-3.0-or-later
#include "ontap/json_fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ontapnvme::ontap {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kRequest = "GET /api/x";

Result<Json> Parse(std::string_view text) {
  return ParseJson(text, kRequest);
}

std::string Nested(int depth) {
  std::string text = R"({"a":)";
  text.append(static_cast<std::size_t>(depth), '[');
  text.append(static_cast<std::size_t>(depth), ']');
  return text + "}";
}

TEST(ParseJsonTest, TakesAnObjectOnly) {
  EXPECT_TRUE(Parse("{}").ok());
  for (const char* text : {"", "[]", "1", "\"x\"", "null", "{", "{}x", "<html>", "{\"a\":}",
                           "{'a':1}", "{\"a\":nan}", "\xff\xfe", "{\"a\":\"\xff\"}"}) {
    const auto parsed = Parse(text);
    ASSERT_TRUE(FailedWith(parsed, ErrorCode::kInternal)) << text;
    EXPECT_EQ(parsed.error().Fact("request"), kRequest);
  }
}

TEST(ParseJsonTest, NeverRepeatsTheDocument) {
  EXPECT_THAT(Parse("<html>secret</html>").error().Line(), Not(HasSubstr("secret")));
}

TEST(ParseJsonTest, RefusesDeepNesting) {
  EXPECT_TRUE(Parse(Nested(20)).ok());
  const auto deep = Parse(Nested(100000));
  ASSERT_FALSE(deep.ok());
  EXPECT_EQ(deep.error().reason(), "it is nested too deep");
}

// In time that grows with the length: this one took minutes when it grew with its square.
TEST(ParseJsonTest, ReadsLongLists) {
  std::string text = R"({"a":[{"b":1})";
  for (int i = 0; i < 400000; ++i) text += R"(,{"b":1})";
  EXPECT_TRUE(Parse(text + "]}").ok());
  EXPECT_FALSE(Parse(text + R"(,{"b":1,"b":2}]})").ok());
}

// 64 MiB of the shortest values would take gigabytes.
TEST(ParseJsonTest, RefusesMoreValuesThanAnyAnswerHas) {
  const auto list = [](std::size_t count) {
    std::string text = R"({"a":[{})";
    for (std::size_t i = 1; i < count; ++i) text += ",{}";
    return text + "]}";
  };
  EXPECT_TRUE(Parse(list(10000)).ok());
  const auto heavy = Parse(list(2000000));
  ASSERT_FALSE(heavy.ok());
  EXPECT_EQ(heavy.error().reason(), "it is larger than any of an ONTAP");
}

TEST(ParseJsonTest, BracketsInTextsAreNoNesting) {
  EXPECT_TRUE(Parse(R"({"a":")" + std::string(1000, '[') + R"(\"{{{{"})").ok());
}

TEST(ParseJsonTest, RefusesAKeyThatStandsTwice) {
  EXPECT_FALSE(Parse(R"({"a":1,"a":2})").ok());
  EXPECT_FALSE(Parse(R"({"r":[{"a":1},{"b":1,"b":1}]})").ok());
  EXPECT_TRUE(Parse(R"({"r":[{"a":1},{"a":2}],"a":{"r":1}})").ok());
}

TEST(ParseJsonTest, RefusesNumbersBeyondAnyType) {
  EXPECT_FALSE(Parse(R"({"a":1)" + std::string(400, '0') + "}").ok());
}

class FieldReaderTest : public ::testing::Test {
 protected:
  FieldReader Read(const char* text) {
    record_ = *Parse(text);
    return FieldReader(record_, kRequest);
  }
  Json record_;
};

TEST_F(FieldReaderTest, ReadsEveryKind) {
  auto fields = Read(R"({"t":"x","n":{"u":18446744073709551615},"b":true,"l":["p","q"],
      "id":"0000000a-0000-0000-0000-000000000000","at":"2026-01-31T12:00:00+01:00"})");
  EXPECT_EQ(fields.RequireText("/t"), "x");
  EXPECT_EQ(fields.RequireUint("/n/u"), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(fields.OptionalBool("/b"), true);
  EXPECT_THAT(fields.OptionalTexts("/l"), ElementsAre("p", "q"));
  EXPECT_EQ(fields.RequireUuid("/id").Text(), "0000000a-0000-0000-0000-000000000000");
  EXPECT_EQ(fields.OptionalTime("/at").time_since_epoch().count(), 1769857200);
  EXPECT_TRUE(fields.status().ok());
}

TEST_F(FieldReaderTest, WhatIsAbsentOrNullIsEmptyWhereOptional) {
  auto fields = Read(R"({"null":null,"o":{}})");
  EXPECT_EQ(fields.OptionalText("/x"), "");
  EXPECT_EQ(fields.OptionalText("/null"), "");
  EXPECT_EQ(fields.OptionalText("/o/x/y"), "");
  EXPECT_FALSE(fields.OptionalUint("/x"));
  EXPECT_FALSE(fields.OptionalUuid("/null"));
  EXPECT_FALSE(fields.OptionalBool("/x"));
  EXPECT_TRUE(fields.OptionalTexts("/x").empty());
  EXPECT_EQ(fields.OptionalTime("/x").time_since_epoch().count(), 0);
  fields.ForEach("/x", [](FieldReader&) { FAIL(); });
  EXPECT_TRUE(fields.status().ok());
}

TEST_F(FieldReaderTest, AMissingFieldIsNamedWithItsRequest) {
  auto fields = Read("{}");
  EXPECT_EQ(fields.RequireText("/a/b"), "");
  ASSERT_FALSE(fields.status().ok());
  EXPECT_EQ(fields.status().error().code(), ErrorCode::kInternal);
  EXPECT_EQ(fields.status().error().reason(), "field '/a/b' is missing");
  EXPECT_EQ(fields.status().error().Fact("request"), kRequest);
}

TEST_F(FieldReaderTest, TheFirstErrorStands) {
  auto fields = Read(R"({"n":1})");
  (void)fields.RequireText("/a");
  (void)fields.RequireText("/n");
  EXPECT_EQ(fields.status().error().reason(), "field '/a' is missing");
}

TEST_F(FieldReaderTest, AWrongTypeIsNeverConverted) {
  constexpr const char* kOdd =
      R"({"s":"5","neg":-1,"frac":1.5,"o":{},"l":[1],"big":1e300,"b":"true","t":7})";
  const auto fails = [&](auto&& read) {
    auto fields = Read(kOdd);
    read(fields);
    return !fields.status().ok();
  };
  EXPECT_TRUE(fails([](FieldReader& f) { (void)f.OptionalUint("/s"); }));
  EXPECT_TRUE(fails([](FieldReader& f) { (void)f.OptionalUint("/neg"); }));
  EXPECT_TRUE(fails([](FieldReader& f) { (void)f.OptionalUint("/frac"); }));
  EXPECT_TRUE(fails([](FieldReader& f) { (void)f.RequireUint("/big"); }));
  EXPECT_TRUE(fails([](FieldReader& f) { (void)f.OptionalText("/t"); }));
  EXPECT_TRUE(fails([](FieldReader& f) { (void)f.RequireText("/o"); }));
  EXPECT_TRUE(fails([](FieldReader& f) { (void)f.OptionalBool("/b"); }));
  EXPECT_TRUE(fails([](FieldReader& f) { (void)f.OptionalTexts("/l"); }));
  EXPECT_TRUE(fails([](FieldReader& f) { (void)f.OptionalTexts("/o"); }));
  EXPECT_TRUE(fails([](FieldReader& f) { (void)f.OptionalUuid("/s"); }));
  EXPECT_TRUE(fails([](FieldReader& f) { (void)f.OptionalTime("/s"); }));
  EXPECT_TRUE(fails([](FieldReader& f) { f.ForEach("/o", [](FieldReader&) {}); }));
  EXPECT_TRUE(fails([](FieldReader& f) { f.ForEach("/l", [](FieldReader&) {}); }));
}

TEST_F(FieldReaderTest, AnEmptyUuidIsNone) {
  auto fields = Read(R"({"id":""})");
  EXPECT_TRUE(fields.RequireUuid("/id").IsNil());
  EXPECT_FALSE(fields.status().ok());
}

TEST_F(FieldReaderTest, RefusesANulInAText) {
  auto fields = Read(R"({"a":"x\u0000y"})");
  EXPECT_EQ(fields.OptionalText("/a"), "");
  EXPECT_FALSE(fields.status().ok());
  auto list = Read(R"({"a":["x","x\u0000y"]})");
  (void)list.OptionalTexts("/a");
  EXPECT_FALSE(list.status().ok());
}

TEST_F(FieldReaderTest, ForEachHandsInnerErrorsOn) {
  auto fields = Read(R"({"l":[{"a":"1"},{},{"a":"3"}]})");
  int seen = 0;
  fields.ForEach("/l", [&](FieldReader& item) {
    (void)item.RequireText("/a");
    ++seen;
  });
  EXPECT_EQ(seen, 2);
  EXPECT_EQ(fields.status().error().reason(), "field '/a' is missing");
}

TEST(ParseTimeTest, ReadsOffsets) {
  const auto utc = ParseTime("2026-01-31T12:00:00Z");
  ASSERT_TRUE(utc);
  EXPECT_EQ(utc->time_since_epoch().count(), 1769860800);
  EXPECT_EQ(ParseTime("2026-01-31T12:00:00+00:00"), utc);
  EXPECT_EQ(ParseTime("2026-01-31T07:00:00-05:00"), utc);
  EXPECT_EQ(ParseTime("2026-01-31T12:00:00.123Z"), utc);
}

TEST(ParseTimeTest, RefusesEverythingElse) {
  for (const char* text :
       {"", "2026-01-31", "2026-01-31T12:00:00", "2026-13-31T12:00:00Z", "2026-02-30T12:00:00Z",
        "2026-01-31T24:00:00Z", "2026-01-31T12:60:00Z", "2026-01-31 12:00:00Z",
        "2026-01-31T12:00:00+5", "2026-01-31T12:00:00*05:00", "2026-01-31T12:00:00.Z",
        "-026-01-31T12:00:00Z", "2026-01-31T12:00:00+-1:00"}) {
    EXPECT_FALSE(ParseTime(text)) << text;
  }
}

}  // namespace
}  // namespace ontapnvme::ontap
