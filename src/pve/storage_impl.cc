// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/storage_impl.h"

#include "pve/raw_stream.h"
#include "pve/setting_changes.h"
#include "pve/verification.h"
#include "pve/volume_attributes.h"

namespace ontapnvme::pve {
namespace {

// Below the 60 s that Proxmox gives to whoever holds a storage lock, and with room for undoing.
constexpr Duration kChangeBudget{45'000};
constexpr Duration kListBudget{10'000};
constexpr Duration kStatusBudget{5'000};
constexpr Duration kActivateStorageBudget{20'000};
// pvestatd asks before each poll, one storage after the other.
constexpr Duration kCheckBudget{2'000};

}  // namespace

StorageImpl::StorageImpl(StorageConfig config, Secrets secrets, const Surroundings& surroundings,
                         StorageParts parts)
    : parts_(std::move(parts)),
      transport_(*parts_.transport, SilenceMemory(surroundings.state_directory, config.storage_id)),
      context_(std::move(config), std::move(secrets), surroundings, transport_, *parts_.host,
               parts_.jitter),
      turns_(surroundings.state_directory, context_.config.storage_id),
      facts_(context_),
      paths_(context_),
      attachment_(context_, facts_, paths_, turns_),
      checks_(context_, turns_),
      capacity_(context_),
      devices_(
          context_, facts_, paths_,
          NodeLock(surroundings.state_directory, context_.config.storage_id, "snapshot-devices")),
      disks_(context_, facts_, devices_, turns_),
      making_(context_, facts_),
      renaming_(context_, facts_),
      recovery_(context_, devices_, turns_),
      snapshots_(context_, devices_),
      rollbacks_(context_, facts_) {}

Deadline StorageImpl::Budget(Duration budget) {
  facts_.Remembered();
  transport_.BeginCall(*parts_.clock);
  return Deadline(*parts_.clock, budget, parts_.interrupt);
}

Deadline StorageImpl::LockedBudget() {
  const Deadline deadline = Budget(kChangeBudget);
  recovery_.RunIfDue(deadline);
  return deadline;
}

Status StorageImpl::Verify() {
  return VerifyArray(context_, facts_, Budget(kChangeBudget));
}

// Asks for the figure that status needs next, so that a poll costs one request. An array that does
// not answer does not take the disks away from a node whose data paths are live.
bool StorageImpl::CheckConnection() {
  const auto read = capacity_.Read(Budget(kCheckBudget));
  capacity_.Keep(read, *parts_.clock);
  if (read.ok()) return true;
  context_.log.Debug(read.error().Line());
  // An answer that is an error comes from a living array: what needs it will say why it fails.
  if (!IsArraySilent(read.error())) return read.error().code() != ErrorCode::kInterrupted;
  transport_.RememberSilence(*parts_.clock);
  const auto facts = facts_.Remembered();
  return facts && paths_.IsAnyLive(facts->subsystem_nqn);
}

Status StorageImpl::Activate() {
  const Deadline deadline = Budget(kActivateStorageBudget);
  TRY_STATUS(attachment_.ActivateStorage(deadline));
  if (const auto facts = facts_.Remembered()) checks_.RunIfDue(*facts, deadline);
  return {};
}

Result<CapacityInfo> StorageImpl::Capacity() {
  const Deadline deadline = Budget(kStatusBudget);
  if (auto kept = capacity_.TakeKept(*parts_.clock)) return *kept;
  return capacity_.Read(deadline);
}

Status StorageImpl::RequireEmpty() {
  TRY(const auto disks, disks_.List(std::nullopt, Budget(kListBudget)));
  if (disks.empty()) return {};
  return Error(ErrorCode::kBusy, "the storage still holds " + std::to_string(disks.size()) +
                                     (disks.size() == 1 ? " disk" : " disks"))
      .With("first", disks.front().volume_name)
      .Try("move or remove its disks first ('pvesm list' shows them)");
}

// Another storage may use the same subsystem: its connections stay while any of its devices is in
// use, and come back with its next poll where they were cut all the same.
Status StorageImpl::Forget() {
  const auto facts = facts_.Remembered();
  context_.links.RemoveUnless(
      [this](const std::string& path) { return context_.host.Usage(DeviceAt(path)).is_used; });
  facts_.Forget();
  transport_.Forget();
  turns_.Forget();
  devices_.Forget();
  if (!facts) return {};
  const auto usage = context_.host.SubsystemUsage(facts->subsystem_nqn);
  if (usage.is_used) {
    context_.log.Info("this node stays connected to the subsystem, which is in use: " + usage.by);
    return {};
  }
  return context_.host.Disconnect(facts->subsystem_nqn, Budget(kStatusBudget));
}

Result<std::vector<DiskInfo>> StorageImpl::List(std::optional<std::uint64_t> vmid) {
  return disks_.List(vmid, Budget(kListBudget));
}

Result<DiskInfo> StorageImpl::Info(const std::string& volume_name) {
  TRY(const auto name, VolumeName::Parse(volume_name));
  return disks_.Info(name, Budget(kStatusBudget));
}

Result<std::string> StorageImpl::Allocate(std::uint64_t vmid, const std::string& name,
                                          std::uint64_t size_kib) {
  return making_.Allocate(vmid, name, size_kib, LockedBudget());
}

Status StorageImpl::Free(const std::string& volume_name) {
  TRY(const auto name, VolumeName::Parse(volume_name));
  rollbacks_.Forget(name.vmid);
  return disks_.Free(name, LockedBudget());
}

Result<std::string> StorageImpl::ActivateVolume(const std::string& volume_name) {
  TRY(const auto name, VolumeName::Parse(volume_name));
  return attachment_.Activate(name, Budget(kChangeBudget));
}

Status StorageImpl::DeactivateVolume(const std::string& volume_name) {
  TRY(const auto name, VolumeName::Parse(volume_name));
  TRY_STATUS(attachment_.Deactivate(name));
  devices_.ReleaseUnused(name, Budget(kChangeBudget));
  return {};
}

Status StorageImpl::Resize(const std::string& volume_name, std::uint64_t size_bytes) {
  TRY(const auto name, VolumeName::Parse(volume_name));
  return attachment_.Resize(name, size_bytes, Budget(kChangeBudget));
}

Status StorageImpl::CreateSnapshot(const std::string& volume_name, const std::string& snapshot) {
  TRY(const auto name, VolumeName::Parse(volume_name));
  return snapshots_.Create(name, snapshot, Budget(kChangeBudget));
}

Status StorageImpl::DeleteSnapshot(const std::string& volume_name, const std::string& snapshot) {
  TRY(const auto name, VolumeName::Parse(volume_name));
  rollbacks_.Forget(name.vmid);
  return snapshots_.Delete(name, snapshot, Budget(kChangeBudget));
}

Result<std::vector<std::string>> StorageImpl::RollbackBlockers(const std::string& volume_name,
                                                               const std::string& snapshot) {
  TRY(const auto name, VolumeName::Parse(volume_name));
  return rollbacks_.Blockers(name, snapshot, Budget(kListBudget));
}

Status StorageImpl::Rollback(const std::string& volume_name, const std::string& snapshot) {
  TRY(const auto name, VolumeName::Parse(volume_name));
  return rollbacks_.Restore(name, snapshot, Budget(kChangeBudget));
}

Result<std::vector<SnapshotInfo>> StorageImpl::ListSnapshots(const std::string& volume_name) {
  TRY(const auto name, VolumeName::Parse(volume_name));
  return snapshots_.List(name, Budget(kListBudget));
}

Result<std::vector<std::string>> StorageImpl::Pending() {
  return recovery_.Pending(Budget(kListBudget));
}

Result<std::string> StorageImpl::Identity() {
  TRY(const auto facts, facts_.Read(Budget(kStatusBudget)));
  return "ontapnvme:" + facts.svm_uuid.Text() + ":" + context_.config.prefix;
}

Status StorageImpl::ApplyChanges(const Settings& before) {
  TRY(const auto old, StorageConfig::Parse(context_.config.storage_id, before));
  return ApplySettingChanges(context_, facts_, old, Budget(kChangeBudget));
}

Result<std::string> StorageImpl::CreateBase(const std::string& volume_name) {
  TRY(const auto name, VolumeName::Parse(volume_name));
  return renaming_.CreateBase(name, LockedBudget());
}

Result<std::string> StorageImpl::Clone(const std::string& volume_name, const std::string& snapshot,
                                       std::uint64_t vmid) {
  TRY(const auto name, VolumeName::Parse(volume_name));
  return making_.Clone(name, snapshot, vmid, LockedBudget());
}

Result<std::string> StorageImpl::Rename(const std::string& volume_name, std::uint64_t vmid,
                                        const std::string& new_name) {
  TRY(const auto name, VolumeName::Parse(volume_name));
  return renaming_.Rename(name, vmid, new_name, LockedBudget());
}

Status StorageImpl::SetNotes(const std::string& volume_name, const std::string& notes) {
  TRY(const auto name, VolumeName::Parse(volume_name));
  return ChangeDetails(
      context_, name, [&](auto& details) { details.notes = notes; }, Budget(kChangeBudget));
}

Status StorageImpl::SetProtected(const std::string& volume_name, bool is_protected) {
  TRY(const auto name, VolumeName::Parse(volume_name));
  return ChangeDetails(
      context_, name, [&](auto& details) { details.is_protected = is_protected; },
      Budget(kChangeBudget));
}

Result<std::string> StorageImpl::ActivateSnapshot(const std::string& volume_name,
                                                  const std::string& snapshot) {
  TRY(const auto name, VolumeName::Parse(volume_name));
  return devices_.Activate(name, snapshot, Budget(kChangeBudget));
}

Status StorageImpl::DeactivateSnapshot(const std::string& volume_name,
                                       const std::string& snapshot) {
  TRY(const auto name, VolumeName::Parse(volume_name));
  return devices_.Deactivate(name, snapshot, Budget(kChangeBudget));
}

// Activation proves the device once more: what a link points at may have changed since.
Status StorageImpl::Export(const std::string& volume_name, const std::string& snapshot, int fd) {
  TRY(const auto path,
      snapshot.empty() ? ActivateVolume(volume_name) : ActivateSnapshot(volume_name, snapshot));
  const auto sent = WriteStream(path, fd, parts_.interrupt);
  return sent.ok() ? sent : Status(sent.error().Wrap("cannot export '" + volume_name + "'"));
}

Result<std::uint64_t> StorageImpl::ReadImportSize(int fd) {
  TRY(const auto size, ReadStreamSize(fd, parts_.interrupt));
  return size.bytes();
}

Status StorageImpl::Import(const std::string& volume_name, std::uint64_t size_bytes, int fd) {
  TRY(const auto path, ActivateVolume(volume_name));
  const auto got = ReadStream(fd, ByteCount{size_bytes}, path, parts_.interrupt);
  return got.ok() ? got : Status(got.error().Wrap("cannot import '" + volume_name + "'"));
}

}  // namespace ontapnvme::pve
