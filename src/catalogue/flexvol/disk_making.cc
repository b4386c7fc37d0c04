// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/flexvol/disk_making.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "catalogue/flexvol/facts/disk_spec.h"
#include "catalogue/flexvol/records/disk_records.h"
#include "catalogue/flexvol/renaming.h"
#include "catalogue/flexvol/snapshots.h"
#include "catalogue/refusals.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

// The array answers when it has begun. Should it answer when it is done, that is not waited for.
constexpr Duration kSplitBudget{5000};

const Volume* FindAmong(const Neighbours& neighbours, const VolumeName& name) {
  const auto found = std::find_if(neighbours.ours.begin(), neighbours.ours.end(),
                                  [&](const auto& one) { return one.name == name; });
  return found == neighbours.ours.end() ? nullptr : &*found;
}

}  // namespace

Result<Disk> DiskMaking::Make(const VolumeName& name, ByteCount size, const Neighbours& neighbours,
                              const Deadline& deadline) {
  auto& gate = session_->gate;
  TRY(const auto facts, session_->facts.Read(deadline));
  TRY(auto flexvol, gate.names().FlexVol(name));
  const auto spec = MakeFlexVolSpec(session_->config, facts, std::move(flexvol), size);
  const Mark mark = gate.marker().New(name.vmid, NewOperationId());
  const auto first = [&](UndoSteps& undo, const Deadline& working) -> Result<Made> {
    Refused refused;
    TRY(auto volume, CreateVolume(spec, mark, refused, undo, working));
    TRY(auto ns, gate.CreateNamespace(volume, size, mark, working));
    WarnOfSize(name, size, ns->size);
    return Made{name, std::move(volume), std::move(ns), std::move(refused)};
  };
  return All(name, neighbours, first, deadline);
}

Result<Disk> DiskMaking::Clone(const CloneSource& source, const VolumeName& name,
                               const Neighbours& neighbours, const Deadline& deadline) {
  auto& gate = session_->gate;
  // The form of the requests depends on the release.
  if (const auto facts = session_->facts.Read(deadline); !facts.ok()) return facts.error();
  const auto* parent = FindAmong(neighbours, source.volume);
  if (parent == nullptr) return VolumeNotFound(session_->config, source.volume);
  Mark mark = gate.marker().New(name.vmid, NewOperationId());
  mark.base_name = name.base_name;
  const auto first = [&](UndoSteps& undo, const Deadline& working) {
    return source.snapshot
               ? MakeClone(*parent, ArraySnapshotName(*source.snapshot), name, mark, undo, working)
               : MakeCloneOfBase(*parent, name, mark, undo, working);
  };
  return All(name, neighbours, first, deadline);
}

Result<DiskMaking::Made> DiskMaking::MakeCloneOfBase(const Volume& source, const VolumeName& name,
                                                     const Mark& mark, UndoSteps& undo,
                                                     const Deadline& deadline) {
  const ArraySnapshotName recorded(source.mark.mark.BaseSnapshot());
  const auto add_snapshot = [&] {
    return Renaming(*session_).AddBaseSnapshot(source.name, deadline);
  };
  // One that is a clone itself may show its own base image's snapshot of that name.
  const bool is_doubtful = source.is_clone && source.mark.mark.base_snapshot.empty();
  if (is_doubtful) {
    TRY(const auto added, add_snapshot());
    return MakeClone(source, added.value_or(recorded), name, mark, undo, deadline);
  }
  auto made = MakeClone(source, recorded, name, mark, undo, deadline);
  if (made.ok() || !MayLackSnapshot(made.error())) return made;
  TRY(const auto added, add_snapshot());
  return added ? MakeClone(source, *added, name, mark, undo, deadline) : std::move(made);
}

