// SPDX-License-Identifier: AGPL-3.0-or-later
// How disks come into the groups of their VMs and leave them; vm_group.cc has the rest.
#include <algorithm>

#include "base/text.h"
#include "catalogue/disk_store.h"
#include "catalogue/flexvol/vm_group.h"
#include "catalogue/undo_steps.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

// NetApp's documentation of consistency groups, limits.
constexpr std::size_t kGroupMax = 80;

// A guest may be frozen meanwhile.
constexpr Duration kPutRightBudget{5000};

constexpr const char* kNotTogether =
    "snapshots of the VM's disks are not of one point in time; the next disk of the VM, or the "
    "hourly look for left-overs, tries again: ";

bool IsIn(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool Holds(const std::vector<OwnedVolume>& volumes, const Uuid& flexvol) {
  return std::any_of(volumes.begin(), volumes.end(),
                     [&](const auto& one) { return one->flexvol.uuid == flexvol; });
}

std::string GroupOfVm(std::uint64_t vmid) {
  return "the consistency group of VM " + std::to_string(vmid);
}

}  // namespace

// ---- coming

Status VmGroups::Join(std::uint64_t vmid, const std::vector<OwnedVolume>& volumes,
                      const std::vector<Volume>& siblings, const Deadline& deadline) {
  std::optional<Uuid> group;
  std::vector<std::string> members;
  for (const auto& sibling : siblings) {
    if (!sibling.group || !IsNameOf(vmid, sibling.group->name)) continue;
    group = sibling.group->uuid;
    // By UUID: a volume that was just renamed is listed under its former name.
    if (!Holds(volumes, sibling.container)) members.push_back(sibling.container_name);
  }
  const std::size_t room = kGroupMax - std::min(kGroupMax, members.size());
  for (std::size_t i = room; i < volumes.size(); ++i) {
    log_->Warning("VM " + std::to_string(vmid) +
                  " has as many disks as a consistency group takes (" + std::to_string(kGroupMax) +
                  "): '" + volumes[i]->flexvol.name +
                  "' is snapshotted alone, not at the same point in time");
  }
  if (room == 0) return {};
  TRY(auto joining, JoiningOf(vmid, volumes, siblings, deadline));
  if (joining.size() > room) joining.resize(room);
  if (!group) return Make(vmid, joining, deadline);

  Status joined = Add(vmid, *group, joining, deadline);
  if (joined.ok() || joined.error().origin().refusal != Refusal::kGone) return joined;
  // The group went away in between, and left its members behind.
  members.insert(members.end(), joining.begin(), joining.end());
  return Make(vmid, members, deadline);
}

Status VmGroups::JoinOrWarn(std::uint64_t vmid, const std::vector<OwnedVolume>& volumes,
                            const std::vector<Volume>& siblings, const Deadline& deadline) {
  const Status joined = Join(vmid, volumes, siblings, deadline);
  if (joined.ok() || FailedWith(joined, ErrorCode::kInterrupted)) return joined;
  for (const auto& volume : volumes) {
    log_->Warning("volume '" + volume->name.Text() + "' is not in " + GroupOfVm(vmid) +
                  ", so that " + kNotTogether + joined.error().Line());
  }
  return {};
}

// The volumes first. What an allocation left without a namespace does not join, nor a clone that is
// not whole: it holds nothing that is needed, and is to be removed.
Result<std::vector<std::string>> VmGroups::JoiningOf(std::uint64_t vmid,
                                                     const std::vector<OwnedVolume>& volumes,
                                                     const std::vector<Volume>& siblings,
                                                     const Deadline& deadline) {
  std::vector<std::string> joining;
  for (const auto& volume : volumes) joining.push_back(volume->flexvol.name);
  std::vector<const Volume*> outside;
  for (const auto& sibling : siblings) {
    const bool is_of_vm = sibling.name.vmid == vmid && sibling.name.IsGroupMember();
    const bool is_whole = sibling.mark.mark.full_clone != FullClone::kBegun;
    const bool is_one_of_them = Holds(volumes, sibling.container);
    if (is_of_vm && is_whole && !sibling.group && !is_one_of_them) outside.push_back(&sibling);
  }
  if (outside.empty()) return joining;
  TRY(const auto whole, gate_->ListVolumesWithNamespace(vmid, deadline));
  for (const auto* sibling : outside) {
    if (whole.contains(sibling->container)) joining.push_back(sibling->container_name);
  }
  return joining;
}

