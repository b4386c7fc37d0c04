// SPDX-License-Identifier: AGPL-3.0-or-later
// One storage on one simulated array and one simulated node, in this process: no socket, no
// sleeping.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "fakes/fake_clock.h"
#include "fakes/fake_host.h"
#include "fault/schedule.h"
#include "pve/storage.h"
#include "pve/storage_parts.h"
#include "sim/memory_array.h"

namespace ontapnvme::fault {

// An array that several storages, nodes and clusters can share.
struct TestArray {
  TestArray();
  std::shared_ptr<fakes::FakeClock> clock = std::make_shared<fakes::FakeClock>();
  sim::MemoryArray sim;

  int Count();  // requests since the last ClearLog
  void ClearLog() { sim.Ctl({{"cmd", "log-clear"}}); }
  std::vector<std::string> Requests();  // "METHOD /path" of each
  std::vector<std::string> Orphans();
  void Set(const std::string& name, const nlohmann::json& value);
  // As hard on its clients as it may be, in everything that is not known for certain of arrays.
  void BeHard();
  void AddFault(nlohmann::json rule);
  void ClearFaults() { sim.Ctl({{"cmd", "fault-clear"}}); }
  bool FaultFired();
};

// Of a storage that says nothing else.
Settings DefaultSettings();

struct RigOptions {
  std::string storage_id = "tank";
  std::string cluster_id = "11111111-2222-3333-4444-555555555555";
  std::string node = "node1";
  Settings settings = {};  // over the defaults
  std::string disk_memory_file = {};
  std::string hosts_directory = {};  // where nodes of a cluster tell their NQNs
  std::string directory = {};        // of another rig: another process on the same node
  Schedule* schedule = nullptr;      // borrowed; each request and nap is a turn of it
  std::string dhchap_secret = {};
  std::string tls_psk = {};
  bool has_device_files = false;  // devices are files that can be opened, empty at first
};

class StorageRig {
 public:
  explicit StorageRig(TestArray& array, RigOptions options = {});
  ~StorageRig();

  pve::Storage& storage() { return *storage_; }
  fakes::FakeHost& host() { return *host_; }
  unsigned live_paths = 2;                 // of every device
  std::function<void()> on_usage = [] {};  // before the host says who has a device
  // A new process on the same node: memory of the process is gone, that of the node stays.
  void Restart();
  // Memory, /run, links, devices and their users are gone; what Proxmox's cluster keeps stays.
  void Reboot();

  // Allocates and dies of a failed expectation.
  std::string MustAllocate(std::uint64_t vmid, const std::string& name = "",
                           std::uint64_t size_kib = 1024);
  // The bytes at the start of the volume's namespace on the array.
  std::string Content(const std::string& volume_name);
  std::string ContentOf(const std::string& namespace_uuid);
  void Write(const std::string& volume_name, const std::string& bytes);
  const std::string& directory() const { return directory_; }
  // What Proxmox's cluster says of its nodes on this one; see fakes/members_file.h.
  std::string members_file() const { return directory_ + "/members"; }
  std::string link(const std::string& leaf) const {
    return directory_ + "/dev/" + options_.storage_id + "/" + leaf;
  }

  // What the array has of the volume; null: nothing.
  std::string FlexVolOf(const std::string& volume_name) const;
  sim::NvmeNamespace* Namespace(const std::string& volume_name);
  std::set<std::string> SnapshotsOnArray(const std::string& volume_name);

 private:
  TestArray* array_;
  RigOptions options_;
  std::string directory_;
  std::unique_ptr<Clock> clock_;
  fakes::FakeHost* host_ = nullptr;
  std::unique_ptr<pve::Storage> storage_;
};

}  // namespace ontapnvme::fault
