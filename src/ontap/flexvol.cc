// SPDX-License-Identifier: AGPL-3.0-or-later
#include "ontap/flexvol.h"

#include "ontap/flexvol_records.h"
#include "ontap/ontap_errors.h"
#include "ontap/query_value.h"
#include "ontap/rest_client.h"

namespace ontapnvme::ontap {
namespace {

constexpr const char* kVolumes = "/api/storage/volumes";
constexpr const char* kRecoveryQueue = "/api/private/cli/volume/recovery-queue";
// `space.snapshot.autodelete.…` replaces `space.snapshot.autodelete_enabled` (NetApp REST
// reference, volumes).
constexpr Release kAutodeleteObject{9, 13, 1};

std::string VolumePath(const Uuid& uuid) {
  return std::string(kVolumes) + "/" + uuid.Text();
}

std::string Quoted(const std::string& name) {
  return "'" + CleanText(name) + "'";
}

FlexVol ParseFlexVol(FieldReader& fields) {
  FlexVol volume;
  volume.uuid = fields.RequireUuid("/uuid");
  volume.name = fields.RequireText("/name");
  volume.comment = fields.OptionalText("/comment");
  volume.state = fields.OptionalText("/state");
  // An offline volume tells no space: it must not make a whole listing fail.
  volume.size = fields.OptionalBytes("/size");
  volume.used = fields.OptionalBytes("/space/used");
  volume.create_time = fields.OptionalTime("/create_time");
  if (const auto group = fields.OptionalUuid("/consistency_group/uuid")) {
    volume.group = GroupRef{*group, fields.OptionalText("/consistency_group/name")};
  }
  volume.parent_volume_name = fields.OptionalText("/clone/parent_volume/name");
  volume.parent_snapshot_name = fields.OptionalText("/clone/parent_snapshot/name");
  return volume;
}

Json Autosize(const std::optional<ByteCount>& maximum) {
  if (!maximum) return {{"mode", "off"}};
  return {{"mode", "grow"}, {"maximum", maximum->bytes()}};
}

void SetAutodelete(Json& snapshot_space, bool is_on, const std::string& spared_prefix,
                   const RestClient& rest) {
  if (!rest.IsKnownAtLeast(kAutodeleteObject)) {
    snapshot_space["autodelete_enabled"] = is_on;
    return;
  }
  Json autodelete{{"enabled", is_on}};
  if (is_on && !spared_prefix.empty()) {
    autodelete["defer_delete"] = "prefix";
    autodelete["prefix"] = spared_prefix;
  }
  snapshot_space["autodelete"] = autodelete;
}

// Every default of ONTAP that does not suit a block device is overridden: a thick volume of 20 MB
// with a snapshot schedule (NetApp REST reference, volumes POST).
Json CreateBody(const FlexVolSpec& spec, const std::string& svm, const RestClient& rest) {
  Json space{{"fractional_reserve", spec.is_thick ? 100 : 0},
             {"snapshot", {{"reserve_percent", spec.snapshot_reserve_percent}}}};
  SetAutodelete(space["snapshot"], spec.is_snapshot_autodelete_on, spec.autodelete_spared_prefix,
                rest);
  Json body{{"svm", {{"name", svm}}},
            {"name", spec.name},
            {"aggregates", Json::array({{{"name", spec.aggregate}}})},
            {"style", "flexvol"},
            {"size", spec.size.bytes()},
            {"guarantee", {{"type", spec.is_thick ? "volume" : "none"}}},
            {"snapshot_policy", {{"name", "none"}}},
            {"space", space},
            {"autosize", Autosize(spec.autosize_maximum)}};
  if (!spec.comment.empty()) body["comment"] = spec.comment;
  if (spec.encryption) body["encryption"] = {{"enabled", *spec.encryption}};
  if (!spec.tiering_policy.empty()) body["tiering"] = {{"policy", spec.tiering_policy}};
  if (!spec.qos_policy.empty()) body["qos"] = {{"policy", {{"name", spec.qos_policy}}}};
  return body;
}

Json CloneBody(const FlexCloneSpec& spec, const std::string& svm) {
  // What a clone inherits is not stated, so what matters is said (NetApp REST reference, volumes
  // POST).
  Json body{{"svm", {{"name", svm}}},
            {"name", spec.name},
            {"clone",
             {{"is_flexclone", true},
              {"parent_volume", {{"name", spec.parent_volume}}},
              {"parent_snapshot", {{"name", spec.parent_snapshot}}}}},
            {"guarantee", {{"type", spec.is_thick ? "volume" : "none"}}},
            {"snapshot_policy", {{"name", "none"}}}};
  if (!spec.comment.empty()) body["comment"] = spec.comment;
  if (!spec.qos_policy.empty()) body["qos"] = {{"policy", {{"name", spec.qos_policy}}}};
  return body;
}

// The UUID of what a create made: from where the array tells it, at no further request.
std::optional<Uuid> CreatedUuid(const ChangeAnswer& answer) {
  if (const auto uuid = UuidFromLocation(answer.location, kVolumes)) return uuid;
  if (answer.records.empty()) return std::nullopt;
  return FieldReader(answer.records.front(), kVolumes).OptionalUuid("/uuid");
}

ChangeRequest Patch(const Uuid& uuid, const Json& body, const char* verb) {
  ChangeRequest request;
  request.method = http::Method::kPatch;
  request.path = VolumePath(uuid);
  request.body = BodyText(body);
  request.doing = std::string(verb) + " volume " + uuid.Text();
  request.is_idempotent = true;  // all values are absolute
  return request;
}

Status Apply(RestClient& rest, ChangeRequest request, const Deadline& deadline) {
  const auto answer = rest.Change(std::move(request), deadline);
  return answer.ok() ? Status() : Status(answer.error());
}

Result<Uuid> CreateFrom(RestClient& rest, FlexVols& volumes, const std::string& name,
                        const Json& body, std::string doing, const Deadline& deadline) {
  ChangeRequest request;
  request.path = kVolumes;
  request.query.Add("return_records", "true");
  request.body = BodyText(body);
  request.doing = std::move(doing);
  const std::string doing_text = request.doing;
  TRY(const auto answer, rest.Change(std::move(request), deadline));
  if (const auto uuid = CreatedUuid(answer)) return *uuid;
  auto found = volumes.Find(name, deadline);
  if (found.ok() && *found) return (*found)->uuid;
  if (!found.ok()) return std::move(found).error().Wrap("cannot " + doing_text).OutcomeUnknown();
  return Error(ErrorCode::kInternal, "cannot " + doing_text)
      .Because("the array reports success, but does not list the volume")
      .OutcomeUnknown();
}

}  // namespace

ReadRequest FlexVolListing(const RestClient& rest, const std::string& svm_name,
                           const std::string& name_filter, CloneParents parents) {
  std::string fields =
      "name,uuid,comment,state,size,space.used,create_time,consistency_group.name,"
      "consistency_group.uuid";
  if (parents == CloneParents::kRead) {
    fields += ",clone.parent_volume.name,clone.parent_snapshot.name";
  }
  ReadRequest request;
  request.path = kVolumes;
  request.query.Add("svm.name", LiteralFilter(svm_name)).Add("name", name_filter);
  AddFields(request.query, rest, fields);
  request.query.Add("max_records", std::to_string(kPageRecords));
  request.doing = "list the volumes of SVM " + Quoted(svm_name);
  return request;
}

Result<std::vector<FlexVol>> ParseFlexVols(const std::vector<Json>& records) {
  return ParseRecords(records, "GET /api/storage/volumes", ParseFlexVol);
}

Result<std::optional<FlexVol>> FlexVols::Find(const std::string& name, const Deadline& deadline) {
  auto request = FlexVolListing(*rest_, svm_, LiteralFilter(name), CloneParents::kRead);
  request.doing = "look up volume " + Quoted(name);
  TRY(const auto records, rest_->List(request, deadline));
  TRY(auto volumes, ParseFlexVols(records));
  for (FlexVol& volume : volumes) {
    if (volume.name == name) return std::optional(std::move(volume));
  }
  return std::optional<FlexVol>();
}

Result<std::vector<FlexVol>> FlexVols::List(const std::string& name_pattern,
                                            const Deadline& deadline, CloneParents parents) {
  const auto request = FlexVolListing(*rest_, svm_, PatternFilter(name_pattern), parents);
  TRY(const auto records, rest_->List(request, deadline));
  return ParseFlexVols(records);
}

Result<std::vector<FlexVol>> FlexVols::ListClones(const std::string& parent_name,
                                                  const Deadline& deadline) {
  auto request = FlexVolListing(*rest_, svm_, "*", CloneParents::kRead);
  request.query.Add("clone.parent_volume.name", LiteralFilter(parent_name));
  request.doing = "list the clones of volume " + Quoted(parent_name);
  TRY(const auto records, rest_->List(request, deadline));
  return ParseFlexVols(records);
}

Result<Uuid> FlexVols::Create(const FlexVolSpec& spec, const Deadline& deadline) {
  auto created = CreateFrom(*rest_, *this, spec.name, CreateBody(spec, svm_, *rest_),
                            "create volume " + Quoted(spec.name), deadline);
  if (FailedWith(created, ErrorCode::kNoSpace))
    created.error().AddFact("aggregate", spec.aggregate);
  return created;
}

Result<Uuid> FlexVols::Clone(const FlexCloneSpec& spec, const Deadline& deadline) {
  if (spec.parent_snapshot.empty()) {
    return Error(ErrorCode::kInvalidArgument, "cannot clone volume " + Quoted(spec.parent_volume))
        .Because("no snapshot is given");
  }
  return CreateFrom(*rest_, *this, spec.name, CloneBody(spec, svm_),
                    "clone volume " + Quoted(spec.parent_volume) + " to " + Quoted(spec.name),
                    deadline);
}

Status FlexVols::ApplySettings(const Uuid& uuid, const FlexVolSettings& settings,
                               const Deadline& deadline) {
  Json body = Json::object();
  if (settings.autosize) body["autosize"] = Autosize(settings.autosize->maximum);
  if (settings.tiering_policy) body["tiering"] = {{"policy", *settings.tiering_policy}};
  if (settings.qos_policy) {
    // The name "none" takes a policy away, as in ONTAP's own command line.
    const bool is_none = settings.qos_policy->empty();
    body["qos"] = {{"policy", {{"name", is_none ? "none" : *settings.qos_policy}}}};
  }
  if (settings.snapshot_reserve_percent) {
    body["space"]["snapshot"]["reserve_percent"] = *settings.snapshot_reserve_percent;
  }
  if (settings.is_fully_reserved) {
    body["space"]["fractional_reserve"] = *settings.is_fully_reserved ? 100 : 0;
  }
  if (settings.is_snapshot_autodelete_on) {
    SetAutodelete(body["space"]["snapshot"], *settings.is_snapshot_autodelete_on,
                  settings.autodelete_spared_prefix, *rest_);
  }
  if (body.empty()) return {};
  return Apply(*rest_, Patch(uuid, body, "change the settings of"), deadline);
}

Status FlexVols::StartSplit(const Uuid& uuid, const Deadline& deadline) {
  const Json body{{"clone", {{"split_initiated", true}}}};
  return Apply(*rest_, Patch(uuid, body, "split the clone"), deadline);
}

Status FlexVols::Resize(const Uuid& uuid, ByteCount size, std::optional<ByteCount> autosize_maximum,
                        const Deadline& deadline) {
  Json body{{"size", size.bytes()}};
  if (autosize_maximum) body["autosize"] = Autosize(autosize_maximum);
  return Apply(*rest_, Patch(uuid, body, "resize"), deadline);
}

Status FlexVols::SetComment(const Uuid& uuid, const std::string& comment,
                            const Deadline& deadline) {
  const Json body{{"comment", comment}};
  return Apply(*rest_, Patch(uuid, body, "set the comment of"), deadline);
}

Status FlexVols::Rename(const Uuid& uuid, const std::string& new_name, const Deadline& deadline) {
  const Json body{{"name", new_name}};
  auto request = Patch(uuid, body, "rename");
  request.doing += " to " + Quoted(new_name);
  return Apply(*rest_, std::move(request), deadline);
}

Status FlexVols::Delete(const Uuid& uuid, bool bypass_recovery_queue, const Deadline& deadline) {
  ChangeRequest request;
  request.method = http::Method::kDelete;
  request.path = VolumePath(uuid);
  if (bypass_recovery_queue && !rest_->IsOlderThan(kForceDelete))
    request.query.Add("force", "true");
  request.doing = "delete volume " + uuid.Text();
  request.is_idempotent = true;
  const Status deleted = Apply(*rest_, std::move(request), deadline);
  if (!deleted.ok() && IsGone(deleted.error())) return {};
  return deleted;
}

// A queued volume is renamed: its name with "_" and a number behind.
Status FlexVols::PurgeDeleted(const std::string& name, const Deadline& deadline) {
  if (!rest_->IsOlderThan(kForceDelete)) return {};
  ReadRequest listing;
  listing.path = kRecoveryQueue;
  listing.query.Add("vserver", LiteralFilter(svm_)).Add("volume", PatternFilter(name + "_*"));
  listing.query.Add("fields", "vserver,volume");
  listing.doing = "look for deleted volumes that were " + Quoted(name);
  TRY(const auto records, rest_->List(listing, deadline));
  for (const Json& record : records) {
    const std::string queued = FieldReader(record, kRecoveryQueue).OptionalText("/volume");
    const bool is_it = queued.size() > name.size() + 1 && queued.starts_with(name + "_") &&
                       queued.find_first_not_of("0123456789", name.size() + 1) == queued.npos;
    if (!is_it) continue;
    ChangeRequest purge;
    purge.path = std::string(kRecoveryQueue) + "/purge";
    purge.body = BodyText({{"vserver", svm_}, {"volume", queued}});
    purge.doing = "purge deleted volume " + Quoted(queued);
    TRY_STATUS(Apply(*rest_, std::move(purge), deadline));
  }
  return {};
}

Status FlexVols::Restore(const Uuid& uuid, const std::string& snapshot_name,
                         const Deadline& deadline) {
  auto request = Patch(uuid, Json::object(), "restore");
  request.query.Add("restore_to.snapshot.name", snapshot_name);  // in the query, not in the body
  request.doing += " to snapshot " + Quoted(snapshot_name);
  request.is_idempotent = false;
  return Apply(*rest_, std::move(request), deadline);
}

}  // namespace ontapnvme::ontap
