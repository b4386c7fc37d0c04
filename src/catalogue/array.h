// SPDX-License-Identifier: AGPL-3.0-or-later
// The port to the array as a whole: whether it can serve this storage, how nodes reach it, what it
// has room for, and what interrupted operations left on it.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "catalogue/disk_store.h"
#include "catalogue/records.h"
#include "catalogue/snapshot_store.h"
#include "model/check_result.h"
#include "model/probe_finding.h"
#include "model/storage_config.h"
#include "model/storage_types.h"

namespace ontapnvme::catalogue {

// The array does not answer, or says "later": what is remembered of it may serve meanwhile. Any other
// error is an answer, or has nothing to do with the array.
inline bool IsArraySilent(const Error& error) {
  if (error.origin().refusal == Refusal::kUnresolved) return false;
  return error.code() == ErrorCode::kUnavailable || error.code() == ErrorCode::kTimedOut;
}

// Something an interrupted operation left. `Array::Settle` knows what to do about it.
struct LeftOver {
  std::string description;  // one line for people, as it stands
  std::string settled;      // the same after settling: "removed empty volume x"
  std::string key;          // of the back end
  // Settling takes it away: nobody was ever told of it, or Proxmox had it deleted.
  bool is_abandoned = false;
};

struct Survey {
  std::map<std::string, Uuid> namespace_by_volume;  // all disks, by name without the base part
  std::vector<LeftOver> left_overs;
  // Why there may be more than that: disks are told all the same.
  std::optional<Error> unread = std::nullopt;
};

class Array {
 public:
  virtual ~Array() = default;

  virtual DiskStore& disks() = 0;
  virtual SnapshotStore& snapshots() = 0;

  // ---- the array

  // Everything that a new or changed storage needs, asked of the array; registers `host_nqn` if it
  // is given. Warnings go to the log. Idempotent. kNotFound, kUnsupported, kPermissionDenied name
  // the setting and the remedy.
  virtual Status Verify(const std::string& host_nqn, const Deadline& deadline) = 0;
  // Looks at everything that a storage needs of the array, and says of each what it found: always the
  // same checks. Changes nothing. `host_nqn`: this node's; empty when it has none.
  virtual CheckResults Examine(const std::string& host_nqn, const Deadline& deadline) = 0;
  virtual Result<CapacityInfo> Capacity(const Deadline& deadline) = 0;
  // The same text for two storages that show the same disks.
  virtual Result<std::string> Identity(const Deadline& deadline) = 0;
  // What holds the disks is the same as before, although the settings name it otherwise by now:
  // asked before such a change is written. kConflict when it is not, or nothing shows that it is.
  virtual Status RequireSameDisks(const Deadline& deadline) = 0;
  // Brings what exists to the current settings where they differ from those `before`. What could not
  // be changed is a warning that counts and names it.
  virtual Status ApplyChanges(const StorageConfig& before, const Deadline& deadline) = 0;

  // ---- the fabric

  // Remembered if it is fresh enough, else asked; stale while the array does not answer. With a
  // `host_nqn`, the subsystem knows this host afterwards.
  virtual Result<FabricTarget> Target(const std::string& host_nqn, const Deadline& deadline) = 0;
  // Asks in any case.
  virtual Result<FabricTarget> RefreshTarget(const std::string& host_nqn,
                                             const Deadline& deadline) = 0;
  // The remembered one, however old; sends nothing.
  virtual std::optional<FabricTarget> RememberedTarget() = 0;
  // Removes this node's host and adds it with the secrets of the settings: an array changes them in
  // no other way. Ends its connections, so only for a node that has none.
  virtual Status RegisterAnew(const FabricTarget& target, const Deadline& deadline) = 0;
  virtual Result<std::vector<HostConnection>> Connections(const Deadline& deadline) = 0;
  // The storage is removed: nothing about it is remembered on this node.
  virtual void Forget() = 0;

  // ---- how the array behaves where its documentation leaves it open

  // In the order in which they are to be run.
  virtual std::vector<ProbeInfo> Probes() = 0;
  // Makes scratch objects, asks one question, and takes them away again; what is left of a process that
  // was killed Look finds. kInvalidArgument for what is no probe. Fails when the array does not answer, or
  // refuses what the plugin cannot do without.
  virtual Result<ProbeFinding> RunProbe(const std::string& probe, const Deadline& deadline) = 0;

  // ---- what interrupted operations left

  // What was made before `oldest` and is not as it should be. Changes nothing.
  virtual Result<Survey> Look(std::chrono::system_clock::time_point oldest,
                              const Deadline& deadline) = 0;
  // Finishes or removes it, after a second look. Never deletes what may hold data.
  virtual Status Settle(const LeftOver& left_over, const Deadline& deadline) = 0;
};

}  // namespace ontapnvme::catalogue
