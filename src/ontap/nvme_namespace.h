// SPDX-License-Identifier: AGPL-3.0-or-later
// NVMe namespaces of one SVM. A disk's namespace is found by its volume: after a rename of the
// volume the last part of its path keeps the old name.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/byte_count.h"
#include "base/deadline.h"
#include "base/result.h"
#include "base/uuid.h"

namespace ontapnvme::ontap {

class RestClient;

struct NvmeNamespace {
  Uuid uuid;
  std::string path;  // /vol/<volume>/<name>
  std::string volume_name;
  Uuid volume_uuid;
  std::string comment;
  std::string state;            // online, offline, nvfail, space_error
  std::string container_state;  // online, aggregate_offline, volume_offline
  ByteCount size;               // 0 where the array does not tell, as for one that is offline
  ByteCount used;
  // The subsystem it is mapped to; a namespace is mapped to one at most. Nil when unmapped.
  std::optional<Uuid> subsystem_uuid;
  std::string subsystem_name;
};

// The subsystem that a namespace is mapped to costs the array extra work per namespace.
enum class NamespaceMaps { kSkip, kRead };

class NvmeNamespaces {
 public:
  NvmeNamespaces(RestClient& rest, std::string svm_name)
      : rest_(&rest), svm_(std::move(svm_name)) {}

  // The namespace inside the volume of that name, if any; kConflict when the volume holds several.
  Result<std::optional<NvmeNamespace>> FindByVolume(const std::string& volume_name,
                                                    const Deadline& deadline);
  // The namespace of that UUID, if there is one.
  Result<std::optional<NvmeNamespace>> FindByUuid(const Uuid& uuid, const Deadline& deadline);
  // Those whose volume matches the pattern ('*' any text, '|' alternatives), to the last page.
  Result<std::vector<NvmeNamespace>> List(const std::string& volume_pattern,
                                          const Deadline& deadline,
                                          NamespaceMaps maps = NamespaceMaps::kRead);

  // Creates /vol/<volume_name>/<base_name>, os_type linux, 4 KiB blocks. Not idempotent:
  // kAlreadyExists when the path is taken. `size` is a multiple of 4096; the size in force is in
  // the answer. kConflict with outcome_unknown() when the array created it but could not set
  // everything (72090009, 72090015): read it back.
  Result<NvmeNamespace> Create(const std::string& volume_name, const std::string& base_name,
                               ByteCount size, const std::string& comment,
                               const Deadline& deadline);
  // Grows; kInvalidArgument for a smaller size. Idempotent.
  Status Grow(const Uuid& uuid, ByteCount size, const Deadline& deadline);
  // Idempotent. At most 254 characters.
  Status SetComment(const Uuid& uuid, const std::string& comment, const Deadline& deadline);

 private:
  RestClient* rest_;
  std::string svm_;
};

}  // namespace ontapnvme::ontap
