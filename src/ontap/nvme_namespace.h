// SPDX-License-Identifier: AGPL-3.0-or-later
// NVMe namespaces of one SVM. A disk's namespace is found by its volume: after a rename of the
// volume the last part of its path keeps the old name.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/byte_count.h"
#include "base/deadline.h"
#include "base/result.h"
#include "base/uuid.h"
#include "ontap/disk_records.h"

namespace ontapnvme::ontap {

class RestClient;
struct ChangeRequest;

class NvmeNamespaces {
 public:
  NvmeNamespaces(RestClient& rest, std::string svm_name)
      : rest_(&rest), svm_(std::move(svm_name)) {}

  // The namespace inside the volume of that name, if any; kConflict when the volume holds several.
  // Those that are not wanted are as if they were not there.
  using IsWanted = std::function<bool(const NvmeNamespace&)>;
  Result<std::optional<NvmeNamespace>> FindByVolume(const std::string& volume_name,
                                                    const Deadline& deadline,
                                                    const IsWanted& is_wanted = {});
  // The namespace of that UUID, if there is one.
  Result<std::optional<NvmeNamespace>> FindByUuid(const Uuid& uuid, const Deadline& deadline);
  // Those whose volume matches the pattern ('*' any text, '|' alternatives), to the last page.
  Result<std::vector<NvmeNamespace>> List(const std::string& volume_pattern,
                                          const Deadline& deadline,
                                          NamespaceMaps maps = NamespaceMaps::kRead);

  // The LUNs in the volume of that name.
  Result<std::vector<Lun>> ListLuns(const std::string& volume_name, const Deadline& deadline);

  // Creates /vol/<volume_name>/<base_name>, os_type linux, 4 KiB blocks. Not idempotent:
  // kAlreadyExists when the path is taken; kInvalidArgument with kTooSmall below what the array
  // makes. `size` is a multiple of 4096; the size in force is in
  // the answer. kConflict with outcome_unknown() when the array created it but could not set
  // everything (72090009, 72090015): read it back.
  Result<NvmeNamespace> Create(const std::string& volume_name, const std::string& base_name,
                               ByteCount size, const std::string& comment,
                               const Deadline& deadline);
  // Creates /vol/<volume of ns>/<base_name> with the bytes and the size that `ns` had in that snapshot
  // of its volume. Not idempotent: kAlreadyExists when the path is taken. kNotFound with
  // Refusal::kGone when the array finds no such namespace in the snapshot.
  Result<NvmeNamespace> CloneFromSnapshot(const NvmeNamespace& ns, const std::string& snapshot_name,
                                          const std::string& base_name, const Deadline& deadline);
  // Makes the LUN a namespace with its path and its bytes, in place; whether comment and UUID stay is not
  // stated. Not idempotent: kNotFound once it is none any more. Refused while it is mapped, is in a
  // snapshot, or has bytes beside those that hosts see; kUnsupported before 9.11.1.
  Result<NvmeNamespace> ConvertLun(const Lun& lun, const Deadline& deadline);
  // Gives the namespace the bytes and the size of `source`, another one of its volume. UUID, map and
  // path stay. Idempotent while neither is written to.
  Status Overwrite(const Uuid& uuid, const Uuid& source, const Deadline& deadline);
  // Refused while it is mapped. Idempotent.
  Status Delete(const Uuid& uuid, const Deadline& deadline);
  // Grows; kInvalidArgument for a smaller size. Idempotent.
  Status Grow(const Uuid& uuid, ByteCount size, const Deadline& deadline);

 private:
  // At that path; the body says the rest.
  Result<NvmeNamespace> Make(nlohmann::json body, const std::string& volume_name,
                             const std::string& base_name, const Deadline& deadline);

  // Sends what makes the namespace at `path`.
  Result<NvmeNamespace> Make(ChangeRequest request, const std::string& volume_name,
                             const std::string& path, const Deadline& deadline);

  RestClient* rest_;
  std::string svm_;
};

}  // namespace ontapnvme::ontap
