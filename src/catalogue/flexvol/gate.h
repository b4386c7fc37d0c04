// SPDX-License-Identifier: AGPL-3.0-or-later
// The gate to the volumes of the SVM: raw records come in, only ours go out, and only what is ours
// can be changed. Marked by us is ours; marked by another is foreign: neither seen nor touched;
// unmarked with one of our names is ours too, since older installations did not mark.
//
// Names, where one has to be said to the array, are those that records carry. Errors are those of
// the resources below, in the array's words: the operation that fails says which volume it was.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/byte_count.h"
#include "base/deadline.h"
#include "base/look_again.h"
#include "base/result.h"
#include "catalogue/disk_store.h"
#include "catalogue/flexvol/names/array_names.h"
#include "catalogue/flexvol/records/owned.h"
#include "catalogue/records.h"
#include "catalogue/undo_steps.h"
#include "model/mark.h"
#include "model/snapshot_name.h"
#include "model/storage_config.h"
#include "ontap/disk_objects.h"
#include "ontap/nvme_subsystem.h"
#include "ontap/recovery_queue.h"

namespace ontapnvme::catalogue::flexvol {

// What a FlexClone is called where people read it, whoever owns it.
struct CloneName {
  std::string text;
  std::string parent_snapshot;
  bool is_full = false;  // of ours, and to be independent when the array has split it
};

// The volumes of some VMs, as one listing shows them.
struct VmVolumes {
  std::vector<OwnedVolume> ours;
  std::vector<ForeignVolume> foreign;
  std::optional<ByteCount> used_on_svm;  // by all volumes, where all were listed
};

enum class Listed { kVms, kWholeSvm };

struct DisksAndParked {
  std::vector<OwnedDisk> disks;
  std::vector<OwnedDisk> parked;
  std::vector<OwnedDisk> scratch;  // of probes
  // Out of the recovery queue, and without their names yet; see Gate::ListReturning.
  std::vector<OwnedDisk> returning;
};

// A disk's namespace, and what rollbacks have put beside it.
struct NamespaceAndCopies {
  OwnedNamespace ns;
  std::vector<OwnedNamespace> copies;
};

// What is no disk yet and may become one: a namespace, or a LUN.
struct Stranger {
  OwnedVolume volume;
  std::optional<OwnedNamespace> ns;
  std::optional<ontap::Lun> lun;  // instead
  bool is_begun = false;  // its adoption was interrupted: the mark is there, the name is not
};

struct DeviceAndParent {
  std::optional<OwnedDisk> device;
  std::optional<OwnedVolume> parent;
};

// Not a disk's: of a snapshot, made by a rollback.
bool IsCopyPath(const std::string& path);
inline bool IsCopy(const ontap::NvmeNamespace& ns) {
  return IsCopyPath(ns.path);
}

class Gate {
 public:
  // `rest` and `config` are borrowed.
  Gate(ontap::RestClient& rest, const StorageConfig& config, Marker marker);
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  const ArrayNames& names() const { return names_; }
  const Marker& marker() const { return marker_; }

  // ---- looking

