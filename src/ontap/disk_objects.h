// SPDX-License-Identifier: AGPL-3.0-or-later
// The two array objects of a disk, read side by side: the FlexVol and the namespace in it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ontap/flexvol.h"
#include "ontap/nvme_namespace.h"

namespace ontapnvme::ontap {

struct DiskObjects {
  FlexVol volume;
  std::optional<NvmeNamespace>
      ns;  // absent for a stranded volume: a create or delete stopped half-way
  // The volume holds several namespaces, so it is not a disk of ours; `ns` is one of them.
  bool is_ambiguous = false;
};

// Both cost the array extra work per object.
struct DiskReadOptions {
  CloneParents parents = CloneParents::kRead;
  NamespaceMaps maps = NamespaceMaps::kRead;
};

// All FlexVols whose name matches the pattern, each with its namespace, by two listings in parallel
// (one request per listing and page). A namespace whose volume is not in the listing is left out.
Result<std::vector<DiskObjects>> ReadDiskObjects(RestClient& rest, const std::string& svm_name,
                                                 const std::string& volume_pattern,
                                                 const Deadline& deadline,
                                                 const DiskReadOptions& options = {});

}  // namespace ontapnvme::ontap
