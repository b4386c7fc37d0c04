// SPDX-License-Identifier: AGPL-3.0-or-later
#include "fakes/plain_disks.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace ontapnvme::fakes {
namespace {

using catalogue::Annotation;
using catalogue::CloneSource;
using catalogue::CopyProgress;
using catalogue::Disk;
using catalogue::DiskNamespace;
using catalogue::Found;
using catalogue::FullCloneOf;
using catalogue::Mapping;
using catalogue::Neighbours;
using catalogue::Removal;
using catalogue::Volume;

Error NameLost(const VolumeName& name) {
  return Refused(ErrorCode::kAlreadyExists, "somebody else has '" + name.LeafText() + "'",
                 Refusal::kNameLost);
}

bool IsAmong(const Neighbours& neighbours, const VolumeName& name) {
  const auto is_it = [&](const auto& one) { return one.name == name; };
  return std::any_of(neighbours.ours.begin(), neighbours.ours.end(), is_it) ||
         std::any_of(neighbours.foreign.begin(), neighbours.foreign.end(), is_it);
}

void ExpectNewName(const Neighbours& neighbours, const VolumeName& name) {
  EXPECT_FALSE(IsAmong(neighbours, name)) << "contract: " << name.Text() << " is a neighbour's";
}

}  // namespace

Found<Disk> PlainDisks::Find(const VolumeName& name, const Deadline& deadline) {
  return world_->Run<Found<Disk>>("Find", name.LeafText(), deadline, [&]() -> Found<Disk> {
    const PlainDisk* disk = world_->Visible(name);
    if (disk == nullptr) return Found<Disk>::Absent();
    Disk found{world_->VolumeOf(*disk), std::nullopt, disk->is_near_ceiling};
    if (disk->is_whole) found.ns = world_->NamespaceOf(*disk);
    return found;
  });
}

Found<DiskNamespace> PlainDisks::FindNamespace(const VolumeName& name, const Deadline& deadline) {
  return world_->Run<Found<DiskNamespace>>("FindNamespace", name.LeafText(), deadline,
                                           [&]() -> Found<DiskNamespace> {
                                             const PlainDisk* disk = world_->Visible(name);
                                             if (disk == nullptr || !disk->is_whole)
                                               return Found<DiskNamespace>::Absent();
                                             return world_->NamespaceOf(*disk);
                                           });
}

Result<std::vector<Disk>> PlainDisks::List(std::optional<std::uint64_t> vmid,
                                           const Deadline& deadline) {
  using Answer = Result<std::vector<Disk>>;
  return world_->Run<Answer>("List", vmid ? std::to_string(*vmid) : "", deadline, [&]() -> Answer {
    std::vector<Disk> listed;
    for (const auto& disk : world_->all()) {
      const bool is_wanted = !vmid || disk.name.vmid == *vmid;
      if (!is_wanted || !disk.is_whole || world_->Visible(disk.name) != &disk) continue;
      listed.push_back({world_->VolumeOf(disk), world_->NamespaceOf(disk), disk.is_near_ceiling});
      listed.back().ns->mapping = Mapping::kUnread;
    }
    return listed;
  });
}

Result<Neighbours> PlainDisks::ListNeighbours(const std::vector<std::uint64_t>& vmids,
                                              const std::optional<VolumeName>& also,
                                              const Deadline& deadline) {
  using Answer = Result<Neighbours>;
  return world_->Run<Answer>("ListNeighbours", "", deadline, [&]() -> Answer {
    Neighbours neighbours;
    neighbours.used_on_svm = world_->used_on_svm;
    for (const auto& disk : world_->all()) {
      const bool is_wanted = std::find(vmids.begin(), vmids.end(), disk.name.vmid) != vmids.end() ||
                             (also && disk.name == *also);
      if (!is_wanted || disk.shown || disk.is_deferred) continue;
      if (world_->IsForeign(disk)) {
        neighbours.foreign.push_back({disk.name, disk.ContainerName()});
      } else {
        neighbours.ours.push_back(world_->VolumeOf(disk));
      }
    }
    return neighbours;
  });
}

Result<std::string> PlainDisks::ContainerName(const VolumeName& name) const {
  return PlainContainerName(name);
}

Result<Disk> PlainDisks::Make(const VolumeName& name, ByteCount size, const Neighbours& neighbours,
                              const Deadline& deadline) {
  return world_->Run<Result<Disk>>("Make", name.Text(), deadline, [&]() -> Result<Disk> {
    ExpectNewName(neighbours, name);
    if (world_->IsTaken(name)) return NameLost(name);
    const PlainDisk& made = world_->Add({.name = name,
                                         .uuid = world_->NewUuid(),
                                         .comment = world_->CommentFor(name),
                                         .size = size,
                                         .content = "",
                                         .create_time = SecondsNow(deadline)});
    return Disk{world_->VolumeOf(made), world_->NamespaceOf(made)};
  });
}

