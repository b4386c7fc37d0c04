// SPDX-License-Identifier: AGPL-3.0-or-later
#include "ransomware.h"

#include <algorithm>

#include "snapshot_rules.h"

namespace ontapnvme::sim {
namespace {

constexpr int kOfDisksSince = 17;      // 9.17.1
constexpr int kOnByDefaultSince = 18;  // 9.18.1
constexpr auto kEvery = std::chrono::hours(4);
constexpr auto kLockedFor = std::chrono::hours(12);
constexpr const char* kPrefix = "Anti_ransomware_periodic_backup";

bool IsRenamed(const Snapshot& snapshot) {
  return snapshot.name.rfind(kPrefix, 0) != 0;
}

bool IsProtected(const Volume& volume) {
  if (volume.is_svm_root) return false;
  const auto protection = volume.extras.value("anti_ransomware", nlohmann::json::object());
  return protection.value("state", std::string("enabled")) == "enabled";
}

bool IsDue(World& world, const Volume& volume) {
  Time last = volume.create_time;
  bool is_first = true;
  for (const Snapshot* snapshot : world.SnapshotsOf(volume.uuid)) {
    if (!snapshot->is_of_protection) continue;
    last = std::max(last, snapshot->create_time);
    is_first = false;
  }
  if (is_first && !volume.clone) return !world.NamespacesOf(volume.uuid).empty();
  return world.Now() - last >= kEvery;
}

}  // namespace

// What a clone has of its parent was never locked for the clone.
bool IsLocked(const World& world, const Snapshot& snapshot) {
  if (!snapshot.is_of_protection) return false;
  const Volume* volume = world.volumes.Find(snapshot.volume_uuid);
  const bool is_inherited =
      volume != nullptr && volume->clone && snapshot.create_time <= volume->create_time;
  return !is_inherited && world.Now() - snapshot.create_time < kLockedFor;
}

bool HasLocked(World& world, const std::string& volume_uuid) {
  const auto snapshots = world.SnapshotsOf(volume_uuid);
  return std::any_of(snapshots.begin(), snapshots.end(),
                     [&](const Snapshot* one) { return IsLocked(world, *one); });
}

void TendProtection(World& world) {
  if (!world.settings.release.Has(kOnByDefaultSince)) return;
  if (world.settings.switches.Is("ransomware_locks", "none")) return;
  std::vector<std::string> expired;
  for (const Snapshot& snapshot : world.snapshots) {
    const bool is_over = world.Now() - snapshot.create_time >= kLockedFor;
    const bool is_kept =
        IsRenamed(snapshot) && !world.settings.switches.Is("locked_snapshot_rename", "expires");
    if (snapshot.is_of_protection && is_over && !is_kept) expired.push_back(snapshot.uuid);
  }
  for (const std::string& uuid : expired) world.RemoveSnapshot(uuid);
  for (const Volume& volume : world.volumes) {
    if (!IsProtected(volume) || !IsDue(world, volume)) continue;
    Snapshot taken =
        TakeSnapshot(world, volume, std::string(kPrefix) + "." + World::Timestamp(world.Now()));
    taken.is_of_protection = true;
    taken.expiry_time = World::Timestamp(world.Now() + kLockedFor);
    world.snapshots.Add(std::move(taken));
  }
}

void AddProtection(const World& world, const Volume& volume, nlohmann::json* record) {
  const auto& settings = world.settings;
  if (!settings.release.Has(kOfDisksSince)) return;
  const bool is_by_default = settings.release.Has(kOnByDefaultSince) &&
                             !settings.switches.Is("ransomware_locks", "none") &&
                             IsProtected(volume);
  auto& protection = (*record)["anti_ransomware"];
  if (!protection.contains("state")) protection["state"] = is_by_default ? "enabled" : "disabled";
  if (settings.switches.Is("attack_probability", "left_out")) {
    protection.erase("attack_probability");
  } else if (!protection.contains("attack_probability")) {
    protection["attack_probability"] = "none";
  }
}

}  // namespace ontapnvme::sim
