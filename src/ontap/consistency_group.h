// SPDX-License-Identifier: AGPL-3.0-or-later
// Consistency groups: the disks of a VM, snapshotted and restored by one call.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "base/uuid.h"
#include "ontap/snapshot.h"

namespace ontapnvme::ontap {

class RestClient;

struct GroupNamespace {
  std::optional<Uuid> uuid;
  std::string path;
};

struct GroupMember {
  Uuid volume_uuid;
  std::string volume_name;
  std::string comment;  // of the volume
  // Inside the volume, in the array's order. None before 9.12.1.
  std::vector<GroupNamespace> namespaces = {};
};

struct ConsistencyGroup {
  Uuid uuid;
  std::string name;
  std::vector<GroupMember> members;
};

struct GroupSnapshot {
  Uuid uuid;
  std::string name;
  Uuid group_uuid;
  std::string comment;
  std::chrono::sys_seconds create_time;
  // What it holds. Empty before 9.12.1, where the array does not list it.
  std::vector<VolumeRef> volumes;
};

class ConsistencyGroups {
 public:
  // What one call takes: 16 volumes in one change (NetApp documentation, consistency group limits);
  // whether a create takes more is not stated.
  static constexpr std::size_t kVolumesPerCall = 16;

  ConsistencyGroups(RestClient& rest, std::string svm_name)
      : rest_(&rest), svm_(std::move(svm_name)) {}

  // Whether this release is known to show which namespace each member has.
  bool AreNamespacesShown() const;

  // Groups whose name matches ('*' any text, '|' alternatives), with their members and the members'
  // namespaces (fields volumes and namespaces). One request.
  Result<std::vector<ConsistencyGroup>> List(const std::string& name_pattern,
                                             const Deadline& deadline);

  // The group with the identities of its members; nothing: there is no such group. One request.
  Result<std::optional<ConsistencyGroup>> Read(const Uuid& group, const Deadline& deadline);

  // Not idempotent: kAlreadyExists when the name is taken. kConflict with Refusal::kInOtherGroup
  // when a volume is in another group. `snapshot_policy` empty: none, which is said, since what a
  // new group gets otherwise is not stated.
  Status Create(const std::string& name, const std::vector<std::string>& volume_names,
                const std::string& snapshot_policy, const Deadline& deadline);
  // Idempotent. kUnsupported before 9.12.1. How an array refuses changes of a group with NVMe is not
  // stated. More than 16 volumes go in several calls.
  Status AddMembers(const Uuid& group, const std::vector<std::string>& volume_names,
                    const Deadline& deadline);
  Status RemoveMembers(const Uuid& group, const std::vector<std::string>& volume_names,
                       const Deadline& deadline);
  Status SetSnapshotPolicy(const Uuid& group, const std::string& snapshot_policy,
                           const Deadline& deadline);
  // Removes the grouping only; volumes and their snapshots stay. Idempotent. Arrays on which a group
  // outlives its members refuse it while such a group has snapshots.
  Status Delete(const Uuid& group, const Deadline& deadline);

  // All members at one point in time, crash consistent. Not idempotent. The array answers an
  // existing name with the same code as a failure (53411921), so any refusal is read back by name
  // before it is called kAlreadyExists.
  Status CreateSnapshot(const Uuid& group, const std::string& name, const std::string& comment,
                        const Deadline& deadline);
  Result<std::optional<GroupSnapshot>> FindSnapshot(const Uuid& group, const std::string& name,
                                                    const Deadline& deadline);
  // Snapshots of that name of all groups whose name matches the pattern. From 9.12.1 on one
  // request, with '*' in place of the group's UUID; before, the groups are listed and each is
  // asked.
  Result<std::vector<GroupSnapshot>> FindSnapshots(const std::string& group_pattern,
                                                   const std::string& name,
                                                   const Deadline& deadline);
  // All of one group. One request.
  Result<std::vector<GroupSnapshot>> ListSnapshots(const Uuid& group, const Deadline& deadline);
  // Idempotent. NetApp's library lists the name as patchable, and its reference describes no such use
  // of the call: whether an array does it, and whether the members' snapshots get the name too, is
  // not known.
  Status RenameSnapshot(const Uuid& group, const Uuid& snapshot, const std::string& name,
                        const Deadline& deadline);
  // Idempotent: missing is success. Whether the members' snapshots of that name go with it is not
  // stated. kBusy when FlexClones depend on one (kHeldByClones).
  Status DeleteSnapshot(const Uuid& group, const Uuid& snapshot, const Deadline& deadline);
  // Reverts all members; newer snapshots of the members are destroyed. On failure some members may
  // be restored already: repeat until it succeeds.
  Status Restore(const Uuid& group, const std::string& snapshot_name, const Deadline& deadline);

 private:
  RestClient* rest_;
  std::string svm_;
};

}  // namespace ontapnvme::ontap
