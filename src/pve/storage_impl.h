// SPDX-License-Identifier: AGPL-3.0-or-later
// The façade's implementation over given parts. Storage::Create gives it the real ones, tests give
// theirs.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pve/alert_transport.h"
#include "pve/attachment.h"
#include "pve/capacity.h"
#include "pve/context.h"
#include "pve/disk_making.h"
#include "pve/disks.h"
#include "pve/node_checks.h"
#include "pve/node_turns.h"
#include "pve/recovery.h"
#include "pve/renaming.h"
#include "pve/rollback.h"
#include "pve/snapshot_devices.h"
#include "pve/storage.h"
#include "pve/vm_snapshots.h"

namespace ontapnvme::pve {

struct StorageParts {
  std::unique_ptr<http::Transport> transport;
  std::unique_ptr<nvme::Host> host;
  http::Jitter jitter;
  Clock* clock = nullptr;          // borrowed
  Interrupt* interrupt = nullptr;  // borrowed, may be null
};

class StorageImpl : public Storage {
 public:
  StorageImpl(StorageConfig config, Secrets secrets, const Surroundings& surroundings,
              StorageParts parts);

  Status Verify() override;
  bool CheckConnection() override;
  Status Activate() override;
  Result<CapacityInfo> Capacity() override;
  Status RequireEmpty() override;
  Result<std::string> Identity() override;
  Status ApplyChanges(const Settings& before) override;
  Result<std::vector<std::string>> Pending() override;
  Status Forget() override;
  Result<std::vector<DiskInfo>> List(std::optional<std::uint64_t> vmid) override;
  Result<DiskInfo> Info(const std::string& volume_name) override;
  Result<std::string> Allocate(std::uint64_t vmid, const std::string& name,
                               std::uint64_t size_kib) override;
  Status Free(const std::string& volume_name) override;
  Result<std::string> ActivateVolume(const std::string& volume_name) override;
  Status DeactivateVolume(const std::string& volume_name) override;
  Status Resize(const std::string& volume_name, std::uint64_t size_bytes) override;
  Result<std::string> CreateBase(const std::string& volume_name) override;
  Result<std::string> Clone(const std::string& volume_name, const std::string& snapshot,
                            std::uint64_t vmid) override;
  Result<std::string> Rename(const std::string& volume_name, std::uint64_t vmid,
                             const std::string& new_name) override;
  Status SetNotes(const std::string& volume_name, const std::string& notes) override;
  Status SetProtected(const std::string& volume_name, bool is_protected) override;
  Status Export(const std::string& volume_name, const std::string& snapshot, int fd) override;
  Result<std::uint64_t> ReadImportSize(int fd) override;
  Status Import(const std::string& volume_name, std::uint64_t size_bytes, int fd) override;
  Status CreateSnapshot(const std::string& volume_name, const std::string& snapshot) override;
  Status DeleteSnapshot(const std::string& volume_name, const std::string& snapshot) override;
  Result<std::vector<std::string>> RollbackBlockers(const std::string& volume_name,
                                                    const std::string& snapshot) override;
  Status Rollback(const std::string& volume_name, const std::string& snapshot) override;
  Result<std::vector<SnapshotInfo>> ListSnapshots(const std::string& volume_name) override;
  Result<std::string> ActivateSnapshot(const std::string& volume_name,
                                       const std::string& snapshot) override;
  Status DeactivateSnapshot(const std::string& volume_name, const std::string& snapshot) override;
  std::vector<LogRecord> TakeLog() override { return context_.log.Take(); }

 private:
  // Starts a call: the release of the array, if it is known, gates what is asked of it, and a
  // silence that is known shortens the wait for its first answer.
  Deadline Budget(Duration budget);
  // The same for what holds Proxmox's storage lock and changes the array: what an earlier operation
  // left half-made is settled first, if it is time for that.
  Deadline LockedBudget();

  StorageParts parts_;
  AlertTransport transport_;
  Context context_;
  NodeTurns turns_;
  FactSource facts_;
  Paths paths_;
  Attachment attachment_;
  NodeChecks checks_;
  CapacitySource capacity_;
  SnapshotDevices devices_;
  Disks disks_;
  DiskMaking making_;
  Renaming renaming_;
  Recovery recovery_;
  VmSnapshots snapshots_;
  Rollbacks rollbacks_;
};

}  // namespace ontapnvme::pve
