// SPDX-License-Identifier: AGPL-3.0-or-later
// FlexVols of one SVM: what holds a disk's namespace and its snapshots.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/byte_count.h"
#include "base/deadline.h"
#include "base/result.h"
#include "base/uuid.h"

namespace ontapnvme::ontap {

class RestClient;

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
};

struct FlexVolSpec {
  std::string name;
  std::string aggregate;
  std::string comment;
  ByteCount size;
  bool is_thick = false;  // guarantee volume and full fractional reserve
  unsigned snapshot_reserve_percent = 0;
  std::optional<bool> encryption;             // absent: not sent, the aggregate decides
  std::string tiering_policy;                 // empty: not sent
  std::string qos_policy;                     // fixed or adaptive, by name; empty: none
  std::optional<ByteCount> autosize_maximum;  // absent: autosize off
  bool is_snapshot_autodelete_on = false;
  // Snapshots whose name begins with this are the last that autodelete takes; empty: no exception.
  // From 9.13.1.
  std::string autodelete_spared_prefix;
};

// A FlexClone lives on its parent's aggregate and begins with its size and data.
struct FlexCloneSpec {
  std::string name;
  std::string parent_volume;
  std::string parent_snapshot;  // given: without one the array would make its own
  std::string comment;
  bool is_thick = false;
  std::string qos_policy;  // by name; empty: none
};

struct AutosizeSetting {
  std::optional<ByteCount> maximum;  // absent: autosize off
};

// Settings of an existing FlexVol; what is absent stays as it is. See FlexVols::ApplySettings.
struct FlexVolSettings {
  std::optional<AutosizeSetting> autosize;
  std::optional<std::string> tiering_policy;
  std::optional<std::string> qos_policy;  // by name; empty: none
  std::optional<unsigned> snapshot_reserve_percent;
  std::optional<bool> is_fully_reserved;  // fractional reserve 100 or 0
  std::optional<bool> is_snapshot_autodelete_on;
  std::string autodelete_spared_prefix;  // as in FlexVolSpec
};

// The parents of FlexClones cost the array extra work per volume.
enum class CloneParents { kSkip, kRead };

class FlexVols {
 public:
  // `rest` is borrowed. `svm_name` scopes every call.
  FlexVols(RestClient& rest, std::string svm_name) : rest_(&rest), svm_(std::move(svm_name)) {}

  // The FlexVol of exactly that name, if there is one. One request.
  Result<std::optional<FlexVol>> Find(const std::string& name, const Deadline& deadline);
  // All whose name matches the pattern ('*' stands for any text, '|' separates alternatives), to
  // the last page.
  Result<std::vector<FlexVol>> List(const std::string& name_pattern, const Deadline& deadline,
                                    CloneParents parents = CloneParents::kSkip);
  // The FlexClones of that volume, with their parents' snapshots. One request.
  Result<std::vector<FlexVol>> ListClones(const std::string& parent_name, const Deadline& deadline);

  // Creates and waits for the job. Not idempotent: kAlreadyExists when the name is taken (by whom
  // is for the caller to find out), outcome_unknown when the answer was lost. Returns the new UUID.
  // Errors besides: kNoSpace (names the aggregate), kNotFound (aggregate, SVM), kInvalidArgument
  // (QoS policy, tiering policy), kUnavailable (also the key manager), kPermissionDenied.
  Result<Uuid> Create(const FlexVolSpec& spec, const Deadline& deadline);
  // The same for a FlexClone; kNotFound when parent or snapshot is missing. Namespaces inside the
  // clone are new, with UUIDs of their own, and unmapped.
  Result<Uuid> Clone(const FlexCloneSpec& spec, const Deadline& deadline);
  // Idempotent. One request; none when nothing is given.
  Status ApplySettings(const Uuid& uuid, const FlexVolSettings& settings, const Deadline& deadline);
  // Begins to make a FlexClone independent of its parent; the array copies in the background.
  // Idempotent.
  Status StartSplit(const Uuid& uuid, const Deadline& deadline);

  // Sets the size. Idempotent. kNoSpace when the aggregate is full.
  Status Resize(const Uuid& uuid, ByteCount size, std::optional<ByteCount> autosize_maximum,
                const Deadline& deadline);
  Status SetComment(const Uuid& uuid, const std::string& comment, const Deadline& deadline);
  Status Rename(const Uuid& uuid, const std::string& new_name, const Deadline& deadline);

  // Deletes with everything inside; an online volume is taken offline by the call. Idempotent: a
  // missing volume is success. `bypass_recovery_queue` makes it final (ignored before 9.12.1, where
  // the call has no such parameter). kBusy when FlexClones depend on it (524615) or the volume is
  // busy (524486).
  Status Delete(const Uuid& uuid, bool bypass_recovery_queue, const Deadline& deadline);

  // Takes deleted volumes that had this name out of the recovery queue, for good. For arrays whose
  // DELETE cannot bypass it (before 9.12.1); nothing is sent to any other. Best effort on the
  // array's side: by its command line's interface, which SVM accounts may use for this (NetApp's
  // own driver does). Idempotent.
  Status PurgeDeleted(const std::string& name, const Deadline& deadline);

  // Reverts to the snapshot; newer snapshots are destroyed. Not repeated after a lost answer: the
  // caller may do so while nothing was written since. kBusy when a newer snapshot is locked or a
  // reference of replication (9437886, 1638480).
  Status Restore(const Uuid& uuid, const std::string& snapshot_name, const Deadline& deadline);

 private:
  RestClient* rest_;
  std::string svm_;
};

}  // namespace ontapnvme::ontap
