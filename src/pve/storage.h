// SPDX-License-Identifier: AGPL-3.0-or-later
// What Proxmox's storage hooks ask for, for one storage. The only header that the Perl binding
// includes.
//
// Every call has a budget of its own (changes 45 s, below the 60 s that Proxmox gives to the holder
// of a storage lock; lists 10 s; status 5 s; CheckConnection 2 s), shared by requests, jobs, retries
// and waits for devices. It ends early when the caller's task is stopped (kInterrupted), and soon
// when the array is known to be silent (docs/adr/0016). Allocate, Free, Undelete, Adopt,
// RemoveAbandoned, CreateBase, Clone, CloneVm, Rename, AdoptSnapshot, HandOver, TakeOver, SetNotes and SetProtected are
// called by the holder of Proxmox's lock of the storage, on whichever node. Calls block; an object serves
// one thread. After a fork the child may go on using its copy: connections are abandoned, not shared.
//
// Names of volumes and snapshots are Proxmox's. kInvalidArgument for what is not such a name, and
// kUnavailable, kTimedOut, kInterrupted, kUnauthenticated and kPermissionDenied from the array, are
// possible everywhere. Errors name the volume; the caller names the storage.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/byte_count.h"
#include "base/deadline.h"
#include "base/log.h"
#include "base/result.h"
#include "model/check_result.h"
#include "model/disk_fact.h"
#include "model/probe_finding.h"
#include "model/storage_config.h"
#include "model/storage_types.h"

namespace ontapnvme::pve {

struct StorageParts;

class Storage {
 public:
  // Makes the object; sends nothing. kInvalidArgument when a setting is wrong. `interrupt` is
  // borrowed, may be null and outlives the object.
  static Result<std::unique_ptr<Storage>> Create(const std::string& storage_id,
                                                 const Settings& settings, Secrets secrets,
                                                 const Surroundings& surroundings,
                                                 Interrupt* interrupt);
  // The same from given parts (storage_parts.h).
  static std::unique_ptr<Storage> Assemble(StorageConfig config, Secrets secrets,
                                           const Surroundings& surroundings, StorageParts parts);
  ~Storage();
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  // ---- the storage

  // Asks the array for everything that a new or changed storage needs: release, platform, SVM, where
  // its disks will lie, policies, rights, LIFs. Registers this node's host NQN. Idempotent.
  Status Verify();
  // True when disks of this storage can be used here now: the array answers, or it does not and data
  // paths are live. Never fails.
  bool CheckConnection();
  // Registers this node with the subsystem and connects every data path that is missing. No request
  // and no process when all is well. Idempotent.
  Status Activate();
  Result<CapacityInfo> Capacity();
  // kBusy while the storage holds disks; kUnavailable when the array does not say.
  Status RequireEmpty();
  // Which storage this is, whatever it is called: the same text for two storages that show the same
  // disks. Not for display.
  Result<std::string> Identity();
  // The settings name what holds the disks otherwise than before (`vserver`): success when it is the
  // same. kConflict when it is not, or nothing shows that it is. Changes nothing.
  Status RequireSameDisks();
  // Brings existing objects to what the settings say now, where they said something else `before`:
  // snapshot policy, automatic snapshot deletion, QoS policy. What could not be changed is counted
  // and named by a warning, and is not a failure.
  Status ApplyChanges(const Settings& before);
  // What is unfinished on the array, one line each, for people: what interrupted operations left,
  // what waits to be deleted, snapshots that are shown as devices. Changes nothing.
  Result<std::vector<std::string>> Pending();
  // Removes what interrupted operations left and nobody has: empty volumes and unfinished clones that are
  // an hour old, groups without members, volumes that wait to be deleted, snapshot devices that nobody
  // uses. `named`: the volumes that guests' configurations name, without base parts; nothing of those is
  // touched, and each must be listed as a whole disk, or nothing is removed at all, as when anything
  // could not be read. Returns what was done, a line each. Volumes go to the recovery queue, unless the
  // storage has `force_delete`.
  Result<std::vector<std::string>> RemoveAbandoned(const std::vector<std::string>& named);
  // Looks at everything around the storage that is known to go wrong: the array, the disks on it, this
  // node and its paths. What fails is a result, not an error. Changes nothing.
  Result<CheckResults> Examine();
  // What is behind a disk, on the array and on this node. `what`: a volume name, the UUID of a namespace
  // or of what holds it, or the latter's name on the array. kNotFound. Changes nothing.
  Result<DiskFacts> Explain(const std::string& what);
  // What can be asked of the array where its documentation leaves open how it behaves, in the order in
  // which it is to be run. Sends nothing.
  Result<std::vector<ProbeInfo>> Probes();
  // One of them: makes small scratch objects, which no host is shown, and takes them away again; what a
  // killed process leaves of them the next probe and `recovery` take away. Called by the holder of Proxmox's
  // lock of the storage. kInvalidArgument for what is no probe; kPermissionDenied, or the array's refusal,
  // for what the plugin cannot do without.
  Result<ProbeFinding> RunProbe(const std::string& probe);
  // Removes this node's links except those of disks in use, disconnects its paths if no disk here is
  // in use, and forgets what was remembered in the state directory. Idempotent; never asks the
  // array.
  Status Forget();

