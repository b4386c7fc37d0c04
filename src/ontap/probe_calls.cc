// SPDX-License-Identifier: AGPL-3.0-or-later
#include "ontap/probe_calls.h"

#include "ontap/disk_listings.h"
#include "ontap/query_value.h"
#include "ontap/rest_calls.h"

namespace ontapnvme::ontap {
namespace {

constexpr const char* kGroups = "/api/application/consistency-groups";

}  // namespace

Status CreateWithFractionalReserve(RestClient& rest, const std::string& svm_name,
                                   const FlexVolSpec& spec, const Deadline& deadline) {
  const Json body{{"svm", {{"name", svm_name}}},
                  {"name", spec.name},
                  {"aggregates", Json::array({{{"name", spec.aggregate}}})},
                  {"style", "flexvol"},
                  {"size", spec.size.bytes()},
                  {"guarantee", {{"type", GuaranteeText(spec.is_thick)}}},
                  {"space", {{"fractional_reserve", 0}}},
                  {"snapshot_policy", {{"name", "none"}}},
                  {"comment", spec.comment}};
  return Apply(rest, ChangeRequest::Post(kVolumesPath, body, "create volume " + Quoted(spec.name)),
               deadline);
}

Status SetSizeWithAutosize(RestClient& rest, const Uuid& volume, ByteCount size, ByteCount maximum,
                           const Deadline& deadline) {
  const Json body{{"size", size.bytes()}, {"autosize", AutosizeJson(maximum)}};
  return Apply(rest,
               ChangeRequest::Patch(VolumePath(volume), body,
                                    "set size and autosize of volume " + volume.Text()),
               deadline);
}

Status CreateGroupWithoutPolicy(RestClient& rest, const std::string& svm_name,
                                const std::string& name,
                                const std::vector<std::string>& volume_names,
                                const Deadline& deadline) {
  Json members = Json::array();
  for (const auto& volume : volume_names) {
    members.push_back({{"name", volume}, {"provisioning_options", {{"action", "add"}}}});
  }
  const Json body{{"svm", {{"name", svm_name}}}, {"name", name}, {"volumes", members}};
  return Apply(rest, ChangeRequest::Post(kGroups, body, "create consistency group " + Quoted(name)),
               deadline);
}

Result<std::string> ReadGroupPolicy(RestClient& rest, const Uuid& group, const Deadline& deadline) {
  ReadRequest request{.path = std::string(kGroups) + "/" + group.Text(),
                      .doing = "read the snapshot policy of consistency group " + group.Text()};
  request.query.Add("fields", "snapshot_policy.name");
  TRY(auto name,
      ReadOne(
          rest, request,
          [](FieldReader& fields) { return fields.OptionalText("/snapshot_policy/name"); },
          deadline));
  return name.empty() ? std::string("none") : name;
}

}  // namespace ontapnvme::ontap
