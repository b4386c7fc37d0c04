// SPDX-License-Identifier: AGPL-3.0-or-later
#include "unit/catalogue/flexvol/rig.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>

namespace ontapnvme::catalogue::flexvol {

void TestArray::Set(const std::string& name, const nlohmann::json& value) {
  const auto reply = sim.Ctl({{"cmd", "set"}, {name, value}});
  ASSERT_TRUE(reply.at("ok").get<bool>()) << reply.dump();
}

void TestArray::AddFault(nlohmann::json rule) {
  rule["cmd"] = "fault-add";
  const auto reply = sim.Ctl(rule);
  ASSERT_TRUE(reply.at("ok").get<bool>()) << reply.dump();
}

bool TestArray::FaultFired() {
  const auto rules = sim.array().faults().ToJson();
  return std::any_of(rules.begin(), rules.end(),
                     [](const auto& rule) { return rule.at("fired").template get<int>() > 0; });
}

int TestArray::Count() {
  return sim.Ctl({{"cmd", "count"}}).at("count").get<int>();
}

std::vector<std::string> TestArray::Requests() {
  std::vector<std::string> lines;
  const auto reply = sim.Ctl({{"cmd", "log"}});
  for (const auto& entry : reply.at("requests")) {
    const std::string target = entry.at("target");
    lines.push_back(entry.at("method").get<std::string>() + " " +
                    target.substr(0, target.find('?')));
  }
  return lines;
}

std::vector<std::string> TestArray::Orphans() {
  return sim.Ctl({{"cmd", "orphans"}}).at("orphans").get<std::vector<std::string>>();
}

sim::Volume* TestArray::FindVolume(const std::string& flexvol) {
  for (auto& volume : world().volumes) {
    if (volume.name == flexvol) return &volume;
  }
  return nullptr;
}

sim::NvmeNamespace* TestArray::NamespaceIn(const std::string& flexvol) {
  const auto* volume = FindVolume(flexvol);
  if (volume == nullptr) return nullptr;
  const auto found = world().NamespacesOf(volume->uuid);
  return found.empty() ? nullptr : found.front();
}

std::vector<std::string> TestArray::VolumeNames() {
  std::vector<std::string> names;
  for (const auto& volume : world().volumes) {
    if (!volume.is_svm_root) names.push_back(volume.name);
  }
  return names;
}

std::vector<std::string> TestArray::SnapshotsOf(const std::string& flexvol) {
  std::vector<std::string> names;
  const auto* volume = FindVolume(flexvol);
  for (const auto& snapshot : world().snapshots) {
    if (volume != nullptr && snapshot.volume_uuid == volume->uuid) names.push_back(snapshot.name);
  }
  return names;
}

std::vector<std::string> TestArray::MembersOf(const std::string& group) {
  std::vector<std::string> members;
  for (const auto& one : world().groups) {
    if (one.name != group) continue;
    for (const auto& uuid : one.volume_uuids) {
      const auto* volume = world().volumes.Find(uuid);
      if (volume != nullptr) members.push_back(volume->name);
    }
  }
  return members;
}

void TestArray::MakeStray(const std::string& flexvol, const std::string& comment,
                          bool has_namespace) {
  nlohmann::json body{{"svm", {{"name", "svm1"}}},
                      {"name", flexvol},
                      {"size", 33554432},
                      {"aggregates", nlohmann::json::array({{{"name", "aggr1"}}})}};
  if (!comment.empty()) body["comment"] = comment;
  const auto admin = [&](const char* target, const nlohmann::json& what) {
    const auto reply =
        sim.Ctl({{"cmd", "admin"}, {"method", "POST"}, {"target", target}, {"body", what}});
    ASSERT_TRUE(reply.at("ok").get<bool>()) << reply.dump();
  };
  admin("/api/storage/volumes", body);
  if (!has_namespace) return;
  nlohmann::json ns{{"svm", {{"name", "svm1"}}},
                    {"name", "/vol/" + flexvol + "/" + flexvol},
                    {"os_type", "linux"},
                    {"space", {{"size", 4194304}}}};
  if (!comment.empty()) ns["comment"] = comment;
  admin("/api/storage/namespaces", ns);
}

void TestArray::Remove(const std::string& flexvol) {
  const std::string uuid = FindVolume(flexvol)->uuid;
  for (const auto* ns : world().NamespacesOf(uuid)) world().RemoveNamespace(std::string(ns->uuid));
  world().volumes.Erase(uuid);
}

std::string Picture(TestArray& array) {
  auto& world = array.world();
  std::vector<std::string> lines;
  for (const auto& volume : world.volumes) {
    lines.push_back("volume " + volume.uuid + " " + volume.name + " " + volume.comment);
  }
  for (const auto& ns : world.namespaces) {
    // Deleted volumes keep theirs in the recovery queue.
    if (world.volumes.Find(ns.volume_uuid) == nullptr) continue;
    lines.push_back("namespace " + ns.uuid + " in " + ns.volume_uuid + " mapped to " +
                    ns.subsystem_uuid);
  }
  for (const auto& snapshot : world.snapshots) {
    lines.push_back("snapshot " + snapshot.uuid + " " + snapshot.name);
  }
  for (const auto& group : world.groups) {
    auto members = array.MembersOf(group.name);
    std::sort(members.begin(), members.end());
    std::string line = "group " + group.name;
    for (const auto& member : members) line += " " + member;
    lines.push_back(line);
  }
  std::sort(lines.begin(), lines.end());
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return text;
}

Result<http::Response> TamperedTransport::Perform(const http::Request& request,
                                                  const Deadline& deadline) {
  auto answer = inner_->Perform(request, deadline);
  if (answer.ok() && tamper) tamper(request, *answer);
  return answer;
}

std::vector<Result<http::Response>> TamperedTransport::PerformAll(
    const std::vector<http::Request>& requests, const Deadline& deadline) {
  auto answers = inner_->PerformAll(requests, deadline);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (answers[i].ok() && tamper) tamper(requests[i], *answers[i]);
  }
  return answers;
}