  // ---- volumes

  // The volumes of this storage, of one VM if given. Objects with another owner's mark are invisible.
  Result<std::vector<DiskInfo>> List(std::optional<std::uint64_t> vmid);
  // kNotFound when there is no such volume.
  Result<DiskInfo> Info(const std::string& volume_name);
  // Creates a disk of exactly that size (rounded up to 4 KiB) and returns its name. Without a name,
  // the lowest free vm-<vmid>-disk-<n>. kAlreadyExists when a given name is taken, kNoSpace. All or
  // nothing.
  Result<std::string> Allocate(std::uint64_t vmid, const std::string& name, std::uint64_t size_kib);
  // Unmaps and deletes. Idempotent: a missing volume is success. kBusy while it is in use on this
  // node, is protected, or has clones (named in the error).
  Status Free(const std::string& volume_name);
  // What was deleted and can be brought back, of this storage's names; whose it is shows when it is back.
  Result<std::vector<DeletedInfo>> ListDeleted();
  // Brings a deleted volume back, and returns its name: with bytes and snapshots, as a disk that no VM has
  // in its configuration. `queued_as` says which one (DeletedInfo); empty: the only one of that name. Done
  // again it goes on with what was interrupted, and is a success for what is there. kAlreadyExists while
  // another volume has the name, kConflict for several and for what is not this storage's, kNotFound,
  // kPermissionDenied: the account must have a right of its own for it.
  Result<std::string> Undelete(const std::string& volume_name, const std::string& queued_as);
  // Whether a namespace that is no disk of this storage, or a LUN, can become a disk of that VM, and what
  // comes along. `path` is the array's, /vol/VOLUME/NAME. Changes nothing. kNotFound; kConflict and kBusy
  // for what must not become one, kAlreadyExists for what is a disk of this storage.
  Result<AdoptionInfo> ExamineForAdoption(const std::string& path, bool is_lun, std::uint64_t vmid);
  // Makes it one, where it is, and returns its name: with its bytes and snapshots, as a disk that no VM has
  // in its configuration. Done again it goes on with what was interrupted; nothing is deleted. As above.
  Result<std::string> Adopt(const std::string& path, bool is_lun, std::uint64_t vmid);
  // Proves the device and points the link at it. Idempotent. Returns the link's path.
  Result<std::string> ActivateVolume(const std::string& volume_name);
  // Flushes and removes the link. Idempotent; success when nothing was active. No request unless
  // this node has a snapshot of the volume active.
  Status DeactivateVolume(const std::string& volume_name);
  // Grows to `size_bytes`, and returns when this node's kernel shows it (where the device is
  // present).
  Status Resize(const std::string& volume_name, std::uint64_t size_bytes);

  // ---- templates, clones, other VMs, attributes

  // Turns a disk into a base image, from which linked clones are made: vm-… becomes base-…. Returns
  // the new name, with the parent that a linked clone keeps. kBusy while it is in use on this node.
  // All or nothing.
  Result<std::string> CreateBase(const std::string& volume_name);
  // A disk of `vmid` that begins as the base image (whose name its own name then contains), or as the
  // snapshot if one is given (empty: none), and shares their blocks. kInvalidArgument without a
  // snapshot for a disk that is not a base image; kNotFound. All or nothing.
  Result<std::string> Clone(const std::string& volume_name, const std::string& snapshot,
                            std::uint64_t vmid);
  // Full clones of disks of one VM for `vmid`, in the state that all of them had at one moment: in the
  // snapshot if one is given (empty: none), now, or as base images have it. Returns their names in the
  // order of the given ones. They are disks like any other at once; the array copies in the background
  // what they share with their sources, and begins anew what was interrupted when the next operation
  // looks for left-overs. All or nothing, also when the process is killed. kInvalidArgument for none,
  // for disks of several VMs, and for `vmid` itself; kNotFound.
  Result<std::vector<std::string>> CloneVm(const std::vector<std::string>& volume_names,
                                           const std::string& snapshot, std::uint64_t vmid);
  // How far the array is with the full clones of that VM, finished ones too.
  Result<std::vector<CopyInfo>> CopyProgress(std::uint64_t vmid);
  // Gives the disk to another VM, under that name or the lowest free one (empty), and returns its
  // name, with the parent that a linked clone keeps. Device and data stay what they are.
  // kAlreadyExists. All or nothing.
  Result<std::string> Rename(const std::string& volume_name, std::uint64_t vmid,
                             const std::string& new_name);
  // Begins to move the disk to another part of the array, where that has parts, while it is used:
  // name, data and device stay what they are, whatever becomes of the move. Idempotent. kNotFound,
  // kPermissionDenied where the account must not, kBusy while it moves elsewhere.
  Status StartMove(const std::string& volume_name, const std::string& place);
  // Where it is, and how far a move is.
  Result<PlaceInfo> WhereIs(const std::string& volume_name);
  // To another storage of the same SVM and cluster, without a copy. This one hands the disk over under a
  // name there (`to_identity`: what that storage's Identity says), that one takes it over; in between it
  // is that one's already. HandOver returns the name, and an empty one when this storage provably has
  // no such disk any more: then MovedVolumes of the other one has those that were "STORAGE:VOLUME" when
  // they came. All three are idempotent. kBusy while it is in use here; kUnsupported for base images,
  // linked clones and another SVM; kAlreadyExists.
  Result<std::string> HandOver(const std::string& volume_name, const std::string& to_storage,
                               const std::string& to_identity, const std::string& new_name);
  Result<std::vector<std::string>> MovedVolumes(std::uint64_t vmid, const std::string& moved_from);
  Status TakeOver(const std::string& volume_name);
  // Kept on the array. kInvalidArgument when they are too long for it.
  Status SetNotes(const std::string& volume_name, const std::string& notes);
  Status SetProtected(const std::string& volume_name, bool is_protected);

