// SPDX-License-Identifier: AGPL-3.0-or-later
// FlexVols of one SVM: what holds a disk's namespace and its snapshots.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/byte_count.h"
#include "base/deadline.h"
#include "base/result.h"
#include "base/uuid.h"
#include "ontap/disk_records.h"
#include "ontap/flexvol_settings.h"

namespace ontapnvme::ontap {

class RestClient;

struct FlexVolSpec {
  std::string name;
  std::string aggregate;
  std::string comment;
  ByteCount size;
  bool is_thick = false;           // guarantee volume, with the full fractional reserve of it
  std::optional<bool> encryption;  // absent: not sent, the aggregate decides
  // The rest an array may refuse in a create, and take afterwards. Absent, empty: not sent.
  bool is_large = false;  // support for large volumes and large files; from 9.12.1
  std::optional<unsigned> snapshot_reserve_percent = std::nullopt;
  std::optional<AutosizeSetting> autosize = std::nullopt;
  std::string tiering_policy;
  std::string qos_policy;  // fixed or adaptive, by name
};

// Where a FlexVol is, and on its way to where.
struct FlexVolPlace {
  std::string aggregate;
  std::string destination;  // empty: it does not move
  std::string state;        // of the last move: replicating, cutover, failed, success and others
  unsigned percent = 0;
};

// What a FlexVol serves besides block devices, or instead.
struct FlexVolUse {
  std::optional<bool> is_svm_root;  // absent where the array does not say
  std::string type;                 // rw; dp and others are copies that the array keeps
  std::string nas_path;  // where it is mounted for clients of NFS and SMB; empty: nowhere
};

// A FlexClone lives on its parent's aggregate and begins with its size, data and settings.
struct FlexCloneSpec {
  std::string name;
  std::string parent_volume;
  std::string parent_snapshot;  // given: without one the array would make its own
  std::string comment;
};

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
  // The same volumes as List, with what will hurt later.
  Result<std::vector<FlexVolHealth>> ListHealth(const std::string& name_pattern,
                                                const Deadline& deadline);
  // The FlexClones of that volume, with their parents' snapshots and their splits. One request.
  Result<std::vector<FlexVol>> ListClones(const std::string& parent_name, const Deadline& deadline);

  // Creates and waits for the job. Not idempotent: kAlreadyExists when the name is taken (by whom
  // is for the caller to find out), outcome_unknown when the answer was lost. Returns the new UUID.
  // Errors besides: kNoSpace (names the aggregate), kNotFound (aggregate, SVM), kInvalidArgument
  // (QoS policy, tiering policy), kUnavailable (also the key manager), kPermissionDenied.
  Result<Uuid> Create(const FlexVolSpec& spec, const Deadline& deadline);
  // The same for a FlexClone; kNotFound when parent or snapshot is missing. Namespaces inside the
  // clone are new, with UUIDs of their own, and unmapped; it may take a moment until they are listed
  // and online. Sends nothing that some array does not take in a clone's create.
  Result<Uuid> Clone(const FlexCloneSpec& spec, const Deadline& deadline);
  // See flexvol_settings.h.
  Result<std::vector<RefusedSetting>> ApplySettings(const Uuid& uuid,
                                                    const FlexVolSettings& settings,
                                                    const Deadline& deadline) {
    return ontap::ApplySettings(*rest_, uuid, settings, deadline);
  }
  Result<std::optional<FlexVolState>> ReadState(const Uuid& uuid, const Deadline& deadline) {
    return ontap::ReadState(*rest_, uuid, deadline);
  }
  // Begins to make a FlexClone independent of its parent; the array copies in the background. How an
  // array answers when it has begun already is not stated, nor whether the job lasts as long as the
  // split: after a failure FlexVol::split_percent tells.
  Status StartSplit(const Uuid& uuid, const Deadline& deadline);

  // Begins to move a FlexVol to another aggregate, while it is used. Whether the job lasts as long as the
  // move is not stated: after a failure ReadPlace tells. kNotFound for the aggregate; kPermissionDenied
  // for accounts of an SVM.
  Status StartMove(const Uuid& uuid, const std::string& aggregate, const Deadline& deadline);
  // One request.
  Result<FlexVolPlace> ReadPlace(const Uuid& uuid, const Deadline& deadline);
  // One request.
  Result<FlexVolUse> ReadUse(const Uuid& uuid, const Deadline& deadline);

  // Sets the size. Idempotent. kNoSpace when the aggregate is full.
  Status Resize(const Uuid& uuid, ByteCount size, const Deadline& deadline);
  Status SetComment(const Uuid& uuid, const std::string& comment, const Deadline& deadline);
  // Anti-ransomware protection on or off. Idempotent. SAN volumes have it from kSanRansomware on; a
  // licence may be missing, and turning it off may need the consent of several administrators.
  Status SetRansomwareProtection(const Uuid& uuid, bool is_on, const Deadline& deadline);
  Status Rename(const Uuid& uuid, const std::string& new_name, const Deadline& deadline);
  // Of a volume that is offline. Whether an array takes it for one that is online is not stated.
  Status BringOnline(const Uuid& uuid, const Deadline& deadline);

  // Deletes with everything inside; an online volume is taken offline by the call. Idempotent: a
  // missing volume is success. `bypass_recovery_queue` makes it final (ignored where the release is
  // not known to be 9.12.1, since before the call has no such parameter). kBusy when FlexClones
  // depend on it (kHeldByClones), or when the volume was busy until the deadline.
  Status Delete(const Uuid& uuid, bool bypass_recovery_queue, const Deadline& deadline);

  // Reverts to the snapshot; newer snapshots are destroyed. Not repeated after a lost answer: the
  // caller may do so while nothing was written since. kBusy when a newer snapshot is locked or a
  // reference of replication (9437886, 1638480).
  Status Restore(const Uuid& uuid, const std::string& snapshot_name, const Deadline& deadline);

 private:
  RestClient* rest_;
  std::string svm_;
};

}  // namespace ontapnvme::ontap
