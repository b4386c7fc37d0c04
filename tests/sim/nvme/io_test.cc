// SPDX-License-Identifier: AGPL-3.0-or-later
// Bytes of namespaces over I/O queues.
#include "target_fixture.h"

namespace ontapnvme::sim::target {
namespace {

constexpr std::uint8_t kFlush = 0x00;
constexpr std::uint8_t kWrite = 0x01;
constexpr std::uint8_t kRead = 0x02;
constexpr std::uint8_t kWriteZeroes = 0x08;
constexpr std::uint8_t kDatasetManagement = 0x09;

// Different in every four bytes.
Bytes Pattern(std::size_t bytes, std::uint32_t seed) {
  Bytes pattern(bytes);
  for (std::size_t at = 0; at < bytes; at += 4) {
    Store(pattern, at, seed + static_cast<std::uint32_t>(at));
  }
  return pattern;
}

Reply Read(TestHost* host, std::uint64_t first, std::uint32_t blocks) {
  return host->Do(Io(kRead, 1, first, blocks).Transport(std::size_t{blocks} * kBlockBytes));
}
Reply Write(TestHost* host, std::uint64_t first, const Bytes& data) {
  const auto blocks = static_cast<std::uint32_t>(data.size() / kBlockBytes);
  return host->Do(Io(kWrite, 1, first, blocks).Transport(data.size()), data);
}
// Of a Dataset Management that gives back one range.
Sqe Deallocate(std::size_t ranges) {
  return Sqe(kDatasetManagement, 1)
      .Dword(10, static_cast<std::uint32_t>(ranges - 1))
      .Dword(11, 4)
      .InCapsule(ranges * 16);
}
Bytes Range(std::uint64_t first, std::uint32_t blocks) {
  Bytes range(16);
  Store(range, 4, blocks);
  Store(range, 8, first);
  return range;
}

TEST_F(TargetTest, ReadsWhatWasWritten) {
  const auto admin = Admin();
  const auto io = IoQueue(1);
  // In the capsule, in one piece, in pieces, and as much as goes.
  std::uint64_t first = 0;
  for (const std::uint32_t blocks : {1U, 8U, 100U, 256U}) {
    SCOPED_TRACE(blocks);
    const Bytes data = Pattern(std::size_t{blocks} * kBlockBytes, blocks);
    EXPECT_EQ(Write(io.get(), first, data).status, StatusCode::kSuccess);
    const Reply reply = Read(io.get(), first, blocks);
    EXPECT_EQ(reply.status, StatusCode::kSuccess);
    EXPECT_TRUE(reply.data == data);
    first += blocks;
  }
  const Bytes data = Pattern(2 * kBlockBytes, 99);
  EXPECT_EQ(io->Do(Io(kWrite, 1, 1000, 2).InCapsule(data.size()), {}, data).status,
            StatusCode::kSuccess);
  EXPECT_TRUE(Read(io.get(), 1000, 2).data == data);
  EXPECT_EQ(
      io->Do(Io(kWrite, 1, 0, 1).Dword(12, 1U << 30U).InCapsule(4096), {}, Bytes(4096)).status,
      StatusCode::kSuccess);  // forced to the medium
  EXPECT_EQ(io->Do(Sqe(kFlush, 1)).status, StatusCode::kSuccess);
  EXPECT_EQ(io->Do(Sqe(kFlush, kEveryNamespace)).status, StatusCode::kSuccess);
}

TEST_F(TargetTest, GivesSpaceBackAsZeros) {
  const auto admin = Admin();
  const auto io = IoQueue(1);
  const Bytes data = Pattern(8 * kBlockBytes, 1);
  Write(io.get(), 0, data);
  EXPECT_EQ(io->Do(Io(kWriteZeroes, 1, 1, 2)).status, StatusCode::kSuccess);
  Bytes ranges = Range(4, 1);
  Append(&ranges, Range(6, 1));
  EXPECT_EQ(io->Do(Deallocate(2), {}, ranges).status, StatusCode::kSuccess);
  Bytes expected = data;
  for (const std::size_t block : {1U, 2U, 4U, 6U}) {
    std::fill_n(expected.begin() + static_cast<std::ptrdiff_t>(block * kBlockBytes), kBlockBytes,
                std::uint8_t{0});
  }
  EXPECT_TRUE(Read(io.get(), 0, 8).data == expected);
  // Advice alone changes nothing.
  EXPECT_EQ(io->Do(Deallocate(1).Dword(11, 1), {}, Range(0, 8)).status, StatusCode::kSuccess);
  EXPECT_TRUE(Read(io.get(), 0, 8).data == expected);
}

TEST_F(TargetTest, RefusesIo) {
  constexpr std::uint64_t kBlocks = kSizeBytes / kBlockBytes;
  using enum StatusCode;
  const struct {
    const char* name;
    Sqe sqe;
    Bytes inside;
    StatusCode status;
  } table[] = {
      {"another namespace", Io(kRead, 2, 0, 1).Transport(4096), {}, kInvalidNamespace},
      {"no namespace", Sqe(kFlush, 0), {}, kInvalidNamespace},
      {"a read of all namespaces",
       Io(kRead, kEveryNamespace, 0, 1).Transport(4096),
       {},
       kInvalidNamespace},
      {"behind the end", Io(kRead, 1, kBlocks, 1).Transport(4096), {}, kLbaOutOfRange},
      {"over the end", Io(kRead, 1, kBlocks - 1, 2).Transport(8192), {}, kLbaOutOfRange},
      {"an address that overflows", Io(kWriteZeroes, 1, ~0ULL, 2), {}, kLbaOutOfRange},
      {"a write behind the end", Io(kWrite, 1, kBlocks, 1).InCapsule(4096), Bytes(4096),
       kLbaOutOfRange},
      {"a range behind the end", Deallocate(1), Range(kBlocks, 1), kLbaOutOfRange},
      {"fewer ranges than told", Deallocate(1).Dword(10, 1), Range(0, 1), kDataSglLengthInvalid},
      {"less data than blocks", Io(kWrite, 1, 0, 2).InCapsule(4096), Bytes(4096),
       kDataSglLengthInvalid},
      {"no data", Io(kWrite, 1, 0, 1), {}, kDataSglLengthInvalid},
      {"a buffer that is too small", Io(kRead, 1, 0, 2).Transport(4096), {}, kDataSglLengthInvalid},
      {"more than MDTS", Io(kRead, 1, 0, 257).Transport(kTransferBytesMaximum), {}, kInvalidField},
      {"a compare", Sqe(0x05, 1).InCapsule(4), Bytes(4), kInvalidOpcode},
      {"an admin command", Sqe(0x06, 1).Transport(4096), {}, kInvalidOpcode},
  };
  const auto admin = Admin();
  const auto io = IoQueue(1);
  for (const auto& row : table) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(io->Do(row.sqe, {}, row.inside).status, row.status);
  }
  EXPECT_TRUE(Read(io.get(), 0, 2).data == Bytes(8192));  // nothing was written
}

TEST_F(TargetTest, TwoQueuesInterleave) {
  const auto admin = Admin();
  const auto one = IoQueue(1);
  const auto two = IoQueue(2, kSecond);
  const Bytes first = Pattern(4 * kBlockBytes, 1);
  const Bytes second = Pattern(4 * kBlockBytes, 7);
  // Both wait for their data, under the same command id; then each gets it in halves.
  for (TestHost* host : {one.get(), two.get()}) {
    host->Send(Capsule(Io(kWrite, 1, host == one.get() ? 0 : 4, 4).Id(5).Transport(first.size())));
  }
  DataRange asked_one = ParseH2cData(one->Receive());
  DataRange asked_two = ParseH2cData(two->Receive());
  EXPECT_EQ(asked_one.length_bytes, first.size());
  constexpr std::uint32_t kHalf = 2 * kBlockBytes;
  asked_one.length_bytes = asked_two.length_bytes = kHalf;
  one->Send(H2cData(asked_one, View(first).first(kHalf), 0));
  two->Send(H2cData(asked_two, View(second).first(kHalf), 0));
  asked_one.offset_bytes = asked_two.offset_bytes = kHalf;
  two->Send(H2cData(asked_two, View(second).last(kHalf), kLastPdu));
  EXPECT_EQ(two->Await().command_id, 5);
  EXPECT_TRUE(Read(two.get(), 4, 4).data == second);
  EXPECT_TRUE(Read(two.get(), 0, 4).data == Bytes(first.size()));  // not complete yet
  one->Send(H2cData(asked_one, View(first).last(kHalf), kLastPdu));
  EXPECT_EQ(one->Await().status, StatusCode::kSuccess);
  EXPECT_TRUE(Read(two.get(), 0, 4).data == first);
}

TEST_F(TargetTest, ManyCommandsMayBeUnderWay) {
  const auto admin = Admin();
  const auto io = IoQueue(1);
  for (std::uint16_t id = 0; id < 16; ++id) {
    io->Send(Capsule(Io(kRead, 1, 0, 256).Id(id).Transport(kTransferBytesMaximum)));
  }
  for (std::uint16_t id = 0; id < 16; ++id) {
    const Reply reply = io->Await();
    EXPECT_EQ(reply.command_id, id);
    EXPECT_EQ(reply.queue_head, (id + 2) % 32);  // Connect was the first
    EXPECT_EQ(reply.data.size(), kTransferBytesMaximum);
  }
}

TEST_F(TargetTest, ANamespaceThatIsUnmappedAnswersNoMore) {
  const auto admin = Admin();
  const auto io = IoQueue(1);
  fabric_->Detach(kNqn, 1);
  const Reply reply = Read(io.get(), 0, 1);
  EXPECT_EQ(reply.status, StatusCode::kInvalidNamespace);
  EXPECT_FALSE(reply.may_retry);
}

TEST_F(TargetTest, ANamespaceGrowsInUse) {
  const auto admin = Admin();
  const auto io = IoQueue(1);
  std::filesystem::resize_file(File(1), 2 * kSizeBytes);
  EXPECT_EQ(Read(io.get(), kSizeBytes / kBlockBytes, 1).status, StatusCode::kLbaOutOfRange);
  fabric_->SizeChanged(kNqn, 1);
  EXPECT_EQ(Read(io.get(), kSizeBytes / kBlockBytes, 1).status, StatusCode::kSuccess);
}

}  // namespace
}  // namespace ontapnvme::sim::target
