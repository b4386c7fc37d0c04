// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/flexvol/left_overs.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "catalogue/flexvol/disk_lookup.h"
#include "catalogue/flexvol/names/copy_name.h"
#include "catalogue/flexvol/qualify/scratch_name.h"
#include "catalogue/flexvol/records/disk_records.h"
#include "catalogue/flexvol/snapshots.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

// An empty FlexVol uses some hundred KiB for its own metadata. One that uses more holds something,
// whatever the listing of its namespaces says.
constexpr ByteCount kEmptyMax = MiB(4);

// What to do, as the first word of a key; the rest of it says to what.
constexpr std::string_view kEmpty = "empty ";
constexpr std::string_view kUnmapped = "unmapped ";
constexpr std::string_view kUngrouped = "ungrouped ";
constexpr std::string_view kParked = "parked ";
constexpr std::string_view kEmptyGroup = "empty_group ";
constexpr std::string_view kBegun = "begun ";
constexpr std::string_view kNearlyWhole = "nearly_whole ";
constexpr std::string_view kUnsplit = "unsplit ";
constexpr std::string_view kCloneSnapshot = "clone_snapshot ";
constexpr std::string_view kScratch = "scratch ";  // a run of probes
constexpr std::string_view kReturning = "returning ";
constexpr std::string_view kCopy = "copy ";  // its UUID, a blank, the volume

std::string Key(std::string_view kind, const std::string& object) {
  return std::string(kind) + object;
}

std::string SnapshotOfCopy(const OwnedNamespace& copy) {
  const auto name = CopyName::Parse(copy->BaseName());
  return name ? ArraySnapshotName(CleanText(name->snapshot)).Shown() : "";
}

// Why the volume cannot be taken for one that an operation left empty; an empty text: it can. An
// allocation that was stopped leaves it online and no clone. (In its VM's group it may be: releases
// before this one let the VM's next disk take it along.) Whether an array lists the namespaces of a
// volume that is offline is not stated, and a disk must never be taken for an empty volume.
std::string WhyNotEmpty(const VmGroups& groups, const OwnedDisk& disk) {
  const auto& flexvol = disk.volume->flexvol;
  if (disk.volume->mark.owner != Owner::kOurs) return "it does not carry this storage's mark";
  if (disk.ns || disk.is_ambiguous || !disk.copies.empty()) return "it holds a namespace";
  if (flexvol.state != "online") return "it is not online, so that it may hold more than it shows";
  if (flexvol.group && !groups.IsNameOf(disk.volume->name.vmid, flexvol.group->name)) {
    return "it is in a consistency group that is not its VM's";
  }
  if (!flexvol.parent_volume_name.empty()) return "it is a clone";
  if (disk.volume->name.is_base || !disk.volume->mark.mark.base_snapshot.empty()) {
    return "it is a base image";
  }
  if (flexvol.used > kEmptyMax) return "it uses more space than an empty volume";
  return "";
}

Error LeftAlone(const std::string& flexvol, const std::string& reason) {
  return Error(ErrorCode::kConflict, "FlexVol '" + flexvol + "' is left alone").Because(reason);
}

// Collects what Look finds.
class Findings {
 public:
  Findings(const Session& session, std::chrono::system_clock::time_point oldest,
           const Deadline& deadline)
      : session_(&session), oldest_(oldest), deadline_(deadline) {}

  void AddDisk(const OwnedDisk& disk, const std::set<std::string>& done_operations);
  void AddParked(const OwnedDisk& disk);
  void AddScratch(const std::vector<OwnedDisk>& volumes);
  void AddReturning(const OwnedDisk& disk);
  // Disks come first: they are settled although what follows cannot be read.
  void AddUngrouped();
  void AddSplits();
  void AddCloneSnapshots(const std::vector<OwnedDisk>& disks);
  void AddEmptyGroups();

  Survey survey;

 private:
  LeftOver& Add(std::string_view kind, const std::string& object, std::string description,
                std::string settled) {
    survey.left_overs.push_back({.description = std::move(description),
                                 .settled = std::move(settled),
                                 .key = Key(kind, object)});
    return survey.left_overs.back();
  }
  void MissedBy(const Error& error) {
    session_->log.Debug(error.Line());
    if (!survey.unread) survey.unread = error;
  }
  void AddCopies(const OwnedDisk& disk);

  const Session* session_;
  std::chrono::system_clock::time_point oldest_;
  const Deadline& deadline_;
  std::set<std::uint64_t> ungrouped_;
  std::set<std::uint64_t> splitting_;
};

