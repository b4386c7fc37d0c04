// SPDX-License-Identifier: AGPL-3.0-or-later
// The mark: the comment that every object of ours carries on the array. It says who made the object
// (cluster, storage, VM, operation), which settles a create whose answer was lost, and keeps what
// must outlive a node and has no field of its own on the array: the base image of a linked clone, what a
// snapshot device shows, notes and protection.
//
// The array's comments are input: anyone with an account may have written them. Only a text that is
// byte for byte what Text() writes counts as a mark of ours; what begins like one and is not belongs
// to somebody else and is left alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace ontapnvme {

// Of a full clone that the array makes: its blocks are its source's until the array has split them.
// kBegun: the operation that makes it, with others of its VM, is not done, and nobody has been told of
// it. kWhole: it is a disk like any other, and is to be split.
enum class FullClone { kNo, kBegun, kWhole };

struct Mark {
  std::string cluster_id;
  std::string storage_id;
  std::uint64_t vmid = 0;
  std::string operation_id;  // 16 hex digits; of the operation that made the object

  // A linked clone: the base image that its volume name holds ("base-100-disk-0"). Kept here because
  // a split on the array forgets the parent, and a volume must never change its name.
  std::string base_name = {};
  // A base image: the array's name of the snapshot that linked clones are made from. Empty:
  // kBaseSnapshot.
  std::string base_snapshot = {};
  // A snapshot device: the volume, the name that the snapshot is shown under (SnapshotName::ParseShown),
  // and the host NQN of the node that it is shown to.
  std::string shown_volume = {};
  std::string shown_snapshot = {};
  std::string shown_to = {};
  FullClone full_clone = FullClone::kNo;
  bool is_protected = false;
  // A snapshot: when taking it began, in milliseconds since the start of the node that took it, and
  // which start of which node that was. The array's own times are seconds, and do not say which of
  // two in one second came first. Empty and 0: unknown.
  std::string taken_by = {};
  std::int64_t taken_ms = 0;
  // A snapshot that the array took by itself and that was made one of the VM's: what it was called.
  std::string adopted_from = {};
  // A disk that goes to another storage of this cluster: which one. Under a name of that one the mark
  // is that one's.
  std::string moving_to = {};
  // What the volume was, as STORAGE:VOLUME, before it came to the storage that it is on.
  std::string moved_from = {};
  std::string notes = {};  // UTF-8, may have line breaks

  // The comment. kInvalidArgument when a volume could not hold it: only notes can be that long.
  Result<std::string> Text() const;
  // Without the details, for objects with short comments: always fits.
  std::string ShortText() const;
  // The array's name of the snapshot of a base image that linked clones are made from.
  std::string BaseSnapshot() const;

  bool operator==(const Mark&) const = default;
};

// Whose an object is. Unmarked objects with our names come from installations before the marks, and
// count as ours.
enum class Owner { kOurs, kUnmarked, kForeign };

// A comment as one storage of one cluster reads it.
struct MarkReading {
  Owner owner = Owner::kUnmarked;
  Mark mark = {};  // empty for an unmarked object, and for one whose mark cannot be read
  // The cluster that a foreign mark names; empty when it names none that can be read.
  std::string foreign_cluster_id = {};
};

// Writes and reads marks for one storage of one cluster.
class Marker {
 public:
  // An empty `cluster_id` owns nothing that is marked.
  Marker(std::string cluster_id, std::string storage_id)
      : cluster_id_(std::move(cluster_id)), storage_id_(std::move(storage_id)) {}

  Mark New(std::uint64_t vmid, std::string operation_id) const;
  MarkReading Read(std::string_view comment) const;
  // The mark of one of our objects after it went to `vmid`: details and the operation that made it
  // stay. An unmarked object gets a new one.
  Mark Adopt(const MarkReading& reading, std::uint64_t vmid) const;
  // Ours, and made by exactly that operation.
  bool IsMadeBy(std::string_view comment, std::string_view operation_id) const;

  // 8 hex digits of this cluster and storage, for a name that another owner has taken.
  std::string ShortTag() const;

 private:
  std::string cluster_id_;
  std::string storage_id_;
};

// A new id for one operation: 16 hex digits.
std::string NewOperationId();

}  // namespace ontapnvme
