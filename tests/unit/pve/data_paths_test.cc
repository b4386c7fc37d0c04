// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/data_paths.h"

#include "operations_test.h"

namespace ontapnvme::pve {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class DataPathsTest : public OperationsTest {
 protected:
  Status Ensure() { return operations.paths.Ensure(world.target, Budget()); }
  void AddController(const std::string& address, const std::string& state = "live") {
    nvme::Controller controller;
    controller.name = "nvme" + std::to_string(host.controllers.size());
    controller.subsystem_nqn = world.target.subsystem_nqn;
    controller.state = state;
    controller.traddr = address;
    host.controllers.push_back(controller);
  }
  // The addresses of each connect since the last call.
  std::vector<std::vector<std::string>> TakeConnects() {
    std::vector<std::vector<std::string>> connects;
    for (const auto& spec : std::exchange(host.connect_calls, {})) {
      connects.emplace_back();
      for (const auto& path : spec.paths) connects.back().push_back(path.traddr);
    }
    return connects;
  }
};

TEST_F(DataPathsTest, AllMissingPathsAreMadeTogether) {
  ASSERT_TRUE(Succeeds(Ensure()));
  EXPECT_THAT(TakeConnects(), ElementsAre(ElementsAre("192.0.2.1", "192.0.2.2")));
  EXPECT_TRUE(operations.paths.IsAnyLive(world.target.subsystem_nqn));
}

TEST_F(DataPathsTest, WhereAllPathsAreThereNothingIsDone) {
  AddController("192.0.2.1");
  AddController("192.0.2.2", "connecting");
  ASSERT_TRUE(Succeeds(Ensure()));
  EXPECT_THAT(TakeConnects(), IsEmpty());
}

TEST_F(DataPathsTest, OneLivePathDoesNotHideAMissingOne) {
  AddController("192.0.2.2");
  ASSERT_TRUE(Succeeds(Ensure()));
  EXPECT_THAT(TakeConnects(), ElementsAre(ElementsAre("192.0.2.1")));
}

TEST_F(DataPathsTest, PathInAnotherSpellingIsThere) {
  world.target.addresses = {"2001:DB8:0::1"};
  AddController("2001:db8::1");
  ASSERT_TRUE(Succeeds(Ensure()));
  EXPECT_THAT(TakeConnects(), IsEmpty());
}

TEST_F(DataPathsTest, PathToAnotherSubsystemIsNoPath) {
  AddController("192.0.2.1");
  host.controllers.back().subsystem_nqn = "nqn.other";
  EXPECT_FALSE(operations.paths.IsAnyLive(world.target.subsystem_nqn));
  ASSERT_TRUE(Succeeds(Ensure()));
  EXPECT_THAT(TakeConnects(), ElementsAre(ElementsAre("192.0.2.1", "192.0.2.2")));
}

TEST_F(DataPathsTest, PathThatCannotBeMadeIsAWarningWhereAnotherIsLive) {
  host.unreachable = {"192.0.2.1"};
  ASSERT_TRUE(Succeeds(Ensure()));
  EXPECT_THAT(TakeLines(LogLevel::kWarning), ElementsAre(HasSubstr("192.0.2.1")));
}

TEST_F(DataPathsTest, PathThatHasJustFailedIsTriedAgainAfterAMinute) {
  host.unreachable = {"192.0.2.1"};
  ASSERT_TRUE(Succeeds(Ensure()));
  (void)TakeConnects();
  clock.Advance(std::chrono::seconds(59));
  ASSERT_TRUE(Succeeds(Ensure()));
  EXPECT_THAT(TakeConnects(), IsEmpty());
  clock.Advance(std::chrono::seconds(1));
  host.unreachable.clear();
  ASSERT_TRUE(Succeeds(Ensure()));
  EXPECT_THAT(TakeConnects(), ElementsAre(ElementsAre("192.0.2.1")));
}

TEST_F(DataPathsTest, WithoutALivePathEveryMissingOneIsTriedEachTime) {
  host.unreachable = {"192.0.2.1", "192.0.2.2"};
  EXPECT_FALSE(Ensure().ok());
  EXPECT_FALSE(Ensure().ok());
  EXPECT_EQ(TakeConnects().size(), 2U);
}

TEST_F(DataPathsTest, NoLivePathIsAnErrorThatShowsEachPath) {
  AddController("192.0.2.1", "connecting");
  host.unreachable = {"192.0.2.2"};
  const auto ensured = Ensure();
  ASSERT_TRUE(FailedWith(ensured, ErrorCode::kUnavailable));
  EXPECT_THAT(ensured.error().reason(), HasSubstr("192.0.2.2"));
  EXPECT_EQ(ensured.error().Fact("paths"), "192.0.2.1:connecting");
}

TEST_F(DataPathsTest, RefusedSecretIsMoreThanAPathThatIsDown) {
  host.unreachable = {"192.0.2.1"};
  host.refusal = [](const auto&) { return Error(ErrorCode::kUnauthenticated, "wrong secret"); };
  EXPECT_TRUE(FailedWith(Ensure(), ErrorCode::kUnauthenticated));
  host.refusal = [](const auto&) { return Error(ErrorCode::kUnsupported, "no TLS here"); };
  EXPECT_TRUE(FailedWith(Ensure(), ErrorCode::kUnsupported));
}

TEST_F(DataPathsTest, SecretsOfTheStorageGoToTheKernel) {
  secrets.dhchap_host_secret = Secret("DHHC-1:00:host");
  ASSERT_TRUE(Succeeds(Ensure()));
  ASSERT_EQ(host.connect_calls.size(), 1U);
  EXPECT_FALSE(host.connect_calls[0].dhchap_host_secret.empty());
  EXPECT_EQ(host.connect_calls[0].host.host_nqn, host.identity.host_nqn);
  EXPECT_EQ(host.connect_calls[0].paths[0].port, 4420);
}

TEST_F(DataPathsTest, MissingKeyIsNotTriedWithout) {
  config.is_nvme_tls = true;
  EXPECT_TRUE(FailedWith(Ensure(), ErrorCode::kInvalidArgument));
  EXPECT_THAT(TakeConnects(), IsEmpty());
}

}  // namespace
}  // namespace ontapnvme::pve
