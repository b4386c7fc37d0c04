// SPDX-License-Identifier: AGPL-3.0-or-later
// The scratch objects of one probe: made here and nowhere else, small and thin, never shown to a host.
// Whatever is made is taken away by RemoveAll, or, when the process is killed, by the next run or
// recovery (scratch_removal.h).
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/look_again.h"
#include "base/result.h"
#include "catalogue/flexvol/qualify/scratch_name.h"
#include "catalogue/flexvol/qualify/scratch_removal.h"
#include "model/mark.h"
#include "model/storage_config.h"
#include "ontap/consistency_group.h"
#include "ontap/flexvol.h"
#include "ontap/nvme_namespace.h"
#include "ontap/nvme_subsystem.h"
#include "ontap/recovery_queue.h"
#include "ontap/rest_client.h"
#include "ontap/snapshot.h"
#include "ontap/svm.h"

namespace ontapnvme::catalogue::flexvol {

// Three of them stay below 200 MiB. Room for two namespaces: an array may count a thin one in full.
inline constexpr ByteCount kScratchVolumeSize = MiB(60);
// Some arrays are said to make none below 20 MiB.
inline constexpr ByteCount kScratchNamespaceSize = MiB(24);

class Scratch {
 public:
  // All are borrowed, and outlive it.
  Scratch(ontap::RestClient& rest, const StorageConfig& config, const Marker& marker,
          const Deadline& deadline);

  struct Volume {
    Uuid uuid;
    std::string name;
  };
  // The first one is there until everything else is gone.
  Result<Volume> MakeVolume();
  // What MakeVolume would send.
  ontap::FlexVolSpec NextVolume();
  // The one in the volume; a path's last part of its own for a second one.
  Result<ontap::NvmeNamespace> MakeNamespace(const Volume& volume,
                                             ByteCount size = kScratchNamespaceSize);
  // The namespace in a new volume, mapped to a subsystem without hosts.
  struct MappedDisk {
    Volume volume;
    ontap::NvmeNamespace ns;
    Uuid subsystem;
  };
  Result<MappedDisk> MakeMappedDisk();
  Status Snapshot(const Volume& volume, const std::string& name);
  Status SnapshotGroup(const Uuid& group, const std::string& name);
  // By its name, once it is listed.
  Result<ontap::Snapshot> FindSnapshot(const Volume& volume, const std::string& name);
  Result<Volume> MakeClone(const Volume& parent, const std::string& snapshot);
  Result<ontap::ConsistencyGroup> MakeGroup(const std::vector<Volume>& members);
  Result<std::optional<ontap::ConsistencyGroup>> FindGroup(const std::string& name);
  // Whether it is there at all is not known after this: it is no longer waited for.
  void ExpectGone(const Volume& volume) { expected_.erase(volume.name); }

  const ScratchName& run() const { return run_; }
  std::string GroupName() const { return run_.GroupName(config_->prefix); }
  const StorageConfig& config() const { return *config_; }
  const Deadline& deadline() const { return deadline_; }
  ontap::RestClient& rest() { return *rest_; }

  ontap::FlexVols volumes;
  ontap::NvmeNamespaces namespaces;
  ontap::NvmeSubsystems subsystems;
  ontap::Snapshots snapshots;
  ontap::ConsistencyGroups groups;
  ontap::RecoveryQueue queue;
  ontap::Svms svms;

  // Also after the budget is used up, or the task was stopped.
  Status RemoveAll();

 private:
  // A lost answer, or a job that the account may not read, is settled by name and mark.
  Result<Volume> Settle(const std::string& name, const Result<Uuid>& made);

  ontap::RestClient* rest_;
  const StorageConfig* config_;
  Deadline deadline_;
  ScratchName run_;
  std::string comment_;
  ScratchRemoval removal_;
  std::set<std::string> expected_;
  bool has_made_ = false;
};

}  // namespace ontapnvme::catalogue::flexvol