Result<DiskMaking::Made> DiskMaking::MakeClone(const Volume& source,
                                               const ArraySnapshotName& snapshot,
                                               const VolumeName& name, const Mark& mark,
                                               UndoSteps& undo, const Deadline& deadline) {
  auto& gate = session_->gate;
  TRY(const auto parent, gate.Readmit(source, deadline));
  ontap::FlexCloneSpec spec;
  TRY(spec.name, gate.names().FlexVol(name));
  spec.parent_snapshot = snapshot.Text();
  auto volume = gate.Clone(parent, spec, mark, undo, deadline);
  if (FailedWith(volume, ErrorCode::kNotFound)) {
    volume.error().AddFact("array_snapshot", snapshot.Text());
  }
  if (!volume.ok()) return std::move(volume).error();
  TRY(auto ns, gate.AwaitNamespaceIn(*volume, deadline));
  TRY(auto refused, MakeLikeNew(*volume, source.container_size, deadline));
  return Made{name, std::move(*volume), std::move(ns), std::move(refused)};
}

Result<Disk> DiskMaking::All(const VolumeName& name, const Neighbours& neighbours,
                             const FirstSteps& first, const Deadline& deadline) {
  const Deadline working = deadline.Reserve(kUndoBudget);
  UndoSteps undo;
  auto made = first(undo, working);
  if (!made.ok()) return undo.Run(std::move(made).error(), deadline);
  auto finished = Finish({*made}, neighbours, undo, working);
  if (!finished.ok()) return undo.Run(std::move(finished).error(), deadline);
  auto disk = Finished(std::move(*made), "volume '" + name.Text() + "' was made", deadline);
  if (const auto wanted = StillWanted(working); !wanted.ok()) {
    return undo.Run(wanted.error(), deadline);
  }
  return disk;
}

Disk DiskMaking::Finished(Made made, const std::string& what, const Deadline& deadline) {
  ApplyAutodelete(made, deadline);
  ApplyRansomwareProtection(made, deadline);
  WarnOfRefused(session_->log, what, made.refused);
  Disk disk{.volume = VolumeOf(made.volume), .ns = std::nullopt};
  disk.volume.name = made.name;
  disk.ns = NamespaceOf(made.ns, "volume '" + made.name.Text() + "'");
  disk.ns->mapping = Mapping::kHere;
  return disk;
}

Status DiskMaking::Finish(const std::vector<Made>& made, const Neighbours& neighbours,
                          UndoSteps& undo, const Deadline& deadline) {
  auto& gate = session_->gate;
  auto& groups = session_->groups;
  TRY(const auto facts, session_->facts.Read(deadline));
  std::vector<OwnedVolume> members;
  for (const auto& one : made) {
    undo.Add("map of " + one.volume->flexvol.name,
             [&gate, ns = one.ns, subsystem = facts.subsystem_uuid](const Deadline& grace) {
               return gate.Unmap(ns, subsystem, grace);
             });
    TRY_STATUS(gate.Map(one.ns, deadline));
    if (one.name.IsGroupMember()) members.push_back(one.volume);
  }
  if (members.empty()) return {};
  const auto vmid = made.front().name.vmid;
  for (const auto& one : made) {
    if (!one.name.IsGroupMember()) continue;
    undo.Add("group of VM " + std::to_string(vmid),
             [&gate, &groups, name = one.name](const Deadline& grace) -> Status {
               TRY(const auto joined, gate.FindVolume(name, grace));
               return joined ? groups.Leave(name.vmid, *joined, grace) : Status();
             });
  }
  return groups.JoinOrWarn(vmid, members, neighbours.ours, deadline);
}

