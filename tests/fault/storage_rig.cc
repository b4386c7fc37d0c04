// SPDX-License-Identifier: AGPL-3.0-or-later
#include "fault/storage_rig.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "catalogue/flexvol/names/array_names.h"
#include "model/volume_name.h"
#include "sim/sim_transport.h"
#include "sim/switches.h"

namespace ontapnvme::fault {
namespace {

constexpr std::size_t kContentBytes = 16;

// A file as large as the namespace in place of a block device.
std::string DeviceFile(const std::string& directory, const sim::NvmeNamespace& ns) {
  const std::filesystem::path path = directory + "/devices/" + ns.uuid;
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::app);
  std::filesystem::resize_file(path, ns.size_bytes);
  return path;
}

std::string MakeDirectory() {
  std::string pattern = testing::TempDir() + "/ontapnvme-rig-XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) ADD_FAILURE() << "cannot make " << pattern;
  return pattern;
}

}  // namespace

Settings DefaultSettings() {
  return {{"mgmt_ip", "192.0.2.1"}, {"username", "admin"},  {"vserver", "svm1"},
          {"subsystem", "pve"},     {"aggregate", "aggr1"}, {"storage_prefix", "t_"}};
}

TestArray::TestArray() : sim([shared = clock] { return shared->WallTime(); }) {}

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

void TestArray::Set(const std::string& name, const nlohmann::json& value) {
  const auto reply = sim.Ctl({{"cmd", "set"}, {name, value}});
  ASSERT_TRUE(reply.at("ok").get<bool>()) << reply.dump();
}

void TestArray::BeHard() {
  for (const auto& row : sim::SwitchRows()) Set(row.name, row.positions.back());
}

void TestArray::AddFault(nlohmann::json rule) {
  rule["cmd"] = "fault-add";
  const auto reply = sim.Ctl(rule);
  ASSERT_TRUE(reply.at("ok").get<bool>()) << reply.dump();
}

bool TestArray::FaultFired() {
  for (const auto& rule : sim.array().faults().ToJson()) {
    if (rule.at("fired").get<int>() > 0) return true;
  }
  return false;
}

StorageRig::StorageRig(TestArray& array, RigOptions options)
    : array_(&array),
      options_(std::move(options)),
      directory_(options_.directory.empty() ? MakeDirectory() : options_.directory) {
  Restart();
}

