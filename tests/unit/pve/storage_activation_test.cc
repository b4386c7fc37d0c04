// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/storage_activation.h"

#include "operations_test.h"

namespace ontapnvme::pve {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class StorageActivationTest : public OperationsTest {
 protected:
  Status Activate() { return operations.storage_activation.Activate(Budget()); }
  Status Forget() { return operations.storage_activation.Forget(Budget()); }
  void RefuseUntilRegisteredAnew() {
    host.refusal = [this](const auto&) -> std::optional<Error> {
      if (world.registered_anew > 0) return std::nullopt;
      return Error(ErrorCode::kUnauthenticated, "wrong secret");
    };
  }
};

TEST_F(StorageActivationTest, HostIsRegisteredAndAllPathsAreMade) {
  ASSERT_TRUE(Succeeds(Activate()));
  EXPECT_THAT(world.registered_hosts, ElementsAre(host.identity.host_nqn));
  EXPECT_EQ(host.controllers.size(), 2U);
  EXPECT_THAT(world.TakeCalls(), ElementsAre("Target"));
}

TEST_F(StorageActivationTest, LifsThatHaveMovedAreAskedFor) {
  ASSERT_TRUE(Succeeds(Activate()));
  host.controllers.clear();
  host.unreachable = {"192.0.2.1", "192.0.2.2"};
  EXPECT_TRUE(FailedWith(Activate(), ErrorCode::kUnavailable));
  EXPECT_THAT(world.TakeCalls(), Contains("RefreshTarget"));
}

TEST_F(StorageActivationTest, SilentArrayIsNoErrorWherePathsAreRemembered) {
  ASSERT_TRUE(Succeeds(Activate()));
  world.silence = Silence();
  EXPECT_TRUE(Succeeds(Activate()));
}

TEST_F(StorageActivationTest, ChangedSecretsAreGivenToTheArrayOnce) {
  secrets.dhchap_host_secret = Secret("DHHC-1:00:new");
  RefuseUntilRegisteredAnew();
  ASSERT_TRUE(Succeeds(Activate()));
  EXPECT_EQ(world.registered_anew, 1);
  EXPECT_THAT(TakeLines(LogLevel::kWarning), ElementsAre(HasSubstr("anew")));
}

TEST_F(StorageActivationTest, SecretsThatDoNotHelpAreGivenAgainAfterTenMinutesOnly) {
  secrets.dhchap_host_secret = Secret("DHHC-1:00:new");
  host.refusal = [](const auto&) { return Error(ErrorCode::kUnauthenticated, "wrong secret"); };
  EXPECT_TRUE(FailedWith(Activate(), ErrorCode::kUnauthenticated));
  EXPECT_TRUE(FailedWith(Activate(), ErrorCode::kUnauthenticated));
  EXPECT_EQ(world.registered_anew, 1);
  clock.Advance(std::chrono::minutes(10));
  EXPECT_TRUE(FailedWith(Activate(), ErrorCode::kUnauthenticated));
  EXPECT_EQ(world.registered_anew, 2);
}

TEST_F(StorageActivationTest, NodeThatHasLostItsSecretsDoesNotTakeThemFromTheArray) {
  RefuseUntilRegisteredAnew();
  EXPECT_TRUE(FailedWith(Activate(), ErrorCode::kUnauthenticated));
  EXPECT_EQ(world.registered_anew, 0);
}

// ---- removed

TEST_F(StorageActivationTest, RemovedStorageIsDisconnectedAndForgotten) {
  ASSERT_TRUE(Succeeds(Activate()));
  node.facts.Store({{"a", "1"}});
  ASSERT_TRUE(Succeeds(Forget()));
  EXPECT_EQ(host.disconnects, 1);
  EXPECT_TRUE(world.is_forgotten);
  EXPECT_FALSE(node.facts.Load().has_value());
}

TEST_F(StorageActivationTest, SubsystemInUseStaysConnectedAndLinksInUseStay) {
  ASSERT_TRUE(Succeeds(Activate()));
  for (const char* name : {"vm-100-disk-0", "vm-100-disk-1"}) {
    const Uuid uuid = world.AddDisk(name).uuid;
    folder.Write(DevicePath(uuid).substr(folder.path().size() + 1), "");
    ASSERT_TRUE(node.links.Point(name, DevicePath(uuid)).ok());
  }
  Use(UuidOf("vm-100-disk-0"));
  ASSERT_TRUE(Succeeds(Forget()));
  EXPECT_EQ(host.disconnects, 0);
  EXPECT_NE(LinkOf("vm-100-disk-0"), "");
  EXPECT_EQ(LinkOf("vm-100-disk-1"), "");
  EXPECT_THAT(TakeLines(LogLevel::kInfo), Contains(HasSubstr("process 12 (kvm)")));
}

TEST_F(StorageActivationTest, StorageThatWasNeverActiveIsForgottenQuietly) {
  ASSERT_TRUE(Succeeds(Forget()));
  EXPECT_EQ(host.disconnects, 0);
  EXPECT_THAT(world.TakeCalls(), IsEmpty());
}

}  // namespace
}  // namespace ontapnvme::pve
