// SPDX-License-Identifier: AGPL-3.0-or-later
#include "http/url.h"

#include <gtest/gtest.h>

namespace ontapnvme::http {
namespace {

TEST(PathSegmentTest, LeavesUnreservedCharacters) {
  EXPECT_EQ(PathSegment("aZ09-._~"), "aZ09-._~");
}

TEST(PathSegmentTest, EncodesEverythingElse) {
  EXPECT_EQ(PathSegment("nqn.2014-08.org:x/y"), "nqn.2014-08.org%3Ax%2Fy");
  EXPECT_EQ(PathSegment("a b?c#d%"), "a%20b%3Fc%23d%25");
  EXPECT_EQ(PathSegment("ä"), "%C3%A4");
  EXPECT_EQ(PathSegment(std::string_view("\0\n", 2)), "%00%0A");
}

// A server that resolves dot segments would apply the request to the parent.
TEST(PathSegmentTest, EncodesSegmentsOfDots) {
  EXPECT_EQ(PathSegment("."), "%2E");
  EXPECT_EQ(PathSegment(".."), "%2E%2E");
  EXPECT_EQ(PathSegment("..a"), "..a");
}

TEST(QueryTest, EncodesKeysAndValues) {
  Query query;
  EXPECT_TRUE(query.empty());
  query.Add("name", "a&b=c+d e").Add("fields", "uuid,space.size").Add("path", "/vol/v/n");
  EXPECT_EQ(query.After("/api/x"),
            "/api/x?name=a%26b%3Dc%2Bd%20e&fields=uuid,space.size&path=/vol/v/n");
}

TEST(QueryTest, KeepsWildcardsReadable) {
  EXPECT_EQ(Query().Add("name", "vm_*|\"x\"").After("/a"), "/a?name=vm_*%7C%22x%22");
}

TEST(QueryTest, AddsNoQuestionMarkWhenEmpty) {
  EXPECT_EQ(Query().After("/api/x"), "/api/x");
}

TEST(PathOfTest, CutsTheQuery) {
  EXPECT_EQ(PathOf("/a/b?c=d?e"), "/a/b");
  EXPECT_EQ(PathOf("/a/b"), "/a/b");
}

}  // namespace
}  // namespace ontapnvme::http