Result<Disk> PlainDisks::Clone(const CloneSource& source, const VolumeName& name,
                               const Neighbours& neighbours, const Deadline& deadline) {
  return world_->Run<Result<Disk>>("Clone", name.Text(), deadline, [&]() -> Result<Disk> {
    ExpectNewName(neighbours, name);
    EXPECT_TRUE(IsAmong(neighbours, source.volume)) << "contract: the source is no neighbour";
    EXPECT_EQ(name.base_name, source.volume.is_base ? source.volume.LeafText() : "")
        << "contract: only a clone of a base image has a base part";
    EXPECT_TRUE(source.volume.is_base || source.snapshot)
        << "contract: a clone is made from a base image or from a snapshot";
    const PlainDisk* parent = world_->Visible(source.volume);
    if (parent == nullptr) return Gone(source.volume.Text());
    const ArraySnapshotName wanted =
        source.snapshot
            ? ArraySnapshotName(*source.snapshot)
            : ArraySnapshotName(world_->marker.Read(parent->comment).mark.BaseSnapshot());
    const auto from = std::find_if(parent->snapshots.begin(), parent->snapshots.end(),
                                   [&](const auto& one) { return one.record.name == wanted; });
    if (from == parent->snapshots.end()) return Gone(wanted.Text());
    if (world_->IsTaken(name)) return NameLost(name);
    const PlainDisk& made = world_->Add({.name = name,
                                         .uuid = world_->NewUuid(),
                                         .comment = world_->CommentFor(name),
                                         .size = parent->size,
                                         .content = from->content,
                                         .origin = PlainOrigin{parent->uuid, from->record.uuid},
                                         .create_time = SecondsNow(deadline)});
    return Disk{world_->VolumeOf(made), world_->NamespaceOf(made)};
  });
}

Result<std::vector<Disk>> PlainDisks::CloneFully(const std::vector<FullCloneOf>& clones,
                                                 const std::optional<SnapshotName>& snapshot,
                                                 const Neighbours& neighbours,
                                                 const Deadline& deadline) {
  using Answer = Result<std::vector<Disk>>;
  const std::string object = clones.empty() ? "" : clones.front().name.Text();
  return world_->Run<Answer>("CloneFully", object, deadline, [&]() -> Answer {
    std::vector<PlainDisk> copies;
    for (const auto& [source, name] : clones) {
      ExpectNewName(neighbours, name);
      EXPECT_TRUE(IsAmong(neighbours, source)) << "contract: the source is no neighbour";
      EXPECT_EQ(name.vmid, clones.front().name.vmid) << "contract: clones are of one VM";
      EXPECT_TRUE(name.base_name.empty()) << "contract: a full clone has no base part";
      const PlainDisk* parent = world_->Visible(source);
      if (parent == nullptr) return Gone(source.Text());
      std::string content = parent->content;
      if (snapshot && !source.is_base) {
        const ArraySnapshotName wanted(*snapshot);
        const auto from = std::find_if(parent->snapshots.begin(), parent->snapshots.end(),
                                       [&](const auto& one) { return one.record.name == wanted; });
        if (from == parent->snapshots.end()) return Gone(wanted.Text());
        content = from->content;
      }
      if (world_->IsTaken(name)) return NameLost(name);
      Mark mark = world_->marker.New(name.vmid, NewOperationId());
      mark.full_clone = FullClone::kWhole;
      copies.push_back({.name = name,
                        .uuid = world_->NewUuid(),
                        .comment = std::move(mark.Text()).value(),
                        .size = parent->size,
                        .content = std::move(content),
                        .create_time = SecondsNow(deadline)});
    }
    std::vector<Disk> disks;
    for (auto& copy : copies) {
      const PlainDisk& made = world_->Add(std::move(copy));
      disks.push_back({world_->VolumeOf(made), world_->NamespaceOf(made)});
    }
    return disks;
  });
}

Result<std::vector<CopyProgress>> PlainDisks::ReadCopyProgress(std::uint64_t vmid,
                                                               const Deadline& deadline) {
  using Answer = Result<std::vector<CopyProgress>>;
  return world_->Run<Answer>("ReadCopyProgress", std::to_string(vmid), deadline, [&]() -> Answer {
    std::vector<CopyProgress> all;
    for (const auto& disk : world_->all()) {
      const bool is_full = world_->marker.Read(disk.comment).mark.full_clone == FullClone::kWhole;
      if (is_full && disk.name.vmid == vmid) {
        all.push_back({.name = disk.name, .has_begun = true, .percent = 100});
      }
    }
    return all;
  });
}

