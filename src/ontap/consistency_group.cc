// SPDX-License-Identifier: AGPL-3.0-or-later
#include "ontap/consistency_group.h"

#include <algorithm>
#include <set>

#include "ontap/ontap_errors.h"
#include "ontap/query_value.h"
#include "ontap/rest_client.h"
#include "ontap/rest_types.h"

namespace ontapnvme::ontap {
namespace {

constexpr const char* kGroups = "/api/application/consistency-groups";
// At most 16 volumes in one add (NetApp documentation, consistency group limits).
constexpr std::size_t kVolumesPerChange = 16;
// `snapshot_volumes`, the identity of the namespaces of a group, and '*' in place of the UUID of a
// group came with this release (NetApp REST reference, consistency groups and their snapshots).
constexpr Release kSnapshotVolumes{9, 12, 1};
constexpr Release kGroupNamespaces{9, 12, 1};
constexpr Release kBulkSnapshots{9, 12, 1};

std::string GroupPath(const Uuid& group) {
  return std::string(kGroups) + "/" + group.Text();
}

std::string SnapshotsPath(const Uuid& group) {
  return GroupPath(group) + "/snapshots";
}

// The volume in "/vol/<volume>/<namespace>".
std::string_view VolumeOfPath(std::string_view path) {
  constexpr std::string_view kRoot = "/vol/";
  if (path.rfind(kRoot, 0) != 0) return {};
  path.remove_prefix(kRoot.size());
  return path.substr(0, path.find('/'));
}

ConsistencyGroup ParseGroup(FieldReader& fields) {
  ConsistencyGroup group;
  group.uuid = fields.RequireUuid("/uuid");
  group.name = fields.RequireText("/name");
  fields.ForEach("/volumes", [&](FieldReader& volume) {
    group.members.push_back({.volume_uuid = volume.RequireUuid("/uuid"),
                             .volume_name = volume.RequireText("/name"),
                             .comment = volume.OptionalText("/comment"),
                             .namespace_uuid = std::nullopt});
  });
  fields.ForEach("/namespaces", [&](FieldReader& ns) {
    const std::string path = ns.RequireText("/name");
    for (GroupMember& member : group.members) {
      if (member.volume_name == VolumeOfPath(path))
        member.namespace_uuid = ns.OptionalUuid("/uuid");
    }
  });
  return group;
}

GroupSnapshot ParseGroupSnapshot(FieldReader& fields) {
  GroupSnapshot snapshot;
  snapshot.uuid = fields.RequireUuid("/uuid");
  snapshot.name = fields.RequireText("/name");
  snapshot.group_uuid = fields.OptionalUuid("/consistency_group/uuid").value_or(Uuid());
  snapshot.group_name = fields.OptionalText("/consistency_group/name");
  snapshot.comment = fields.OptionalText("/comment");
  snapshot.create_time = fields.OptionalTime("/create_time");
  snapshot.is_partial = fields.OptionalBool("/is_partial").value_or(false);
  fields.ForEach("/snapshot_volumes", [&](FieldReader& held) {
    snapshot.volumes.push_back(
        {.uuid = held.RequireUuid("/volume/uuid"), .name = held.RequireText("/volume/name")});
  });
  return snapshot;
}

Json Members(const std::vector<std::string>& names, const char* action) {
  Json volumes = Json::array();
  for (const std::string& name : names) {
    volumes.push_back({{"name", name}, {"provisioning_options", {{"action", action}}}});
  }
  return volumes;
}

Status Apply(RestClient& rest, ChangeRequest request, const Deadline& deadline) {
  const auto answer = rest.Change(std::move(request), deadline);
  return answer.ok() ? Status() : Status(answer.error());
}

ChangeRequest Patch(const Uuid& group, const Json& body, std::string doing) {
  ChangeRequest request;
  request.method = http::Method::kPatch;
  request.path = GroupPath(group);
  request.body = BodyText(body);
  request.doing = std::move(doing);
  request.is_idempotent = true;
  return request;
}

// What a change of members still has to do. Asked when the array refuses a change, since it answers
// "in a group already" without saying in which.
Result<bool> AreMembers(RestClient& rest, const Uuid& group, const std::vector<std::string>& names,
                        bool expected, const Deadline& deadline) {
  ReadRequest request;
  request.path = GroupPath(group);
  request.query.Add("fields", "name,volumes.name,volumes.uuid");
  request.doing = "read consistency group " + group.Text();
  TRY(const Json record, rest.Read(request, deadline));
  const std::string name = request.Name();
  FieldReader fields(record, name);
  const ConsistencyGroup found = ParseGroup(fields);
  TRY_STATUS(fields.status());
  return std::all_of(names.begin(), names.end(), [&](const std::string& wanted) {
    const bool is_member =
        std::any_of(found.members.begin(), found.members.end(),
                    [&](const GroupMember& member) { return member.volume_name == wanted; });
    return is_member == expected;
  });
}

Status ChangeMembers(RestClient& rest, const Uuid& group, const std::vector<std::string>& names,
                     bool is_add, const Deadline& deadline) {
  const std::string doing =
      (is_add ? "add volumes to consistency group " : "remove volumes from consistency group ") +
      group.Text();
  // NetApp documentation, "modify a consistency group": volumes can be added and removed from
  // 9.12.1 on.
  if (rest.IsOlderThan(kGroupMembersChange)) {
    return Error(ErrorCode::kUnsupported, "cannot " + doing)
        .Because("ONTAP " + rest.release()->Text() + " cannot change the members of a group")
        .Try("update ONTAP to " + kGroupMembersChange.Text() + " or later");
  }
  for (std::size_t at = 0; at < names.size(); at += kVolumesPerChange) {
    const auto first = names.begin() + static_cast<std::ptrdiff_t>(at);
    const auto count = std::min(kVolumesPerChange, names.size() - at);
    const std::vector<std::string> slice(first, first + static_cast<std::ptrdiff_t>(count));
    const Json body{{"volumes", Members(slice, is_add ? "add" : "remove")}};
    Status changed = Apply(rest, Patch(group, body, doing), deadline);
    if (changed.ok()) continue;
    const ErrorCode code = changed.error().code();
    const bool may_be_done = code == ErrorCode::kAlreadyExists || code == ErrorCode::kConflict ||
                             (!is_add && code == ErrorCode::kNotFound);
    if (!may_be_done) return changed;
    const auto is_done = AreMembers(rest, group, slice, is_add, deadline);
    // Removing the last volume deletes the group.
    if (!is_done.ok() && !is_add && IsGone(is_done.error())) continue;
    if (!is_done.ok() || !*is_done) return changed;
  }
  return {};
}

ReadRequest SnapshotListing(const RestClient& rest, std::string path, std::string doing) {
  ReadRequest request;
  request.path = std::move(path);
  AddFields(request.query, rest,
            "name,uuid,comment,create_time,is_partial,consistency_group.name,"
            "consistency_group.uuid",
            {{kSnapshotVolumes, "snapshot_volumes.volume.name"},
             {kSnapshotVolumes, "snapshot_volumes.volume.uuid"}});
  request.doing = std::move(doing);
  return request;
}

ReadRequest SnapshotListing(const RestClient& rest, const Uuid& group) {
  return SnapshotListing(rest, SnapshotsPath(group),
                         "list the snapshots of consistency group " + group.Text());
}

Result<std::vector<GroupSnapshot>> ParseSnapshots(const std::vector<Json>& records) {
  TRY(auto snapshots, ParseRecords(records, "GET /api/application/consistency-groups/*/snapshots",
                                   ParseGroupSnapshot));
  std::stable_sort(snapshots.begin(), snapshots.end(),
                   [](const auto& a, const auto& b) { return a.create_time < b.create_time; });
  return snapshots;
}

// The answer may leave out the group that the path names.
Result<std::vector<GroupSnapshot>> ReadSnapshots(RestClient& rest, const Uuid& group,
                                                 const ReadRequest& request,
                                                 const Deadline& deadline) {
  TRY(const auto records, rest.List(request, deadline));
  TRY(auto snapshots, ParseSnapshots(records));
  for (GroupSnapshot& snapshot : snapshots) snapshot.group_uuid = group;
  return snapshots;
}

// The groups one by one, for an array that does not take '*'.
Result<std::vector<GroupSnapshot>> FindSnapshotsByGroup(RestClient& rest,
                                                        const std::vector<ConsistencyGroup>& groups,
                                                        const std::string& name,
                                                        const Deadline& deadline) {
  std::vector<ReadRequest> requests;
  for (const ConsistencyGroup& group : groups) {
    requests.push_back(SnapshotListing(rest, group.uuid));
    requests.back().query.Add("name", LiteralFilter(name));
  }
  TRY(const auto lists, rest.ListEach(requests, deadline));
  std::vector<GroupSnapshot> all;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    TRY(auto snapshots, ParseSnapshots(lists[i]));
    for (GroupSnapshot& snapshot : snapshots) {
      snapshot.group_uuid = groups[i].uuid;
      snapshot.group_name = groups[i].name;
      all.push_back(std::move(snapshot));
    }
  }
  return all;
}

}  // namespace