  // The volume, and whether others of its VM share its group, and its namespace. Two requests side
  // by side.
  Result<std::optional<OwnedDisk>> FindDisk(const VolumeName& name, const Deadline& deadline);
  // The namespace only. One request, one more under a former name. kConflict when the volume holds
  // several.
  Result<std::optional<OwnedNamespace>> FindNamespace(const VolumeName& name,
                                                      const Deadline& deadline);
  // The volume only. One request.
  Result<std::optional<OwnedVolume>> FindVolume(const VolumeName& name, const Deadline& deadline);
  // The FlexVol that has the volume's name and another owner's mark, with the cluster that the mark
  // names, empty where none can be read. One request.
  struct ForeignOwner {
    std::string flexvol;
    std::string cluster_id;
  };
  Result<std::optional<ForeignOwner>> FindForeignOwner(const VolumeName& name,
                                                       const Deadline& deadline);
  // Where the namespace of that UUID is, whoever owns it: the name of its volume.
  Result<std::optional<std::string>> LocateNamespace(const Uuid& ns, const Deadline& deadline) {
    TRY(const auto found, namespaces_.FindByUuid(ns, deadline));
    return found ? std::optional(found->volume_name) : std::nullopt;
  }
  // All disks, or one VM's, half-made ones included, without their mappings. Two requests side by
  // side.
  Result<std::vector<OwnedDisk>> ListDisks(std::optional<std::uint64_t> vmid,
                                           const Deadline& deadline);
  // Those of that VM's volumes that hold a namespace. One request.
  Result<std::set<Uuid>> ListVolumesWithNamespace(std::uint64_t vmid, const Deadline& deadline);
  // The volumes of all disks. One request.
  Result<std::vector<OwnedVolume>> ListAllVolumes(const Deadline& deadline);
  // The same volumes, with what will hurt their owners later. One request.
  struct VolumeHealth {
    VolumeName name;
    ontap::FlexVolHealth health;
  };
  Result<std::vector<VolumeHealth>> ListHealth(const Deadline& deadline);
  // All disks, with their mappings, and of our own what is parked and what comes back. Two requests side
  // by side.
  Result<DisksAndParked> ListWithParked(const Deadline& deadline);
  // The volumes of these VMs, and `also` if given. One request.
  Result<VmVolumes> ListVolumes(const std::set<std::uint64_t>& vmids,
                                const std::optional<VolumeName>& also, Listed listed,
                                const Deadline& deadline);
  // What is outside the names of volumes, where an unmarked object is nobody's: only what carries
  // our own mark. Two requests side by side.
  Result<std::vector<OwnedDisk>> ListMarked(const std::string& pattern, const Deadline& deadline);
  // A snapshot device by its FlexVol's name, and the volume that it is a clone of. Two requests side
  // by side.
  Result<DeviceAndParent> FindDevice(const std::string& device, const std::string& parent,
                                     const Deadline& deadline);
  // The full clones among the volumes of these VMs, with their parents and splits. One request.
  Result<std::vector<OwnedVolume>> ListFullClones(const std::set<std::uint64_t>& vmids,
                                                  const Deadline& deadline);
  // Space that all volumes of the SVM use.
  Result<ByteCount> UsedOnSvm(const Deadline& deadline);
  // The FlexClones of the volume.
  Result<std::vector<CloneName>> ListClones(const OwnedVolume& volume, const Deadline& deadline);
  // Whether the volume has that name by now: settles a rename whose answer was lost.
  Result<bool> HasName(const OwnedVolume& volume, const std::string& flexvol,
                       const Deadline& deadline) {
    TRY(const auto found, volumes_.Find(flexvol, deadline));
    return found && found->uuid == volume->flexvol.uuid;
  }

  // A record that this back end gave out, as what it was made of. Sends nothing, except for an
  // unmarked volume, whose comment the record does not hold. kNotFound when that one is gone.
  Result<OwnedVolume> Readmit(const Volume& volume, const Deadline& deadline);
  OwnedVolume Readmit(const DiskHistory& disk) const;
  OwnedVolume Readmit(const SnapshotDevice& device) const;
  OwnedNamespace Readmit(const DiskNamespace& ns) const;

  // ---- making; each says in `undo` how to take it away again

  // A lost answer, or a name that is suddenly taken, is settled by the mark: only an object with
  // this operation's id is ours. kAlreadyExists with Refusal::kNameLost when somebody else has the
  // name by now: nothing was made.
  Result<OwnedVolume> Create(const ontap::FlexVolSpec& spec, const Mark& mark, UndoSteps& undo,
                             const Deadline& deadline);
  // `spec` without its parent, which is `parent`. It has its parent's settings.
  Result<OwnedVolume> Clone(const OwnedVolume& parent, ontap::FlexCloneSpec spec, const Mark& mark,
                            UndoSteps& undo, const Deadline& deadline);
  // Of exactly that size; of a larger one only below kNamespaceSureFrom, where an array makes none
  // that small. Goes with its volume, so there is nothing to undo.
  Result<OwnedNamespace> CreateNamespace(const OwnedVolume& volume, ByteCount size,
                                         const Mark& mark, const Deadline& deadline);
  // The one that is in the volume, whatever its state.
  Result<OwnedNamespace> RequireNamespaceIn(const OwnedVolume& volume, const Deadline& deadline);
  // The one that a FlexClone came with, once it is listed and online.
  Result<OwnedNamespace> AwaitNamespaceIn(const OwnedVolume& clone, const Deadline& deadline);

