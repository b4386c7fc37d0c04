// SPDX-License-Identifier: AGPL-3.0-or-later
// What an array does where nobody knows for certain (sim/switches.h), found out by doing it. On the
// simulator each probe has to tell every position of its switch; on a real array the answers are
// printed as a table, which is what docs/array-behaviour.md wants to hear of.
#pragma once

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "contract/array_under_test.h"

namespace ontapnvme::contract {

class BehaviourFixture : public ContractFixture {
 protected:
  // The position of that switch that the array behaves like, or "unclear: " and why.
  std::string Ask(const std::string& switch_name);

 private:
  using Probe = std::string (BehaviourFixture::*)();
  static const std::map<std::string, Probe>& Probes();
  friend std::vector<std::string> AskedSwitches();

  // Requests as they are, past what the typed resources would do about a refusal.
  Result<ontap::ChangeAnswer> Send(const ontap::ChangeRequest& request);
  Status Post(const std::string& path, const nlohmann::json& body);
  Status Patch(const std::string& path, const nlohmann::json& body);
  Result<nlohmann::json> Read(const std::string& path, const std::string& fields);
  nlohmann::json VolumeBody(const std::string& part);
  nlohmann::json CloneBody(const std::string& part, const std::string& parent,
                           const std::string& snapshot);
  // A QoS policy that a volume of the SVM can have; empty when there is none.
  std::string AnyQosPolicy();
  std::string VolumePath(const Uuid& uuid) const { return "/api/storage/volumes/" + uuid.Text(); }
  Uuid MakeGroup(const std::string& part, const std::vector<std::string>& members);
  // A mapped disk with a snapshot, restored to it. What came of the map and the namespace.
  struct Restored {
    Status status;
    ontap::NvmeNamespace before;
    std::optional<ontap::NvmeNamespace> after;
  };
  Restored RestoreMapped();
  std::string AfterRestore(const std::function<std::string(const Restored&)>& tell);

  std::string AutosizeWithSize();
  std::string BulkSnapshots();
  std::string CloneCreate();
  std::string CloneComment();
  std::string CloneFromSnapshot();
  std::string CloneSpace();
  // A disk with a snapshot, in a volume with room for twice its size.
  ontap::NvmeNamespace MakeDiskWithSnapshot();
  std::string NamespaceOverwrite();
  std::string OverwriteComment();
  std::string DeleteMapped();
  std::string DeletedVolumeInGroup();
  std::string EmptyGroups();
  std::string FractionalReserveCreate();
  std::string GroupChangeWithNvme();
  std::string GroupCreateAbove16();
  std::string GroupNameMax();
  std::string GroupPolicyUnsaid();
  std::string GroupSnapshotDelete();
  std::string GroupSnapshotRename();
  std::string HeldSnapshotCode();
  std::string JobRecords();
  std::string NamespaceMinimum();
  std::string NamespaceRounding();
  std::string QosRemoval();
  std::string QueuedClonesHoldParent();
  std::string RestoreIdentity();
  std::string RestoreMap();
  std::string RestoreMappedAtAll();
  std::string RestorePastNewer();
  std::string VolumeLocation();
};

// The switches that have a probe, and those that have none, with the reason.
std::vector<std::string> AskedSwitches();
const std::map<std::string, std::string>& SwitchesNotAsked();

}  // namespace ontapnvme::contract
