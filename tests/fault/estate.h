// SPDX-License-Identifier: AGPL-3.0-or-later
// What the predecessor leaves: tests/tables/predecessor.tsv done to a simulated array, with what must be
// found of it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "fault/predecessor.h"

namespace ontapnvme::fault {

struct LeftDisk {
  std::string configured;  // the volume's name in Proxmox's configuration
  std::string listed;      // in the predecessor's list
  std::uint64_t size_bytes = 0;
  std::string content;
  std::string namespace_uuid;
  // Name and bytes, oldest first. Of a linked clone its own.
  std::vector<std::pair<std::string, std::string>> snapshots = {};
};

class Estate {
 public:
  // Does what the table says. Its last act is two hours ago.
  explicit Estate(TestArray& array);

  // By the name in Proxmox's configuration.
  const std::map<std::string, LeftDisk>& disks() const { return disks_; }
  const LeftDisk& At(const std::string& volume) const { return disks_.at(volume); }
  Predecessor& predecessor() { return predecessor_; }

 private:
  struct Row {
    std::string what;
    std::string volume;
    std::string with;
  };
  void Do(const Row& row);
  void Make(const Row& row);
  void Write(const std::string& volume, const std::string& text);
  void Snapshot(std::uint64_t vmid, const std::string& name);
  void ChangeName(const std::string& volume, const std::string& new_name);

  TestArray* array_;
  Predecessor predecessor_;
  std::map<std::string, LeftDisk> disks_;
};

}  // namespace ontapnvme::fault
