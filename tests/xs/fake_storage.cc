// SPDX-License-Identifier: AGPL-3.0-or-later
// A library that does what the tests of the binding say. What a call does stands in the name of the
// volume it is about:
//   error:<code>        fails with that code and with facts
//   throw:standard      throws std::runtime_error;  throw:memory  std::bad_alloc;  throw:other  an
//   int wait:<ms>           waits that long, asking the interrupt as the library does anything else
//   succeeds
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

class FakeStorage : public Storage {
 public:
  FakeStorage(Settings settings, Secrets secrets, Surroundings surroundings, Interrupt* interrupt)
      : settings_(std::move(settings)),
        secrets_(std::move(secrets)),
        surroundings_(std::move(surroundings)),
        interrupt_(interrupt),
        descriptor_(::open("/dev/null", O_RDONLY | O_CLOEXEC)) {}

  Status Verify() override { return Play(Script()); }
  bool CheckConnection() override { return Play(Script()).ok(); }
  Status Activate() override { return Play(Script()); }
  Result<CapacityInfo> Capacity() override {
    TRY_STATUS(Play(Script()));
    constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
    return CapacityInfo{ByteCount{kMost}, ByteCount{kMost - 1}, ByteCount{1}};
  }
  Status RequireEmpty() override { return Play(Script()); }
  Result<std::string> Identity() override {
    TRY_STATUS(Play(Script()));
    return std::string("größe@store");
  }
  Status ApplyChanges(const Settings& before) override {
    for (const auto& [key, value] : before) log_.Info(key + "=" + value);
    return Play(Script());
  }
  Result<std::vector<std::string>> Pending() override {
    TRY_STATUS(Play(Script()));
    return std::vector<std::string>{"one", "two"};
  }
  Status Forget() override { return Play(Script()); }

  Result<std::vector<DiskInfo>> List(std::optional<std::uint64_t> vmid) override {
    TRY_STATUS(Play(Script()));
    return std::vector<DiskInfo>{Disk("vm-100-disk-0", vmid.value_or(100)),
                                 Disk("vm-200-größe-€", vmid.value_or(200))};
  }
  // What was given to the constructor is told as the parent's name, so that a test sees it.
  Result<DiskInfo> Info(const std::string& volume_name) override {
    TRY_STATUS(Play(volume_name));
    DiskInfo disk = Disk(volume_name, 100);
    disk.notes = notes_;
    disk.is_protected = is_protected_;
    if (volume_name == "tell:settings") {
      for (const auto& [key, value] : settings_) disk.parent += key + "=" + value + ";";
    } else if (volume_name == "tell:secrets") {
      for (const Secret* secret : {&secrets_.password, &secrets_.dhchap_host_secret,
                                   &secrets_.dhchap_controller_secret, &secrets_.tls_psk}) {
        disk.parent += std::string(secret->Reveal()) + ";";
      }
    } else if (volume_name == "tell:surroundings") {
      disk.parent = surroundings_.cluster_id + ";" + surroundings_.ca_file + ";" +
                    surroundings_.state_directory + ";" + surroundings_.link_directory;
    } else if (volume_name == "tell:bytes") {
      disk.parent = "\xff\xfe";
    }
    return disk;
  }
  Result<std::string> Allocate(std::uint64_t vmid, const std::string& name,
                               std::uint64_t size_kib) override {
    TRY_STATUS(Play(name));
    return std::to_string(vmid) + "," + name + "," + std::to_string(size_kib);
  }
  Status Free(const std::string& volume_name) override { return Play(volume_name); }
  Result<std::string> ActivateVolume(const std::string& volume_name) override {
    TRY_STATUS(Play(volume_name));
    return "/dev/ontapnvme/store/" + volume_name;
  }
  Status DeactivateVolume(const std::string& volume_name) override { return Play(volume_name); }
  Status Resize(const std::string& volume_name, std::uint64_t size_bytes) override {
    log_.Info(std::to_string(size_bytes));
    return Play(volume_name);
  }
  Result<std::string> CreateBase(const std::string& volume_name) override {
    TRY_STATUS(Play(volume_name));
    return "base of " + volume_name;
  }
  Result<std::string> Clone(const std::string& volume_name, const std::string& snapshot,
                            std::uint64_t vmid) override {
    TRY_STATUS(Play(volume_name));
    return volume_name + "," + snapshot + "," + std::to_string(vmid);
  }
  Result<std::string> Rename(const std::string& volume_name, std::uint64_t vmid,
                             const std::string& new_name) override {
    TRY_STATUS(Play(volume_name));
    return volume_name + "," + std::to_string(vmid) + "," + new_name;
  }
  Status SetNotes(const std::string& volume_name, const std::string& notes) override {
    notes_ = notes;
    return Play(volume_name);
  }
  Status SetProtected(const std::string& volume_name, bool is_protected) override {
    is_protected_ = is_protected;
    return Play(volume_name);
  }

