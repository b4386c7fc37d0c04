// SPDX-License-Identifier: AGPL-3.0-or-later
#include "ontap/flexvol.h"

#include <algorithm>

#include "ontap/disk_listings.h"
#include "ontap/query_value.h"
#include "ontap/rest_calls.h"

namespace ontapnvme::ontap {
namespace {

// Large volumes and files (NetApp's Ansible module gives it to new volumes, from 9.12).
constexpr Release kLargeSize{9, 12, 1};

// Every default of ONTAP that does not suit a block device is overridden: a thick volume of 20 MB
// with a snapshot schedule (NetApp REST reference, volumes POST). No more is sent than clients of
// real arrays send: not the fractional reserve, whose default is 100 with a guarantee and 0 without
// (ONTAP documentation, volumes).
Json CreateBody(const FlexVolSpec& spec, const std::string& svm, const RestClient& rest) {
  Json body{{"svm", {{"name", svm}}},
            {"name", spec.name},
            {"aggregates", Json::array({{{"name", spec.aggregate}}})},
            {"style", "flexvol"},
            {"size", spec.size.bytes()},
            {"guarantee", {{"type", GuaranteeText(spec.is_thick)}}},
            {"snapshot_policy", {{"name", "none"}}}};
  if (!spec.comment.empty()) body["comment"] = spec.comment;
  if (spec.encryption) body["encryption"] = {{"enabled", *spec.encryption}};
  if (spec.is_large && rest.IsKnownAtLeast(kLargeSize)) body["space"]["large_size_enabled"] = true;
  if (spec.snapshot_reserve_percent) {
    body["space"]["snapshot"]["reserve_percent"] = *spec.snapshot_reserve_percent;
  }
  if (spec.autosize) body["autosize"] = AutosizeJson(spec.autosize->maximum);
  if (!spec.tiering_policy.empty()) body["tiering"] = {{"policy", spec.tiering_policy}};
  if (!spec.qos_policy.empty()) body["qos"] = {{"policy", {{"name", spec.qos_policy}}}};
  return body;
}

// No other field: clients disagree on what a clone takes at its creation, and what it inherits
// serves until it is changed.
Json CloneBody(const FlexCloneSpec& spec, const std::string& svm) {
  Json body{{"svm", {{"name", svm}}},
            {"name", spec.name},
            {"clone",
             {{"is_flexclone", true},
              {"parent_volume", {{"name", spec.parent_volume}}},
              {"parent_snapshot", {{"name", spec.parent_snapshot}}}}}};
  if (!spec.comment.empty()) body["comment"] = spec.comment;
  return body;
}

// The UUID of what a create made, where its answer holds it.
std::optional<Uuid> CreatedUuid(const ChangeAnswer& answer) {
  if (const auto uuid = UuidFromLocation(answer.location, kVolumesPath)) return uuid;
  if (answer.records.empty()) return std::nullopt;
  return FieldReader(answer.records.front(), kVolumesPath).OptionalUuid("/uuid");
}

ChangeRequest Patch(const Uuid& uuid, const Json& body, const std::string& verb) {
  return ChangeRequest::Patch(VolumePath(uuid), body, verb + " volume " + uuid.Text());
}

Result<Uuid> CreateFrom(RestClient& rest, FlexVols& volumes, const std::string& name,
                        const Json& body, std::string doing, const Deadline& deadline) {
  const auto from_answer = [](const ChangeAnswer& answer) { return Result(CreatedUuid(answer)); };
  const auto look_up = [&]() -> Result<std::optional<Uuid>> {
    TRY(const auto found, volumes.Find(name, deadline));
    return found ? std::optional(found->uuid) : std::nullopt;
  };
  return CreateOrLookUp(rest, ChangeRequest::Post(kVolumesPath, body, std::move(doing)),
                        from_answer, look_up, deadline);
}

}  // namespace

Result<std::optional<FlexVol>> FlexVols::Find(const std::string& name, const Deadline& deadline) {
  auto request = FlexVolListing(*rest_, svm_, LiteralFilter(name), CloneParents::kRead);
  request.doing = "look up volume " + Quoted(name);
  return FindNamed(*rest_, request, ParseFlexVol, name, deadline);
}

Result<std::vector<FlexVol>> FlexVols::List(const std::string& name_pattern,
                                            const Deadline& deadline, CloneParents parents) {
  const auto request = FlexVolListing(*rest_, svm_, PatternFilter(name_pattern), parents);
  return ReadAll(*rest_, request, ParseFlexVol, deadline);
}

Result<std::vector<FlexVolHealth>> FlexVols::ListHealth(const std::string& name_pattern,
                                                        const Deadline& deadline) {
  const auto request = FlexVolHealthListing(*rest_, svm_, PatternFilter(name_pattern));
  return ReadAll(*rest_, request, ParseFlexVolHealth, deadline);
}

Result<std::vector<FlexVol>> FlexVols::ListClones(const std::string& parent_name,
                                                  const Deadline& deadline) {
  auto request = FlexVolListing(*rest_, svm_, "*", CloneParents::kReadWithSplits);
  request.query.Add("clone.parent_volume.name", LiteralFilter(parent_name));
  request.doing = "list the clones of volume " + Quoted(parent_name);
  return ReadAll(*rest_, request, ParseFlexVol, deadline);
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

Status FlexVols::StartSplit(const Uuid& uuid, const Deadline& deadline) {
  const Json body{{"clone", {{"split_initiated", true}}}};
  return Apply(*rest_, Patch(uuid, body, "split the clone"), deadline);
}

Status FlexVols::StartMove(const Uuid& uuid, const std::string& aggregate,
                           const Deadline& deadline) {
  const Json body{{"movement", {{"destination_aggregate", {{"name", aggregate}}}}}};
  return Apply(*rest_, Patch(uuid, body, "move"), deadline);
}

Result<FlexVolPlace> FlexVols::ReadPlace(const Uuid& uuid, const Deadline& deadline) {
  ReadRequest request{.path = VolumePath(uuid),
                      .doing = "read on which aggregate volume " + uuid.Text() + " is"};
  request.query.Add("fields",
                    "aggregates.name,movement.state,movement.percent_complete,"
                    "movement.destination_aggregate.name");
  const auto parse = [](FieldReader& fields) {
    FlexVolPlace place;
    fields.ForEach("/aggregates", [&](FieldReader& aggregate) {
      place.aggregate = aggregate.OptionalText("/name");
    });
    place.destination = fields.OptionalText("/movement/destination_aggregate/name");
    place.state = fields.OptionalText("/movement/state");
    const auto percent = fields.OptionalUint("/movement/percent_complete").value_or(0);
    place.percent = static_cast<unsigned>(std::min<std::uint64_t>(percent, 100));
    return place;
  };
  return ReadOne(*rest_, request, parse, deadline);
}

Result<FlexVolUse> FlexVols::ReadUse(const Uuid& uuid, const Deadline& deadline) {
  ReadRequest request{.path = VolumePath(uuid),
                      .doing = "read what volume " + uuid.Text() + " is used for"};
  request.query.Add("fields", "is_svm_root,type,nas.path");
  const auto parse = [](FieldReader& fields) {
    return FlexVolUse{.is_svm_root = fields.OptionalBool("/is_svm_root"),
                      .type = fields.OptionalText("/type"),
                      .nas_path = fields.OptionalText("/nas/path")};
  };
  return ReadOne(*rest_, request, parse, deadline);
}

Status FlexVols::Resize(const Uuid& uuid, ByteCount size, const Deadline& deadline) {
  const Json body{{"size", size.bytes()}};
  return Apply(*rest_, Patch(uuid, body, "resize"), deadline);
}

Status FlexVols::SetComment(const Uuid& uuid, const std::string& comment,
                            const Deadline& deadline) {
  const Json body{{"comment", comment}};
  return Apply(*rest_, Patch(uuid, body, "set the comment of"), deadline);
}

Status FlexVols::SetRansomwareProtection(const Uuid& uuid, bool is_on, const Deadline& deadline) {
  const Json body{{"anti_ransomware", {{"state", is_on ? "enabled" : "disabled"}}}};
  return Apply(*rest_, Patch(uuid, body, "set the anti-ransomware protection of"), deadline);
}

Status FlexVols::BringOnline(const Uuid& uuid, const Deadline& deadline) {
  const Json body{{"state", "online"}};
  return Apply(*rest_, Patch(uuid, body, "bring online"), deadline);
}

Status FlexVols::Rename(const Uuid& uuid, const std::string& new_name, const Deadline& deadline) {
  const Json body{{"name", new_name}};
  auto request = Patch(uuid, body, "rename");
  request.doing += " to " + Quoted(new_name);
  return Apply(*rest_, std::move(request), deadline);
}

Status FlexVols::Delete(const Uuid& uuid, bool bypass_recovery_queue, const Deadline& deadline) {
  auto request = ChangeRequest::Delete(VolumePath(uuid), "delete volume " + uuid.Text());
  if (bypass_recovery_queue && rest_->IsKnownAtLeast(kForceDelete)) {
    request.query.Add("force", "true");
  }
  return Remove(*rest_, std::move(request), deadline);
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
