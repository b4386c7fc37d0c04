// SPDX-License-Identifier: AGPL-3.0-or-later
// Small files below one folder (/sys, /proc, /dev, /etc): bounded, counted, and with the folder
// injected, so that everything above can be tested against a tree in a temporary folder.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ontapnvme::nvme {

class RootedFiles {
 public:
  explicit RootedFiles(std::string root) : root_(std::move(root)) {}

  // The text of a sysfs attribute without its trailing white space. Nothing when it cannot be read,
  // is longer than a page, or holds a NUL byte: sysfs gives neither, so it is not an attribute.
  std::optional<std::string> Attribute(const std::string& path) const;
  // The same with a third answer: nothing only when there is no such attribute, an error when there
  // may be one that cannot be read now (no file descriptor is left, say).
  Result<std::optional<std::string>> AttributeIfAny(const std::string& path) const;
  // As Attribute, and a decimal number.
  std::optional<std::uint64_t> Number(const std::string& path) const;

  // A whole text of at most `bytes_max`. kNotFound, kPermissionDenied, kInvalidArgument (EINVAL),
  // or kInternal.
  Result<std::string> Text(const std::string& path, std::size_t bytes_max) const;

  // The target of a symbolic link as it is written. Nothing when it cannot be read.
  std::optional<std::string> Link(const std::string& path) const;
  // The same; nothing only when there is no such link.
  Result<std::optional<std::string>> LinkIfAny(const std::string& path) const;
  // Names in a folder but for "." and "..", in no order. kNotFound, kPermissionDenied, kInternal.
  Result<std::vector<std::string>> List(const std::string& path) const;
  bool Exists(const std::string& path) const;

  // Writes one attribute with a single write().
  Status Write(const std::string& path, std::string_view text) const;

  std::string Full(const std::string& path) const { return root_ + "/" + path; }
  // File-system operations so far; tests hold the cheap paths to it.
  std::uint64_t operations() const { return operations_; }

 private:
  std::string root_;
  mutable std::uint64_t operations_ = 0;
};

}  // namespace ontapnvme::nvme