// Not mapped before all of them are there, and marked as whole: until then nobody can have used one,
// so that what a killed process leaves may go. The first that is marked so decides for all.
Result<std::vector<Disk>> DiskMaking::CloneFully(const std::vector<FullCloneOf>& clones,
                                                 const std::optional<SnapshotName>& snapshot,
                                                 const Neighbours& neighbours,
                                                 const Deadline& deadline) {
  auto& gate = session_->gate;
  if (const auto facts = session_->facts.Read(deadline); !facts.ok()) return facts.error();
  const Deadline working = deadline.Reserve(kUndoBudget);
  Mark mark = gate.marker().New(clones.front().name.vmid, NewOperationId());
  mark.full_clone = FullClone::kBegun;
  const auto from = snapshot
                        ? ArraySnapshotName(*snapshot)
                        : ArraySnapshotName(std::string(kCloneSnapshotStem) + mark.operation_id);
  UndoSteps undo;
  const auto make = [&]() -> Result<std::vector<Made>> {
    if (!snapshot) TRY_STATUS(TakeSnapshot(clones, from, undo, working));
    std::vector<Made> made;
    for (const auto& [source, name] : clones) {
      const auto* parent = FindAmong(neighbours, source);
      if (parent == nullptr) return VolumeNotFound(session_->config, source);
      TRY(auto one, source.is_base ? MakeCloneOfBase(*parent, name, mark, undo, working)
                                   : MakeClone(*parent, from, name, mark, undo, working));
      made.push_back(std::move(one));
    }
    const Mark begun = mark;
    mark.full_clone = FullClone::kWhole;
    for (auto& one : made) {
      // So that what undoing cannot delete is removed later. No step of its own that may fail: without
      // it such a clone stays a disk.
      undo.Add("mark of " + one.volume->flexvol.name,
               [&gate, volume = one.volume, begun](const Deadline& grace) -> Status {
                 (void)gate.SetMark(volume, begun, grace);
                 return {};
               });
      TRY(one.volume, gate.SetMark(one.volume, mark, working));
    }
    TRY_STATUS(Finish(made, neighbours, undo, working));
    return made;
  };
  auto made = make();
  if (!made.ok()) return undo.Run(std::move(made).error(), deadline);
  std::vector<Disk> disks;
  for (const auto& one : *made) {
    disks.push_back(Finished(one, "volume '" + one.name.Text() + "' was made", deadline));
  }
  if (const auto wanted = StillWanted(working); !wanted.ok()) {
    return undo.Run(wanted.error(), deadline);
  }
  for (const auto& one : *made) StartSplit(one.volume, deadline);
  return disks;
}

Status DiskMaking::TakeSnapshot(const std::vector<FullCloneOf>& clones,
                                const ArraySnapshotName& snapshot, UndoSteps& undo,
                                const Deadline& deadline) {
  Coverage covered;
  for (const auto& clone : clones) {
    const VolumeName& source = clone.source;
    if (source.is_base || covered.contains(source)) continue;
    undo.Add("snapshot " + snapshot.Text() + " of volume " + source.Text(),
             [this, source, snapshot](const Deadline& grace) -> Status {
               const auto deleted = Snapshots(*session_).Delete(source, snapshot, grace);
               return deleted.ok() ? Status() : Status(deleted.error());
             });
    TRY(const auto taken, Snapshots(*session_).Take(source, snapshot, NewOperationId(), deadline));
    covered.insert(taken.begin(), taken.end());
  }
  return {};
}

void DiskMaking::StartSplit(const OwnedVolume& clone, const Deadline& deadline) {
  const auto begun = session_->gate.StartSplit(clone, deadline.Within(kSplitBudget));
  if (!begun.ok()) session_->log.Debug(begun.error().Line());
}

void DiskMaking::ApplyRansomwareProtection(Made& made, const Deadline& deadline) {
  const auto wanted = session_->config.ransomware_protection;
  if (wanted == RansomwareSetting::kArray) return;
  const bool is_on = wanted == RansomwareSetting::kOn;
  auto set = session_->gate.SetRansomwareProtection(made.volume, is_on, deadline);
  if (set.ok()) return;
  made.refused.push_back({.name = "ransomware_protection", .why = std::move(set).error()});
}

