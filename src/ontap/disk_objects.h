// SPDX-License-Identifier: AGPL-3.0-or-later
// The array objects of disks, read side by side: FlexVols and the namespaces in them.
#pragma once

#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "ontap/disk_records.h"

namespace ontapnvme::ontap {

class RestClient;

struct DiskObjects {
  FlexVol volume;
  // None in a stranded volume: one whose create or delete stopped half-way.
  std::vector<NvmeNamespace> namespaces = {};
};

// Both cost the array extra work per object.
struct DiskReadOptions {
  CloneParents parents = CloneParents::kRead;
  NamespaceMaps maps = NamespaceMaps::kRead;
  // Volumes that are listed besides, without their namespaces.
  std::string also_volumes = {};
};

// All FlexVols whose name matches the pattern, each with its namespaces, by two listings in parallel
// (one request per listing and page). A namespace whose volume is not in the listing is left out.
Result<std::vector<DiskObjects>> ReadDiskObjects(RestClient& rest, const std::string& svm_name,
                                                 const std::string& volume_pattern,
                                                 const Deadline& deadline,
                                                 const DiskReadOptions& options = {});

}  // namespace ontapnvme::ontap
