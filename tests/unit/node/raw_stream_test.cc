// SPDX-License-Identifier: AGPL-3.0-or-later
#include "node/raw_stream.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "base/unique_fd.h"
#include "fakes/temporary_folder.h"

namespace ontapnvme::node {
namespace {

class RawStreamTest : public testing::Test {
 protected:
  RawStreamTest() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe(ends.data()), 0);
    reading = UniqueFd(ends[0]);
    writing = UniqueFd(ends[1]);
  }
  static UniqueFd Opened(const std::string& path) {
    UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    EXPECT_TRUE(static_cast<bool>(file)) << path;
    return file;
  }

  fakes::TemporaryFolder folder;
  UniqueFd reading;
  UniqueFd writing;
};

// Stops after it has been asked so many times.
struct StopsAfter : Interrupt {
  explicit StopsAfter(int times) : left(times) {}
  bool Pending() override { return left-- <= 0; }
  int left;
};

std::string Pattern(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 7 + i / 251);
  return bytes;
}

TEST_F(RawStreamTest, WhatIsSentArrivesByteForByte) {
  // More than the pipe and a chunk hold, an odd end, and holes of several kinds.
  std::string bytes = Pattern(3'000'000) + std::string(2'000'000, '\0') + Pattern(4096) +
                      std::string(4096, '\0') + "tail" + std::string(508, '\0');
  const auto source = folder.Write("source", bytes);
  const auto target = folder.Write("target", std::string(bytes.size(), '\0'));
  Status sent;
  std::thread sender([&] {
    sent = WriteStream(source, writing.get(), nullptr);
    writing.Reset();
  });
  const auto size = ReadStreamSize(reading.get(), nullptr);
  ASSERT_TRUE(size.ok()) << size.error().Line();
  EXPECT_EQ(size->bytes(), bytes.size());
  const auto got = ReadStream(reading.get(), *size, target, nullptr);
  sender.join();
  EXPECT_TRUE(sent.ok()) << sent.error().Line();
  EXPECT_TRUE(got.ok()) << got.error().Line();
  EXPECT_TRUE(folder.Read("target") == bytes);
}

TEST_F(RawStreamTest, ZerosAreNotWritten) {
  const std::size_t size = 4 << 20;
  const auto source = folder.Write("source", std::string(size, '\0') + Pattern(4096));
  const auto target = folder / "target";
  { std::ofstream make(target); }
  std::filesystem::resize_file(target, size + 4096);
  const UniqueFd from = Opened(source);
  ASSERT_TRUE(ReadStream(from.get(), ByteCount{size + 4096}, target, nullptr).ok());
  struct stat found {};
  ASSERT_EQ(stat(target.c_str(), &found), 0);
  EXPECT_LT(found.st_blocks * 512, 1 << 20) << "a thin volume would be full now";
  EXPECT_TRUE(folder.Read("target") == folder.Read("source"));
}

TEST_F(RawStreamTest, StreamThatEndsEarlyIsAnError) {
  const auto target = folder.Write("target", std::string(8192, '\0'));
  ASSERT_EQ(write(writing.get(), "half", 4), 4);
  writing.Reset();
  const auto got = ReadStream(reading.get(), ByteCount{8192}, target, nullptr);
  ASSERT_TRUE(FailedWith(got, ErrorCode::kConflict));
  EXPECT_EQ(got.error().Fact("got_bytes"), "4");
  EXPECT_EQ(got.error().Fact("expected_bytes"), "8192");
  EXPECT_EQ(folder.Read("target").substr(0, 5), std::string("half\0", 5));
}

// Called at each wait of a transfer, so that something happens in the middle of it.
struct Meanwhile : Interrupt {
  explicit Meanwhile(std::function<void()> what) : happen(std::move(what)) {}
  bool Pending() override {
    if (happen) std::exchange(happen, nullptr)();
    return false;
  }
  std::function<void()> happen;
};

TEST_F(RawStreamTest, DeviceThatEndsEarlyIsAnError) {
  const auto source = folder.Write("source", Pattern(3'000'000));
  const auto sink = folder.Write("sink", "");
  const UniqueFd to(::open(sink.c_str(), O_WRONLY | O_CLOEXEC));
  // The size is known by then, and nothing was read yet.
  Meanwhile shrink([&] { std::filesystem::resize_file(source, 1'500'000); });
  const auto sent = WriteStream(source, to.get(), &shrink);
  ASSERT_TRUE(FailedWith(sent, ErrorCode::kConflict));
  EXPECT_EQ(sent.error().Fact("got_bytes"), "1500000");
  EXPECT_EQ(sent.error().Fact("expected_bytes"), "3000000");
}

TEST_F(RawStreamTest, StreamBeginsWithItsSizeInLittleEndian) {
  const auto source = folder.Write("source", Pattern(0x010203));
  const UniqueFd to(::open(folder.Write("sink", "").c_str(), O_WRONLY | O_CLOEXEC));
  ASSERT_TRUE(WriteStream(source, to.get(), nullptr).ok());
  EXPECT_EQ(folder.Read("sink").substr(0, 8), std::string("\3\2\1\0\0\0\0\0", 8));
  EXPECT_TRUE(folder.Read("sink").substr(8) == Pattern(0x010203));
}

