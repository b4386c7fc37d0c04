// SPDX-License-Identifier: AGPL-3.0-or-later
// Snapshots of single FlexVols.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_count.h"
#include "base/deadline.h"
#include "base/result.h"
#include "base/uuid.h"

namespace ontapnvme::ontap {

class RestClient;

struct VolumeRef {
  Uuid uuid;
  std::string name;
};

struct Snapshot {
  Uuid uuid;
  std::string name;
  std::string comment;
  std::string volume_name;
  Uuid volume_uuid;
  std::chrono::sys_seconds create_time;
  std::vector<std::string> owners;  // what holds it, e.g. "volume clone"
  // Read by ListDetailed only, and where the array says them.
  ByteCount size = {};
  std::optional<std::chrono::sys_seconds> expiry_time = {};

  // Taken by anti-ransomware protection, periodically or for a suspected attack: locked for 12 hours
  // (ONTAP documentation, "autonomous ransomware protection").
  bool IsOfAntiRansomware() const { return IsNameOfAntiRansomware(name); }
  static bool IsNameOfAntiRansomware(std::string_view name) {
    return name.starts_with("Anti_ransomware_");
  }
};

class Snapshots {
 public:
  Snapshots(RestClient& rest, std::string svm_name) : rest_(&rest), svm_(std::move(svm_name)) {}

  // Snapshots of all the given volumes, oldest first within a volume, to the last page. One request
  // where the array takes `*` in place of the volume's UUID, else one per volume in parallel.
  Result<std::vector<Snapshot>> List(const std::vector<VolumeRef>& volumes,
                                     const Deadline& deadline);
  // The same with size and expiry, of many volumes, which all match the pattern, as few that are not
  // wanted do: one request a page, however many they are.
  Result<std::vector<Snapshot>> ListDetailed(const std::vector<VolumeRef>& volumes,
                                             const std::string& volume_pattern,
                                             const Deadline& deadline);
  // Those of that name only; asked by the volumes' names, also those of a volume that has taken over
  // such a name since.
  Result<std::vector<Snapshot>> FindByName(const std::vector<VolumeRef>& volumes,
                                           const std::string& name, const Deadline& deadline);

  // Those whose name begins so. One request where the array takes `*`, whatever the number of volumes.
  Result<std::vector<Snapshot>> FindByPrefix(const std::vector<VolumeRef>& volumes,
                                             const std::string& prefix, const Deadline& deadline);

  // Not idempotent: kAlreadyExists when the name is taken.
  Status Create(const Uuid& volume, const std::string& name, const std::string& comment,
                const Deadline& deadline);
  // Gives it another name and comment, by one request. Idempotent. kAlreadyExists when the name is
  // taken; kInvalidArgument for a name that only the array's own may have ("hourly.…").
  Status Rename(const Uuid& volume, const Uuid& snapshot, const std::string& name,
                const std::string& comment, const Deadline& deadline);
  Status SetComment(const Uuid& volume, const Uuid& snapshot, const std::string& comment,
                    const Deadline& deadline);
  // Idempotent: missing is success. kBusy when it has an owner, such as a FlexClone
  // (kHeldByClones).
  Status Delete(const Uuid& volume, const Uuid& snapshot, const Deadline& deadline);

 private:
  RestClient* rest_;
  std::string svm_;
};

}  // namespace ontapnvme::ontap
