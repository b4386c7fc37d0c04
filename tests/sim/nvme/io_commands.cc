// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pdu.h"
#include "queue.h"

namespace ontapnvme::sim::target {
namespace {

enum IoOpcode : std::uint8_t {
  kFlush = 0x00,
  kWrite = 0x01,
  kRead = 0x02,
  kWriteZeroes = 0x08,
  kDatasetManagement = 0x09,
};

constexpr std::uint32_t kForceUnitAccess = 1U << 30U;  // in dword 12

struct Range {
  std::uint64_t first_block = 0;
  std::uint64_t blocks = 0;

  // Dwords 10 to 12 of the commands that name one.
  static Range Of(const Command& command) {
    return {command.Dwords(10), (command.Dword(12) & 0xFFFFULL) + 1};
  }
  bool IsInside(const ExportedNamespace& ns) const {
    return blocks <= ns.size_blocks() && first_block <= ns.size_blocks() - blocks;
  }
};

Answer Done(bool is_done) {
  return is_done ? Answer{} : Refuse(StatusCode::kInternalError);
}

Answer Read(const ExportedNamespace& ns, const Range& range) {
  const std::uint64_t size = ns.block_size_bytes();
  if (range.blocks * size > kTransferBytesMaximum) return Refuse(StatusCode::kInvalidField);
  Bytes bytes(range.blocks * size);
  if (!ns.Read(range.first_block * size, bytes)) return Refuse(StatusCode::kInternalError);
  return Data(std::move(bytes));
}

Answer Write(const ExportedNamespace& ns, const Range& range, View data, bool is_forced) {
  const std::uint64_t size = ns.block_size_bytes();
  if (data.size() != range.blocks * size) return Refuse(StatusCode::kDataSglLengthInvalid);
  return Done(ns.Write(range.first_block * size, data) && (!is_forced || ns.Flush()));
}

Answer Clear(const ExportedNamespace& ns, const Range& range) {
  const std::uint64_t size = ns.block_size_bytes();
  return Done(ns.Clear(range.first_block * size, range.blocks * size));
}

// Deallocate is the one attribute with an effect; the others are advice.
Answer ManageDataset(const ExportedNamespace& ns, const Command& command, View data) {
  constexpr std::uint32_t kDeallocate = 1U << 2U;
  constexpr std::size_t kRangeBytes = 16;
  const std::size_t ranges = (command.Dword(10) & 0xFFU) + 1;
  if (data.size() < ranges * kRangeBytes) return Refuse(StatusCode::kDataSglLengthInvalid);
  if ((command.Dword(11) & kDeallocate) == 0) return {};
  std::vector<Range> wanted;
  for (std::size_t i = 0; i < ranges; ++i) {
    const View entry = data.subspan(i * kRangeBytes, kRangeBytes);
    wanted.push_back({Load<std::uint64_t>(entry, 8), Load<std::uint32_t>(entry, 4)});
    if (!wanted.back().IsInside(ns)) return Refuse(StatusCode::kLbaOutOfRange);
  }
  for (const Range& range : wanted) {
    Answer answer = Clear(ns, range);
    if (answer.status != StatusCode::kSuccess) return answer;
  }
  return {};
}

Answer Flush(const Subsystem& subsystem, std::uint32_t nsid) {
  bool is_done = true;
  for (const auto& [number, ns] : subsystem.namespaces) {
    if (nsid == kEveryNamespace || nsid == number) is_done = ns->Flush() && is_done;
  }
  return Done(is_done);
}

}  // namespace

Answer ExecuteIo(const Queue& queue, const Command& command, View data) {
  if (!queue.controller->IsReady()) return Refuse(StatusCode::kCommandSequenceError);
  const Subsystem& subsystem = queue.controller->subsystem();
  if (command.Opcode() == kFlush && command.Nsid() == kEveryNamespace) {
    return Flush(subsystem, kEveryNamespace);
  }
  const ExportedNamespace* ns = subsystem.Find(command.Nsid());
  if (ns == nullptr) return Refuse(StatusCode::kInvalidNamespace);
  switch (command.Opcode()) {
    case kFlush:
      return Flush(subsystem, command.Nsid());
    case kDatasetManagement:
      return ManageDataset(*ns, command, data);
    case kRead:
    case kWrite:
    case kWriteZeroes:
      break;
    default:
      return Refuse(StatusCode::kInvalidOpcode);
  }
  const Range range = Range::Of(command);
  if (!range.IsInside(*ns)) return Refuse(StatusCode::kLbaOutOfRange);
  if (command.Opcode() == kRead) return Read(*ns, range);
  if (command.Opcode() == kWriteZeroes) return Clear(*ns, range);
  return Write(*ns, range, data, (command.Dword(12) & kForceUnitAccess) != 0);
}

}  // namespace ontapnvme::sim::target