Status PlainDisks::Map(const DiskNamespace& ns, const Deadline& deadline) {
  return world_->Run<Status>("Map", ns.container_name, deadline, [&]() -> Status {
    PlainDisk* disk = world_->ByUuid(ns.uuid);
    if (disk == nullptr) return Gone(ns.container_name);
    if (disk->mapping == Mapping::kElsewhere) {
      return Error(ErrorCode::kConflict, "'" + ns.container_name + "' is mapped elsewhere")
          .With("subsystem", disk->mapped_to);
    }
    disk->mapping = Mapping::kHere;
    return {};
  });
}

Status PlainDisks::Unmap(const DiskNamespace& ns, const Deadline& deadline) {
  return world_->Run<Status>("Unmap", ns.container_name, deadline, [&]() -> Status {
    if (PlainDisk* disk = world_->ByUuid(ns.uuid)) disk->mapping = Mapping::kNone;
    return {};
  });
}

Status PlainDisks::Grow(const Disk& disk, ByteCount size, const Deadline& deadline) {
  return world_->Run<Status>("Grow", disk.volume.name.LeafText(), deadline, [&]() -> Status {
    PlainDisk* found = world_->ByUuid(disk.volume.container);
    if (found == nullptr) return Gone(disk.volume.name.Text());
    EXPECT_GE(size, found->size) << "contract: a disk only grows";
    found->size = std::max(size, found->size);
    return {};
  });
}

Status PlainDisks::TurnIntoBase(const Disk& disk, const VolumeName& base,
                                const Deadline& deadline) {
  return world_->Run<Status>("TurnIntoBase", base.Text(), deadline, [&]() -> Status {
    EXPECT_TRUE(base.is_base) << "contract: " << base.Text() << " is no name of a base image";
    PlainDisk* found = world_->ByUuid(disk.volume.container);
    if (found == nullptr) return Gone(disk.volume.name.Text());
    if (world_->IsTaken(base)) return NameLost(base);
    found->name = base;
    const ArraySnapshotName name{std::string(kBaseSnapshot)};
    found->snapshots.push_back({{name, world_->NewUuid(), SecondsNow(deadline)}, found->content});
    return {};
  });
}

Status PlainDisks::Rename(const Volume& volume, const VolumeName& new_name,
                          const Neighbours& neighbours, const Deadline& deadline) {
  return world_->Run<Status>("Rename", new_name.Text(), deadline, [&]() -> Status {
    ExpectNewName(neighbours, new_name);
    EXPECT_TRUE(IsAmong(neighbours, volume.name)) << "contract: the volume is no neighbour";
    PlainDisk* found = world_->ByUuid(volume.container);
    if (found == nullptr) return Gone(volume.name.Text());
    if (world_->IsTaken(new_name)) return NameLost(new_name);
    const auto reading = world_->marker.Read(found->comment);
    found->comment = std::move(world_->marker.Adopt(reading, new_name.vmid).Text()).value();
    const std::string base_name = found->name.base_name;
    found->name = new_name;
    found->name.base_name = base_name;
    return {};
  });
}

Status PlainDisks::HandOver(const Volume& volume, const catalogue::OtherStorage& to,
                            const VolumeName& /*new_name*/, const Deadline& deadline) {
  return world_->Run<Status>("HandOver", volume.name.LeafText(), deadline, [&]() -> Status {
    PlainDisk* found = world_->ByUuid(volume.container);
    if (found == nullptr) return Gone(volume.name.Text());
    Mark mark = world_->marker.Adopt(world_->marker.Read(found->comment), volume.name.vmid);
    mark.storage_id = to.storage_id;
    found->comment = std::move(mark.Text()).value();
    return {};
  });
}

Result<Disk> PlainDisks::TakeOver(const VolumeName& name, const Deadline& deadline) {
  auto found = Find(name, deadline);
  return std::move(found).Require(Gone(name.Text()));
}

Status PlainDisks::StartMove(const Volume& volume, const std::string& /*place*/,
                             const Deadline& deadline) {
  return world_->Run<Status>("StartMove", volume.name.LeafText(), deadline, [&]() -> Status {
    return Error(ErrorCode::kUnsupported, "this array has no parts");
  });
}

Result<catalogue::Place> PlainDisks::ReadPlace(const Volume& volume, const Deadline& deadline) {
  using Answer = Result<catalogue::Place>;
  return world_->Run<Answer>("ReadPlace", volume.name.LeafText(), deadline, [&]() -> Answer {
    return catalogue::Place{.place = "all", .destination = {}, .percent = 100, .state = {}};
  });
}

