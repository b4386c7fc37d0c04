// SPDX-License-Identifier: AGPL-3.0-or-later
#include "fakes/plain_snapshots.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace ontapnvme::fakes {
namespace {

using catalogue::Coverage;
using catalogue::DiskHistory;
using catalogue::Found;
using catalogue::ShownSnapshot;
using catalogue::Snapshot;
using catalogue::SnapshotDevice;
using catalogue::VmHistory;

std::string At(const VolumeName& name, const SnapshotName& snapshot) {
  return name.LeafText() + "@" + snapshot.Text();
}

PlainSnapshot* FindIn(PlainDisk& disk, const ArraySnapshotName& name) {
  const auto found = std::find_if(disk.snapshots.begin(), disk.snapshots.end(),
                                  [&](const auto& one) { return one.record.name == name; });
  return found == disk.snapshots.end() ? nullptr : &*found;
}

bool Shows(const PlainDisk& disk, const ShownSnapshot& shown) {
  return disk.shown && disk.shown->volume == shown.volume &&
         disk.shown->snapshot == shown.snapshot && disk.shown->host_nqn == shown.host_nqn;
}

}  // namespace

Result<DiskHistory> PlainSnapshots::HistoryOf(const VolumeName& name) {
  const PlainDisk* disk = world_->Visible(name);
  if (disk == nullptr) return Gone(name.Text());
  DiskHistory history{disk->name, disk->ContainerName(), disk->uuid, disk->uuid, {}};
  for (const auto& one : disk->snapshots) history.snapshots.push_back(one.record);
  return history;
}

Result<std::vector<Snapshot>> PlainSnapshots::List(const VolumeName& name,
                                                   const Deadline& deadline) {
  using Answer = Result<std::vector<Snapshot>>;
  return world_->Run<Answer>("ListSnapshots", name.LeafText(), deadline, [&]() -> Answer {
    TRY(auto history, HistoryOf(name));
    return std::move(history.snapshots);
  });
}

Result<std::vector<catalogue::DiskSnapshots>> PlainSnapshots::ListAll(
    std::optional<std::uint64_t> vmid, const Deadline& deadline) {
  using Answer = Result<std::vector<catalogue::DiskSnapshots>>;
  const std::string object = vmid ? std::to_string(*vmid) : "";
  return world_->Run<Answer>("ListAllSnapshots", object, deadline, [&]() -> Answer {
    std::vector<catalogue::DiskSnapshots> all;
    for (const auto& disk : world_->all()) {
      const bool is_wanted = world_->Visible(disk.name) == &disk && disk.is_whole &&
                             (!vmid || disk.name.vmid == *vmid);
      if (!is_wanted) continue;
      all.push_back({.name = disk.name, .size = disk.size, .snapshots = {}});
      for (const auto& one : disk.snapshots) all.back().snapshots.push_back(one.record);
    }
    return all;
  });
}

Result<std::vector<PlainDisk*>> PlainSnapshots::TogetherWith(const VolumeName& name) {
  PlainDisk* disk = world_->Visible(name);
  if (disk == nullptr) return Gone(name.Text());
  auto group = world_->GroupOf(name);
  return group.empty() ? std::vector<PlainDisk*>{disk} : group;
}

Status PlainSnapshots::Prepare(const VolumeName& name, const Deadline& deadline) {
  return world_->Run<Status>("Prepare", name.LeafText(), deadline, [] { return Status(); });
}

