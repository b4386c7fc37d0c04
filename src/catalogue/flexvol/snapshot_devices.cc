// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/flexvol/snapshot_devices.h"

#include <algorithm>
#include <utility>

#include "catalogue/flexvol/disk_lookup.h"
#include "catalogue/flexvol/records/disk_records.h"
#include "catalogue/undo_steps.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

constexpr std::chrono::seconds kSeenServes{10};

std::string Described(const ShownSnapshot& shown) {
  return "the device of snapshot '" + shown.snapshot.Text() + "' of volume '" +
         shown.volume.Text() + "'";
}

// What its mark says it shows; nothing when that is not readable.
std::optional<ShownSnapshot> ShownBy(const OwnedVolume& clone) {
  const Mark& mark = clone->mark.mark;
  auto volume = VolumeName::Parse(mark.shown_volume);
  auto snapshot = SnapshotName::ParseShown(mark.shown_snapshot);
  if (!volume.ok() || !snapshot.ok()) return std::nullopt;
  return ShownSnapshot{
      .volume = std::move(*volume), .snapshot = std::move(*snapshot), .host_nqn = mark.shown_to};
}

bool IsSame(const ShownSnapshot& one, const ShownSnapshot& other) {
  return one.volume == other.volume && one.snapshot == other.snapshot &&
         one.host_nqn == other.host_nqn;
}

SnapshotDevice DeviceOf(const OwnedVolume& clone, const ShownSnapshot& shown) {
  const auto& flexvol = clone->flexvol;
  return {.shown = shown,
          .container_name = flexvol.name,
          .container = flexvol.uuid,
          .parent_container_name = flexvol.parent_volume_name,
          .parent_container = flexvol.parent_volume_uuid,
          .parent_snapshot = ArraySnapshotName(flexvol.parent_snapshot_name),
          .parent_snapshot_uuid = flexvol.parent_snapshot_uuid,
          .ns = std::nullopt,
          .create_time = flexvol.create_time};
}

}  // namespace

// Each node has a clone of its own: another node's reader is not disturbed when this one's is done.
// A hash, since node, volume and snapshot together may be longer than a FlexVol's name.
Result<std::string> SnapshotDevices::CloneNameOf(const ShownSnapshot& shown) const {
  const auto& gate = session_->gate;
  TRY(const auto flexvol, gate.names().FlexVol(shown.volume));
  return gate.names().SnapshotDevice(ShortHash(shown.host_nqn + "/" + flexvol + "@" +
                                               shown.snapshot.Text() + "/" +
                                               gate.marker().ShortTag()));
}

Found<SnapshotDevice> SnapshotDevices::Find(const ShownSnapshot& shown, const Deadline& deadline) {
  auto& gate = session_->gate;
  session_->facts.Remembered();
  parent_.reset();
  const auto clone = CloneNameOf(shown);
  const auto parent = gate.names().FlexVol(shown.volume);
  if (!clone.ok()) return clone.error();
  if (!parent.ok()) return parent.error();
  // The volume is listed with it: it proves that the array has answered, and making the device needs
  // it next.
  const auto found = gate.FindDevice(*clone, *parent, deadline);
  if (!found.ok()) return found.error();
  if (found->parent) parent_ = Seen{shown.volume, *found->parent, deadline.clock().Now()};
  if (!found->device) {
    if (!parent_) {
      if (auto doubt = DoubtOfSvm(*session_, deadline)) return std::move(*doubt);
    }
    return Found<SnapshotDevice>::Absent();
  }
  const OwnedDisk& there = *found->device;
  const auto shown_by_it = ShownBy(there.volume);
  if (!shown_by_it || !IsSame(*shown_by_it, shown)) {
    return Error(ErrorCode::kConflict, "FlexVol '" + *clone + "' is not " + Described(shown))
        .Because("its mark says that it shows something else")
        .Try("remove or rename it on the array");
  }
  auto device = RecordOf(there, shown, deadline);
  if (!device.ok()) return std::move(device).error();
  return std::move(*device);
}

// By UUID: names of volumes and snapshots are given anew.
Result<bool> SnapshotDevices::IsCurrent(const SnapshotDevice& device, const Deadline& deadline) {
  if (device.parent_container == Uuid() || device.parent_snapshot_uuid == Uuid()) return false;
  TRY(const auto parent, ParentOf(device.shown.volume, deadline));
  if (parent->flexvol.uuid != device.parent_container) return false;
  TRY(const auto now,
      session_->gate.FindSnapshots({parent}, ArraySnapshotName(device.shown.snapshot), deadline));
  return std::any_of(now.begin(), now.end(),
                     [&](const auto& one) { return one->uuid == device.parent_snapshot_uuid; });
}

