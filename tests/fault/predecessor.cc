// SPDX-License-Identifier: AGPL-3.0-or-later
#include "fault/predecessor.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "model/volume_name.h"

namespace ontapnvme::fault {
namespace {

using nlohmann::json;

constexpr const char* kPrefix = "t_";  // of DefaultSettings
constexpr std::uint64_t kMiB = 1048576;
// A FlexVol has at least so much, and room for what the array notes beside the namespace.
constexpr std::uint64_t kFlexVolMin = 20 * kMiB;

const json kSvm = {{"name", "svm1"}};

std::uint64_t FlexVolBytes(std::uint64_t namespace_bytes) {
  const std::uint64_t with_overhead = (namespace_bytes / 100 * 105 / kMiB + 1) * kMiB;
  return std::max(kFlexVolMin, with_overhead);
}

std::string LeafOf(const std::string& volume) {
  return volume.substr(volume.find('/') + 1);
}

std::string PathOf(const sim::Volume& flexvol) {
  return "/api/storage/volumes/" + flexvol.uuid;
}

json AsMember(const std::string& flexvol, const char* action) {
  return json{{"name", flexvol}, {"provisioning_options", {{"action", action}}}};
}

// A record that stands for one that is missing, so that the test fails and does not crash.
template <typename T>
T& Missing(const std::string& what) {
  static T nothing;
  ADD_FAILURE() << "the predecessor has no " << what;
  return nothing;
}

}  // namespace

Predecessor::Predecessor(TestArray& array) : array_(&array) {
  const auto& world = array.sim.world();
  const auto is_ours = [](const auto& one) { return one.name == "pve"; };
  if (std::none_of(world.subsystems.begin(), world.subsystems.end(), is_ours)) {
    MustSend("POST", "/api/protocols/nvme/subsystems",
             {{"svm", kSvm}, {"name", "pve"}, {"os_type", "linux"}});
  }
  const auto subsystem = std::find_if(world.subsystems.begin(), world.subsystems.end(), is_ours);
  MustSend("POST", "/api/protocols/nvme/subsystems/" + subsystem->uuid + "/hosts",
           {{"nqn", "nqn.2014-08.org.nvmexpress:uuid:node-of-before"}});
}

// ---- its hooks

void Predecessor::Make(const std::string& volume, std::uint64_t size_kib) {
  MakeFlexVol(volume, size_kib);
  MakeNamespace(volume, size_kib);
  Map(volume);
  Join(volume);
}

void Predecessor::Clone(const std::string& base, const std::string& volume) {
  MustSend("POST", "/api/storage/volumes",
           {{"svm", kSvm},
            {"name", FlexVolOf(volume)},
            {"clone",
             {{"is_flexclone", true},
              {"parent_volume", {{"name", FlexVolOf(base)}}},
              {"parent_snapshot", {{"name", "pve_base"}}}}}});
  SetSnapshotPolicy(volume, "none");
  Map(volume);
  Join(volume);
}

void Predecessor::Free(const std::string& volume) {
  Leave(volume);
  Unmap(volume);
  DeleteNamespace(volume);
  // Where clones hold it, it stays.
  (void)Send("DELETE", PathOf(FlexVol(volume)));
}

void Predecessor::Rename(const std::string& volume, const std::string& new_name) {
  Leave(volume);
  MustSend("PATCH", PathOf(FlexVol(volume)), {{"name", FlexVolOf(new_name)}});
  Join(new_name);
}

std::string Predecessor::CreateBase(const std::string& volume) {
  const std::string base = "base" + LeafOf(volume).substr(2);
  Leave(volume);
  MustSend("PATCH", PathOf(FlexVol(volume)), {{"name", FlexVolOf(base)}});
  // A linked clone shows the one of its own base image: then there is none of this one.
  (void)Send("POST", PathOf(FlexVol(base)) + "/snapshots", {{"name", "pve_base"}});
  return base;
}

void Predecessor::Resize(const std::string& volume, std::uint64_t size_bytes) {
  const std::uint64_t flexvol_bytes = FlexVolBytes(size_bytes);
  // It grows the namespace first; which an array may refuse that has no room left in the FlexVol.
  const std::string ns = "/api/storage/namespaces/" + Namespace(volume).uuid;
  const json size = {{"space", {{"size", size_bytes}}}};
  const bool is_grown = Send("PATCH", ns, size);
  if (FlexVol(volume).size_bytes < flexvol_bytes) {
    MustSend("PATCH", PathOf(FlexVol(volume)), {{"size", flexvol_bytes}});
  }
  if (!is_grown) MustSend("PATCH", ns, size);
}

void Predecessor::Snapshot(const std::vector<std::string>& volumes, const std::string& name) {
  const std::string array_name = "pve_snap_" + name;
  if (auto* group = FindGroup(volumes.front()); group != nullptr) {
    (void)Send("POST", "/api/application/consistency-groups/" + group->uuid + "/snapshots",
               {{"name", array_name}});
  }
  for (const auto& volume : volumes) {
    if (array_->sim.world().FindSnapshot(FlexVol(volume).uuid, array_name) == nullptr) {
      SnapshotAlone(volume, array_name);
    }
  }
}

void Predecessor::DeleteSnapshot(const std::vector<std::string>& volumes, const std::string& name) {
  if (auto* of_group = FindGroupSnapshot(volumes.front(), name); of_group != nullptr) {
    MustSend("DELETE", "/api/application/consistency-groups/" + of_group->group_uuid +
                           "/snapshots/" + of_group->uuid);
  }
  for (const auto& volume : volumes) {
    const auto& flexvol = FlexVol(volume);
    const auto* own = array_->sim.world().FindSnapshot(flexvol.uuid, "pve_snap_" + name);
    if (own != nullptr) MustSend("DELETE", PathOf(flexvol) + "/snapshots/" + own->uuid);
  }
}

bool Predecessor::Rollback(const std::vector<std::string>& volumes, const std::string& name) {
  const std::string array_name = "pve_snap_" + name;
  const auto* group = FindGroup(volumes.front());
  if (const auto* of_group = FindGroupSnapshot(volumes.front(), name); of_group != nullptr) {
    std::set<std::string> held;
    for (const auto& member : of_group->members) held.insert(member.volume_uuid);
    const std::set<std::string> now(group->volume_uuids.begin(), group->volume_uuids.end());
    if (of_group->is_invalid || held != now) return false;
    MustSend("PATCH", "/api/application/consistency-groups/" + group->uuid,
             {{"restore_to", {{"snapshot", {{"uuid", of_group->uuid}}}}}});
    return true;
  }
  for (const auto& volume : volumes) {
    MustSend("PATCH", PathOf(FlexVol(volume)) + "?restore_to.snapshot.name=" + array_name);
  }
  return true;
}

std::set<std::string> Predecessor::List() {
  auto& world = array_->sim.world();
  std::set<std::string> names;
  for (const auto& flexvol : world.volumes) {
    const bool is_volume = flexvol.name.starts_with(std::string(kPrefix) + "vm_") ||
                           flexvol.name.starts_with(std::string(kPrefix) + "base_");
    if (!is_volume || world.NamespacesOf(flexvol.uuid).empty()) continue;
    std::string base;
    if (flexvol.clone && flexvol.clone->snapshot_name == "pve_base") {
      const auto* parent = world.volumes.Find(flexvol.clone->volume_uuid);
      if (parent != nullptr) base = VolumeOf(parent->name) + "/";
    }
    names.insert(base + VolumeOf(flexvol.name));
  }
  return names;
}

// ---- the steps

void Predecessor::MakeFlexVol(const std::string& volume, std::uint64_t size_kib) {
  MustSend("POST", "/api/storage/volumes",
           {{"svm", kSvm},
            {"name", FlexVolOf(volume)},
            {"aggregates", json::array({{{"name", "aggr1"}}})},
            {"size", FlexVolBytes(size_kib * 1024)},
            {"guarantee", {{"type", "none"}}},
            {"snapshot_policy", {{"name", "none"}}},
            {"space", {{"snapshot", {{"reserve_percent", 0}}}}}});
}

void Predecessor::MakeNamespace(const std::string& volume, std::uint64_t size_kib) {
  const std::string flexvol = FlexVolOf(volume);
  MustSend("POST", "/api/storage/namespaces",
           {{"svm", kSvm},
            {"name", "/vol/" + flexvol + "/" + flexvol},
            {"os_type", "linux"},
            {"space", {{"size", size_kib * 1024}}}});
}

void Predecessor::Map(const std::string& volume) {
  MustSend("POST", "/api/protocols/nvme/subsystem-maps",
           {{"svm", kSvm},
            {"subsystem", {{"name", "pve"}}},
            {"namespace", {{"uuid", Namespace(volume).uuid}}}});
}

void Predecessor::Unmap(const std::string& volume) {
  const auto& ns = Namespace(volume);
  if (ns.subsystem_uuid.empty()) return;
  MustSend("DELETE", "/api/protocols/nvme/subsystem-maps/" + ns.subsystem_uuid + "/" + ns.uuid);
}

void Predecessor::DeleteNamespace(const std::string& volume) {
  MustSend("DELETE", "/api/storage/namespaces/" + Namespace(volume).uuid);
}

void Predecessor::Join(const std::string& volume) {
  const std::string all = "/api/application/consistency-groups";
  const json members = json::array({AsMember(FlexVolOf(volume), "add")});
  const auto* group = FindGroup(volume);
  // What an array does not take into a group is snapshotted alone, with a warning.
  if (group != nullptr) {
    (void)Send("PATCH", all + "/" + group->uuid, {{"volumes", members}});
  } else {
    (void)Send("POST", all,
               {{"svm", kSvm},
                {"name", GroupOf(volume)},
                {"snapshot_policy", {{"name", "none"}}},
                {"volumes", members}});
  }
}

void Predecessor::Leave(const std::string& volume) {
  const auto* group = array_->sim.world().GroupOf(FlexVol(volume).uuid);
  if (group == nullptr) return;
  const std::string path = "/api/application/consistency-groups/" + group->uuid;
  const json members = json::array({AsMember(FlexVolOf(volume), "remove")});
  (void)Send("PATCH", path, {{"volumes", members}});
}

void Predecessor::SnapshotAlone(const std::string& volume, const std::string& array_name) {
  MustSend("POST", PathOf(FlexVol(volume)) + "/snapshots", {{"name", array_name}});
}

void Predecessor::SetSnapshotPolicy(const std::string& volume, const std::string& policy) {
  MustSend("PATCH", PathOf(FlexVol(volume)), {{"snapshot_policy", {{"name", policy}}}});
}

void Predecessor::Schedule(const std::string& volume, const std::string& snapshot) {
  array_->sim.Ctl(
      {{"cmd", "schedule-snapshot"}, {"volume", FlexVolOf(volume)}, {"name", snapshot}});
}

void Predecessor::DeleteBaseSnapshot(const std::string& base) {
  const auto& flexvol = FlexVol(base);
  const auto* snapshot = array_->sim.world().FindSnapshot(flexvol.uuid, "pve_base");
  ASSERT_NE(snapshot, nullptr) << base;
  MustSend("DELETE", PathOf(flexvol) + "/snapshots/" + snapshot->uuid);
}

// ---- looking

std::string Predecessor::FlexVolOf(const std::string& volume) {
  std::string name = LeafOf(volume);
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '-' || c == '.'; }, '_');
  return kPrefix + name;
}

