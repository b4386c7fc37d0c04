// SPDX-License-Identifier: AGPL-3.0-or-later
#include "nvme/resolve_by_topology.h"

#include <gtest/gtest.h>

#include "fakes/nvme_fakes.h"

namespace ontapnvme::nvme {
namespace {

class ResolveByTopologyTest : public testing::Test {
 protected:
  ResolveByTopologyTest() { wanted_.uuid = TestUuid(1); }
  Result<std::string> Resolve(HelperOutcome outcome) {
    helpers_.answers = {std::move(outcome)};
    return ResolveByTopology(helpers_, wanted_, Deadline(clock_, Duration(1000)));
  }
  HandClock clock_;
  FakeHelpers helpers_;
  WantedDevice wanted_;
};

TEST_F(ResolveByTopologyTest, TakesTheNamespaceWithTheUuid) {
  const std::string lines = "ns nvme0n1 " + TestUuid(2).Text() + " " + kNqn + "\nns nvme0n63 " +
                            TestUuid(1).Text() + " " + kNqn + "\nok\n";
  EXPECT_EQ(*Resolve(FakeHelpers::Answer(lines)), "nvme0n63");
  EXPECT_EQ(helpers_.requests.front(), "verb=topology\n");
}

TEST_F(ResolveByTopologyTest, SkipsPathsAndMalformedLines) {
  const std::string lines =
      "ns nvme0c1n1 " + TestUuid(1).Text() + " x\nns nvme0n2 1234 x\nns\n\nok\n";
  const auto missing = Resolve(FakeHelpers::Answer(lines));
  ASSERT_TRUE(FailedWith(missing, ErrorCode::kDeviceMissing));
  EXPECT_EQ(missing.error().sentence(), "none of 1 namespaces that libnvme lists has this UUID");
}

TEST_F(ResolveByTopologyTest, ReportsWhyThereIsNoAnswer) {
  EXPECT_TRUE(
      FailedWith(Resolve(FakeHelpers::Answer("error 5 scan failed\n")), ErrorCode::kDeviceMissing));
  EXPECT_TRUE(
      FailedWith(Resolve({HelperOutcome::End::kTimedOut, "", ""}), ErrorCode::kDeviceMissing));
  EXPECT_TRUE(FailedWith(Resolve({HelperOutcome::End::kFailed, "", "cannot start it"}),
                         ErrorCode::kDeviceMissing));
  EXPECT_TRUE(
      FailedWith(Resolve({HelperOutcome::End::kInterrupted, "", ""}), ErrorCode::kInterrupted));
}

}  // namespace
}  // namespace ontapnvme::nvme