// A group of that name may be there, unknown to whoever listed the VM's volumes: without members, or
// one that was made a moment ago. Neither is taken for an obstacle.
Status VmGroups::Make(std::uint64_t vmid, const std::vector<std::string>& flexvols,
                      const Deadline& deadline) {
  const auto& names = gate_->names();
  Status made;
  for (const auto& name : {names.Group(vmid), names.Group(vmid, gate_->marker().ShortTag())}) {
    made = Create(name, flexvols, deadline);
    if (made.ok() || !MayHaveHappened(made.error())) return made;
    TRY(const auto there, groups_.List(Pattern(vmid), deadline));
    for (const auto& group : there) {
      if (!Admit(group)) continue;
      Status added = Add(vmid, group.uuid, flexvols, deadline);
      if (added.ok() || added.error().origin().refusal != Refusal::kGone) return added;
      std::vector<std::string> all = flexvols;
      for (const auto& member : group.members) {
        if (!IsIn(all, member.volume_name)) all.push_back(member.volume_name);
      }
      return Create(group.name, all, deadline);
    }
    if (!FailedWith(made, ErrorCode::kAlreadyExists)) return made;
    bool is_removed = false;
    for (const auto& group : there) {
      if (!group.members.empty()) continue;
      const Status removed = RemoveEmpty(group.name, deadline);  // looked at once more
      if (!removed.ok()) log_->Debug(removed.error().Line());
      if (group.name == name) is_removed = removed.ok();
    }
    if (!is_removed) continue;
    made = Create(name, flexvols, deadline);
    if (made.ok() || !FailedWith(made, ErrorCode::kAlreadyExists)) return made;
  }
  return made;
}

// What a create takes at once is stated for changes only. Where a group cannot be changed, more are
// tried.
Status VmGroups::Create(const std::string& name, const std::vector<std::string>& flexvols,
                        const Deadline& deadline) {
  const std::string& policy = config_->snapshot_policy;
  if (flexvols.size() <= ontap::ConsistencyGroups::kVolumesPerCall) {
    return groups_.Create(name, flexvols, policy, deadline);
  }
  const auto split = flexvols.begin() + ontap::ConsistencyGroups::kVolumesPerCall;
  const std::vector<std::string> first(flexvols.begin(), split);
  TRY_STATUS(groups_.Create(name, first, policy, deadline));
  TRY(const auto made, groups_.List(name, deadline));
  if (made.size() != 1) {
    return Error(ErrorCode::kInternal, "cannot find consistency group '" + name + "'")
        .Because("the array made it, and does not list it")
        .Try("try again");
  }
  const Uuid group = made.front().uuid;
  const Status added = groups_.AddMembers(group, {split, flexvols.end()}, deadline);
  if (!IsNotPossible(added)) return added;
  TRY_STATUS(groups_.Delete(group, deadline));
  if (groups_.Create(name, flexvols, policy, deadline).ok()) return {};
  TRY_STATUS(groups_.Create(name, first, policy, deadline));
  return added;
}

Status VmGroups::Add(std::uint64_t vmid, const Uuid& group,
                     const std::vector<std::string>& flexvols, const Deadline& deadline) {
  Status added = groups_.AddMembers(group, flexvols, deadline);
  const bool is_gone = !added.ok() && added.error().origin().refusal == Refusal::kGone;
  if (is_gone || !IsNotPossible(added)) return added;
  return RemakeWith(vmid, group, flexvols, added.error(), deadline);
}