std::string Predecessor::VolumeOf(std::string flexvol) {
  flexvol.erase(0, std::string(kPrefix).size());
  const auto state = flexvol.find("_state_");
  const auto end = state == std::string::npos ? flexvol.size() : state + 7;
  std::replace(flexvol.begin(), flexvol.begin() + static_cast<std::ptrdiff_t>(end), '_', '-');
  return flexvol;
}

std::string Predecessor::GroupOf(const std::string& volume) {
  const auto name = VolumeName::Parse(volume);
  return std::string(kPrefix) + "pve_cg_vm_" + std::to_string(name.ok() ? name->vmid : 0);
}

sim::Volume* Predecessor::FindFlexVol(const std::string& volume) {
  auto& world = array_->sim.world();
  return world.FindVolume(world.FindSvm("svm1")->uuid, FlexVolOf(volume));
}

sim::NvmeNamespace* Predecessor::FindNamespace(const std::string& volume) {
  const auto* flexvol = FindFlexVol(volume);
  if (flexvol == nullptr) return nullptr;
  const auto found = array_->sim.world().NamespacesOf(flexvol->uuid);
  return found.empty() ? nullptr : found.front();
}

sim::Volume& Predecessor::FlexVol(const std::string& volume) {
  auto* found = FindFlexVol(volume);
  return found == nullptr ? Missing<sim::Volume>("FlexVol of " + volume) : *found;
}

