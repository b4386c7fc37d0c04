// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/refusals.h"

#include <algorithm>

namespace ontapnvme::catalogue {
namespace {

constexpr std::size_t kNamed = 5;  // a template may have hundreds

}  // namespace

Error VolumeNotFound(const StorageConfig& config, const VolumeName& name) {
  return Error(ErrorCode::kNotFound, "there is no volume '" + name.Text() + "' on the array")
      .With("svm", config.svm)
      .Try("'pvesm list " + config.storage_id + "' shows the volumes of this storage");
}

Error SnapshotLeftOver(const ArraySnapshotName& snapshot, std::chrono::sys_seconds create_time) {
  return Error(ErrorCode::kAlreadyExists,
               "the array has a snapshot '" + snapshot.Shown() + "' of an earlier operation")
      .With("array_name", snapshot.Text())
      .With("created_s", std::to_string(create_time.time_since_epoch().count()))
      .Try(
          "use another name, or delete the left-over on the array; a clone keeps the snapshots that "
          "it was made from");
}

Error HeldByClones(Error error, const std::vector<std::string>& clones, bool are_full) {
  Origin origin = error.origin();
  origin.refusal = Refusal::kHeldByClones;
  error = std::move(error).From(origin);
  if (clones.empty()) {
    error.SetHint(
        "deleted clones in the array's recovery queue still hold it, for 12 hours by default: "
        "wait, or purge them there ('volume recovery-queue purge'); set force_delete 1 to delete "
        "at once");
    return error;
  }
  std::string names;
  for (std::size_t i = 0; i < clones.size() && i < kNamed; ++i) {
    names += (i == 0 ? "" : ", ") + clones[i];
  }
  if (clones.size() > kNamed) names += ", …";
  error.AddFact("clones", std::to_string(clones.size()));
  error.AddFact("clone_names", names);
  if (are_full) {
    error.SetHint(
        "these are full clones, which the array makes independent in the background: try again when "
        "it has copied them");
    return error;
  }
  // A snapshot that is shown to a node: "volume@snapshot on host NQN".
  const bool are_devices = std::all_of(clones.begin(), clones.end(), [](const auto& clone) {
    return clone.find('@') != std::string::npos;
  });
  error.SetHint(
      are_devices
          ? "wait until the task that reads the snapshot on that node has ended, and some minutes more; of "
            "a node that is down, as 'pvecm nodes' shows it, try again after ten minutes"
          : "remove the clones, or make them independent on the array ('volume clone split start')");
  return error;
}

bool MayBeLock(const Error& error) {
  switch (error.code()) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kUnsupported:
    case ErrorCode::kBusy:
    case ErrorCode::kConflict:
    case ErrorCode::kInternal:
      return !error.outcome_unknown();
    default:
      return false;
  }
}

bool MayLackSnapshot(const Error& error) {
  const bool is_told =
      error.code() == ErrorCode::kNotFound || error.origin().refusal == Refusal::kUnknownCode;
  return is_told && !error.outcome_unknown();
}

}  // namespace ontapnvme::catalogue
