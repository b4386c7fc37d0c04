// SPDX-License-Identifier: AGPL-3.0-or-later
// What Proxmox's storage hooks ask for, for one storage. The only header that the Perl binding
// includes.
//
// Every call has a budget of its own (mutating 45 s, below the 60 s that Proxmox gives to the
// holder of a storage lock; lists 10 s; status 5 s; check_connection 2 s), shared by requests,
// jobs, retries and waits for devices. It ends early when the caller's task is stopped
// (kInterrupted), and soon when the array is known to be silent (docs/adr/0016). Allocate, Free,
// CreateBase, Clone, Rename, SetNotes and SetProtected are called by the holder of Proxmox's lock
// of the storage, no matter on which node. Calls block; an object serves one thread. After a fork
// the child may go on using its copy: connections are abandoned, not shared. Errors name the
// volume; the storage is named by the caller.
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
#include "pve/storage_config.h"

namespace ontapnvme::pve {

// Where things are on this node and in this cluster.
struct Surroundings {
  std::string cluster_id;  // marks this cluster's objects on the array; empty: none made yet
  std::string ca_file;     // PEM file trusted in place of the system's; empty: none
  std::string state_directory = "/run/ontapnvme";
  std::string link_directory = "/dev/ontapnvme";
  // A file that all nodes see, to remember which namespace each volume is while the array does not
  // answer; empty: nothing is remembered.
  std::string disk_memory_file = {};
  // LVM's configuration of this node; empty: it is not looked at.
  std::string lvm_config_file = {};
};

struct DiskInfo {
  std::string volume_name;  // byte for byte what Allocate returned
  std::uint64_t vmid = 0;
  ByteCount size;
  ByteCount used;
  std::int64_t create_time_s = 0;  // seconds since the epoch
  std::string parent;              // volume name of the base image of a linked clone
  std::string notes;               // what the administrator wrote about it; told by Info only
  bool is_protected = false;       // Free refuses; told by Info only
};

struct CapacityInfo {
  ByteCount total;
  ByteCount available;
  ByteCount used;
};

struct SnapshotInfo {
  std::string name;  // as Proxmox knows it
  std::string id;    // UUID of the volume's snapshot
  std::int64_t create_time_s = 0;
};

class Storage {
 public:
  virtual ~Storage() = default;

  // Makes the object; sends nothing. kInvalidArgument when a setting is wrong. `interrupt` is
  // borrowed, may be null and outlives the object.
  static Result<std::unique_ptr<Storage>> Create(const std::string& storage_id,
                                                 const Settings& settings, Secrets secrets,
                                                 Surroundings surroundings, Interrupt* interrupt);

  // ---- the storage
  // -------------------------------------------------------------------------------

  // Everything a new or changed storage needs, asked of the array: release, personality, SVM,
  // aggregate, policies, rights, LIFs; registers this node's host NQN. Idempotent.
  virtual Status Verify() = 0;
  // True when disks of this storage can be used here now: the array answers, or it does not but
  // data paths are live. Never fails, answers within 2 s.
  virtual bool CheckConnection() = 0;
  // Registers this node at the subsystem and connects every data path that is missing. No request
  // and no process when all is well.
  virtual Status Activate() = 0;
  virtual Result<CapacityInfo> Capacity() = 0;
  // Refuses (kBusy) while the storage holds disks. kUnavailable when the array cannot tell.
  virtual Status RequireEmpty() = 0;
  // Which storage this is, whoever calls it what: the same text for two storages that show the same
  // disks. Not for display.
  virtual Result<std::string> Identity() = 0;
  // Brings the objects that exist to what the settings now say where they said something else
  // `before`: snapshot policy, automatic snapshot deletion, QoS policy. What could not be changed
  // is told as a warning that counts and names it; success all the same.
  virtual Status ApplyChanges(const Settings& before) = 0;
  // What is not finished on the array, one line each, for people: what interrupted operations left,
  // what waits to be deleted, snapshots that are shown as devices. Changes nothing.
  virtual Result<std::vector<std::string>> Pending() = 0;
  // Removes this node's links but those of disks in use, disconnects its paths if no disk here is
  // in use, forgets what was remembered in the state directory. Idempotent; never asks the array.
  virtual Status Forget() = 0;

  // ---- volumes
  // -----------------------------------------------------------------------------------

