// SPDX-License-Identifier: AGPL-3.0-or-later
// Takes scratch objects of probes away: those of a run that is over, and what runs left that were
// killed. Whatever does not prove to be scratch by name and mark stays. What has the lowest number
// goes last, so that whatever is left of a run can be found by a listing of volumes.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "catalogue/flexvol/qualify/scratch_name.h"
#include "model/mark.h"
#include "model/storage_config.h"
#include "ontap/consistency_group.h"
#include "ontap/flexvol.h"
#include "ontap/nvme_namespace.h"
#include "ontap/nvme_subsystem.h"
#include "ontap/recovery_queue.h"

namespace ontapnvme::catalogue::flexvol {

class ScratchRemoval {
 public:
  // `rest` is borrowed.
  ScratchRemoval(ontap::RestClient& rest, const StorageConfig& config, Marker marker)
      : prefix_(config.prefix),
        marker_(std::move(marker)),
        volumes_(rest, config.svm),
        namespaces_(rest, config.svm),
        subsystems_(rest, config.svm),
        groups_(rest, config.svm),
        queue_(rest, config.svm) {}

  // What is left of any run. One request where there is nothing.
  Status RemoveAll(const Deadline& deadline);
  // What is left of that run. `expected`: volumes that are known to be there, so that a listing
  // without them is not believed at once. Idempotent; success when nothing is left.
  Status RemoveRun(const std::string& run, const std::set<std::string>& expected,
                   const Deadline& deadline);

 private:
  Result<std::vector<ontap::FlexVol>> ListVolumes(const std::string& pattern,
                                                  const Deadline& deadline);
  Status Unmap(const ScratchName& run, const Deadline& deadline);
  Status RemoveGroups(const ScratchName& run, const Deadline& deadline);
  Status RemoveVolume(const ontap::FlexVol& volume, const Deadline& deadline);
  Status RemoveSubsystem(const ScratchName& run, const Deadline& deadline);
  void PurgeQueued(const ScratchName& run, const Deadline& deadline);

  std::string prefix_;
  Marker marker_;
  ontap::FlexVols volumes_;
  ontap::NvmeNamespaces namespaces_;
  ontap::NvmeSubsystems subsystems_;
  ontap::ConsistencyGroups groups_;
  ontap::RecoveryQueue queue_;
};

}  // namespace ontapnvme::catalogue::flexvol
