// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/rollback.h"

#include <algorithm>

#include "pve/attachment.h"
#include "pve/disk_lookup.h"

namespace ontapnvme::pve {
namespace {

// Proxmox asks about all disks, stops the VM, then rolls back disk by disk: a plan must live that
// long.
constexpr std::chrono::minutes kPlanLives{5};
// What was read of the array serves shorter: a schedule may have taken a snapshot since, which a
// restore would destroy.
constexpr std::chrono::seconds kReadingServes{30};

std::vector<ontap::Snapshot>::const_iterator FindNamed(
    const std::vector<ontap::Snapshot>& snapshots, const std::string& array_name) {
  return std::find_if(snapshots.begin(), snapshots.end(),
                      [&](const auto& one) { return one.name == array_name; });
}

// Everything behind the snapshot in the array's order of time: restoring destroys it. Snapshots
// that Proxmox did not make count too; they are named as the array names them.
std::vector<std::string> NewerThan(const std::vector<ontap::Snapshot>& snapshots,
                                   const std::string& array_name) {
  std::vector<std::string> names;
  auto found = FindNamed(snapshots, array_name);
  for (; found != snapshots.end(); ++found) {
    if (found->name == array_name) continue;
    names.push_back(PveSnapshotName(found->name).value_or(found->name));
  }
  return names;
}

std::string Join(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "'" : ", '") + name + "'";
  return text;
}

Error NoSuchSnapshot(const VolumeName& name, const std::string& snapshot) {
  return Error(ErrorCode::kNotFound,
               "volume '" + name.Text() + "' has no snapshot '" + snapshot + "' on the array")
      .With("array_name", ArraySnapshotName(snapshot))
      .Try(
          "the disk may have been added later, or the snapshot deleted on the array; roll back to "
          "another");
}

bool MayBeTheMap(const Error& error) {
  return error.code() == ErrorCode::kBusy || error.code() == ErrorCode::kConflict;
}

}  // namespace

Result<std::vector<std::string>> Rollbacks::Blockers(const VolumeName& name,
                                                     const std::string& snapshot,
                                                     const Deadline& deadline) {
  TRY(const auto flexvol, FlexVolName(context_->config.prefix, name));
  TRY(Plan * plan, PlanFor(name, snapshot, deadline));
  const Disk& disk = plan->disks.at(flexvol);
  const std::string array_name = ArraySnapshotName(snapshot);
  if (FindNamed(disk.snapshots, array_name) == disk.snapshots.end()) {
    return NoSuchSnapshot(name, snapshot);
  }
  plan->asked.insert(flexvol);
  return NewerThan(disk.snapshots, array_name);
}

Status Rollbacks::Restore(const VolumeName& name, const std::string& snapshot,
                          const Deadline& deadline) {
  auto& context = *context_;
  TRY(const auto flexvol, FlexVolName(context.config.prefix, name));
  TRY(Plan * plan, PlanFor(name, snapshot, deadline));
  if (plan->restored.erase(flexvol) == 1) return {};
  const std::string failure =
      "cannot roll back volume '" + name.Text() + "' to snapshot '" + snapshot + "'";
  TRY(const auto newer, Blockers(name, snapshot, deadline));
  if (!newer.empty()) {
    return Error(ErrorCode::kBusy, failure)
        .Because("newer snapshots exist: " + Join(newer))
        .Try("delete them first, or roll back to the newest");
  }
  const std::string array_name = ArraySnapshotName(snapshot);
  const auto holds_it = [&](const std::string& member) {
    const auto disk = plan->disks.find(member);
    return disk != plan->disks.end() && NewerThan(disk->second.snapshots, array_name).empty() &&
           FindNamed(disk->second.snapshots, array_name) != disk->second.snapshots.end();
  };
  // Only if Proxmox asked for exactly what the group holds: an unused disk in it must not be
  // reverted.
  const bool is_group_restore = plan->group && plan->asked == plan->group_members &&
                                std::all_of(plan->asked.begin(), plan->asked.end(), holds_it);
  std::vector<Disk*> disks;
  for (const auto& member : is_group_restore ? plan->asked : std::set<std::string>{flexvol}) {
    disks.push_back(&plan->disks.at(member));
  }
  for (Disk* disk : disks) {
    TRY_STATUS(RequireUnused(*disk, deadline));
    FlushCache(*disk, deadline);
  }
  auto restored = is_group_restore ? RestoreGroup(*plan, disks, array_name, deadline)
                                   : RestoreDetached(
                                         *disks.front(),
                                         [&] {
                                           return context.volumes.Restore(
                                               disks.front()->volume.uuid, array_name, deadline);
                                         },
                                         deadline);
  // What the node has cached of the disks is the past now, also after a failure half-way.
  for (Disk* disk : disks) FlushCache(*disk, deadline);
  if (!restored.ok()) {
    plans_.erase({name.vmid, snapshot});
    Error error = restored.error().Wrap(failure);
    if (is_group_restore || error.outcome_unknown()) {
      error.SetHint("disks of the VM may be rolled back already: roll back again before it starts");
    }
    return error;
  }
  for (const Disk* disk : disks) plan->restored.insert(disk->volume.name);
  plan->restored.erase(flexvol);
  return {};
}

void Rollbacks::Forget(std::uint64_t vmid) {
  std::erase_if(plans_, [&](const auto& plan) { return plan.first.first == vmid; });
}

