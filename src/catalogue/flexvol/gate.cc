// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/flexvol/gate.h"

#include <algorithm>

#include "base/text.h"
#include "catalogue/flexvol/names/copy_name.h"
#include "catalogue/flexvol/qualify/scratch_name.h"
#include "ontap/rest_client.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

Error Ambiguous(const VolumeName& name, const std::string& flexvol) {
  return Error(ErrorCode::kConflict, "volume '" + name.Text() + "' is not a disk of this storage")
      .Because("FlexVol '" + flexvol + "' holds several namespaces")
      .Try("remove the namespaces that do not belong there, or rename the FlexVol");
}

}  // namespace

// The names under which a volume may be stored, the present one first.
struct Gate::StoredNames {
  std::string present;
  std::optional<std::string> legacy;

  std::string Pattern() const { return legacy ? present + "|" + *legacy : present; }

  // Picks the one that is the volume's: the present name unless it is another owner's, else the
  // former name if it is unmarked. (A marked object of that name is another volume of ours: its
  // name says so.)
  template <typename T, typename NameOf, typename CommentOf>
  std::optional<T> Pick(const Marker& marker, std::vector<T> found, NameOf name_of,
                        CommentOf comment_of) const {
    for (auto& one : found) {
      const bool is_ours = marker.Read(comment_of(one)).owner != Owner::kForeign;
      if (name_of(one) == present && is_ours) return std::move(one);
    }
    for (auto& one : found) {
      const bool is_legacy = legacy && name_of(one) == *legacy &&
                             marker.Read(comment_of(one)).owner == Owner::kUnmarked;
      if (is_legacy) return std::move(one);
    }
    return std::nullopt;
  }
};

// Which of the volumes have a group with others of them.
template <typename Volumes, typename GroupOf>
std::set<Uuid> SharedGroups(const Volumes& volumes, GroupOf group_of) {
  std::set<Uuid> seen;
  std::set<Uuid> shared;
  for (const auto& one : volumes) {
    const auto& group = group_of(one);
    if (group && !seen.insert(group->uuid).second) shared.insert(group->uuid);
  }
  return shared;
}

Gate::Gate(ontap::RestClient& rest, const StorageConfig& config, Marker marker)
    : prefix_(config.prefix),
      names_(config.prefix),
      marker_(std::move(marker)),
      svm_(config.svm),
      subsystem_(config.subsystem),
      rest_(&rest),
      volumes_(rest, config.svm),
      queue_(rest, config.svm),
      namespaces_(rest, config.svm),
      subsystems_(rest, config.svm),
      snapshots_(rest, config.svm) {}

Result<Gate::StoredNames> Gate::NamesOf(const VolumeName& name) const {
  TRY(auto present, names_.FlexVol(name));
  return StoredNames{std::move(present), names_.LegacyFlexVol(name)};
}

OwnedVolume Gate::Admit(ontap::FlexVol flexvol, VolumeName name) const {
  VolumeRecord record{.flexvol = std::move(flexvol), .name = std::move(name)};
  record.mark = marker_.Read(record.flexvol.comment);
  if (record.mark.owner == Owner::kOurs) record.name.base_name = record.mark.mark.base_name;
  // Older installations did not write it down, and release 2.0.0 not when it marked their clones.
  const bool is_full = record.mark.mark.full_clone != FullClone::kNo;
  if (!is_full && record.name.base_name.empty() &&
      record.flexvol.parent_snapshot_name == kBaseSnapshot) {
    const auto parent = names_.VolumeOf(record.flexvol.parent_volume_name);
    if (parent) record.name.base_name = parent->LeafText();
  }
  return OwnedVolume(std::move(record));
}

OwnedDisk Gate::Admit(ontap::DiskObjects objects, VolumeName name) const {
  OwnedDisk disk{.volume = Admit(std::move(objects.volume), std::move(name)), .ns = std::nullopt};
  for (auto& one : objects.namespaces) {
    if (IsCopy(one)) {
      disk.copies.push_back(OwnedNamespace(std::move(one)));
      continue;
    }
    disk.is_ambiguous = disk.ns.has_value();
    if (!disk.ns) disk.ns = OwnedNamespace(std::move(one));
  }
  return disk;
}

