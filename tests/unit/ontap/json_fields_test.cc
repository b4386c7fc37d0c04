// SPDX-License-Identifier: AGPL-3.0-or-later
#include "ontap/json_fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/fake_clock.h"

namespace ontapnvme::ontap {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kRequest = "GET /api/x";

Result<Json> Parse(std::string_view text) {
  return ParseJson(text, kRequest, Deadline(SystemClock(), std::chrono::hours(1)));
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
  for (int i = 0; i < 200000; ++i) text += R"(,{"b":1})";
  EXPECT_TRUE(Parse(text + "]}").ok());
  EXPECT_FALSE(Parse(text + R"(,{"b":1,"b":2}]})").ok());
}

// A list of `count` objects, and a document that goes on after it with `rest`.
std::string List(std::size_t count, const char* rest = "]}") {
  std::string text = R"({"a":[{})";
  for (std::size_t i = 1; i < count; ++i) text += ",{}";
  return text + rest;
}

// 32 MiB of the shortest values would take gigabytes.
TEST(ParseJsonTest, RefusesMoreValuesThanAnyAnswerHasAndReadsNoFurther) {
  EXPECT_TRUE(Parse(List(600'000)).ok());
  const auto heavy = Parse(List(700'000, ",nonsense"));
  ASSERT_FALSE(heavy.ok());
  EXPECT_EQ(heavy.error().reason(), "it takes more than 80 MiB of memory");
  EXPECT_EQ(heavy.error().Fact("limit"), "83886080");
  EXPECT_EQ(heavy.error().Fact("request"), kRequest);
}

TEST(ParseJsonTest, RefusesLongTextsAsWell) {
  std::string text = R"({"a":["")";
  const std::string megabyte(1'000'000, 'x');
  for (int i = 0; i < 90; ++i) text += ",\"" + megabyte + "\"";
  EXPECT_EQ(Parse(text + ",nonsense").error().reason(), "it takes more than 80 MiB of memory");
}

TEST(ParseJsonTest, PagesOfOneCallHaveALimitTogether) {
  const Deadline deadline(SystemClock(), std::chrono::hours(1));
  std::size_t weight = 0;
  ASSERT_TRUE(ParseJson(List(600'000), kRequest, deadline, &weight).ok());
  EXPECT_GT(weight, 600'000U * 100);
  const auto second = ParseJson(List(600'000), kRequest, deadline, &weight);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().reason(), "its pages take more than 128 MiB of memory");
}

// What a storage with ten thousand disks would be told, with a link at each object.
TEST(ParseJsonTest, ReadsTheLargestPageThatAnArrayGives) {
  const std::string link =
      R"("_links":{"self":{"href":"/api/storage/volumes/0000000a-0000-0000"}})";
  const std::string id =
      R"({"name":"t_vm_100_disk_0","uuid":"0000000a-0000-0000-0000-000000000000",)" + link + "}";
  const std::string record =
      R"({"name":"t_vm_100_disk_0","uuid":"0000000a-0000-0000-0000-000000000000","comment":")" +
      std::string(150, 'm') + R"(","state":"online","size":1073741824,"space":{"used":4096},)" +
      R"("create_time":"2026-01-31T12:00:00+00:00","svm":)" + id + R"(,"consistency_group":)" + id +
      R"(,"clone":{"parent_volume":)" + id + R"(,"parent_snapshot":)" + id + "}," + link + "}";
  std::string text = R"({"records":[)" + record;
  for (int i = 1; i < 10'000; ++i) text += "," + record;
  const auto parsed = Parse(text + R"(],"num_records":10000})");
  ASSERT_TRUE(parsed.ok()) << parsed.error().Line();
  EXPECT_EQ((*parsed)["records"].size(), 10'000U);
}

// Time passes with each look at the clock.
class RunningClock : public fakes::FakeClock {
 public:
  TimePoint Now() override {
    Advance(Duration(10));
    return FakeClock::Now();
  }
};

TEST(ParseJsonTest, EndsWithTheTimeOfTheCall) {
  RunningClock clock;
  const auto late = ParseJson(List(600'000, ",nonsense"), kRequest, Deadline(clock, Duration(100)));
  ASSERT_TRUE(FailedWith(late, ErrorCode::kTimedOut)) << late.error().Line();
  EXPECT_EQ(late.error().Fact("request"), kRequest);
  EXPECT_LT(std::stoul(std::string(late.error().Fact("values"))), 20'000U);
}

TEST(ParseJsonTest, EndsWhenTheTaskIsStopped) {
  fakes::FakeClock clock;
  fakes::FakeInterrupt stopped(0);
  const Deadline deadline(clock, std::chrono::hours(1), &stopped);
  EXPECT_TRUE(FailedWith(ParseJson(List(100'000), kRequest, deadline), ErrorCode::kInterrupted));
  EXPECT_TRUE(ParseJson("{}", kRequest, deadline).ok()) << "what is there is taken";
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
