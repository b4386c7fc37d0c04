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
  // For a FlexClone: its parent. Only read by Find, List leaves it out unless asked for.
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
};

class FlexVols {
 public:
  // `rest` is borrowed. `svm_name` scopes every call.
  FlexVols(RestClient& rest, std::string svm_name) : rest_(&rest), svm_(std::move(svm_name)) {}

  // The FlexVol of exactly that name, if there is one. One request.
  Result<std::optional<FlexVol>> Find(const std::string& name, const Deadline& deadline);
  // All whose name matches the pattern ('*' stands for any text, '|' separates alternatives), to
  // the last page.
  Result<std::vector<FlexVol>> List(const std::string& name_pattern, const Deadline& deadline);

  // Creates and waits for the job. Not idempotent: kAlreadyExists when the name is taken (by whom
  // is for the caller to find out), outcome_unknown when the answer was lost. Returns the new UUID.
  // Errors besides: kNoSpace (names the aggregate), kNotFound (aggregate, SVM), kInvalidArgument
  // (QoS policy, tiering policy, key manager), kPermissionDenied.
  Result<Uuid> Create(const FlexVolSpec& spec, const Deadline& deadline);

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

  // Reverts to the snapshot; newer snapshots are destroyed. Repeat only while nothing was written
  // since.
  Status Restore(const Uuid& uuid, const std::string& snapshot_name, const Deadline& deadline);

 private:
  RestClient* rest_;
  std::string svm_;
};

}  // namespace ontapnvme::ontap
