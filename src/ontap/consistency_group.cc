// SPDX-License-Identifier: AGPL-3.0-or-later
#include "ontap/consistency_group.h"

#include <algorithm>

#include "ontap/query_value.h"
#include "ontap/rest_calls.h"
#include "ontap/unseen_job.h"

namespace ontapnvme::ontap {
namespace {

constexpr const char* kGroups = "/api/application/consistency-groups";
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
                             .comment = volume.OptionalText("/comment")});
  });
  fields.ForEach("/namespaces", [&](FieldReader& ns) {
    const std::string path = ns.RequireText("/name");
    for (GroupMember& member : group.members) {
      if (member.volume_name == VolumeOfPath(path))
        member.namespaces.push_back({.uuid = ns.OptionalUuid("/uuid"), .path = path});
    }
  });
  return group;
}

GroupSnapshot ParseGroupSnapshot(FieldReader& fields) {
  GroupSnapshot snapshot;
  snapshot.uuid = fields.RequireUuid("/uuid");
  snapshot.name = fields.RequireText("/name");
  snapshot.group_uuid = fields.OptionalUuid("/consistency_group/uuid").value_or(Uuid());
  snapshot.comment = fields.OptionalText("/comment");
  snapshot.create_time = fields.OptionalTime("/create_time");
  fields.ForEach("/snapshot_volumes", [&](FieldReader& held) {
    snapshot.volumes.push_back(
        {.uuid = held.RequireUuid("/volume/uuid"), .name = held.RequireText("/volume/name")});
  });
  return snapshot;
}

// "none" is the array's own policy without a schedule.
std::string PolicyName(const std::string& snapshot_policy) {
  return snapshot_policy.empty() ? "none" : snapshot_policy;
}

Json Members(const std::vector<std::string>& names, const char* action) {
  Json volumes = Json::array();
  for (const std::string& name : names) {
    volumes.push_back({{"name", name}, {"provisioning_options", {{"action", action}}}});
  }
  return volumes;
}

ReadRequest MembersOf(const Uuid& group) {
  ReadRequest request{.path = GroupPath(group), .doing = "read consistency group " + group.Text()};
  request.query.Add("fields", "name,volumes.name,volumes.uuid");
  return request;
}

// What a change of members still has to do. Asked when the array refuses a change, since it answers
// "in a group already" without saying in which.
Result<bool> AreMembers(RestClient& rest, const Uuid& group, const std::vector<std::string>& names,
                        bool expected, const Deadline& deadline) {
  TRY(const auto found, ReadOne(rest, MembersOf(group), ParseGroup, deadline));
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
  for (std::size_t at = 0; at < names.size(); at += ConsistencyGroups::kVolumesPerCall) {
    const auto first = names.begin() + static_cast<std::ptrdiff_t>(at);
    const auto count = std::min(ConsistencyGroups::kVolumesPerCall, names.size() - at);
    const std::vector<std::string> slice(first, first + static_cast<std::ptrdiff_t>(count));
    const Json body{{"volumes", Members(slice, is_add ? "add" : "remove")}};
    Status changed = Apply(rest, ChangeRequest::Patch(GroupPath(group), body, doing), deadline);
    if (changed.ok()) continue;
    const ErrorCode code = changed.error().code();
    const bool may_be_done = code == ErrorCode::kAlreadyExists || code == ErrorCode::kConflict ||
                             IsJobUnseen(changed.error()) ||
                             (!is_add && code == ErrorCode::kNotFound);
    if (!may_be_done) return changed;
    const auto is_done = AreMembers(rest, group, slice, is_add, deadline);
    // Removing the last volume deletes the group.
    if (!is_done.ok() && !is_add && is_done.error().origin().refusal == Refusal::kGone) continue;
    if (!is_done.ok() || !*is_done) return changed;
  }
  return {};
}

