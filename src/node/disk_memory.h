// SPDX-License-Identifier: AGPL-3.0-or-later
// Which namespace each volume is, kept in the cluster's own file system for the time when the array
// does not answer: disks that are there can be activated then.
//
// A name alone proves nothing: it may have passed to another VM's disk. So this is written only
// under Proxmox's lock of the storage, a name is taken out before it loses its disk and put in after
// it has got one, and all nodes read the same file. Wherever an operation is interrupted, a name is
// missing rather than wrong.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/uuid.h"
#include "model/volume_name.h"

namespace ontapnvme::node {

class DiskMemory {
 public:
  using Disks = std::map<std::string, Uuid>;  // by name without the base part: namespace

  // An empty path remembers nothing.
  explicit DiskMemory(std::string path) : path_(std::move(path)) {}

  std::optional<Uuid> Find(const VolumeName& name) const;
  // Everything that is remembered; nothing when it cannot be read.
  Disks All() const { return Load(); }
  // Called before the name loses its disk, to which nothing may be done when this fails.
  Status Forget(const VolumeName& name) const;
  // Called after the name has got its disk. Best effort: without it, activating the disk needs the
  // array.
  void Remember(const VolumeName& name, const Uuid& ns) const;
  // Disks as just listed under the lock. What the listing does not show is not forgotten for that: it
  // may have come late, or short, and what is remembered keeps a disk from being taken for gone. A
  // namespace that is listed under another name has moved. Best effort.
  void Renew(Disks listed) const;

 private:
  Disks Load() const;
  Status Store(const Disks& disks) const;

  std::string path_;
};

}  // namespace ontapnvme::node
