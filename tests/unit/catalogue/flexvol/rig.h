// SPDX-License-Identifier: AGPL-3.0-or-later
// A back end over the simulated array, in this process: no socket, no sleeping.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "catalogue/flexvol/backend.h"
#include "fakes/fake_clock.h"
#include "node/node_state.h"
#include "sim/memory_array.h"
#include "sim/sim_transport.h"

namespace ontapnvme::catalogue::flexvol {

// An array that several back ends can share.
class TestArray {
 public:
  TestArray() : sim([this] { return clock.WallTime(); }) {}

  fakes::FakeClock clock;
  sim::MemoryArray sim;

  Deadline Budget() { return Deadline(clock, std::chrono::seconds(45)); }
  sim::World& world() { return sim.world(); }
  void Set(const std::string& name, const nlohmann::json& value);
  void AddFault(nlohmann::json rule);
  // All requests from the nth on meet no array.
  void DropFrom(int nth) { AddFault({{"drop_before", true}, {"nth", nth}, {"times", -1}}); }
  bool FaultFired();
  void ClearFaults() { sim.Ctl({{"cmd", "fault-clear"}}); }
  void ClearLog() { sim.Ctl({{"cmd", "log-clear"}}); }
  int Count();                          // requests since the last ClearLog
  std::vector<std::string> Requests();  // "METHOD /path" of each
  std::vector<std::string> Orphans();

  sim::Volume* FindVolume(const std::string& flexvol);
  sim::NvmeNamespace* NamespaceIn(const std::string& flexvol);
  std::vector<std::string> VolumeNames();
  std::vector<std::string> SnapshotsOf(const std::string& flexvol);
  // Members of the group of that name; nothing when there is none.
  std::vector<std::string> MembersOf(const std::string& group);
  // A FlexVol that nobody here made, with a namespace in it unless it is to be empty.
  void MakeStray(const std::string& flexvol, const std::string& comment, bool has_namespace = true);
  // For good.
  void Remove(const std::string& flexvol);
};

// What the world holds, without what changes with each request: equal before and after means that
// nothing was left behind.
std::string Picture(TestArray& array);

// Answers may be changed on their way.
class TamperedTransport : public http::Transport {
 public:
  explicit TamperedTransport(http::Transport& inner) : inner_(&inner) {}

  std::function<void(const http::Request&, http::Response&)> tamper;

  Result<http::Response> Perform(const http::Request& request, const Deadline& deadline) override;
  std::vector<Result<http::Response>> PerformAll(const std::vector<http::Request>& requests,
                                                 const Deadline& deadline) override;

 private:
  http::Transport* inner_;
};

struct RigOptions {
  std::string storage_id = "tank";
  std::string cluster_id = "11111111-2222-3333-4444-555555555555";
  std::string host_nqn = "nqn.2014-08.org.nvmexpress:uuid:node1";
  std::map<std::string, std::string> settings = {};  // over the defaults
  std::string resolver = "/bin/false";               // no name is known
};

class Rig {
 public:
  explicit Rig(TestArray& array, RigOptions options = {});
  ~Rig();

  // The process starts anew; what the node remembers stays.
  void Restart();

  Backend& backend() { return *backend_; }
  DiskStore& disks() { return backend_->disks(); }
  SnapshotStore& snapshots() { return backend_->snapshots(); }
  const node::NodeState& node() { return *node_; }
  TamperedTransport& transport() { return *tampered_; }
  // In all answers to listings whose path begins so.
  void ChangeRecords(const std::string& path, std::function<void(nlohmann::json& record)> change);
  Deadline Budget() { return array_->Budget(); }

  static VolumeName Name(const std::string& text);
  static SnapshotName Snap(const std::string& text);
  // These fail the test where they fail.
  Neighbours NeighboursOf(const VolumeName& name);
  Disk Make(const std::string& name, ByteCount size = MiB(4));
  Disk MustFind(const std::string& name);

  // Warnings and infos so far, one a line.
  std::string TakeLog();

 private:
  TestArray* array_;
  RigOptions options_;
  std::string directory_;
  Log log_;
  std::unique_ptr<sim::SimTransport> transport_;
  std::unique_ptr<TamperedTransport> tampered_;
  std::unique_ptr<node::NodeState> node_;
  std::unique_ptr<Backend> backend_;
};

inline constexpr const char* kOtherCluster = "99999999-2222-3333-4444-555555555555";

// A mark as that cluster's storage of that name writes it.
std::string MarkOf(const std::string& cluster_id, const std::string& storage_id,
                   std::uint64_t vmid = 100);

}  // namespace ontapnvme::catalogue::flexvol
