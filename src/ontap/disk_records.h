// SPDX-License-Identifier: AGPL-3.0-or-later
// The two array objects of a disk as the array lists them: the FlexVol and the namespace in it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/byte_count.h"
#include "base/uuid.h"

namespace ontapnvme::ontap {

struct GroupRef {
  Uuid uuid;
  std::string name;
};

struct FlexVol {
  Uuid uuid;
  std::string name;
  std::string comment;
  std::string state;  // online, offline, restricted, error, mixed
  ByteCount size;
  ByteCount used;
  std::chrono::sys_seconds create_time;
  std::optional<GroupRef> group;  // the consistency group it is a member of
  // For a FlexClone: its parent. Read by Find, and by List when asked for.
  std::string parent_volume_name;
  std::string parent_snapshot_name;
  Uuid parent_volume_uuid;    // nil where the array does not say
  Uuid parent_snapshot_uuid;  // nil where the array does not say
  // How much of a FlexClone the array has split from its parent, while it does so. Read by ListClones,
  // and by List when asked for.
  std::optional<unsigned> split_percent = std::nullopt;
};

// What will hurt the owner of a FlexVol later. Reading it costs the array extra work per volume.
struct FlexVolHealth {
  std::string name;
  std::string comment;
  std::optional<std::uint64_t> snapshot_count = std::nullopt;  // where the array tells
  // Anti-ransomware protection: disabled, dry_run (it learns), enabled, paused and others; empty where the
  // array does not tell. SAN volumes have it from kSanRansomware on, and it is asked for only there.
  std::string protection = {};
  std::string attack_probability = {};  // none, low, moderate, high; likewise
};

// The parents of FlexClones cost the array extra work per volume.
enum class CloneParents { kSkip, kRead, kReadWithSplits };

struct NvmeNamespace {
  Uuid uuid;
  std::string path;  // /vol/<volume>/<name>
  std::string volume_name;
  Uuid volume_uuid;
  std::string comment;
  std::string state;            // online, offline, nvfail, space_error
  std::string container_state;  // online, aggregate_offline, volume_offline
  ByteCount size;               // 0 where the array does not say, as for one that is offline
  ByteCount used;
  // The subsystem it is mapped to; a namespace is mapped to one at most. Absent when it is not
  // mapped, and when it was not asked for.
  std::optional<Uuid> subsystem_uuid;
  std::string subsystem_name;
  std::optional<bool> is_mapped;  // to anything; only with NamespaceMaps::kReadTwice

  // The last part of its path, which it keeps when its volume is renamed.
  std::string BaseName() const { return path.substr(path.rfind('/') + 1); }
};

// A block device of SCSI, which an array can turn into a namespace.
struct Lun {
  Uuid uuid;
  std::string path;  // /vol/<volume>/<name>
  std::string volume_name;
  ByteCount size;
  std::optional<bool> is_mapped;  // to an igroup; absent where the array does not say
};

// The subsystem that a namespace is mapped to costs the array extra work per namespace.
// kReadTwice: also what the array says of it in another field, for who must be sure that there is none.
enum class NamespaceMaps { kSkip, kRead, kReadTwice };

}  // namespace ontapnvme::ontap
