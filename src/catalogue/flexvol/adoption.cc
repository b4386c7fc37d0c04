// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/flexvol/adoption.h"

#include <algorithm>
#include <set>

#include "catalogue/disk_store.h"
#include "catalogue/refusals.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

constexpr const char* kOtherWay =
    "its bytes can be had all the same: with the setting 'snapshot_import' the storage's Import tab "
    "lists it";
constexpr const char* kRepeat = "repeat the command, which goes on from there";

std::string Joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const auto& text : texts) all += (all.empty() ? "" : ", ") + text;
  return all;
}

// Of the disk as it is, not of what it was cloned from.
bool IsOfVolume(const OwnedVolume& volume, const OwnedSnapshot& snapshot) {
  const auto made = volume->flexvol.create_time;
  const bool is_clone = !volume->flexvol.parent_volume_name.empty();
  return is_clone ? snapshot->create_time > made : snapshot->create_time >= made;
}

// Clones know their snapshot by its UUID. What else holds one, as replication does, may know it by its
// name.
const std::string* NeededByName(const OwnedSnapshot& snapshot) {
  const auto& owners = snapshot->owners;
  const auto found = std::find_if(owners.begin(), owners.end(), [](const auto& owner) {
    return owner.find("clone") == std::string::npos;
  });
  return found == owners.end() ? nullptr : &*found;
}

// For a refusal that another try would meet as well.
void SayWhy(Error& error, const OwnedSnapshot& snapshot) {
  const bool is_lock = snapshot->expiry_time || snapshot->IsOfAntiRansomware();
  if (is_lock && MayBeLock(error)) {
    error.SetHint(std::string("the array has locked this snapshot, and may not rename it before it "
                              "has expired; ") +
                  kOtherWay);
  }
}

}  // namespace

Result<AdoptedSnapshot> Adoption::Adopt(const std::vector<VolumeName>& disks,
                                        const ArraySnapshotName& from, const SnapshotName& to,
                                        const Deadline& deadline) {
  auto& gate = session_->gate;
  session_->facts.Remembered();
  const Names names{.from = from, .to = ArraySnapshotName(to)};
  const auto vmid = disks.front().vmid;
  TRY(const auto volumes, FindVolumes(disks, deadline));
  TRY(const auto there, gate.ListSnapshotsWithDetails(volumes, vmid, deadline));
  TRY(auto wanted, Choose(volumes, names, there));
  TRY(const auto group, FindOfGroup(wanted, names, deadline));

  Mark mark = gate.marker().New(vmid, NewOperationId());
  mark.adopted_from = from.Text();
  TRY(const auto comment, mark.Text());
  // What may be refused comes first.
  std::stable_partition(wanted.begin(), wanted.end(), [](const auto& one) {
    return one.snapshot->expiry_time || one.snapshot->IsOfAntiRansomware();
  });
  const Deadline working = deadline.Reserve(kUndoBudget);
  UndoSteps undo;
  const auto rename_all = [&]() -> Status {
    if (group) TRY_STATUS(RenameOfGroup(*group, wanted, names, comment, undo, working));
    for (const auto& one : wanted) TRY_STATUS(Rename(one, names, comment, undo, working));
    return StillWanted(working);
  };
  if (auto renamed = rename_all(); !renamed.ok()) {
    return undo.Run(std::move(renamed).error(), deadline);
  }
  AdoptedSnapshot adopted{
      .create_time = wanted.front().snapshot->create_time,
      .is_of_one_moment = wanted.size() == 1 || (group && Covers(*group, wanted))};
  for (const auto& [volume, snapshot] : wanted) {
    adopted.create_time = std::min(adopted.create_time, snapshot->create_time);
    const auto until = snapshot->expiry_time;
    if (until && (!adopted.locked_until || *adopted.locked_until < *until)) {
      adopted.locked_until = until;
    }
  }
  return adopted;
}

Result<std::vector<OwnedVolume>> Adoption::FindVolumes(const std::vector<VolumeName>& disks,
                                                       const Deadline& deadline) {
  const auto vmid = disks.front().vmid;
  TRY(const auto listed, session_->gate.ListVolumes({vmid}, disks.front(), Listed::kVms, deadline));
  std::vector<OwnedVolume> volumes;
  for (const auto& disk : disks) {
    const auto found = std::find_if(listed.ours.begin(), listed.ours.end(),
                                    [&](const auto& one) { return one->name == disk; });
    if (found == listed.ours.end()) return VolumeNotFound(session_->config, disk);
    const auto& group = (*found)->flexvol.group;
    if (group && !session_->groups.IsNameOf(vmid, group->name)) {
      return Error(ErrorCode::kConflict, "volume '" + disk.Text() + "' is in consistency group '" +
                                             CleanText(group->name) + "', which is not its VM's")
          .Because("that group's schedule could remove the snapshot whatever it is called")
          .Try("take the FlexVol out of that group on the array");
    }
    volumes.push_back(*found);
  }
  return volumes;
}

