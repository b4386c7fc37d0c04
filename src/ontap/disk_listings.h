// SPDX-License-Identifier: AGPL-3.0-or-later
// How FlexVols and namespaces are asked for and read, one by one and side by side, and pieces of
// what is sent. Private to the ontap layer.
#pragma once

#include <optional>
#include <string>

#include "ontap/disk_records.h"
#include "ontap/json_fields.h"
#include "ontap/rest_client.h"
#include "ontap/rest_types.h"

namespace ontapnvme::ontap {

inline constexpr const char* kVolumesPath = "/api/storage/volumes";
inline constexpr const char* kNamespacesPath = "/api/storage/namespaces";
inline constexpr const char* kLunsPath = "/api/storage/luns";

inline std::string VolumePath(const Uuid& uuid) {
  return std::string(kVolumesPath) + "/" + uuid.Text();
}
// Without a maximum autosize is off.
inline Json AutosizeJson(const std::optional<ByteCount>& maximum) {
  if (!maximum) return {{"mode", "off"}};
  return {{"mode", "grow"}, {"maximum", maximum->bytes()}};
}
inline const char* GuaranteeText(bool is_thick) {
  return is_thick ? "volume" : "none";
}

ReadRequest FlexVolListing(const RestClient& rest, const std::string& svm_name,
                           const std::string& name_filter, CloneParents parents);
FlexVol ParseFlexVol(FieldReader& fields);

ReadRequest FlexVolHealthListing(const RestClient& rest, const std::string& svm_name,
                                 const std::string& name_filter);
FlexVolHealth ParseFlexVolHealth(FieldReader& fields);

ReadRequest NamespaceListing(const std::string& svm_name, const std::string& volume_filter,
                             NamespaceMaps maps);
std::string NamespaceFields(NamespaceMaps maps);
NvmeNamespace ParseNamespace(FieldReader& fields);

ReadRequest LunListing(const std::string& svm_name, const std::string& volume_filter);
Lun ParseLun(FieldReader& fields);

}  // namespace ontapnvme::ontap
