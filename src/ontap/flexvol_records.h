// SPDX-License-Identifier: AGPL-3.0-or-later
// Reading of FlexVol and namespace records, shared by the calls that list them. Private to the
// ontap layer.
#pragma once

#include <string>
#include <vector>

#include "ontap/flexvol.h"
#include "ontap/nvme_namespace.h"
#include "ontap/rest_types.h"

namespace ontapnvme::ontap {

// Enough for all disks of a storage in one page; ONTAP names no maximum of its own.
inline constexpr unsigned kPageRecords = 4000;

ReadRequest FlexVolListing(const RestClient& rest, const std::string& svm_name,
                           const std::string& name_filter, CloneParents parents);
Result<std::vector<FlexVol>> ParseFlexVols(const std::vector<Json>& records);

ReadRequest NamespaceListing(const std::string& svm_name, const std::string& volume_filter,
                             NamespaceMaps maps);
Result<std::vector<NvmeNamespace>> ParseNamespaces(const std::vector<Json>& records);

}  // namespace ontapnvme::ontap