// What a run made together is taken away together.
void Findings::AddScratch(const std::vector<OwnedDisk>& volumes) {
  std::set<std::string> runs;
  for (const auto& one : volumes) {
    const auto& flexvol = one.volume->flexvol;
    const auto name = ScratchName::Parse(session_->config.prefix, flexvol.name);
    if (!name || flexvol.create_time >= oldest_ || !runs.insert(name->run).second) continue;
    Add(kScratch, name->run,
        "FlexVol " + flexvol.name +
            " is a scratch volume: a probe is under way, or was interrupted",
        "removed the scratch volumes of probe run " + name->run)
        .is_abandoned = true;
  }
}

void Findings::AddCopies(const OwnedDisk& disk) {
  const auto& name = disk.volume->name;
  for (const auto& copy : disk.copies) {
    const auto copy_name = CopyName::Parse(copy->BaseName());
    if (!copy_name || copy_name->MadeAt() >= oldest_ || !session_->gate.IsOurs(copy)) continue;
    const std::string rollback =
        "a rollback of " + name.LeafText() + " to snapshot " + SnapshotOfCopy(copy);
    Add(kCopy, copy->uuid.Text() + " " + name.Text(),
        "FlexVol " + disk.volume->flexvol.name + " holds a temporary namespace of " + rollback +
            ": it is under way, or was interrupted, then roll back again",
        "removed the temporary namespace of " + rollback +
            ", which was interrupted: other disks of the VM may have gone back, then roll back "
            "again before it starts");
  }
}

void Findings::AddDisk(const OwnedDisk& disk, const std::set<std::string>& done_operations) {
  const auto& name = disk.volume->name;
  const auto& flexvol = disk.volume->flexvol;
  const auto& mark = disk.volume->mark.mark;
  AddCopies(disk);
  if (disk.is_ambiguous) return;
  const bool is_suspect = flexvol.create_time < oldest_ && disk.volume->mark.owner == Owner::kOurs;
  if (IsBegun(disk.volume)) {
    if (!is_suspect) return;
    const bool is_done = done_operations.contains(mark.operation_id);
    Add(is_done ? kNearlyWhole : kBegun, name.Text(),
        "FlexVol " + flexvol.name +
            " is a full clone that is no disk yet: cloning its VM is under way, or was interrupted",
        (is_done ? "finished full clone " : "removed unfinished full clone ") + flexvol.name)
        .is_abandoned = !is_done;
    return;
  }
  if (disk.ns) survey.namespace_by_volume.emplace(name.LeafText(), (*disk.ns)->uuid);
  if (!is_suspect) return;
  if (WhyNotEmpty(session_->groups, disk).empty()) {
    Add(kEmpty, name.Text(),
        "FlexVol " + flexvol.name + " is empty: an allocation is under way, or was interrupted",
        "removed empty FlexVol " + flexvol.name)
        .is_abandoned = true;
  }
  if (!disk.ns) return;
  if (!(*disk.ns)->subsystem_uuid) {
    Add(kUnmapped, name.Text(), "FlexVol " + flexvol.name + " is not mapped",
        "mapped " + flexvol.name);
  }
  if (name.IsGroupMember() && !flexvol.group) ungrouped_.insert(name.vmid);
  const bool is_shared =
      mark.full_clone == FullClone::kWhole && !flexvol.parent_volume_name.empty();
  if (is_shared) splitting_.insert(name.vmid);
}

void Findings::AddParked(const OwnedDisk& disk) {
  const std::string& flexvol = disk.volume->flexvol.name;
  Add(kParked, flexvol,
      "FlexVol " + flexvol +
          " is deleted, and waits for its deleted clones to leave the recovery queue, for its full "
          "clones to be split from it, or for locked snapshots to expire",
      "deleted FlexVol " + flexvol + ", which nothing holds any more")
      .is_abandoned = true;
}

void Findings::AddReturning(const OwnedDisk& disk) {
  const std::string& flexvol = disk.volume->flexvol.name;
  const std::string volume = session_->config.storage_id + ":" + disk.volume->name.LeafText();
  Add(kReturning, flexvol,
      "FlexVol " + flexvol + " has left the recovery queue and is no disk yet: bringing back " +
          volume + " is under way, or was interrupted, then 'ontapnvme undelete " + volume +
          "' again",
      "");
}

void Findings::AddUngrouped() {
  for (const auto vmid : ungrouped_) {
    const std::string vm = "VM " + std::to_string(vmid);
    Add(kUngrouped, std::to_string(vmid), vm + " has disks outside its consistency group",
        "grouped the disks of " + vm);
  }
}

