// SPDX-License-Identifier: AGPL-3.0-or-later
#include "nvme/kernel/rooted_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <memory>

#include "base/errno_text.h"
#include "base/unique_fd.h"

namespace ontapnvme::nvme {
namespace {

constexpr std::size_t kAttributeBytesMax = 4096;  // sysfs gives at most one page
// More names than a node can have block devices, processes or descriptors in one folder.
constexpr std::size_t kNamesMax = 1U << 20U;

struct CloseDir {
  void operator()(DIR* dir) const { ::closedir(dir); }
};

Error FileError(const std::string& doing, int code) {
  ErrorCode kind = ErrorCode::kInternal;
  // A process that ends takes its files in /proc with it: ESRCH is their "not found".
  if (code == ENOENT || code == ENOTDIR || code == ESRCH || code == ENODEV) {
    kind = ErrorCode::kNotFound;
  } else if (code == EACCES || code == EPERM) {
    kind = ErrorCode::kPermissionDenied;
  } else if (code == EINVAL) {
    kind = ErrorCode::kInvalidArgument;
  }
  return Error(kind, doing).Because(ErrnoText(code));
}

// Reads until the end or one byte more than `bytes_max`; 0 or an errno.
int ReadAll(int fd, std::size_t bytes_max, std::string& text) {
  std::array<char, 4096> chunk{};
  while (text.size() <= bytes_max) {
    const ssize_t got = ::read(fd, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    if (got == 0) break;
    text.append(chunk.data(), static_cast<std::size_t>(got));
  }
  return 0;
}

}  // namespace

Result<std::string> RootedFiles::Text(const std::string& path, std::size_t bytes_max) const {
  ++operations_;
  const std::string full = Full(path);
  const UniqueFd fd(::open(full.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd) return FileError("cannot open '" + full + "'", errno);
  std::string text;
  const int failure = ReadAll(fd.get(), bytes_max, text);
  if (failure != 0) return FileError("cannot read '" + full + "'", failure);
  if (text.size() > bytes_max) {
    return Error(ErrorCode::kInternal, "cannot read '" + full + "'")
        .Because("it is longer than " + std::to_string(bytes_max) + " bytes");
  }
  return text;
}

Result<std::optional<std::string>> RootedFiles::AttributeIfAny(const std::string& path) const {
  auto text = Text(path, kAttributeBytesMax);
  if (FailedWith(text, ErrorCode::kNotFound)) return std::optional<std::string>();
  if (!text) return std::move(text).error();
  std::string value = std::move(text).value();
  while (!value.empty() && (value.back() == '\n' || value.back() == ' ')) value.pop_back();
  if (value.find('\0') != std::string::npos) {
    return Error(ErrorCode::kInternal, "cannot read '" + Full(path) + "'")
        .Because("it is no sysfs attribute");
  }
  return std::optional(std::move(value));
}

std::optional<std::string> RootedFiles::Attribute(const std::string& path) const {
  auto value = AttributeIfAny(path);
  return value ? std::move(value).value() : std::nullopt;
}

std::optional<std::uint64_t> RootedFiles::Number(const std::string& path) const {
  const auto text = Attribute(path);
  if (!text) return std::nullopt;
  std::uint64_t number = 0;
  const char* const end = text->data() + text->size();
  const auto [stop, failure] = std::from_chars(text->data(), end, number);
  if (failure != std::errc() || stop != end) return std::nullopt;
  return number;
}

Result<std::optional<std::string>> RootedFiles::LinkIfAny(const std::string& path) const {
  ++operations_;
  const std::string full = Full(path);
  std::array<char, PATH_MAX> target{};
  const ssize_t length = ::readlink(full.c_str(), target.data(), target.size());
  if (length >= 0 && static_cast<std::size_t>(length) < target.size()) {
    return std::optional(std::string(target.data(), static_cast<std::size_t>(length)));
  }
  auto failure =
      FileError("cannot read the link '" + full + "'", length < 0 ? errno : ENAMETOOLONG);
  if (failure.code() == ErrorCode::kNotFound) return std::optional<std::string>();
  return failure;
}

std::optional<std::string> RootedFiles::Link(const std::string& path) const {
  auto target = LinkIfAny(path);
  return target ? std::move(target).value() : std::nullopt;
}

Result<std::vector<std::string>> RootedFiles::List(const std::string& path) const {
  ++operations_;
  const std::string full = Full(path);
  const std::unique_ptr<DIR, CloseDir> dir(::opendir(full.c_str()));
  if (!dir) return FileError("cannot list '" + full + "'", errno);
  std::vector<std::string> names;
  while (names.size() < kNamesMax) {
    errno = 0;
    const dirent* const entry = ::readdir(dir.get());
    if (entry == nullptr) {
      if (errno != 0) return FileError("cannot list '" + full + "'", errno);
      return names;
    }
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  return Error(ErrorCode::kInternal, "cannot list '" + full + "'").Because("it never ends");
}

bool RootedFiles::Exists(const std::string& path) const {
  ++operations_;
  struct stat status {};
  return ::stat(Full(path).c_str(), &status) == 0;
}

Status RootedFiles::Write(const std::string& path, std::string_view text) const {
  ++operations_;
  const std::string full = Full(path);
  const UniqueFd fd(::open(full.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY));
  if (!fd) return FileError("cannot open '" + full + "'", errno);
  const ssize_t written = ::write(fd.get(), text.data(), text.size());
  if (written < 0) return FileError("cannot write '" + full + "'", errno);
  if (static_cast<std::size_t>(written) != text.size()) {
    return FileError("cannot write '" + full + "'", EIO);
  }
  return {};
}

}  // namespace ontapnvme::nvme
