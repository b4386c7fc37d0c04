// SPDX-License-Identifier: AGPL-3.0-or-later
#include "query.h"

#include <gtest/gtest.h>

#include "api_error.h"

namespace ontapnvme::sim {
namespace {

TEST(QueryTest, TakesTheCommonParametersOut) {
  const Query query = Query::Parse(
      "/api/storage/volumes?name=a%2Ab&fields=size,space.%7Bused%7D&max_records=7"
      "&return_timeout=20&order_by=name+desc&ignore_unknown_fields=true");
  EXPECT_EQ(query.path, (std::vector<std::string>{"storage", "volumes"}));
  EXPECT_EQ(query.params, (std::map<std::string, std::string>{{"name", "a*b"}}));
  EXPECT_EQ(query.fields, "size,space.{used}");
  EXPECT_EQ(query.order_by, "name desc");
  EXPECT_EQ(query.max_records, 7U);
  EXPECT_EQ(query.return_timeout_s, 20);
  EXPECT_TRUE(query.ignore_unknown_fields);
}

TEST(QueryTest, ResolvesDotSegmentsUnlessTheyAreEscaped) {
  EXPECT_EQ(Query::Parse("/api/a/b/../c").path, (std::vector<std::string>{"a", "c"}));
  EXPECT_EQ(Query::Parse("/api/a/%2E%2E/c").path, (std::vector<std::string>{"a", "..", "c"}));
}

TEST(QueryTest, DecodesAPathSegmentAfterSplitting) {
  EXPECT_EQ(Query::Parse("/api/hosts/nqn.2014%3Aa%2Fb").path,
            (std::vector<std::string>{"hosts", "nqn.2014:a/b"}));
}

TEST(QueryTest, RefusesWhatIsMalformed) {
  for (const char* target :
       {"/api/cluster?a=1&a=2", "/api/cluster?max_records=0", "/api/cluster?max_records=x",
        "/api/cluster?return_timeout=121", "/api/cluster?return_records=1", "/api/clu ster",
        "/api/cluster?order_by=name desc", "/api/cluster?a=%4", "/other/cluster", ""}) {
    SCOPED_TRACE(target);
    EXPECT_THROW(Query::Parse(target), ApiError);
  }
}

TEST(QueryTest, EncodingAndDecodingAreInverse) {
  const std::string text = "nqn.2014-08.org:uuid:1/ä&=+ %";
  EXPECT_EQ(PercentDecode(PercentEncode(text), true), text);
}

}  // namespace
}  // namespace ontapnvme::sim
