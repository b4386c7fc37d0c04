// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/flexvol/qualify/scratch_removal.h"

#include <algorithm>

#include "base/look_again.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

// The first failure counts, and the rest is tried all the same.
void Keep(Status& first, Status status) {
  if (first.ok()) first = std::move(status);
}

}  // namespace

Status ScratchRemoval::RemoveAll(const Deadline& deadline) {
  TRY(const auto volumes, ListVolumes(ScratchName::Pattern(prefix_), deadline));
  std::set<std::string> runs;
  for (const auto& volume : volumes) runs.insert(ScratchName::Parse(prefix_, volume.name)->run);
  Status failure;
  for (const auto& run : runs) Keep(failure, RemoveRun(run, {}, deadline));
  return failure;
}

// Those that are scratch.
Result<std::vector<ontap::FlexVol>> ScratchRemoval::ListVolumes(const std::string& pattern,
                                                                const Deadline& deadline) {
  TRY(auto volumes, volumes_.List(pattern, deadline, ontap::CloneParents::kRead));
  std::erase_if(volumes, [&](const auto& volume) {
    const auto name = ScratchName::Parse(prefix_, volume.name);
    return !name || !name->IsMarkedBy(marker_, volume.comment);
  });
  return volumes;
}

Status ScratchRemoval::RemoveRun(const std::string& run, const std::set<std::string>& expected,
                                 const Deadline& deadline) {
  const ScratchName name{.run = run};
  const auto are_listed = [&](const std::vector<ontap::FlexVol>& volumes) {
    return std::all_of(expected.begin(), expected.end(), [&](const auto& one) {
      return std::any_of(volumes.begin(), volumes.end(),
                         [&](const auto& volume) { return volume.name == one; });
    });
  };
  TRY(auto volumes, LookAgain([&] { return ListVolumes(name.PatternOfRun(prefix_), deadline); },
                              are_listed, deadline));
  if (volumes.empty()) return {};
  TRY_STATUS(Unmap(name, deadline));
  TRY_STATUS(RemoveGroups(name, deadline));
  // Clones before what they hold, then from the highest number down.
  std::sort(volumes.begin(), volumes.end(), [](const auto& one, const auto& other) {
    const bool is_clone = !one.parent_volume_name.empty();
    const bool is_other_clone = !other.parent_volume_name.empty();
    return is_clone != is_other_clone ? is_clone : one.name > other.name;
  });
  const auto last = std::prev(volumes.end());
  for (auto volume = volumes.begin(); volume != last; ++volume) {
    TRY_STATUS(RemoveVolume(*volume, deadline));
  }
  TRY_STATUS(RemoveSubsystem(name, deadline));
  PurgeQueued(name, deadline);
  return RemoveVolume(*last, deadline);
}

Status ScratchRemoval::Unmap(const ScratchName& run, const Deadline& deadline) {
  TRY(const auto namespaces, namespaces_.List(run.PatternOfRun(prefix_), deadline));
  for (const auto& ns : namespaces) {
    const bool is_scratch = ScratchName::Parse(prefix_, ns.volume_name) &&
                            ns.subsystem_name == run.SubsystemName(prefix_);
    if (!is_scratch || !ns.subsystem_uuid) continue;
    TRY_STATUS(subsystems_.Unmap(*ns.subsystem_uuid, ns.uuid, deadline));
  }
  return {};
}

// By name, and by its members: none of them may be anything else. A volume that was deleted may still be
// shown as one, under its name and without its comment.
Status ScratchRemoval::RemoveGroups(const ScratchName& run, const Deadline& deadline) {
  const std::string pattern = run.GroupName(prefix_) + "|" + run.LongGroupName();
  TRY(const auto groups, groups_.List(pattern, deadline));
  for (const auto& group : groups) {
    const bool is_named = group.name == run.GroupName(prefix_) || group.name == run.LongGroupName();
    const bool is_scratch =
        std::all_of(group.members.begin(), group.members.end(), [&](const auto& member) {
          const auto name = ScratchName::Parse(prefix_, member.volume_name);
          return name && name->run == run.run &&
                 (member.comment.empty() || name->IsMarkedBy(marker_, member.comment));
        });
    if (!is_named || !is_scratch) continue;
    TRY(const auto snapshots, groups_.ListSnapshots(group.uuid, deadline));
    for (const auto& snapshot : snapshots) {
      TRY_STATUS(groups_.DeleteSnapshot(group.uuid, snapshot.uuid, deadline));
    }
    TRY_STATUS(groups_.Delete(group.uuid, deadline));
  }
  return {};
}

Status ScratchRemoval::RemoveVolume(const ontap::FlexVol& volume, const Deadline& deadline) {
  TRY_STATUS(volumes_.Delete(volume.uuid, true, deadline));
  // What stays in the queue for want of a right the array forgets by itself.
  (void)queue_.PurgeDeleted(volume.name, deadline);
  return {};
}

// Without hosts, by its mark: nobody can have been shown anything by it.
Status ScratchRemoval::RemoveSubsystem(const ScratchName& run, const Deadline& deadline) {
  TRY(const auto found, subsystems_.FindWithComment(run.SubsystemName(prefix_), deadline));
  if (!found || !found->host_nqns.empty() || !run.IsMarkedBy(marker_, found->comment)) return {};
  return subsystems_.Delete(found->uuid, deadline);
}

// Those that a probe deleted into the queue. That they are scratch a volume of the same run shows, which
// is still there. Without the right for it the array forgets them by itself.
void ScratchRemoval::PurgeQueued(const ScratchName& run, const Deadline& deadline) {
  const auto queued = queue_.List(run.PatternOfRun(prefix_), deadline);
  for (const auto& one : queued.ok() ? *queued : std::vector<ontap::QueuedVolume>()) {
    const auto name = ScratchName::Parse(prefix_, ontap::NameBeforeDeletion(one.name));
    if (name && name->run == run.run) (void)queue_.Purge(one.name, deadline);
  }
}

}  // namespace ontapnvme::catalogue::flexvol