StorageRig::~StorageRig() {
  storage_.reset();
  if (!options_.directory.empty()) return;
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

void StorageRig::Restart() {
  std::vector<nvme::Controller> kept;
  std::map<Uuid, nvme::DeviceUsage> usage;
  if (host_ != nullptr) {
    kept = host_->controllers;
    usage = host_->usage;
  }
  // Every mapped namespace of the array is a device of the node, as on a healthy fabric.
  const auto fabric = [this, array = array_] {
    std::vector<nvme::Device> devices;
    if (host_->controllers.empty()) return devices;
    auto& world = array->sim.world();
    for (const auto& ns : world.namespaces) {
      const auto* subsystem = world.subsystems.Find(ns.subsystem_uuid);
      if (subsystem == nullptr) continue;
      nvme::Device device;
      device.name = "nvme0n" + std::to_string(ns.nsid + 7);  // the instance is not the NSID
      device.path = options_.has_device_files ? DeviceFile(directory_, ns) : "/dev/" + device.name;
      device.stable_path =
          options_.has_device_files ? device.path : "/dev/by-id/nvme-uuid." + ns.uuid;
      device.uuid = *Uuid::Parse(ns.uuid);
      device.subsystem_nqn = subsystem->target_nqn;
      device.size = ByteCount{ns.size_bytes};
      device.live_paths = live_paths;
      devices.push_back(device);
    }
    return devices;
  };
  auto host = std::make_unique<fakes::FakeHost>(fabric);
  host->controllers = std::move(kept);
  host->usage = std::move(usage);
  host->identity.host_nqn = "nqn.2014-08.org.nvmexpress:uuid:" + options_.node;
  host->on_usage = [this] { on_usage(); };
  host_ = host.get();

  Settings settings = DefaultSettings();
  for (const auto& [key, value] : options_.settings) settings[key] = value;
  auto config = StorageConfig::Parse(options_.storage_id, settings);
  ASSERT_TRUE(config.ok()) << config.error().Line();
  Secrets secrets;
  secrets.password = Secret("secret");
  secrets.dhchap_host_secret = Secret(options_.dhchap_secret);
  secrets.tls_psk = Secret(options_.tls_psk);
  Surroundings surroundings;
  surroundings.cluster_id = options_.cluster_id;
  surroundings.state_directory = directory_ + "/run";
  surroundings.link_directory = directory_ + "/dev";
  surroundings.disk_memory_file = options_.disk_memory_file;
  surroundings.members_file = members_file();
  surroundings.hosts_directory = options_.hosts_directory;
  pve::StorageParts parts;
  parts.transport = std::make_unique<sim::SimTransport>(&array_->sim.array(), config->username,
                                                        std::string("secret"));
  parts.host = std::move(host);
  parts.jitter = [] { return 0.5; };
  parts.clock = array_->clock.get();
  if (options_.schedule != nullptr) {
    parts.transport =
        std::make_unique<ScheduledTransport>(std::move(parts.transport), options_.schedule);
    if (!clock_) clock_ = std::make_unique<ScheduledClock>(array_->clock.get(), options_.schedule);
    parts.clock = clock_.get();
  }
  storage_ = pve::Storage::Assemble(std::move(*config), std::move(secrets), surroundings,
                                    std::move(parts));
}

void StorageRig::Reboot() {
  host_->controllers.clear();
  host_->usage.clear();
  std::filesystem::remove_all(directory_ + "/run");
  std::filesystem::remove_all(directory_ + "/dev");
  Restart();
}

std::string StorageRig::MustAllocate(std::uint64_t vmid, const std::string& name,
                                     std::uint64_t size_kib) {
  const auto allocated = storage_->Allocate(vmid, name, size_kib);
  EXPECT_TRUE(allocated.ok()) << allocated.error().Line();
  return allocated.ok() ? *allocated : "";
}

std::string StorageRig::FlexVolOf(const std::string& volume_name) const {
  const auto name = VolumeName::Parse(volume_name);
  const auto prefix = options_.settings.find("storage_prefix");
  const catalogue::flexvol::ArrayNames names(prefix == options_.settings.end() ? "t_"
                                                                               : prefix->second);
  return *names.FlexVol(*name);
}

sim::NvmeNamespace* StorageRig::Namespace(const std::string& volume_name) {
  const auto flexvol = FlexVolOf(volume_name);
  for (auto& ns : array_->sim.world().namespaces) {
    const auto* volume = array_->sim.world().volumes.Find(ns.volume_uuid);
    if (volume != nullptr && volume->name == flexvol) return &ns;
  }
  return nullptr;
}

std::set<std::string> StorageRig::SnapshotsOnArray(const std::string& volume_name) {
  std::set<std::string> names;
  const auto* ns = Namespace(volume_name);
  if (ns == nullptr) return names;
  for (const auto* one : array_->sim.world().SnapshotsOf(ns->volume_uuid)) names.insert(one->name);
  return names;
}

std::string StorageRig::Content(const std::string& volume_name) {
  const auto* ns = Namespace(volume_name);
  return ns == nullptr ? "(no namespace)" : ContentOf(ns->uuid);
}

std::string StorageRig::ContentOf(const std::string& namespace_uuid) {
  const std::string bytes = array_->sim.store().Read(namespace_uuid, 0, kContentBytes);
  return bytes.substr(0, bytes.find('\0'));
}

void StorageRig::Write(const std::string& volume_name, const std::string& bytes) {
  const auto* ns = Namespace(volume_name);
  ASSERT_NE(ns, nullptr) << volume_name;
  array_->sim.store().Write(ns->uuid, 0, bytes + std::string(kContentBytes - bytes.size(), '\0'));
}

}  // namespace ontapnvme::fault
