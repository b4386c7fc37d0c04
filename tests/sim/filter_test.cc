// SPDX-License-Identifier: AGPL-3.0-or-later
#include "filter.h"

#include <gtest/gtest.h>

#include "api_error.h"

namespace ontapnvme::sim {
namespace {

using nlohmann::json;

struct Case {
  const char* field;
  FieldType type;
  const char* expression;
  bool is_match;
};

const json& Record() {
  static const json record = json::parse(R"({
    "name": "vm_100_disk_0", "odd": "a|b*c", "size": 1073741824, "enabled": true,
    "services": ["data_core", "data_nvme_tcp"], "list": [{"name": "x"}, {"name": "y"}]
  })");
  return record;
}

TEST(FilterTest, FollowsTheOperators) {
  const Case cases[] = {
      {"name", FieldType::kText, "vm_100_disk_0", true},
      {"name", FieldType::kText, "vm_100", false},
      {"name", FieldType::kText, "vm_*", true},
      {"name", FieldType::kText, "*disk*0", true},
      {"name", FieldType::kText, "*disk*1", false},
      {"name", FieldType::kText, "a|vm_100_disk_0|b", true},
      {"name", FieldType::kText, "!vm_*", false},
      {"name", FieldType::kText, "!base_*", true},
      {"name", FieldType::kText, "null", false},
      {"name", FieldType::kText, "!null", true},
      {"missing", FieldType::kText, "null", true},
      {"missing", FieldType::kText, "x|null", true},
      {"missing", FieldType::kText, "*", false},
      {"odd", FieldType::kText, "\"a|b*c\"", true},
      {"odd", FieldType::kText, "{a|b*c}", true},
      {"odd", FieldType::kText, "{a|b}*", true},
      {"odd", FieldType::kText, "{a|*}", false},
      {"size", FieldType::kInteger, "1073741824", true},
      {"size", FieldType::kInteger, "1GB", true},
      {"size", FieldType::kInteger, ">1GB", false},
      {"size", FieldType::kInteger, ">=1GB", true},
      {"size", FieldType::kInteger, "<2GB", true},
      {"size", FieldType::kInteger, "1MB..2GB", true},
      {"missing", FieldType::kInteger, "<2GB", false},
      {"missing", FieldType::kInteger, "<2GB|null", true},
      {"enabled", FieldType::kBoolean, "true", true},
      {"services", FieldType::kTexts, "data_nvme_tcp", true},
      {"services", FieldType::kTexts, "data_fcp", false},
      {"list.name", FieldType::kText, "y", true},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(std::string(c.field) + "=" + c.expression);
    Field field;
    field.path = c.field;
    field.type = c.type;
    EXPECT_EQ(Filter(field, c.expression).Matches(Record()), c.is_match);
  }
}

TEST(FilterTest, RefusesValuesThatDoNotSuitTheField) {
  Field number;
  number.path = "size";
  number.type = FieldType::kInteger;
  EXPECT_THROW(Filter(number, "large"), ApiError);
  EXPECT_THROW(Filter(number, ">1XB"), ApiError);
  Field state;
  state.path = "state";
  state.values = {"online", "offline"};
  EXPECT_THROW(Filter(state, "on"), ApiError);
  EXPECT_NO_THROW(Filter(state, "on*"));
  EXPECT_THROW(Filter(state, "\"online"), ApiError);
}

}  // namespace
}  // namespace ontapnvme::sim