  // The stream of an export is what was asked for; that of an import is told to the log.
  Status Export(const std::string& volume_name, const std::string& snapshot, int fd) override {
    TRY_STATUS(Play(volume_name));
    const std::string text = volume_name + "@" + snapshot;
    if (::write(fd, text.data(), text.size()) < 0) return Error(ErrorCode::kInternal, "no write");
    return {};
  }
  Result<std::uint64_t> ReadImportSize(int fd) override {
    TRY_STATUS(Play(Script()));
    std::uint64_t size = 0;
    if (::read(fd, &size, sizeof(size)) < 0) return Error(ErrorCode::kInternal, "no read");
    return size;
  }
  Status Import(const std::string& volume_name, std::uint64_t size_bytes, int fd) override {
    TRY_STATUS(Play(volume_name));
    std::string text(size_bytes, '\0');
    if (::read(fd, text.data(), text.size()) < 0) return Error(ErrorCode::kInternal, "no read");
    log_.Info(text);
    return {};
  }

  Status CreateSnapshot(const std::string& volume_name, const std::string& snapshot) override {
    log_.Debug(snapshot);
    return Play(volume_name);
  }
  Status DeleteSnapshot(const std::string& volume_name, const std::string& snapshot) override {
    log_.Debug(snapshot);
    return Play(volume_name);
  }
  Result<std::vector<std::string>> RollbackBlockers(const std::string& volume_name,
                                                    const std::string& snapshot) override {
    TRY_STATUS(Play(volume_name));
    return std::vector<std::string>{snapshot + "-1", snapshot + "-2"};
  }
  Status Rollback(const std::string& volume_name, const std::string& snapshot) override {
    log_.Warning(snapshot);
    return Play(volume_name);
  }
  Result<std::vector<SnapshotInfo>> ListSnapshots(const std::string& volume_name) override {
    TRY_STATUS(Play(volume_name));
    return std::vector<SnapshotInfo>{{"one", "id-1", 1'700'000'000}, {"two", "id-2", -1}};
  }
  Result<std::string> ActivateSnapshot(const std::string& volume_name,
                                       const std::string& snapshot) override {
    TRY_STATUS(Play(volume_name));
    return "/dev/ontapnvme/store/" + volume_name + "@" + snapshot;
  }
  Status DeactivateSnapshot(const std::string& volume_name, const std::string& snapshot) override {
    log_.Debug(snapshot);
    return Play(volume_name);
  }
  std::vector<LogRecord> TakeLog() override {
    if (Script() == "throw:log") throw std::runtime_error("the log is broken");
    return log_.Take();
  }

 private:
  std::string Script() const {
    const auto found = settings_.find("script");
    return found == settings_.end() ? "" : found->second;
  }

  static DiskInfo Disk(const std::string& name, std::uint64_t vmid) {
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
      return Deadline(SystemClock(), 2 * duration, interrupt_).Sleep(duration, "playing");
    }
    return {};
  }

  Settings settings_;
  Secrets secrets_;
  Surroundings surroundings_;
  Interrupt* interrupt_;
  std::string notes_;
  bool is_protected_ = false;
  Log log_;
  // Stands for a connection: gone means that the object was destroyed.
  UniqueFd descriptor_;
};

}  // namespace

Result<StorageConfig> StorageConfig::Parse(const std::string& storage_id,
                                           const Settings& settings) {
  for (const auto& [key, value] : settings) {
    if (value == "wrong") {
      return Error(ErrorCode::kInvalidArgument, "'" + key + "' of '" + storage_id + "' is wrong");
    }
  }
  return StorageConfig{};
}

Result<std::unique_ptr<Storage>> Storage::Create(const std::string& storage_id,
                                                 const Settings& settings, Secrets secrets,
                                                 Surroundings surroundings, Interrupt* interrupt) {
  TRY(const auto config, StorageConfig::Parse(storage_id, settings));
  (void)config;
  return std::unique_ptr<Storage>(std::make_unique<FakeStorage>(
      settings, std::move(secrets), std::move(surroundings), interrupt));
}

}  // namespace ontapnvme::pve