Result<std::vector<ConsistencyGroup>> ConsistencyGroups::List(const std::string& name_pattern,
                                                              const Deadline& deadline) {
  ReadRequest request;
  request.path = kGroups;
  request.query.Add("svm.name", LiteralFilter(svm_)).Add("name", PatternFilter(name_pattern));
  AddFields(request.query, *rest_, "name,uuid,volumes.name,volumes.uuid,volumes.comment",
            {{kGroupNamespaces, "namespaces.name"}, {kGroupNamespaces, "namespaces.uuid"}});
  request.doing = "list the consistency groups of SVM '" + CleanText(svm_) + "'";
  TRY(const auto records, rest_->List(request, deadline));
  return ParseRecords(records, "GET /api/application/consistency-groups", ParseGroup);
}

Status ConsistencyGroups::Create(const std::string& name,
                                 const std::vector<std::string>& volume_names,
                                 const std::string& snapshot_policy, const Deadline& deadline) {
  Json body{{"svm", {{"name", svm_}}}, {"name", name}, {"volumes", Members(volume_names, "add")}};
  if (!snapshot_policy.empty()) body["snapshot_policy"] = {{"name", snapshot_policy}};
  ChangeRequest request;
  request.path = kGroups;
  request.body = BodyText(body);
  request.doing = "create consistency group '" + CleanText(name) + "'";
  return Apply(*rest_, std::move(request), deadline);
}

