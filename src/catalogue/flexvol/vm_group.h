// SPDX-License-Identifier: AGPL-3.0-or-later
// The consistency groups of VMs' ordinary disks, and the gate to them: only groups that are ours
// come out, and nothing else can be changed. A group is ours when it has members and none of them is
// foreign: a snapshot or a restore would reach that member too. One without members that has one of
// our names is ours as well, and good for nothing: it is only ever taken away.
//
// Whether a group ends with its last member, whether a deleted volume leaves it, and whether its
// members may change while there are namespaces in them is not the same on all arrays: what an
// array did is looked at.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/log.h"
#include "base/result.h"
#include "catalogue/flexvol/gate.h"
#include "catalogue/flexvol/records/owned.h"
#include "catalogue/records.h"
#include "model/mark.h"
#include "model/snapshot_name.h"
#include "model/storage_config.h"
#include "ontap/consistency_group.h"

namespace ontapnvme::catalogue::flexvol {

// What a call that takes a snapshot keeps of its time, to see whether there is one after all where the
// answer did not come.
inline constexpr Duration kReadBack{1000};

class VmGroups {
 public:
  // Everything is borrowed.
  VmGroups(ontap::RestClient& rest, const StorageConfig& config, Gate& gate, Log& log)
      : config_(&config), gate_(&gate), log_(&log), groups_(rest, config.svm) {}

  // The VM's group with its members, if there is one that is ours. One request.
  Result<std::optional<OwnedGroup>> Find(std::uint64_t vmid, const Deadline& deadline);
  // All that are ours. One request.
  Result<std::vector<OwnedGroup>> List(const Deadline& deadline);

  // Whether the array does not do it this way, so that another way may be tried.
  static bool IsNotPossible(const Status& status);

  // Whether a group of that name is the VM's.
  bool IsNameOf(std::uint64_t vmid, const std::string& name) const;

  // Makes `volumes` members, which are of that VM, and with them whatever ordinary disk of it is in
  // no group (an older installation's, or left so by a crash) and holds a namespace. `siblings` are
  // the VM's volumes as just listed: the group is known from them without asking. Idempotent. One
  // request where there is no other disk to join and the array takes it as it is; where it does not
  // change groups, the group is deleted and made again with all members. An empty group in the way
  // is removed.
  Status Join(std::uint64_t vmid, const std::vector<OwnedVolume>& volumes,
              const std::vector<Volume>& siblings, const Deadline& deadline);
  // The same for disks that are better without a group than not there: what fails is a warning.
  // kInterrupted all the same, since then nobody wants the disks.
  Status JoinOrWarn(std::uint64_t vmid, const std::vector<OwnedVolume>& volumes,
                    const std::vector<Volume>& siblings, const Deadline& deadline);
  // Takes `volume`, as just read, out of the VM's group. Its snapshots stay. Idempotent; a group
  // that is not the VM's is left alone. The last member takes the group with it. One request while
  // the record shows other members, else two. Where the array cannot change groups as Join.
  Status Leave(std::uint64_t vmid, const OwnedVolume& volume, const Deadline& deadline);
  // The same for a volume that is taken for an empty one: the group must not show a namespace in it.
  // kConflict when it does, or cannot show any (before 9.12.1).
  Status LeaveAsEmpty(std::uint64_t vmid, const OwnedVolume& volume, const Deadline& deadline);
  // `group` with nothing but disks of the VM in it, and what was added by hand: releases before the
  // marks took RAM, cloud-init and whatever else is the VM's into its group, where it keeps the group
  // from ever being restored as one. As it is where it cannot be put right; kInterrupted. No request
  // when there is nothing to do, else one for each 16 members that leave.
  Result<OwnedGroup> PutRight(std::uint64_t vmid, const OwnedGroup& group,
                              const Deadline& deadline);
  // What is left to do once `volume` is deleted, which was read before that: it is no member any
  // more, and the last one takes the group with it. What fails is a warning. No request while the
  // record shows other members and this process has seen that deleted volumes leave their groups;
  // else one, and those for what there is to do.
  void FollowDeleted(const OwnedVolume& volume, const Deadline& deadline);

  // The names of the groups of ours that have no members. One request.
  Result<std::vector<std::string>> ListEmpty(const Deadline& deadline);
  // Takes away a group of that name, with its snapshots, after a second look: kConflict when it has
  // members, kBusy when a volume that left it still has one of the snapshots. Idempotent.
  Status RemoveEmpty(const std::string& name, const Deadline& deadline);