Result<Rollbacks::Plan*> Rollbacks::PlanFor(const VolumeName& name, const std::string& snapshot,
                                            const Deadline& deadline) {
  TRY(const auto flexvol, FlexVolName(context_->config.prefix, name));
  Plan& plan = plans_[{name.vmid, snapshot}];
  const TimePoint now = deadline.clock().Now();
  const bool is_old = !plan.read_at || now - *plan.read_at > kReadingServes;
  if (is_old) {
    Plan fresh;
    if (plan.read_at && now - *plan.read_at <= kPlanLives) {
      fresh.asked = std::move(plan.asked);
      fresh.restored = std::move(plan.restored);
    }
    plan = std::move(fresh);
  }
  if (plan.disks.contains(flexvol)) return &plan;
  if (is_old) {
    plan.read_at = now;
    TRY_STATUS(ReadGroup(plan, name, deadline));
  }
  if (!plan.disks.contains(flexvol)) {
    TRY_STATUS(ReadAlone(plan, name, deadline));
  }
  return &plan;
}

Status Rollbacks::ReadGroup(Plan& plan, const VolumeName& name, const Deadline& deadline) {
  auto& context = *context_;
  TRY(const auto group, groups_.Find(name.vmid, deadline));
  if (!group) return {};
  plan.group = group->uuid;
  std::vector<ontap::VolumeRef> volumes;
  for (const auto& member : group->members) {
    plan.group_members.insert(member.volume_name);
    const auto member_name = VolumeNameOfFlexVol(context.config.prefix, member.volume_name);
    if (!member_name) continue;
    Disk& disk = plan.disks[member.volume_name];
    disk.name = *member_name;
    disk.volume = {.uuid = member.volume_uuid, .name = member.volume_name};
    disk.namespace_uuid = member.namespace_uuid;
    volumes.push_back(disk.volume);
  }
  TRY(auto snapshots, context.snapshots.List(volumes, deadline));
  for (auto& one : snapshots) {
    const auto disk = plan.disks.find(one.volume_name);
    if (disk != plan.disks.end()) disk->second.snapshots.push_back(std::move(one));
  }
  return {};
}

Status Rollbacks::ReadAlone(Plan& plan, const VolumeName& name, const Deadline& deadline) {
  auto& context = *context_;
  TRY(const auto volume, RequireVolume(context, name, deadline));
  TRY(auto snapshots, context.snapshots.List({{volume.uuid, volume.name}}, deadline));
  Disk disk;
  disk.name = name;
  disk.volume = {.uuid = volume.uuid, .name = volume.name};
  disk.snapshots = std::move(snapshots);
  TRY(const auto flexvol, FlexVolName(context.config.prefix, name));
  plan.disks[flexvol] = std::move(disk);
  return {};
}

Result<nvme::WantedDevice> Rollbacks::WantedOf(Disk& disk, const Deadline& deadline) {
  auto& context = *context_;
  TRY(const auto facts, facts_->Read(deadline));
  if (!disk.namespace_uuid) {  // not told with the group before 9.12.1
    TRY(const auto ns, RequireNamespace(context, disk.name, deadline));
    disk.namespace_uuid = ns.uuid;
  }
  nvme::WantedDevice wanted;
  wanted.uuid = *disk.namespace_uuid;
  wanted.subsystem_nqn = facts.subsystem_nqn;
  wanted.svm_name = context.config.svm;
  wanted.volume_name = disk.volume.name;
  return wanted;
}

Status Rollbacks::RequireUnused(Disk& disk, const Deadline& deadline) {
  TRY(const auto wanted, WantedOf(disk, deadline));
  return RequireUnusedHere(*context_, disk.name, wanted);
}

void Rollbacks::FlushCache(Disk& disk, const Deadline& deadline) {
  const auto wanted = WantedOf(disk, deadline);
  if (!wanted.ok()) return;
  const auto device = context_->host.FindAnySize(*wanted);
  if (!device.ok()) return;
  const auto flushed = context_->host.FlushCache(*device);
  if (!flushed.ok()) context_->log.Warning(flushed.error().Line());
}

Status Rollbacks::RestoreGroup(Plan& plan, const std::vector<Disk*>& disks,
                               const std::string& array_name, const Deadline& deadline) {
  auto& context = *context_;
  auto restored = context.groups.Restore(*plan.group, array_name, deadline);
  // Not the group's any more (it was made anew, or a disk left it since), or it may not be restored
  // while its disks are mapped: the volumes still have their snapshots.
  const bool is_for_volumes = FailedWith(restored, ErrorCode::kNotFound) ||
                              (!restored.ok() && MayBeTheMap(restored.error()));
  if (!is_for_volumes) return restored;
  for (Disk* disk : disks) {
    const auto restore_one = [&] {
      return context.volumes.Restore(disk->volume.uuid, array_name, deadline);
    };
    TRY_STATUS(RestoreDetached(*disk, restore_one, deadline));
  }
  return {};
}

// Whether a mapped namespace may be reverted is not stated by NetApp: where the array refuses, the
// maps are taken away for the moment. The VM is stopped, so nobody misses the devices.
Status Rollbacks::RestoreDetached(Disk& disk, const std::function<Status()>& restore,
                                  const Deadline& deadline) {
  auto& context = *context_;
  const auto first = restore();
  if (first.ok() || !MayBeTheMap(first.error())) return first;
  TRY(const auto facts, facts_->Read(deadline));
  TRY(const auto wanted, WantedOf(disk, deadline));
  TRY_STATUS(context.subsystems.Unmap(facts.subsystem_uuid, wanted.uuid, deadline));
  Status second = restore();
  const auto mapped =
      context.subsystems.Map(wanted.uuid, context.config.subsystem, deadline.Grace(kUndoBudget));
  // Activation maps again what is not mapped, so this is no reason to fail.
  if (!mapped.ok()) context.log.Warning(mapped.error().Line());
  return second;
}

}  // namespace ontapnvme::pve
