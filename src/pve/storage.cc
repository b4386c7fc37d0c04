// SPDX-License-Identifier: AGPL-3.0-or-later
// The composition root: the only place that knows which back end is behind the catalogue.
#include "pve/storage.h"

#include "catalogue/alert_transport.h"
#include "catalogue/flexvol/backend.h"
#include "pve/operations.h"
#include "pve/storage_parts.h"

namespace ontapnvme::pve {
namespace {

// Below the 60 s that Proxmox gives to the holder of a storage lock, and with room for undoing.
constexpr Duration kChangeBudget{45'000};
// Proxmox takes snapshots while the guest's file systems are frozen, or its processors stopped. Windows
// lets writers be held for 10 s (Microsoft, IVssBackupComponents::DoSnapshotSet), and clusters in guests
// take a longer silence for a failure. The array itself gives a group's snapshot 7 s (netapp-ontap's documentation);
// the eighth is for reading back.
constexpr Duration kFreezeBudget{8'000};
// An array that needs longer for it is asked again by the snapshot, or fails it.
constexpr Duration kPrepareBudget{5'000};
constexpr Duration kListBudget{10'000};
constexpr Duration kStatusBudget{5'000};
constexpr Duration kActivateStorageBudget{20'000};
// pvestatd asks before each poll, one storage after the other.
constexpr Duration kCheckBudget{2'000};

// Empty: none.
Result<std::optional<SnapshotName>> ParseOptional(const std::string& snapshot) {
  if (snapshot.empty()) return std::optional<SnapshotName>();
  TRY(auto parsed, SnapshotName::Parse(snapshot));
  return std::optional<SnapshotName>(std::move(parsed));
}

Result<std::vector<VolumeName>> ParseAll(const std::vector<std::string>& volume_names) {
  std::vector<VolumeName> names;
  for (const auto& volume_name : volume_names) {
    TRY(auto name, VolumeName::Parse(volume_name));
    names.push_back(std::move(name));
  }
  return names;
}

}  // namespace

class Storage::Impl {
 public:
  Impl(StorageConfig storage_config, Secrets storage_secrets, const Surroundings& surroundings,
       StorageParts storage_parts)
      : config(std::move(storage_config)),
        secrets(std::move(storage_secrets)),
        parts(std::move(storage_parts)),
        node(surroundings, config),
        array(parts.array ? std::move(parts.array) : MakeBackEnd(surroundings.cluster_id)),
        operations(config, secrets, *array, *parts.host, node, log, parts.interrupt) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  // A call of the façade begins.
  Deadline Begin(Duration budget) {
    if (alert) alert->BeginCall(*parts.clock);
    return Deadline(*parts.clock, budget, parts.interrupt);
  }

  const StorageConfig config;
  const Secrets secrets;
  StorageParts parts;
  Log log;
  node::NodeState node;
  std::optional<catalogue::AlertTransport> alert;  // where there is a transport
  std::unique_ptr<catalogue::Array> array;
  Operations operations;

 private:
  std::unique_ptr<catalogue::Array> MakeBackEnd(const std::string& cluster_id) {
    alert.emplace(*parts.transport, node.silence);
    return std::make_unique<catalogue::flexvol::Backend>(config, secrets, cluster_id, log, *alert,
                                                         parts.jitter, node);
  }
};

Storage::Storage(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Storage::~Storage() = default;

Result<std::unique_ptr<Storage>> Storage::Create(const std::string& storage_id,
                                                 const Settings& settings, Secrets secrets,
                                                 const Surroundings& surroundings,
                                                 Interrupt* interrupt) {
  TRY(auto config, StorageConfig::Parse(storage_id, settings));
  if (secrets.password.empty()) {
    return Error(ErrorCode::kInvalidArgument, "no password is stored for the array's account")
        .With("username", config.username)
        .Try("run 'pvesm set " + storage_id + " --password'");
  }
  auto parts = RealParts(config, secrets, surroundings, interrupt);
  return Assemble(std::move(config), std::move(secrets), surroundings, std::move(parts));
}

std::unique_ptr<Storage> Storage::Assemble(StorageConfig config, Secrets secrets,
                                           const Surroundings& surroundings, StorageParts parts) {
  auto impl =
      std::make_unique<Impl>(std::move(config), std::move(secrets), surroundings, std::move(parts));
  return std::unique_ptr<Storage>(new Storage(std::move(impl)));
}

Status Storage::Verify() {
  const auto identity = impl_->parts.host->Identity();
  return impl_->array->Verify(identity.ok() ? identity->host_nqn : "", impl_->Begin(kChangeBudget));
}

bool Storage::CheckConnection() {
  const bool is_usable = impl_->operations.polling.CheckConnection(impl_->Begin(kCheckBudget));
  if (impl_->alert) impl_->alert->RememberSilence(*impl_->parts.clock);
  return is_usable;
}

Status Storage::Activate() {
  const Deadline deadline = impl_->Begin(kActivateStorageBudget);
  TRY_STATUS(impl_->operations.storage_activation.Activate(deadline));
  impl_->operations.node_checks.RunIfDue(deadline);
  impl_->operations.snapshot_devices.ReleaseEnded(deadline);
  impl_->operations.vm_snapshots.SettleOpen(deadline);
  return {};
}

Result<CapacityInfo> Storage::Capacity() {
  return impl_->operations.polling.Capacity(impl_->Begin(kStatusBudget));
}

Status Storage::RequireEmpty() {
  return impl_->operations.disks.RequireEmpty(impl_->Begin(kListBudget));
}

Result<std::string> Storage::Identity() {
  return impl_->array->Identity(impl_->Begin(kStatusBudget));
}

Status Storage::RequireSameDisks() {
  return impl_->array->RequireSameDisks(impl_->Begin(kChangeBudget));
}

Status Storage::ApplyChanges(const Settings& before) {
  TRY(const auto old, StorageConfig::Parse(impl_->config.storage_id, before));
  return impl_->array->ApplyChanges(old, impl_->Begin(kChangeBudget));
}

Result<std::vector<std::string>> Storage::Pending() {
  TRY(auto lines, impl_->operations.recovery.Pending(impl_->Begin(kListBudget)));
  const auto open = impl_->operations.vm_snapshots.DescribeOpen();
  lines.insert(lines.end(), open.begin(), open.end());
  return lines;
}

Result<std::vector<std::string>> Storage::RemoveAbandoned(const std::vector<std::string>& named) {
  return impl_->operations.recovery.RemoveAbandoned({named.begin(), named.end()},
                                                    impl_->Begin(kChangeBudget));
}

Result<CheckResults> Storage::Examine() {
  const Deadline deadline = impl_->Begin(kChangeBudget);
  auto results = impl_->operations.checkup.Examine(deadline);
  // A task that was stopped has no answers to judge.
  if (impl_->parts.interrupt != nullptr && impl_->parts.interrupt->Pending()) {
    return Error(ErrorCode::kInterrupted, "stopped while looking at the storage");
  }
  return results;
}

Result<DiskFacts> Storage::Explain(const std::string& what) {
  const Deadline deadline = impl_->Begin(kListBudget);
  auto& explanation = impl_->operations.explanation;
  auto name = VolumeName::Parse(what);
  if (!name.ok()) name = explanation.WhichIs(what, deadline);
  if (!name.ok()) return name.error();
  return explanation.Explain(*name, deadline);
}

Result<std::vector<ProbeInfo>> Storage::Probes() {
  return impl_->array->Probes();
}

Result<ProbeFinding> Storage::RunProbe(const std::string& probe) {
  return impl_->array->RunProbe(probe, impl_->Begin(kChangeBudget));
}

Status Storage::Forget() {
  impl_->operations.snapshot_devices.Forget();
  return impl_->operations.storage_activation.Forget(impl_->Begin(kStatusBudget));
}

Result<std::vector<DiskInfo>> Storage::List(std::optional<std::uint64_t> vmid) {
  return impl_->operations.disks.List(vmid, impl_->Begin(kListBudget));
}

Result<DiskInfo> Storage::Info(const std::string& volume_name) {
  TRY(const auto name, VolumeName::Parse(volume_name));
  return impl_->operations.disks.Info(name, impl_->Begin(kStatusBudget));
}

Result<std::string> Storage::Allocate(std::uint64_t vmid, const std::string& name,
                                      std::uint64_t size_kib) {
  const Deadline deadline = impl_->Begin(kChangeBudget);
  impl_->operations.recovery.SettleIfDue(deadline);
  return impl_->operations.disk_making.Allocate(vmid, name, size_kib, deadline);
}

Status Storage::Free(const std::string& volume_name) {
  TRY(const auto name, VolumeName::Parse(volume_name));
  const Deadline deadline = impl_->Begin(kChangeBudget);
  impl_->operations.recovery.SettleIfDue(deadline);
  impl_->operations.rollbacks.Forget(name.vmid);
  return impl_->operations.disks.Free(name, deadline);
}

Result<std::vector<DeletedInfo>> Storage::ListDeleted() {
  return impl_->operations.disks.ListDeleted(impl_->Begin(kListBudget));
}

Result<std::string> Storage::Undelete(const std::string& volume_name,
                                      const std::string& queued_as) {
  TRY(const auto name, VolumeName::Parse(volume_name));
  const Deadline deadline = impl_->Begin(kChangeBudget);
  impl_->operations.recovery.SettleIfDue(deadline);
  return impl_->operations.disks.Undelete(name, queued_as, deadline);
}

Result<AdoptionInfo> Storage::ExamineForAdoption(const std::string& path, bool is_lun,
                                                 std::uint64_t vmid) {
  return impl_->operations.disk_making.ExamineForAdoption({.path = path, .is_lun = is_lun}, vmid,
                                                          impl_->Begin(kListBudget));
}

Result<std::string> Storage::Adopt(const std::string& path, bool is_lun, std::uint64_t vmid) {
  const Deadline deadline = impl_->Begin(kChangeBudget);
  impl_->operations.recovery.SettleIfDue(deadline);
  return impl_->operations.disk_making.Adopt({.path = path, .is_lun = is_lun}, vmid, deadline);
}

Result<std::string> Storage::ActivateVolume(const std::string& volume_name) {
  TRY(const auto name, VolumeName::Parse(volume_name));
  return impl_->operations.volume_activation.ActivateVolume(name, impl_->Begin(kChangeBudget));
}

Status Storage::DeactivateVolume(const std::string& volume_name) {
  TRY(const auto name, VolumeName::Parse(volume_name));
  TRY_STATUS(impl_->operations.volume_activation.DeactivateVolume(name));
  impl_->operations.snapshot_devices.ReleaseUnused(name, impl_->Begin(kChangeBudget));
  return {};
}

Status Storage::Resize(const std::string& volume_name, std::uint64_t size_bytes) {
  TRY(const auto name, VolumeName::Parse(volume_name));
  return impl_->operations.volume_activation.Resize(name, size_bytes, impl_->Begin(kChangeBudget));
}

Result<std::string> Storage::CreateBase(const std::string& volume_name) {
  TRY(const auto name, VolumeName::Parse(volume_name));
  const Deadline deadline = impl_->Begin(kChangeBudget);
  impl_->operations.recovery.SettleIfDue(deadline);
  return impl_->operations.renaming.CreateBase(name, deadline);
}

Result<std::string> Storage::Clone(const std::string& volume_name, const std::string& snapshot,
                                   std::uint64_t vmid) {
  TRY(const auto name, VolumeName::Parse(volume_name));
  TRY(const auto from, ParseOptional(snapshot));
  const Deadline deadline = impl_->Begin(kChangeBudget);
  impl_->operations.recovery.SettleIfDue(deadline);
  return impl_->operations.disk_making.Clone(name, from, vmid, deadline);
}

Result<std::vector<std::string>> Storage::CloneVm(const std::vector<std::string>& volume_names,
                                                  const std::string& snapshot, std::uint64_t vmid) {
  TRY(const auto names, ParseAll(volume_names));
  TRY(const auto from, ParseOptional(snapshot));
  const Deadline deadline = impl_->Begin(kChangeBudget);
  impl_->operations.recovery.SettleIfDue(deadline);
  return impl_->operations.disk_making.CloneVm(names, from, vmid, deadline);
}

Result<std::vector<CopyInfo>> Storage::CopyProgress(std::uint64_t vmid) {
  return impl_->operations.disk_making.CopyProgress(vmid, impl_->Begin(kStatusBudget));
}

Result<std::string> Storage::Rename(const std::string& volume_name, std::uint64_t vmid,
                                    const std::string& new_name) {
  TRY(const auto name, VolumeName::Parse(volume_name));
  const Deadline deadline = impl_->Begin(kChangeBudget);
  impl_->operations.recovery.SettleIfDue(deadline);
  return impl_->operations.renaming.Rename(name, vmid, new_name, deadline);
}

Status Storage::StartMove(const std::string& volume_name, const std::string& place) {
  TRY(const auto name, VolumeName::Parse(volume_name));
  return impl_->operations.disks.StartMove(name, place, impl_->Begin(kChangeBudget));
}

Result<PlaceInfo> Storage::WhereIs(const std::string& volume_name) {
  TRY(const auto name, VolumeName::Parse(volume_name));
  return impl_->operations.disks.WhereIs(name, impl_->Begin(kStatusBudget));
}

Result<std::string> Storage::HandOver(const std::string& volume_name, const std::string& to_storage,
                                      const std::string& to_identity, const std::string& new_name) {
  TRY(const auto name, VolumeName::Parse(volume_name));
  return impl_->operations.renaming.HandOver(name,
                                             {.storage_id = to_storage, .identity = to_identity},
                                             new_name, impl_->Begin(kChangeBudget));
}

Result<std::vector<std::string>> Storage::MovedVolumes(std::uint64_t vmid,
                                                       const std::string& moved_from) {
  return impl_->operations.renaming.MovedVolumes(vmid, moved_from, impl_->Begin(kListBudget));
}

Status Storage::TakeOver(const std::string& volume_name) {
  TRY(const auto name, VolumeName::Parse(volume_name));
  return impl_->operations.renaming.TakeOver(name, impl_->Begin(kChangeBudget));
}

Status Storage::SetNotes(const std::string& volume_name, const std::string& notes) {
  TRY(const auto name, VolumeName::Parse(volume_name));
  return impl_->array->disks().Annotate(name, {.notes = notes, .is_protected = {}},
                                        impl_->Begin(kChangeBudget));
}

Status Storage::SetProtected(const std::string& volume_name, bool is_protected) {
  TRY(const auto name, VolumeName::Parse(volume_name));
  return impl_->array->disks().Annotate(name, {.notes = {}, .is_protected = is_protected},
                                        impl_->Begin(kChangeBudget));
}

Status Storage::Export(const std::string& volume_name, const std::string& snapshot, int fd) {
  TRY(const auto name, VolumeName::Parse(volume_name));
  TRY(const auto from, ParseOptional(snapshot));
  return impl_->operations.transfer.Export(name, from, fd, impl_->Begin(kChangeBudget));
}

Result<std::uint64_t> Storage::ReadImportSize(int fd) {
  return impl_->operations.transfer.ReadImportSize(fd);
}

Status Storage::Import(const std::string& volume_name, std::uint64_t size_bytes, int fd) {
  TRY(const auto name, VolumeName::Parse(volume_name));
  return impl_->operations.transfer.Import(name, size_bytes, fd, impl_->Begin(kChangeBudget));
}

Status Storage::PrepareSnapshot(const std::string& volume_name) {
  TRY(const auto name, VolumeName::Parse(volume_name));
  impl_->operations.vm_snapshots.Prepare(name, impl_->Begin(kPrepareBudget));
  return {};
}

Status Storage::CreateSnapshot(const std::string& volume_name, const std::string& snapshot) {
  TRY(const auto name, VolumeName::Parse(volume_name));
  TRY(const auto parsed, SnapshotName::Parse(snapshot));
  impl_->operations.rollbacks.Forget(name.vmid);
  return impl_->operations.vm_snapshots.CreateSnapshot(name, parsed, impl_->Begin(kFreezeBudget));
}

Status Storage::DeleteSnapshot(const std::string& volume_name, const std::string& snapshot) {
  TRY(const auto name, VolumeName::Parse(volume_name));
  TRY(const auto parsed, SnapshotName::Parse(snapshot));
  impl_->operations.rollbacks.Forget(name.vmid);
  return impl_->operations.vm_snapshots.DeleteSnapshot(name, parsed, impl_->Begin(kChangeBudget));
}

Result<std::vector<std::string>> Storage::RollbackBlockers(const std::string& volume_name,
                                                           const std::string& snapshot) {
  TRY(const auto name, VolumeName::Parse(volume_name));
  TRY(const auto parsed, SnapshotName::Parse(snapshot));
  return impl_->operations.rollbacks.RollbackBlockers(name, parsed, impl_->Begin(kListBudget));
}

Status Storage::Rollback(const std::string& volume_name, const std::string& snapshot) {
  TRY(const auto name, VolumeName::Parse(volume_name));
  TRY(const auto parsed, SnapshotName::Parse(snapshot));
  return impl_->operations.rollbacks.Rollback(name, parsed, impl_->Begin(kChangeBudget));
}

Result<std::vector<SnapshotInfo>> Storage::ListSnapshots(const std::string& volume_name) {
  TRY(const auto name, VolumeName::Parse(volume_name));
  return impl_->operations.vm_snapshots.ListSnapshots(name, impl_->Begin(kListBudget));
}

Result<std::vector<VmSnapshotInfo>> Storage::ListVmSnapshots(std::optional<std::uint64_t> vmid) {
  return impl_->operations.vm_snapshots.ListVmSnapshots(vmid, impl_->Begin(kListBudget));
}

Result<AdoptedInfo> Storage::AdoptSnapshot(const std::vector<std::string>& volume_names,
                                           const std::string& array_name,
                                           const std::string& snapshot) {
  TRY(const auto names, ParseAll(volume_names));
  TRY(const auto to, SnapshotName::Parse(snapshot));
  return impl_->operations.vm_snapshots.AdoptSnapshot(names, ArraySnapshotName(array_name), to,
                                                      impl_->Begin(kChangeBudget));
}

Result<std::string> Storage::ActivateSnapshot(const std::string& volume_name,
                                              const std::string& snapshot) {
  TRY(const auto name, VolumeName::Parse(volume_name));
  TRY(const auto parsed, SnapshotName::ParseShown(snapshot));
  return impl_->operations.snapshot_devices.ActivateSnapshot(name, parsed,
                                                             impl_->Begin(kChangeBudget));
}

Status Storage::DeactivateSnapshot(const std::string& volume_name, const std::string& snapshot) {
  TRY(const auto name, VolumeName::Parse(volume_name));
  TRY(const auto parsed, SnapshotName::ParseShown(snapshot));
  return impl_->operations.snapshot_devices.DeactivateSnapshot(name, parsed,
                                                               impl_->Begin(kChangeBudget));
}

std::vector<LogRecord> Storage::TakeLog() {
  return impl_->log.Take();
}

}  // namespace ontapnvme::pve
