// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/disk_making.h"

#include <algorithm>

#include "catalogue/undo_steps.h"
#include "pve/volume_names.h"

namespace ontapnvme::pve {
namespace {

// svm_capacity is what the SVM may hold, as agreed with its owner: the array does not know of it.
Status RequireRoom(const StorageConfig& config, const catalogue::Neighbours& neighbours,
                   ByteCount wanted) {
  if (!config.svm_capacity || !neighbours.used_on_svm) return {};
  const std::uint64_t used_bytes = neighbours.used_on_svm->bytes();
  const std::uint64_t limit_bytes = config.svm_capacity->bytes();
  if (used_bytes < limit_bytes && wanted.bytes() <= limit_bytes - used_bytes) return {};
  return Error(ErrorCode::kNoSpace, "cannot allocate a disk of that size")
      .Because("it does not fit into svm_capacity")
      .With("asked_bytes", std::to_string(wanted.bytes()))
      .With("used_bytes", std::to_string(used_bytes))
      .With("svm_capacity_bytes", std::to_string(limit_bytes))
      .Try("free space on the SVM, or raise svm_capacity if the SVM may hold more");
}

}  // namespace

Result<std::string> DiskMaking::Allocate(std::uint64_t vmid, const std::string& requested_name,
                                         std::uint64_t size_kib, const Deadline& deadline) {
  TRY(const ByteCount asked, FromKiB(size_kib));
  if (asked.bytes() == 0 || asked > catalogue::kDiskSizeMax) {
    return Error(ErrorCode::kInvalidArgument, "cannot allocate a disk of that size")
        .With("size_kib", std::to_string(size_kib))
        .Try("use 1 KiB to 128 TiB");
  }
  const ByteCount size = asked.RoundUp(catalogue::kBlockBytes);
  const auto once = [&] { return AllocateOnce(vmid, requested_name, size, deadline); };
  return requested_name.empty() ? WithChosenName(once) : once();
}

Result<std::string> DiskMaking::AllocateOnce(std::uint64_t vmid, const std::string& requested_name,
                                             ByteCount size, const Deadline& deadline) {
  TRY(const auto neighbours, disks_.ListNeighbours({vmid}, std::nullopt, deadline));
  TRY_STATUS(RequireRoom(config_, neighbours, size));
  TRY(const auto name, ChooseName(config_, vmid, requested_name, neighbours));
  const auto disk = disks_.Make(name, size, neighbours, deadline);
  if (!disk.ok()) return disk.error().Wrap("cannot allocate volume '" + name.Text() + "'");
  return Known(name, *disk, deadline);
}

Result<std::string> DiskMaking::Clone(const VolumeName& source,
                                      const std::optional<SnapshotName>& snapshot,
                                      std::uint64_t vmid, const Deadline& deadline) {
  if (!snapshot && !source.is_base) {
    return Error(ErrorCode::kInvalidArgument, "cannot clone volume '" + source.Text() + "'")
        .Because("it is not a base image, and no snapshot of it is given")
        .Try("convert its VM to a template, or clone from a snapshot");
  }
  const catalogue::CloneSource from{.volume = source, .snapshot = snapshot};
  return WithChosenName([&] { return CloneOnce(from, vmid, deadline); });
}

Result<std::string> DiskMaking::CloneOnce(const catalogue::CloneSource& source, std::uint64_t vmid,
                                          const Deadline& deadline) {
  TRY(const auto neighbours, disks_.ListNeighbours({vmid}, source.volume, deadline));
  const bool is_there =
      std::any_of(neighbours.ours.begin(), neighbours.ours.end(),
                  [&](const auto& volume) { return volume.name == source.volume; });
  if (!is_there) return VolumeNotFound(config_, source.volume);
  TRY(auto name, ChooseName(config_, vmid, "", neighbours));
  if (!source.snapshot) name.base_name = source.volume.LeafText();
  const auto disk = disks_.Clone(source, name, neighbours, deadline);
  if (!disk.ok()) return disk.error().Wrap("cannot clone volume '" + source.volume.Text() + "'");
  return Known(name, *disk, deadline);
}

Result<std::vector<std::string>> DiskMaking::CloneVm(const std::vector<VolumeName>& sources,
                                                     const std::optional<SnapshotName>& snapshot,
                                                     std::uint64_t vmid, const Deadline& deadline) {
  const auto refused = [](const std::string& reason) {
    return Error(ErrorCode::kInvalidArgument, "cannot clone these volumes").Because(reason);
  };
  if (sources.empty()) return refused("none is given");
  for (const auto& source : sources) {
    if (source.vmid != sources.front().vmid) {
      return refused("they belong to several VMs").Try("clone one VM at a time");
    }
    if (std::count(sources.begin(), sources.end(), source) > 1) {
      return refused("'" + source.Text() + "' is given twice");
    }
  }
  if (sources.front().vmid == vmid) return refused("a VM cannot be cloned to itself");
  return WithChosenName([&] { return CloneVmOnce(sources, snapshot, vmid, deadline); });
}

Result<std::vector<std::string>> DiskMaking::CloneVmOnce(
    const std::vector<VolumeName>& sources, const std::optional<SnapshotName>& snapshot,
    std::uint64_t vmid, const Deadline& deadline) {
  const auto source_vmid = sources.front().vmid;
  TRY(const auto neighbours, disks_.ListNeighbours({source_vmid, vmid}, std::nullopt, deadline));
  std::vector<catalogue::FullCloneOf> clones;
  std::uint64_t copied_bytes = 0;
  auto taken = neighbours;
  for (const auto& source : sources) {
    const auto volume = std::find_if(neighbours.ours.begin(), neighbours.ours.end(),
                                     [&](const auto& one) { return one.name == source; });
    if (volume == neighbours.ours.end()) return VolumeNotFound(config_, source);
    copied_bytes += volume->used.bytes();
    const std::string wanted =
        source.IsCloudInit() ? "vm-" + std::to_string(vmid) + "-cloudinit" : "";
    TRY(auto name, ChooseName(config_, vmid, wanted, taken));
    taken.ours.push_back(*volume);
    taken.ours.back().name = name;
    clones.push_back({.source = volume->name, .name = std::move(name)});
  }
  TRY_STATUS(RequireRoom(config_, neighbours, ByteCount{copied_bytes}));
  const auto disks = disks_.CloneFully(clones, snapshot, neighbours, deadline);
  if (!disks.ok()) {
    return disks.error().Wrap("cannot clone the disks of VM " + std::to_string(source_vmid));
  }
  std::vector<std::string> names;
  for (std::size_t i = 0; i < clones.size(); ++i) {
    const auto& ns = (*disks)[i].ns;
    if (ns) node_.disks.Remember(clones[i].name, ns->uuid);
    names.push_back(clones[i].name.Text());
  }
  return names;
}

Result<std::vector<CopyInfo>> DiskMaking::CopyProgress(std::uint64_t vmid,
                                                       const Deadline& deadline) {
  TRY(const auto clones, disks_.ReadCopyProgress(vmid, deadline));
  std::vector<CopyInfo> infos;
  for (const auto& clone : clones) {
    infos.push_back(
        {.volume_name = clone.name.Text(), .has_begun = clone.has_begun, .percent = clone.percent});
  }
  return infos;
}

Result<AdoptionInfo> DiskMaking::ExamineForAdoption(const catalogue::AdoptionSource& source,
                                                    std::uint64_t vmid, const Deadline& deadline) {
  TRY(const auto neighbours, disks_.ListNeighbours({vmid}, std::nullopt, deadline));
  TRY(auto outlook, disks_.ExamineForAdoption(source, vmid, neighbours, deadline));
  return AdoptionInfo{.volume_name = outlook.disk ? outlook.disk->Text() : "",
                      .size = outlook.size,
                      .remarks = std::move(outlook.remarks)};
}

Result<std::string> DiskMaking::Adopt(const catalogue::AdoptionSource& source, std::uint64_t vmid,
                                      const Deadline& deadline) {
  return WithChosenName([&] { return AdoptOnce(source, vmid, deadline); });
}

// A task that was stopped meanwhile takes nothing back: it was there before.
Result<std::string> DiskMaking::AdoptOnce(const catalogue::AdoptionSource& source,
                                          std::uint64_t vmid, const Deadline& deadline) {
  TRY(const auto neighbours, disks_.ListNeighbours({vmid}, std::nullopt, deadline));
  TRY(const auto name, ChooseName(config_, vmid, "", neighbours));
  const auto disk = disks_.Adopt(source, name, neighbours, deadline);
  if (!disk.ok()) return disk.error();
  if (disk->ns) node_.disks.Remember(disk->volume.name, disk->ns->uuid);
  return disk->volume.name.Text();
}

Result<std::string> DiskMaking::Known(const VolumeName& name, const catalogue::Disk& disk,
                                      const Deadline& deadline) {
  if (disk.ns) node_.disks.Remember(name, disk.ns->uuid);
  const auto wanted = catalogue::StillWanted(deadline);
  if (wanted.ok()) return name.Text();
  catalogue::UndoSteps undo;
  undo.Add("volume " + name.Text(), [&](const Deadline& grace) -> Status {
    TRY_STATUS(node_.disks.Forget(name));
    // As it is by now: the group that it joined last goes with it.
    const auto made = disks_.Find(name, grace);
    if (made.is_unknown()) return made.reason();
    if (made.is_absent()) return {};
    if (made->ns) TRY_STATUS(disks_.Unmap(*made->ns, grace));
    const auto removed = disks_.Remove(made->volume, grace);
    return removed.ok() ? Status() : Status(removed.error());
  });
  return undo.Run(wanted.error().Wrap("cannot make volume '" + name.Text() + "'"), deadline);
}

}  // namespace ontapnvme::pve
