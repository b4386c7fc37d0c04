// SPDX-License-Identifier: AGPL-3.0-or-later
#include "ontap/disk_listings.h"

#include <algorithm>

#include "ontap/query_value.h"
#include "ontap/rest_calls.h"

namespace ontapnvme::ontap {
namespace {

// Enough for all disks of a storage in one page; ONTAP names no maximum of its own.
constexpr unsigned kPageRecords = 4000;

ReadRequest VolumesRequest(const RestClient& rest, const std::string& svm_name,
                           const std::string& name_filter, const std::string& fields,
                           std::initializer_list<NewerField> newer = {}) {
  ReadRequest request{.path = kVolumesPath, .doing = "list the volumes of SVM " + Quoted(svm_name)};
  request.query.Add("svm.name", LiteralFilter(svm_name)).Add("name", name_filter);
  AddFields(request.query, rest, fields, newer);
  request.query.Add("max_records", std::to_string(kPageRecords));
  return request;
}

}  // namespace

ReadRequest FlexVolListing(const RestClient& rest, const std::string& svm_name,
                           const std::string& name_filter, CloneParents parents) {
  std::string fields =
      "name,uuid,comment,state,size,space.used,create_time,consistency_group.name,"
      "consistency_group.uuid";
  if (parents != CloneParents::kSkip) {
    fields +=
        ",clone.parent_volume.name,clone.parent_volume.uuid,clone.parent_snapshot.name,"
        "clone.parent_snapshot.uuid";
  }
  if (parents == CloneParents::kReadWithSplits) {
    fields += ",clone.split_initiated,clone.split_complete_percent";
  }
  return VolumesRequest(rest, svm_name, name_filter, fields);
}

ReadRequest FlexVolHealthListing(const RestClient& rest, const std::string& svm_name,
                                 const std::string& name_filter) {
  return VolumesRequest(rest, svm_name, name_filter, "name,comment,snapshot_count",
                        {{kSanRansomware, "anti_ransomware.state"},
                         {kSanRansomware, "anti_ransomware.attack_probability"}});
}

FlexVolHealth ParseFlexVolHealth(FieldReader& fields) {
  return {.name = fields.RequireText("/name"),
          .comment = fields.OptionalText("/comment"),
          .snapshot_count = fields.OptionalUint("/snapshot_count"),
          .protection = fields.OptionalText("/anti_ransomware/state"),
          .attack_probability = fields.OptionalText("/anti_ransomware/attack_probability")};
}

FlexVol ParseFlexVol(FieldReader& fields) {
  FlexVol volume;
  volume.uuid = fields.RequireUuid("/uuid");
  volume.name = fields.RequireText("/name");
  volume.comment = fields.OptionalText("/comment");
  volume.state = fields.OptionalText("/state");
  // An offline volume has no figures of space: it must not make a whole listing fail.
  volume.size = fields.OptionalBytes("/size");
  volume.used = fields.OptionalBytes("/space/used");
  volume.create_time = fields.OptionalTime("/create_time");
  if (const auto group = fields.OptionalUuid("/consistency_group/uuid")) {
    volume.group = GroupRef{*group, fields.OptionalText("/consistency_group/name")};
  }
  volume.parent_volume_name = fields.OptionalText("/clone/parent_volume/name");
  volume.parent_snapshot_name = fields.OptionalText("/clone/parent_snapshot/name");
  volume.parent_volume_uuid = fields.OptionalUuid("/clone/parent_volume/uuid").value_or(Uuid());
  volume.parent_snapshot_uuid = fields.OptionalUuid("/clone/parent_snapshot/uuid").value_or(Uuid());
  const auto percent = fields.OptionalUint("/clone/split_complete_percent");
  if (percent || fields.OptionalBool("/clone/split_initiated") == true) {
    volume.split_percent = static_cast<unsigned>(std::min<std::uint64_t>(percent.value_or(0), 100));
  }
  return volume;
}

std::string NamespaceFields(NamespaceMaps maps) {
  std::string fields =
      "uuid,name,comment,location.volume.name,location.volume.uuid,space.size,space.used,"
      "status.state,status.container_state";
  // Marked expensive.
  if (maps != NamespaceMaps::kSkip) {
    fields += ",subsystem_map.subsystem.name,subsystem_map.subsystem.uuid";
  }
  if (maps == NamespaceMaps::kReadTwice) fields += ",status.mapped";
  return fields;
}

ReadRequest NamespaceListing(const std::string& svm_name, const std::string& volume_filter,
                             NamespaceMaps maps) {
  ReadRequest request{.path = kNamespacesPath,
                      .doing = "list the namespaces of SVM " + Quoted(svm_name)};
  request.query.Add("svm.name", LiteralFilter(svm_name))
      .Add("location.volume.name", volume_filter)
      .Add("fields", NamespaceFields(maps))
      .Add("max_records", std::to_string(kPageRecords));
  return request;
}

NvmeNamespace ParseNamespace(FieldReader& fields) {
  NvmeNamespace ns;
  ns.uuid = fields.RequireUuid("/uuid");
  ns.path = fields.RequireText("/name");
  ns.volume_name = fields.OptionalText("/location/volume/name");
  ns.volume_uuid = fields.OptionalUuid("/location/volume/uuid").value_or(Uuid());
  ns.comment = fields.OptionalText("/comment");
  ns.state = fields.OptionalText("/status/state");
  ns.container_state = fields.OptionalText("/status/container_state");
  ns.size = fields.OptionalBytes("/space/size");
  ns.used = fields.OptionalBytes("/space/used");
  ns.subsystem_uuid = fields.OptionalUuid("/subsystem_map/subsystem/uuid");
  ns.subsystem_name = fields.OptionalText("/subsystem_map/subsystem/name");
  ns.is_mapped = fields.OptionalBool("/status/mapped");
  return ns;
}

ReadRequest LunListing(const std::string& svm_name, const std::string& volume_filter) {
  ReadRequest request{.path = kLunsPath, .doing = "list the LUNs of SVM " + Quoted(svm_name)};
  request.query.Add("svm.name", LiteralFilter(svm_name))
      .Add("location.volume.name", volume_filter)
      .Add("fields", "uuid,name,location.volume.name,space.size,status.mapped")
      .Add("max_records", std::to_string(kPageRecords));
  return request;
}

Lun ParseLun(FieldReader& fields) {
  Lun lun;
  lun.uuid = fields.RequireUuid("/uuid");
  lun.path = fields.RequireText("/name");
  lun.volume_name = fields.OptionalText("/location/volume/name");
  lun.size = fields.OptionalBytes("/space/size");
  lun.is_mapped = fields.OptionalBool("/status/mapped");
  return lun;
}

}  // namespace ontapnvme::ontap
