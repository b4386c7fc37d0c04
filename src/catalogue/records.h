// SPDX-License-Identifier: AGPL-3.0-or-later
// What operations know of objects on the array, whichever kind of array it is. Records come from a
// back end only, which gives out none but ours: a record is the proof that its object may be
// touched. They are as old as the call that returned them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/byte_count.h"
#include "base/error.h"
#include "base/uuid.h"
#include "model/mark.h"
#include "model/snapshot_name.h"
#include "model/volume_name.h"

namespace ontapnvme::catalogue {

// To what a namespace is mapped. kHere: to the subsystem that Array::Target speaks of. That may be
// older than the map, so Array::RefreshTarget comes before kElsewhere is believed. kUnread: the
// listing that the record comes from did not ask.
enum class Mapping { kUnread, kNone, kHere, kElsewhere };

// The part of a disk that becomes a block device of a node. Its UUID is the disk's identity.
struct DiskNamespace {
  Uuid uuid;
  std::string container_name;  // of the object that holds it; its device's label says the same
  ByteCount size = {};         // 0 where the array does not say, as for one that is offline
  ByteCount used = {};
  Mapping mapping = Mapping::kUnread;
  std::string mapped_to = {};       // kElsewhere: the name of that subsystem
  std::optional<Error> fault = {};  // why the array does not serve it now
};

// What a group of disks is known by. Only a back end looks inside.
struct GroupRef {
  Uuid uuid;
  std::string name;
  // The listing that the record comes from shows other members. False: it shows none, which says
  // nothing of members that it was not asked for.
  bool is_shared = false;
};

// A volume of ours: what holds the namespace, the snapshots and the mark. On an array that has one
// object a disk the container is the namespace itself.
struct Volume {
  VolumeName name;             // with the base part of a linked clone
  std::string container_name;  // as the array's administrator sees it
  Uuid container;
  ByteCount container_size;
  ByteCount used;
  MarkReading mark;
  std::optional<GroupRef> group;
  std::chrono::sys_seconds create_time{};
  // Made of another volume's snapshot, and shows what that one had before; where that was read.
  bool is_clone = false;
};

// Deleted, and can still be brought back.
struct DeletedVolume {
  VolumeName name;
  std::string queued_as;  // what the array calls it until then: no two have the same
  // Where the array says so.
  std::optional<std::chrono::sys_seconds> deleted_at = std::nullopt;
  std::optional<std::chrono::sys_seconds> kept_until = std::nullopt;
};

struct Disk {
  Volume volume;
  std::optional<DiskNamespace> ns;  // absent: half-made, or about to be deleted
  bool is_near_ceiling = false;     // it has used nine tenths of what it may ever grow to
};

// A name of ours that is on the array and belongs to somebody else.
struct ForeignVolume {
  VolumeName name;
  std::string container_name;
};

// What the array has of the VMs that an operation concerns, just listed: a new name must be none of
// these, and a new disk joins them. Half-made volumes are among them.
struct Neighbours {
  std::vector<Volume> ours;
  std::vector<ForeignVolume> foreign;
  // Space that all volumes of the SVM use; read only where `svm_capacity` limits it.
  std::optional<ByteCount> used_on_svm;
};

// Who has taken a snapshot, as its name says: one of Proxmox's, the one that a template's linked clones
// are made of, one of a schedule of the array, one of its anti-ransomware protection.
enum class SnapshotKind { kProxmox, kTemplate, kSchedule, kRansomware, kOther };

struct Snapshot {
  ArraySnapshotName name;
  Uuid uuid;
  std::chrono::sys_seconds create_time{};
  // When taking it began, in milliseconds since that start of that node (Mark). Two of one start are
  // in order by it, also those of one second. Empty: not known.
  std::string taken_by = {};
  std::int64_t taken_ms = 0;
  // The operation that took it, perhaps of several disks at once (Mark). Empty: not known.
  std::string taken_in = {};
  // The array took it against ransomware: nobody can delete it before it expires.
  bool is_locked_by_array = false;
  // ListAll reads these; empty where the array does not say.
  ByteCount size = {};
  std::optional<std::chrono::sys_seconds> locked_until = {};

  SnapshotKind Kind() const;
};

// The snapshots of one disk, oldest first, and what the disk is now.
struct DiskSnapshots {
  VolumeName name;
  ByteCount size = {};
  std::vector<Snapshot> snapshots;
};

// The disks that one call on a group took, or took away, a snapshot of: the one that was asked for,
// and those that came along.
using Coverage = std::set<VolumeName>;

// The snapshots of one disk, oldest first.
struct DiskHistory {
  VolumeName name;
  std::string container_name;
  Uuid container;
  std::optional<Uuid> ns;  // its namespace, where it was read with the rest
  std::vector<Snapshot> snapshots;
};

// A snapshot of the array that is one of Proxmox's from now on.
struct AdoptedSnapshot {
  std::chrono::sys_seconds create_time{};
  bool is_of_one_moment = false;  // of all its disks; else they may be seconds apart
  // Until when the array keeps it from being deleted; what it does then is its affair.
  std::optional<std::chrono::sys_seconds> locked_until = {};
};

// The histories of a VM's disks as a rollback needs them.
struct VmHistory {
  std::optional<GroupRef> group;
  std::set<VolumeName> members;    // of the group, also those that are no disks of ours by name
  std::vector<DiskHistory> disks;  // the group's, and the one that was asked for

  const DiskHistory* Find(const VolumeName& name) const;
};

// What became of disks that were to be overwritten: it is no transaction.
struct Overwritten {
  std::set<VolumeName> disks;         // that have the snapshot's bytes now
  std::set<VolumeName> unknown = {};  // that may have them; the rest have their old ones
  // The first one; its outcome is unknown when that of any disk is.
  std::optional<Error> failure = std::nullopt;
  bool is_refused = false;  // this array does not do it, and has changed nothing
};

// What a snapshot device shows, and to which node.
struct ShownSnapshot {
  VolumeName volume;
  SnapshotName snapshot;
  std::string host_nqn;
};

// A snapshot's bytes as a namespace of their own, for one node.
struct SnapshotDevice {
  ShownSnapshot shown;
  std::string container_name;
  Uuid container;
  std::string parent_container_name;
  Uuid parent_container;  // nil where the array does not say, and after the clone was split
  ArraySnapshotName parent_snapshot;
  Uuid parent_snapshot_uuid;  // likewise
  std::optional<DiskNamespace> ns;
  std::chrono::sys_seconds create_time{};
};

// How this storage's disks are reached over the fabric, and as whom.
struct FabricTarget {
  std::string subsystem_nqn;
  std::vector<std::string> addresses;  // of all data paths that should be there
  std::string host_nqn;                // this node's, as registered; empty: not yet

  bool operator==(const FabricTarget&) const = default;
};

// A live connection to the subsystem, as the array sees its other end.
struct HostConnection {
  std::string host_nqn;
  std::string host_id;  // 32 hexadecimal digits
  std::string address;  // without port and brackets; empty when the array does not say
};

}  // namespace ontapnvme::catalogue