  // ---- changing

  // See ontap::ApplySettings.
  Result<std::vector<ontap::RefusedSetting>> ApplySettings(const OwnedVolume& volume,
                                                           const ontap::FlexVolSettings& settings,
                                                           const Deadline& deadline) {
    return volumes_.ApplySettings(volume->flexvol.uuid, settings, deadline);
  }
  // Of a volume that is there.
  Result<std::optional<ontap::FlexVolState>> ReadState(const OwnedVolume& volume,
                                                       const Deadline& deadline) {
    return LookAgainUntilListed([&] { return volumes_.ReadState(volume->flexvol.uuid, deadline); },
                                deadline);
  }
  Status Resize(const OwnedVolume& volume, ByteCount size, const Deadline& deadline) {
    return volumes_.Resize(volume->flexvol.uuid, size, deadline);
  }
  Status SetComment(const OwnedVolume& volume, const std::string& comment,
                    const Deadline& deadline) {
    return volumes_.SetComment(volume->flexvol.uuid, comment, deadline);
  }
  // Returns the volume as it is known after that.
  Result<OwnedVolume> SetMark(OwnedVolume volume, const Mark& mark, const Deadline& deadline) {
    TRY(volume.record_.flexvol.comment, mark.Text());
    TRY_STATUS(SetComment(volume, volume->flexvol.comment, deadline));
    volume.record_.mark = {.owner = Owner::kOurs, .mark = mark};
    return volume;
  }
  // See ontap::FlexVols.
  Status StartMove(const OwnedVolume& volume, const std::string& aggregate,
                   const Deadline& deadline) {
    return volumes_.StartMove(volume->flexvol.uuid, aggregate, deadline);
  }
  Result<ontap::FlexVolPlace> ReadPlace(const OwnedVolume& volume, const Deadline& deadline) {
    return volumes_.ReadPlace(volume->flexvol.uuid, deadline);
  }
  Status StartSplit(const OwnedVolume& clone, const Deadline& deadline) {
    return volumes_.StartSplit(clone->flexvol.uuid, deadline);
  }
  // None for an array that is known to have no such protection of disks.
  Status SetRansomwareProtection(const OwnedVolume& volume, bool is_on, const Deadline& deadline);
  // For a volume that lives for minutes, which locked snapshots would keep for half a day. Nothing is
  // sent to an array that is not known to protect new volumes by itself.
  Status KeepUnprotected(const OwnedVolume& volume, const Deadline& deadline);
  Status Rename(const OwnedVolume& volume, const std::string& flexvol, const Deadline& deadline) {
    return volumes_.Rename(volume->flexvol.uuid, flexvol, deadline);
  }
  // The same volume as it is known after that.
  static OwnedVolume Renamed(OwnedVolume volume, std::string flexvol, const VolumeName& name) {
    volume.record_.flexvol.name = std::move(flexvol);
    volume.record_.flexvol.group.reset();
    volume.record_.name = name;
    return volume;
  }
  // Renames to what a volume of that name is called. A lost answer is settled by the UUID behind the name.
  // kAlreadyExists with Refusal::kNameLost when another volume has it.
  Result<OwnedVolume> TakeName(const OwnedVolume& volume, const VolumeName& name,
                               const Deadline& deadline);
  // `is_final`: past the recovery queue. Idempotent.
  Status Delete(const OwnedVolume& volume, bool is_final, const Deadline& deadline) {
    return volumes_.Delete(volume->flexvol.uuid, is_final, deadline);
  }
  // Takes what was deleted out of the recovery queue, where deleting cannot go past it.
  Status PurgeDeleted(const OwnedVolume& volume, const Deadline& deadline) {
    return queue_.PurgeDeleted(volume->flexvol.name, deadline);
  }
  Status Restore(const OwnedVolume& volume, const ArraySnapshotName& snapshot,
                 const Deadline& deadline) {
    return volumes_.Restore(volume->flexvol.uuid, snapshot.Text(), deadline);
  }
  Status Grow(const OwnedNamespace& ns, ByteCount size, const Deadline& deadline) {
    return namespaces_.Grow(ns->uuid, size, deadline);
  }
  // To the subsystem of the storage. Idempotent. kConflict when it is mapped elsewhere.
  Status Map(const OwnedNamespace& ns, const Deadline& deadline) {
    return subsystems_.Map(ns->uuid, subsystem_, deadline);
  }
  // From that subsystem. Idempotent.
  Status Unmap(const OwnedNamespace& ns, const Uuid& subsystem, const Deadline& deadline) {
    return subsystems_.Unmap(subsystem, ns->uuid, deadline);
  }
  // From whatever it is mapped to, which is asked first.
  Status UnmapAnywhere(const OwnedNamespace& ns, const Deadline& deadline);

