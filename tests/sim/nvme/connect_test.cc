// SPDX-License-Identifier: AGPL-3.0-or-later
// Who gets a controller, and what its properties say.
#include "target_fixture.h"

namespace ontapnvme::sim::target {
namespace {

TEST_F(TargetTest, InitializesAConnectionWithoutDigests) {
  const auto host = Open();
  Bytes request = IcReq();
  request[11] = 3;  // header and data digest
  host->Send(request);
  const Bytes response = host->Receive();
  ASSERT_EQ(response.size(), kIcBytes);
  EXPECT_EQ(response[11], 0);
  EXPECT_EQ(Load<std::uint32_t>(response, 12), kMaxH2cDataBytes);
}

TEST_F(TargetTest, ConnectsAndEnablesAController) {
  const auto host = Admin();
  EXPECT_GE(controller_id_, 1);
  const std::uint64_t capabilities = host->Do(PropertyGet(0x00, true)).result;
  EXPECT_EQ((capabilities & 0xFFFFU) + 1, kQueueEntriesMaximum);
  EXPECT_EQ(capabilities >> 37U & 1U, 1U);
  EXPECT_EQ(host->Do(PropertyGet(0x08)).result, 0x10400U);
  EXPECT_EQ(host->Do(PropertyGet(0x14)).result, kEnabled);
  EXPECT_EQ(host->Do(PropertyGet(0x1C)).result, 1U);
  EXPECT_EQ(host->Do(PropertySet(0x14, kEnabled | 1U << 14U)).status, StatusCode::kSuccess);
  EXPECT_EQ(host->Do(PropertyGet(0x1C)).result >> 2U & 3U, 2U);  // shutdown complete
  EXPECT_EQ(host->Do(PropertySet(0x14, 0)).status, StatusCode::kSuccess);
  EXPECT_EQ(host->Do(PropertyGet(0x1C)).result, 0U);
  EXPECT_EQ(host->Do(PropertySet(0x14, 1)).status, StatusCode::kSuccess);  // entry sizes of 1
  EXPECT_EQ(host->Do(PropertyGet(0x1C)).result, 2U);                       // fatal
}

TEST_F(TargetTest, RefusesOtherProperties) {
  const auto host = Admin();
  for (const Sqe& sqe : {PropertyGet(0x20), PropertyGet(0x00), PropertyGet(0x08, true),
                         PropertySet(0x1C, 1), PropertySet(0x20, 0x4E564D65)}) {
    EXPECT_EQ(host->Do(sqe).status, StatusCode::kInvalidField);
  }
  Sqe disconnect(Command::kFabricsOpcode);
  disconnect.bytes[4] = 0x08;
  EXPECT_EQ(host->Do(disconnect).status, StatusCode::kInvalidField);
}

struct ConnectRefusal {
  const char* name;
  Sqe sqe;
  Bytes data;
  StatusCode status;
  std::uint64_t result;  // where the host should look
};

TEST_F(TargetTest, RefusesAConnect) {
  constexpr std::uint64_t kInData = 1U << 16U;
  const Bytes good = ConnectData(kNqn, kHostNqn);
  Bytes endless = good;
  std::fill(endless.begin() + 256, endless.begin() + 512, std::uint8_t{'x'});
  const ConnectRefusal table[] = {
      {"unknown subsystem", FabricsConnect(0), ConnectData("nqn.2020-01.org.example:x", kHostNqn),
       StatusCode::kConnectInvalidParameters, kInData | 256},
      {"an NQN without end", FabricsConnect(0), endless, StatusCode::kConnectInvalidParameters,
       kInData | 256},
      {"no host NQN", FabricsConnect(0), ConnectData(kNqn, ""),
       StatusCode::kConnectInvalidParameters, kInData | 512},
      {"a host that is not allowed", FabricsConnect(0), ConnectData(kNqn, "nqn.2014-08.org:x"),
       StatusCode::kConnectInvalidHost, 0},
      {"a controller of its choice", FabricsConnect(0), ConnectData(kNqn, kHostNqn, 7),
       StatusCode::kConnectInvalidParameters, kInData | 16},
      {"a queue of no controller", FabricsConnect(1), ConnectData(kNqn, kHostNqn, 77),
       StatusCode::kConnectInvalidParameters, kInData | 16},
      {"a queue of one entry", FabricsConnect(0).At(44, std::uint16_t{0}), good,
       StatusCode::kConnectInvalidParameters, 44},
      {"a queue that is too large", FabricsConnect(0).At(44, kQueueEntriesMaximum), good,
       StatusCode::kConnectInvalidParameters, 44},
      {"another record format", FabricsConnect(0).At(40, std::uint16_t{1}), good,
       StatusCode::kConnectIncompatibleFormat, 0},
      {"half of the data", FabricsConnect(0).InCapsule(512), Bytes(512),
       StatusCode::kDataSglLengthInvalid, 0},
      {"data by R2T from a stranger",
       FabricsConnect(0).Transport(1024),
       {},
       StatusCode::kCommandSequenceError,
       0},
  };
  for (const ConnectRefusal& row : table) {
    SCOPED_TRACE(row.name);
    const auto host = Open();
    host->Initialize();
    const Reply reply = host->Do(row.sqe, {}, row.data);
    EXPECT_EQ(reply.status, row.status);
    EXPECT_EQ(reply.result, row.result);
    EXPECT_FALSE(reply.may_retry);
    // It can try again over the same connection.
    EXPECT_EQ(host->Do(FabricsConnect(0), {}, good).status, StatusCode::kSuccess);
  }
}

TEST_F(TargetTest, RefusesQueuesThatAreNotTheControllers) {
  const auto admin = Admin();
  const auto first = IoQueue(1);
  const auto attempt = [&](std::uint16_t queue_id, Bytes data) {
    const auto host = Open();
    host->Initialize();
    return host->Do(FabricsConnect(queue_id), {}, data).status;
  };
  const Bytes good = ConnectData(kNqn, kHostNqn, controller_id_);
  EXPECT_EQ(attempt(1, good), StatusCode::kConnectInvalidParameters);  // in use
  EXPECT_EQ(attempt(kIoQueuesMaximum + 1, good), StatusCode::kConnectInvalidParameters);
  Bytes other = good;
  other[0] ^= 1U;  // the host id
  EXPECT_EQ(attempt(2, other), StatusCode::kConnectInvalidParameters);
  fabric_->AddHost(kNqn, {"nqn.2014-08.org.nvmexpress:uuid:2", "", "", "", ""});
  EXPECT_EQ(attempt(2, ConnectData(kNqn, "nqn.2014-08.org.nvmexpress:uuid:2", controller_id_)),
            StatusCode::kConnectInvalidParameters);
  EXPECT_EQ(attempt(2, good), StatusCode::kSuccess);
  EXPECT_EQ(first->Do(FabricsConnect(1), {}, good).status, StatusCode::kCommandSequenceError);
  EXPECT_EQ(first->Do(PropertyGet(0x1C)).status, StatusCode::kInvalidField);
}

TEST_F(TargetTest, AHostWithASecretIsNotLetInWithoutProof) {
  fabric_->AddHost(kNqn, {"nqn.2014-08.org.nvmexpress:uuid:3", "", "", "", ""});
  fabric_->AddHost(kNqn, {"nqn.2014-08.org.nvmexpress:uuid:3", "DHHC-1:00:a:", "", "", ""});
  const auto host = Open();
  host->Initialize();
  const Bytes data = ConnectData(kNqn, "nqn.2014-08.org.nvmexpress:uuid:3");
  EXPECT_EQ(host->Do(FabricsConnect(0), {}, data).status, StatusCode::kConnectInvalidHost);
}

TEST_F(TargetTest, NothingWorksBeforeConnectOrEnabling) {
  const auto host = Open();
  host->Initialize();
  EXPECT_EQ(host->Do(Sqe(0x06).Dword(10, 1).Transport(4096)).status,
            StatusCode::kCommandSequenceError);
  EXPECT_EQ(host->Do(PropertyGet(0x1C)).status, StatusCode::kCommandSequenceError);
  EXPECT_EQ(host->Do(FabricsConnect(0), {}, ConnectData(kNqn, kHostNqn)).status,
            StatusCode::kSuccess);
  EXPECT_EQ(host->Do(Sqe(0x06).Dword(10, 1).Transport(4096)).status,
            StatusCode::kCommandSequenceError);
}

TEST_F(TargetTest, AnAdminQueueThatEndsTakesItsControllerAlong) {
  auto admin = Admin();
  const auto io = IoQueue(1);
  admin.reset();
  EXPECT_TRUE(io->Receive().empty());
}

TEST_F(TargetTest, AHostThatIsRemovedIsCutOff) {
  const auto admin = Admin();
  const auto io = IoQueue(1);
  fabric_->RemoveHost(kNqn, kHostNqn);
  EXPECT_TRUE(admin->Receive().empty());
  EXPECT_TRUE(io->Receive().empty());
}

TEST_F(TargetTest, ASubsystemThatIsRemovedCutsOffItsHosts) {
  const auto admin = Admin(kSecond);
  fabric_->RemoveSubsystem(kNqn);
  EXPECT_TRUE(admin->Receive().empty());
  const auto host = Open();
  host->Initialize();
  EXPECT_EQ(host->Do(FabricsConnect(0), {}, ConnectData(kNqn, kHostNqn)).status,
            StatusCode::kConnectInvalidParameters);
}

TEST_F(TargetTest, KeepAliveEndsAControllerThatIsSilent) {
  const auto admin = Admin(kFirst, 5000);
  const auto io = IoQueue(1);
  const auto patient = Admin(kSecond);  // without a keep-alive timer
  Advance(4000);
  EXPECT_EQ(io->Do(Io(0x02, 1, 0, 1).Transport(4096)).status, StatusCode::kSuccess);
  Advance(4000);  // any command counts, also one of another queue
  EXPECT_EQ(admin->Do(Sqe(0x18)).status, StatusCode::kSuccess);
  Advance(5000);
  EXPECT_TRUE(admin->Receive().empty());
  EXPECT_TRUE(io->Receive().empty());
  EXPECT_EQ(patient->Do(Sqe(0x18)).status, StatusCode::kSuccess);
}

}  // namespace
}  // namespace ontapnvme::sim::target
