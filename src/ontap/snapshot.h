// SPDX-License-Identifier: AGPL-3.0-or-later
// Snapshots of single FlexVols.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

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
};

class Snapshots {
 public:
  Snapshots(RestClient& rest, std::string svm_name) : rest_(&rest), svm_(std::move(svm_name)) {}

  // Snapshots of all the given volumes, oldest first within a volume, to the last page. One request
  // where the array takes `*` in place of the volume's UUID, else one per volume in parallel.
  Result<std::vector<Snapshot>> List(const std::vector<VolumeRef>& volumes,
                                     const Deadline& deadline);
  // Those of that name only.
  Result<std::vector<Snapshot>> FindByName(const std::vector<VolumeRef>& volumes,
                                           const std::string& name, const Deadline& deadline);

  // Not idempotent: kAlreadyExists when the name is taken.
  Status Create(const Uuid& volume, const std::string& name, const std::string& comment,
                const Deadline& deadline);
  // Idempotent: missing is success. kBusy when it has an owner, such as a FlexClone (1638543,
  // 1638555).
  Status Delete(const Uuid& volume, const Uuid& snapshot, const Deadline& deadline);

 private:
  RestClient* rest_;
  std::string svm_;
};

}  // namespace ontapnvme::ontap
