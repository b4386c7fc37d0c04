// SPDX-License-Identifier: AGPL-3.0-or-later
// The few operations on a configfs tree. A folder in configfs comes with its attribute files and
// goes with them, which is why this is an interface: a test's folder does neither by itself.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace ontapnvme::sim {

// Paths are relative to the root. Failures throw std::system_error unless said otherwise.
class Configfs {
 public:
  explicit Configfs(std::filesystem::path root) : root_(std::move(root)) {}
  virtual ~Configfs() = default;

  virtual void MakeFolder(const std::string& path);    // fine when it is there
  virtual void RemoveFolder(const std::string& path);  // fine when it is not

  bool Exists(const std::string& path) const;
  std::vector<std::string> List(const std::string& path) const;  // names; empty for no folder
  std::string Read(const std::string& path) const;               // without the newline
  void Write(const std::string& path, const std::string& value);
  void Link(const std::string& target, const std::string& path);  // fine when it is there
  void Unlink(const std::string& path);                           // fine when it is not

 protected:
  std::filesystem::path root_;
};

}  // namespace ontapnvme::sim
