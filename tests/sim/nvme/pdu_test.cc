// SPDX-License-Identifier: AGPL-3.0-or-later
// Whatever is malformed ends its own connection, with the reason, and no other.
#include <random>

#include "target_fixture.h"

namespace ontapnvme::sim::target {
namespace {

using enum FatalStatus;

Bytes With(Bytes pdu, std::size_t offset, std::uint8_t value) {
  pdu[offset] = value;
  return pdu;
}
Bytes WithLength(Bytes pdu, std::uint32_t length_bytes) {
  Store(pdu, 4, length_bytes);
  return pdu;
}

struct Malformed {
  const char* name;
  bool is_first;  // before ICReq
  Bytes pdu;
  FatalStatus status;
};

std::vector<Malformed> MalformedPdus() {
  const Bytes capsule = Capsule(Sqe(0x18));
  const Bytes data = H2cData({0, 9, 0, 4}, Bytes(4), kLastPdu);
  return {
      {"a command before ICReq", true, capsule, kSequenceError},
      {"data before ICReq", true, data, kSequenceError},
      {"another format version", true, With(IcReq(), 8, 1), kUnsupportedParameter},
      {"an alignment that is not offered", true, With(IcReq(), 10, 7), kUnsupportedParameter},
      {"an impossible alignment", true, With(IcReq(), 10, 32), kInvalidHeaderField},
      {"an ICReq with flags", true, With(IcReq(), 1, 1), kInvalidHeaderField},
      {"an ICReq of another header length", true, With(IcReq(), 2, 24), kInvalidHeaderField},
      {"an ICReq of another length", true, WithLength(IcReq(), 127), kInvalidHeaderField},
      {"no NVMe/TCP at all", true, Bytes{'G', 'E', 'T', ' ', '/', ' ', 'H', 'T'},
       kInvalidHeaderField},
      {"a second ICReq", false, IcReq(), kSequenceError},
      {"a type that does not exist", false, With(capsule, 0, 0x0A), kInvalidHeaderField},
      {"a completion from a host", false, Pdu(PduType::kCapsuleResp, 0, 24), kInvalidHeaderField},
      {"an R2T from a host", false, Pdu(PduType::kR2t, 0, 24), kInvalidHeaderField},
      {"a header digest", false, With(capsule, 1, 1), kInvalidHeaderField},
      {"a data digest", false, With(data, 1, 2 | kLastPdu), kInvalidHeaderField},
      {"a short capsule header", false, With(capsule, 2, 8), kInvalidHeaderField},
      {"a length below the header's", false, WithLength(capsule, 8), kInvalidHeaderField},
      {"a length of nothing", false, WithLength(capsule, 0), kInvalidHeaderField},
      {"a capsule beyond its maximum", false,
       WithLength(With(capsule, 3, 72), 72 + kInCapsuleBytesMaximum + 1), kInvalidHeaderField},
      {"a length of 4 GiB", false, WithLength(capsule, 0xFFFFFFFF), kInvalidHeaderField},
      {"a data offset inside of the header", false, With(Capsule(Sqe(0x18), Bytes(8)), 3, 64),
       kInvalidHeaderField},
      {"a data offset behind the end", false, With(capsule, 3, 255), kInvalidHeaderField},
      {"data without place", false, With(Capsule(Sqe(0x18), Bytes(8)), 3, 0), kInvalidHeaderField},
      {"data that was not asked for", false, data, kInvalidHeaderField},
      {"data beyond MAXH2CDATA", false, WithLength(data, 24 + kMaxH2cDataBytes + 4),
       kDataLimitExceeded},
      {"a TermReq that is too long", false, WithLength(Pdu(PduType::kH2cTermReq, 0, 24), 1000),
       kInvalidHeaderField},
  };
}

TEST_F(TargetTest, AMalformedPduEndsItsConnectionOnly) {
  const auto admin = Admin();
  const auto bystander = IoQueue(1);
  for (const Malformed& row : MalformedPdus()) {
    SCOPED_TRACE(row.name);
    const auto host = Open();
    if (!row.is_first) host->Initialize();
    host->Send(row.pdu);
    EXPECT_EQ(host->FatalStatusAtEnd(), static_cast<std::uint16_t>(row.status));
    EXPECT_EQ(bystander->Do(Io(0x02, 1, 0, 1).Transport(4096)).status, StatusCode::kSuccess);
  }
}

TEST_F(TargetTest, ATermReqFromTheHostEndsTheConnection) {
  const auto host = Open();
  host->Initialize();
  host->Send(Pdu(PduType::kH2cTermReq, 0, 24));
  EXPECT_EQ(host->FatalStatusAtEnd(), 0);
}

TEST_F(TargetTest, PdusMayArriveByteByByte) {
  const auto host = Open();
  for (const std::uint8_t byte : IcReq()) host->Send(View(&byte, 1));
  EXPECT_EQ(host->Receive().size(), kIcBytes);
  const Bytes capsule = Capsule(FabricsConnect(0).Id(5), ConnectData(kNqn, kHostNqn));
  for (const std::uint8_t byte : capsule) host->Send(View(&byte, 1));
  EXPECT_EQ(host->Await().command_id, 5);
}

// Wrong answers to an R2T of two blocks over command 5.
struct WrongData {
  const char* name;
  DataRange range;  // its tag is added to the one that was given
  std::size_t bytes;
  std::uint8_t flags;
  FatalStatus status;
};

TEST_F(TargetTest, DataMustBeWhatTheR2tAskedFor) {
  constexpr std::uint32_t kWanted = 2 * kBlockBytes;
  const WrongData table[] = {
      {"another tag", {5, 1, 0, kWanted}, kWanted, kLastPdu, kInvalidHeaderField},
      {"another command", {6, 0, 0, kWanted}, kWanted, kLastPdu, kInvalidHeaderField},
      {"a length that is not its own", {5, 0, 0, 4096}, kWanted, kLastPdu, kInvalidHeaderField},
      {"more than asked", {5, 0, 0, kWanted + 4}, kWanted + 4, kLastPdu, kDataOutOfRange},
      {"behind the end", {5, 0, 0xFFFFFFFC, 4096}, 4096, kLastPdu, kDataOutOfRange},
      {"a gap", {5, 0, 4096, 4096}, 4096, kLastPdu, kDataOutOfRange},
      {"an end too early", {5, 0, 0, 4096}, 4096, kLastPdu, kInvalidHeaderField},
      {"no end", {5, 0, 0, kWanted}, kWanted, 0, kInvalidHeaderField},
  };
  const auto admin = Admin();
  std::uint16_t queue_id = 0;
  for (const WrongData& row : table) {
    SCOPED_TRACE(row.name);
    const auto io = IoQueue(++queue_id);
    io->Send(Capsule(Io(0x01, 1, 0, 2).Id(5).Transport(kWanted)));
    const Bytes r2t = io->Receive();
    ASSERT_EQ(r2t[0], static_cast<std::uint8_t>(PduType::kR2t));
    DataRange range = row.range;
    const std::uint16_t tag = ParseH2cData(r2t).transfer_tag;
    range.transfer_tag = static_cast<std::uint16_t>(range.transfer_tag + tag);
    io->Send(H2cData(range, Bytes(row.bytes), row.flags));
    EXPECT_EQ(io->FatalStatusAtEnd(), static_cast<std::uint16_t>(row.status));
  }
  EXPECT_EQ(admin->Do(Sqe(0x18)).status, StatusCode::kSuccess);
}

TEST_F(TargetTest, AQueueHoldsNoMoreCommandsThanItsEntries) {
  const auto admin = Admin();
  const auto io = IoQueue(1);
  for (std::uint16_t id = 0; id <= 32; ++id) {
    io->Send(Capsule(Io(0x01, 1, 0, 1).Id(id).Transport(4096)));
  }
  EXPECT_EQ(io->FatalStatusAtEnd(), static_cast<std::uint16_t>(kSequenceError));
}

struct WrongPointer {
  const char* name;
  Sqe sqe;
  Bytes inside;
  StatusCode status;
};

TEST_F(TargetTest, AWrongDataPointerFailsItsCommandOnly) {
  Sqe prp = Io(0x01, 1, 0, 1);
  prp.bytes[1] = 0;
  const WrongPointer table[] = {
      {"PRPs", prp, {}, StatusCode::kInvalidField},
      {"a keyed descriptor",
       Io(0x01, 1, 0, 1).InCapsule(4096).At(39, std::uint8_t{0x40}),
       {},
       StatusCode::kSglTypeInvalid},
      {"a read into the capsule",
       Io(0x02, 1, 0, 1).InCapsule(4096),
       {},
       StatusCode::kSglTypeInvalid},
      {"an offset behind the capsule", Io(0x01, 1, 0, 1).InCapsule(4).At(24, std::uint64_t{8192}),
       Bytes(4096), StatusCode::kSglOffsetInvalid},
      {"more than the capsule has", Io(0x01, 1, 0, 1).InCapsule(8192), Bytes(4096),
       StatusCode::kDataSglLengthInvalid},
      {"a length that overflows", Io(0x01, 1, 0, 1).InCapsule(0xFFFFFFFF), Bytes(4096),
       StatusCode::kDataSglLengthInvalid},
      {"more than MDTS",
       Io(0x01, 1, 0, 1).Transport(kTransferBytesMaximum + 1),
       {},
       StatusCode::kInvalidField},
      {"a transfer both ways", Sqe(0x03, 1), {}, StatusCode::kInvalidOpcode},
  };
  const auto admin = Admin();
  const auto io = IoQueue(1);
  for (const WrongPointer& row : table) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(io->Do(row.sqe, {}, row.inside).status, row.status);
  }
  // A command id that waits for its data is taken.
  io->Send(Capsule(Io(0x01, 1, 0, 1).Id(5).Transport(4096)));
  EXPECT_EQ(io->Receive()[0], static_cast<std::uint8_t>(PduType::kR2t));
  io->Send(Capsule(Io(0x02, 1, 0, 1).Id(5).Transport(4096)));
  EXPECT_EQ(io->Await().status, StatusCode::kCommandIdConflict);
}

Bytes AdminConversation() {
  Bytes pdus = IcReq();
  Append(&pdus, Capsule(FabricsConnect(0), ConnectData(kNqn, kHostNqn)));
  Append(&pdus, Capsule(PropertySet(0x14, 0x00460001)));
  for (const std::uint32_t what : {0U, 1U, 2U, 3U}) {
    Append(&pdus, Capsule(Sqe(0x06, 1).Dword(10, what).Transport(4096)));
  }
  for (const std::uint32_t page : {0x03FF0004U, 0x03FF000CU, 0x03FF01C2U, 0x03FF0005U}) {
    Append(&pdus, Capsule(Sqe(0x02, 1).Dword(10, page).Transport(4096)));
  }
  Append(&pdus, Capsule(Sqe(0x09).Dword(10, 0x0B).Dword(11, 0x900)));
  Append(&pdus, Capsule(Sqe(0x0C)));
  return pdus;
}

// Of the first controller.
Bytes IoConversation() {
  Bytes pdus = IcReq();
  Append(&pdus, Capsule(FabricsConnect(1), ConnectData(kNqn, kHostNqn, 1)));
  Append(&pdus, Capsule(Io(0x01, 1, 0, 1).InCapsule(4096), Bytes(4096)));
  Append(&pdus, Capsule(Io(0x02, 1, 0, 8).Transport(32768)));
  Append(&pdus, Capsule(Io(0x08, 1, 0, 8)));
  Append(&pdus, Capsule(Sqe(0x09, 1).Dword(11, 4).InCapsule(16), Bytes(16)));
  Append(&pdus, Capsule(Io(0x01, 1, 0, 2).Id(5).Transport(8192)));
  Append(&pdus, H2cData({5, 1, 0, 8192}, Bytes(8192), kLastPdu));
  Append(&pdus, Capsule(Sqe(0x00, 1)));
  return pdus;
}

// Usual conversations with a few bytes spoilt: whatever comes of it, the target lives, and serves
// who speaks properly. The sanitizers judge the rest.
TEST_F(TargetTest, SpoiltConversationsHurtNobody) {
  constexpr int kRounds = 1000;
  TargetState state([] { return SteadyTime(); });
  auto subsystem = std::make_shared<Subsystem>();
  subsystem->nqn = kNqn;
  subsystem->host_nqns.insert(kHostNqn);
  const TargetNamespace ns{1, kUuid, kNguid, File(1), kBlockBytes, "", {"svm", "v", "/vol/v/n"}};
  subsystem->namespaces[1] = std::make_unique<ExportedNamespace>(ns);
  state.subsystems[kNqn] = subsystem;
  std::mt19937 random(1);  // NOLINT: equal in every run
  const auto spoil = [&random](Bytes bytes) {
    for (int flips = 0; flips < 3; ++flips) {
      bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
    }
    return bytes;
  };

  Connection admin(&state, {1, "", ""});
  admin.Receive(AdminConversation());
  EXPECT_GT(admin.Output().size(), 8U * 4096U);
  for (int round = 0; round < kRounds; ++round) {
    for (const Bytes& usual : {AdminConversation(), IoConversation()}) {
      const Bytes spoilt = spoil(usual);
      Connection connection(&state, {1, "", ""});
      connection.Receive(View(spoilt).first(spoilt.size() / 2));
      state.NamespaceChanged(*subsystem, 1);
      connection.Receive(View(spoilt).subspan(spoilt.size() / 2));
    }
  }
  Connection io(&state, {1, "", ""});
  io.Receive(IoConversation());
  EXPECT_FALSE(io.IsOver());
  EXPECT_GT(io.Output().size(), 8U * 4096U);
  EXPECT_FALSE(admin.IsOver());
}

}  // namespace
}  // namespace ontapnvme::sim::target
