// SPDX-License-Identifier: AGPL-3.0-or-later
// Which namespace each volume is, kept in the cluster's own file system for the time when the array
// does not answer: disks that are there can be activated then.
//
// A name alone proves nothing: it may have passed to another VM's disk. So this is written only
// under Proxmox's storage lock, a name is taken out before it loses its disk and put in after it
// has it, and all nodes read the same file. Whatever stops in between, a name is missing rather
// than wrong.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/uuid.h"
#include "pve/volume_name.h"

namespace ontapnvme::pve {

class DiskMemory {
 public:
  using Disks = std::map<std::string, Uuid>;  // by name without the base part: namespace

  // An empty path remembers nothing.
  explicit DiskMemory(std::string path) : path_(std::move(path)) {}

  std::optional<Uuid> Find(const VolumeName& name) const;
  // Before the name loses its disk; nothing may be done to it when this fails.
  Status Forget(const VolumeName& name) const;
  // After the name has its disk. Best effort: without it the disk needs the array to be activated.
  void Remember(const VolumeName& name, const Uuid& ns) const;
  // All there is, as just listed under the lock. Best effort.
  void Replace(const Disks& disks) const;

 private:
  Disks Load() const;
  Status Store(const Disks& disks) const;

  std::string path_;
};

}  // namespace ontapnvme::pve
