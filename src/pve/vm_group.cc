// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/vm_group.h"

#include <algorithm>

namespace ontapnvme::pve {
namespace {

// NetApp's documentation of consistency groups, limits.
constexpr std::size_t kGroupMax = 80;

// The name for a VM whose usual group name another owner has.
std::string TaggedName(const Context& context, std::uint64_t vmid) {
  return GroupName(context.config.prefix, vmid) + "_" + context.ownership.ShortTag();
}

bool IsGroupNameOf(const Context& context, std::uint64_t vmid, const std::string& name) {
  return name == GroupName(context.config.prefix, vmid) || name == TaggedName(context, vmid);
}

}  // namespace

std::string GroupPattern(const Context& context, std::uint64_t vmid) {
  return GroupName(context.config.prefix, vmid) + "|" + TaggedName(context, vmid);
}

// One foreign member makes it another owner's: a snapshot or a restore would reach that member too.
bool VmGroups::IsOurs(const ontap::ConsistencyGroup& group) const {
  return !group.members.empty() &&
         std::none_of(group.members.begin(), group.members.end(), [&](const auto& member) {
           return context_->ownership.IsForeign(member.comment);
         });
}

Result<std::optional<ontap::ConsistencyGroup>> VmGroups::Find(std::uint64_t vmid,
                                                              const Deadline& deadline) {
  TRY(auto groups, context_->groups.List(GroupPattern(*context_, vmid), deadline));
  for (auto& group : groups) {
    if (IsOurs(group)) return std::optional(std::move(group));
  }
  return std::optional<ontap::ConsistencyGroup>();
}

Status VmGroups::Join(std::uint64_t vmid, const std::string& flexvol_name,
                      const std::vector<ontap::FlexVol>& siblings, const Deadline& deadline) {
  auto& context = *context_;
  std::optional<ontap::GroupRef> group;
  std::vector<std::string> members;
  std::vector<std::string> joining = {flexvol_name};
  for (const auto& sibling : siblings) {
    if (context.ownership.IsForeign(sibling.comment)) continue;
    if (!sibling.group) {
      const auto name = VolumeNameOfFlexVol(context.config.prefix, sibling.name);
      const bool is_of_vm = name && name->vmid == vmid && name->IsGroupMember();
      if (is_of_vm && sibling.name != flexvol_name) joining.push_back(sibling.name);
    } else if (IsGroupNameOf(context, vmid, sibling.group->name)) {
      group = sibling.group;
      members.push_back(sibling.name);
    }
  }
  const std::size_t room = kGroupMax - std::min(kGroupMax, members.size());
  if (room == 0) {
    context.log.Warning("VM " + std::to_string(vmid) +
                        " has as many disks as a consistency group "
                        "takes (" +
                        std::to_string(kGroupMax) + "): '" + flexvol_name +
                        "' is snapshotted alone, not at the same point in time");
    return {};
  }
  if (joining.size() > room) joining.resize(room);
  if (!group) return Make(vmid, joining, deadline);

  const Status joined = context.groups.AddMembers(group->uuid, joining, deadline);
  if (joined.ok()) return {};
  // The group went away in between, with its last member.
  if (FailedWith(joined, ErrorCode::kNotFound)) return Make(vmid, joining, deadline);
  if (!FailedWith(joined, ErrorCode::kUnsupported)) return joined;
  members.insert(members.end(), joining.begin(), joining.end());
  return Remake(group->uuid, vmid, std::move(members), deadline);
}

Status VmGroups::Leave(std::uint64_t vmid, const ontap::FlexVol& volume, const Deadline& deadline) {
  auto& context = *context_;
  if (!volume.group || !IsGroupNameOf(context, vmid, volume.group->name)) return {};
  const auto left = context.groups.RemoveMembers(volume.group->uuid, {volume.name}, deadline);
  if (left.ok()) return {};
  const bool is_gone = FailedWith(left, ErrorCode::kNotFound);
  if (!is_gone && !FailedWith(left, ErrorCode::kUnsupported)) return left;
  TRY(const auto group, Find(vmid, deadline));
  if (!group || group->uuid != volume.group->uuid) return {};
  const bool is_member =
      std::any_of(group->members.begin(), group->members.end(),
                  [&](const auto& member) { return member.volume_uuid == volume.uuid; });
  if (!is_member) return {};
  // Who stays a member by mistake is snapshotted, and perhaps rolled back, with the VM.
  if (is_gone) return left;
  std::vector<std::string> staying;
  for (const auto& member : group->members) {
    if (member.volume_uuid != volume.uuid) staying.push_back(member.volume_name);
  }
  if (staying.empty()) return context.groups.Delete(group->uuid, deadline);
  return Remake(group->uuid, vmid, std::move(staying), deadline);
}

Status VmGroups::Make(std::uint64_t vmid, const std::vector<std::string>& flexvol_names,
                      const Deadline& deadline) {
  auto& context = *context_;
  const std::string usual = GroupName(context.config.prefix, vmid);
  const std::string& policy = context.config.snapshot_policy;
  const Status made = context.groups.Create(usual, flexvol_names, policy, deadline);
  const bool may_exist =
      !made.ok() && (made.error().outcome_unknown() || FailedWith(made, ErrorCode::kAlreadyExists));
  if (!may_exist) return made;
  TRY(const auto ours, Find(vmid, deadline));
  if (ours) return context.groups.AddMembers(ours->uuid, flexvol_names, deadline);
  if (!FailedWith(made, ErrorCode::kAlreadyExists)) return made;
  return context.groups.Create(TaggedName(context, vmid), flexvol_names, policy, deadline);
}

// Snapshots of the old group stay as snapshots of its volumes, which is all that a rollback needs.
Status VmGroups::Remake(const Uuid& group, std::uint64_t vmid,
                        std::vector<std::string> flexvol_names, const Deadline& deadline) {
  TRY_STATUS(context_->groups.Delete(group, deadline));
  return Make(vmid, flexvol_names, deadline);
}

}  // namespace ontapnvme::pve
