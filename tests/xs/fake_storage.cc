// SPDX-License-Identifier: AGPL-3.0-or-later
// A library that follows scripts, for the tests of the binding. The name of the volume is the script:
//   error:<code>        fails with that code and with facts
//   throw:standard      throws std::runtime_error;  throw:memory  std::bad_alloc;  throw:other  an
//                       int
//   wait:<ms>           waits that long, asking the interrupt as the library does
//   anything else       succeeds
// The calls that name no volume take theirs from the setting `script`.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <stdexcept>

#include "base/unique_fd.h"
#include "pve/storage.h"

namespace ontapnvme::pve {
namespace {

constexpr std::array kCodes = {
    ErrorCode::kInvalidArgument,
    ErrorCode::kUnsupported,
    ErrorCode::kUnauthenticated,
    ErrorCode::kPermissionDenied,
    ErrorCode::kNotFound,
    ErrorCode::kAlreadyExists,
    ErrorCode::kBusy,
    ErrorCode::kConflict,
    ErrorCode::kNoSpace,
    ErrorCode::kUnavailable,
    ErrorCode::kTimedOut,
    ErrorCode::kDeviceMissing,
    ErrorCode::kInterrupted,
    ErrorCode::kInternal,
};

std::uint64_t NumberOf(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

DiskInfo Disk(const std::string& name, std::uint64_t vmid) {
  constexpr std::uint64_t kBeyond53Bits = (1ULL << 62U) + 1;
  return {.volume_name = name,
          .vmid = vmid,
          .size = ByteCount{kBeyond53Bits},
          .used = ByteCount{4096},
          .create_time_s = 1'700'000'000,
          .parent = {},
          .notes = {},
          .is_protected = false};
}

}  // namespace

class Storage::Impl {
 public:
  std::string Script() const {
    const auto found = settings.find("script");
    return found == settings.end() ? "" : found->second;
  }

  // For a call that names no volume.
  Status Play() { return Play(Script()); }
  Status Play(std::string_view script) {
    const auto after = [script](std::string_view prefix) { return script.substr(prefix.size()); };
    if (script.starts_with("error:")) {
      for (const ErrorCode code : kCodes) {
        if (ToString(code) != after("error:")) continue;
        return Error(code, "cannot play 'größe'")
            .Because("the script says so")
            .With("svm", "pvé")
            .With("tries", "3")
            .Try("write another script");
      }
    }
    if (script == "throw:standard") throw std::runtime_error("broken\ninvariant");
    if (script == "throw:memory") throw std::bad_alloc();
    if (script == "throw:other") throw 42;
    if (script.starts_with("wait:")) {
      const Duration duration{NumberOf(after("wait:"))};
      return Deadline(SystemClock(), 2 * duration, interrupt).Sleep(duration, "playing");
    }
    return {};
  }

