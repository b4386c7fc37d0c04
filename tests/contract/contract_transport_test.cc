// SPDX-License-Identifier: AGPL-3.0-or-later
// What goes wrong on the way: the client above the simulator's accidents. A real array has none to
// order.
#include "contract/array_under_test.h"

namespace ontapnvme::contract {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class TransportContract : public ContractFixture {
 protected:
  void SetUp() override {
    ContractFixture::SetUp();
    if (IsReal()) GTEST_SKIP() << "accidents are the simulator's";
  }
  void AddFault(json fault) {
    fault["cmd"] = "fault-add";
    simulator_->Control(fault);
  }
  json VolumeFault(const char* action, json value = true) {
    return {{"method", "POST"}, {"path", "/storage/volumes"}, {action, std::move(value)}};
  }
};
INSTANTIATE_TEST_SUITE_P(Array, TransportContract, ::testing::ValuesIn(Variants()), VariantName);

TEST_P(TransportContract, AReadSurvivesALostOrRefusedRequest) {
  AddFault({{"method", "GET"}, {"drop_before", true}});
  AddFault({{"method", "GET"}, {"drop_after", true}});
  AddFault({{"method", "GET"}, {"status", 503}, {"code", 8}});
  AddFault({{"method", "GET"}, {"truncated", true}});
  ASSERT_SUCCEEDS(svms_->Read(address_.svm, Budget()));
}

TEST_P(TransportContract, ALostCreationLeavesTheOutcomeOpen) {
  for (const char* action : {"drop_before", "drop_after", "truncated", "malformed"}) {
    const std::string part = std::string("v_") + action;
    AddFault(VolumeFault(action));
    const auto made = volumes_->Create(Spec(part), Budget());
    ASSERT_FALSE(made.ok()) << action;
    EXPECT_TRUE(made.error().outcome_unknown()) << action;
    const auto found = volumes_->Find(Name(part), Budget());
    ASSERT_SUCCEEDS(found);
    EXPECT_EQ(found->has_value(), std::string(action) != "drop_before") << action;
  }
}

TEST_P(TransportContract, ARefusedCreationIsRepeated) {
  AddFault(VolumeFault("status", 503));
  EXPECT_FALSE(MakeVolume("v").IsNil());
}

TEST_P(TransportContract, ALostDeletionIsSettledByRepeating) {
  const Uuid uuid = MakeVolume("v");
  AddFault({{"method", "DELETE"}, {"drop_after", true}});
  ASSERT_SUCCEEDS(volumes_->Delete(uuid, false, Budget()));
}

TEST_P(TransportContract, AJobThatFailedOrVanishedIsTold) {
  if (!GetParam().has_jobs) GTEST_SKIP() << "no jobs in this variant";
  AddFault(VolumeFault("job_failure", 1245212));
  EXPECT_FAILS_WITH(volumes_->Create(Spec("v"), Budget()), ErrorCode::kNoSpace);
  AddFault(VolumeFault("job_vanishes"));
  const auto gone = volumes_->Create(Spec("v"), Budget());
  EXPECT_FAILS_WITH(gone, ErrorCode::kUnavailable);
  EXPECT_EQ(gone.error().Fact("job_state"), "gone");
  EXPECT_TRUE(gone.error().outcome_unknown());
  AddFault(VolumeFault("job_polls", 4));
  EXPECT_FALSE(MakeVolume("slow").IsNil());
}

TEST_P(TransportContract, ARedirectIsRefused) {
  AddFault({{"method", "GET"}, {"redirect", "https://elsewhere.example/api"}});
  const auto svm = svms_->Read(address_.svm, Budget());
  EXPECT_FAILS_WITH(svm, ErrorCode::kUnavailable);
  EXPECT_THAT(svm.error().Line(), HasSubstr("elsewhere.example"));
}

TEST_P(TransportContract, AnAnswerThatIsTooLargeIsRefused) {
  AddFault({{"method", "GET"}, {"huge", 70000000}});
  EXPECT_FAILS_WITH(svms_->Read(address_.svm, Budget()), ErrorCode::kUnavailable);
}

TEST_P(TransportContract, AnAnswerThatIsNoJsonIsRefused) {
  AddFault({{"method", "GET"}, {"malformed", true}});
  EXPECT_FAILS_WITH(svms_->Read(address_.svm, Budget()), ErrorCode::kInternal);
}

TEST_P(TransportContract, SilenceEndsWithTheBudget) {
  AddFault({{"method", "GET"}, {"never_answer", true}});
  const Deadline deadline(SystemClock(), Duration(300));
  EXPECT_FAILS_WITH(svms_->Read(address_.svm, deadline), ErrorCode::kTimedOut);
}

TEST_P(TransportContract, AMissingRightIsNamed) {
  simulator_->Control(
      {{"cmd", "set"}, {"permissions", {{"admin", {"POST /api/storage/volumes.*"}}}}});
  const auto made = volumes_->Create(Spec("v"), Budget());
  EXPECT_FAILS_WITH(made, ErrorCode::kPermissionDenied);
  EXPECT_THAT(made.error().Line(), HasSubstr("'read_create' to /api/storage/volumes"));
}

}  // namespace
}  // namespace ontapnvme::contract
