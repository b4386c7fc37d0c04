// SPDX-License-Identifier: AGPL-3.0-or-later
// A second back end of the catalogue, for tests: an array without FlexVols and groups, as another
// vendor's might be. What works on it needs nothing of what only one kind of array has.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "catalogue/array.h"
#include "fakes/plain_disks.h"
#include "fakes/plain_snapshots.h"
#include "fakes/plain_world.h"

namespace ontapnvme::fakes {

class PlainArray : public catalogue::Array {
 public:
  PlainWorld world;

  catalogue::DiskStore& disks() override { return disks_; }
  catalogue::SnapshotStore& snapshots() override { return snapshots_; }
  Status Verify(const std::string& host_nqn, const Deadline& deadline) override;
  CheckResults Examine(const std::string& host_nqn, const Deadline& deadline) override;
  Result<CapacityInfo> Capacity(const Deadline& deadline) override;
  Result<std::string> Identity(const Deadline& deadline) override;
  Status RequireSameDisks(const Deadline& deadline) override;
  Status ApplyChanges(const StorageConfig& before, const Deadline& deadline) override;
  Result<catalogue::FabricTarget> Target(const std::string& host_nqn,
                                         const Deadline& deadline) override;
  Result<catalogue::FabricTarget> RefreshTarget(const std::string& host_nqn,
                                                const Deadline& deadline) override;
  std::optional<catalogue::FabricTarget> RememberedTarget() override { return remembered_; }
  Status RegisterAnew(const catalogue::FabricTarget& target, const Deadline& deadline) override;
  Result<std::vector<catalogue::HostConnection>> Connections(const Deadline& deadline) override;
  void Forget() override;
  // It behaves as it does.
  std::vector<ProbeInfo> Probes() override { return {}; }
  Result<ProbeFinding> RunProbe(const std::string& probe, const Deadline& deadline) override;
  Result<catalogue::Survey> Look(std::chrono::system_clock::time_point oldest,
                                 const Deadline& deadline) override;
  Status Settle(const catalogue::LeftOver& left_over, const Deadline& deadline) override;

 private:
  Result<catalogue::FabricTarget> Registered(const std::string& host_nqn);

  PlainDisks disks_{world};
  PlainSnapshots snapshots_{world};
  std::optional<catalogue::FabricTarget> remembered_;
};

}  // namespace ontapnvme::fakes