// ---- looking

Result<std::optional<OwnedDisk>> Gate::FindDisk(const VolumeName& name, const Deadline& deadline) {
  TRY(const auto names, NamesOf(name));
  TRY(auto found, ontap::ReadDiskObjects(*rest_, svm_, names.Pattern(), deadline,
                                         {.also_volumes = names_.PatternOfVm(name.vmid)}));
  const auto shared = SharedGroups(
      found, [](const auto& one) -> const auto& { return one.volume.group; });
  auto picked = names.Pick(
      marker_, std::move(found), [](const auto& one) { return one.volume.name; },
      [](const auto& one) { return one.volume.comment; });
  if (!picked) return std::optional<OwnedDisk>();
  auto disk = Admit(std::move(*picked), name);
  if (disk.is_ambiguous) return Ambiguous(name, disk.volume->flexvol.name);
  const auto& group = disk.volume->flexvol.group;
  disk.volume.record_.is_group_shared = group && shared.contains(group->uuid);
  return std::optional(std::move(disk));
}

Result<std::optional<OwnedNamespace>> Gate::FindNamespace(const VolumeName& name,
                                                          const Deadline& deadline) {
  TRY(const auto names, NamesOf(name));
  TRY(auto found, namespaces_.List(names.Pattern(), deadline));
  std::erase_if(found, IsCopy);
  for (auto one = found.begin(); one != found.end(); ++one) {
    const bool is_twice = std::any_of(std::next(one), found.end(), [&](const auto& other) {
      return other.volume_name == one->volume_name;
    });
    if (is_twice) return Ambiguous(name, one->volume_name);
  }
  std::optional<ontap::NvmeNamespace> named;
  for (const auto& one : found) {
    if (one.volume_name == names.present) named = one;
  }
  auto picked = names.Pick(
      marker_, std::move(found), [](const auto& one) { return one.volume_name; },
      [](const auto& one) { return one.comment; });
  if (!picked && named) {
    // A rollback may have given it the comment of a former owner back. The mark is the volume's.
    TRY(const auto volume, FindVolume(name, deadline));
    if (volume && (*volume)->flexvol.uuid == named->volume_uuid) picked = std::move(named);
  }
  if (!picked) return std::optional<OwnedNamespace>();
  // Whether a former name counts is for the mark of the volume to say: namespaces keep theirs.
  if (picked->volume_name != names.present) {
    TRY(const auto volume, FindVolume(name, deadline));
    if (!volume) return std::optional<OwnedNamespace>();
  }
  return std::optional(OwnedNamespace(std::move(*picked)));
}

Result<std::optional<OwnedVolume>> Gate::FindVolume(const VolumeName& name,
                                                    const Deadline& deadline) {
  TRY(const auto names, NamesOf(name));
  TRY(auto found, volumes_.List(names.Pattern(), deadline));
  auto picked = names.Pick(
      marker_, std::move(found), [](const auto& one) { return one.name; },
      [](const auto& one) { return one.comment; });
  if (!picked) return std::optional<OwnedVolume>();
  return std::optional(Admit(std::move(*picked), name));
}

Result<std::optional<Gate::ForeignOwner>> Gate::FindForeignOwner(const VolumeName& name,
                                                                 const Deadline& deadline) {
  TRY(const auto flexvol, names_.FlexVol(name));
  TRY(const auto found, volumes_.Find(flexvol, deadline));
  if (!found) return std::optional<ForeignOwner>();
  const auto reading = marker_.Read(found->comment);
  if (reading.owner != Owner::kForeign) return std::optional<ForeignOwner>();
  return std::optional(ForeignOwner{.flexvol = flexvol, .cluster_id = reading.foreign_cluster_id});
}

Result<std::vector<OwnedDisk>> Gate::ListDisks(std::optional<std::uint64_t> vmid,
                                               const Deadline& deadline) {
  const std::string pattern = vmid ? names_.PatternOfVm(*vmid) : names_.Pattern();
  TRY(auto found, ontap::ReadDiskObjects(*rest_, svm_, pattern, deadline,
                                         {.maps = ontap::NamespaceMaps::kSkip}));
  return Sort(std::move(found)).disks;
}

