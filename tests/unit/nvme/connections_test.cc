// SPDX-License-Identifier: AGPL-3.0-or-later
#include "nvme/connections.h"

#include <gtest/gtest.h>

#include "fakes/nvme_fakes.h"
#include "fakes/sysfs_tree.h"

namespace ontapnvme::nvme {
namespace {

constexpr const char* kSecret = "DHHC-1:00:TopSecretTopSecretTopSecret=:";

class ConnectionsTest : public testing::Test {
 protected:
  ConnectionsTest() {
    tree_.AddSubsystem(0, kNqn);
    spec_.subsystem_nqn = kNqn;
    spec_.host = {"nqn.2014-08.org.nvmexpress:uuid:node", "3c2f4d1e-0a1b-4c2d-8e3f-112233445566"};
    spec_.paths = {{"10.0.0.1"}, {"fd00::2"}};
    spec_.dhchap_host_secret = Secret(kSecret);
  }
  std::vector<PathResult> Connect() { return connections_.Connect(spec_, deadline_); }

  SysfsTree tree_;
  RootedFiles sys_{tree_.sys()};
  FakeHelpers helpers_;
  HandClock clock_;
  Deadline deadline_{clock_, Duration(1000)};
  Connections connections_{sys_, helpers_};
  ConnectSpec spec_;
};

TEST_F(ConnectionsTest, ConnectsEveryPathThatIsMissing) {
  const auto results = Connect();
  ASSERT_EQ(results.size(), 2U);
  EXPECT_TRUE(results[0].status.ok());
  EXPECT_EQ(results[1].traddr, "fd00::2");
  ASSERT_EQ(helpers_.requests.size(), 2U);
  const auto& request = helpers_.requests[1];
  for (const std::string& line : {std::string("verb=connect\n"), std::string("nqn=") + kNqn + "\n",
                                  std::string("traddr=fd00::2\n"), std::string("trsvcid=4420\n"),
                                  std::string("dhchap_secret=") + kSecret + "\n"}) {
    EXPECT_NE(request.find(line), std::string::npos) << line;
  }
  EXPECT_EQ(request.find("tls"), std::string::npos);
}

TEST_F(ConnectionsTest, OneLivePathDoesNotHideAMissingOne) {
  tree_.AddController(0, 1, "10.0.0.1");
  const auto results = Connect();
  EXPECT_TRUE(results[0].status.ok());
  ASSERT_EQ(helpers_.requests.size(), 1U);
  EXPECT_NE(helpers_.requests[0].find("traddr=fd00::2"), std::string::npos);
}

TEST_F(ConnectionsTest, LeavesAPathToTheKernelThatIsReconnectingIt) {
  tree_.AddController(0, 1, "10.0.0.1", "connecting");
  tree_.AddController(0, 2, "fd00:0:0::2", "resetting");
  for (const auto& result : Connect()) EXPECT_TRUE(result.status.ok());
  EXPECT_TRUE(helpers_.requests.empty());
}

TEST_F(ConnectionsTest, ReplacesAPathThatIsGoing) {
  tree_.AddController(0, 1, "10.0.0.1", "deleting (no IO)");
  tree_.AddController(0, 2, "fd00::2", "dead");
  Connect();
  EXPECT_EQ(helpers_.requests.size(), 2U);
}

TEST_F(ConnectionsTest, DoesNotTakeAnotherSubsystemsOrHostsPathForItsOwn) {
  tree_.AddSubsystem(1, "nqn.2014-08.com.example:other");
  tree_.AddController(1, 1, "10.0.0.1");
  tree_.AddController(0, 2, "fd00::2");
  tree_.Write("sys/class/nvme/nvme2/hostnqn", "nqn.2014-08.com.example:former-host\n");
  Connect();
  EXPECT_EQ(helpers_.requests.size(), 2U);
}

TEST_F(ConnectionsTest, CallsAlreadyConnectedASuccess) {
  helpers_.answers = {FakeHelpers::Answer("error 114 already\n"),
                      FakeHelpers::Answer("ok nvme3\n")};
  for (const auto& result : Connect()) EXPECT_TRUE(result.status.ok());
}

TEST_F(ConnectionsTest, ReportsEachPathByItself) {
  helpers_.answers = {FakeHelpers::Answer("error 111 the kernel refused the connection\n"),
                      FakeHelpers::Answer("ok nvme3\n")};
  const auto results = Connect();
  ASSERT_FALSE(results[0].status.ok());
  EXPECT_TRUE(results[1].status.ok());
  const auto& error = results[0].status.error();
  EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
  EXPECT_EQ(error.sentence(), "cannot connect path '10.0.0.1:4420'");
  EXPECT_EQ(error.Fact("subsystem_nqn"), kNqn);
  EXPECT_EQ(error.Line().find(kSecret), std::string::npos);
}

TEST_F(ConnectionsTest, GivesEveryErrnoAReaction) {
  const std::pair<int, ErrorCode> kRows[] = {
      {ECONNREFUSED, ErrorCode::kUnavailable}, {EHOSTUNREACH, ErrorCode::kUnavailable},
      {ETIMEDOUT, ErrorCode::kUnavailable},    {EIO, ErrorCode::kPermissionDenied},
      {EINVAL, ErrorCode::kConflict},          {EADDRINUSE, ErrorCode::kConflict},
      {ENOKEY, ErrorCode::kUnauthenticated},   {EKEYREJECTED, ErrorCode::kUnauthenticated},
      {EACCES, ErrorCode::kUnauthenticated},   {EOPNOTSUPP, ErrorCode::kUnsupported},
      {ESRCH, ErrorCode::kUnsupported},        {ENOENT, ErrorCode::kUnsupported},
      {EPROTO, ErrorCode::kUnavailable},       {EPROTONOSUPPORT, ErrorCode::kUnsupported},
  };
  for (const auto& [number, code] : kRows) {
    const Error error = ConnectError(spec_, spec_.paths[1], number, "why");
    EXPECT_EQ(error.code(), code) << number;
    EXPECT_NE(error.Line().find("'[fd00::2]:4420': why"), std::string::npos) << error.Line();
    EXPECT_NE(error.Line().find("; "), std::string::npos) << "a hint";
  }
}

// What kernel 6.12 answers when the two ends have no key in common: tlshd says no more.
TEST_F(ConnectionsTest, TakesATimeOutWithTlsForAKeyThatTheArrayDoesNotHave) {
  spec_.is_tls = true;
  const Error error = ConnectError(spec_, spec_.paths[0], ETIMEDOUT, "why");
  EXPECT_EQ(error.code(), ErrorCode::kUnauthenticated);
  EXPECT_EQ(error.Fact("errno"), std::to_string(ETIMEDOUT));
}

TEST_F(ConnectionsTest, TellsAHelperThatDidNotAnswer) {
  helpers_.answers = {{HelperOutcome::End::kTimedOut, "", ""},
                      {HelperOutcome::End::kInterrupted, "", ""}};
  const auto results = Connect();
  EXPECT_TRUE(FailedWith(results[0].status, ErrorCode::kTimedOut));
  EXPECT_TRUE(FailedWith(results[1].status, ErrorCode::kInterrupted));
  helpers_.answers = {{HelperOutcome::End::kFailed, "", "cannot start it"},
                      {HelperOutcome::End::kFailed, "gibberish", ""}};
  for (const auto& result : Connect()) {
    EXPECT_TRUE(FailedWith(result.status, ErrorCode::kInternal));
  }
}

TEST_F(ConnectionsTest, RefusesASecretThatCannotBeSent) {
  spec_.dhchap_host_secret = Secret("two\nlines");
  for (const auto& result : Connect()) {
    EXPECT_TRUE(FailedWith(result.status, ErrorCode::kInvalidArgument));
  }
  EXPECT_TRUE(helpers_.requests.empty());
}

TEST_F(ConnectionsTest, SendsTheTlsKeyOnlyWithTls) {
  spec_.tls_psk = Secret("NVMeTLSkey-1:01:x:");
  Connect();
  EXPECT_EQ(helpers_.requests[0].find("NVMeTLSkey"), std::string::npos);
  spec_.is_tls = true;
  Connect();
  EXPECT_NE(helpers_.requests[2].find("tls=1\ntls_psk=NVMeTLSkey-1:01:x:\n"), std::string::npos);
}

TEST_F(ConnectionsTest, DisconnectsEveryControllerOfTheSubsystemAndNoOther) {
  tree_.AddController(0, 1, "10.0.0.1");
  tree_.AddController(0, 4, "fd00::2", "connecting");
  tree_.AddSubsystem(1, std::string(kNqn) + "2");
  tree_.AddController(1, 2, "10.0.0.1");
  EXPECT_TRUE(connections_.Disconnect(kNqn, deadline_).ok());
  ASSERT_EQ(helpers_.requests.size(), 2U);
  EXPECT_EQ(helpers_.requests[0], std::string("verb=disconnect\nname=nvme1\nnqn=") + kNqn + "\n");
  EXPECT_NE(helpers_.requests[1].find("name=nvme4\n"), std::string::npos);
  EXPECT_TRUE(connections_.Disconnect("", deadline_).ok());
  EXPECT_EQ(helpers_.requests.size(), 2U) << "no NQN is not every NQN";
}

TEST_F(ConnectionsTest, ReportsAControllerThatStays) {
  tree_.AddController(0, 1, "10.0.0.1");
  helpers_.answers = {FakeHelpers::Answer("error 2 gone\n")};
  EXPECT_TRUE(connections_.Disconnect(kNqn, deadline_).ok());
  helpers_.answers = {FakeHelpers::Answer("error 5 cannot write\n")};
  EXPECT_TRUE(FailedWith(connections_.Disconnect(kNqn, deadline_), ErrorCode::kUnavailable));
  helpers_.answers = {{HelperOutcome::End::kTimedOut, "", ""}};
  EXPECT_TRUE(FailedWith(connections_.Disconnect(kNqn, deadline_), ErrorCode::kTimedOut));
}

TEST_F(ConnectionsTest, RepairsOnlyWhatDiffers) {
  tree_.AddController(0, 1, "10.0.0.1");
  tree_.AddController(0, 2, "10.0.0.2");
  tree_.AddController(0, 3, "10.0.0.3");
  tree_.AddSubsystem(1, "nqn.2014-08.com.example:other");
  tree_.AddController(1, 4, "10.0.0.4");
  const auto value = [&](const char* name) {
    return tree_.Read(std::string("sys/class/nvme/") + name + "/ctrl_loss_tmo");
  };
  tree_.Write("sys/class/nvme/nvme2/ctrl_loss_tmo", "600\n");
  tree_.Write("sys/class/nvme/nvme4/ctrl_loss_tmo", "600\n");
  tree_.Remove("sys/devices/virtual/nvme-fabrics/ctl/nvme3/ctrl_loss_tmo");
  connections_.Repair(kNqn);
  EXPECT_EQ(value("nvme1"), "off\n") << "not written";
  EXPECT_TRUE(value("nvme2").starts_with("-1"));
  EXPECT_EQ(value("nvme3"), "") << "not created";
  EXPECT_EQ(value("nvme4"), "600\n") << "not ours";
  connections_.Repair("");
  EXPECT_EQ(value("nvme4"), "600\n");
}

}  // namespace
}  // namespace ontapnvme::nvme