  Status SetSnapshotPolicy(const OwnedGroup& group, const std::string& policy,
                           const Deadline& deadline) {
    return groups_.SetSnapshotPolicy(group->uuid, policy, deadline);
  }

  // Of all members at one point in time. A lost answer is settled by the mark. kAlreadyExists when
  // the group has a snapshot of that name.
  Status CreateSnapshot(const OwnedGroup& group, const ArraySnapshotName& snapshot,
                        const Mark& mark, const Deadline& deadline);
  // The snapshot of that name of the VM's group that holds a FlexVol of one of those names. One request, one
  // more for one without a mark, where several groups have one, and where the array does not say
  // what it holds (before 9.12.1). A single one may be that of an empty group, and hold a volume
  // that had the name before.
  Result<std::optional<OwnedGroupSnapshot>> FindSnapshot(std::uint64_t vmid,
                                                         const std::set<std::string>& flexvols,
                                                         const ArraySnapshotName& snapshot,
                                                         const Deadline& deadline);
  // The snapshot of that name that the operation took of one of the VM's groups.
  Result<std::optional<OwnedGroupSnapshot>> FindTaken(std::uint64_t vmid,
                                                      const ArraySnapshotName& snapshot,
                                                      const std::string& operation_id,
                                                      const Deadline& deadline);
  // See ontap::ConsistencyGroups.
  Status RenameSnapshot(const OwnedGroupSnapshot& snapshot, const ArraySnapshotName& name,
                        const Deadline& deadline) {
    return groups_.RenameSnapshot(snapshot->group, snapshot->uuid, name.Text(), deadline);
  }
  // Idempotent.
  Status DeleteSnapshot(const OwnedGroupSnapshot& snapshot, const Deadline& deadline) {
    return groups_.DeleteSnapshot(snapshot->group, snapshot->uuid, deadline);
  }
  // Reverts all members of a group that this back end gave out.
  Status Restore(const GroupRef& group, const ArraySnapshotName& snapshot,
                 const Deadline& deadline) {
    return groups_.Restore(group.uuid, snapshot.Text(), deadline);
  }

 private:
  std::vector<std::string> NamesOf(std::uint64_t vmid) const;
  std::string Pattern(std::uint64_t vmid) const;
  std::optional<OwnedGroup> Admit(const ontap::ConsistencyGroup& group) const;
  OwnedVolume MemberOf(const ontap::ConsistencyGroup& group,
                       const ontap::GroupMember& member) const;

  Result<std::vector<std::string>> JoiningOf(std::uint64_t vmid,
                                             const std::vector<OwnedVolume>& volumes,
                                             const std::vector<Volume>& siblings,
                                             const Deadline& deadline);
  Status Make(std::uint64_t vmid, const std::vector<std::string>& flexvols,
              const Deadline& deadline);
  Status Create(const std::string& name, const std::vector<std::string>& flexvols,
                const Deadline& deadline);
  Status Add(std::uint64_t vmid, const Uuid& group, const std::vector<std::string>& flexvols,
             const Deadline& deadline);
  Status RemakeWith(std::uint64_t vmid, const Uuid& group, const std::vector<std::string>& flexvols,
                    const Error& refused, const Deadline& deadline);
  Status RemakeWithout(std::uint64_t vmid, const Uuid& group, const OwnedVolume& volume,
                       const Error& refused, const Deadline& deadline);
  Status Dissolve(const OwnedVolume& last, const Deadline& deadline);
  Status TakeOutDeleted(const OwnedVolume& volume, const Deadline& deadline);
  Status RemoveEmpty(const ontap::ConsistencyGroup& group, const Deadline& deadline);
  Status RemoveWithSnapshots(const ontap::ConsistencyGroup& group, const Deadline& deadline);
  Status RequireUnheld(const ontap::ConsistencyGroup& group,
                       const std::vector<ontap::GroupSnapshot>& snapshots,
                       const Deadline& deadline);
  Result<std::vector<OwnedSnapshot>> SnapshotsStillOn(const std::map<Uuid, OwnedVolume>& volumes,
                                                      const Deadline& deadline);

  const StorageConfig* config_;
  Gate* gate_;
  Log* log_;
  ontap::ConsistencyGroups groups_;
  // Seen by this process: a deleted volume had left its group.
  bool do_deleted_leave_ = false;
};

}  // namespace ontapnvme::catalogue::flexvol
