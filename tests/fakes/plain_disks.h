// SPDX-License-Identifier: AGPL-3.0-or-later
// The port to the disks of a PlainWorld. A caller that breaks the port's contract fails the test.
#pragma once

#include <optional>
#include <vector>

#include "catalogue/disk_store.h"
#include "fakes/plain_world.h"

namespace ontapnvme::fakes {

class PlainDisks : public catalogue::DiskStore {
 public:
  explicit PlainDisks(PlainWorld& world) : world_(&world) {}

  catalogue::Found<catalogue::Disk> Find(const VolumeName& name, const Deadline& deadline) override;
  catalogue::Found<catalogue::DiskNamespace> FindNamespace(const VolumeName& name,
                                                           const Deadline& deadline) override;
  Result<std::vector<catalogue::Disk>> List(std::optional<std::uint64_t> vmid,
                                            const Deadline& deadline) override;
  Result<catalogue::Neighbours> ListNeighbours(const std::vector<std::uint64_t>& vmids,
                                               const std::optional<VolumeName>& also,
                                               const Deadline& deadline) override;
  Result<std::string> ContainerName(const VolumeName& name) const override;
  Result<catalogue::Disk> Make(const VolumeName& name, ByteCount size,
                               const catalogue::Neighbours& neighbours,
                               const Deadline& deadline) override;
  Result<catalogue::Disk> Clone(const catalogue::CloneSource& source, const VolumeName& name,
                                const catalogue::Neighbours& neighbours,
                                const Deadline& deadline) override;
  Result<std::vector<catalogue::Disk>> CloneFully(const std::vector<catalogue::FullCloneOf>& clones,
                                                  const std::optional<SnapshotName>& snapshot,
                                                  const catalogue::Neighbours& neighbours,
                                                  const Deadline& deadline) override;
  // Copies at once.
  Result<std::vector<catalogue::CopyProgress>> ReadCopyProgress(std::uint64_t vmid,
                                                                const Deadline& deadline) override;
  Status Map(const catalogue::DiskNamespace& ns, const Deadline& deadline) override;
  Status Unmap(const catalogue::DiskNamespace& ns, const Deadline& deadline) override;
  Status Grow(const catalogue::Disk& disk, ByteCount size, const Deadline& deadline) override;
  Status TurnIntoBase(const catalogue::Disk& disk, const VolumeName& base,
                      const Deadline& deadline) override;
  Status Rename(const catalogue::Volume& volume, const VolumeName& new_name,
                const catalogue::Neighbours& neighbours, const Deadline& deadline) override;
  // This array has no parts.
  Status HandOver(const catalogue::Volume& volume, const catalogue::OtherStorage& to,
                  const VolumeName& new_name, const Deadline& deadline) override;
  bool HasNamesOf(const catalogue::OtherStorage&) override { return false; }
  Result<catalogue::Disk> TakeOver(const VolumeName& name, const Deadline& deadline) override;
  Status StartMove(const catalogue::Volume& volume, const std::string& place,
                   const Deadline& deadline) override;
  Result<catalogue::Place> ReadPlace(const catalogue::Volume& volume,
                                     const Deadline& deadline) override;
  Status Annotate(const VolumeName& name, const catalogue::Annotation& annotation,
                  const Deadline& deadline) override;
  Result<catalogue::AdoptionOutlook> ExamineForAdoption(const catalogue::AdoptionSource& source,
                                                        std::uint64_t vmid,
                                                        const catalogue::Neighbours& neighbours,
                                                        const Deadline& deadline) override;
  Result<catalogue::Disk> Adopt(const catalogue::AdoptionSource& source, const VolumeName& name,
                                const catalogue::Neighbours& neighbours,
                                const Deadline& deadline) override;
  Result<std::vector<catalogue::DeletedVolume>> ListDeleted(const Deadline& deadline) override;
  Result<catalogue::Disk> Undelete(const VolumeName& name, const std::string& queued_as,
                                   bool is_there, const catalogue::Neighbours& neighbours,
                                   const Deadline& deadline) override;
  Status RequireNoClones(const catalogue::Volume& volume, const Deadline& deadline) override;
  Result<catalogue::Removal> Remove(const catalogue::Volume& volume,
                                    const Deadline& deadline) override;

 private:
  PlainWorld* world_;
};

}  // namespace ontapnvme::fakes
