// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/raw_stream.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "base/unique_fd.h"

namespace ontapnvme::pve {
namespace {

using testing::HasSubstr;

class RawStreamTest : public testing::Test {
 protected:
  RawStreamTest() {
    std::string pattern = testing::TempDir() + "/ontapnvme-stream-XXXXXX";
    EXPECT_NE(mkdtemp(pattern.data()), nullptr);
    directory = pattern;
    std::array<int, 2> ends{};
    EXPECT_EQ(pipe(ends.data()), 0);
    reading = UniqueFd(ends[0]);
    writing = UniqueFd(ends[1]);
  }
  ~RawStreamTest() override { std::filesystem::remove_all(directory); }

  std::string File(const std::string& name, const std::string& bytes) {
    std::ofstream(directory + "/" + name, std::ios::binary) << bytes;
    return directory + "/" + name;
  }
  static std::string Content(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
  }

  std::string directory;
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
  const auto source = File("source", bytes);
  const auto target = File("target", std::string(bytes.size(), '\0'));
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
  EXPECT_TRUE(Content(target) == bytes);
}

TEST_F(RawStreamTest, ZerosAreNotWritten) {
  const std::size_t size = 4 << 20;
  const auto source = File("source", std::string(size, '\0') + Pattern(4096));
  const auto target = directory + "/target";
  { std::ofstream make(target); }
  std::filesystem::resize_file(target, size + 4096);
  const UniqueFd from(open(source.c_str(), O_RDONLY));
  ASSERT_TRUE(ReadStream(from.get(), ByteCount{size + 4096}, target, nullptr).ok());
  struct stat found {};
  ASSERT_EQ(stat(target.c_str(), &found), 0);
  EXPECT_LT(found.st_blocks * 512, 1 << 20) << "a thin volume would be full now";
  EXPECT_TRUE(Content(target) == Content(source));
}

TEST_F(RawStreamTest, StreamThatEndsEarlyIsAnError) {
  const auto target = File("target", std::string(8192, '\0'));
  ASSERT_EQ(write(writing.get(), "half", 4), 4);
  writing.Reset();
  const auto got = ReadStream(reading.get(), ByteCount{8192}, target, nullptr);
  ASSERT_TRUE(FailedWith(got, ErrorCode::kConflict));
  EXPECT_THAT(got.error().Line(), HasSubstr("got_bytes=4"));
}

TEST_F(RawStreamTest, StreamWithoutASizeIsRefused) {
  for (const std::string& head :
       {std::string("short"), std::string(8, '\0'), std::string(8, '\xff')}) {
    const UniqueFd from(open(File("head", head).c_str(), O_RDONLY));
    EXPECT_TRUE(FailedWith(ReadStreamSize(from.get(), nullptr), ErrorCode::kInvalidArgument));
  }
}

TEST_F(RawStreamTest, StoppedTaskStopsTheTransferWhileTheOtherEndIsSilent) {
  StopsAfter soon(1);
  EXPECT_TRUE(FailedWith(ReadStreamSize(reading.get(), &soon), ErrorCode::kInterrupted));
  const auto source = File("source", Pattern(1'000'000));
  StopsAfter later(20);
  EXPECT_TRUE(FailedWith(WriteStream(source, writing.get(), &later), ErrorCode::kInterrupted));
}

TEST_F(RawStreamTest, DescriptorThatIsNoneIsRefused) {
  EXPECT_TRUE(FailedWith(ReadStreamSize(-1, nullptr), ErrorCode::kInvalidArgument));
  EXPECT_TRUE(FailedWith(WriteStream(File("source", Pattern(8)), -1, nullptr),
                         ErrorCode::kInvalidArgument));
}

TEST_F(RawStreamTest, MissingDeviceIsNamed) {
  const auto sent = WriteStream(directory + "/nothing", writing.get(), nullptr);
  ASSERT_FALSE(sent.ok());
  EXPECT_THAT(sent.error().Line(), HasSubstr(directory + "/nothing"));
}

}  // namespace
}  // namespace ontapnvme::pve
