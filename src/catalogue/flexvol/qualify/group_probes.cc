// SPDX-License-Identifier: AGPL-3.0-or-later
// Consistency groups: their members, their snapshots and their end.
#include <algorithm>

#include "catalogue/flexvol/qualify/probe.h"
#include "ontap/probe_calls.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

constexpr const char* kSnapshot = "pve_probe_group";

Result<Answer> LookAtPolicy(Scratch& scratch) {
  TRY(const auto volume, scratch.MakeVolume());
  TRY_STATUS(ontap::CreateGroupWithoutPolicy(scratch.rest(), scratch.config().svm,
                                             scratch.GroupName(), {volume.name},
                                             scratch.deadline()));
  TRY(const auto group, scratch.FindGroup(scratch.GroupName()));
  if (!group) return Answer{"unknown", "the group is not listed"};
  TRY(const auto policy, ontap::ReadGroupPolicy(scratch.rest(), group->uuid, scratch.deadline()));
  if (policy == "none") return Answer{"none"};
  return Answer{"some", CleanText(policy)};
}

Result<Answer> UseLongName(Scratch& scratch) {
  TRY(const auto volume, scratch.MakeVolume());
  const auto made =
      scratch.groups.Create(scratch.run().LongGroupName(), {volume.name}, "", scratch.deadline());
  if (made.ok()) return Answer{"longer"};
  if (!IsRefusal(made.error())) return made.error();
  return Answer{"30", CodeOf(made.error())};
}

// With a namespace: of groups with such members it is said that they cannot be changed.
Result<Answer> AddMember(Scratch& scratch) {
  TRY(const auto first, scratch.MakeVolume());
  TRY_STATUS(scratch.MakeNamespace(first));
  TRY(const auto second, scratch.MakeVolume());
  TRY(const auto group, scratch.MakeGroup({first}));
  return TakenOrRefused(scratch.groups.AddMembers(group.uuid, {second.name}, scratch.deadline()));
}

Result<Answer> RemoveLastMember(Scratch& scratch) {
  TRY(const auto volume, scratch.MakeVolume());
  TRY(const auto group, scratch.MakeGroup({volume}));
  TRY_STATUS(scratch.groups.RemoveMembers(group.uuid, {volume.name}, scratch.deadline()));
  TRY(const auto left, scratch.groups.Read(group.uuid, scratch.deadline()));
  return Answer{left ? "stay" : "vanish"};
}

Result<Answer> DeleteMember(Scratch& scratch) {
  TRY(const auto first, scratch.MakeVolume());
  TRY(const auto second, scratch.MakeVolume());
  TRY(const auto group, scratch.MakeGroup({first, second}));
  scratch.ExpectGone(second);
  TRY_STATUS(scratch.volumes.Delete(second.uuid, true, scratch.deadline()));
  TRY(const auto left, scratch.groups.Read(group.uuid, scratch.deadline()));
  if (!left) return Answer{"unknown", "the group is gone"};
  const bool is_in = std::any_of(left->members.begin(), left->members.end(), [&](const auto& one) {
    return one.volume_uuid == second.uuid || one.volume_name == second.name;
  });
  return Answer{is_in ? "stays" : "leaves"};
}

Result<Answer> DeleteGroupSnapshot(Scratch& scratch) {
  TRY(const auto volume, scratch.MakeVolume());
  TRY(const auto group, scratch.MakeGroup({volume}));
  TRY_STATUS(scratch.SnapshotGroup(group.uuid, kSnapshot));
  TRY(const auto snapshot, scratch.groups.FindSnapshot(group.uuid, kSnapshot, scratch.deadline()));
  if (!snapshot) return Answer{"unknown", "the snapshot of the group is not listed"};
  TRY_STATUS(scratch.groups.DeleteSnapshot(group.uuid, snapshot->uuid, scratch.deadline()));
  TRY(const auto left,
      scratch.snapshots.FindByName({{volume.uuid, volume.name}}, kSnapshot, scratch.deadline()));
  return Answer{left.empty() ? "members_too" : "group_only"};
}

Result<Answer> RestoreGroup(Scratch& scratch) {
  TRY(const auto disk, scratch.MakeMappedDisk());
  TRY(const auto group, scratch.MakeGroup({disk.volume}));
  TRY_STATUS(scratch.SnapshotGroup(group.uuid, kSnapshot));
  return TakenOrRefused(scratch.groups.Restore(group.uuid, kSnapshot, scratch.deadline()));
}

}  // namespace

const std::vector<Probe>& GroupProbes() {
  static const std::vector<Probe> probes = {
      {.name = "group_policy_unsaid",
       .question = "which snapshot policy a group gets when none is named",
       .steps = "makes a volume and a group, and reads the group",
       .positions = {"none", "some"},
       .run = LookAtPolicy},
      {.name = "group_name_max",
       .question = "whether a group's name may be longer than 30 characters",
       .steps = "makes a volume, and a group with such a name",
       .positions = {"30", "longer"},
       .run = UseLongName},
      {.name = "group_change_with_nvme",
       .question = "whether a group with namespaces takes a new member",
       .steps = "makes a volume with a namespace, its group, and a second volume, and adds that",
       .positions = {"take", "refuse"},
       .run = AddMember},
      {.name = "empty_groups",
       .question = "whether a group stays after its last member",
       .steps = "makes a volume and its group, and takes the volume out",
       .positions = {"vanish", "stay"},
       .run = RemoveLastMember},
      {.name = "deleted_volume_in_group",
       .question = "whether a volume that is deleted leaves its group",
       .steps = "makes two volumes and their group, and deletes one volume",
       .positions = {"leaves", "stays"},
       .run = DeleteMember},
      {.name = "group_snapshot_delete",
       .question = "whether the snapshots of the members go with that of the group",
       .steps =
           "makes a volume, its group and a snapshot of that, deletes the snapshot, and looks at the "
           "volume",
       .positions = {"members_too", "group_only"},
       .run = DeleteGroupSnapshot},
      {.name = "group_restore",
       .question = "whether a group is restored while its namespaces are mapped",
       .steps =
           "makes a mapped namespace, its group and a snapshot of that, and restores the group",
       .positions = {"take", "refuse"},
       .run = RestoreGroup},
  };
  return probes;
}

}  // namespace ontapnvme::catalogue::flexvol
