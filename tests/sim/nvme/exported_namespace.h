// SPDX-License-Identifier: AGPL-3.0-or-later
// A namespace as hosts see it: its identifiers, and the open file that holds its bytes.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "../data_plane.h"
#include "wire.h"

namespace ontapnvme::sim::target {

using Identifier = std::array<std::uint8_t, 16>;

// "xxxxxxxx-xxxx-…", with or without hyphens. Throws std::invalid_argument.
Identifier ParseIdentifier(const std::string& text);

class ExportedNamespace {
 public:
  // Opens the file and keeps it open, as the kernel's target does: a restore writes into the same
  // inode. Throws std::system_error.
  explicit ExportedNamespace(const TargetNamespace& ns);
  ~ExportedNamespace();
  ExportedNamespace(const ExportedNamespace&) = delete;
  ExportedNamespace& operator=(const ExportedNamespace&) = delete;

  const Identifier& uuid() const { return uuid_; }
  const Identifier& nguid() const { return nguid_; }
  std::uint32_t block_size_bytes() const { return block_size_bytes_; }
  std::uint64_t size_blocks() const { return size_bytes_ / block_size_bytes_; }
  std::uint64_t AllocatedBlocks() const;
  void ReadSize();  // again, from the file

  // False when the file failed; what part of it was done is unknown. Ranges lie inside.
  bool Read(std::uint64_t offset, std::span<std::uint8_t> to) const;
  bool Write(std::uint64_t offset, View bytes) const;
  bool Flush() const;
  // Gives the space back; it reads as zeros then.
  bool Clear(std::uint64_t offset, std::uint64_t length_bytes) const;

  TargetLabels labels;
  unsigned ana_group = 0;

 private:
  Identifier uuid_;
  Identifier nguid_;
  std::uint32_t block_size_bytes_;
  std::uint64_t size_bytes_ = 0;
  int fd_;
};

}  // namespace ontapnvme::sim::target
