// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/undo_steps.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "catalogue/disk_store.h"
#include "fakes/fake_clock.h"

namespace ontapnvme::catalogue {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(UndoStepsTest, RunBackwardsOnceAndWithinTheirOwnBudget) {
  fakes::FakeClock clock;
  const Deadline over(clock, Duration(0));
  UndoSteps undo;
  std::vector<int> order;
  for (int i = 1; i <= 3; ++i) {
    undo.Add(std::to_string(i), [&, i](const Deadline& grace) {
      EXPECT_EQ(grace.Remaining(), kUndoBudget);
      order.push_back(i);
      return Status();
    });
  }
  const auto error = undo.Run(Error(ErrorCode::kBusy, "cannot do it"), over);
  EXPECT_THAT(order, ElementsAre(3, 2, 1));
  EXPECT_THAT(error.facts(), IsEmpty());
  (void)undo.Run(error, over);
  EXPECT_EQ(order.size(), 3U) << "once";
}

TEST(UndoStepsTest, WhatStaysIsAFactAndTheRestIsUndoneAllTheSame) {
  fakes::FakeClock clock;
  UndoSteps undo;
  bool is_first_undone = false;
  undo.Add("first", [&](const Deadline&) {
    is_first_undone = true;
    return Status();
  });
  undo.Add(
      "second", [](const Deadline&) { return Status(Error(ErrorCode::kTimedOut, "no")); },
      "look at it");
  const auto error =
      undo.Run(Error(ErrorCode::kBusy, "cannot do it"), Deadline(clock, Duration(0)));
  EXPECT_TRUE(is_first_undone);
  EXPECT_EQ(error.code(), ErrorCode::kBusy);
  EXPECT_EQ(error.Fact("left_over"), "second");
  EXPECT_THAT(error.Line(), testing::HasSubstr("look at it"));
}

}  // namespace
}  // namespace ontapnvme::catalogue
