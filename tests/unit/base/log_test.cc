// SPDX-License-Identifier: AGPL-3.0-or-later
#include "base/log.h"

#include <gtest/gtest.h>

namespace ontapnvme {
namespace {

TEST(LogTest, HandsOverWhatWasCollectedAndForgetsIt) {
  Log log;
  log.Trace("zero");
  log.Debug("one");
  log.Info("two");
  log.Warning("three");
  const auto records = log.Take();
  ASSERT_EQ(records.size(), 4U);
  EXPECT_EQ(records[0].level, LogLevel::kTrace);
  EXPECT_EQ(records[1].level, LogLevel::kDebug);
  EXPECT_EQ(records[2].text, "two");
  EXPECT_EQ(records[3].level, LogLevel::kWarning);
  EXPECT_TRUE(log.Take().empty());
}

TEST(LogTest, MakesOneLineOfEachRecord) {
  Log log;
  log.Info("a\nb");
  EXPECT_EQ(log.Take().front().text, "a b");
}

TEST(LogTest, IsBounded) {
  Log log;
  for (int i = 0; i < 10000; ++i) log.Debug(std::string(5000, 'x'));
  const auto records = log.Take();
  EXPECT_LE(records.size(), 1000U);
  EXPECT_LE(records.front().text.size(), 1100U);
}

TEST(LogTest, KeepsAWarningThatComesAfterManyDetails) {
  Log log;
  for (int i = 0; i < 10000; ++i) log.Trace("GET /api/things 200 1 ms");
  log.Warning("a path is missing");
  EXPECT_EQ(log.Take().back().text, "a path is missing");
}

}  // namespace
}  // namespace ontapnvme
