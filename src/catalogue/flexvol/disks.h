// SPDX-License-Identifier: AGPL-3.0-or-later
// The disks of one storage as FlexVols with a namespace each.
#pragma once

#include "catalogue/disk_store.h"
#include "catalogue/flexvol/adopting.h"
#include "catalogue/flexvol/disk_lookup.h"
#include "catalogue/flexvol/disk_making.h"
#include "catalogue/flexvol/renaming.h"
#include "catalogue/flexvol/session.h"
#include "catalogue/flexvol/undeleting.h"

namespace ontapnvme::catalogue::flexvol {

class Disks : public DiskStore {
 public:
  // Borrowed.
  explicit Disks(const Session& session)
      : session_(&session),
        lookup_(session),
        making_(session),
        renaming_(session),
        undeleting_(session),
        adopting_(session) {}

  Found<Disk> Find(const VolumeName& name, const Deadline& deadline) override {
    return lookup_.Find(name, deadline);
  }
  Found<DiskNamespace> FindNamespace(const VolumeName& name, const Deadline& deadline) override {
    return lookup_.FindNamespace(name, deadline);
  }
  Result<std::vector<Disk>> List(std::optional<std::uint64_t> vmid,
                                 const Deadline& deadline) override {
    return lookup_.List(vmid, deadline);
  }
  Result<Neighbours> ListNeighbours(const std::vector<std::uint64_t>& vmids,
                                    const std::optional<VolumeName>& also,
                                    const Deadline& deadline) override {
    return lookup_.ListNeighbours(vmids, also, deadline);
  }
  Result<std::string> ContainerName(const VolumeName& name) const override {
    return session_->gate.names().FlexVol(name);
  }

  Result<Disk> Make(const VolumeName& name, ByteCount size, const Neighbours& neighbours,
                    const Deadline& deadline) override {
    return making_.Make(name, size, neighbours, deadline);
  }
  Result<Disk> Clone(const CloneSource& source, const VolumeName& name,
                     const Neighbours& neighbours, const Deadline& deadline) override {
    return making_.Clone(source, name, neighbours, deadline);
  }

  Result<std::vector<Disk>> CloneFully(const std::vector<FullCloneOf>& clones,
                                       const std::optional<SnapshotName>& snapshot,
                                       const Neighbours& neighbours,
                                       const Deadline& deadline) override {
    return making_.CloneFully(clones, snapshot, neighbours, deadline);
  }
  Result<std::vector<CopyProgress>> ReadCopyProgress(std::uint64_t vmid,
                                                     const Deadline& deadline) override {
    return lookup_.ReadCopyProgress(vmid, deadline);
  }

  Status Map(const DiskNamespace& ns, const Deadline& deadline) override;
  Status Unmap(const DiskNamespace& ns, const Deadline& deadline) override;
  Status Grow(const Disk& disk, ByteCount size, const Deadline& deadline) override;
  Status TurnIntoBase(const Disk& disk, const VolumeName& base, const Deadline& deadline) override {
    return renaming_.TurnIntoBase(disk, base, deadline);
  }
  Status Rename(const Volume& volume, const VolumeName& new_name, const Neighbours& neighbours,
                const Deadline& deadline) override {
    return renaming_.Rename(volume, new_name, neighbours, deadline);
  }
  Status HandOver(const Volume& volume, const OtherStorage& to, const VolumeName& new_name,
                  const Deadline& deadline) override {
    return renaming_.HandOver(volume, to, new_name, deadline);
  }
  bool HasNamesOf(const OtherStorage& other) override { return renaming_.HasNamesOf(other); }
  Result<Disk> TakeOver(const VolumeName& name, const Deadline& deadline) override {
    return renaming_.TakeOver(name, deadline);
  }
  Status StartMove(const Volume& volume, const std::string& place,
                   const Deadline& deadline) override;
  Result<Place> ReadPlace(const Volume& volume, const Deadline& deadline) override;
  Status Annotate(const VolumeName& name, const Annotation& annotation,
                  const Deadline& deadline) override;

  Result<AdoptionOutlook> ExamineForAdoption(const AdoptionSource& source, std::uint64_t vmid,
                                             const Neighbours& neighbours,
                                             const Deadline& deadline) override {
    return adopting_.Examine(source, vmid, neighbours, deadline);
  }
  Result<Disk> Adopt(const AdoptionSource& source, const VolumeName& name,
                     const Neighbours& neighbours, const Deadline& deadline) override {
    return adopting_.Adopt(source, name, neighbours, deadline);
  }

  Result<std::vector<DeletedVolume>> ListDeleted(const Deadline& deadline) override {
    return undeleting_.List(deadline);
  }
  Result<Disk> Undelete(const VolumeName& name, const std::string& queued_as, bool is_there,
                        const Neighbours& neighbours, const Deadline& deadline) override {
    return undeleting_.Undelete(name, queued_as, is_there, neighbours, deadline);
  }

  Status RequireNoClones(const Volume& volume, const Deadline& deadline) override;
  Result<Removal> Remove(const Volume& volume, const Deadline& deadline) override;

 private:
  // What becomes of a volume whose deletion was `refused`: parked where a lock of the array's is the
  // reason.
  Result<Removal> Defer(const OwnedVolume& volume, Error refused, const Deadline& deadline);
  // `removal` once it is parked, else `error`.
  Result<Removal> ParkOr(const OwnedVolume& volume, Error error, Removal removal,
                         const Deadline& deadline);
  // For a volume that only deleted clones in the recovery queue, full clones that are being split, or
  // locked snapshots still hold: out of sight, until LeftOvers deletes it when they are gone.
  Status Park(const OwnedVolume& volume, const Deadline& deadline);
  // What has to be so before it is parked: it is outside its group and carries our mark.
  Status PrepareParking(const OwnedVolume& volume, const Deadline& deadline);

  const Session* session_;
  DiskLookup lookup_;
  DiskMaking making_;
  Renaming renaming_;
  Undeleting undeleting_;
  Adopting adopting_;
};

}  // namespace ontapnvme::catalogue::flexvol