bool Adoption::IsMarked(const OwnedSnapshot& snapshot, const Names& names) const {
  const auto reading = session_->gate.marker().Read(snapshot->comment);
  return reading.owner == Owner::kOurs && reading.mark.adopted_from == names.from.Text();
}

bool Adoption::Covers(const OwnedGroupSnapshot& group, const std::vector<Wanted>& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& one) {
    return std::any_of(group->volumes.begin(), group->volumes.end(), [&](const auto& volume) {
      return volume->flexvol.uuid == one.volume->flexvol.uuid;
    });
  });
}

Result<std::vector<Adoption::Wanted>> Adoption::Choose(const std::vector<OwnedVolume>& volumes,
                                                       const Names& names,
                                                       const std::vector<OwnedSnapshot>& there) {
  std::vector<Wanted> wanted;
  std::vector<std::string> lacking;
  for (const auto& volume : volumes) {
    const auto with_name = [&](const ArraySnapshotName& name) {
      return std::find_if(there.begin(), there.end(), [&](const auto& one) {
        return one->volume_uuid == volume->flexvol.uuid && one->name == name.Text();
      });
    };
    const auto source = with_name(names.from);
    const auto target = with_name(names.to);
    const bool is_done = target != there.end() && IsMarked(*target, names);
    const bool is_taken = target != there.end() && (!is_done || source != there.end());
    if (is_taken) {
      auto taken = SnapshotLeftOver(names.to, (*target)->create_time);
      taken.AddFact("volume", volume->name.Text());
      return taken;
    }
    const auto chosen = is_done ? target : source;
    if (chosen == there.end()) {
      lacking.push_back(volume->name.Text());
      continue;
    }
    if (!IsOfVolume(volume, *chosen)) {
      return Error(ErrorCode::kConflict, "snapshot '" + CleanText(names.from.Text()) +
                                             "' of volume '" + volume->name.Text() +
                                             "' is older than the volume")
          .Because("it shows the disk that the volume was cloned from");
    }
    if (const auto* owner = NeededByName(*chosen)) {
      return Error(ErrorCode::kBusy, "snapshot '" + CleanText(names.from.Text()) + "' of volume '" +
                                         volume->name.Text() + "' must keep its name")
          .Because("the array needs it for: " + CleanText(*owner))
          .Try(kOtherWay);
    }
    wanted.push_back({volume, *chosen});
  }
  if (lacking.empty()) return wanted;
  return Error(ErrorCode::kNotFound, "the array has no snapshot '" + CleanText(names.from.Text()) +
                                         "' of " + (lacking.size() == 1 ? "volume " : "volumes ") +
                                         Joined(lacking))
      .Try("choose one that all disks of the VM have: 'ontapnvme snapshots " +
           session_->config.storage_id + " " + std::to_string(volumes.front()->name.vmid) + "'");
}

// Under the new name only when it was begun before: its members may not be done.
Result<std::optional<OwnedGroupSnapshot>> Adoption::FindOfGroup(const std::vector<Wanted>& wanted,
                                                                const Names& names,
                                                                const Deadline& deadline) {
  std::set<std::string> flexvols;
  bool is_begun = false;
  for (const auto& [volume, snapshot] : wanted) {
    if (volume->name.IsGroupMember()) flexvols.insert(volume->flexvol.name);
    is_begun = is_begun || IsMarked(snapshot, names);
  }
  if (flexvols.empty()) return std::optional<OwnedGroupSnapshot>();
  const auto vmid = wanted.front().volume->name.vmid;
  TRY(auto found, session_->groups.FindSnapshot(vmid, flexvols, names.from, deadline));
  if (found || !is_begun) return found;
  return session_->groups.FindSnapshot(vmid, flexvols, names.to, deadline);
}

