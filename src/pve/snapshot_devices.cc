// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/snapshot_devices.h"

#include "pve/attachment.h"
#include "pve/disk_draft.h"
#include "pve/disk_lookup.h"
#include "pve/disk_spec.h"
#include "pve/volume_details.h"

namespace ontapnvme::pve {
namespace {

constexpr std::string_view kStem = "pve_snapshot_device_";

}  // namespace

// A node of its own has a clone of its own: another node's reader is not disturbed when this one's
// is done. A hash, since node, volume and snapshot together may be longer than a FlexVol's name.
Result<std::string> SnapshotDevices::CloneNameOf(const Shown& shown) const {
  TRY(const auto identity, context_->host.Identity());
  TRY(const auto flexvol, FlexVolName(context_->config.prefix, shown.name));
  return context_->config.prefix + std::string(kStem) +
         ShortHash(identity.host_nqn + "/" + flexvol + "@" + shown.snapshot + "/" +
                   context_->ownership.ShortTag());
}

Result<std::string> SnapshotDevices::Activate(const VolumeName& name, const std::string& snapshot,
                                              const Deadline& deadline) {
  auto& context = *context_;
  const Shown shown{name, snapshot};
  const std::string failure =
      "cannot activate snapshot '" + snapshot + "' of volume '" + name.Text() + "'";
  TRY(const auto clone, CloneNameOf(shown));
  const auto held = lock_.Take(deadline);
  if (!held.ok()) return held.error().Wrap(failure);
  TRY(const auto there, ontap::ReadDiskObjects(context.rest, context.config.svm, clone, deadline));
  if (!there.empty()) {
    if (auto link = PresentLink(shown, there.front(), deadline)) return std::move(*link);
    // Half-made, or of the time before the node's last start.
    const auto removed = Remove(shown, there.front(), deadline);
    if (!removed.ok()) return removed.error().Wrap(failure);
  }
  auto made = Make(shown, clone, deadline);
  if (!made.ok()) return made.error().Wrap(failure);
  return made;
}

// The link, if this node made it since its start and the clone's device is behind it.
std::optional<std::string> SnapshotDevices::PresentLink(const Shown& shown,
                                                        const ontap::DiskObjects& clone,
                                                        const Deadline& deadline) {
  auto& context = *context_;
  const std::string link = LinkName(shown.name, shown.snapshot);
  const auto facts = facts_->Read(deadline);
  const bool may_be = facts.ok() && clone.ns && context.links.Target(link) &&
                      context.ownership.Judge(clone.volume.comment) == Owner::kOurs &&
                      clone.ns->subsystem_uuid == facts->subsystem_uuid;
  if (!may_be) return std::nullopt;
  const auto device = context.host.Find(WantedDeviceOf(context, *facts, *clone.ns));
  if (!device.ok() || !context.links.Point(link, device->path).ok()) return std::nullopt;
  return context.links.Path(link);
}

Result<std::string> SnapshotDevices::Make(const Shown& shown, const std::string& clone,
                                          const Deadline& deadline) {
  auto& context = *context_;
  TRY(const auto facts, facts_->Read(deadline));
  TRY(const auto identity, context.host.Identity());
  TRY(const auto flexvol, FlexVolName(context.config.prefix, shown.name));
  const Deadline working = deadline.Reserve(kUndoBudget);
  const std::string operation_id = NewOperationId();
  ontap::FlexCloneSpec spec;
  spec.name = clone;
  spec.parent_volume = flexvol;
  spec.parent_snapshot = ArraySnapshotName(shown.snapshot);
  TRY(spec.comment, WithDetails(context.ownership.Mark(shown.name.vmid, operation_id),
                                {.shown_volume = shown.name.LeafText(),
                                 .shown_snapshot = shown.snapshot,
                                 .shown_to = identity.host_nqn}));
  DiskDraft draft(context, facts, clone, operation_id);
  const std::string link = LinkName(shown.name, shown.snapshot);
  const auto make = [&]() -> Status {
    TRY_STATUS(draft.MakeVolume([&] { return context.volumes.Clone(spec, working); }, working));
    TRY_STATUS(draft.TakeNamespace(working));
    const auto watch = context.host.Arm();
    TRY_STATUS(paths_->Ensure(facts, working));
    TRY_STATUS(draft.Map(working));
    TRY(const auto device,
        context.host.WaitFor(*watch, WantedDeviceOf(context, facts, draft.ns()), working));
    return context.links.Point(link, device.path);
  };
  if (const auto made = make(); !made.ok()) return draft.Undo(made.error(), deadline);
  return context.links.Path(link);
}

Status SnapshotDevices::Deactivate(const VolumeName& name, const std::string& snapshot,
                                   const Deadline& deadline) {
  auto& context = *context_;
  if (!context.links.Target(LinkName(name, snapshot))) return {};
  const Shown shown{name, snapshot};
  const std::string failure =
      "cannot deactivate snapshot '" + snapshot + "' of volume '" + name.Text() + "'";
  TRY(const auto clone, CloneNameOf(shown));
  const auto held = lock_.Take(deadline);
  if (!held.ok()) return held.error().Wrap(failure);
  TRY(const auto there, ontap::ReadDiskObjects(context.rest, context.config.svm, clone, deadline));
  if (there.empty()) return context.links.Remove(LinkName(name, snapshot));
  const auto removed = Remove(shown, there.front(), deadline);
  return removed.ok() ? Status() : Status(removed.error().Wrap(failure));
}

Status SnapshotDevices::Remove(const Shown& shown, const ontap::DiskObjects& clone,
                               const Deadline& deadline) {
  auto& context = *context_;
  if (context.ownership.Judge(clone.volume.comment) != Owner::kOurs) {
    return Error(ErrorCode::kConflict, "FlexVol '" + clone.volume.name + "' is not ours")
        .Because("it has the name of a snapshot device, but not its mark")
        .Try("remove or rename it on the array");
  }
  const std::string link = LinkName(shown.name, shown.snapshot);
  if (clone.ns) {
    TRY(const auto facts, facts_->Read(deadline));
    const auto wanted = WantedDeviceOf(context, facts, *clone.ns);
    TRY_STATUS(RequireUnusedHere(context, shown.name, wanted));
    TRY_STATUS(context.links.Remove(link));
    if (clone.ns->subsystem_uuid) {
      TRY_STATUS(context.subsystems.Unmap(*clone.ns->subsystem_uuid, clone.ns->uuid, deadline));
    }
  }
  TRY_STATUS(context.links.Remove(link));
  TRY_STATUS(context.volumes.Delete(clone.volume.uuid, true, deadline));
  // In the queue it would keep the snapshot from being deleted for half a day.
  return context.volumes.PurgeDeleted(clone.volume.name, deadline);
}

void SnapshotDevices::ReleaseUnused(const VolumeName& name, const Deadline& deadline) {
  for (const auto& snapshot : context_->links.SnapshotsOf(name)) {
    const auto released = Deactivate(name, snapshot, deadline);
    // In use is no failure: its reader lets go of it, or the snapshot's deletion does.
    if (!released.ok()) context_->log.Debug(released.error().Line());
  }
}

bool SnapshotDevices::Reap(const std::set<std::string>& flexvols, const std::string& array_snapshot,
                           const Deadline& deadline) {
  return ReapIf(
             [&](const Shown&, const ontap::FlexVol& clone) {
               return flexvols.contains(clone.parent_volume_name) &&
                      (array_snapshot.empty() || clone.parent_snapshot_name == array_snapshot);
             },
             deadline) > 0;
}

int SnapshotDevices::ReapAbandoned(std::chrono::system_clock::time_point oldest,
                                   const Deadline& deadline) {
  return ReapIf(
      [&](const Shown& shown, const ontap::FlexVol& clone) {
        return clone.create_time < oldest &&
               !context_->links.Target(LinkName(shown.name, shown.snapshot));
      },
      deadline);
}

int SnapshotDevices::ReapIf(
    const std::function<bool(const Shown&, const ontap::FlexVol&)>& is_wanted_gone,
    const Deadline& deadline) {
  auto& context = *context_;
  const auto identity = context.host.Identity();
  const auto held = lock_.Take(deadline);
  if (!identity.ok() || !held.ok()) return 0;
  const auto clones = ontap::ReadDiskObjects(
      context.rest, context.config.svm, context.config.prefix + std::string(kStem) + "*", deadline);
  if (!clones.ok()) return 0;
  int count = 0;
  for (const auto& clone : *clones) {
    const auto details = ReadDetails(clone.volume.comment);
    const auto name = VolumeName::Parse(details.shown_volume);
    if (details.shown_to != identity->host_nqn || !name.ok()) continue;
    const Shown shown{*name, details.shown_snapshot};
    if (!is_wanted_gone(shown, clone.volume)) continue;
    const auto removed = Remove(shown, clone, deadline);
    if (removed.ok()) ++count;
    if (!removed.ok()) context.log.Debug(removed.error().Line());
  }
  return count;
}

Result<std::vector<std::string>> SnapshotDevices::Describe(const Deadline& deadline) {
  auto& context = *context_;
  TRY(const auto clones,
      context.volumes.List(context.config.prefix + std::string(kStem) + "*", deadline));
  std::vector<std::string> lines;
  for (const auto& clone : clones) {
    if (context.ownership.Judge(clone.comment) != Owner::kOurs) continue;
    const auto details = ReadDetails(clone.comment);
    lines.push_back("snapshot " + details.shown_snapshot + " of " + details.shown_volume +
                    " is shown to " + details.shown_to + " (FlexVol " + clone.name + ")");
  }
  return lines;
}

}  // namespace ontapnvme::pve