Result<catalogue::AdoptedSnapshot> PlainSnapshots::Adopt(const std::vector<VolumeName>& disks,
                                                         const ArraySnapshotName& from,
                                                         const SnapshotName& to,
                                                         const Deadline& deadline) {
  using Answer = Result<catalogue::AdoptedSnapshot>;
  return world_->Run<Answer>("Adopt", At(disks.front(), to), deadline, [&]() -> Answer {
    std::vector<Snapshot*> found;
    for (const auto& name : disks) {
      PlainDisk* disk = world_->Visible(name);
      if (disk == nullptr) return Gone(name.Text());
      if (FindIn(*disk, ArraySnapshotName(to)) != nullptr) {
        return Error(ErrorCode::kAlreadyExists, "there is a snapshot of that name");
      }
      auto* snapshot = FindIn(*disk, from);
      if (snapshot == nullptr) return Error(ErrorCode::kNotFound, "there is no such snapshot");
      found.push_back(&snapshot->record);
    }
    for (auto* one : found) one->name = ArraySnapshotName(to);
    return catalogue::AdoptedSnapshot{.create_time = found.front()->create_time,
                                      .is_of_one_moment = found.size() == 1,
                                      .locked_until = found.front()->locked_until};
  });
}

Result<Coverage> PlainSnapshots::Take(const VolumeName& name, const SnapshotName& snapshot,
                                      const std::string& operation_id, const Deadline& deadline) {
  using Answer = Result<Coverage>;
  return world_->Run<Answer>("Take", At(name, snapshot), deadline, [&]() -> Answer {
    TRY(const auto disks, TogetherWith(name));
    const ArraySnapshotName array_name(snapshot);
    Coverage covered;
    for (PlainDisk* disk : disks) {
      if (FindIn(*disk, array_name) != nullptr) {
        return Error(ErrorCode::kAlreadyExists, "'" + array_name.Text() + "' exists");
      }
    }
    for (PlainDisk* disk : disks) {
      disk->snapshots.push_back({{.name = array_name,
                                  .uuid = world_->NewUuid(),
                                  .create_time = SecondsNow(deadline),
                                  .taken_in = operation_id},
                                 disk->content});
      covered.insert(disk->name);
    }
    return covered;
  });
}

Result<bool> PlainSnapshots::RemoveTaken(const VolumeName& name, const SnapshotName& snapshot,
                                         const std::string& operation_id,
                                         const Deadline& deadline) {
  using Answer = Result<bool>;
  return world_->Run<Answer>("RemoveTaken", At(name, snapshot), deadline, [&]() -> Answer {
    bool is_removed = false;
    for (auto& disk : world_->disks()) {
      if (disk.name.vmid != name.vmid || disk.shown) continue;
      is_removed = std::erase_if(disk.snapshots,
                                 [&](const auto& one) {
                                   return one.record.name == ArraySnapshotName(snapshot) &&
                                          one.record.taken_in == operation_id;
                                 }) > 0 ||
                   is_removed;
    }
    return is_removed;
  });
}

Result<Coverage> PlainSnapshots::Delete(const VolumeName& name, const SnapshotName& snapshot,
                                        const Deadline& deadline) {
  using Answer = Result<Coverage>;
  return world_->Run<Answer>("DeleteSnapshot", At(name, snapshot), deadline, [&]() -> Answer {
    const auto disks = TogetherWith(name);
    Coverage covered{name};
    if (!disks.ok()) return covered;
    for (PlainDisk* disk : *disks) {
      const PlainSnapshot* found = FindIn(*disk, ArraySnapshotName(snapshot));
      if (found != nullptr) TRY_STATUS(world_->RequireUnheld(*disk, found->record.uuid));
    }
    for (PlainDisk* disk : *disks) {
      std::erase_if(disk->snapshots, [&](const auto& one) {
        return one.record.name == ArraySnapshotName(snapshot);
      });
      covered.insert(disk->name);
    }
    return covered;
  });
}

Result<VmHistory> PlainSnapshots::ReadHistory(const VolumeName& name, const Deadline& deadline) {
  using Answer = Result<VmHistory>;
  return world_->Run<Answer>("ReadHistory", name.LeafText(), deadline, [&]() -> Answer {
    VmHistory history;
    TRY(const auto disks, TogetherWith(name));
    for (const PlainDisk* disk : disks) {
      TRY(auto one, HistoryOf(disk->name));
      history.disks.push_back(std::move(one));
    }
    for (const PlainDisk* member : world_->GroupOf(name)) history.members.insert(member->name);
    if (!history.members.empty()) history.group = {Uuid(), "group of " + name.LeafText()};
    return history;
  });
}

