// SPDX-License-Identifier: AGPL-3.0-or-later
// An array with FlexVols and consistency groups behind the ports of catalogue/: everything that knows
// of them is put together here and nowhere else.
#pragma once

#include <string>

#include "base/log.h"
#include "catalogue/array.h"
#include "catalogue/flexvol/disk_lookup.h"
#include "catalogue/flexvol/disks.h"
#include "catalogue/flexvol/left_overs.h"
#include "catalogue/flexvol/qualify/scratch_removal.h"
#include "catalogue/flexvol/session.h"
#include "catalogue/flexvol/snapshots.h"
#include "http/retry.h"
#include "http/transport.h"
#include "node/node_state.h"
#include "ontap/rest_client.h"
#include "ontap/svm.h"

namespace ontapnvme::catalogue::flexvol {

class Backend : public Array {
 public:
  // `log`, `transport` and `node` are borrowed. An empty `cluster_id` owns nothing that is marked.
  Backend(StorageConfig config, Secrets secrets, std::string cluster_id, Log& log,
          http::Transport& transport, http::Jitter jitter, const node::NodeState& node);
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;

  DiskStore& disks() override { return disks_; }
  SnapshotStore& snapshots() override { return snapshots_; }

  Status Verify(const std::string& host_nqn, const Deadline& deadline) override;
  CheckResults Examine(const std::string& host_nqn, const Deadline& deadline) override;
  // With a cluster account that of the aggregate, by one request.
  Result<CapacityInfo> Capacity(const Deadline& deadline) override;
  Result<std::string> Identity(const Deadline& deadline) override;
  Status RequireSameDisks(const Deadline& deadline) override;
  Status ApplyChanges(const StorageConfig& before, const Deadline& deadline) override;

  Result<FabricTarget> Target(const std::string& host_nqn, const Deadline& deadline) override;
  Result<FabricTarget> RefreshTarget(const std::string& host_nqn,
                                     const Deadline& deadline) override;
  std::optional<FabricTarget> RememberedTarget() override;
  Status RegisterAnew(const FabricTarget& target, const Deadline& deadline) override;
  Result<std::vector<HostConnection>> Connections(const Deadline& deadline) override;
  void Forget() override { facts_.Forget(); }

  std::vector<ProbeInfo> Probes() override;
  Result<ProbeFinding> RunProbe(const std::string& probe, const Deadline& deadline) override;

  Result<Survey> Look(std::chrono::system_clock::time_point oldest,
                      const Deadline& deadline) override {
    return left_overs_.Look(oldest, deadline);
  }
  Status Settle(const LeftOver& left_over, const Deadline& deadline) override {
    return left_overs_.Settle(left_over, deadline);
  }

 private:
  // Whether the account was just refused the aggregate.
  Result<CapacityInfo> CapacityOfSvm(const Deadline& deadline);
  bool IsAggregateHidden(Clock& clock) const;

  const StorageConfig config_;
  const Secrets secrets_;
  ontap::RestClient rest_;
  ontap::Svms svms_;
  FactSource facts_;
  Gate gate_;
  VmGroups groups_;
  ScratchRemoval scratch_;
  const Session session_;
  Disks disks_;
  Snapshots snapshots_;
  LeftOvers left_overs_;
  std::optional<TimePoint> aggregate_hidden_at_;
};

}  // namespace ontapnvme::catalogue::flexvol
