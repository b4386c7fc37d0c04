// SPDX-License-Identifier: AGPL-3.0-or-later
#include "configfs.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>

namespace ontapnvme::sim {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void Fail(const std::string& what, const fs::path& path) {
  throw std::system_error(errno, std::generic_category(), what + " " + path.string());
}

}  // namespace

void Configfs::MakeFolder(const std::string& path) {
  std::error_code error;
  fs::create_directory(root_ / path, error);
  if (error) throw std::system_error(error, "make " + (root_ / path).string());
}

void Configfs::RemoveFolder(const std::string& path) {
  if (::rmdir((root_ / path).c_str()) != 0 && errno != ENOENT) Fail("remove", root_ / path);
}

bool Configfs::Exists(const std::string& path) const {
  std::error_code error;
  return fs::exists(fs::symlink_status(root_ / path, error));
}

std::vector<std::string> Configfs::List(const std::string& path) const {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(root_ / path, error)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string Configfs::Read(const std::string& path) const {
  std::ifstream file(root_ / path);
  std::string value{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  while (!value.empty() && value.back() == '\n') value.pop_back();
  return value;
}

// One write(2): configfs takes each call as a value of its own.
void Configfs::Write(const std::string& path, const std::string& value) {
  const int fd = ::open((root_ / path).c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC);
  if (fd < 0) Fail("open", root_ / path);
  const ssize_t written = ::write(fd, value.data(), value.size());
  const int error = errno;
  ::close(fd);
  errno = error;
  if (written != static_cast<ssize_t>(value.size())) Fail("write", root_ / path);
}

void Configfs::Link(const std::string& target, const std::string& path) {
  if (::symlink((root_ / target).c_str(), (root_ / path).c_str()) != 0 && errno != EEXIST) {
    Fail("link", root_ / path);
  }
}

void Configfs::Unlink(const std::string& path) {
  if (::unlink((root_ / path).c_str()) != 0 && errno != ENOENT) Fail("unlink", root_ / path);
}

}  // namespace ontapnvme::sim
