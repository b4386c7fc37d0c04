// SPDX-License-Identifier: AGPL-3.0-or-later
#include "node/raw_stream.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <vector>

#include "base/unique_fd.h"

namespace ontapnvme::node {
namespace {

constexpr std::size_t kChunkBytes = std::size_t{1} << 20U;
// What a thin volume allocates at least; a smaller hole would not save anything.
constexpr std::size_t kHoleBytes = 4096;
// How soon a stopped task is noticed while the other end of a pipe is silent.
constexpr int kNoticeWithinMs = 100;

Error Failed(const std::string& what, const std::string& path) {
  Error error = Error(ErrorCode::kUnavailable, what).Because(std::strerror(errno));
  if (!path.empty()) error.AddFact("path", path);
  error.SetHint("check the device's paths ('nvme list-subsys') and the other end of the stream");
  return error;
}

// Waits until `fd` may be used; files always may.
Status WaitFor(int fd, short events, Interrupt* interrupt) {
  // poll would wait for ever.
  if (fd < 0) {
    return Error(ErrorCode::kInvalidArgument, "the stream is not an open file")
        .Try("give a file or a pipe");
  }
  for (;;) {
    if (interrupt != nullptr && interrupt->Pending()) {
      return Error(ErrorCode::kInterrupted, "the transfer was stopped");
    }
    pollfd waiting{.fd = fd, .events = events, .revents = 0};
    const int ready = ::poll(&waiting, 1, kNoticeWithinMs);
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return Failed("cannot wait for the stream", "");
  }
}

// As many bytes as there are, at most `wanted`; fewer only at the end.
Result<std::size_t> ReadFully(int fd, char* into, std::size_t wanted, Interrupt* interrupt) {
  std::size_t got = 0;
  while (got < wanted) {
    TRY_STATUS(WaitFor(fd, POLLIN, interrupt));
    const ssize_t now = ::read(fd, into + got, wanted - got);
    if (now == 0) break;
    if (now > 0) {
      got += static_cast<std::size_t>(now);
    } else if (errno != EINTR && errno != EAGAIN) {
      return Failed("cannot read", "");
    }
  }
  return got;
}

// In pieces that a pipe which poll calls writable takes without blocking: a reader that has gone to
// sleep must not keep a stopped task from ending.
Status WriteFully(int fd, const char* from, std::size_t size, Interrupt* interrupt) {
  std::size_t done = 0;
  while (done < size) {
    TRY_STATUS(WaitFor(fd, POLLOUT, interrupt));
    const ssize_t now = ::write(fd, from + done, std::min<std::size_t>(size - done, PIPE_BUF));
    if (now >= 0) {
      done += static_cast<std::size_t>(now);
    } else if (errno != EINTR && errno != EAGAIN) {
      return Failed("cannot write", "");
    }
  }
  return {};
}

bool IsZero(const char* bytes, std::size_t size) {
  return std::all_of(bytes, bytes + size, [](char byte) { return byte == 0; });
}

// Writes what is not zero of one chunk, in runs.
Status WriteSparse(int fd, const char* bytes, std::size_t size, std::uint64_t at_bytes) {
  std::size_t begin = 0;
  while (begin < size) {
    std::size_t end = begin;
    const auto block_at = [&](std::size_t at) { return std::min(kHoleBytes, size - at); };
    while (end < size && !IsZero(bytes + end, block_at(end))) end += block_at(end);
    while (begin < end) {
      const ssize_t now =
          ::pwrite(fd, bytes + begin, end - begin, static_cast<off_t>(at_bytes + begin));
      if (now < 0 && errno == EINTR) continue;
      if (now <= 0) return Failed("cannot write", "");
      begin += static_cast<std::size_t>(now);
    }
    while (begin < size && IsZero(bytes + begin, block_at(begin))) begin += block_at(begin);
  }
  return {};
}

Result<UniqueFd> Open(const std::string& path, int flags) {
  UniqueFd device(::open(path.c_str(), flags | O_CLOEXEC));
  if (!device) return Failed("cannot open the device", path);
  return device;
}

Error EndsEarly(const char* what, std::uint64_t got_bytes, ByteCount size) {
  return Error(ErrorCode::kConflict, std::string(what) + " ends early")
      .With("got_bytes", std::to_string(got_bytes))
      .With("expected_bytes", std::to_string(size.bytes()))
      .Try("find out why the sending side ended, then transfer it again");
}

}  // namespace

Status WriteStream(const std::string& device_path, int fd, Interrupt* interrupt) {
  TRY(const auto device, Open(device_path, O_RDONLY));
  const off_t end = ::lseek(device.get(), 0, SEEK_END);
  if (end <= 0 || ::lseek(device.get(), 0, SEEK_SET) != 0) {
    return Failed("cannot read the size of the device", device_path);
  }
  const ByteCount size{static_cast<std::uint64_t>(end)};
  std::array<char, 8> header{};
  for (unsigned i = 0; i < header.size(); ++i) {
    header.at(i) = static_cast<char>((size.bytes() >> (8U * i)) & 0xFFU);
  }
  TRY_STATUS(WriteFully(fd, header.data(), header.size(), interrupt));
  std::vector<char> chunk(kChunkBytes);
  for (std::uint64_t done = 0; done < size.bytes();) {
    const std::size_t wanted = std::min<std::uint64_t>(chunk.size(), size.bytes() - done);
    TRY(const auto got, ReadFully(device.get(), chunk.data(), wanted, interrupt));
    if (got < wanted) return EndsEarly("the device", done + got, size);
    TRY_STATUS(WriteFully(fd, chunk.data(), got, interrupt));
    done += got;
  }
  return {};
}

Result<ByteCount> ReadStreamSize(int fd, Interrupt* interrupt) {
  std::array<char, 8> header{};
  TRY(const auto got, ReadFully(fd, header.data(), header.size(), interrupt));
  std::uint64_t size = 0;
  for (unsigned i = 0; i < header.size(); ++i) {
    size |= std::uint64_t{static_cast<unsigned char>(header.at(i))} << (8U * i);
  }
  // No disk is larger than a file can be.
  constexpr std::uint64_t kLargest = std::uint64_t{1} << 62U;
  if (got < header.size() || size == 0 || size > kLargest) {
    return Error(ErrorCode::kInvalidArgument, "the stream does not begin with the size of a volume")
        .With("got_bytes", std::to_string(got))
        .Try("check that the sending side uses the format raw+size");
  }
  return ByteCount{size};
}

Status ReadStream(int fd, ByteCount size, const std::string& device_path, Interrupt* interrupt) {
  TRY(const auto device, Open(device_path, O_WRONLY));
  std::vector<char> chunk(kChunkBytes);
  for (std::uint64_t done = 0; done < size.bytes();) {
    const std::size_t wanted = std::min<std::uint64_t>(chunk.size(), size.bytes() - done);
    TRY(const auto got, ReadFully(fd, chunk.data(), wanted, interrupt));
    TRY_STATUS(WriteSparse(device.get(), chunk.data(), got, done));
    if (got < wanted) return EndsEarly("the stream", done + got, size);
    done += got;
  }
  if (::fsync(device.get()) != 0) return Failed("cannot flush the device", device_path);
  return {};
}

}  // namespace ontapnvme::node