ReadRequest SnapshotListing(const RestClient& rest, std::string path, std::string doing) {
  ReadRequest request{.path = std::move(path), .doing = std::move(doing)};
  AddFields(request.query, rest, "name,uuid,comment,create_time,consistency_group.uuid",
            {{kSnapshotVolumes, "snapshot_volumes.volume.name"},
             {kSnapshotVolumes, "snapshot_volumes.volume.uuid"}});
  return request;
}

ReadRequest SnapshotListing(const RestClient& rest, const Uuid& group) {
  return SnapshotListing(rest, SnapshotsPath(group),
                         "list the snapshots of consistency group " + group.Text());
}

ReadRequest SnapshotListing(const RestClient& rest, const Uuid& group, const std::string& name) {
  ReadRequest request = SnapshotListing(rest, group);
  request.query.Add("name", LiteralFilter(name));
  return request;
}

// The groups one by one, for an array that does not take '*'.
Result<std::vector<GroupSnapshot>> FindSnapshotsByGroup(RestClient& rest,
                                                        const std::vector<ConsistencyGroup>& groups,
                                                        const std::string& name,
                                                        const Deadline& deadline) {
  std::vector<ReadRequest> requests;
  for (const ConsistencyGroup& group : groups) {
    requests.push_back(SnapshotListing(rest, group.uuid, name));
  }
  TRY(const auto lists, rest.ListEach(requests, deadline));
  std::vector<GroupSnapshot> all;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    TRY(auto snapshots, ParseRecords(lists[i], requests[i].Name(), ParseGroupSnapshot));
    for (GroupSnapshot& snapshot : snapshots) {
      snapshot.group_uuid = groups[i].uuid;
      all.push_back(std::move(snapshot));
    }
  }
  return all;
}

}  // namespace

bool ConsistencyGroups::AreNamespacesShown() const {
  return rest_->IsKnownAtLeast(kGroupNamespaces);
}

Result<std::vector<ConsistencyGroup>> ConsistencyGroups::List(const std::string& name_pattern,
                                                              const Deadline& deadline) {
  ReadRequest request{.path = kGroups,
                      .doing = "list the consistency groups of SVM " + Quoted(svm_)};
  request.query.Add("svm.name", LiteralFilter(svm_)).Add("name", PatternFilter(name_pattern));
  AddFields(request.query, *rest_, "name,uuid,volumes.name,volumes.uuid,volumes.comment",
            {{kGroupNamespaces, "namespaces.name"}, {kGroupNamespaces, "namespaces.uuid"}});
  return ReadAll(*rest_, request, ParseGroup, deadline);
}

Result<std::optional<ConsistencyGroup>> ConsistencyGroups::Read(const Uuid& group,
                                                                const Deadline& deadline) {
  auto found = ReadOne(*rest_, MembersOf(group), ParseGroup, deadline);
  if (found.ok()) return std::make_optional(std::move(*found));
  if (found.error().origin().refusal != Refusal::kGone) return std::move(found).error();
  return std::optional<ConsistencyGroup>();
}

Status ConsistencyGroups::Create(const std::string& name,
                                 const std::vector<std::string>& volume_names,
                                 const std::string& snapshot_policy, const Deadline& deadline) {
  const Json body{{"svm", {{"name", svm_}}},
                  {"name", name},
                  {"volumes", Members(volume_names, "add")},
                  {"snapshot_policy", {{"name", PolicyName(snapshot_policy)}}}};
  return Apply(*rest_,
               ChangeRequest::Post(kGroups, body, "create consistency group " + Quoted(name)),
               deadline);
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
  const Json body{{"snapshot_policy", {{"name", PolicyName(snapshot_policy)}}}};
  return Apply(*rest_,
               ChangeRequest::Patch(GroupPath(group), body,
                                    "set the snapshot policy of consistency group " + group.Text()),
               deadline);
}

// Never with delete_data, which deletes the volumes as well.
Status ConsistencyGroups::Delete(const Uuid& group, const Deadline& deadline) {
  return Remove(*rest_,
                ChangeRequest::Delete(GroupPath(group), "delete consistency group " + group.Text()),
                deadline);
}

