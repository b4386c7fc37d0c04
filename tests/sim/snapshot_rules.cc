// SPDX-License-Identifier: AGPL-3.0-or-later
#include "snapshot_rules.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "api_error.h"

namespace ontapnvme::sim {
namespace {

constexpr int kOffline = 524479;
constexpr int kTooMany = 525062;
constexpr int kBadName = 1638518;
constexpr int kReservedName = 1638477;
constexpr int kRestoreRefused = 524511;
constexpr int kRestoreNotOnline = 9437885;
constexpr std::size_t kPerVolumeMaximum = 1023;
constexpr std::size_t kNameMaximum = 255;

}  // namespace

void RequireSnapshotPossible(World& world, const Volume& volume, const std::string& name) {
  static constexpr std::array<const char*, 6> kReserved = {"hourly.",  "daily.",      "weekly.",
                                                           "monthly.", "snapmirror.", "clone_"};
  const bool is_clean = !name.empty() && name.size() <= kNameMaximum &&
                        std::all_of(name.begin(), name.end(), [](unsigned char byte) {
                          return byte < 0x80 && (std::isalnum(byte) != 0 || byte == '_' ||
                                                 byte == '.' || byte == '-');
                        });
  if (!is_clean) Refuse(kBadName, "The snapshot name is invalid", "name");
  for (const char* prefix : kReserved) {
    if (name.rfind(prefix, 0) == 0) {
      Refuse(kReservedName, "The snapshot name begins with a reserved prefix", "name");
    }
  }
  if (volume.state != "online") Refuse(kOffline, "Volume \"" + volume.name + "\" is not online");
  if (world.SnapshotsOf(volume.uuid).size() >= kPerVolumeMaximum) {
    Refuse(kTooMany, "Volume \"" + volume.name + "\" has the maximum number of snapshots");
  }
  if (world.FindSnapshot(volume.uuid, name) != nullptr) {
    RefuseConflict(snapshot_code::kExists, "Snapshot \"" + name + "\" exists", "name");
  }
}

Snapshot TakeSnapshot(World& world, const Volume& volume, const std::string& name) {
  Snapshot snapshot;
  snapshot.uuid = world.NewUuid();
  snapshot.name = name;
  snapshot.volume_uuid = volume.uuid;
  snapshot.version_uuid = world.NewUuid();
  snapshot.create_time = world.Now();
  for (const NvmeNamespace* ns : world.NamespacesOf(volume.uuid)) {
    const std::string image = world.NewUuid();
    world.blocks().Save(ns->uuid, image);
    snapshot.contents.push_back({*ns, std::make_shared<SavedImage>(&world.blocks(), image)});
  }
  return snapshot;
}

std::vector<std::string> OwnersOf(World& world, const Snapshot& snapshot) {
  if (snapshot.is_clone_base || world.HasClone(snapshot.uuid)) return {"volume_clone"};
  return {};
}

void RequireDeletable(World& world, const Snapshot& snapshot) {
  if (OwnersOf(world, snapshot).empty()) return;
  // The base of a clone is locked in the clone and busy in the parent.
  const int refusal = snapshot.is_clone_base ? snapshot_code::kLocked : snapshot_code::kHasOwner;
  RefuseConflict(refusal, "Snapshot \"" + snapshot.name + "\" has an owner: volume_clone");
}

void RequireRestorable(World& world, const Volume& volume, const Snapshot& snapshot) {
  if (volume.state != "online") Refuse(kRestoreNotOnline, "The volume is not online");
  bool is_newer = false;
  for (const Snapshot* other : world.SnapshotsOf(volume.uuid)) {
    if (is_newer && !OwnersOf(world, *other).empty()) {
      RefuseConflict(kRestoreRefused,
                     "Snapshot \"" + other->name + "\" is newer and has an owner: volume_clone");
    }
    is_newer = is_newer || other->uuid == snapshot.uuid;
  }
  if (!world.settings.may_restore_mapped && world.IsMapped(volume.uuid)) {
    RefuseConflict(kRestoreRefused, "The volume has a mapped namespace");
  }
}

void RestoreContents(World& world, const std::string& volume_uuid,
                     const std::string& snapshot_uuid) {
  const Snapshot& snapshot = *world.snapshots.Find(snapshot_uuid);
  for (const NvmeNamespace* ns : world.NamespacesOf(volume_uuid)) {
    const bool was_there =
        std::any_of(snapshot.contents.begin(), snapshot.contents.end(),
                    [&](const SavedNamespace& saved) { return saved.ns.uuid == ns->uuid; });
    if (!was_there) world.RemoveNamespace(ns->uuid);
  }
  for (const SavedNamespace& saved : snapshot.contents) {
    NvmeNamespace* ns = world.namespaces.Find(saved.ns.uuid);
    if (ns == nullptr) {
      // Deleted since: it comes back as it was, except that nothing maps it.
      NvmeNamespace revived = saved.ns;
      revived.subsystem_uuid.clear();
      revived.nsid = 0;
      ns = &world.namespaces.Add(std::move(revived));
    }
    world.blocks().Restore(saved.image->id(), ns->uuid);
    const bool is_resized = ns->size_bytes != saved.ns.size_bytes;
    ns->size_bytes = saved.ns.size_bytes;
    const Subsystem* subsystem = world.subsystems.Find(ns->subsystem_uuid);
    if (is_resized && subsystem != nullptr) {
      world.fabric().SizeChanged(subsystem->target_nqn, ns->nsid);
    }
  }
  bool is_newer = false;
  for (const Snapshot* other : world.SnapshotsOf(volume_uuid)) {
    const bool is_target = other->uuid == snapshot_uuid;
    if (is_newer) world.RemoveSnapshot(other->uuid);
    is_newer = is_newer || is_target;
  }
}

}  // namespace ontapnvme::sim
