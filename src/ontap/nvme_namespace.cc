// SPDX-License-Identifier: AGPL-3.0-or-later
#include "ontap/nvme_namespace.h"

#include "ontap/flexvol_records.h"
#include "ontap/ontap_errors.h"
#include "ontap/query_value.h"
#include "ontap/rest_client.h"

namespace ontapnvme::ontap {
namespace {

constexpr const char* kNamespaces = "/api/storage/namespaces";
constexpr unsigned kBlockBytes = 4096;
// Creating and changing a namespace may be a job from this release on, and takes return_timeout;
// before it is always synchronous (NetApp REST reference, namespaces).
constexpr Release kMayBeJob{9, 16, 1};

const char* Fields(NamespaceMaps maps) {
  // `subsystem_map` is marked expensive.
  if (maps == NamespaceMaps::kSkip) {
    return "uuid,name,comment,location.volume.name,location.volume.uuid,space.size,space.used,"
           "status.state,status.container_state";
  }
  return "uuid,name,comment,location.volume.name,location.volume.uuid,space.size,space.used,"
         "status.state,status.container_state,subsystem_map.subsystem.name,"
         "subsystem_map.subsystem.uuid";
}

std::string NamespacePath(const Uuid& uuid) {
  return std::string(kNamespaces) + "/" + uuid.Text();
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
  return ns;
}

ChangeRequest Patch(const RestClient& rest, const Uuid& uuid, const Json& body,
                    const std::string& verb) {
  ChangeRequest request;
  request.method = http::Method::kPatch;
  request.path = NamespacePath(uuid);
  request.body = BodyText(body);
  request.doing = verb + " namespace " + uuid.Text();
  request.is_idempotent = true;
  request.takes_return_timeout = rest.IsKnownAtLeast(kMayBeJob);
  return request;
}

}  // namespace

ReadRequest NamespaceListing(const std::string& svm_name, const std::string& volume_filter,
                             NamespaceMaps maps) {
  ReadRequest request;
  request.path = kNamespaces;
  request.query.Add("svm.name", LiteralFilter(svm_name))
      .Add("location.volume.name", volume_filter)
      .Add("fields", Fields(maps))
      .Add("max_records", std::to_string(kPageRecords));
  request.doing = "list the namespaces of SVM '" + CleanText(svm_name) + "'";
  return request;
}

Result<std::vector<NvmeNamespace>> ParseNamespaces(const std::vector<Json>& records) {
  return ParseRecords(records, "GET /api/storage/namespaces", ParseNamespace);
}

Result<std::optional<NvmeNamespace>> NvmeNamespaces::FindByVolume(const std::string& volume_name,
                                                                  const Deadline& deadline) {
  auto request = NamespaceListing(svm_, LiteralFilter(volume_name), NamespaceMaps::kRead);
  request.doing = "look up the namespace of volume '" + CleanText(volume_name) + "'";
  TRY(const auto records, rest_->List(request, deadline));
  TRY(auto namespaces, ParseNamespaces(records));
  std::erase_if(namespaces, [&](const NvmeNamespace& ns) { return ns.volume_name != volume_name; });
  if (namespaces.empty()) return std::optional<NvmeNamespace>();
  if (namespaces.size() > 1) {
    return Error(ErrorCode::kConflict, "cannot " + request.doing)
        .Because("the volume holds " + std::to_string(namespaces.size()) + " namespaces")
        .Try("remove the namespaces that are not of this storage");
  }
  return std::optional(std::move(namespaces.front()));
}

Result<std::optional<NvmeNamespace>> NvmeNamespaces::FindByUuid(const Uuid& uuid,
                                                                const Deadline& deadline) {
  ReadRequest request;
  request.path = NamespacePath(uuid);
  request.query.Add("fields", Fields(NamespaceMaps::kRead));
  request.doing = "look up namespace " + uuid.Text();
  auto record = rest_->Read(request, deadline);
  if (!record.ok() && IsGone(record.error())) return std::optional<NvmeNamespace>();
  if (!record.ok()) return std::move(record).error();
  TRY(auto parsed, ParseNamespaces({*record}));
  return std::optional(std::move(parsed.front()));
}

Result<std::vector<NvmeNamespace>> NvmeNamespaces::List(const std::string& volume_pattern,
                                                        const Deadline& deadline,
                                                        NamespaceMaps maps) {
  const auto request = NamespaceListing(svm_, PatternFilter(volume_pattern), maps);
  TRY(const auto records, rest_->List(request, deadline));
  return ParseNamespaces(records);
}

Result<NvmeNamespace> NvmeNamespaces::Create(const std::string& volume_name,
                                             const std::string& base_name, ByteCount size,
                                             const std::string& comment, const Deadline& deadline) {
  const std::string path = "/vol/" + volume_name + "/" + base_name;
  Json body{{"svm", {{"name", svm_}}},
            {"name", path},
            {"os_type", "linux"},
            {"space", {{"size", size.bytes()}, {"block_size", kBlockBytes}}}};
  if (!comment.empty()) body["comment"] = comment;
  ChangeRequest request;
  request.path = kNamespaces;
  request.query.Add("return_records", "true");
  request.body = BodyText(body);
  request.doing = "create namespace '" + CleanText(path) + "'";
  request.takes_return_timeout = rest_->IsKnownAtLeast(kMayBeJob);
  const std::string doing = request.doing;
  TRY(const auto answer, rest_->Change(std::move(request), deadline));
  if (!answer.records.empty()) {
    TRY(auto created, ParseNamespaces({answer.records.front()}));
    if (created.front().size > ByteCount{}) {
      // The answer may leave out where it lies; that much is known.
      if (created.front().volume_name.empty()) created.front().volume_name = volume_name;
      return std::move(created.front());
    }
  }
  // A job tells no record, and a record need not tell the size in force.
  auto found = FindByVolume(volume_name, deadline);
  if (found.ok() && *found) return **std::move(found);
  if (!found.ok()) return std::move(found).error().Wrap("cannot " + doing).OutcomeUnknown();
  return Error(ErrorCode::kInternal, "cannot " + doing)
      .Because("the array reports success, but does not list the namespace")
      .OutcomeUnknown();
}

Status NvmeNamespaces::Grow(const Uuid& uuid, ByteCount size, const Deadline& deadline) {
  const Json body{{"space", {{"size", size.bytes()}}}};
  const auto grown = rest_->Change(Patch(*rest_, uuid, body, "grow"), deadline);
  return grown.ok() ? Status() : Status(grown.error());
}

Status NvmeNamespaces::SetComment(const Uuid& uuid, const std::string& comment,
                                  const Deadline& deadline) {
  const Json body{{"comment", comment}};
  const auto set = rest_->Change(Patch(*rest_, uuid, body, "set the comment of"), deadline);
  return set.ok() ? Status() : Status(set.error());
}

}  // namespace ontapnvme::ontap
