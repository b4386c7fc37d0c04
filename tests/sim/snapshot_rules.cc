// SPDX-License-Identifier: AGPL-3.0-or-later
#include "snapshot_rules.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>

#include "api_error.h"
#include "ransomware.h"

namespace ontapnvme::sim {
namespace {

constexpr int kOffline = 524479;
constexpr int kTooMany = 525062;
constexpr int kBadName = 1638518;
constexpr int kReservedName = 1638477;
constexpr int kRestoreRefused = 524511;
constexpr int kRestoreNotOnline = 9437885;
constexpr int kNewerLocked = 9437886;
constexpr int kUndocumented = 4242;
constexpr int kForceSince = 19;  // 9.19.1
constexpr std::size_t kPerVolumeMaximum = 1023;
constexpr std::size_t kNameMaximum = 255;

void RequireRestorableMapped(const World& world) {
  const Switches& switches = world.settings.switches;
  const std::string message = "The volume has a mapped namespace";
  if (switches.Is("restore_mapped", "refuse")) RefuseConflict(kRestoreRefused, message);
  if (switches.Is("restore_mapped", "refuse_400")) Refuse(kUndocumented, message);
  if (switches.Is("restore_mapped", "refuse_409")) RefuseConflict(kUndocumented, message);
}

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
  const bool is_split = world.SplitPercent(volume).has_value();
  if (is_split && world.settings.switches.Is("snapshot_while_split", "refuse")) {
    RefuseConflict(kUndocumented, "Volume \"" + volume.name + "\" is being split");
  }
  if (volume.state != "online") Refuse(kOffline, "Volume \"" + volume.name + "\" is not online");
  if (world.SnapshotsOf(volume.uuid).size() >= kPerVolumeMaximum) {
    Refuse(kTooMany, "Volume \"" + volume.name + "\" has the maximum number of snapshots");
  }
  if (world.FindSnapshot(volume.uuid, name) != nullptr) {
    RefuseConflict(snapshot_code::kExists, "Snapshot \"" + name + "\" exists", "name");
  }
}

void RequireRenamable(World& world, const Snapshot& snapshot, const std::string& name) {
  if (IsLocked(world, snapshot) && world.settings.switches.Is("locked_snapshot_rename", "refuse")) {
    RefuseConflict(snapshot_code::kLocked, "Snapshot \"" + snapshot.name + "\" has not expired");
  }
  RequireSnapshotPossible(world, *world.volumes.Find(snapshot.volume_uuid), name);
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
  if (IsLocked(world, snapshot)) {
    RefuseConflict(snapshot_code::kLocked, "Snapshot \"" + snapshot.name + "\" has not expired");
  }
  if (OwnersOf(world, snapshot).empty()) return;
  // The base of a clone is locked in the clone and busy in the parent.
  const bool is_locked =
      snapshot.is_clone_base || world.settings.switches.Is("held_snapshot_code", "1638555");
  const int refusal = is_locked ? snapshot_code::kLocked : snapshot_code::kHasOwner;
  RefuseConflict(refusal, "Snapshot \"" + snapshot.name + "\" has an owner: volume_clone");
}

void RequireRestorable(World& world, const Volume& volume, const Snapshot& snapshot,
                       bool is_forced) {
  if (volume.state != "online") Refuse(kRestoreNotOnline, "The volume is not online");
  bool is_newer = false;
  for (const Snapshot* other : world.SnapshotsOf(volume.uuid)) {
    if (is_newer && !OwnersOf(world, *other).empty()) {
      RefuseConflict(kRestoreRefused,
                     "Snapshot \"" + other->name + "\" is newer and has an owner: volume_clone");
    }
    if (is_newer && IsLocked(world, *other)) {
      RefuseConflict(kNewerLocked, "Snapshot \"" + other->name + "\" is newer and locked");
    }
    if (is_newer && !is_forced && world.settings.release.Has(kForceSince) &&
        world.settings.switches.Is("restore_past_newer", "refuse")) {
      RefuseConflict(kRestoreRefused, "Snapshot \"" + other->name + "\" is newer");
    }
    is_newer = is_newer || other->uuid == snapshot.uuid;
  }
  if (world.IsMapped(volume.uuid)) RequireRestorableMapped(world);
}

namespace {

// Whether it keeps its map and identity is not known of real arrays.
void Reidentify(World& world, const std::string& uuid, const std::string& subsystem_uuid) {
  const Switches& switches = world.settings.switches;
  NvmeNamespace* ns = world.namespaces.Find(uuid);
  const unsigned nsid_before = ns->nsid;
  const bool is_new = switches.Is("restore_identity", "new_uuid");
  const bool is_remapped = is_new || switches.Is("restore_identity", "new_nsid");
  const bool is_unmapped = switches.Is("restore_map", "gone");
  if (is_unmapped || is_remapped) world.Unmap(ns);
  if (is_new) {
    ns = &world.Renew(uuid);
  }
  const Subsystem* subsystem = world.subsystems.Find(subsystem_uuid);
  if (is_unmapped || !is_remapped || subsystem == nullptr) return;
  ns->subsystem_uuid = subsystem_uuid;
  ns->nsid = nsid_before;
  for (const NvmeNamespace& other : world.namespaces) {
    const bool is_there = other.subsystem_uuid == subsystem_uuid && other.uuid != ns->uuid;
    if (is_there) ns->nsid = std::max(ns->nsid, other.nsid);
  }
  ++ns->nsid;
  world.fabric().Attach(subsystem->target_nqn, world.TargetOf(*ns));
}

}  // namespace

void RestoreContents(World& world, const std::string& volume_uuid,
                     const std::string& snapshot_uuid) {
  const Snapshot& snapshot = *world.snapshots.Find(snapshot_uuid);
  std::map<std::string, std::string> maps;  // by the names of namespaces: their subsystems
  for (const NvmeNamespace* ns : world.NamespacesOf(volume_uuid)) {
    maps[ns->base_name] = ns->subsystem_uuid;
  }
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
    Reidentify(world, saved.ns.uuid, maps[saved.ns.base_name]);
  }
  bool is_newer = false;
  for (const Snapshot* other : world.SnapshotsOf(volume_uuid)) {
    const bool is_target = other->uuid == snapshot_uuid;
    if (is_newer) world.RemoveSnapshot(other->uuid);
    is_newer = is_newer || is_target;
  }
}

}  // namespace ontapnvme::sim