Result<DiskHistory> PlainSnapshots::ReadDiskHistory(const VolumeName& name,
                                                    const Deadline& deadline) {
  return world_->Run<Result<DiskHistory>>("ReadDiskHistory", name.LeafText(), deadline,
                                          [&] { return HistoryOf(name); });
}

// Reverts a disk whose newest snapshot it is.
Status PlainSnapshots::Revert(const DiskHistory& disk, const SnapshotName& snapshot) {
  PlainDisk* found = world_->ByUuid(disk.container);
  if (found == nullptr) return Gone(disk.name.Text());
  const PlainSnapshot* from = FindIn(*found, ArraySnapshotName(snapshot));
  if (from == nullptr) return Gone(At(disk.name, snapshot));
  EXPECT_EQ(from, &found->snapshots.back()) << "contract: newer snapshots would be lost";
  found->content = from->content;
  return {};
}

Status PlainSnapshots::RestoreGroup(const VmHistory& history, const SnapshotName& snapshot,
                                    const Deadline& deadline) {
  EXPECT_TRUE(history.group.has_value()) << "contract: the history has no group";
  return world_->Run<Status>("RestoreGroup", snapshot.Text(), deadline, [&]() -> Status {
    for (const auto& disk : history.disks) TRY_STATUS(Revert(disk, snapshot));
    return {};
  });
}

Status PlainSnapshots::RestoreDisk(const DiskHistory& disk, const SnapshotName& snapshot,
                                   const Deadline& deadline) {
  return world_->Run<Status>("RestoreDisk", At(disk.name, snapshot), deadline,
                             [&] { return Revert(disk, snapshot); });
}

Status PlainSnapshots::OverwriteOne(const DiskHistory& disk, const SnapshotName& snapshot,
                                    const Deadline& deadline) {
  return world_->Run<Status>("Overwrite", At(disk.name, snapshot), deadline, [&]() -> Status {
    PlainDisk* found = world_->ByUuid(disk.container);
    if (found == nullptr) return Gone(disk.name.Text());
    const PlainSnapshot* from = FindIn(*found, ArraySnapshotName(snapshot));
    if (from == nullptr) return Gone(At(disk.name, snapshot));
    found->content = from->content;
    return {};
  });
}

catalogue::Overwritten PlainSnapshots::OverwriteDisks(const std::vector<DiskHistory>& disks,
                                                      const SnapshotName& snapshot,
                                                      const MayChange& may_change,
                                                      const Deadline& deadline) {
  catalogue::Overwritten result;
  for (const auto& disk : disks) {
    PlainDisk* found = world_->ByUuid(disk.container);
    const Status agreed = found == nullptr ? Status(Gone(disk.name.Text()))
                                           : may_change(disk.name, world_->NamespaceOf(*found));
    if (!agreed.ok()) return {.disks = {}, .failure = agreed.error()};
  }
  if (!world_->can_overwrite) {
    world_->is_refusal_known = true;
    return {.disks = {},
            .failure = Error(ErrorCode::kUnsupported, "cannot overwrite a disk in place"),
            .is_refused = true};
  }
  for (const auto& disk : disks) {
    const Status done = OverwriteOne(disk, snapshot, deadline);
    if (done.ok()) result.disks.insert(disk.name);
    if (!done.ok() && done.error().outcome_unknown()) result.unknown.insert(disk.name);
    if (!done.ok() && !result.failure) result.failure = done.error();
  }
  if (!result.unknown.empty()) result.failure = std::move(*result.failure).OutcomeUnknown();
  return result;
}

SnapshotDevice PlainSnapshots::DeviceOf(const PlainDisk& disk) {
  PlainDisk* parent = world_->ByUuid(disk.origin->disk);
  return {.shown = *disk.shown,
          .container_name = disk.ContainerName(),
          .container = disk.uuid,
          .parent_container_name = parent == nullptr ? "" : parent->ContainerName(),
          .parent_container = disk.origin->disk,
          .parent_snapshot = ArraySnapshotName(disk.shown->snapshot),
          .parent_snapshot_uuid = disk.origin->snapshot,
          .ns = world_->NamespaceOf(disk),
          .create_time = disk.create_time};
}