Status PlainDisks::Annotate(const VolumeName& name, const Annotation& annotation,
                            const Deadline& deadline) {
  return world_->Run<Status>("Annotate", name.LeafText(), deadline, [&]() -> Status {
    PlainDisk* disk = world_->Visible(name);
    if (disk == nullptr) return Gone(name.Text());
    Mark mark = world_->marker.Adopt(world_->marker.Read(disk->comment), name.vmid);
    if (annotation.notes) mark.notes = *annotation.notes;
    if (annotation.is_protected) mark.is_protected = *annotation.is_protected;
    TRY(disk->comment, mark.Text());
    return {};
  });
}

Result<catalogue::AdoptionOutlook> PlainDisks::ExamineForAdoption(
    const catalogue::AdoptionSource& source, std::uint64_t /*vmid*/,
    const Neighbours& /*neighbours*/, const Deadline& deadline) {
  using Answer = Result<catalogue::AdoptionOutlook>;
  return world_->Run<Answer>("ExamineForAdoption", source.path, deadline, [&]() -> Answer {
    const auto found = world_->strangers.find(source.path);
    if (found == world_->strangers.end()) return Gone(source.path);
    return catalogue::AdoptionOutlook{
        .disk = std::nullopt, .size = found->second.size, .remarks = {"a remark"}};
  });
}

Result<Disk> PlainDisks::Adopt(const catalogue::AdoptionSource& source, const VolumeName& name,
                               const Neighbours& /*neighbours*/, const Deadline& deadline) {
  using Answer = Result<Disk>;
  return world_->Run<Answer>("Adopt", source.path, deadline, [&]() -> Answer {
    const auto found = world_->strangers.find(source.path);
    if (found == world_->strangers.end()) return Gone(source.path);
    if (world_->IsTaken(name)) {
      return Refused(ErrorCode::kAlreadyExists, "the name is taken", Refusal::kNameLost);
    }
    found->second.name = name;
    found->second.mapping = Mapping::kHere;
    const PlainDisk& adopted = world_->Add(found->second);
    world_->strangers.erase(found);
    return Disk{.volume = world_->VolumeOf(adopted), .ns = world_->NamespaceOf(adopted)};
  });
}

Result<std::vector<catalogue::DeletedVolume>> PlainDisks::ListDeleted(const Deadline& deadline) {
  using Answer = Result<std::vector<catalogue::DeletedVolume>>;
  return world_->Run<Answer>("ListDeleted", "", deadline, [&]() -> Answer {
    std::vector<catalogue::DeletedVolume> all;
    for (const auto& disk : world_->deleted) {
      all.push_back({.name = disk.name, .queued_as = disk.uuid.Text()});
    }
    return all;
  });
}

Result<Disk> PlainDisks::Undelete(const VolumeName& name, const std::string& queued_as,
                                  bool is_there, const Neighbours& /*neighbours*/,
                                  const Deadline& deadline) {
  using Answer = Result<Disk>;
  return world_->Run<Answer>("Undelete", name.LeafText(), deadline, [&]() -> Answer {
    auto& deleted = world_->deleted;
    const auto found = std::find_if(deleted.begin(), deleted.end(), [&](const auto& disk) {
      return disk.name == name && (queued_as.empty() || disk.uuid.Text() == queued_as);
    });
    if (found == deleted.end()) return Gone(name.Text());
    if (is_there) return Refused(ErrorCode::kAlreadyExists, "the name is taken", Refusal::kNone);
    found->mapping = Mapping::kHere;
    const PlainDisk& back = world_->Add(*found);
    deleted.erase(found);
    return Disk{.volume = world_->VolumeOf(back), .ns = world_->NamespaceOf(back)};
  });
}

Status PlainDisks::RequireNoClones(const Volume& volume, const Deadline& deadline) {
  return world_->Run<Status>("RequireNoClones", volume.name.LeafText(), deadline, [&]() -> Status {
    const PlainDisk* disk = world_->ByUuid(volume.container);
    return disk == nullptr ? Status() : world_->RequireUnheld(*disk);
  });
}

Result<Removal> PlainDisks::Remove(const Volume& volume, const Deadline& deadline) {
  using Answer = Result<Removal>;
  return world_->Run<Answer>("Remove", volume.name.LeafText(), deadline, [&]() -> Answer {
    PlainDisk* disk = world_->ByUuid(volume.container);
    if (disk == nullptr) return Removal::kRemoved;
    EXPECT_EQ(disk->mapping, Mapping::kNone) << "contract: a disk is unmapped before it is removed";
    TRY_STATUS(world_->RequireUnheld(*disk));
    if (disk->is_held_by_deleted) {
      disk->is_deferred = true;
      return Removal::kDeferred;
    }
    world_->deleted.push_back(*disk);
    world_->Erase(disk->uuid);
    return Removal::kRemoved;
  });
}

}  // namespace ontapnvme::fakes
