// SPDX-License-Identifier: AGPL-3.0-or-later
#include "ontap/disk_objects.h"

#include <map>

#include "ontap/flexvol_records.h"
#include "ontap/query_value.h"
#include "ontap/rest_client.h"

namespace ontapnvme::ontap {

Result<std::vector<DiskObjects>> ReadDiskObjects(RestClient& rest, const std::string& svm_name,
                                                 const std::string& volume_pattern,
                                                 const Deadline& deadline,
                                                 const DiskReadOptions& options) {
  const std::string filter = PatternFilter(volume_pattern);
  TRY(const auto lists, rest.ListEach({FlexVolListing(rest, svm_name, filter, options.parents),
                                       NamespaceListing(svm_name, filter, options.maps)},
                                      deadline));
  TRY(auto volumes, ParseFlexVols(lists[0]));
  TRY(auto namespaces, ParseNamespaces(lists[1]));

  std::vector<DiskObjects> disks;
  disks.reserve(volumes.size());
  std::map<Uuid, std::size_t> index_by_volume;
  for (FlexVol& volume : volumes) {
    index_by_volume.emplace(volume.uuid, disks.size());
    disks.push_back({.volume = std::move(volume), .ns = std::nullopt});
  }
  for (NvmeNamespace& ns : namespaces) {
    // By UUID: between the two listings a name may have passed to another volume.
    const auto found = index_by_volume.find(ns.volume_uuid);
    if (found == index_by_volume.end()) continue;
    DiskObjects& disk = disks[found->second];
    disk.is_ambiguous = disk.ns.has_value();
    if (!disk.ns) disk.ns = std::move(ns);
  }
  return disks;
}

}  // namespace ontapnvme::ontap