Found<SnapshotDevice> PlainSnapshots::FindDevice(const ShownSnapshot& shown,
                                                 const Deadline& deadline) {
  using Answer = Found<SnapshotDevice>;
  return world_->Run<Answer>("FindDevice", At(shown.volume, shown.snapshot), deadline,
                             [&]() -> Answer {
                               for (const auto& disk : world_->all()) {
                                 if (Shows(disk, shown)) return DeviceOf(disk);
                               }
                               return Answer::Absent();
                             });
}

Result<bool> PlainSnapshots::IsCurrent(const SnapshotDevice& device, const Deadline& deadline) {
  const std::string object = At(device.shown.volume, device.shown.snapshot);
  return world_->Run<Result<bool>>("IsCurrent", object, deadline, [&]() -> Result<bool> {
    PlainDisk* parent = world_->Visible(device.shown.volume);
    if (parent == nullptr || parent->uuid != device.parent_container) return false;
    const PlainSnapshot* now = FindIn(*parent, ArraySnapshotName(device.shown.snapshot));
    return now != nullptr && now->record.uuid == device.parent_snapshot_uuid;
  });
}

Result<SnapshotDevice> PlainSnapshots::MakeDevice(const ShownSnapshot& shown,
                                                  const Deadline& deadline) {
  using Answer = Result<SnapshotDevice>;
  const std::string object = At(shown.volume, shown.snapshot);
  return world_->Run<Answer>("MakeDevice", object, deadline, [&]() -> Answer {
    EXPECT_FALSE(shown.host_nqn.empty()) << "contract: a device is shown to a node";
    for (const auto& disk : world_->all()) {
      if (Shows(disk, shown)) return Error(ErrorCode::kAlreadyExists, "'" + object + "' exists");
    }
    PlainDisk* parent = world_->Visible(shown.volume);
    if (parent == nullptr) return Gone(shown.volume.Text());
    const PlainSnapshot* from = FindIn(*parent, ArraySnapshotName(shown.snapshot));
    if (from == nullptr) return Gone(object);
    Mark mark = world_->marker.New(shown.volume.vmid, world_->NewOperationId());
    mark.shown_volume = shown.volume.LeafText();
    mark.shown_snapshot = shown.snapshot.Text();
    mark.shown_to = shown.host_nqn;
    TRY(auto comment, mark.Text());
    return DeviceOf(world_->Add({.name = shown.volume,
                                 .uuid = world_->NewUuid(),
                                 .comment = std::move(comment),
                                 .size = parent->size,
                                 .content = from->content,
                                 .mapping = catalogue::Mapping::kNone,
                                 .origin = PlainOrigin{parent->uuid, from->record.uuid},
                                 .shown = shown,
                                 .create_time = SecondsNow(deadline)}));
  });
}

Status PlainSnapshots::RemoveDevice(const SnapshotDevice& device, const Deadline& deadline) {
  const std::string object = At(device.shown.volume, device.shown.snapshot);
  return world_->Run<Status>("RemoveDevice", object, deadline, [&]() -> Status {
    world_->Erase(device.container);
    return {};
  });
}

Result<std::vector<SnapshotDevice>> PlainSnapshots::ListDevices(const Deadline& deadline) {
  using Answer = Result<std::vector<SnapshotDevice>>;
  return world_->Run<Answer>("ListDevices", "", deadline, [&]() -> Answer {
    std::vector<SnapshotDevice> devices;
    for (const auto& disk : world_->all()) {
      const bool is_ours = world_->marker.Read(disk.comment).owner == Owner::kOurs;
      if (disk.shown && is_ours) devices.push_back(DeviceOf(disk));
    }
    return devices;
  });
}

}  // namespace ontapnvme::fakes