sim::NvmeNamespace& Predecessor::Namespace(const std::string& volume) {
  auto* found = FindNamespace(volume);
  return found == nullptr ? Missing<sim::NvmeNamespace>("namespace of " + volume) : *found;
}

sim::ConsistencyGroup* Predecessor::FindGroup(const std::string& volume) {
  auto& world = array_->sim.world();
  return world.FindGroup(world.FindSvm("svm1")->uuid, GroupOf(volume));
}

sim::GroupSnapshot* Predecessor::FindGroupSnapshot(const std::string& volume,
                                                   const std::string& name) {
  const auto* group = FindGroup(volume);
  if (group == nullptr) return nullptr;
  for (auto& one : array_->sim.world().group_snapshots) {
    if (one.group_uuid == group->uuid && one.name == "pve_snap_" + name) return &one;
  }
  return nullptr;
}

bool Predecessor::Send(const std::string& method, const std::string& target, const json& body) {
  json command = {{"cmd", "admin"}, {"method", method}, {"target", target}};
  if (!body.empty()) command["body"] = body;
  const auto reply = array_->sim.Ctl(command);
  last_ = reply.dump();
  if (!reply.at("ok").get<bool>() || reply.at("status").get<int>() >= 300) return false;
  const auto& answer = reply.at("body");
  if (!answer.is_object() || !answer.contains("job")) return true;
  const std::string uuid = answer.at("job").at("uuid");
  const auto job = array_->sim.Ctl(
      {{"cmd", "admin"}, {"target", "/api/cluster/jobs/" + uuid + "?fields=state,message"}});
  last_ = job.dump();
  return job.at("body").at("state") == "success";
}

void Predecessor::MustSend(const std::string& method, const std::string& target, const json& body) {
  EXPECT_TRUE(Send(method, target, body)) << method << " " << target << ": " << last_;
}

}  // namespace ontapnvme::fault
