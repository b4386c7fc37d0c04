// SPDX-License-Identifier: AGPL-3.0-or-later
// The port to the disks of one storage on the array. What kind of array is behind it, and how
// many objects make up a disk, is the back end's business.
//
// Every call sees only what is ours: objects that carry another owner's mark are neither found nor
// touched. Making and changing is all or nothing: what was begun when a later step fails is undone
// within kUndoBudget after the deadline, and what could not be undone stands in the error. A lost
// answer is settled by the mark. Errors name the volume; common codes: kUnavailable, kTimedOut,
// kInterrupted, kUnauthenticated, kPermissionDenied.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "catalogue/found.h"
#include "catalogue/records.h"

namespace ontapnvme::catalogue {

// How long undoing may take after the budget of the operation itself is over: what cannot be undone
// by then is named in the error and carries our mark.
inline constexpr Duration kUndoBudget{8000};

// Sizes of namespaces are multiples of this.
inline constexpr std::uint64_t kBlockBytes = 4096;
// The largest namespace of any platform: 128 TiB (NetApp's REST reference, namespaces: space.size).
inline constexpr ByteCount kDiskSizeMax{140'737'488'355'328};

// Where a clone begins: a base image, or one of a disk's snapshots.
struct CloneSource {
  VolumeName volume;
  std::optional<SnapshotName> snapshot;
};

// A disk that is cloned in full, and what its clone is called.
struct FullCloneOf {
  VolumeName source;
  VolumeName name;
};

// A full clone is a disk like any other at once, while the array still copies what it shares with its
// source.
struct CopyProgress {
  VolumeName name;
  bool has_begun = false;
  unsigned percent = 0;  // 100: it shares nothing any more
};

// Which part of the array a disk is on, and on its way to which.
struct Place {
  std::string place;
  std::string destination;  // empty: it does not move
  unsigned percent = 0;     // of what is to be copied there
  std::string state;        // of the move, in the array's word
};

// What an administrator says about a volume; absent parts stay as they are.
struct Annotation {
  std::optional<std::string> notes;
  std::optional<bool> is_protected;
};

// A namespace that is no disk of this storage, or a LUN, which is to become one.
struct AdoptionSource {
  std::string path;  // the array's: /vol/VOLUME/NAME
  bool is_lun = false;
};

// What adopting it would do.
struct AdoptionOutlook {
  std::optional<VolumeName> disk;  // it has been adopted already, as that one
  ByteCount size;
  std::vector<std::string> remarks = {};  // what comes along and what changes, for people
};

// Another storage of the same cluster.
struct OtherStorage {
  std::string storage_id;
  std::string identity;  // as its Array::Identity says
};

enum class Removal {
  kRemoved,
  kDeferred,        // out of sight; it goes when deleted clones no longer hold it
  kDeferredByCopy,  // likewise, when its full clones share nothing with it any more
  kDeferredByLock,  // likewise, when snapshots that the array has locked have expired
};

class DiskStore {
 public:
  virtual ~DiskStore() = default;

  // ---- looking

  virtual Found<Disk> Find(const VolumeName& name, const Deadline& deadline) = 0;
  // The namespace only, for one request. kConflict when the volume holds several.
  virtual Found<DiskNamespace> FindNamespace(const VolumeName& name, const Deadline& deadline) = 0;
  // Whole disks (with a namespace), of one VM if given. Mappings are unread.
  virtual Result<std::vector<Disk>> List(std::optional<std::uint64_t> vmid,
                                         const Deadline& deadline) = 0;
  // What there is of these VMs, and of the volume `also` if given. One request.
  virtual Result<Neighbours> ListNeighbours(const std::vector<std::uint64_t>& vmids,
                                            const std::optional<VolumeName>& also,
                                            const Deadline& deadline) = 0;

  // The name of the container that holds the volume of that name, by the rule for names alone: what
  // a device's labels must say while the array does not answer. Sends nothing. kInvalidArgument for
  // a name that no container can have.
  virtual Result<std::string> ContainerName(const VolumeName& name) const = 0;

  // ---- making

  // A new disk of exactly that size, mapped, in its VM's group where it belongs to one. The name is
  // none of `neighbours`. kAlreadyExists with Refusal::kNameLost when somebody else has taken the
  // name since: nothing was made, and another name may be tried. kNoSpace.
  virtual Result<Disk> Make(const VolumeName& name, ByteCount size, const Neighbours& neighbours,
                            const Deadline& deadline) = 0;
  // The same for a disk that shares the blocks of `source`, which is among `neighbours`. `name` has
  // the base part where the source is a base image. kNotFound when there is no such snapshot.
  virtual Result<Disk> Clone(const CloneSource& source, const VolumeName& name,
                             const Neighbours& neighbours, const Deadline& deadline) = 0;

  // Full clones of disks of one VM for another one, all in the state that they had at one moment: in
  // the snapshot, or, without one, now; base images as they are. The sources are among `neighbours`,
  // the names are not, and those are of one VM. All of them or none, also when the process is killed.
  // They are returned in that order; the array copies in the background. kNotFound when there is no
  // such snapshot; kAlreadyExists with Refusal::kNameLost as for Make.
  virtual Result<std::vector<Disk>> CloneFully(const std::vector<FullCloneOf>& clones,
                                               const std::optional<SnapshotName>& snapshot,
                                               const Neighbours& neighbours,
                                               const Deadline& deadline) = 0;
  // How far the full clones of that VM are, finished ones too. One request.
  virtual Result<std::vector<CopyProgress>> ReadCopyProgress(std::uint64_t vmid,
                                                             const Deadline& deadline) = 0;