// An array that does not take all of it at once says nothing about the volume: it is tried again with
// what a disk cannot do without, and the rest is set on it.
Result<OwnedVolume> DiskMaking::CreateVolume(ontap::FlexVolSpec spec, const Mark& mark,
                                             Refused& refused, UndoSteps& undo,
                                             const Deadline& deadline) {
  auto& gate = session_->gate;
  ontap::FlexVolSettings rest;
  auto volume = gate.Create(spec, mark, undo, deadline);
  if (!volume.ok() && volume.error().origin().refusal == Refusal::kAboveLimit) {
    rest.autosize = std::exchange(spec.autosize, std::nullopt);
    volume = gate.Create(spec, mark, undo, deadline);
  }
  if (!volume.ok() && ontap::IsNotTaken(volume.error())) {
    const auto autosize = rest.autosize;
    rest = RestOf(spec);
    if (autosize) rest.autosize = autosize;
    volume = gate.Create(CoreOf(spec), mark, undo, deadline);
  }
  if (!volume.ok()) return volume;
  TRY(refused, gate.ApplySettings(*volume, rest, deadline));
  return volume;
}

// What a clone takes over from its parent is not stated, and the parent may have been made with other
// settings: what is in force is read, and the rest set one by one.
Result<DiskMaking::Refused> DiskMaking::MakeLikeNew(const OwnedVolume& clone, ByteCount parent_size,
                                                    const Deadline& deadline) {
  auto& gate = session_->gate;
  const auto& config = session_->config;
  auto wanted = MakeCloneSettings(config, parent_size);
  const auto state = gate.ReadState(clone, deadline);
  if (!state.ok() && !ontap::IsNotTaken(state.error())) return state.error();
  if (state.ok() && *state) {
    wanted = ontap::Missing(std::move(wanted), (*state)->settings);
    if (config.encryption == EncryptionSetting::kOn && (*state)->is_encrypted == false) {
      return Error(ErrorCode::kUnsupported, "a linked clone of this disk is not encrypted")
          .Because("it shares the blocks of a FlexVol that is not")
          .Try("encrypt that FlexVol on the array, make a full clone, or unset 'encryption'");
    }
  }
  TRY(auto refused, gate.ApplySettings(clone, wanted, deadline));
  const bool is_told = state.ok() && *state && (*state)->is_encrypted;
  if (config.encryption == EncryptionSetting::kOn && !is_told) {
    refused.push_back(
        {.name = "encryption",
         .why = Error(ErrorCode::kUnavailable,
                      "the array does not tell whether the clone is encrypted; look at "
                      "'volume show -fields encrypt' on the array")});
  }
  for (const auto& one : refused) {
    if (one.name != std::string("space_reserve") || !config.is_thick) continue;
    return Error(ErrorCode::kUnsupported, "the array does not reserve the space of a linked clone")
        .Because(one.why.Plain())
        .Try("make a full clone, or unset 'space_reserve'")
        .From(one.why.origin());
  }
  return refused;
}

// A larger device is no harm to the disks that are that small, but where sizes must be equal it is.
void DiskMaking::WarnOfSize(const VolumeName& name, ByteCount asked, ByteCount made) {
  if (asked == made) return;
  session_->log.Warning(
      "volume '" + name.Text() + "' has " + std::to_string(made.bytes()) + " bytes in place of " +
      std::to_string(asked.bytes()) +
      ": the array makes no smaller one; a move that needs equal sizes may refuse "
      "it");
}

void DiskMaking::ApplyAutodelete(Made& made, const Deadline& deadline) {
  const auto& config = session_->config;
  if (!config.is_snapshot_autodelete_on) return;
  auto applied =
      session_->gate.ApplySettings(made.volume, MakeAutodeleteSettings(config), deadline);
  if (!applied.ok()) {
    made.refused.push_back({.name = "snapshot_autodelete", .why = std::move(applied).error()});
    return;
  }
  for (auto& one : *applied) made.refused.push_back(std::move(one));
}

}  // namespace ontapnvme::catalogue::flexvol
