// SPDX-License-Identifier: AGPL-3.0-or-later
// Groups, their snapshots, and what becomes of one without members; vm_group_members.cc is how disks
// come and go.
#include "catalogue/flexvol/vm_group.h"

#include <algorithm>
#include <map>

#include "catalogue/refusals.h"
#include "catalogue/undo_steps.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

// How far the clocks of a group's snapshot and its members' may be apart.
constexpr std::chrono::minutes kSameTime{1};

bool HoldsAny(const std::vector<OwnedVolume>& volumes, const std::set<std::string>& flexvols) {
  return std::any_of(volumes.begin(), volumes.end(),
                     [&](const auto& one) { return flexvols.contains(one->flexvol.name); });
}

}  // namespace

std::vector<std::string> VmGroups::NamesOf(std::uint64_t vmid) const {
  return gate_->names().GroupNames(vmid, gate_->marker().ShortTag());
}

bool VmGroups::IsNameOf(std::uint64_t vmid, const std::string& name) const {
  const auto names = NamesOf(vmid);
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string VmGroups::Pattern(std::uint64_t vmid) const {
  std::string pattern;
  for (const auto& name : NamesOf(vmid)) pattern += (pattern.empty() ? "" : "|") + name;
  return pattern;
}

OwnedVolume VmGroups::MemberOf(const ontap::ConsistencyGroup& group,
                               const ontap::GroupMember& member) const {
  VolumeRecord volume;
  volume.mark = gate_->marker().Read(member.comment);
  volume.flexvol.uuid = member.volume_uuid;
  volume.flexvol.name = member.volume_name;
  volume.flexvol.comment = member.comment;
  volume.flexvol.group = {.uuid = group.uuid, .name = group.name};
  volume.name = gate_->names().VolumeOf(member.volume_name).value_or(VolumeName());
  volume.name.base_name = volume.mark.mark.base_name;
  volume.has_namespaces = !member.namespaces.empty();
  // Which of two is the disk's is not for a group to say.
  auto own = member.namespaces;
  std::erase_if(own, [](const auto& ns) { return IsCopyPath(ns.path); });
  if (own.size() == 1) volume.ns = own.front().uuid;
  return OwnedVolume(std::move(volume));
}

std::optional<OwnedGroup> VmGroups::Admit(const ontap::ConsistencyGroup& group) const {
  if (group.members.empty()) return std::nullopt;
  GroupRecord record{.uuid = group.uuid, .name = group.name, .members = {}};
  for (const auto& member : group.members) {
    if (gate_->marker().Read(member.comment).owner == Owner::kForeign) return std::nullopt;
    record.members.push_back(MemberOf(group, member));
  }
  return OwnedGroup(std::move(record));
}

// The array does not do it this way, so that another way may be tried. Which code a group with NVMe
// is refused with is not stated: any answer will do that does not speak of the account, of time, or
// of a volume that is elsewhere.
bool VmGroups::IsNotPossible(const Status& status) {
  if (status.ok()) return false;
  const Error& error = status.error();
  if (error.outcome_unknown() || error.origin().refusal == Refusal::kInOtherGroup) return false;
  switch (error.code()) {
    case ErrorCode::kPermissionDenied:
    case ErrorCode::kUnauthenticated:
    case ErrorCode::kUnavailable:
    case ErrorCode::kTimedOut:
    case ErrorCode::kInterrupted:
      return false;
    default:
      return true;
  }
}

Result<std::optional<OwnedGroup>> VmGroups::Find(std::uint64_t vmid, const Deadline& deadline) {
  TRY(const auto groups, groups_.List(Pattern(vmid), deadline));
  for (const auto& group : groups) {
    if (auto ours = Admit(group)) return ours;
  }
  return std::optional<OwnedGroup>();
}

Result<std::vector<OwnedGroup>> VmGroups::List(const Deadline& deadline) {
  const auto pattern = gate_->names().GroupPattern(gate_->marker().ShortTag());
  TRY(const auto groups, groups_.List(pattern, deadline));
  std::vector<OwnedGroup> ours;
  for (const auto& group : groups) {
    auto admitted = Admit(group);
    const bool are_disks =
        admitted &&
        std::all_of((*admitted)->members.begin(), (*admitted)->members.end(),
                    [&](const auto& one) { return gate_->names().VolumeOf(one->flexvol.name); });
    if (are_disks) ours.push_back(std::move(*admitted));
  }
  return ours;
}

Status VmGroups::CreateSnapshot(const OwnedGroup& group, const ArraySnapshotName& snapshot,
                                const Mark& mark, const Deadline& deadline) {
  TRY(const auto comment, mark.Text());
  const auto created =
      groups_.CreateSnapshot(group->uuid, snapshot.Text(), comment, deadline.Reserve(kReadBack));
  if (created.ok() || !MayHaveHappened(created.error())) return created;
  const auto found = groups_.FindSnapshot(group->uuid, snapshot.Text(), deadline);
  if (!found.ok() || !*found) return created;
  if (gate_->marker().IsMadeBy((*found)->comment, mark.operation_id)) return {};
  return SnapshotLeftOver(snapshot, (*found)->create_time);
}

Result<std::optional<OwnedGroupSnapshot>> VmGroups::FindSnapshot(
    std::uint64_t vmid, const std::set<std::string>& flexvols, const ArraySnapshotName& snapshot,
    const Deadline& deadline) {
  TRY(const auto found, groups_.FindSnapshots(Pattern(vmid), snapshot.Text(), deadline));
  for (const auto& one : found) {
    const auto owner = gate_->marker().Read(one.comment).owner;
    if (owner == Owner::kForeign) continue;
    GroupSnapshotRecord record{.uuid = one.uuid, .group = one.group_uuid, .volumes = {}};
    for (const auto& held : one.volumes) {
      VolumeRecord volume;
      volume.flexvol.uuid = held.uuid;
      volume.flexvol.name = held.name;
      volume.name = gate_->names().VolumeOf(held.name).value_or(VolumeName());
      record.volumes.push_back(OwnedVolume(std::move(volume)));
    }
    // Without a mark only the group can prove whose it is. And of several groups only one is the
    // VM's; the others are empty, of a VM that had the number before.
    if (owner == Owner::kUnmarked || record.volumes.empty() || found.size() > 1) {
      TRY(const auto group, Find(vmid, deadline));
      if (!group || (*group)->uuid != one.group_uuid) continue;
      if (record.volumes.empty()) record.volumes = (*group)->members;
    }
    if (HoldsAny(record.volumes, flexvols)) {
      return std::optional(OwnedGroupSnapshot(std::move(record)));
    }
  }
  return std::optional<OwnedGroupSnapshot>();
}

Result<std::optional<OwnedGroupSnapshot>> VmGroups::FindTaken(std::uint64_t vmid,
                                                              const ArraySnapshotName& snapshot,
                                                              const std::string& operation_id,
                                                              const Deadline& deadline) {
  TRY(const auto found, groups_.FindSnapshots(Pattern(vmid), snapshot.Text(), deadline));
  for (const auto& one : found) {
    if (!gate_->marker().IsMadeBy(one.comment, operation_id)) continue;
    return std::optional(
        OwnedGroupSnapshot({.uuid = one.uuid, .group = one.group_uuid, .volumes = {}}));
  }
  return std::optional<OwnedGroupSnapshot>();
}

// ---- groups without members

Result<std::vector<std::string>> VmGroups::ListEmpty(const Deadline& deadline) {
  const auto& names = gate_->names();
  const std::string tag = gate_->marker().ShortTag();
  TRY(const auto groups, groups_.List(names.GroupPattern(tag), deadline));
  std::vector<std::string> empty;
  for (const auto& group : groups) {
    if (group.members.empty() && names.VmOfGroup(group.name, tag)) empty.push_back(group.name);
  }
  return empty;
}

Status VmGroups::RemoveEmpty(const std::string& name, const Deadline& deadline) {
  TRY(const auto groups, groups_.List(name, deadline));
  for (const auto& group : groups) {
    if (group.name != name || !gate_->names().VmOfGroup(name, gate_->marker().ShortTag())) continue;
    TRY_STATUS(RemoveEmpty(group, deadline));
  }
  return {};
}

// `group` as just read.
Status VmGroups::RemoveEmpty(const ontap::ConsistencyGroup& group, const Deadline& deadline) {
  if (!group.members.empty()) {
    return Error(ErrorCode::kConflict, "consistency group '" + group.name + "' is left alone")
        .Because("it has members");
  }
  return RemoveWithSnapshots(group, deadline);
}

Status VmGroups::RemoveWithSnapshots(const ontap::ConsistencyGroup& group,
                                     const Deadline& deadline) {
  const Status deleted = groups_.Delete(group.uuid, deadline);
  if (!IsNotPossible(deleted)) return deleted;
  // Where an empty group keeps its snapshots, it goes only after them.
  TRY(const auto snapshots, groups_.ListSnapshots(group.uuid, deadline));
  if (snapshots.empty()) return deleted;
  TRY_STATUS(RequireUnheld(group, snapshots, deadline));
  for (const auto& snapshot : snapshots) {
    TRY_STATUS(groups_.DeleteSnapshot(group.uuid, snapshot.uuid, deadline));
  }
  return groups_.Delete(group.uuid, deadline);
}

// A snapshot of the group may take those of its volumes with it. Volumes that left the group alive
// keep theirs.
Status VmGroups::RequireUnheld(const ontap::ConsistencyGroup& group,
                               const std::vector<ontap::GroupSnapshot>& snapshots,
                               const Deadline& deadline) {
  std::map<Uuid, OwnedVolume> held;
  bool is_untold = false;
  for (const auto& snapshot : snapshots) {
    is_untold = is_untold || snapshot.volumes.empty();
    for (const auto& one : snapshot.volumes) {
      held.emplace(
          one.uuid,
          MemberOf(group, {.volume_uuid = one.uuid, .volume_name = one.name, .comment = {}}));
    }
  }
  if (is_untold) {
    TRY(auto all, gate_->ListAllVolumes(deadline));
    for (auto& volume : all) held.emplace(volume->flexvol.uuid, std::move(volume));
  }
  TRY(const auto still, SnapshotsStillOn(held, deadline));
  for (const auto& snapshot : snapshots) {
    const auto holder = std::find_if(still.begin(), still.end(), [&](const auto& one) {
      if (one->name != snapshot.name) return false;
      if (snapshot.volumes.empty()) {
        return std::chrono::abs(one->create_time - snapshot.create_time) <= kSameTime;
      }
      return std::any_of(snapshot.volumes.begin(), snapshot.volumes.end(),
                         [&](const auto& volume) { return volume.uuid == one->volume_uuid; });
    });
    if (holder == still.end()) continue;
    return Error(ErrorCode::kBusy, "cannot remove consistency group '" + group.name +
                                       "', which has no members any more")
        .Because("FlexVol '" + (*holder)->volume_name +
                 "', which left it, still has its snapshot '" + snapshot.name + "'")
        .Try("delete the snapshots of the FlexVol that nothing needs, then those of the group");
  }
  return {};
}

// Each is asked alone, by its UUID: a listing by names would not show what was renamed since.
Result<std::vector<OwnedSnapshot>> VmGroups::SnapshotsStillOn(
    const std::map<Uuid, OwnedVolume>& volumes, const Deadline& deadline) {
  std::vector<OwnedSnapshot> all;
  for (const auto& [uuid, volume] : volumes) {
    auto some = gate_->ListSnapshots({volume}, deadline);
    if (!some.ok() && some.error().origin().refusal == Refusal::kGone) continue;
    if (!some.ok()) return std::move(some).error();
    std::move(some->begin(), some->end(), std::back_inserter(all));
  }
  return all;
}

}  // namespace ontapnvme::catalogue::flexvol