Result<std::set<Uuid>> Gate::ListVolumesWithNamespace(std::uint64_t vmid,
                                                      const Deadline& deadline) {
  TRY(const auto found,
      namespaces_.List(names_.PatternOfVm(vmid), deadline, ontap::NamespaceMaps::kSkip));
  std::set<Uuid> volumes;
  for (const auto& one : found) {
    if (!IsCopy(one)) volumes.insert(one.volume_uuid);
  }
  return volumes;
}

Result<std::vector<OwnedVolume>> Gate::ListAllVolumes(const Deadline& deadline) {
  TRY(auto found, volumes_.List(names_.Pattern(), deadline));
  std::vector<OwnedVolume> volumes;
  for (auto& one : found) {
    auto name = names_.VolumeOf(one.name);
    if (!name || marker_.Read(one.comment).owner == Owner::kForeign) continue;
    volumes.push_back(Admit(std::move(one), std::move(*name)));
  }
  return volumes;
}

Result<std::vector<Gate::VolumeHealth>> Gate::ListHealth(const Deadline& deadline) {
  TRY(auto found, volumes_.ListHealth(names_.Pattern(), deadline));
  std::vector<VolumeHealth> volumes;
  for (auto& one : found) {
    auto name = names_.VolumeOf(one.name);
    if (!name || marker_.Read(one.comment).owner == Owner::kForeign) continue;
    volumes.push_back({.name = std::move(*name), .health = std::move(one)});
  }
  return volumes;
}

Result<DisksAndParked> Gate::ListWithParked(const Deadline& deadline) {
  const std::string pattern =
      names_.Pattern() + "|" + names_.ParkedPattern() + "|" + ScratchName::Pattern(prefix_);
  TRY(auto found, ontap::ReadDiskObjects(*rest_, svm_, pattern, deadline));
  return Sort(std::move(found));
}

DisksAndParked Gate::Sort(std::vector<ontap::DiskObjects> found) const {
  DisksAndParked sorted;
  for (auto& one : found) {
    const auto owner = marker_.Read(one.volume.comment).owner;
    auto name = names_.VolumeOf(one.volume.name);
    if (name && owner != Owner::kForeign) {
      sorted.disks.push_back(Admit(std::move(one), std::move(*name)));
    } else if (one.volume.name == names_.Parked(one.volume.uuid) && owner == Owner::kOurs) {
      sorted.parked.push_back(Admit(std::move(one), VolumeName()));
    } else if (const auto scratch = ScratchName::Parse(prefix_, one.volume.name);
               scratch && scratch->IsMarkedBy(marker_, one.volume.comment)) {
      sorted.scratch.push_back(Admit(std::move(one), VolumeName()));
    } else if (auto was = ReturningAs(one.volume)) {
      sorted.returning.push_back(Admit(std::move(one), std::move(*was)));
    }
  }
  return sorted;
}

Result<VmVolumes> Gate::ListVolumes(const std::set<std::uint64_t>& vmids,
                                    const std::optional<VolumeName>& also, Listed listed,
                                    const Deadline& deadline) {
  std::string pattern;
  for (const auto vmid : vmids) pattern += (pattern.empty() ? "" : "|") + names_.PatternOfVm(vmid);
  std::optional<StoredNames> stored;
  if (also) {
    TRY(stored, NamesOf(*also));
    pattern += (pattern.empty() ? "" : "|") + stored->Pattern();
  }
  const bool is_whole = listed == Listed::kWholeSvm;
  if (!is_whole && pattern.empty()) return VmVolumes();
  const auto parents = also ? ontap::CloneParents::kRead : ontap::CloneParents::kSkip;
  TRY(auto found, volumes_.List(is_whole ? "*" : pattern, deadline, parents));
  const auto shared = SharedGroups(
      found, [](const auto& one) -> const auto& { return one.group; });
  VmVolumes volumes;
  if (is_whole) volumes.used_on_svm = ByteCount{};
  for (auto& one : found) {
    if (is_whole) {
      volumes.used_on_svm = ByteCount{volumes.used_on_svm->bytes() + one.used.bytes()};
    }
    auto name = names_.VolumeOf(one.name);
    const auto owner = marker_.Read(one.comment).owner;
    const bool is_also = stored && (one.name == stored->present ||
                                    (one.name == stored->legacy && owner == Owner::kUnmarked));
    if (is_also) name = *also;
    if (!name || !(is_also || vmids.contains(name->vmid))) continue;
    if (owner == Owner::kForeign) {
      volumes.foreign.push_back({.name = std::move(*name), .container_name = std::move(one.name)});
    } else {
      volumes.ours.push_back(Admit(std::move(one), std::move(*name)));
      auto& record = volumes.ours.back().record_;
      const auto& group = record.flexvol.group;
      record.is_group_shared = group && shared.contains(group->uuid);
    }
  }
  return volumes;
}