Rig::Rig(TestArray& array, RigOptions options) : array_(&array), options_(std::move(options)) {
  directory_ = testing::TempDir() + "/ontapnvme-flexvol-XXXXXX";
  if (mkdtemp(directory_.data()) == nullptr) ADD_FAILURE() << "cannot make " << directory_;
  Restart();
  const auto target = backend_->RefreshTarget(options_.host_nqn, Budget());
  EXPECT_TRUE(target.ok()) << target.error().Line();
  TakeLog();
}

Rig::~Rig() {
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

void Rig::Restart() {
  Settings settings{{"mgmt_ip", "192.0.2.1"}, {"username", "admin"},  {"vserver", "svm1"},
                    {"subsystem", "pve"},     {"aggregate", "aggr1"}, {"storage_prefix", "t_"}};
  for (const auto& [key, value] : options_.settings) settings[key] = value;
  auto config = StorageConfig::Parse(options_.storage_id, settings);
  ASSERT_TRUE(config.ok()) << config.error().Line();
  Surroundings surroundings;
  surroundings.cluster_id = options_.cluster_id;
  surroundings.state_directory = directory_ + "/run";
  surroundings.link_directory = directory_ + "/dev";
  surroundings.resolver = options_.resolver;
  surroundings.disk_memory_file = directory_ + "/disks";
  node_ = std::make_unique<node::NodeState>(surroundings, *config);
  transport_ =
      std::make_unique<sim::SimTransport>(&array_->sim.array(), "admin", std::string("secret"));
  tampered_ = std::make_unique<TamperedTransport>(*transport_);
  Secrets secrets;
  secrets.password = Secret("secret");
  backend_ = std::make_unique<Backend>(
      std::move(*config), std::move(secrets), options_.cluster_id, log_, *tampered_,
      [] { return 0.5; }, *node_);
}

void Rig::ChangeRecords(const std::string& path,
                        std::function<void(nlohmann::json& record)> change) {
  tampered_->tamper = [path, change = std::move(change)](const http::Request& request,
                                                         http::Response& response) {
    if (request.method != http::Method::kGet || !request.target.starts_with(path)) return;
    auto answer = nlohmann::json::parse(response.body);
    for (auto& record : answer.at("records")) change(record);
    response.body = answer.dump();
  };
}

VolumeName Rig::Name(const std::string& text) {
  auto name = VolumeName::Parse(text);
  EXPECT_TRUE(name.ok()) << text;
  return name.ok() ? std::move(*name) : VolumeName();
}

SnapshotName Rig::Snap(const std::string& text) {
  return *SnapshotName::Parse(text);
}

Neighbours Rig::NeighboursOf(const VolumeName& name) {
  auto listed = disks().ListNeighbours({name.vmid}, std::nullopt, Budget());
  EXPECT_TRUE(listed.ok()) << listed.error().Line();
  return listed.ok() ? std::move(*listed) : Neighbours();
}

Disk Rig::Make(const std::string& name, ByteCount size) {
  auto made = disks().Make(Name(name), size, NeighboursOf(Name(name)), Budget());
  EXPECT_TRUE(made.ok()) << made.error().Line();
  return made.ok() ? std::move(*made) : Disk();
}

Disk Rig::MustFind(const std::string& name) {
  auto found = disks().Find(Name(name), Budget());
  EXPECT_TRUE(found.is_present()) << name;
  return found.is_present() ? std::move(*found) : Disk();
}

std::string Rig::TakeLog() {
  std::string lines;
  for (const auto& record : log_.Take()) {
    const bool is_detail = record.level == LogLevel::kTrace || record.level == LogLevel::kDebug;
    if (!is_detail) lines += record.text + "\n";
  }
  return lines;
}

std::string MarkOf(const std::string& cluster_id, const std::string& storage_id,
                   std::uint64_t vmid) {
  return Marker(cluster_id, storage_id).New(vmid, "0011223344556677").ShortText();
}

}  // namespace ontapnvme::catalogue::flexvol
