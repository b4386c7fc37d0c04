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

struct GroupMember {
  Uuid volume_uuid;
  std::string volume_name;
  std::string comment;  // of the volume
  // The namespace inside the volume; told from 9.12.1 on, absent before and for a volume without
  // one.
  std::optional<Uuid> namespace_uuid;
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
  std::string group_name;
  std::string comment;
  std::chrono::sys_seconds create_time;
  bool is_partial = false;  // the group has members that it does not hold
  // What it holds; empty before 9.12.1, where it is not told.
  std::vector<VolumeRef> volumes;
};

class ConsistencyGroups {
 public:
  ConsistencyGroups(RestClient& rest, std::string svm_name)
      : rest_(&rest), svm_(std::move(svm_name)) {}

  // Groups whose name matches ('*' any text, '|' alternatives), with their members and the members'
  // namespaces (fields volumes and namespaces). One request.
  Result<std::vector<ConsistencyGroup>> List(const std::string& name_pattern,
                                             const Deadline& deadline);

  // Not idempotent: kAlreadyExists when the name is taken. kConflict (53411865) when a volume is in
  // another group. `snapshot_policy` empty: none.
  Status Create(const std::string& name, const std::vector<std::string>& volume_names,
                const std::string& snapshot_policy, const Deadline& deadline);
  // Idempotent. kUnsupported before 9.12.1 and where the array refuses changes of a group with
  // NVMe. More than 16 volumes go in several calls.
  Status AddMembers(const Uuid& group, const std::vector<std::string>& volume_names,
                    const Deadline& deadline);
  Status RemoveMembers(const Uuid& group, const std::vector<std::string>& volume_names,
                       const Deadline& deadline);
  Status SetSnapshotPolicy(const Uuid& group, const std::string& snapshot_policy,
                           const Deadline& deadline);
  // Removes the grouping only; volumes and their snapshots stay. Idempotent.
  Status Delete(const Uuid& group, const Deadline& deadline);

  // All members at one point in time, crash consistent. Not idempotent. The array answers an
  // existing name with the same code as a failure (53411921), so any refusal is read back by name
  // before it is called kAlreadyExists.
  Status CreateSnapshot(const Uuid& group, const std::string& name, const std::string& comment,
                        const Deadline& deadline);
  Result<std::vector<GroupSnapshot>> ListSnapshots(const Uuid& group, const Deadline& deadline);
  Result<std::optional<GroupSnapshot>> FindSnapshot(const Uuid& group, const std::string& name,
                                                    const Deadline& deadline);
  // Snapshots of that name of all groups whose name matches the pattern. From 9.12.1 on one
  // request, with '*' in place of the group's UUID; before, the groups are listed and each is
  // asked.
  Result<std::vector<GroupSnapshot>> FindSnapshots(const std::string& group_pattern,
                                                   const std::string& name,
                                                   const Deadline& deadline);
  // Idempotent: missing is success. Deletes the members' snapshots of that name as well.
  Status DeleteSnapshot(const Uuid& group, const Uuid& snapshot, const Deadline& deadline);
  // Reverts all members; newer snapshots of the members are destroyed. On failure some members may
  // be restored already: repeat until it succeeds.
  Status Restore(const Uuid& group, const std::string& snapshot_name, const Deadline& deadline);

 private:
  RestClient* rest_;
  std::string svm_;
};

}  // namespace ontapnvme::ontap