Result<std::vector<OwnedDisk>> Gate::ListMarked(const std::string& pattern,
                                                const Deadline& deadline) {
  TRY(auto found, ontap::ReadDiskObjects(*rest_, svm_, pattern, deadline));
  std::vector<OwnedDisk> disks;
  for (auto& one : found) {
    if (marker_.Read(one.volume.comment).owner != Owner::kOurs) continue;
    disks.push_back(Admit(std::move(one), VolumeName()));
  }
  return disks;
}

Result<DeviceAndParent> Gate::FindDevice(const std::string& device, const std::string& parent,
                                         const Deadline& deadline) {
  TRY(auto found, ontap::ReadDiskObjects(*rest_, svm_, device + "|" + parent, deadline));
  DeviceAndParent both;
  for (auto& one : found) {
    const auto owner = marker_.Read(one.volume.comment).owner;
    if (one.volume.name == parent && owner != Owner::kForeign) {
      both.parent = Admit(std::move(one.volume));
    } else if (one.volume.name == device && owner == Owner::kOurs) {
      both.device = Admit(std::move(one), VolumeName());
    }
  }
  return both;
}

Result<std::vector<OwnedVolume>> Gate::ListFullClones(const std::set<std::uint64_t>& vmids,
                                                      const Deadline& deadline) {
  std::string pattern;
  for (const auto vmid : vmids) AppendTo(pattern, "|", names_.PatternOfVm(vmid));
  TRY(auto found, volumes_.List(pattern, deadline, ontap::CloneParents::kReadWithSplits));
  std::vector<OwnedVolume> clones;
  for (auto& one : found) {
    auto name = names_.VolumeOf(one.name);
    if (!name || !vmids.contains(name->vmid)) continue;
    auto volume = Admit(std::move(one), std::move(*name));
    const bool is_ours = volume->mark.owner == Owner::kOurs;
    if (is_ours && volume->mark.mark.full_clone == FullClone::kWhole) {
      clones.push_back(std::move(volume));
    }
  }
  return clones;
}

Result<ByteCount> Gate::UsedOnSvm(const Deadline& deadline) {
  TRY(const auto found, volumes_.List("*", deadline));
  std::uint64_t used_bytes = 0;
  for (const auto& one : found) used_bytes += one.used.bytes();
  return ByteCount{used_bytes};
}

Result<std::vector<CloneName>> Gate::ListClones(const OwnedVolume& volume,
                                                const Deadline& deadline) {
  TRY(const auto found, volumes_.ListClones(volume->flexvol.name, deadline));
  std::vector<CloneName> clones;
  for (const auto& one : found) {
    const auto reading = marker_.Read(one.comment);
    const auto name = names_.VolumeOf(one.name);
    std::string text = "FlexVol " + CleanText(one.name);
    if (name && reading.owner != Owner::kForeign) text = name->LeafText();
    const bool is_full =
        reading.owner == Owner::kOurs && reading.mark.full_clone == FullClone::kWhole;
    if (is_full && one.split_percent) {
      text += " (" + std::to_string(*one.split_percent) + " % copied)";
    }
    if (!reading.mark.shown_volume.empty()) {
      text = CleanText(reading.mark.shown_volume + "@" + reading.mark.shown_snapshot + " on " +
                       reading.mark.shown_to);
    }
    clones.push_back(
        {.text = std::move(text), .parent_snapshot = one.parent_snapshot_name, .is_full = is_full});
  }
  return clones;
}

}  // namespace ontapnvme::catalogue::flexvol