void Findings::AddSplits() {
  if (splitting_.empty()) return;
  const auto clones = session_->gate.ListFullClones(splitting_, deadline_);
  if (!clones.ok()) MissedBy(clones.error());
  for (const auto& clone : clones.ok() ? *clones : std::vector<OwnedVolume>()) {
    const auto& flexvol = clone->flexvol;
    if (flexvol.parent_volume_name.empty() || flexvol.create_time >= oldest_) continue;
    const std::string how_far = flexvol.split_percent
                                    ? " is being split from FlexVol "
                                    : " waits for the array to begin to split it from FlexVol ";
    Add(kUnsplit, clone->name.Text(),
        "FlexVol " + flexvol.name + how_far + CleanText(flexvol.parent_volume_name) +
            (flexvol.split_percent ? ": " + std::to_string(*flexvol.split_percent) + " %" : ""),
        "had the array split full clone " + flexvol.name);
  }
}

void Findings::AddCloneSnapshots(const std::vector<OwnedDisk>& disks) {
  std::vector<OwnedVolume> volumes;
  for (const auto& disk : disks) volumes.push_back(disk.volume);
  const auto found = session_->gate.FindCloneSnapshots(volumes, deadline_);
  if (!found.ok()) MissedBy(found.error());
  std::set<std::string> told;
  for (const auto& one : found.ok() ? *found : std::vector<OwnedSnapshot>()) {
    if (one->create_time >= oldest_ || !told.insert(one->name).second) continue;
    Add(kCloneSnapshot, one->name,
        "snapshot " + one->name + " of FlexVol " + CleanText(one->volume_name) +
            " is kept until the array has split the full clones that were made of it",
        "deleted snapshot " + one->name + ", which no full clone needs any more");
  }
}

void Findings::AddEmptyGroups() {
  const auto empty_groups = session_->groups.ListEmpty(deadline_);
  if (!empty_groups.ok()) MissedBy(empty_groups.error());
  for (const auto& group : empty_groups.ok() ? *empty_groups : std::vector<std::string>()) {
    Add(kEmptyGroup, group, "consistency group " + group + " has no members",
        "removed consistency group " + group + ", which had no members")
        .is_abandoned = true;
  }
}

// The operations that have marked one of their full clones as whole, and so the others too.
std::set<std::string> DoneOperations(const std::vector<OwnedVolume>& volumes) {
  std::set<std::string> done;
  for (const auto& volume : volumes) {
    const auto& [owner, mark, foreign] = volume->mark;
    if (owner == Owner::kOurs && mark.full_clone == FullClone::kWhole) {
      done.insert(mark.operation_id);
    }
  }
  return done;
}

}  // namespace

Result<Survey> LeftOvers::Look(std::chrono::system_clock::time_point oldest,
                               const Deadline& deadline) {
  session_->facts.Remembered();
  // Another SVM of that name has disks of its own, and one of another name is no empty one.
  if (auto doubt = DoubtOfSvm(*session_, deadline)) return std::move(*doubt);
  TRY(const auto listed, session_->gate.ListWithParked(deadline));
  std::vector<OwnedVolume> volumes;
  for (const auto& disk : listed.disks) volumes.push_back(disk.volume);
  const auto done_operations = DoneOperations(volumes);
  Findings findings(*session_, oldest, deadline);
  for (const auto& disk : listed.disks) findings.AddDisk(disk, done_operations);
  findings.AddUngrouped();
  for (const auto& disk : listed.parked) findings.AddParked(disk);
  findings.AddScratch(listed.scratch);
  for (const auto& disk : listed.returning) findings.AddReturning(disk);
  findings.AddSplits();
  findings.AddCloneSnapshots(listed.disks);
  findings.AddEmptyGroups();
  return std::move(findings.survey);
}