  // ---- bringing back from the recovery queue

  // Of one name, or all that are ours by name: the queue shows no marks. One request.
  Result<std::vector<DeletedVolume>> ListDeleted(const std::optional<VolumeName>& name,
                                                 const Deadline& deadline);
  // See ontap::RecoveryQueue.
  Status Recover(const DeletedVolume& deleted, const Deadline& deadline) {
    return queue_.Recover(deleted.queued_as, deadline);
  }
  // What has come back and has no other name than that of the queue: ours, or offline and without a mark
  // to be seen. Two requests side by side.
  Result<std::vector<OwnedDisk>> ListReturning(const VolumeName& name, const Deadline& deadline);
  // One that was just recovered, ours or unmarked. kConflict for another owner's.
  Result<std::optional<OwnedVolume>> FindReturning(const DeletedVolume& deleted,
                                                   const Deadline& deadline);
  Status BringOnline(const OwnedVolume& volume, const Deadline& deadline) {
    return volumes_.BringOnline(volume->flexvol.uuid, deadline);
  }

  // ---- adopting

  // What is at that path, if it may become a disk of that VM: alone in a FlexVol that serves nothing else,
  // mapped nowhere, nobody's. Else the error says what is in the way, and what to do about it; nothing: the
  // array lists nothing there. At most four requests.
  Result<std::optional<Stranger>> FindStranger(const AdoptionSource& source, std::uint64_t vmid,
                                               const Deadline& deadline);
  // In place; a lost answer is settled by what is at the path then.
  Result<OwnedNamespace> Convert(const Stranger& stranger, const Deadline& deadline);

  // ---- going back in place; see CopyName

  // Whether the copy was made by a rollback of this storage.
  bool IsOurs(const OwnedNamespace& copy) const;
  // Less than zero where the clock was set back since, or another node's is ahead.
  static Duration AgeOf(const OwnedNamespace& copy, Clock& clock);
  // Like RequireNamespaceIn.
  Result<NamespaceAndCopies> RequireWithCopies(const OwnedVolume& volume, const Deadline& deadline);
  // Of what was in the snapshot. A lost answer is settled by the name, which no other operation
  // gives.
  Result<OwnedNamespace> MakeCopy(const OwnedNamespace& ns, const ArraySnapshotName& snapshot,
                                  const std::string& operation_id, const Deadline& deadline);
  Status Overwrite(const OwnedNamespace& ns, const OwnedNamespace& copy, const Deadline& deadline) {
    return namespaces_.Overwrite(ns->uuid, copy->uuid, deadline);
  }
  // kConflict for what is no copy of ours: no disk is ever deleted this way. Idempotent.
  Status RemoveCopy(const OwnedNamespace& copy, const Deadline& deadline);

  // ---- snapshots of volumes