Result<SnapshotDevice> SnapshotDevices::RecordOf(const OwnedDisk& clone, const ShownSnapshot& shown,
                                                 const Deadline& deadline) const {
  SnapshotDevice device = DeviceOf(clone.volume, shown);
  if (clone.ns) {
    TRY(device.ns, MappedNamespaceOf(*clone.ns, Described(shown), session_->facts, deadline));
  }
  return device;
}

Result<OwnedVolume> SnapshotDevices::ParentOf(const VolumeName& name, const Deadline& deadline) {
  const bool serves =
      parent_ && parent_->name == name && deadline.clock().Now() - parent_->at <= kSeenServes;
  return serves ? Result<OwnedVolume>(parent_->volume) : RequireVolume(*session_, name, deadline);
}

Result<SnapshotDevice> SnapshotDevices::Make(const ShownSnapshot& shown, const Deadline& deadline) {
  auto& gate = session_->gate;
  session_->facts.Remembered();
  TRY(const auto clone_name, CloneNameOf(shown));
  TRY(const auto parent, ParentOf(shown.volume, deadline));
  parent_.reset();
  ontap::FlexCloneSpec spec;
  spec.name = clone_name;
  spec.parent_snapshot = ArraySnapshotName(shown.snapshot).Text();
  Mark mark = gate.marker().New(shown.volume.vmid, NewOperationId());
  mark.shown_volume = shown.volume.LeafText();
  mark.shown_snapshot = shown.snapshot.Text();
  mark.shown_to = shown.host_nqn;
  UndoSteps undo;
  const auto make = [&]() -> Result<SnapshotDevice> {
    TRY(const auto clone, gate.Clone(parent, spec, mark, undo, deadline));
    TRY(const auto ns, gate.AwaitNamespaceIn(clone, deadline));
    const auto unprotected = gate.KeepUnprotected(clone, deadline);
    if (!unprotected.ok()) session_->log.Debug(unprotected.error().Line());
    SnapshotDevice device = DeviceOf(clone, shown);
    device.parent_container_name = parent->flexvol.name;
    device.parent_snapshot = ArraySnapshotName(shown.snapshot);
    device.ns = NamespaceOf(ns, Described(shown));
    device.ns->mapping = Mapping::kNone;
    return device;
  };
  auto made = make();
  if (made.ok()) return made;
  return undo.Run(std::move(made).error(), deadline);
}

Status SnapshotDevices::Remove(const SnapshotDevice& device, const Deadline& deadline) {
  auto& gate = session_->gate;
  TRY(const auto facts, session_->facts.Read(deadline));
  if (device.ns) {
    const auto ns = gate.Readmit(*device.ns);
    // It may have been mapped since the record was made.
    const bool is_elsewhere = device.ns->mapping == Mapping::kElsewhere;
    TRY_STATUS(is_elsewhere ? gate.UnmapAnywhere(ns, deadline)
                            : gate.Unmap(ns, facts.subsystem_uuid, deadline));
  }
  const auto clone = gate.Readmit(device);
  TRY_STATUS(gate.Delete(clone, true, deadline));
  // In the queue it would keep the snapshot from being deleted for half a day.
  auto purged = gate.PurgeDeleted(clone, deadline);
  if (!FailedWith(purged, ErrorCode::kPermissionDenied)) return purged;
  session_->facts.rights().Tell(
      "recovery-queue", "a snapshot that was shown to a node cannot be deleted for about 12 hours",
      purged.error(), deadline.clock());
  return {};
}

Result<std::vector<SnapshotDevice>> SnapshotDevices::List(const Deadline& deadline) {
  auto& gate = session_->gate;
  session_->facts.Remembered();
  TRY(const auto clones, gate.ListMarked(gate.names().SnapshotDevicePattern(), deadline));
  std::vector<SnapshotDevice> devices;
  for (const auto& one : clones) {
    const auto shown = ShownBy(one.volume);
    if (!shown) continue;
    TRY(auto device, RecordOf(one, *shown, deadline));
    devices.push_back(std::move(device));
  }
  return devices;
}

}  // namespace ontapnvme::catalogue::flexvol