Status ConsistencyGroups::AddMembers(const Uuid& group,
                                     const std::vector<std::string>& volume_names,
                                     const Deadline& deadline) {
  return ChangeMembers(*rest_, group, volume_names, /*is_add=*/true, deadline);
}

Status ConsistencyGroups::RemoveMembers(const Uuid& group,
                                        const std::vector<std::string>& volume_names,
                                        const Deadline& deadline) {
  return ChangeMembers(*rest_, group, volume_names, /*is_add=*/false, deadline);
}

Status ConsistencyGroups::SetSnapshotPolicy(const Uuid& group, const std::string& snapshot_policy,
                                            const Deadline& deadline) {
  const std::string policy = snapshot_policy.empty() ? "none" : snapshot_policy;
  const Json body{{"snapshot_policy", {{"name", policy}}}};
  return Apply(*rest_,
               Patch(group, body, "set the snapshot policy of consistency group " + group.Text()),
               deadline);
}

Status ConsistencyGroups::Delete(const Uuid& group, const Deadline& deadline) {
  ChangeRequest request;
  request.method = http::Method::kDelete;
  request.path = GroupPath(group);  // never with delete_data, which deletes the volumes as well
  request.doing = "delete consistency group " + group.Text();
  request.is_idempotent = true;
  Status deleted = Apply(*rest_, std::move(request), deadline);
  if (!deleted.ok() && IsGone(deleted.error())) return {};
  return deleted;
}