TEST_F(RawStreamTest, DeviceWithoutASizeIsNotSent) {
  EXPECT_FALSE(WriteStream(folder.Write("empty", ""), writing.get(), nullptr).ok());
  writing.Reset();
  char byte = 0;
  EXPECT_EQ(::read(reading.get(), &byte, 1), 0) << "not even a header";
}

TEST_F(RawStreamTest, NoMoreIsTakenFromTheStreamThanTheDisk) {
  const auto target = folder.Write("target", std::string(8192, '\0'));
  ASSERT_EQ(::write(writing.get(), "0123456789", 10), 10);
  ASSERT_TRUE(ReadStream(reading.get(), ByteCount{6}, target, nullptr).ok());
  std::array<char, 8> rest{};
  ASSERT_EQ(::read(reading.get(), rest.data(), rest.size()), 4);
  EXPECT_EQ(std::string(rest.data(), 4), "6789");
}

// /dev/null takes every write and cannot be flushed.
TEST_F(RawStreamTest, DeviceThatCannotBeFlushedIsAnError) {
  ASSERT_EQ(::write(writing.get(), "data", 4), 4);
  const auto got = ReadStream(reading.get(), ByteCount{4}, "/dev/null", nullptr);
  ASSERT_TRUE(FailedWith(got, ErrorCode::kUnavailable));
  EXPECT_EQ(got.error().sentence(), "cannot flush the device");
}

TEST_F(RawStreamTest, DeviceThatTakesNoMoreIsAnError) {
  ASSERT_EQ(::write(writing.get(), "data", 4), 4);
  const auto got = ReadStream(reading.get(), ByteCount{4}, "/dev/full", nullptr);
  ASSERT_TRUE(FailedWith(got, ErrorCode::kUnavailable));
  EXPECT_EQ(got.error().sentence(), "cannot write");
}

TEST_F(RawStreamTest, ReaderThatHasGoneIsAnError) {
  const auto source = folder.Write("source", Pattern(8));
  reading.Reset();
  // As in a Perl task that ignores it; else the signal ends the task.
  const auto former = std::signal(SIGPIPE, SIG_IGN);
  EXPECT_TRUE(FailedWith(WriteStream(source, writing.get(), nullptr), ErrorCode::kUnavailable));
  std::signal(SIGPIPE, former);
}

TEST_F(RawStreamTest, StreamWithoutASizeIsRefused) {
  for (const std::string& head :
       {std::string("short"), std::string(8, '\0'), std::string(8, '\xff')}) {
    const UniqueFd from = Opened(folder.Write("head", head));
    EXPECT_TRUE(FailedWith(ReadStreamSize(from.get(), nullptr), ErrorCode::kInvalidArgument));
  }
}

TEST_F(RawStreamTest, StoppedTaskStopsTheTransferWhileTheOtherEndIsSilent) {
  StopsAfter soon(1);
  EXPECT_TRUE(FailedWith(ReadStreamSize(reading.get(), &soon), ErrorCode::kInterrupted));
  const auto source = folder.Write("source", Pattern(1'000'000));
  StopsAfter later(20);
  EXPECT_TRUE(FailedWith(WriteStream(source, writing.get(), &later), ErrorCode::kInterrupted));
}

TEST_F(RawStreamTest, StoppedTaskStopsAnImport) {
  const auto target = folder.Write("target", std::string(8192, '\0'));
  ASSERT_EQ(::write(writing.get(), "half", 4), 4);
  StopsAfter soon(2);
  EXPECT_TRUE(FailedWith(ReadStream(reading.get(), ByteCount{8192}, target, &soon),
                         ErrorCode::kInterrupted));
}

TEST_F(RawStreamTest, DescriptorThatIsNoneIsRefused) {
  EXPECT_TRUE(FailedWith(ReadStreamSize(-1, nullptr), ErrorCode::kInvalidArgument));
  EXPECT_TRUE(FailedWith(WriteStream(folder.Write("source", Pattern(8)), -1, nullptr),
                         ErrorCode::kInvalidArgument));
}

TEST_F(RawStreamTest, MissingDeviceIsNamed) {
  const auto sent = WriteStream(folder / "nothing", writing.get(), nullptr);
  ASSERT_TRUE(FailedWith(sent, ErrorCode::kUnavailable));
  EXPECT_EQ(sent.error().Fact("path"), folder / "nothing");
  const auto got = ReadStream(reading.get(), ByteCount{1}, folder / "nothing", nullptr);
  ASSERT_TRUE(FailedWith(got, ErrorCode::kUnavailable));
  EXPECT_FALSE(folder.Has("nothing")) << "a device is not made by writing to it";
}

}  // namespace
}  // namespace ontapnvme::node
