// SPDX-License-Identifier: AGPL-3.0-or-later
#include "contract/behaviour.h"

#include "contract/behaviour_parts.h"
#include "ontap/json_fields.h"
#include "ontap/rest_types.h"

namespace ontapnvme::contract {
using nlohmann::json;

const std::map<std::string, BehaviourFixture::Probe>& BehaviourFixture::Probes() {
  static const std::map<std::string, Probe> kProbes = {
      {"autosize_with_size", &BehaviourFixture::AutosizeWithSize},
      {"bulk_snapshots", &BehaviourFixture::BulkSnapshots},
      {"clone_create", &BehaviourFixture::CloneCreate},
      {"delete_mapped", &BehaviourFixture::DeleteMapped},
      {"deleted_volume_in_group", &BehaviourFixture::DeletedVolumeInGroup},
      {"empty_groups", &BehaviourFixture::EmptyGroups},
      {"fractional_reserve_create", &BehaviourFixture::FractionalReserveCreate},
      {"group_change_with_nvme", &BehaviourFixture::GroupChangeWithNvme},
      {"group_create_above_16", &BehaviourFixture::GroupCreateAbove16},
      {"group_name_max", &BehaviourFixture::GroupNameMax},
      {"group_policy_unsaid", &BehaviourFixture::GroupPolicyUnsaid},
      {"group_snapshot_delete", &BehaviourFixture::GroupSnapshotDelete},
      {"group_snapshot_rename", &BehaviourFixture::GroupSnapshotRename},
      {"held_snapshot_code", &BehaviourFixture::HeldSnapshotCode},
      {"job_records", &BehaviourFixture::JobRecords},
      {"namespace_minimum", &BehaviourFixture::NamespaceMinimum},
      {"namespace_rounding", &BehaviourFixture::NamespaceRounding},
      {"qos_removal", &BehaviourFixture::QosRemoval},
      {"queued_clones_hold_parent", &BehaviourFixture::QueuedClonesHoldParent},
      {"clone_comment", &BehaviourFixture::CloneComment},
      {"clone_from_snapshot", &BehaviourFixture::CloneFromSnapshot},
      {"clone_space", &BehaviourFixture::CloneSpace},
      {"namespace_overwrite", &BehaviourFixture::NamespaceOverwrite},
      {"overwrite_comment", &BehaviourFixture::OverwriteComment},
      {"restore_identity", &BehaviourFixture::RestoreIdentity},
      {"restore_map", &BehaviourFixture::RestoreMap},
      {"restore_mapped", &BehaviourFixture::RestoreMappedAtAll},
      {"restore_past_newer", &BehaviourFixture::RestorePastNewer},
      {"volume_location", &BehaviourFixture::VolumeLocation},
  };
  return kProbes;
}

std::vector<std::string> AskedSwitches() {
  std::vector<std::string> names;
  for (const auto& [name, probe] : BehaviourFixture::Probes()) names.push_back(name);
  return names;
}

std::string BehaviourFixture::Ask(const std::string& switch_name) {
  return (this->*Probes().at(switch_name))();
}

// ---- requests

Result<ontap::ChangeAnswer> BehaviourFixture::Send(const ontap::ChangeRequest& request) {
  return rest_->Change(request, Budget());
}

Status BehaviourFixture::Post(const std::string& path, const json& body) {
  const auto answer = Send(ontap::ChangeRequest::Post(path, body, "ask"));
  return answer.ok() ? Status() : Status(answer.error());
}

Status BehaviourFixture::Patch(const std::string& path, const json& body) {
  const auto answer = Send(ontap::ChangeRequest::Patch(path, body, "ask"));
  return answer.ok() ? Status() : Status(answer.error());
}

Result<json> BehaviourFixture::Read(const std::string& path, const std::string& fields) {
  ontap::ReadRequest request{.path = path, .doing = "ask"};
  request.query.Add("fields", fields);
  return rest_->Read(request, Budget());
}

json BehaviourFixture::VolumeBody(const std::string& part) {
  return {{"svm", {{"name", address_.svm}}},
          {"name", Name(part)},
          {"aggregates", json::array({{{"name", address_.aggregate}}})},
          {"size", 100 * kMiB},
          {"guarantee", {{"type", "none"}}}};
}

json BehaviourFixture::CloneBody(const std::string& part, const std::string& parent,
                                 const std::string& snapshot) {
  return {{"svm", {{"name", address_.svm}}},
          {"name", Name(part)},
          {"clone",
           {{"is_flexclone", true},
            {"parent_volume", {{"name", Name(parent)}}},
            {"parent_snapshot", {{"name", snapshot}}}}}};
}

std::string BehaviourFixture::AnyQosPolicy() {
  ontap::ReadRequest request{.path = "/api/storage/qos/policies", .doing = "ask"};
  request.query.Add("svm.name", address_.svm).Add("fields", "name");
  const auto policies = rest_->List(request, Budget());
  if (!policies.ok() || policies->empty()) return "";
  return policies->front().at("name");
}

Uuid BehaviourFixture::MakeGroup(const std::string& part, const std::vector<std::string>& members) {
  const Status made = groups_->Create(Name(part), members, "none", Budget());
  EXPECT_TRUE(made.ok()) << made.error().Line();
  const auto found = groups_->List(Name(part), Budget());
  if (found.ok() && found->size() == 1) return found->front().uuid;
  ADD_FAILURE() << "no group " << part;
  return {};
}

// ---- volumes

std::string BehaviourFixture::AutosizeWithSize() {
  const Uuid uuid = MakeVolume("v");
  return TakenOrRefused(
      Patch(VolumePath(uuid),
            {{"size", 200 * kMiB}, {"autosize", {{"mode", "grow"}, {"maximum", 400 * kMiB}}}}));
}

std::string BehaviourFixture::FractionalReserveCreate() {
  json body = VolumeBody("v");
  body["space"] = {{"fractional_reserve", 0}};
  return TakenOrRefused(Post(kVolumes, body));
}

std::string BehaviourFixture::JobRecords() {
  auto request = ontap::ChangeRequest::Post(kVolumes, VolumeBody("v"), "ask");
  request.query.Add("return_records", "true");
  const auto answer = Send(request);
  if (!answer.ok()) return Unclear(answer.error().Line());
  return answer->records.empty() ? "hide" : "show";
}

std::string BehaviourFixture::VolumeLocation() {
  const auto answer = Send(ontap::ChangeRequest::Post(kVolumes, VolumeBody("v"), "ask"));
  if (!answer.ok()) return Unclear(answer.error().Line());
  return ontap::UuidFromLocation(answer->location, kVolumes) ? "uuid" : "name";
}

std::string BehaviourFixture::DeleteMapped() {
  const auto ns = MakeDisk("d");
  const Status mapped = subsystems_->Map(ns.uuid, Subsystem().name, Budget());
  if (!mapped.ok()) return Unclear(mapped.error().Line());
  const auto deleted = Send(ontap::ChangeRequest::Delete(VolumePath(ns.volume_uuid), "ask"));
  return deleted.ok() ? "take" : "refuse";
}

std::string BehaviourFixture::QosRemoval() {
  const std::string policy = AnyQosPolicy();
  if (policy.empty()) return Unclear("the SVM has no QoS policy");
  const Uuid uuid = MakeVolume("v");
  const auto set = [&](const json& name) {
    return Patch(VolumePath(uuid), {{"qos", {{"policy", {{"name", name}}}}}});
  };
  const auto has_policy = [&] {
    const auto volume = Read(VolumePath(uuid), "qos.policy.name");
    return volume.ok() && !volume->value(json::json_pointer("/qos/policy/name"), "").empty();
  };
  bool is_ignored = false;
  for (const auto& [form, name] :
       {std::pair<json, std::string>{"none", "none"}, {"", "empty"}, {nullptr, "null"}}) {
    if (const Status given = set(policy); !given.ok()) return Unclear(given.error().Line());
    const Status taken_away = set(form);
    if (taken_away.ok() && !has_policy()) {
      return is_ignored ? name + "_others_ignored" : name;
    }
    is_ignored = is_ignored || taken_away.ok();
  }
  return Unclear("no form takes a policy away");
}

// ---- clones and snapshots

std::string BehaviourFixture::BulkSnapshots() {
  const Uuid uuid = MakeVolume("v");
  const Status made = snapshots_->Create(uuid, "s", "", Budget());
  if (!made.ok()) return Unclear(made.error().Line());
  return Read("/api/storage/volumes/*/snapshots", "name").ok() ? "take" : "refuse";
}

std::string BehaviourFixture::CloneCreate() {
  const auto ns = MakeDisk("base");
  const Status made = snapshots_->Create(ns.volume_uuid, "s", "", Budget());
  if (!made.ok()) return Unclear(made.error().Line());
  json body = CloneBody("a", "base", "s");
  body["snapshot_policy"] = {{"name", "none"}};
  body["guarantee"] = {{"type", "none"}};
  if (!Post(kVolumes, body).ok()) {
    return Post(kVolumes, CloneBody("b", "base", "s")).ok() ? "minimal"
                                                            : Unclear("no clone can be made");
  }
  const std::string policy = AnyQosPolicy();
  if (policy.empty()) return Unclear("refuse_qos or take: the SVM has no QoS policy");
  body["name"] = Name("c");
  body["qos"] = {{"policy", {{"name", policy}}}};
  return Post(kVolumes, body).ok() ? "take" : "refuse_qos";
}

std::string BehaviourFixture::HeldSnapshotCode() {
  const auto ns = MakeDisk("base");
  const Status made = snapshots_->Create(ns.volume_uuid, "s", "", Budget());
  if (!made.ok() || !Post(kVolumes, CloneBody("c", "base", "s")).ok()) return Unclear("no clone");
  const auto found = snapshots_->FindByName({{ns.volume_uuid, Name("base")}}, "s", Budget());
  if (!found.ok() || found->empty()) return Unclear("no snapshot");
  const Status deleted = snapshots_->Delete(ns.volume_uuid, found->front().uuid, Budget());
  if (deleted.ok()) return Unclear("the array deletes a snapshot that a clone stands on");
  return std::to_string(deleted.error().origin().array_code.value_or(0));
}

std::string BehaviourFixture::QueuedClonesHoldParent() {
  const auto ns = MakeDisk("base");
  const Status made = snapshots_->Create(ns.volume_uuid, "s", "", Budget());
  if (!made.ok() || !Post(kVolumes, CloneBody("c", "base", "s")).ok()) return Unclear("no clone");
  const auto clone = volumes_->Find(Name("c"), Budget());
  const auto found = snapshots_->FindByName({{ns.volume_uuid, Name("base")}}, "s", Budget());
  if (!clone.ok() || !*clone || !found.ok() || found->empty()) return Unclear("no clone");
  const Status gone = volumes_->Delete((*clone)->uuid, false, Budget());
  if (!gone.ok()) return Unclear(gone.error().Line());
  return snapshots_->Delete(ns.volume_uuid, found->front().uuid, Budget()).ok() ? "no" : "yes";
}

std::string BehaviourFixture::RestorePastNewer() {
  const Uuid uuid = MakeVolume("v");
  for (const char* name : {"one", "two"}) {
    const Status made = snapshots_->Create(uuid, name, "", Budget());
    if (!made.ok()) return Unclear(made.error().Line());
  }
  auto request = ontap::ChangeRequest::Patch(VolumePath(uuid), json::object(), "ask");
  request.query.Add("restore_to.snapshot.name", "one");
  return Send(request).ok() ? "take" : "refuse";
}

BehaviourFixture::Restored BehaviourFixture::RestoreMapped() {
  Restored restored;
  restored.before = MakeDisk("d");
  const Uuid volume = restored.before.volume_uuid;
  const Status mapped = subsystems_->Map(restored.before.uuid, Subsystem().name, Budget());
  EXPECT_TRUE(mapped.ok()) << mapped.error().Line();
  const Status made = snapshots_->Create(volume, "s", "", Budget());
  EXPECT_TRUE(made.ok()) << made.error().Line();
  auto request = ontap::ChangeRequest::Patch(VolumePath(volume), json::object(), "ask");
  request.query.Add("restore_to.snapshot.name", "s");
  const auto answer = Send(request);
  restored.status = answer.ok() ? Status() : Status(answer.error());
  const auto after = namespaces_->FindByVolume(Name("d"), Budget());
  if (after.ok()) restored.after = *after;
  return restored;
}

std::string BehaviourFixture::AfterRestore(
    const std::function<std::string(const Restored&)>& tell) {
  const Restored restored = RestoreMapped();
  if (!restored.status.ok()) return Unclear(restored.status.error().Line());
  return restored.after ? tell(restored) : Unclear("the namespace is gone");
}

std::string BehaviourFixture::RestoreMappedAtAll() {
  const Restored restored = RestoreMapped();
  if (restored.status.ok()) return "take";
  const auto& error = restored.status.error();
  // A code of the table says what is wrong; any other leaves only the status.
  const bool is_known = error.code() == ErrorCode::kBusy || (error.code() == ErrorCode::kConflict &&
                                                             error.origin().array_code == 524511);
  return is_known ? "refuse" : "refuse_" + std::to_string(error.origin().http_status);
}

std::string BehaviourFixture::RestoreMap() {
  return AfterRestore(
      [](const Restored& restored) { return restored.after->subsystem_uuid ? "kept" : "gone"; });
}

std::string BehaviourFixture::RestoreIdentity() {
  return AfterRestore([this](const Restored& restored) -> std::string {
    if (restored.after->uuid != restored.before.uuid) return "new_uuid";
    const auto nsid = [&] {
      ontap::ReadRequest request{.path = "/api/protocols/nvme/subsystem-maps", .doing = "ask"};
      request.query.Add("namespace.uuid", restored.after->uuid.Text()).Add("fields", "nsid");
      const auto maps = rest_->List(request, Budget());
      return maps.ok() && maps->size() == 1 ? maps->front().value("nsid", "") : std::string();
    }();
    // The only map of a subsystem that had none has the first number.
    return nsid.empty() || nsid.starts_with("00000001") ? "kept" : "new_nsid";
  });
}

// ---- namespaces

ontap::NvmeNamespace BehaviourFixture::MakeDiskWithSnapshot() {
  auto ns = MakeDisk("d");
  const Status resized = volumes_->Resize(ns.volume_uuid, MiB(400), Budget());
  EXPECT_TRUE(resized.ok()) << resized.error().Line();
  const Status made = snapshots_->Create(ns.volume_uuid, "s", "", Budget());
  EXPECT_TRUE(made.ok()) << made.error().Line();
  return ns;
}

std::string BehaviourFixture::CloneFromSnapshot() {
  const auto ns = MakeDiskWithSnapshot();
  const auto copy = namespaces_->CloneFromSnapshot(ns, "s", "copy", Budget());
  if (copy.ok()) return "take";
  return copy.error().code() == ErrorCode::kNotFound ? "hide" : "refuse";
}

std::string BehaviourFixture::CloneComment() {
  const auto ns = MakeDiskWithSnapshot();
  const auto copy = namespaces_->CloneFromSnapshot(ns, "s", "copy", Budget());
  if (!copy.ok()) return Unclear(copy.error().Line());
  const auto found = namespaces_->FindByUuid(copy->uuid, Budget());
  if (!found.ok() || !*found) return Unclear("the clone cannot be read");
  return (*found)->comment.empty() ? "empty" : "of_source";
}

std::string BehaviourFixture::CloneSpace() {
  const auto ns = MakeDisk("d");  // more than half of its volume
  const Status made = snapshots_->Create(ns.volume_uuid, "s", "", Budget());
  if (!made.ok()) return Unclear(made.error().Line());
  const auto copy = namespaces_->CloneFromSnapshot(ns, "s", "copy", Budget());
  if (copy.ok()) return "shared";
  return copy.error().code() == ErrorCode::kNoSpace ? "counted" : Unclear(copy.error().Line());
}

std::string BehaviourFixture::NamespaceOverwrite() {
  const auto ns = MakeDiskWithSnapshot();
  const auto copy = namespaces_->CloneFromSnapshot(ns, "s", "copy", Budget());
  if (!copy.ok()) return Unclear(copy.error().Line());
  if (!namespaces_->Overwrite(ns.uuid, copy->uuid, Budget()).ok()) return "refuse";
  const Status mapped = subsystems_->Map(ns.uuid, Subsystem().name, Budget());
  if (!mapped.ok()) return Unclear(mapped.error().Line());
  return namespaces_->Overwrite(ns.uuid, copy->uuid, Budget()).ok() ? "take" : "refuse_mapped";
}

std::string BehaviourFixture::OverwriteComment() {
  const auto ns = MakeDiskWithSnapshot();
  const auto copy = namespaces_->CloneFromSnapshot(ns, "s", "copy", Budget());
  if (!copy.ok()) return Unclear(copy.error().Line());
  const Status told =
      Patch(std::string(kNamespaces) + "/" + copy->uuid.Text(), {{"comment", "another"}});
  if (!told.ok()) return Unclear(told.error().Line());
  const Status done = namespaces_->Overwrite(ns.uuid, copy->uuid, Budget());
  if (!done.ok()) return Unclear(done.error().Line());
  const auto found = namespaces_->FindByUuid(ns.uuid, Budget());
  if (!found.ok() || !*found) return Unclear("the namespace cannot be read");
  return (*found)->comment == ns.comment ? "kept" : "of_source";
}

std::string BehaviourFixture::NamespaceMinimum() {
  MakeVolume("v");
  return namespaces_->Create(Name("v"), Name("v"), ByteCount{4096}, "", Budget()).ok() ? "4096"
                                                                                       : "20971520";
}

std::string BehaviourFixture::NamespaceRounding() {
  MakeVolume("v");
  const json body = {{"svm", {{"name", address_.svm}}},
                     {"name", "/vol/" + Name("v") + "/" + Name("v")},
                     {"os_type", "linux"},
                     {"space", {{"size", 32 * kMiB + 512}, {"block_size", 4096}}}};
  return Post(kNamespaces, body).ok() ? "round_up" : "refuse";
}

}  // namespace ontapnvme::contract
