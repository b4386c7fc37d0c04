// SPDX-License-Identifier: AGPL-3.0-or-later
#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace ontapnvme {
namespace {

Result<int> Half(int number) {
  if (number % 2 != 0) return Error(ErrorCode::kInvalidArgument, "odd");
  return number / 2;
}

Result<int> Quarter(int number) {
  TRY(const int half, Half(number));
  TRY(const int quarter, Half(half));
  return quarter;
}

Status CheckEven(int number) {
  TRY(const int half, Half(number));
  (void)half;
  return {};
}

Status CheckBoth(int a, int b) {
  TRY_STATUS(CheckEven(a));
  TRY_STATUS(CheckEven(b));
  return {};
}

TEST(ResultTest, HoldsAValueOrAnError) {
  EXPECT_TRUE(Half(4).ok());
  EXPECT_EQ(*Half(4), 2);
  EXPECT_TRUE(FailedWith(Half(3), ErrorCode::kInvalidArgument));
  EXPECT_FALSE(FailedWith(Half(4), ErrorCode::kInvalidArgument));
}

TEST(ResultTest, TryHandsTheFirstErrorOn) {
  EXPECT_EQ(*Quarter(8), 2);
  EXPECT_EQ(Quarter(6).error().sentence(), "odd");
}

TEST(ResultTest, TryStatusHandsTheFirstErrorOn) {
  EXPECT_TRUE(CheckBoth(2, 4).ok());
  EXPECT_FALSE(CheckBoth(2, 3).ok());
  EXPECT_FALSE(CheckBoth(3, 2).ok());
}

TEST(ResultTest, MovesWhatCannotBeCopied) {
  Result<std::unique_ptr<int>> result(std::make_unique<int>(7));
  const std::unique_ptr<int> value = std::move(result).value();
  EXPECT_EQ(*value, 7);
}

}  // namespace
}  // namespace ontapnvme