// Snapshots of the old group stay as snapshots of its volumes, which is all that a rollback needs.
Status VmGroups::RemakeWith(std::uint64_t vmid, const Uuid& group,
                            const std::vector<std::string>& flexvols, const Error& refused,
                            const Deadline& deadline) {
  // What the group holds is asked, since a listing of the VM's volumes does not show all of it.
  TRY(const auto found, Find(vmid, deadline));
  if (!found || (*found)->uuid != group) return refused;
  std::vector<std::string> before;
  for (const auto& member : (*found)->members) before.push_back(member->flexvol.name);
  std::vector<std::string> all = before;
  for (const auto& flexvol : flexvols) {
    if (!IsIn(before, flexvol)) all.push_back(flexvol);
  }
  if (all.size() == before.size()) return {};
  TRY_STATUS(groups_.Delete(group, deadline));
  const Deadline grace = deadline.Grace(kUndoBudget);
  Status made = Make(vmid, all, grace);
  // What was together before is so again.
  if (!made.ok()) (void)Make(vmid, before, grace);
  return made;
}

// ---- leaving

Status VmGroups::Leave(std::uint64_t vmid, const OwnedVolume& volume, const Deadline& deadline) {
  const auto& flexvol = volume->flexvol;
  if (!flexvol.group || !IsNameOf(vmid, flexvol.group->name)) return {};
  const Uuid group = flexvol.group->uuid;
  if (!volume->is_group_shared) {
    TRY(const auto there, groups_.Read(group, deadline));
    if (!there) return {};
    // The volume says that it is in the group. A group that shows no member at all contradicts it,
    // and the change that takes it out tells.
    const auto& members = there->members;
    const bool is_last = members.size() == 1 && members.front().volume_uuid == flexvol.uuid;
    if (is_last) return Dissolve(volume, deadline);
  }
  Status left = groups_.RemoveMembers(group, {flexvol.name}, deadline);
  return IsNotPossible(left) ? RemakeWithout(vmid, group, volume, left.error(), deadline) : left;
}

Status VmGroups::LeaveAsEmpty(std::uint64_t vmid, const OwnedVolume& volume,
                              const Deadline& deadline) {
  if (!volume->flexvol.group) return {};
  TRY(const auto group, Find(vmid, deadline));
  // Only a group that is known to show the namespaces of its members, and shows this one without.
  bool is_empty = false;
  if (group && (*group)->uuid == volume->flexvol.group->uuid && groups_.AreNamespacesShown()) {
    const auto& members = (*group)->members;
    const auto itself = std::find_if(members.begin(), members.end(), [&](const auto& member) {
      return member->flexvol.uuid == volume->flexvol.uuid;
    });
    is_empty = itself != members.end() && !(*itself)->has_namespaces;
  }
  if (is_empty) return Leave(vmid, volume, deadline);
  return Error(ErrorCode::kConflict, "FlexVol '" + volume->flexvol.name + "' is left alone")
      .Because("its consistency group does not show that it is empty");
}

// What stays a member by mistake is snapshotted, and perhaps rolled back, with the VM: it has left,
// or this fails.
Status VmGroups::RemakeWithout(std::uint64_t vmid, const Uuid& group, const OwnedVolume& volume,
                               const Error& refused, const Deadline& deadline) {
  TRY(const auto found, Find(vmid, deadline));
  if (!found || (*found)->uuid != group) {
    // Gone with its last member; or no group of ours any more, which is not ours to change.
    TRY(const auto there, groups_.Read(group, deadline));
    const bool has_left =
        !there || std::none_of(there->members.begin(), there->members.end(), [&](const auto& one) {
          return one.volume_uuid == volume->flexvol.uuid;
        });
    return has_left ? Status() : Status(refused);
  }
  std::vector<std::string> staying;
  for (const auto& member : (*found)->members) {
    if (member->flexvol.uuid != volume->flexvol.uuid) staying.push_back(member->flexvol.name);
  }
  if (staying.size() == (*found)->members.size()) return {};
  TRY_STATUS(groups_.Delete(group, deadline));
  const Status made = staying.empty() ? Status() : Make(vmid, staying, deadline.Grace(kUndoBudget));
  if (!made.ok()) {
    log_->Warning(GroupOfVm(vmid) + " had to be made anew, and could not be, so that " +
                  kNotTogether + made.error().Line());
  }
  return {};
}

