// SPDX-License-Identifier: AGPL-3.0-or-later
// /application/consistency-groups
#include <algorithm>

#include "api_error.h"
#include "group_rules.h"
#include "listing.h"
#include "routes.h"

namespace ontapnvme::sim {
namespace {

using nlohmann::json;

constexpr int kNameTaken = 53411860;
constexpr int kConflictingFields = 53411853;
constexpr int kNotAMember = 53411861;
constexpr int kActionMissing = 53411864;
constexpr int kInAnotherGroup = 53411865;
constexpr int kLockingRefused = 53411959;
constexpr int kHasSnapshots = 53411998;  // which one it is, nobody says
constexpr int kOdd = 53411999;
constexpr int kVolumeUnknown = 917927;
constexpr int kSnapshotPolicyUnknown = 917551;
constexpr std::size_t kMembersMaximum = 80;
constexpr std::size_t kMembersPerAdd = 16;
constexpr int kMembersChangeSince = 12;

json GroupRecord(World& world, const ConsistencyGroup& group, bool with_space) {
  json record = {
      {"uuid", group.uuid},
      {"name", group.name},
      {"svm", world.SvmReference(group.svm_uuid)},
      {"replicated", false},
      {"_links", {{"self", {{"href", "/api/application/consistency-groups/" + group.uuid}}}}},
  };
  if (!group.tags.empty()) record["_tags"] = group.tags;
  if (const auto* policy = world.snapshot_policies.Find(group.snapshot_policy_uuid)) {
    record["snapshot_policy"] = {{"name", policy->name}, {"uuid", policy->uuid}};
  }
  std::uint64_t size_bytes = 0;
  for (const std::string& uuid : group.volume_uuids) {
    const Volume* volume = world.volumes.Find(uuid);
    if (volume == nullptr) {
      record["volumes"].push_back({{"uuid", uuid}, {"name", group.deleted_names.at(uuid)}});
      continue;
    }
    json member = {
        {"uuid", uuid}, {"name", volume->name}, {"space", {{"size", volume->size_bytes}}}};
    if (!volume->comment.empty()) member["comment"] = volume->comment;
    record["volumes"].push_back(std::move(member));
    for (const NvmeNamespace* ns : world.NamespacesOf(uuid)) {
      record["namespaces"].push_back({{"uuid", ns->uuid}, {"name", world.PathOf(*ns)}});
    }
    size_bytes += volume->size_bytes;
  }
  if (with_space) record["space"] = {{"size", size_bytes}};
  return record;
}

Reply GetGroups(Call& call) {
  World& world = call.world;
  const Listing listing(call, models::ConsistencyGroup());
  return listing.Answer([&](const Emit& emit) {
    for (const ConsistencyGroup& group : world.groups) {
      if (!call.Sees(group.svm_uuid)) continue;
      emit(world.groups.Order(group.uuid), GroupRecord(world, group, listing.NeedsBelow("space")));
    }
  });
}

Reply GetGroup(Call& call) {
  const Single single(call, models::ConsistencyGroup());
  return single.Answer(
      GroupRecord(call.world, RequireGroup(call, "uuid"), single.NeedsBelow("space")));
}

struct Membership {
  std::string action;
  std::string volume_name;
};

std::vector<Membership> ReadMemberships(const json& body) {
  std::vector<Membership> list;
  for (const json& entry : body.value("volumes", json::array())) {
    Membership membership{TextAt(entry, "provisioning_options.action"), TextAt(entry, "name")};
    if (membership.volume_name.empty()) {
      Refuse(code::kRequired, "Field \"volumes.name\" is required", "volumes.name");
    }
    if (membership.action.empty()) {
      Refuse(kActionMissing, "An existing volume is added by the action \"add\"",
             "volumes.provisioning_options.action");
    }
    if (membership.action == "create" || membership.action == "reassign") {
      Refuse(code::kBadValue, "Only existing volumes are added or removed here",
             "volumes.provisioning_options.action");
    }
    list.push_back(std::move(membership));
  }
  return list;
}

const Volume& RequireJoinable(World& world, const std::string& svm_uuid, const std::string& name,
                              const std::string& group_uuid) {
  const Volume* volume = world.FindVolume(svm_uuid, name);
  if (volume == nullptr) {
    RefuseMissing(kVolumeUnknown, "Volume \"" + name + "\" was not found", "volumes.name");
  }
  const ConsistencyGroup* current = world.GroupOf(volume->uuid);
  if (current != nullptr && current->uuid != group_uuid) {
    RefuseConflict(kInAnotherGroup,
                   "Volume \"" + name + "\" is in consistency group \"" + current->name + "\"",
                   "volumes.name");
  }
  if (current != nullptr) {
    RefuseConflict(kNameTaken, "Volume \"" + name + "\" is a member already", "volumes.name");
  }
  if (volume->extras.value("snapshot_locking_enabled", false)) {
    Refuse(kLockingRefused, "Volume \"" + name + "\" has snapshot locking", "volumes.name");
  }
  return *volume;
}

// Empty where the body names none.
std::string RequireSnapshotPolicy(World& world, const std::string& svm_uuid, const json& body) {
  const std::string name = TextAt(body, "snapshot_policy.name");
  const std::string uuid = TextAt(body, "snapshot_policy.uuid");
  if (name.empty() && uuid.empty()) return {};
  const SnapshotPolicy* policy =
      uuid.empty() ? world.FindSnapshotPolicy(svm_uuid, name) : world.snapshot_policies.Find(uuid);
  if (policy == nullptr) {
    Refuse(kSnapshotPolicyUnknown, "The snapshot policy was not found", "snapshot_policy.name");
  }
  return policy->uuid;
}

json ApplyPost(World& world, const json& body, ConsistencyGroup group, Phase phase) {
  if (world.FindGroup(group.svm_uuid, group.name) != nullptr) {
    RefuseConflict(kNameTaken, "Consistency group \"" + group.name + "\" exists", "name");
  }
  group.snapshot_policy_uuid = RequireSnapshotPolicy(world, group.svm_uuid, body);
  if (group.snapshot_policy_uuid.empty()) {
    const std::string unsaid = world.settings.switches.At("group_policy_unsaid");
    const SnapshotPolicy* policy = world.FindSnapshotPolicy(group.svm_uuid, unsaid);
    if (policy != nullptr) group.snapshot_policy_uuid = policy->uuid;
  }
  for (const Membership& membership : ReadMemberships(body)) {
    if (membership.action != "add") {
      Refuse(code::kBadValue, "A new group has nothing to remove", "volumes");
    }
    const Volume& volume = RequireJoinable(world, group.svm_uuid, membership.volume_name, "");
    if (std::find(group.volume_uuids.begin(), group.volume_uuids.end(), volume.uuid) !=
        group.volume_uuids.end()) {
      Refuse(code::kFieldTwice, "A volume is given twice", "volumes.name");
    }
    group.volume_uuids.push_back(volume.uuid);
  }
  if (phase == Phase::kCheck) return nullptr;
  return GroupRecord(world, world.groups.Add(std::move(group)), true);
}

Reply PostGroup(Call& call) {
  const json body = call.Body(models::ConsistencyGroup(), Write::kCreate);
  call.RequireNoMoreParams();
  const Svm& svm = call.RequireSvm(body);
  const std::vector<Membership> memberships = ReadMemberships(body);
  if (memberships.empty()) Refuse(code::kRequired, "Field \"volumes\" is required", "volumes");
  if (memberships.size() > kMembersMaximum) {
    Refuse(code::kBadValue, "A consistency group takes 80 volumes", "volumes");
  }
  World& world = call.world;
  if (memberships.size() > kMembersPerAdd &&
      world.settings.switches.Is("group_create_above_16", "refuse")) {
    Refuse(code::kBadValue, "At most 16 volumes can be added at once", "volumes");
  }
  ConsistencyGroup group;
  group.uuid = world.NewUuid();
  group.name = TextAt(body, "name");
  group.svm_uuid = svm.uuid;
  group.tags = body.value("_tags", std::vector<std::string>());
  if (group.name.empty() && memberships.size() > 1) {
    Refuse(code::kRequired, "Field \"name\" is required", "name");
  }
  if (group.name.empty()) group.name = memberships.front().volume_name;
  const auto maximum = static_cast<std::size_t>(world.settings.switches.Number("group_name_max"));
  if (group.name.size() > maximum) {
    Refuse(code::kBadValue, "The name is too long", "name");
  }
  Change change;
  change.answer = Change::Answer::kJob;
  change.is_create = true;
  change.description = "POST /api/application/consistency-groups";
  change.svm_uuid = svm.uuid;
  change.location = "/api/application/consistency-groups/" + group.uuid;
  change.model = &models::ConsistencyGroup();
  change.run = [&world, body, group](Phase phase) { return ApplyPost(world, body, group, phase); };
  return Reply::To(std::move(change));
}

void RequireMembersMayChange(World& world, const ConsistencyGroup& group,
                             const std::vector<Membership>& memberships) {
  if (!world.settings.release.Has(kMembersChangeSince)) {
    throw ApiError(405, code::kUnsupported,
                   "The members of a consistency group cannot be changed in this release");
  }
  const bool has_nvme =
      std::any_of(group.volume_uuids.begin(), group.volume_uuids.end(),
                  [&](const std::string& uuid) { return !world.NamespacesOf(uuid).empty(); });
  if (has_nvme && world.settings.switches.Is("group_change_with_nvme", "refuse_oddly")) {
    Refuse(kOdd, "The operation is not supported on this consistency group");
  }
  if (has_nvme && world.settings.switches.Is("group_change_with_nvme", "refuse")) {
    throw ApiError(405, code::kUnsupported,
                   "A consistency group with NVMe namespaces cannot be modified");
  }
  const auto added =
      std::count_if(memberships.begin(), memberships.end(),
                    [](const Membership& membership) { return membership.action == "add"; });
  if (static_cast<std::size_t>(added) > kMembersPerAdd) {
    Refuse(code::kBadValue, "At most 16 volumes can be added at once", "volumes");
  }
}

void EraseGroup(World& world, const std::string& uuid) {
  std::vector<std::string> snapshots;
  for (const GroupSnapshot& snapshot : world.group_snapshots) {
    if (snapshot.group_uuid == uuid) snapshots.push_back(snapshot.uuid);
  }
  for (const std::string& snapshot : snapshots) world.group_snapshots.Erase(snapshot);
  world.groups.Erase(uuid);
}

// A member that was deleted is known to its group by the name it had.
std::string RequireMember(World& world, const ConsistencyGroup& group, const std::string& name) {
  const Volume* volume = world.FindVolume(group.svm_uuid, name);
  if (volume != nullptr && world.GroupOf(volume->uuid) == &group) return volume->uuid;
  for (const std::string& uuid : group.volume_uuids) {
    const auto deleted = group.deleted_names.find(uuid);
    if (deleted != group.deleted_names.end() && deleted->second == name) return uuid;
  }
  Refuse(kNotAMember, "Volume \"" + name + "\" is not a member", "volumes.name");
}

json ApplyPatch(World& world, const std::string& uuid, const json& body, Phase phase) {
  ConsistencyGroup* group = world.groups.Find(uuid);
  if (group == nullptr) RefuseMissing(group_code::kNotFound, "The group was not found", "uuid");
  const std::vector<Membership> memberships = ReadMemberships(body);
  const bool is_adding = std::any_of(memberships.begin(), memberships.end(),
                                     [](const auto& one) { return one.action == "add"; });
  if (is_adding && world.settings.switches.Is("group_at_add", "gone")) {
    EraseGroup(world, uuid);
    RefuseMissing(group_code::kNotFound, "The group was not found", "uuid");
  }
  if (!memberships.empty()) RequireMembersMayChange(world, *group, memberships);
  const std::string policy_uuid = RequireSnapshotPolicy(world, group->svm_uuid, body);

  std::vector<std::string> joining;
  std::vector<std::string> leaving;
  for (const Membership& membership : memberships) {
    if (membership.action == "add") {
      joining.push_back(RequireJoinable(world, group->svm_uuid, membership.volume_name, uuid).uuid);
      continue;
    }
    leaving.push_back(RequireMember(world, *group, membership.volume_name));
  }
  if (group->volume_uuids.size() + joining.size() - leaving.size() > kMembersMaximum) {
    Refuse(code::kBadValue, "A consistency group takes 80 volumes", "volumes");
  }
  if (phase == Phase::kCheck) return nullptr;
  if (!policy_uuid.empty()) group->snapshot_policy_uuid = policy_uuid;
  if (Has(body, "_tags")) group->tags = At(body, "_tags").get<std::vector<std::string>>();
  for (const std::string& volume_uuid : joining) group->volume_uuids.push_back(volume_uuid);
  // Last: without members the group is gone.
  for (const std::string& volume_uuid : leaving) world.LeaveGroup(volume_uuid);
  return nullptr;
}

Reply PatchGroup(Call& call) {
  const json body = call.Body(models::ConsistencyGroup(), Write::kPatch);
  call.RequireNoMoreParams();
  const ConsistencyGroup& group = RequireGroup(call, "uuid");
  if (body.empty()) Refuse(code::kNothingToChange, "Nothing to change");
  if (Has(body, "restore_to.snapshot")) {
    if (body.size() > 1) {
      Refuse(kConflictingFields, "A restore cannot be combined with other changes", "restore_to");
    }
    return Reply::To(GroupRestore(call, group, At(body, "restore_to.snapshot")));
  }
  World& world = call.world;
  Change change;
  change.answer = Change::Answer::kJob;
  change.description = "PATCH /api/application/consistency-groups/" + group.uuid;
  change.svm_uuid = group.svm_uuid;
  change.run = [&world, uuid = group.uuid, body](Phase phase) {
    return ApplyPatch(world, uuid, body, phase);
  };
  return Reply::To(std::move(change));
}

// Only the grouping goes. The snapshots stay as snapshots of their volumes.
Reply DeleteGroup(Call& call) {
  call.RequireNoMoreParams();
  const ConsistencyGroup& group = RequireGroup(call, "uuid");
  World& world = call.world;
  Change change;
  change.answer = Change::Answer::kJob;
  change.description = "DELETE /api/application/consistency-groups/" + group.uuid;
  change.svm_uuid = group.svm_uuid;
  change.run = [&world, uuid = group.uuid](Phase phase) -> json {
    const ConsistencyGroup* stored = world.groups.Find(uuid);
    if (stored == nullptr) {
      RefuseMissing(group_code::kNotFound, "The group was not found", "uuid");
    }
    const bool has_snapshots =
        std::any_of(world.group_snapshots.begin(), world.group_snapshots.end(),
                    [&](const GroupSnapshot& snapshot) { return snapshot.group_uuid == uuid; });
    if (has_snapshots && !world.HasLivingMembers(*stored)) {
      RefuseConflict(kHasSnapshots, "The consistency group has snapshots");
    }
    if (phase == Phase::kCheck) return nullptr;
    EraseGroup(world, uuid);
    return nullptr;
  };
  return Reply::To(std::move(change));
}

}  // namespace

ConsistencyGroup& RequireGroup(const Call& call, const std::string& param) {
  ConsistencyGroup* group = call.world.groups.Find(call.Param(param));
  if (group == nullptr || !call.Sees(group->svm_uuid)) {
    RefuseMissing(group_code::kNotFound, "The consistency group was not found", param);
  }
  return *group;
}

void AddConsistencyGroupRoutes(Routes* routes) {
  const std::string all = "application/consistency-groups";
  routes->push_back({"GET", all, GetGroups});
  routes->push_back({"POST", all, PostGroup});
  routes->push_back({"GET", all + "/{uuid}", GetGroup});
  routes->push_back({"PATCH", all + "/{uuid}", PatchGroup});
  routes->push_back({"DELETE", all + "/{uuid}", DeleteGroup});
}

}  // namespace ontapnvme::sim
