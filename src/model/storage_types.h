// SPDX-License-Identifier: AGPL-3.0-or-later
// What a storage tells about itself, its volumes and their snapshots, and where it finds things.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/byte_count.h"

namespace ontapnvme {

// Where things are on this node and in this cluster.
struct Surroundings {
  std::string cluster_id;  // marks this cluster's objects on the array; empty: none made yet
  std::string ca_file;     // PEM file trusted in place of the system's; empty: none
  std::string state_directory = "/run/ontapnvme";
  std::string link_directory = "/dev/ontapnvme";
  // A file that all nodes see, to remember which namespace each volume is while the array does not
  // answer; empty: nothing is remembered.
  std::string disk_memory_file = {};
  // What Proxmox's cluster says of its nodes, and a folder that all nodes see, where each says its host
  // NQN: see node/cluster_members.h. Empty: nothing is known of other nodes.
  std::string members_file = {};
  std::string hosts_directory = {};
  // LVM's configuration of this node; empty: it is not looked at.
  std::string lvm_config_file = {};
  // Asks the system's resolver, see node/name_lookup.h. It is part of the C library's package.
  std::string resolver = "/usr/bin/getent";
};

struct DiskInfo {
  std::string volume_name;  // byte for byte what Allocate returned
  std::uint64_t vmid = 0;
  ByteCount size;
  ByteCount used;
  std::int64_t create_time_s = 0;  // seconds since the epoch
  std::string parent;              // volume name of the base image of a linked clone
  std::string notes;               // what the administrator wrote about it
  bool is_protected = false;       // Free refuses
};

// Deleted, and can still be brought back.
struct DeletedInfo {
  std::string volume_name;
  std::uint64_t vmid = 0;
  std::string queued_as;  // tells it from others that had the same name
  // 0 where the array does not say.
  std::int64_t deleted_at_s = 0;
  std::int64_t kept_until_s = 0;
};

// What adopting a namespace or a LUN would do.
struct AdoptionInfo {
  std::string volume_name;  // it has been adopted already, as that one; else empty
  ByteCount size;
  std::vector<std::string> remarks = {};  // what comes along and what changes, for people
};

// Of a full clone, which is a disk like any other while its bytes are still copied.
struct CopyInfo {
  std::string volume_name;
  bool has_begun = false;
  unsigned percent = 0;  // 100: it shares nothing with its source any more
};

// Which part of the array a disk is on.
struct PlaceInfo {
  std::string place;
  std::string destination;  // empty: it does not move
  unsigned percent = 0;     // of the move
  std::string state;        // of the last move, in the array's word; empty: none
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

// One of a disk, as part of a VmSnapshotInfo.
struct DiskSnapshotInfo {
  std::string volume_name;
  std::string id;  // UUID of the volume's snapshot
  std::int64_t create_time_s = 0;
  ByteCount size;       // that it takes by itself; 0 where the array does not say
  ByteCount disk_size;  // of the disk as it is now
};

// Snapshots of one VM's disks that have the same name on the array, whoever took them.
struct VmSnapshotInfo {
  std::uint64_t vmid = 0;
  std::string array_name;
  std::string name;                // as Proxmox knows it; empty when Proxmox did not make it
  std::string shown_as;            // by what name ActivateSnapshot takes it; empty when it cannot
  std::string kind;                // "proxmox", "template", "schedule", "anti-ransomware", "other"
  std::int64_t create_time_s = 0;  // of the first
  std::int64_t locked_until_s =
      0;  // nobody can delete it before; 0: as far as is known, it is not locked
  bool is_on_all_disks = false;  // that snapshots of the VM cover
  std::vector<DiskSnapshotInfo> disks;
};

// A snapshot of the array that is one of Proxmox's from now on.
struct AdoptedInfo {
  std::int64_t create_time_s = 0;
  bool is_of_one_moment = false;    // of all its disks; else they may be seconds apart
  std::int64_t locked_until_s = 0;  // as above
};

}  // namespace ontapnvme
