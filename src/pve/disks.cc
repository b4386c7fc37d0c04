// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/disks.h"

#include "base/text.h"
#include "pve/volume_names.h"

namespace ontapnvme::pve {
namespace {

using catalogue::Mapping;

// Longer than the kernel takes to notice (tens of milliseconds); the array's state does not depend
// on it.
constexpr Duration kGoneBudget{5000};
constexpr std::chrono::hours kWarnEvery{24};

DiskInfo Described(const catalogue::Volume& volume, const catalogue::DiskNamespace& ns) {
  const Mark& mark = volume.mark.mark;
  return {.volume_name = volume.name.Text(),
          .vmid = volume.name.vmid,
          .size = ns.size,
          .used = ns.used,
          .create_time_s = volume.create_time.time_since_epoch().count(),
          .parent = volume.name.base_name,
          .notes = mark.notes,
          .is_protected = mark.is_protected};
}

}  // namespace

Result<std::vector<DiskInfo>> Disks::List(std::optional<std::uint64_t> vmid,
                                          const Deadline& deadline) {
  TRY(const auto disks, disks_.List(vmid, deadline));
  std::vector<DiskInfo> infos;
  for (const auto& disk : disks) {
    if (disk.ns) infos.push_back(Described(disk.volume, *disk.ns));
  }
  WarnOfCeilings(disks, deadline);
  return infos;
}

void Disks::WarnOfCeilings(const std::vector<catalogue::Disk>& disks, const Deadline& deadline) {
  std::vector<std::string> names;
  for (const auto& disk : disks) {
    if (disk.is_near_ceiling) names.push_back(disk.volume.name.LeafText());
  }
  if (names.empty() || !node_.turns.Take("ceiling", kWarnEvery, deadline.clock())) return;
  log_.Warning(
      "volumes have used nine tenths of what autosize lets them grow to, and stop taking writes "
      "when all of it is used: " +
      Join(names, ", ") +
      "; delete snapshots, or let them grow further on the array with 'volume autosize': "
      "autosize_max_percent counts for what is made or resized from now on");
}

Result<DiskInfo> Disks::Info(const VolumeName& name, const Deadline& deadline) {
  TRY(const auto disk, disks_.Find(name, deadline).Require(VolumeNotFound(config_, name)));
  if (!disk.ns) return VolumeNotFound(config_, name);
  return Described(disk.volume, *disk.ns);
}

Result<std::vector<DeletedInfo>> Disks::ListDeleted(const Deadline& deadline) {
  TRY(const auto deleted, disks_.ListDeleted(deadline));
  const auto seconds = [](const auto& time) {
    return time ? std::int64_t{time->time_since_epoch().count()} : 0;
  };
  std::vector<DeletedInfo> all;
  for (const auto& one : deleted) {
    all.push_back({.volume_name = one.name.Text(),
                   .vmid = one.name.vmid,
                   .queued_as = one.queued_as,
                   .deleted_at_s = seconds(one.deleted_at),
                   .kept_until_s = seconds(one.kept_until)});
  }
  return all;
}

Result<std::string> Disks::Undelete(const VolumeName& name, const std::string& queued_as,
                                    const Deadline& deadline) {
  const std::string failure = "cannot bring back volume '" + name.LeafText() + "'";
  // A name that may be another disk's by now is not given away.
  const auto there = disks_.Find(name, deadline);
  if (there.is_unknown()) return there.reason().Wrap(failure);
  TRY(const auto neighbours, disks_.ListNeighbours({name.vmid}, std::nullopt, deadline));
  const auto back = disks_.Undelete(name, queued_as, there.is_present(), neighbours, deadline);
  if (!back.ok()) return back.error();
  if (back->ns) node_.disks.Remember(name, back->ns->uuid);
  return back->volume.name.Text();
}

Status Disks::StartMove(const VolumeName& name, const std::string& place,
                        const Deadline& deadline) {
  if (place.empty()) {
    return Error(ErrorCode::kInvalidArgument, "cannot move volume '" + name.Text() + "'")
        .Because("it is not said where to");
  }
  TRY(const auto disk, disks_.Find(name, deadline).Require(VolumeNotFound(config_, name)));
  return disks_.StartMove(disk.volume, place, deadline);
}

Result<PlaceInfo> Disks::WhereIs(const VolumeName& name, const Deadline& deadline) {
  TRY(const auto disk, disks_.Find(name, deadline).Require(VolumeNotFound(config_, name)));
  TRY(auto place, disks_.ReadPlace(disk.volume, deadline));
  return PlaceInfo{.place = std::move(place.place),
                   .destination = std::move(place.destination),
                   .percent = place.percent,
                   .state = std::move(place.state)};
}

Status Disks::RequireEmpty(const Deadline& deadline) {
  TRY(const auto disks, disks_.List(std::nullopt, deadline));
  if (disks.empty()) return {};
  return Error(ErrorCode::kBusy, "the storage still holds " + std::to_string(disks.size()) +
                                     (disks.size() == 1 ? " disk" : " disks"))
      .With("first", disks.front().volume.name.Text())
      .Try("move or remove its disks first ('pvesm list " + config_.storage_id + "' shows them)");
}

Status Disks::Free(const VolumeName& name, const Deadline& deadline) {
  const std::string failure = "cannot delete volume '" + name.Text() + "'";
  const auto disk = disks_.Find(name, deadline);
  if (disk.is_unknown()) return disk.reason().Wrap(failure);
  if (disk.is_absent()) {
    TRY_STATUS(node_.disks.Forget(name));
    log_.Warning("volume '" + name.Text() + "' does not exist on the array any more");
    return node_.links.Remove(node::LinkName(name));
  }
  TRY_STATUS(RequireFreeable(name, *disk, deadline));
  const Deadline working = deadline.Reserve(catalogue::kUndoBudget);
  if (disk->ns) TRY_STATUS(Detach(name, *disk->ns, working));
  const auto removed = Remove(disk->volume, working);
  if (removed.ok()) {
    if (*removed == catalogue::Removal::kDeferred) {
      log_.Info("volume '" + name.Text() +
                "' will be deleted when its deleted clones have left the array's recovery queue");
    }
    if (*removed == catalogue::Removal::kDeferredByCopy) {
      log_.Info("volume '" + name.Text() +
                "' will be deleted when the array has made its full clones independent of it");
    }
    if (*removed == catalogue::Removal::kDeferredByLock) {
      log_.Info(
          "volume '" + name.Text() +
          "' will be deleted when the snapshots have expired that the array's anti-ransomware "
          "protection has locked, in about 12 hours");
    }
    return {};
  }
  Error error = removed.error().Wrap(failure);
  // It may be gone: mapping it again would only fail.
  if (error.outcome_unknown() || !disk->ns) return error;
  const auto attached = AttachAgain(name, *disk->ns, deadline.Grace(catalogue::kUndoBudget));
  if (!attached.ok()) error.AddFact("left_unmapped", disk->volume.container_name);
  return error;
}

Status Disks::RequireFreeable(const VolumeName& name, const catalogue::Disk& disk,
                              const Deadline& deadline) {
  const std::string failure = "cannot delete volume '" + name.Text() + "'";
  if (disk.volume.mark.mark.is_protected) {
    return Error(ErrorCode::kBusy, failure)
        .Because("it is protected")
        .Try("remove the protection first");
  }
  if (name.is_base) {
    // Asked before anything is done: another node may be reading the base image at this moment.
    const auto unheld = disks_.RequireNoClones(disk.volume, deadline);
    if (!unheld.ok()) return unheld.error().Wrap(failure);
  }
  if (!disk.ns) return {};
  if (disk.ns->mapping == Mapping::kElsewhere) {
    // Its hosts are not this storage's, and what they have open cannot be seen.
    return Error(ErrorCode::kConflict, failure)
        .Because("it is mapped to another subsystem")
        .With("mapped_to", disk.ns->mapped_to)
        .Try("unmap it there first");
  }
  TRY(const auto wanted, devices_.Wanted(*disk.ns, deadline));
  return devices_.RequireUnused(failure, wanted, kScannerPatience, deadline);
}

Status Disks::Detach(const VolumeName& name, const catalogue::DiskNamespace& ns,
                     const Deadline& deadline) {
  TRY_STATUS(node_.disks.Forget(name));
  TRY_STATUS(node_.links.Remove(node::LinkName(name)));
  if (ns.mapping == Mapping::kNone) return {};
  const auto watch = host_.Arm();
  const auto unmapped = disks_.Unmap(ns, deadline);
  if (!unmapped.ok()) return unmapped.error().Wrap("cannot unmap volume '" + name.Text() + "'");
  const auto gone = host_.WaitGone(*watch, ns.uuid, deadline.Within(kGoneBudget));
  if (!gone.ok()) {
    log_.Warning("this node still shows a device of volume '" + name.Text() +
                 "' after unmapping: " + gone.error().Plain());
  }
  return {};
}

Status Disks::AttachAgain(const VolumeName& name, const catalogue::DiskNamespace& ns,
                          const Deadline& deadline) {
  node_.disks.Remember(name, ns.uuid);
  if (ns.mapping == Mapping::kNone) return {};
  catalogue::DiskNamespace unmapped = ns;
  unmapped.mapping = Mapping::kNone;
  return disks_.Map(unmapped, deadline);
}

Result<catalogue::Removal> Disks::Remove(const catalogue::Volume& volume,
                                         const Deadline& deadline) {
  auto removed = disks_.Remove(volume, deadline);
  const bool is_held = !removed.ok() && removed.error().origin().refusal == Refusal::kHeldByClones;
  if (is_held && snapshot_devices_.Reap({volume.container_name}, std::nullopt, deadline)) {
    return disks_.Remove(volume, deadline);
  }
  return removed;
}

}  // namespace ontapnvme::pve