// Disks of the group that Proxmox did not name go along: a schedule would take theirs.
Status Adoption::AddOthers(const OwnedGroupSnapshot& group, std::vector<Wanted>& wanted,
                           const Names& names, const Deadline& deadline) {
  std::vector<OwnedVolume> others;
  for (const auto& volume : group->volumes) {
    const bool is_wanted = std::any_of(wanted.begin(), wanted.end(), [&](const auto& one) {
      return one.volume->flexvol.uuid == volume->flexvol.uuid;
    });
    if (!is_wanted) others.push_back(volume);
  }
  if (others.empty()) return {};
  TRY(const auto found, session_->gate.FindSnapshots(others, names.from, deadline));
  for (const auto& snapshot : found) {
    const auto volume = std::find_if(others.begin(), others.end(), [&](const auto& one) {
      return one->flexvol.uuid == snapshot->volume_uuid;
    });
    wanted.push_back({*volume, snapshot});
  }
  return {};
}

// Marked first: what has the new name without a mark could be another one. Once the group's has it
// the marks stay, since what undoes the one may not reach the other.
Status Adoption::MarkAndRenameGroup(const OwnedGroupSnapshot& group,
                                    const std::vector<Wanted>& wanted, const Names& names,
                                    const std::string& comment, UndoSteps& undo,
                                    const Deadline& deadline) {
  auto& gate = session_->gate;
  auto& groups = session_->groups;
  UndoSteps marks;
  for (const auto& [volume, snapshot] : wanted) {
    if (snapshot->name != names.from.Text()) continue;
    marks.Add("mark of snapshot " + names.from.Text() + " of " + volume->flexvol.name,
              [&gate, snapshot = snapshot](const Deadline& grace) {
                return gate.SetSnapshotComment(snapshot, snapshot->comment, grace);
              });
    auto marked = gate.SetSnapshotComment(snapshot, comment, deadline);
    if (!marked.ok()) return marks.Run(std::move(marked).error(), deadline);
  }
  auto renamed = groups.RenameSnapshot(group, names.to, deadline);
  if (VmGroups::IsNotPossible(renamed)) {
    return marks.Run(Error(ErrorCode::kUnsupported, "the array does not rename snapshot '" +
                                                        CleanText(names.from.Text()) +
                                                        "' of the VM's consistency group")
                         .Because(renamed.error().Plain())
                         .Try(kOtherWay)
                         .From(renamed.error().origin()),
                     deadline);
  }
  undo.Add(
      "name of the group's snapshot " + names.to.Text(),
      [&groups, group, from = names.from](const Deadline& grace) {
        return groups.RenameSnapshot(group, from, grace);
      },
      kRepeat);
  return renamed;
}

Status Adoption::RenameOfGroup(const OwnedGroupSnapshot& group, std::vector<Wanted>& wanted,
                               const Names& names, const std::string& comment, UndoSteps& undo,
                               const Deadline& deadline) {
  TRY_STATUS(AddOthers(group, wanted, names, deadline));
  TRY_STATUS(MarkAndRenameGroup(group, wanted, names, comment, undo, deadline));
  std::vector<OwnedVolume> volumes;
  for (const auto& one : wanted) volumes.push_back(one.volume);
  TRY(const auto now, session_->gate.ListSnapshots(volumes, deadline));
  for (auto& one : wanted) {
    const auto found = std::find_if(now.begin(), now.end(), [&](const auto& snapshot) {
      return snapshot->uuid == one.snapshot->uuid;
    });
    if (found == now.end()) {
      return Error(ErrorCode::kUnavailable, "the array does not list snapshot '" +
                                                CleanText(names.from.Text()) + "' of volume '" +
                                                one.volume->name.Text() + "' any more")
          .Try(kRepeat);
    }
    if ((*found)->name == names.to.Text()) one.snapshot = *found;
  }
  return {};
}

Status Adoption::Rename(const Wanted& wanted, const Names& names, const std::string& comment,
                        UndoSteps& undo, const Deadline& deadline) {
  auto& gate = session_->gate;
  const auto& [volume, snapshot] = wanted;
  if (snapshot->name == names.to.Text()) return {};
  auto renamed = gate.RenameSnapshot(snapshot, names.to, comment, deadline);
  // Refused, there is nothing to undo. The array may keep the former name for its schedules: then what
  // was done stays, and is named.
  if (!VmGroups::IsNotPossible(renamed)) {
    undo.Add(
        "snapshot " + names.to.Text() + " of " + volume->flexvol.name,
        [&gate, snapshot = wanted.snapshot, from = names.from](const Deadline& grace) {
          return gate.RenameSnapshot(snapshot, from, snapshot->comment, grace);
        },
        kRepeat);
  }
  if (renamed.ok()) return renamed;
  Error error = renamed.error().Wrap("cannot rename snapshot '" + CleanText(names.from.Text()) +
                                     "' of volume '" + volume->name.Text() + "'");
  SayWhy(error, snapshot);
  return error;
}

}  // namespace ontapnvme::catalogue::flexvol