  // Volumes of this storage, of one VM if given. Objects with another owner's mark are invisible.
  virtual Result<std::vector<DiskInfo>> List(std::optional<std::uint64_t> vmid) = 0;
  // kNotFound when there is no such volume.
  virtual Result<DiskInfo> Info(const std::string& volume_name) = 0;
  // Creates a disk of exactly that size (rounded up to 4 KiB) and returns its name. Without a name,
  // the lowest free vm-<vmid>-disk-<n>. kAlreadyExists when a given name is taken, kNoSpace. All or
  // nothing.
  virtual Result<std::string> Allocate(std::uint64_t vmid, const std::string& name,
                                       std::uint64_t size_kib) = 0;
  // Unmaps and deletes. Idempotent: a missing volume is success. kBusy while it is in use on this
  // node, is protected, or has clones (named in the error).
  virtual Status Free(const std::string& volume_name) = 0;
  // Proves the device and points the link at it. Idempotent. Returns the link's path.
  virtual Result<std::string> ActivateVolume(const std::string& volume_name) = 0;
  // Flushes and removes the link. Idempotent; success when nothing was active. No request.
  virtual Status DeactivateVolume(const std::string& volume_name) = 0;
  // Grows to `size_bytes` and returns when this node's kernel shows it (where the device is
  // present).
  virtual Status Resize(const std::string& volume_name, std::uint64_t size_bytes) = 0;

  // ---- templates, clones, other owners, attributes
  // ---------------------------------------------------------------

  // Turns a disk into a base image, which linked clones hang on: vm-… becomes base-…. Returns the
  // new name, with the parent that a linked clone keeps. kBusy while it is in use on this node. All
  // or nothing.
  virtual Result<std::string> CreateBase(const std::string& volume_name) = 0;
  // A disk of `vmid` that begins as the base image (then its name holds that image's), or as the
  // snapshot if one is given, and shares their blocks. kInvalidArgument for a disk that is no base
  // image, without a snapshot; kNotFound. All or nothing.
  virtual Result<std::string> Clone(const std::string& volume_name, const std::string& snapshot,
                                    std::uint64_t vmid) = 0;
  // Gives the disk to another VM, under that name or the lowest free one; returns its name, with
  // the parent that a linked clone keeps. Device and data stay what they are. kAlreadyExists. All
  // or nothing.
  virtual Result<std::string> Rename(const std::string& volume_name, std::uint64_t vmid,
                                     const std::string& new_name) = 0;
  // Kept on the array. kInvalidArgument when too long for it.
  virtual Status SetNotes(const std::string& volume_name, const std::string& notes) = 0;
  virtual Status SetProtected(const std::string& volume_name, bool is_protected) = 0;

  // ---- a volume as a stream of bytes
  // ---------------------------------------------------------------

  // The stream is 8 bytes little endian with the size in bytes, then the bytes. These take as long
  // as they take, and end early when the caller's task is stopped. File descriptors are borrowed.
  // The device is proven before it is opened, as by activation.
  virtual Status Export(const std::string& volume_name, const std::string& snapshot, int fd) = 0;
  // The size that the stream begins with. kInvalidArgument for what cannot be a size of a disk.
  virtual Result<std::uint64_t> ReadImportSize(int fd) = 0;
  // Writes what follows to the volume, which is fresh: zeros are not written. Returns
  // when all is on the array. kConflict when the stream ends early.
  virtual Status Import(const std::string& volume_name, std::uint64_t size_bytes, int fd) = 0;

  // ---- snapshots
  // ---------------------------------------------------------------------------------

  // The first call of an operation takes the snapshot of the whole group; calls for its other disks
  // are answered from it. kAlreadyExists when a snapshot of that name is there that this operation
  // did not make.
  virtual Status CreateSnapshot(const std::string& volume_name, const std::string& snapshot) = 0;
  // Idempotent: missing is success. kBusy when a clone depends on it.
  virtual Status DeleteSnapshot(const std::string& volume_name, const std::string& snapshot) = 0;
  // Names of newer snapshots, which a rollback would destroy: possible only when empty. kNotFound
  // when the volume has no such snapshot.
  virtual Result<std::vector<std::string>> RollbackBlockers(const std::string& volume_name,
                                                            const std::string& snapshot) = 0;
  // Reverts. kBusy while the device is in use here or newer snapshots exist.
  virtual Status Rollback(const std::string& volume_name, const std::string& snapshot) = 0;
  virtual Result<std::vector<SnapshotInfo>> ListSnapshots(const std::string& volume_name) = 0;
  // Makes the snapshot's bytes a device of this node (a mapped clone, which nobody else is shown)
  // and points the link <volume>@<snapshot> at it. Idempotent. Returns the link's path.
  virtual Result<std::string> ActivateSnapshot(const std::string& volume_name,
                                               const std::string& snapshot) = 0;
  // Removes link and clone. Idempotent; no request when this node made none. kBusy while it is in
  // use.
  virtual Status DeactivateSnapshot(const std::string& volume_name,
                                    const std::string& snapshot) = 0;

  // What the calls since the last TakeLog want the administrator to know.
  virtual std::vector<LogRecord> TakeLog() = 0;
};

}  // namespace ontapnvme::pve
