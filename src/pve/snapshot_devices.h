// SPDX-License-Identifier: AGPL-3.0-or-later
// A snapshot's bytes as a device of this node: a FlexClone of the snapshot, mapped for as long as
// it is needed. Its name is outside those of volumes, so that no listing shows it; its mark says
// what it shows and to which node. What reads it may write to it as well: the snapshot stays what
// it is.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ontap/disk_objects.h"
#include "pve/array_facts.h"
#include "pve/context.h"
#include "pve/node_lock.h"
#include "pve/paths.h"
#include "pve/volume_name.h"

namespace ontapnvme::pve {

class SnapshotDevices {
 public:
  // `lock` is of this node: two tasks must not take each other's unfinished device for a left-over.
  SnapshotDevices(Context& context, FactSource& facts, Paths& paths, NodeLock lock)
      : context_(&context), facts_(&facts), paths_(&paths), lock_(std::move(lock)) {}

  // See Storage::ActivateSnapshot.
  Result<std::string> Activate(const VolumeName& name, const std::string& snapshot,
                               const Deadline& deadline);
  // See Storage::DeactivateSnapshot.
  Status Deactivate(const VolumeName& name, const std::string& snapshot, const Deadline& deadline);
  // Lets go of what nobody on this node uses of the volume's snapshot devices. Best effort; no
  // request when there is none.
  void ReleaseUnused(const VolumeName& name, const Deadline& deadline);
  // Removes this node's unused snapshot devices of these FlexVols, all of them or those of one
  // snapshot (its name on the array), also those that a crash left without a link. True when one
  // was removed: what they kept from being deleted may be free now.
  bool Reap(const std::set<std::string>& flexvols, const std::string& array_snapshot,
            const Deadline& deadline);
  // Removes those of this node that were made before `oldest`, are unused and have no link any
  // more: the node has started since. How many.
  int ReapAbandoned(std::chrono::system_clock::time_point oldest, const Deadline& deadline);

  // Those of all nodes, one line each, for people.
  Result<std::vector<std::string>> Describe(const Deadline& deadline);
  // The storage is removed.
  void Forget() const { lock_.Forget(); }

 private:
  // What makes a snapshot device.
  struct Shown {
    VolumeName name;
    std::string snapshot;
  };
  // Removes this node's unused ones that `is_wanted_gone` picks.
  int ReapIf(const std::function<bool(const Shown&, const ontap::FlexVol&)>& is_wanted_gone,
             const Deadline& deadline);
  Result<std::string> CloneNameOf(const Shown& shown) const;
  std::optional<std::string> PresentLink(const Shown& shown, const ontap::DiskObjects& clone,
                                         const Deadline& deadline);
  Result<std::string> Make(const Shown& shown, const std::string& clone, const Deadline& deadline);
  // Unmaps and deletes the clone unless it is in use here.
  Status Remove(const Shown& shown, const ontap::DiskObjects& clone, const Deadline& deadline);

  Context* context_;
  FactSource* facts_;
  Paths* paths_;
  NodeLock lock_;
};

}  // namespace ontapnvme::pve
