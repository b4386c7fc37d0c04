// SPDX-License-Identifier: AGPL-3.0-or-later
// Namespaces as sparse pages in memory, for fast in-process tests.
#pragma once

#include <map>
#include <string>

#include "data_plane.h"

namespace ontapnvme::sim {

class MemoryStore : public BlockStore {
 public:
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
  struct Content {
    std::uint64_t size_bytes = 0;
    std::map<std::uint64_t, std::string> pages;  // by page number
  };

  static Content& Require(std::map<std::string, Content>& from, const std::string& id);

  std::map<std::string, Content> namespaces_;
  std::map<std::string, Content> images_;
};

}  // namespace ontapnvme::sim
