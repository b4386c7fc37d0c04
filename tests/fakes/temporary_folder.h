// SPDX-License-Identifier: AGPL-3.0-or-later
// A folder of a test's own, gone with it.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace ontapnvme::fakes {

class TemporaryFolder {
 public:
  TemporaryFolder() : path_(testing::TempDir() + "/ontapnvme-XXXXXX") {
    EXPECT_NE(mkdtemp(path_.data()), nullptr) << path_;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

  // Returns its path.
  std::string Write(const std::string& name, const std::string& bytes) const {
    std::ofstream(*this / name, std::ios::binary) << bytes;
    return *this / name;
  }
  std::string Read(const std::string& name) const {
    std::ostringstream bytes;
    bytes << std::ifstream(*this / name, std::ios::binary).rdbuf();
    return bytes.str();
  }
  bool Has(const std::string& name) const {
    return std::filesystem::exists(std::filesystem::symlink_status(*this / name));
  }
  // Permission bits; 0 when it is not there.
  unsigned Mode(const std::string& name) const {
    struct stat info {};
    return ::lstat((*this / name).c_str(), &info) == 0 ? info.st_mode & 07777U : 0U;
  }
  std::size_t Count(const std::string& name = ".") const {
    std::error_code none;
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(*this / name, none), {}));
  }

 private:
  std::string path_;
};

}  // namespace ontapnvme::fakes