  Settings settings;
  Secrets secrets;
  Surroundings surroundings;
  Interrupt* interrupt = nullptr;
  std::string notes;
  bool is_protected = false;
  Log log;
  // Stands for a connection: gone means that the object was destroyed.
  UniqueFd descriptor{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
};

Storage::Storage(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Storage::~Storage() = default;

Status Storage::Verify() {
  return impl_->Play();
}

bool Storage::CheckConnection() {
  return impl_->Play().ok();
}

Status Storage::Activate() {
  return impl_->Play();
}

Result<CapacityInfo> Storage::Capacity() {
  TRY_STATUS(impl_->Play());
  constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
  return CapacityInfo{ByteCount{kMost}, ByteCount{kMost - 1}, ByteCount{1}};
}

Status Storage::RequireEmpty() {
  return impl_->Play();
}

Result<std::string> Storage::Identity() {
  TRY_STATUS(impl_->Play());
  return std::string("größe@store");
}

Status Storage::RequireSameDisks() {
  return impl_->Play();
}

Status Storage::ApplyChanges(const Settings& before) {
  for (const auto& [key, value] : before) impl_->log.Info(key + "=" + value);
  return impl_->Play();
}

Result<std::vector<std::string>> Storage::Pending() {
  TRY_STATUS(impl_->Play());
  return std::vector<std::string>{"one", "two"};
}

Result<std::vector<std::string>> Storage::RemoveAbandoned(const std::vector<std::string>& named) {
  TRY_STATUS(impl_->Play());
  return named;
}

Result<CheckResults> Storage::Examine() {
  TRY_STATUS(impl_->Play());
  CheckResults results;
  AddOk(results, "array", "größe answers");
  AddWarning(results, "lifs", "one is down", "network interface show");
  AddFailure(results, "svm", "it is gone", "vserver show");
  AddSkipped(results, "svm-state", "svm");
  return results;
}

Result<std::vector<ProbeInfo>> Storage::Probes() {
  TRY_STATUS(impl_->Play());
  return std::vector<ProbeInfo>{
      {.probe = "größe", .question = "which", .steps = "reads", .positions = {"a", "b"}}};
}

Result<ProbeFinding> Storage::RunProbe(const std::string& probe) {
  TRY_STATUS(impl_->Play(probe));
  return ProbeFinding{.probe = probe,
                      .question = "which",
                      .position = "a",
                      .detail = "",
                      .svm_uuid = "u",
                      .release = ""};
}

Result<DiskFacts> Storage::Explain(const std::string& what) {
  TRY_STATUS(impl_->Play(what));
  return DiskFacts{{"container", "name", what}, {"map", "none", "größe", true}};
}

Status Storage::Forget() {
  return impl_->Play();
}

Result<std::vector<DiskInfo>> Storage::List(std::optional<std::uint64_t> vmid) {
  TRY_STATUS(impl_->Play());
  return std::vector<DiskInfo>{Disk("vm-100-disk-0", vmid.value_or(100)),
                               Disk("vm-200-größe-€", vmid.value_or(200))};
}

// Shows what the constructor got as the parent's name, for tests to look at.
Result<DiskInfo> Storage::Info(const std::string& volume_name) {
  TRY_STATUS(impl_->Play(volume_name));
  DiskInfo disk = Disk(volume_name, 100);
  disk.notes = impl_->notes;
  disk.is_protected = impl_->is_protected;
  if (volume_name == "tell:settings") {
    for (const auto& [key, value] : impl_->settings) disk.parent += key + "=" + value + ";";
  } else if (volume_name == "tell:secrets") {
    for (const SecretField& field : kSecretFields) {
      disk.parent += std::string((impl_->secrets.*field.secret).Reveal()) + ";";
    }
  } else if (volume_name == "tell:surroundings") {
    disk.parent = impl_->surroundings.cluster_id + ";" + impl_->surroundings.ca_file + ";" +
                  impl_->surroundings.state_directory + ";" + impl_->surroundings.link_directory;
  } else if (volume_name == "tell:bytes") {
    disk.parent = "\xff\xfe";
  }
  return disk;
}

Result<std::string> Storage::Allocate(std::uint64_t vmid, const std::string& name,
                                      std::uint64_t size_kib) {
  TRY_STATUS(impl_->Play(name));
  return std::to_string(vmid) + "," + name + "," + std::to_string(size_kib);
}

Status Storage::Free(const std::string& volume_name) {
  return impl_->Play(volume_name);
}

Result<std::string> Storage::ActivateVolume(const std::string& volume_name) {
  TRY_STATUS(impl_->Play(volume_name));
  return "/dev/ontapnvme/store/" + volume_name;
}

Status Storage::DeactivateVolume(const std::string& volume_name) {
  return impl_->Play(volume_name);
}

Status Storage::Resize(const std::string& volume_name, std::uint64_t size_bytes) {
  impl_->log.Info(std::to_string(size_bytes));
  return impl_->Play(volume_name);
}

Result<std::string> Storage::CreateBase(const std::string& volume_name) {
  TRY_STATUS(impl_->Play(volume_name));
  return "base of " + volume_name;
}

Result<std::string> Storage::Clone(const std::string& volume_name, const std::string& snapshot,
                                   std::uint64_t vmid) {
  TRY_STATUS(impl_->Play(volume_name));
  return volume_name + "," + snapshot + "," + std::to_string(vmid);
}

Result<std::vector<std::string>> Storage::CloneVm(const std::vector<std::string>& volume_names,
                                                  const std::string& snapshot, std::uint64_t vmid) {
  std::vector<std::string> names;
  for (const auto& name : volume_names) {
    TRY_STATUS(impl_->Play(name));
    names.push_back(name + "," + snapshot + "," + std::to_string(vmid));
  }
  return names;
}

Result<std::vector<DeletedInfo>> Storage::ListDeleted() {
  TRY_STATUS(impl_->Play());
  return std::vector<DeletedInfo>{{.volume_name = "vm-100-disk-0",
                                   .vmid = 100,
                                   .queued_as = "vm_100_disk_0_1001",
                                   .deleted_at_s = 1'700'000'000}};
}

Result<std::string> Storage::Undelete(const std::string& volume_name,
                                      const std::string& /*queued_as*/) {
  TRY_STATUS(impl_->Play(volume_name));
  return volume_name;
}

Result<AdoptionInfo> Storage::ExamineForAdoption(const std::string& path, bool is_lun,
                                                 std::uint64_t /*vmid*/) {
  TRY_STATUS(impl_->Play(path));
  return AdoptionInfo{
      .volume_name = "", .size = ByteCount{4096}, .remarks = {path, is_lun ? "lun" : "namespace"}};
}

Result<std::string> Storage::Adopt(const std::string& path, bool is_lun, std::uint64_t vmid) {
  TRY_STATUS(impl_->Play(path));
  return "vm-" + std::to_string(vmid) + (is_lun ? "-lun-0" : "-disk-0");
}

Result<std::vector<CopyInfo>> Storage::CopyProgress(std::uint64_t vmid) {
  TRY_STATUS(impl_->Play());
  return std::vector<CopyInfo>{
      {.volume_name = "vm-" + std::to_string(vmid) + "-disk-0", .has_begun = true, .percent = 40}};
}

Result<std::string> Storage::Rename(const std::string& volume_name, std::uint64_t vmid,
                                    const std::string& new_name) {
  TRY_STATUS(impl_->Play(volume_name));
  return volume_name + "," + std::to_string(vmid) + "," + new_name;
}

Result<std::string> Storage::HandOver(const std::string& volume_name, const std::string& to_storage,
                                      const std::string& to_identity, const std::string& new_name) {
  TRY_STATUS(impl_->Play(volume_name));
  return to_storage + "," + to_identity + "," + new_name;
}

Result<std::vector<std::string>> Storage::MovedVolumes(std::uint64_t vmid,
                                                       const std::string& moved_from) {
  TRY_STATUS(impl_->Play(moved_from));
  return std::vector<std::string>{moved_from + "," + std::to_string(vmid)};
}

Status Storage::TakeOver(const std::string& volume_name) {
  return impl_->Play(volume_name);
}

Status Storage::StartMove(const std::string& volume_name, const std::string& place) {
  impl_->log.Info(place);
  return impl_->Play(volume_name);
}

Result<PlaceInfo> Storage::WhereIs(const std::string& volume_name) {
  TRY_STATUS(impl_->Play(volume_name));
  return PlaceInfo{.place = "größe", .destination = {}, .percent = 100, .state = "success"};
}

Status Storage::SetNotes(const std::string& volume_name, const std::string& notes) {
  impl_->notes = notes;
  return impl_->Play(volume_name);
}

Status Storage::SetProtected(const std::string& volume_name, bool is_protected) {
  impl_->is_protected = is_protected;
  return impl_->Play(volume_name);
}

// The stream of an export is what was asked for; that of an import goes to the log.
Status Storage::Export(const std::string& volume_name, const std::string& snapshot, int fd) {
  TRY_STATUS(impl_->Play(volume_name));
  const std::string text = volume_name + "@" + snapshot;
  if (::write(fd, text.data(), text.size()) < 0) return Error(ErrorCode::kInternal, "no write");
  return {};
}

Result<std::uint64_t> Storage::ReadImportSize(int fd) {
  TRY_STATUS(impl_->Play());
  std::uint64_t size = 0;
  if (::read(fd, &size, sizeof(size)) < 0) return Error(ErrorCode::kInternal, "no read");
  return size;
}

Status Storage::Import(const std::string& volume_name, std::uint64_t size_bytes, int fd) {
  TRY_STATUS(impl_->Play(volume_name));
  std::string text(size_bytes, '\0');
  if (::read(fd, text.data(), text.size()) < 0) return Error(ErrorCode::kInternal, "no read");
  impl_->log.Info(text);
  return {};
}

Status Storage::PrepareSnapshot(const std::string& volume_name) {
  return impl_->Play(volume_name);
}

Status Storage::CreateSnapshot(const std::string& volume_name, const std::string& snapshot) {
  impl_->log.Debug(snapshot);
  return impl_->Play(volume_name);
}

Status Storage::DeleteSnapshot(const std::string& volume_name, const std::string& snapshot) {
  impl_->log.Debug(snapshot);
  return impl_->Play(volume_name);
}

Result<std::vector<std::string>> Storage::RollbackBlockers(const std::string& volume_name,
                                                           const std::string& snapshot) {
  TRY_STATUS(impl_->Play(volume_name));
  return std::vector<std::string>{snapshot + "-1", snapshot + "-2"};
}

Status Storage::Rollback(const std::string& volume_name, const std::string& snapshot) {
  impl_->log.Warning(snapshot);
  return impl_->Play(volume_name);
}

Result<std::vector<SnapshotInfo>> Storage::ListSnapshots(const std::string& volume_name) {
  TRY_STATUS(impl_->Play(volume_name));
  return std::vector<SnapshotInfo>{{"one", "id-1", 1'700'000'000}, {"two", "id-2", -1}};
}

Result<AdoptedInfo> Storage::AdoptSnapshot(const std::vector<std::string>& volume_names,
                                           const std::string& array_name,
                                           const std::string& snapshot) {
  for (const auto& name : volume_names) TRY_STATUS(impl_->Play(name));
  return AdoptedInfo{.create_time_s = 1'700'000'000,
                     .is_of_one_moment = array_name == snapshot,
                     .locked_until_s = array_name == snapshot ? 1'700'000'002 : 0};
}

Result<std::vector<VmSnapshotInfo>> Storage::ListVmSnapshots(std::optional<std::uint64_t> vmid) {
  (void)vmid;
  TRY_STATUS(impl_->Play());
  VmSnapshotInfo own{.vmid = 100,
                     .array_name = "pve_snap_s1",
                     .name = "s1",
                     .shown_as = "s1",
                     .kind = "proxmox",
                     .create_time_s = 1'700'000'000,
                     .locked_until_s = 0,
                     .is_on_all_disks = true,
                     .disks = {{"vm-100-disk-0", "id-1", 1'700'000'001, KiB(4), GiB(1)}}};
  VmSnapshotInfo other = own;
  other.name = "";
  other.shown_as = "";
  other.locked_until_s = 1'700'000'002;
  other.is_on_all_disks = false;
  return std::vector<VmSnapshotInfo>{std::move(own), std::move(other)};
}

Result<std::string> Storage::ActivateSnapshot(const std::string& volume_name,
                                              const std::string& snapshot) {
  TRY_STATUS(impl_->Play(volume_name));
  return "/dev/ontapnvme/store/" + volume_name + "@" + snapshot;
}

Status Storage::DeactivateSnapshot(const std::string& volume_name, const std::string& snapshot) {
  impl_->log.Trace(snapshot);
  return impl_->Play(volume_name);
}

std::vector<LogRecord> Storage::TakeLog() {
  if (impl_->Script() == "throw:log") throw std::runtime_error("the log is broken");
  return impl_->log.Take();
}

Result<std::unique_ptr<Storage>> Storage::Create(const std::string& storage_id,
                                                 const Settings& settings, Secrets secrets,
                                                 const Surroundings& surroundings,
                                                 Interrupt* interrupt) {
  TRY(const auto config, StorageConfig::Parse(storage_id, settings));
  (void)config;
  auto impl = std::make_unique<Impl>();
  impl->settings = settings;
  impl->secrets = std::move(secrets);
  impl->surroundings = surroundings;
  impl->interrupt = interrupt;
  return std::unique_ptr<Storage>(new Storage(std::move(impl)));
}

}  // namespace ontapnvme::pve

namespace ontapnvme {

Result<StorageConfig> StorageConfig::Parse(const std::string& storage_id,
                                           const Settings& settings) {
  for (const auto& [key, value] : settings) {
    if (value == "wrong") {
      return Error(ErrorCode::kInvalidArgument, "'" + key + "' of '" + storage_id + "' is wrong");
    }
  }
  return StorageConfig{};
}

}  // namespace ontapnvme