Status LeftOvers::Settle(const LeftOver& left_over, const Deadline& deadline) {
  auto& gate = session_->gate;
  session_->facts.Remembered();
  const std::string_view key = left_over.key;
  const auto is = [&](std::string_view kind) { return key.starts_with(kind); };
  const std::string object(key.substr(std::min(key.find(' ') + 1, key.size())));
  if (is(kScratch)) return session_->scratch.RemoveRun(object, {}, deadline);
  if (is(kParked)) return RemoveParked(object, deadline);
  if (is(kEmptyGroup)) return session_->groups.RemoveEmpty(object, deadline);
  if (is(kCloneSnapshot)) return RemoveCloneSnapshot(object, deadline);
  if (is(kUngrouped)) {
    std::uint64_t vmid = 0;
    std::from_chars(object.data(), object.data() + object.size(), vmid);
    return Regroup(vmid, deadline);
  }
  if (is(kCopy)) return RemoveCopy(object, deadline);
  // Whether it is still wanted back only the one knows who asked for it.
  if (is(kReturning)) return LeftAlone(object, "it comes back from the recovery queue");
  TRY(const auto name, VolumeName::Parse(object));
  if (is(kUnsplit)) return StartSplit(name, deadline);
  // Looked at once more, alone.
  TRY(const auto disk, gate.FindDisk(name, deadline));
  if (!disk || disk->volume->mark.owner != Owner::kOurs) {
    return Error(ErrorCode::kNotFound, "volume '" + name.Text() + "' is not there any more");
  }
  if (is(kEmpty)) return RemoveEmpty(*disk, deadline);
  if (is(kBegun)) return RemoveBegun(*disk, deadline);
  if (is(kNearlyWhole)) return MakeWhole(*disk, deadline);
  if (!disk->ns || (*disk->ns)->subsystem_uuid) return {};
  return gate.Map(*disk->ns, deadline);
}

// Whether another clone of its operation is whole. That none is, two questions have to say, each of
// which knows of this one: a listing may lack what was made a moment ago, or its last records.
Result<bool> LeftOvers::IsOperationDone(const OwnedDisk& disk, const Deadline& deadline) {
  auto& gate = session_->gate;
  TRY(const auto all, gate.ListAllVolumes(deadline));
  TRY(const auto disks_of_vm, gate.ListDisks(disk.volume->name.vmid, deadline));
  std::vector<OwnedVolume> of_vm;
  for (const auto& one : disks_of_vm) of_vm.push_back(one.volume);
  for (const std::vector<OwnedVolume>* volumes : {&all, &std::as_const(of_vm)}) {
    if (DoneOperations(*volumes).contains(disk.volume->mark.mark.operation_id)) return true;
    const bool is_listed = std::any_of(volumes->begin(), volumes->end(), [&](const auto& one) {
      return one->flexvol.uuid == disk.volume->flexvol.uuid;
    });
    if (!is_listed) return LeftAlone(disk.volume->flexvol.name, "a listing of the array lacks it");
  }
  return false;
}

// Nobody has been told of it, and what is not mapped nobody has written to.
Status LeftOvers::RemoveBegun(const OwnedDisk& disk, const Deadline& deadline) {
  auto& gate = session_->gate;
  const auto& flexvol = disk.volume->flexvol;
  if (!IsBegun(disk.volume)) return LeftAlone(flexvol.name, "it is a disk by now");
  if (flexvol.parent_volume_name.empty()) return LeftAlone(flexvol.name, "it is no clone");
  const bool is_mapped = disk.ns && (*disk.ns)->subsystem_uuid;
  if (is_mapped) return LeftAlone(flexvol.name, "it is mapped, so that it may be in use");
  TRY(const auto is_done, IsOperationDone(disk, deadline));
  if (is_done) return MakeWhole(disk, deadline);
  // Into the recovery queue, as everything that is deleted without being asked for.
  return gate.Delete(disk.volume, false, deadline);
}

Status LeftOvers::MakeWhole(const OwnedDisk& disk, const Deadline& deadline) {
  auto& gate = session_->gate;
  if (!IsBegun(disk.volume) || !disk.ns) {
    return LeftAlone(disk.volume->flexvol.name, "it is not what it was a moment ago");
  }
  Mark mark = disk.volume->mark.mark;
  mark.full_clone = FullClone::kWhole;
  TRY(const auto whole, gate.SetMark(disk.volume, mark, deadline));
  TRY_STATUS(gate.Map(*disk.ns, deadline));
  if (whole->name.IsGroupMember()) TRY_STATUS(Regroup(whole->name.vmid, deadline));
  return StartSplit(whole->name, deadline);
}

Status LeftOvers::StartSplit(const VolumeName& name, const Deadline& deadline) {
  auto& gate = session_->gate;
  TRY(const auto clones, gate.ListFullClones({name.vmid}, deadline));
  for (const auto& clone : clones) {
    if (clone->name != name || clone->flexvol.parent_volume_name.empty()) continue;
    if (!clone->flexvol.split_percent) return gate.StartSplit(clone, deadline);
    return Error(ErrorCode::kBusy, "the array still splits FlexVol '" + clone->flexvol.name + "'");
  }
  return Error(ErrorCode::kNotFound, "volume '" + name.Text() + "' is no clone any more");
}

