// SPDX-License-Identifier: AGPL-3.0-or-later
// The facts about the array that hardly ever change, and this node's registration with its
// subsystem: asked once, remembered by the process and the node.
#pragma once

#include "pve/context.h"

namespace ontapnvme::pve {

class FactSource {
 public:
  explicit FactSource(Context& context) : context_(&context) {}

  // Remembered facts when they are fresh enough, else those of the array; stale ones while the
  // array does not answer. Makes the subsystem when there is none. Idempotent.
  Result<ArrayFacts> Read(const Deadline& deadline) { return ReadFor("", deadline); }
  // The same, and the subsystem knows this host NQN.
  Result<ArrayFacts> ReadFor(const std::string& host_nqn, const Deadline& deadline);
  // Asks the array in any case. An empty host NQN is not registered.
  Result<ArrayFacts> Refresh(const std::string& host_nqn, const Deadline& deadline);
  // Facts at hand, however old; sends nothing.
  std::optional<ArrayFacts> Remembered();
  // Removes this node's host from the subsystem and adds it with the secrets of the settings: ONTAP
  // changes them in no other way. Ends its connections, so only for a node that has none.
  Status RegisterAnew(const ArrayFacts& facts, const Deadline& deadline);
  void Forget();

 private:
  Result<ontap::NvmeSubsystem> EnsureSubsystem(const Deadline& deadline);
  Status EnsureRegistered(const ontap::NvmeSubsystem& subsystem, const std::string& host_nqn,
                          const ontap::Release& release, const Deadline& deadline);
  Result<std::vector<std::string>> LifAddresses(const Deadline& deadline);

  Context* context_;
  std::optional<ArrayFacts> facts_;
  std::optional<TimePoint> silent_at_;  // when the last attempt to refresh them met silence
};

// No answer at all, as opposed to one that is an error.
inline bool IsArraySilent(const Error& error) {
  return error.code() == ErrorCode::kUnavailable || error.code() == ErrorCode::kTimedOut;
}

// kUnsupported for an array that this plugin cannot work with: older than 9.10.1, or ASA r2.
Status CheckCluster(const ontap::ClusterInfo& cluster);

}  // namespace ontapnvme::pve