  // Whether it holds a snapshot that only time can remove.
  Result<bool> HasLockedSnapshot(const OwnedVolume& volume, const Deadline& deadline);
  // Oldest first within a volume. One request.
  Result<std::vector<OwnedSnapshot>> ListSnapshots(const std::vector<OwnedVolume>& volumes,
                                                   const Deadline& deadline);
  // The same with size and expiry, of those that ListDisks has listed for that VM, or for all. One
  // request a page.
  Result<std::vector<OwnedSnapshot>> ListSnapshotsWithDetails(
      const std::vector<OwnedVolume>& volumes, std::optional<std::uint64_t> vmid,
      const Deadline& deadline);
  // Those of that name. kNotFound with Refusal::kGone when another volume has one of the names by
  // now, and such a snapshot; or when a single volume is gone.
  Result<std::vector<OwnedSnapshot>> FindSnapshots(const std::vector<OwnedVolume>& volumes,
                                                   const ArraySnapshotName& snapshot,
                                                   const Deadline& deadline);
  // Those that this storage made full clones from. One request, or one per volume.
  Result<std::vector<OwnedSnapshot>> FindCloneSnapshots(const std::vector<OwnedVolume>& volumes,
                                                        const Deadline& deadline);
  Status CreateSnapshot(const OwnedVolume& volume, const ArraySnapshotName& snapshot,
                        const Mark& mark, const Deadline& deadline);
  Status DeleteSnapshot(const OwnedSnapshot& snapshot, const Deadline& deadline);
  // With that comment, by one request. Idempotent. kAlreadyExists.
  Status RenameSnapshot(const OwnedSnapshot& snapshot, const ArraySnapshotName& name,
                        const std::string& comment, const Deadline& deadline) {
    return snapshots_.Rename(snapshot->volume_uuid, snapshot->uuid, name.Text(), comment, deadline);
  }
  Status SetSnapshotComment(const OwnedSnapshot& snapshot, const std::string& comment,
                            const Deadline& deadline) {
    return snapshots_.SetComment(snapshot->volume_uuid, snapshot->uuid, comment, deadline);
  }

 private:
  struct StoredNames;

  Result<StoredNames> NamesOf(const VolumeName& name) const;
  // What speaks against the FlexVol of a stranger by its name, its comment and its state.
  Status RequireNobodys(const ontap::FlexVol& flexvol, const AdoptionSource& source,
                        std::uint64_t vmid) const;
  std::optional<VolumeName> VolumeOfQueued(std::string_view flexvol) const {
    return names_.VolumeOf(ontap::NameBeforeDeletion(flexvol));
  }
  // What it was before it was deleted, if it comes back from there. An array may show the comment of a
  // volume that is online only: one that is offline may be ours.
  std::optional<VolumeName> ReturningAs(const ontap::FlexVol& flexvol) const;
  OwnedVolume Admit(ontap::FlexVol flexvol, VolumeName name) const;
  OwnedVolume Admit(ontap::FlexVol flexvol) const;
  OwnedDisk Admit(ontap::DiskObjects objects, VolumeName name) const;
  DisksAndParked Sort(std::vector<ontap::DiskObjects> found) const;
  // A lost answer, or a path that is suddenly taken, is settled by the mark.
  Result<ontap::NvmeNamespace> MakeNamespace(const std::string& flexvol, ByteCount size,
                                             const Mark& mark, const Deadline& deadline);
  Result<OwnedVolume> SettleMade(const Result<Uuid>& made, const std::string& flexvol,
                                 const Mark& mark, UndoSteps& undo, const Deadline& deadline);
  // Looks until it is listed. kAlreadyExists with Refusal::kNameLost when another operation made
  // what has that name.
  Result<std::optional<OwnedVolume>> FindMade(const std::string& flexvol, const Mark& mark,
                                              const Deadline& deadline);

  std::string prefix_;
  ArrayNames names_;
  Marker marker_;
  std::string svm_;
  std::string subsystem_;
  ontap::RestClient* rest_;
  ontap::FlexVols volumes_;
  ontap::RecoveryQueue queue_;
  ontap::NvmeNamespaces namespaces_;
  ontap::NvmeSubsystems subsystems_;
  ontap::Snapshots snapshots_;
};

}  // namespace ontapnvme::catalogue::flexvol