  // ---- changing

  // Maps to this storage's subsystem. Idempotent; kConflict when it is mapped elsewhere.
  virtual Status Map(const DiskNamespace& ns, const Deadline& deadline) = 0;
  // Unmaps from whatever it is mapped to. Idempotent.
  virtual Status Unmap(const DiskNamespace& ns, const Deadline& deadline) = 0;
  // Grows to `size`, with what the container needs besides. Idempotent. kNoSpace.
  virtual Status Grow(const Disk& disk, ByteCount size, const Deadline& deadline) = 0;
  // Turns the disk into the base image of that name, with a snapshot for linked clones, outside its
  // group.
  virtual Status TurnIntoBase(const Disk& disk, const VolumeName& base,
                              const Deadline& deadline) = 0;
  // Gives the disk another name, and another VM with it. `volume` and the VMs of both names are
  // among `neighbours`. kAlreadyExists with Refusal::kNameLost as for Make.
  virtual Status Rename(const Volume& volume, const VolumeName& new_name,
                        const Neighbours& neighbours, const Deadline& deadline) = 0;
  // Gives the disk to another storage, under that name there: its objects get that one's names and mark.
  // Whenever this ends, one storage lists it, this one or the other. Data, snapshots and map stay; the
  // mark says where it came from. kUnsupported when that storage's disks are elsewhere, or names of
  // both cannot be told apart; kAlreadyExists with Refusal::kNameLost as for Make.
  virtual Status HandOver(const Volume& volume, const OtherStorage& to, const VolumeName& new_name,
                          const Deadline& deadline) = 0;
  // Whether HandOver to that storage leaves the name of the container as it is, under the same name.
  virtual bool HasNamesOf(const OtherStorage& other) = 0;
  // What is left to do about a disk that was handed over to this storage: its mark, its map, its group.
  // Idempotent.
  virtual Result<Disk> TakeOver(const VolumeName& name, const Deadline& deadline) = 0;
  // Begins to move a disk to another part of the array, where that has parts; it is used meanwhile. It
  // stays what it is, whatever becomes of the move. Idempotent. kNotFound for the place; kPermissionDenied
  // for an account that must not move disks; kBusy while it moves to another place.
  virtual Status StartMove(const Volume& volume, const std::string& place,
                           const Deadline& deadline) = 0;
  virtual Result<Place> ReadPlace(const Volume& volume, const Deadline& deadline) = 0;
  // kNotFound; kInvalidArgument when the notes are too long. No change, no request to make it.
  virtual Status Annotate(const VolumeName& name, const Annotation& annotation,
                          const Deadline& deadline) = 0;

  // ---- adopting what others made

  // Whether it can become a disk of that VM, whose volumes are `neighbours`. Changes nothing. kNotFound;
  // kConflict and kBusy for what must not, kAlreadyExists for what is a disk of this storage.
  virtual Result<AdoptionOutlook> ExamineForAdoption(const AdoptionSource& source,
                                                     std::uint64_t vmid,
                                                     const Neighbours& neighbours,
                                                     const Deadline& deadline) = 0;
  // Makes it the disk of that name, with its bytes and snapshots: named, marked, mapped, in its VM's group.
  // A LUN is converted first, in place. Its mark says what it was, so that the same call goes on with what
  // was interrupted, under the name that it has by then; nothing ever deletes it. Errors as above;
  // kAlreadyExists with Refusal::kNameLost as for Make.
  virtual Result<Disk> Adopt(const AdoptionSource& source, const VolumeName& name,
                             const Neighbours& neighbours, const Deadline& deadline) = 0;

  // ---- bringing back

  // What was deleted under names of this storage and can be brought back. Whose it is shows when it is
  // back. kPermissionDenied for an account that must not see it.
  virtual Result<std::vector<DeletedVolume>> ListDeleted(const Deadline& deadline) = 0;
  // Brings a volume back under its name: mapped, in its VM's group, with its bytes and snapshots. Which
  // one `queued_as` says; empty: the only one of that name. `is_there`: the name has a volume, which is
  // then brought to that state if nothing deleted is asked for. What is half-way back when it fails is
  // out of the queue and holds everything; the same call goes on with it, and nothing ever deletes it.
  // kNotFound; kAlreadyExists while another volume has the name, kConflict for several, for what does
  // not carry this storage's mark, and what is no whole disk.
  virtual Result<Disk> Undelete(const VolumeName& name, const std::string& queued_as, bool is_there,
                                const Neighbours& neighbours, const Deadline& deadline) = 0;

  // ---- removing

  // kBusy when clones hang on the volume; the error names them. Full clones do not count, once they
  // are made.
  virtual Status RequireNoClones(const Volume& volume, const Deadline& deadline) = 0;
  // Deletes an unmapped disk, recoverably unless the storage says `force_delete`. Idempotent. kBusy
  // with Refusal::kHeldByClones when clones hold it; the error names them.
  virtual Result<Removal> Remove(const Volume& volume, const Deadline& deadline) = 0;
};

}  // namespace ontapnvme::catalogue
