// SPDX-License-Identifier: AGPL-3.0-or-later
// DH-HMAC-CHAP secrets that change after a node was registered: the array takes new ones only while
// a host is added, and a host that is removed loses its paths.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fault/storage_rig.h"

namespace ontapnvme::fault {
namespace {

using testing::HasSubstr;

constexpr const char* kOld = "DHHC-1:00:b2xk:";
constexpr const char* kNew = "DHHC-1:00:bmV3:";

class AuthenticationTest : public testing::Test {
 protected:
  // The secret that the array has for the node; "-" where it does not know it.
  std::string SecretOnArray() {
    for (const auto& subsystem : array.sim.world().subsystems) {
      for (const auto& host : subsystem.hosts) return host.host_secret;
    }
    return "-";
  }
  // A node of that secret, whose array lets in whoever has the one it knows.
  std::unique_ptr<StorageRig> Node(const char* secret) {
    auto rig = std::make_unique<StorageRig>(array, RigOptions{.dhchap_secret = secret});
    rig->host().refusal = [this](const nvme::ConnectSpec& spec) -> std::optional<Error> {
      if (spec.dhchap_host_secret.Reveal() == SecretOnArray()) return std::nullopt;
      return Error(ErrorCode::kUnauthenticated, "cannot connect path").Because("key was rejected");
    };
    return rig;
  }
  static std::string Said(StorageRig& rig) {
    std::string text;
    for (const auto& record : rig.storage().TakeLog()) text += record.text + "\n";
    return text;
  }

  TestArray array;
};

TEST_F(AuthenticationTest, TheFirstSecretIsRegisteredAndConnects) {
  auto node = Node(kOld);
  ASSERT_TRUE(node->storage().Activate().ok());
  EXPECT_EQ(SecretOnArray(), kOld);
  EXPECT_FALSE(node->host().controllers.empty());
}

TEST_F(AuthenticationTest, ANodeWithoutPathsIsRegisteredAnewWithTheChangedSecret) {
  ASSERT_TRUE(Node(kOld)->storage().Activate().ok());
  auto node = Node(kNew);  // the node was restarted
  const Status activated = node->storage().Activate();
  ASSERT_TRUE(activated.ok()) << activated.error().Line();
  EXPECT_EQ(SecretOnArray(), kNew);
  EXPECT_THAT(Said(*node), HasSubstr("anew"));
}

TEST_F(AuthenticationTest, PathsThatAreLiveAreNotCutForIt) {
  ASSERT_TRUE(Node(kOld)->storage().Activate().ok());
  auto node = Node(kNew);
  nvme::Controller live;
  live.subsystem_nqn = array.sim.world().subsystems.begin()->target_nqn;
  live.state = "live";
  live.traddr = "127.0.0.1";
  node->host().controllers.push_back(live);
  ASSERT_TRUE(node->storage().Activate().ok());
  EXPECT_EQ(SecretOnArray(), kOld);
  EXPECT_THAT(Said(*node), HasSubstr("key was rejected"));
}

TEST_F(AuthenticationTest, ANodeThatHasLostItsSecretsTakesNoneFromTheArray) {
  ASSERT_TRUE(Node(kOld)->storage().Activate().ok());
  const Status activated = Node("")->storage().Activate();
  EXPECT_TRUE(FailedWith(activated, ErrorCode::kUnauthenticated));
  EXPECT_THAT(activated.error().Line(), HasSubstr("secrets"));
  EXPECT_EQ(SecretOnArray(), kOld);
}

TEST_F(AuthenticationTest, WhatDoesNotHelpIsNotTriedAtEachPoll) {
  ASSERT_TRUE(Node(kOld)->storage().Activate().ok());
  auto node = Node(kNew);
  node->host().refusal = [](const nvme::ConnectSpec&) {
    return Error(ErrorCode::kUnauthenticated, "cannot connect path");
  };
  for (int poll = 0; poll < 3; ++poll) {
    EXPECT_TRUE(FailedWith(node->storage().Activate(), ErrorCode::kUnauthenticated));
  }
  const auto requests = array.Requests();
  EXPECT_EQ(std::count_if(requests.begin(), requests.end(),
                          [](const auto& line) { return line.starts_with("DELETE "); }),
            1);
}

TEST_F(AuthenticationTest, RegisteringThatFailsHalfWayIsMadeGoodByTheNextPoll) {
  ASSERT_TRUE(Node(kOld)->storage().Activate().ok());
  auto node = Node(kNew);
  array.AddFault({{"method", "POST"}, {"path", "/hosts"}, {"status", 403}});
  const Status refused = node->storage().Activate();
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().Line(), HasSubstr("cannot give the array the changed secrets"));
  EXPECT_EQ(SecretOnArray(), "-");
  EXPECT_TRUE(node->storage().Activate().ok());
  EXPECT_EQ(SecretOnArray(), kNew);
}

TEST_F(AuthenticationTest, WhatANodeLacksIsNotTakenForARefusedSecret) {
  ASSERT_TRUE(Node(kOld)->storage().Activate().ok());
  auto node = Node(kOld);
  node->host().refusal = [](const nvme::ConnectSpec&) {
    return Error(ErrorCode::kUnsupported, "cannot connect path").Try("start 'tlshd'");
  };
  const Status refused = node->storage().Activate();
  ASSERT_TRUE(FailedWith(refused, ErrorCode::kUnsupported)) << refused.error().Line();
  EXPECT_THAT(refused.error().Line(), HasSubstr("start 'tlshd'"));
  EXPECT_THAT(refused.error().Line(), HasSubstr("turn the setting off"));
  EXPECT_EQ(SecretOnArray(), kOld);
}

TEST_F(AuthenticationTest, TlsWithoutAKeyIsRefusedBeforeAnythingIsSent) {
  StorageRig node(array, {.settings = {{"nvme_tls", "1"}}});
  const Status added = node.storage().Verify();
  ASSERT_TRUE(FailedWith(added, ErrorCode::kInvalidArgument));
  EXPECT_THAT(added.error().Line(), HasSubstr("--nvme_tls_psk"));
  EXPECT_EQ(array.Count(), 0);
  const Status activated = node.storage().Activate();
  ASSERT_TRUE(FailedWith(activated, ErrorCode::kInvalidArgument));
  EXPECT_THAT(activated.error().Line(), HasSubstr("--nvme_tls_psk"));
  EXPECT_TRUE(node.host().connect_calls.empty());
}

TEST_F(AuthenticationTest, TlsWithAKeyConnectsWithIt) {
  StorageRig node(array, {.settings = {{"nvme_tls", "1"}}, .tls_psk = "NVMeTLSkey-1:01:eA==:"});
  ASSERT_TRUE(node.storage().Activate().ok());
  ASSERT_FALSE(node.host().connect_calls.empty());
  EXPECT_TRUE(node.host().connect_calls.front().is_tls);
  EXPECT_EQ(node.host().connect_calls.front().tls_psk.Reveal(), "NVMeTLSkey-1:01:eA==:");
}

}  // namespace
}  // namespace ontapnvme::fault
