// SPDX-License-Identifier: AGPL-3.0-or-later
#include "exported_namespace.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace ontapnvme::sim::target {
namespace {

constexpr std::uint64_t kStatBlockBytes = 512;  // st_blocks counts in these on every Linux
constexpr std::size_t kZerosBytes = 1U << 20U;

int Digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

struct stat StatOf(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) throw std::system_error(errno, std::generic_category(), "fstat");
  return info;
}

}  // namespace

Identifier ParseIdentifier(const std::string& text) {
  Identifier id{};
  std::size_t digits = 0;
  for (const char c : text) {
    if (c == '-') continue;
    const int digit = Digit(c);
    if (digit < 0 || digits == 2 * id.size()) throw std::invalid_argument("identifier " + text);
    id[digits / 2] = static_cast<std::uint8_t>(id[digits / 2] << 4U | digit);
    ++digits;
  }
  if (digits != 2 * id.size()) throw std::invalid_argument("identifier " + text);
  return id;
}

ExportedNamespace::ExportedNamespace(const TargetNamespace& ns)
    : labels(ns.labels),
      uuid_(ParseIdentifier(ns.uuid)),
      nguid_(ParseIdentifier(ns.nguid)),
      block_size_bytes_(ns.block_size_bytes),
      fd_(::open(ns.device_path.c_str(), O_RDWR | O_CLOEXEC)) {
  if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "open " + ns.device_path);
  ReadSize();
}

ExportedNamespace::~ExportedNamespace() {
  ::close(fd_);
}

void ExportedNamespace::ReadSize() {
  size_bytes_ = static_cast<std::uint64_t>(StatOf(fd_).st_size);
}

std::uint64_t ExportedNamespace::AllocatedBlocks() const {
  const auto bytes = static_cast<std::uint64_t>(StatOf(fd_).st_blocks) * kStatBlockBytes;
  return std::min(bytes / block_size_bytes_, size_blocks());
}

bool ExportedNamespace::Read(std::uint64_t offset, std::span<std::uint8_t> to) const {
  while (!to.empty()) {
    const ssize_t got = ::pread(fd_, to.data(), to.size(), static_cast<off_t>(offset));
    if (got < 0) return false;
    if (got == 0) {  // the file became shorter: what is gone reads as zeros
      std::fill(to.begin(), to.end(), std::uint8_t{0});
      return true;
    }
    to = to.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
  return true;
}

bool ExportedNamespace::Write(std::uint64_t offset, View bytes) const {
  while (!bytes.empty()) {
    const ssize_t put = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(put));
    offset += static_cast<std::uint64_t>(put);
  }
  return true;
}

bool ExportedNamespace::Flush() const {
  return ::fdatasync(fd_) == 0;
}

bool ExportedNamespace::Clear(std::uint64_t offset, std::uint64_t length_bytes) const {
  if (length_bytes == 0) return true;
  if (::fallocate(fd_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                  static_cast<off_t>(length_bytes)) == 0) {
    return true;
  }
  // File systems without holes get zeros written.
  const Bytes zeros(std::min<std::uint64_t>(length_bytes, kZerosBytes));
  for (std::uint64_t done = 0; done < length_bytes; done += zeros.size()) {
    const auto part = std::min<std::uint64_t>(zeros.size(), length_bytes - done);
    if (!Write(offset + done, View(zeros).first(part))) return false;
  }
  return true;
}

}  // namespace ontapnvme::sim::target