  // ---- a volume as a stream of bytes

  // The stream is 8 bytes little endian with the size in bytes, then the bytes. These have no budget
  // once the device is active, and end early when the caller's task is stopped. File descriptors are
  // borrowed. The device is proven before it is opened, as by activation.
  Status Export(const std::string& volume_name, const std::string& snapshot, int fd);
  // The size that the stream begins with. kInvalidArgument for what cannot be the size of a disk.
  Result<std::uint64_t> ReadImportSize(int fd);
  // Writes what follows to the volume, which is fresh: zeros are not written. Returns when all of it
  // is on the array. kConflict when the stream ends early.
  Status Import(const std::string& volume_name, std::uint64_t size_bytes, int fd);

  // ---- snapshots

  // A snapshot of the volume's VM is about to be taken: reads what CreateSnapshot needs to know, so
  // that it is one request for half a minute. Best effort: fails for what is no name only.
  Status PrepareSnapshot(const std::string& volume_name);
  // The first call of an operation takes the snapshot of all disks that the array can take together;
  // it answers the calls for the others. The guest may stand still meanwhile, so the calls for one
  // snapshot take 5 s in all; after that it is given up: what the array takes of it all the same is
  // removed by a later Activate on this node. kAlreadyExists when a snapshot of that name is there that
  // this operation did not make.
  Status CreateSnapshot(const std::string& volume_name, const std::string& snapshot);
  // Idempotent: missing is success. kBusy when a clone depends on it.
  Status DeleteSnapshot(const std::string& volume_name, const std::string& snapshot);
  // The names of newer snapshots, which a rollback would destroy: it is possible only when there is
  // none. kNotFound when the volume has no such snapshot.
  Result<std::vector<std::string>> RollbackBlockers(const std::string& volume_name,
                                                    const std::string& snapshot);
  // Reverts. kBusy while the device is in use here or newer snapshots exist.
  Status Rollback(const std::string& volume_name, const std::string& snapshot);
  Result<std::vector<SnapshotInfo>> ListSnapshots(const std::string& volume_name);
  // All that are on the array, of the storage's disks or of one VM's, whoever took them: oldest first
  // within a VM.
  Result<std::vector<VmSnapshotInfo>> ListVmSnapshots(std::optional<std::uint64_t> vmid);
  // Makes a snapshot that the array took by itself, on all these disks of one VM, a snapshot of
  // Proxmox's under that name, which no schedule removes. Idempotent, also after a process that was
  // killed. kNotFound when a disk does not have it; kAlreadyExists; kUnsupported, kBusy and kConflict
  // when the array does not rename it.
  Result<AdoptedInfo> AdoptSnapshot(const std::vector<std::string>& volume_names,
                                    const std::string& array_name, const std::string& snapshot);
  // Makes the snapshot's bytes a device of this node (a mapped clone, which no other node is shown)
  // and points the link <volume>@<snapshot> at it. Idempotent. Returns the link's path. `snapshot` is
  // Proxmox's name or what VmSnapshotInfo::shown_as says, here and for DeactivateSnapshot.
  Result<std::string> ActivateSnapshot(const std::string& volume_name, const std::string& snapshot);
  // Removes link and clone. Idempotent; no request when this node has none. kBusy while it is in use.
  Status DeactivateSnapshot(const std::string& volume_name, const std::string& snapshot);

  // What the calls since the last TakeLog want an administrator to know.
  std::vector<LogRecord> TakeLog();

 private:
  class Impl;
  explicit Storage(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ontapnvme::pve
