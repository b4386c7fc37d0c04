// SPDX-License-Identifier: AGPL-3.0-or-later
#include "ontap/disk_objects.h"

#include <map>

#include "ontap/disk_listings.h"
#include "ontap/query_value.h"

namespace ontapnvme::ontap {

Result<std::vector<DiskObjects>> ReadDiskObjects(RestClient& rest, const std::string& svm_name,
                                                 const std::string& volume_pattern,
                                                 const Deadline& deadline,
                                                 const DiskReadOptions& options) {
  std::string volumes_pattern = volume_pattern;
  if (!options.also_volumes.empty()) volumes_pattern += "|" + options.also_volumes;
  const std::vector<ReadRequest> requests{
      FlexVolListing(rest, svm_name, PatternFilter(volumes_pattern), options.parents),
      NamespaceListing(svm_name, PatternFilter(volume_pattern), options.maps)};
  TRY(const auto lists, rest.ListEach(requests, deadline));
  TRY(auto volumes, ParseRecords(lists[0], requests[0].Name(), ParseFlexVol));
  TRY(auto namespaces, ParseRecords(lists[1], requests[1].Name(), ParseNamespace));

  std::vector<DiskObjects> disks;
  disks.reserve(volumes.size());
  std::map<Uuid, std::size_t> index_by_volume;
  for (FlexVol& volume : volumes) {
    index_by_volume.emplace(volume.uuid, disks.size());
    disks.push_back({.volume = std::move(volume)});
  }
  for (NvmeNamespace& ns : namespaces) {
    // By UUID: between the two listings a name may have passed to another volume.
    const auto found = index_by_volume.find(ns.volume_uuid);
    if (found == index_by_volume.end()) continue;
    disks[found->second].namespaces.push_back(std::move(ns));
  }
  return disks;
}

}  // namespace ontapnvme::ontap