Status ConsistencyGroups::CreateSnapshot(const Uuid& group, const std::string& name,
                                         const std::string& comment, const Deadline& deadline) {
  Json body{{"name", name}, {"consistency_type", "crash"}};
  if (!comment.empty()) body["comment"] = comment;
  ChangeRequest request;
  request.path = SnapshotsPath(group);
  request.body = BodyText(body);
  request.doing = "create snapshot '" + CleanText(name) + "' of consistency group " + group.Text();
  Status created = Apply(*rest_, std::move(request), deadline);
  // 53411921 says both "failed" and "name taken" (seen in NetApp's CSI driver).
  constexpr std::uint64_t kFailedOrTaken = 53411921;
  if (created.ok() || !HasOntapCode(created.error(), kFailedOrTaken)) return created;
  const auto existing = FindSnapshot(group, name, deadline);
  if (!existing.ok() || !*existing) return created;
  Error taken(ErrorCode::kAlreadyExists, created.error().sentence());
  taken = std::move(taken).Because("the group has a snapshot of that name");
  for (const auto& [key, value] : created.error().facts()) taken.AddFact(key, value);
  return taken;
}

Result<std::vector<GroupSnapshot>> ConsistencyGroups::ListSnapshots(const Uuid& group,
                                                                    const Deadline& deadline) {
  return ReadSnapshots(*rest_, group, SnapshotListing(*rest_, group), deadline);
}

Result<std::optional<GroupSnapshot>> ConsistencyGroups::FindSnapshot(const Uuid& group,
                                                                     const std::string& name,
                                                                     const Deadline& deadline) {
  ReadRequest request = SnapshotListing(*rest_, group);
  request.query.Add("name", LiteralFilter(name));
  TRY(auto snapshots, ReadSnapshots(*rest_, group, request, deadline));
  for (GroupSnapshot& snapshot : snapshots) {
    if (snapshot.name == name) return std::optional(std::move(snapshot));
  }
  return std::optional<GroupSnapshot>();
}

Result<std::vector<GroupSnapshot>> ConsistencyGroups::FindSnapshots(
    const std::string& group_pattern, const std::string& name, const Deadline& deadline) {
  if (!rest_->IsOlderThan(kBulkSnapshots)) {
    ReadRequest request = SnapshotListing(*rest_, std::string(kGroups) + "/*/snapshots",
                                          "look up snapshot '" + CleanText(name) + "' of groups");
    request.query.Add("svm.name", LiteralFilter(svm_))
        .Add("consistency_group.name", PatternFilter(group_pattern))
        .Add("name", LiteralFilter(name));
    const auto records = rest_->List(request, deadline);
    if (records.ok()) return ParseSnapshots(*records);
    if (!IsBulkRefused(records.error())) return records.error();
  }
  TRY(const auto groups, List(group_pattern, deadline));
  return FindSnapshotsByGroup(*rest_, groups, name, deadline);
}

Status ConsistencyGroups::DeleteSnapshot(const Uuid& group, const Uuid& snapshot,
                                         const Deadline& deadline) {
  ChangeRequest request;
  request.method = http::Method::kDelete;
  request.path = SnapshotsPath(group) + "/" + snapshot.Text();
  request.doing = "delete snapshot " + snapshot.Text() + " of consistency group " + group.Text();
  request.is_idempotent = true;
  Status deleted = Apply(*rest_, std::move(request), deadline);
  if (!deleted.ok() && IsGone(deleted.error())) return {};
  return deleted;
}

Status ConsistencyGroups::Restore(const Uuid& group, const std::string& snapshot_name,
                                  const Deadline& deadline) {
  const Json body{{"restore_to", {{"snapshot", {{"name", snapshot_name}}}}}};
  auto request = Patch(group, body,
                       "restore consistency group " + group.Text() + " to snapshot '" +
                           CleanText(snapshot_name) + "'");
  request.is_idempotent = false;
  return Apply(*rest_, std::move(request), deadline);
}

}  // namespace ontapnvme::ontap