// Deleting the group lets go of its last member, whose snapshots stay (NetApp REST reference,
// consistency groups). Emptied first it would be left with snapshots of its own on some arrays.
Status VmGroups::Dissolve(const OwnedVolume& last, const Deadline& deadline) {
  const auto& group = *last->flexvol.group;
  const Status deleted = groups_.Delete(group.uuid, deadline);
  if (!IsNotPossible(deleted)) return deleted;
  TRY_STATUS(groups_.RemoveMembers(group.uuid, {last->flexvol.name}, deadline));
  const auto removed = RemoveEmpty(group.name, deadline);
  if (!removed.ok()) log_->Warning(removed.error().Line());
  return {};
}

Result<OwnedGroup> VmGroups::PutRight(std::uint64_t vmid, const OwnedGroup& group,
                                      const Deadline& deadline) {
  GroupRecord right{.uuid = group->uuid, .name = group->name, .members = {}};
  std::vector<std::string> leaving;
  for (const auto& member : group->members) {
    const auto& name = member->name;
    const bool is_volume = name.vmid != 0;
    const bool belongs = !is_volume || (name.vmid == vmid && name.IsGroupMember());
    if (belongs) right.members.push_back(member);
    if (!belongs) leaving.push_back(member->flexvol.name);
  }
  if (leaving.empty() || right.members.empty()) return group;
  const Status left = groups_.RemoveMembers(group->uuid, leaving, deadline.Within(kPutRightBudget));
  if (left.ok()) return OwnedGroup(std::move(right));
  if (FailedWith(left, ErrorCode::kInterrupted)) return left.error();
  log_->Debug(GroupOfVm(vmid) + " keeps " + ontapnvme::Join(leaving, ", ") + ": " +
              left.error().Line());
  return group;
}

void VmGroups::FollowDeleted(const OwnedVolume& volume, const Deadline& deadline) {
  const auto& group = volume->flexvol.group;
  if (!group || !IsNameOf(volume->name.vmid, group->name)) return;
  if (volume->is_group_shared && do_deleted_leave_) return;
  const Status done = TakeOutDeleted(volume, deadline);
  if (done.ok()) return;
  log_->Warning("volume '" + volume->name.Text() + "' was deleted, but " +
                GroupOfVm(volume->name.vmid) + " is not as it should be: " + done.error().Line());
}

Status VmGroups::TakeOutDeleted(const OwnedVolume& volume, const Deadline& deadline) {
  const auto vmid = volume->name.vmid;
  const Uuid group = volume->flexvol.group->uuid;
  TRY(auto there, groups_.Read(group, deadline));
  const auto deleted = [&](const auto& member) {
    return member.volume_uuid == volume->flexvol.uuid;
  };
  if (!there || std::none_of(there->members.begin(), there->members.end(), deleted)) {
    // Only a group that is still there shows what becomes of a member that is deleted.
    do_deleted_leave_ = there.has_value();
    // Two answers must agree that it was the last one: what the volumes said before, and the group.
    const bool is_empty = there && there->members.empty() && !volume->is_group_shared;
    return is_empty ? RemoveEmpty(*there, deadline) : Status();
  }
  const auto listed = std::find_if(there->members.begin(), there->members.end(), deleted);
  const Status left = groups_.RemoveMembers(group, {listed->volume_name}, deadline);
  const bool is_last = there->members.size() == 1;
  if (!left.ok()) {
    if (!IsNotPossible(left)) return left;
    if (!is_last) return RemakeWithout(vmid, group, volume, left.error(), deadline);
  }
  if (!is_last) return {};
  TRY(there, groups_.Read(group, deadline));
  if (!there) return {};
  if (there->members.empty()) return RemoveEmpty(*there, deadline);
  // What it still lists does not exist any more.
  return std::all_of(there->members.begin(), there->members.end(), deleted)
             ? RemoveWithSnapshots(*there, deadline)
             : Status();
}

}  // namespace ontapnvme::catalogue::flexvol
