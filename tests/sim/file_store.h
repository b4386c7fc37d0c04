// SPDX-License-Identifier: AGPL-3.0-or-later
// Namespaces as sparse files, which the kernel's NVMe target can export.
#pragma once

#include <filesystem>
#include <string>

#include "data_plane.h"

namespace ontapnvme::sim {

class FileStore : public BlockStore {
 public:
  // Everything an earlier run left below `root` is removed: objects do not outlive the process.
  explicit FileStore(std::filesystem::path root);

  void Create(const std::string& ns, std::uint64_t size_bytes) override;
  void Resize(const std::string& ns, std::uint64_t size_bytes) override;
  void Remove(const std::string& ns) override;
  void Save(const std::string& ns, const std::string& image) override;
  void DropImage(const std::string& image) override;
  void Restore(const std::string& image, const std::string& ns) override;
  void Clone(const std::string& image, const std::string& new_ns) override;
  std::string Read(const std::string& ns, std::uint64_t offset, std::size_t length) override;
  void Write(const std::string& ns, std::uint64_t offset, const std::string& bytes) override;
  std::uint64_t AllocatedBytes(const std::string& ns) override;
  std::string DevicePath(const std::string& ns) override;

 private:
  std::filesystem::path NamespacePath(const std::string& ns) const;
  std::filesystem::path ImagePath(const std::string& image) const;

  std::filesystem::path root_;
};

}  // namespace ontapnvme::sim
