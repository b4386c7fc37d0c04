// SPDX-License-Identifier: AGPL-3.0-or-later
// One request of a healthy array's is never answered: a switch that rebooted, a packet that nobody
// sends again. It costs some seconds, and neither the task nor the storage lock, which Proxmox gives
// for 60 s. (A snapshot, for which a guest stands still, is given less: freeze_test.cc.)
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "fault/storage_rig.h"

namespace ontapnvme::fault {
namespace {

using std::chrono::seconds;

constexpr int kRequestsMax = 30;
// See rest_client.cc: the array holds a change for 20 s, and its answer is waited for 10 s longer.
constexpr seconds kLostChange{30};

struct Task {
  std::function<void(StorageRig&)> prepare;
  std::function<Status(StorageRig&)> run;
};

template <typename T>
Status Outcome(const Result<T>& result) {
  return result.ok() ? Status() : Status(result.error());
}

class LostAnswerTest : public testing::TestWithParam<const char*> {
 protected:
  static const Task& Tested() {
    static const std::map<std::string, Task> kTasks = {
        {"allocate",
         {[](auto& rig) { rig.MustAllocate(100); },
          [](auto& rig) { return Outcome(rig.storage().Allocate(100, "", 1024)); }}},
        {"free",
         {[](auto& rig) { rig.MustAllocate(100); },
          [](auto& rig) { return rig.storage().Free("vm-100-disk-0"); }}},
        {"resize",
         {[](auto& rig) { rig.MustAllocate(100); },
          [](auto& rig) {
            return rig.storage().Resize("vm-100-disk-0", std::uint64_t{1} << 30U);
          }}},
        {"list",
         {[](auto& rig) { rig.MustAllocate(100); },
          [](auto& rig) { return Outcome(rig.storage().List(std::nullopt)); }}},
    };
    return kTasks.at(GetParam());
  }

  // The task with each of its requests in turn going wrong by `rule`.
  static void ForEachRequest(
      nlohmann::json rule, const std::function<void(StorageRig&, const Status&, Duration)>& look) {
    for (int nth = 1;; ++nth) {
      ASSERT_LE(nth, kRequestsMax);
      SCOPED_TRACE("request " + std::to_string(nth));
      TestArray array;
      StorageRig rig(array);
      Tested().prepare(rig);
      rule["nth"] = nth;
      array.AddFault(rule);
      const auto begun = array.clock->Now();
      const Status done = Tested().run(rig);
      const auto took = std::chrono::duration_cast<Duration>(array.clock->Now() - begun);
      if (!array.FaultFired()) {
        EXPECT_GT(nth, 1) << "nothing went wrong";
        return;
      }
      look(rig, done, took);
      EXPECT_THAT(array.Orphans(), testing::IsEmpty());
    }
  }
};

// Of tasks that change something.
class LostChangeTest : public LostAnswerTest {};

TEST_P(LostAnswerTest, ToAReadCostsSeconds) {
  ForEachRequest({{"never_answer", true}, {"method", "GET"}},
                 [](auto&, const Status& done, Duration took) {
                   EXPECT_TRUE(done.ok()) << done.error().Line();
                   EXPECT_LT(took, seconds(8));
                 });
}

TEST_P(LostChangeTest, IsSettledByTheObject) {
  ForEachRequest({{"never_answer", true}, {"method", "POST|PATCH|DELETE"}},
                 [](auto&, const Status& done, Duration took) {
                   EXPECT_TRUE(done.ok()) << done.error().Line();
                   EXPECT_GE(took, seconds(10)) << "the array was given its time";
                   EXPECT_LE(took, kLostChange + seconds(5));
                 });
}

TEST_P(LostChangeTest, LeavesTheLockInTimeWhenItNeverArrived) {
  ForEachRequest({{"never_answer", true}, {"applied", false}, {"method", "POST|PATCH|DELETE"}},
                 [](auto& rig, const Status& done, Duration took) {
                   EXPECT_LT(took, seconds(50));
                   if (!done.ok()) {
                     const Status again = Tested().run(rig);
                     EXPECT_TRUE(again.ok()) << again.error().Line();
                   }
                 });
}

TEST_P(LostAnswerTest, SilentArrayIsWaitedForNoLongerThanTheCallMayTake) {
  TestArray array;
  StorageRig rig(array);
  Tested().prepare(rig);
  array.AddFault({{"never_answer", true}, {"times", -1}});
  const auto begun = array.clock->Now();
  EXPECT_FALSE(Tested().run(rig).ok());
  EXPECT_LE(array.clock->Now() - begun, seconds(55));
}

INSTANTIATE_TEST_SUITE_P(Tasks, LostChangeTest, testing::Values("allocate", "free", "resize"),
                         [](const auto& tested) { return std::string(tested.param); });
INSTANTIATE_TEST_SUITE_P(Tasks, LostAnswerTest,
                         testing::Values("allocate", "free", "resize", "list"),
                         [](const auto& tested) { return std::string(tested.param); });

}  // namespace
}  // namespace ontapnvme::fault