// What a clone holds the array refuses to delete. A clone shows the snapshot that it was made of as
// its own.
Status LeftOvers::RemoveCloneSnapshot(const std::string& snapshot, const Deadline& deadline) {
  auto& gate = session_->gate;
  TRY(const auto volumes, gate.ListAllVolumes(deadline));
  TRY(const auto found, gate.FindCloneSnapshots(volumes, deadline));
  Status failure;
  Coverage gone;
  for (const auto& one : found) {
    if (one->name != snapshot) continue;
    const auto volume = std::find_if(volumes.begin(), volumes.end(), [&](const auto& each) {
      return each->flexvol.uuid == one->volume_uuid;
    });
    if (volume == volumes.end() || gone.contains((*volume)->name)) continue;
    auto deleted =
        Snapshots(*session_).Delete((*volume)->name, ArraySnapshotName(snapshot), deadline);
    if (deleted.ok()) gone.merge(*deleted);
    if (!deleted.ok() && failure.ok()) failure = std::move(deleted).error();
  }
  return failure;
}

Status LeftOvers::RemoveEmpty(const OwnedDisk& disk, const Deadline& deadline) {
  auto& gate = session_->gate;
  const std::string& flexvol = disk.volume->flexvol.name;
  if (const std::string reason = WhyNotEmpty(session_->groups, disk); !reason.empty()) {
    return LeftAlone(flexvol, reason);
  }
  // Twice the array may have been too busy to list what is in it.
  if (auto doubt = DoubtOfNamespace(*session_, disk.volume->name, deadline)) {
    return std::move(*doubt);
  }
  TRY(const auto snapshots, gate.ListSnapshots({disk.volume}, deadline));
  if (!snapshots.empty()) {
    return LeftAlone(flexvol, IsOfAntiRansomware(gate.marker(), snapshots.back())
                                  ? "it has snapshots that the array's anti-ransomware protection "
                                    "has locked"
                                  : "it has snapshots");
  }
  TRY_STATUS(session_->groups.LeaveAsEmpty(disk.volume->name.vmid, disk.volume, deadline));
  // Into the recovery queue, as everything that is deleted without being asked for.
  return gate.Delete(disk.volume, false, deadline);
}

// Deleting is all that is done about it: the disk beside it has its old bytes or its new ones, and
// whether the rollback is still wanted only its VM's administrator knows.
Status LeftOvers::RemoveCopy(const std::string& object, const Deadline& deadline) {
  auto& gate = session_->gate;
  const auto blank = std::min(object.find(' '), object.size() - 1);
  TRY(const auto name, VolumeName::Parse(object.substr(blank + 1)));
  TRY(const auto disk, gate.FindDisk(name, deadline));
  if (!disk) return {};
  for (const auto& copy : disk->copies) {
    if (copy->uuid.Text() == object.substr(0, blank)) return gate.RemoveCopy(copy, deadline);
  }
  return {};
}

Status LeftOvers::RemoveParked(const std::string& flexvol, const Deadline& deadline) {
  auto& gate = session_->gate;
  TRY(const auto found, gate.ListMarked(flexvol, deadline));
  for (const auto& [volume, ns, is_ambiguous, copies] : found) {
    if (flexvol != gate.names().Parked(volume->flexvol.uuid) || is_ambiguous) continue;
    // Parking may have been taken for a failure, and the disk have been mapped again.
    if (ns && (*ns)->subsystem_uuid) {
      TRY_STATUS(gate.Unmap(*ns, *(*ns)->subsystem_uuid, deadline));
    }
    auto deleted = gate.Delete(volume, session_->config.is_force_delete, deadline);
    if (deleted.ok()) continue;
    // Busy is what it waits for. With the protection still on, new locks would follow the old ones.
    const auto is_locked = gate.HasLockedSnapshot(volume, deadline);
    if (is_locked.ok() && *is_locked) {
      (void)gate.SetRansomwareProtection(volume, false, deadline);
    }
    return deleted;
  }
  return {};
}

Status LeftOvers::Regroup(std::uint64_t vmid, const Deadline& deadline) {
  auto& gate = session_->gate;
  TRY(const auto found, gate.ListDisks(vmid, deadline));
  std::vector<Volume> siblings;
  for (const auto& one : found) siblings.push_back(VolumeOf(one.volume));
  for (const auto& one : found) {
    const bool is_outside =
        !one.volume->flexvol.group && one.volume->name.IsGroupMember() && !IsBegun(one.volume);
    // One joins, and the others that are outside with it.
    if (is_outside && one.ns) return session_->groups.Join(vmid, {one.volume}, siblings, deadline);
  }
  return {};
}

}  // namespace ontapnvme::catalogue::flexvol
