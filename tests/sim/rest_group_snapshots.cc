// SPDX-License-Identifier: AGPL-3.0-or-later
// /application/consistency-groups/{consistency_group.uuid}/snapshots, and the group's restore.
#include <algorithm>
#include <stdexcept>

#include "api_error.h"
#include "group_rules.h"
#include "listing.h"
#include "routes.h"
#include "snapshot_rules.h"

namespace ontapnvme::sim {
namespace {

using nlohmann::json;

constexpr int kWildcardSince = 12;

json SnapshotRecord(const World& world, const GroupSnapshot& snapshot) {
  const ConsistencyGroup* group = world.groups.Find(snapshot.group_uuid);
  json record = {
      {"uuid", snapshot.uuid},
      {"name", snapshot.name},
      {"consistency_group", {{"uuid", group->uuid}, {"name", group->name}}},
      {"svm", world.SvmReference(group->svm_uuid)},
      {"create_time", World::Timestamp(snapshot.create_time)},
      {"consistency_type", snapshot.consistency_type},
      {"write_fence", snapshot.has_write_fence},
      {"reclaimable_space", 0},
      {"restore_size", 0},
      {"_links",
       {{"self",
         {{"href", "/api/application/consistency-groups/" + group->uuid + "/snapshots/" +
                       snapshot.uuid}}}}},
  };
  if (!snapshot.comment.empty()) record["comment"] = snapshot.comment;
  if (!snapshot.snapmirror_label.empty()) record["snapmirror_label"] = snapshot.snapmirror_label;
  for (const GroupSnapshotMember& member : snapshot.members) {
    const Volume* volume = world.volumes.Find(member.volume_uuid);
    record["snapshot_volumes"].push_back(
        {{"snapshot", {{"uuid", member.snapshot_uuid}, {"name", snapshot.name}}},
         {"volume",
          {{"uuid", member.volume_uuid},
           {"name", volume == nullptr ? member.volume_name : volume->name}}}});
  }
  const std::vector<const Volume*> missing = MissingVolumes(world, snapshot);
  record["is_partial"] = !missing.empty();
  for (const Volume* volume : missing) {
    record["missing_volumes"].push_back({{"uuid", volume->uuid}, {"name", volume->name}});
  }
  return record;
}

Reply GetSnapshots(Call& call) {
  const World& world = call.world;
  const std::string& group_uuid = call.Param("consistency_group.uuid");
  const bool is_for_all = group_uuid == "*";
  if (is_for_all && (!call.release().Has(kWildcardSince) ||
                     world.settings.switches.Is("bulk_snapshots", "refuse"))) {
    Refuse(code::kBadQueryValue, "The value \"*\" is invalid for field \"consistency_group.uuid\"",
           "consistency_group.uuid");
  }
  if (!is_for_all) RequireGroup(call, "consistency_group.uuid");
  return Listing(call, models::ConsistencyGroupSnapshot()).Answer([&](const Emit& emit) {
    for (const GroupSnapshot& snapshot : world.group_snapshots) {
      if (!call.Sees(world.groups.Find(snapshot.group_uuid)->svm_uuid)) continue;
      if (!is_for_all && snapshot.group_uuid != group_uuid) continue;
      emit(world.group_snapshots.Order(snapshot.uuid), SnapshotRecord(world, snapshot));
    }
  });
}

const GroupSnapshot& RequireSnapshot(const Call& call) {
  const ConsistencyGroup& group = RequireGroup(call, "consistency_group.uuid");
  const GroupSnapshot* snapshot = call.world.group_snapshots.Find(call.Param("uuid"));
  if (snapshot == nullptr || snapshot->group_uuid != group.uuid) {
    RefuseMissing(code::kNoEntry, "entry doesn't exist", "uuid");
  }
  return *snapshot;
}

Reply GetSnapshot(Call& call) {
  const Single single(call, models::ConsistencyGroupSnapshot());
  return single.Answer(SnapshotRecord(call.world, RequireSnapshot(call)));
}

// Whatever keeps one member from its snapshot fails the whole, and the array does not say which.
void RequirePossible(World& world, const ConsistencyGroup& group, const std::string& name) {
  bool is_possible = FindGroupSnapshot(world, group.uuid, name) == nullptr;
  for (const std::string& uuid : group.volume_uuids) {
    const Volume* volume = world.volumes.Find(uuid);
    if (volume == nullptr) {
      is_possible = false;
      continue;
    }
    try {
      RequireSnapshotPossible(world, *volume, name);
    } catch (const ApiError&) {
      is_possible = false;
    }
  }
  if (is_possible) return;
  RefuseConflict(group_code::kSnapshotFailed,
                 "Consistency group snapshot \"" + name + "\" could not be taken", "name");
}

const GroupSnapshot& Take(World& world, const ConsistencyGroup& group, GroupSnapshot snapshot) {
  snapshot.create_time = world.Now();
  for (const std::string& uuid : group.volume_uuids) {
    const Volume& volume = *world.volumes.Find(uuid);
    Snapshot member = TakeSnapshot(world, volume, snapshot.name);
    // One point in time: that is what a group snapshot is for.
    member.create_time = snapshot.create_time;
    member.comment = snapshot.comment;
    member.snapmirror_label = snapshot.snapmirror_label;
    snapshot.members.push_back({uuid, volume.name, member.uuid});
    world.snapshots.Add(std::move(member));
  }
  return world.group_snapshots.Add(std::move(snapshot));
}

json ApplyPost(World& world, const std::string& group_uuid, GroupSnapshot snapshot, Phase phase) {
  const ConsistencyGroup* group = world.groups.Find(group_uuid);
  if (group == nullptr) RefuseMissing(group_code::kNotFound, "The group was not found");
  RequirePossible(world, *group, snapshot.name);
  if (phase == Phase::kCheck) return nullptr;
  return SnapshotRecord(world, Take(world, *group, std::move(snapshot)));
}

Reply PostSnapshot(Call& call) {
  const json body = call.Body(models::ConsistencyGroupSnapshot(), Write::kCreate);
  call.RequireNoMoreParams();
  const ConsistencyGroup& group = RequireGroup(call, "consistency_group.uuid");
  World& world = call.world;
  GroupSnapshot snapshot;
  snapshot.uuid = world.NewUuid();
  snapshot.name = TextAt(body, "name");
  if (snapshot.name.empty()) Refuse(code::kRequired, "Field \"name\" is required", "name");
  snapshot.group_uuid = group.uuid;
  snapshot.comment = TextAt(body, "comment");
  snapshot.snapmirror_label = TextAt(body, "snapmirror_label");
  if (Has(body, "consistency_type")) snapshot.consistency_type = TextAt(body, "consistency_type");
  snapshot.has_write_fence = body.value("write_fence", group.volume_uuids.size() > 1);
  const std::string all = "/api/application/consistency-groups/" + group.uuid + "/snapshots";
  Change change;
  change.answer = Change::Answer::kJob;
  change.is_create = true;
  change.description = "POST " + all;
  change.svm_uuid = group.svm_uuid;
  change.location = all + "/" + snapshot.uuid;
  change.model = &models::ConsistencyGroupSnapshot();
  change.run = [&world, group_uuid = group.uuid, snapshot](Phase phase) {
    return ApplyPost(world, group_uuid, snapshot, phase);
  };
  return Reply::To(std::move(change));
}

void Rename(World& world, GroupSnapshot* snapshot, const std::string& name, Phase phase) {
  const bool are_members_too = world.settings.switches.Is("group_snapshot_rename", "members_too");
  if (FindGroupSnapshot(world, snapshot->group_uuid, name) != nullptr) {
    RefuseConflict(group_code::kSnapshotFailed, "Snapshot \"" + name + "\" exists", "name");
  }
  for (const GroupSnapshotMember& member : snapshot->members) {
    Snapshot* own = world.snapshots.Find(member.snapshot_uuid);
    if (!are_members_too || own == nullptr) continue;
    RequireRenamable(world, *own, name);
    if (phase == Phase::kApply) own->name = name;
  }
  if (phase == Phase::kApply) snapshot->name = name;
}

Reply PatchSnapshot(Call& call) {
  const json body = call.Body(models::ConsistencyGroupSnapshot(), Write::kPatch);
  call.RequireNoMoreParams();
  const GroupSnapshot& snapshot = RequireSnapshot(call);
  World& world = call.world;
  if (!Has(body, "name")) Refuse(code::kNothingToChange, "Nothing to change");
  if (world.settings.switches.Is("group_snapshot_rename", "refuse")) {
    Refuse(group_code::kNotStarted, "No two-phase snapshot was started");
  }
  Change change;
  change.answer = Change::Answer::kJob;
  change.description = call.request.method + " " + call.request.target;
  change.svm_uuid = RequireGroup(call, "consistency_group.uuid").svm_uuid;
  change.run = [&world, uuid = snapshot.uuid, name = TextAt(body, "name")](Phase phase) -> json {
    GroupSnapshot* stored = world.group_snapshots.Find(uuid);
    if (stored == nullptr) RefuseMissing(code::kNoEntry, "entry doesn't exist", "uuid");
    if (stored->name != name) Rename(world, stored, name, phase);
    return nullptr;
  };
  return Reply::To(std::move(change));
}

Reply DeleteSnapshot(Call& call) {
  call.RequireNoMoreParams();
  const GroupSnapshot& snapshot = RequireSnapshot(call);
  World& world = call.world;
  Change change;
  change.answer = Change::Answer::kJob;
  change.description = call.request.method + " " + call.request.target;
  change.svm_uuid = RequireGroup(call, "consistency_group.uuid").svm_uuid;
  change.run = [&world, uuid = snapshot.uuid](Phase phase) -> json {
    const GroupSnapshot* stored = world.group_snapshots.Find(uuid);
    if (stored == nullptr) RefuseMissing(code::kNoEntry, "entry doesn't exist", "uuid");
    const std::vector<GroupSnapshotMember> members = stored->members;
    for (const GroupSnapshotMember& member : members) {
      const Snapshot* own = world.snapshots.Find(member.snapshot_uuid);
      if (own != nullptr && !OwnersOf(world, *own).empty()) {
        RefuseConflict(group_code::kSnapshotLocked,
                       "The snapshot of volume \"" + member.volume_name + "\" has an owner");
      }
    }
    if (phase == Phase::kCheck) return nullptr;
    if (world.settings.switches.Is("group_snapshot_delete", "members_too")) {
      for (const GroupSnapshotMember& member : members) world.RemoveSnapshot(member.snapshot_uuid);
    }
    world.group_snapshots.Erase(uuid);
    return nullptr;
  };
  return Reply::To(std::move(change));
}

json ApplyRestore(World& world, const std::string& snapshot_uuid, Phase phase) {
  const GroupSnapshot* snapshot = world.group_snapshots.Find(snapshot_uuid);
  if (snapshot == nullptr) RefuseMissing(code::kNoEntry, "entry doesn't exist", "restore_to");
  if (snapshot->is_invalid) {
    Refuse(group_code::kSnapshotRefused,
           "The members of the group have changed since snapshot \"" + snapshot->name + "\"");
  }
  const std::vector<GroupSnapshotMember> members = snapshot->members;
  for (const GroupSnapshotMember& member : members) {
    if (world.volumes.Find(member.volume_uuid) == nullptr) {
      Refuse(group_code::kSnapshotRefused, "Volume \"" + member.volume_name + "\" is gone");
    }
    RequireRestorable(world, *world.volumes.Find(member.volume_uuid),
                      *world.snapshots.Find(member.snapshot_uuid));
  }
  if (phase == Phase::kCheck) return nullptr;
  for (const GroupSnapshotMember& member : members) {
    RestoreContents(world, member.volume_uuid, member.snapshot_uuid);
  }
  return nullptr;
}

}  // namespace

std::string ScheduleGroupSnapshot(World& world, const std::string& group, const std::string& name) {
  for (const ConsistencyGroup& one : world.groups) {
    if (one.name != group) continue;
    GroupSnapshot snapshot;
    snapshot.uuid = world.NewUuid();
    snapshot.name = name;
    snapshot.group_uuid = one.uuid;
    return Take(world, one, std::move(snapshot)).uuid;
  }
  throw std::invalid_argument("no such group");
}

GroupSnapshot* FindGroupSnapshot(World& world, const std::string& group_uuid,
                                 const std::string& name) {
  for (GroupSnapshot& snapshot : world.group_snapshots) {
    if (snapshot.group_uuid == group_uuid && snapshot.name == name) return &snapshot;
  }
  return nullptr;
}

std::vector<const Volume*> MissingVolumes(const World& world, const GroupSnapshot& snapshot) {
  std::vector<const Volume*> missing;
  for (const std::string& uuid : world.groups.Find(snapshot.group_uuid)->volume_uuids) {
    const bool is_held =
        std::any_of(snapshot.members.begin(), snapshot.members.end(),
                    [&](const GroupSnapshotMember& member) { return member.volume_uuid == uuid; });
    const Volume* volume = world.volumes.Find(uuid);
    if (!is_held && volume != nullptr) missing.push_back(volume);
  }
  return missing;
}

Change GroupRestore(Call& call, const ConsistencyGroup& group, const json& snapshot) {
  World& world = call.world;
  const std::string uuid = TextAt(snapshot, "uuid");
  const GroupSnapshot* found = uuid.empty()
                                   ? FindGroupSnapshot(world, group.uuid, TextAt(snapshot, "name"))
                                   : world.group_snapshots.Find(uuid);
  if (found == nullptr || found->group_uuid != group.uuid) {
    RefuseMissing(code::kNoEntry, "entry doesn't exist", "restore_to.snapshot");
  }
  Change change;
  change.answer = Change::Answer::kJob;
  change.description = "PATCH /api/application/consistency-groups/" + group.uuid;
  change.svm_uuid = group.svm_uuid;
  change.run = [&world, snapshot_uuid = found->uuid](Phase phase) {
    return ApplyRestore(world, snapshot_uuid, phase);
  };
  return change;
}

void AddGroupSnapshotRoutes(Routes* routes) {
  const std::string all = "application/consistency-groups/{consistency_group.uuid}/snapshots";
  routes->push_back({"GET", all, GetSnapshots});
  routes->push_back({"POST", all, PostSnapshot});
  routes->push_back({"GET", all + "/{uuid}", GetSnapshot});
  routes->push_back({"PATCH", all + "/{uuid}", PatchSnapshot});
  routes->push_back({"DELETE", all + "/{uuid}", DeleteSnapshot});
}

}  // namespace ontapnvme::sim
