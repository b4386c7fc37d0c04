// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/flexvol/qualify/scratch.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

constexpr std::size_t kRunDigits = 8;
// As for undoing: an array that is slow is given the time, and the caller's lock still holds.
constexpr Duration kRemovalBudget{20'000};

Error NotListed(const std::string& what) {
  return Error(ErrorCode::kUnavailable,
               "the array does not list " + what + " that it has just made");
}

}  // namespace

Scratch::Scratch(ontap::RestClient& rest, const StorageConfig& config, const Marker& marker,
                 const Deadline& deadline)
    : volumes(rest, config.svm),
      namespaces(rest, config.svm),
      subsystems(rest, config.svm),
      snapshots(rest, config.svm),
      groups(rest, config.svm),
      queue(rest, config.svm),
      svms(rest),
      rest_(&rest),
      config_(&config),
      deadline_(deadline),
      removal_(rest, config, marker) {
  const std::string operation_id = NewOperationId();
  run_.run = operation_id.substr(0, kRunDigits);
  comment_ = marker.New(0, operation_id).ShortText();
}

ontap::FlexVolSpec Scratch::NextVolume() {
  has_made_ = true;
  ontap::FlexVolSpec spec;
  spec.name = run_.Text(config_->prefix);
  ++run_.number;
  spec.aggregate = config_->aggregate;
  spec.comment = comment_;
  spec.size = kScratchVolumeSize;
  return spec;
}

Result<Scratch::Volume> Scratch::Settle(const std::string& name, const Result<Uuid>& made) {
  if (made.ok()) {
    expected_.insert(name);
    return Volume{.uuid = *made, .name = name};
  }
  if (!made.error().outcome_unknown()) return made.error();
  TRY(const auto found,
      LookAgainUntilListed([&] { return volumes.Find(name, deadline_); }, deadline_));
  if (!found || found->comment != comment_) return made.error();
  expected_.insert(name);
  return Volume{.uuid = found->uuid, .name = name};
}

Result<Scratch::Volume> Scratch::MakeVolume() {
  const auto spec = NextVolume();
  TRY(auto volume, Settle(spec.name, volumes.Create(spec, deadline_)));
  // Its locked snapshots would keep it for half a day. An array without the licence refuses it.
  if (rest_->IsKnownAtLeast(ontap::kRansomwareByDefault)) {
    (void)volumes.SetRansomwareProtection(volume.uuid, false, deadline_);
  }
  return volume;
}

Result<ontap::NvmeNamespace> Scratch::MakeNamespace(const Volume& volume, ByteCount size) {
  return namespaces.Create(volume.name, volume.name, size, comment_, deadline_);
}

Result<Scratch::MappedDisk> Scratch::MakeMappedDisk() {
  TRY(const auto volume, MakeVolume());
  TRY(const auto ns, MakeNamespace(volume));
  const std::string name = run_.SubsystemName(config_->prefix);
  TRY(auto subsystem, subsystems.Find(name, deadline_));
  if (!subsystem) {
    TRY(subsystem, subsystems.Create(name, comment_, deadline_));
  }
  TRY_STATUS(subsystems.Map(ns.uuid, name, deadline_));
  return MappedDisk{.volume = volume, .ns = ns, .subsystem = subsystem->uuid};
}

Status Scratch::Snapshot(const Volume& volume, const std::string& name) {
  const auto made = snapshots.Create(volume.uuid, name, comment_, deadline_);
  if (made.ok() || !made.error().outcome_unknown()) return made;
  return FindSnapshot(volume, name).ok() ? Status() : made;
}

Status Scratch::SnapshotGroup(const Uuid& group, const std::string& name) {
  const auto made = groups.CreateSnapshot(group, name, "", deadline_);
  if (made.ok() || !made.error().outcome_unknown()) return made;
  const auto found = groups.FindSnapshot(group, name, deadline_);
  return found.ok() && *found ? Status() : made;
}

Result<ontap::Snapshot> Scratch::FindSnapshot(const Volume& volume, const std::string& name) {
  TRY(auto found, LookAgain(
                      [&] {
                        return snapshots.FindByName({{volume.uuid, volume.name}}, name, deadline_);
                      },
                      [](const auto& seen) { return !seen.empty(); }, deadline_));
  if (found.empty()) return NotListed("a snapshot");
  return std::move(found.front());
}

Result<Scratch::Volume> Scratch::MakeClone(const Volume& parent, const std::string& snapshot) {
  const auto next = NextVolume();
  return Settle(next.name, volumes.Clone({.name = next.name,
                                          .parent_volume = parent.name,
                                          .parent_snapshot = snapshot,
                                          .comment = comment_},
                                         deadline_));
}

Result<ontap::ConsistencyGroup> Scratch::MakeGroup(const std::vector<Volume>& members) {
  std::vector<std::string> names;
  for (const auto& member : members) names.push_back(member.name);
  const auto made = groups.Create(GroupName(), names, "", deadline_);
  if (!made.ok() && !made.error().outcome_unknown()) return made.error();
  TRY(auto group, LookAgainUntilListed([&] { return FindGroup(GroupName()); }, deadline_));
  if (!group) return NotListed("a consistency group");
  return std::move(*group);
}

Result<std::optional<ontap::ConsistencyGroup>> Scratch::FindGroup(const std::string& name) {
  TRY(auto found, groups.List(name, deadline_));
  for (auto& group : found) {
    if (group.name == name) return std::optional(std::move(group));
  }
  return std::optional<ontap::ConsistencyGroup>();
}

Status Scratch::RemoveAll() {
  if (!has_made_) return {};
  TRY_STATUS(removal_.RemoveRun(run_.run, expected_, deadline_.Grace(kRemovalBudget)));
  has_made_ = false;
  expected_.clear();
  return {};
}

}  // namespace ontapnvme::catalogue::flexvol