Status ConsistencyGroups::CreateSnapshot(const Uuid& group, const std::string& name,
                                         const std::string& comment, const Deadline& deadline) {
  Json body{{"name", name}, {"consistency_type", "crash"}};
  if (!comment.empty()) body["comment"] = comment;
  Status created = Apply(*rest_,
                         ChangeRequest::Post(SnapshotsPath(group), body,
                                             "create snapshot " + Quoted(name) +
                                                 " of consistency group " + group.Text()),
                         deadline);
  if (created.ok() || created.error().origin().refusal != Refusal::kFailedOrTaken) return created;
  const auto existing = FindSnapshot(group, name, deadline);
  if (!existing.ok() || !*existing) return created;
  Error taken = Error(ErrorCode::kAlreadyExists, created.error().sentence())
                    .Because("the group has a snapshot of that name")
                    .From(created.error().origin());
  for (const auto& [key, value] : created.error().facts()) taken.AddFact(key, value);
  return taken;
}

Result<std::optional<GroupSnapshot>> ConsistencyGroups::FindSnapshot(const Uuid& group,
                                                                     const std::string& name,
                                                                     const Deadline& deadline) {
  TRY(auto found,
      FindNamed(*rest_, SnapshotListing(*rest_, group, name), ParseGroupSnapshot, name, deadline));
  if (found) found->group_uuid = group;  // the answer may leave out what the path names
  return found;
}

Result<std::vector<GroupSnapshot>> ConsistencyGroups::FindSnapshots(
    const std::string& group_pattern, const std::string& name, const Deadline& deadline) {
  if (!rest_->IsOlderThan(kBulkSnapshots)) {
    ReadRequest request = SnapshotListing(*rest_, std::string(kGroups) + "/*/snapshots",
                                          "look up snapshot " + Quoted(name) + " of groups");
    request.query.Add("svm.name", LiteralFilter(svm_))
        .Add("consistency_group.name", PatternFilter(group_pattern))
        .Add("name", LiteralFilter(name));
    auto found = ReadAll(*rest_, request, ParseGroupSnapshot, deadline);
    if (found.ok() || found.error().origin().refusal != Refusal::kBulkRefused) return found;
  }
  TRY(const auto groups, List(group_pattern, deadline));
  return FindSnapshotsByGroup(*rest_, groups, name, deadline);
}

Result<std::vector<GroupSnapshot>> ConsistencyGroups::ListSnapshots(const Uuid& group,
                                                                    const Deadline& deadline) {
  return ReadAll(*rest_, SnapshotListing(*rest_, group), ParseGroupSnapshot, deadline);
}

Status ConsistencyGroups::RenameSnapshot(const Uuid& group, const Uuid& snapshot,
                                         const std::string& name, const Deadline& deadline) {
  return Apply(*rest_,
               ChangeRequest::Patch(
                   SnapshotsPath(group) + "/" + snapshot.Text(), {{"name", name}},
                   "rename snapshot " + snapshot.Text() + " of consistency group " + group.Text()),
               deadline);
}

Status ConsistencyGroups::DeleteSnapshot(const Uuid& group, const Uuid& snapshot,
                                         const Deadline& deadline) {
  return Remove(*rest_,
                ChangeRequest::Delete(
                    SnapshotsPath(group) + "/" + snapshot.Text(),
                    "delete snapshot " + snapshot.Text() + " of consistency group " + group.Text()),
                deadline);
}

Status ConsistencyGroups::Restore(const Uuid& group, const std::string& snapshot_name,
                                  const Deadline& deadline) {
  const Json body{{"restore_to", {{"snapshot", {{"name", snapshot_name}}}}}};
  auto request = ChangeRequest::Patch(
      GroupPath(group), body,
      "restore consistency group " + group.Text() + " to snapshot " + Quoted(snapshot_name));
  request.is_idempotent = false;
  return Apply(*rest_, std::move(request), deadline);
}

}  // namespace ontapnvme::ontap
