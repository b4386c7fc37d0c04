// SPDX-License-Identifier: AGPL-3.0-or-later
#include "world.h"

#include <algorithm>
#include <ctime>
#include <unordered_set>

#include "ransomware.h"

namespace ontapnvme::sim {
namespace {

template <class T, class Predicate>
T* FindIf(Table<T>& table, Predicate predicate) {
  const auto found = std::find_if(table.begin(), table.end(), predicate);
  return found == table.end() ? nullptr : &*found;
}

std::uint64_t SaturatingSubtract(std::uint64_t from, std::uint64_t what) {
  return from > what ? from - what : 0;
}

std::string Formatted(Time time, const char* format) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[40];
  const std::size_t length = std::strftime(text, sizeof text, format, &parts);
  return {text, length};
}

}  // namespace

bool Lif::CarriesNvme() const {
  return std::find(services.begin(), services.end(), "data_nvme_tcp") != services.end();
}

World::World(BlockStore* blocks, Fabric* fabric, Clock clock, std::uint64_t seed)
    : blocks_(blocks),
      fabric_(fabric),
      clock_(std::move(clock)),
      random_(seed != 0 ? seed : std::random_device{}()) {
  cluster_uuid = NewUuid();
}

std::string World::NewHex(std::size_t digits) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (std::size_t i = 0; i < digits; ++i) hex += kDigits[random_() % 16];
  return hex;
}

std::string World::NewUuid() {
  std::string uuid = NewHex(32);
  uuid[12] = '4';
  uuid[16] = 'a';
  for (const std::size_t dash : {20U, 16U, 12U, 8U}) uuid.insert(dash, 1, '-');
  return uuid;
}

std::string World::NewSerial(std::size_t characters) {
  static constexpr char kLetters[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string serial;
  for (std::size_t i = 0; i < characters; ++i) serial += kLetters[random_() % 64];
  return serial;
}

Svm* World::FindSvm(const std::string& name) {
  return FindIf(svms, [&](const Svm& svm) { return svm.name == name; });
}

Aggregate* World::FindAggregate(const std::string& name) {
  return FindIf(aggregates, [&](const Aggregate& aggregate) { return aggregate.name == name; });
}

Node* World::FindNode(const std::string& name) {
  const auto found =
      std::find_if(nodes.begin(), nodes.end(), [&](const Node& node) { return node.name == name; });
  return found == nodes.end() ? nullptr : &*found;
}

Volume* World::FindVolume(const std::string& svm_uuid, const std::string& name) {
  return FindIf(volumes, [&](const Volume& volume) {
    return volume.svm_uuid == svm_uuid && volume.name == name;
  });
}

Subsystem* World::FindSubsystem(const std::string& svm_uuid, const std::string& name) {
  return FindIf(subsystems, [&](const Subsystem& subsystem) {
    return subsystem.svm_uuid == svm_uuid && subsystem.name == name;
  });
}

NvmeNamespace* World::FindNamespace(const std::string& svm_uuid, const std::string& path) {
  return FindIf(namespaces, [&](const NvmeNamespace& ns) {
    return SvmOf(ns) == svm_uuid && PathOf(ns) == path;
  });
}

Snapshot* World::FindSnapshot(const std::string& volume_uuid, const std::string& name) {
  return FindIf(snapshots, [&](const Snapshot& snapshot) {
    return snapshot.volume_uuid == volume_uuid && snapshot.name == name;
  });
}

QosPolicy* World::FindQosPolicy(const std::string& svm_uuid, const std::string& name) {
  return FindIf(qos_policies, [&](const QosPolicy& policy) {
    return policy.svm_uuid == svm_uuid && policy.name == name;
  });
}

SnapshotPolicy* World::FindSnapshotPolicy(const std::string& svm_uuid, const std::string& name) {
  return FindIf(snapshot_policies, [&](const SnapshotPolicy& policy) {
    return policy.name == name && (policy.svm_uuid.empty() || policy.svm_uuid == svm_uuid);
  });
}

ConsistencyGroup* World::FindGroup(const std::string& svm_uuid, const std::string& name) {
  return FindIf(groups, [&](const ConsistencyGroup& group) {
    return group.svm_uuid == svm_uuid && group.name == name;
  });
}

ConsistencyGroup* World::GroupOf(const std::string& volume_uuid) {
  return FindIf(groups, [&](const ConsistencyGroup& group) {
    return std::find(group.volume_uuids.begin(), group.volume_uuids.end(), volume_uuid) !=
           group.volume_uuids.end();
  });
}

std::vector<NvmeNamespace*> World::NamespacesOf(const std::string& volume_uuid) {
  std::vector<NvmeNamespace*> found;
  for (NvmeNamespace& ns : namespaces) {
    if (ns.volume_uuid == volume_uuid) found.push_back(&ns);
  }
  return found;
}

std::vector<Snapshot*> World::SnapshotsOf(const std::string& volume_uuid) {
  std::vector<Snapshot*> found;
  for (Snapshot& snapshot : snapshots) {
    if (snapshot.volume_uuid == volume_uuid) found.push_back(&snapshot);
  }
  return found;
}

std::vector<std::string> World::ClonesOf(const std::string& volume_uuid) const {
  std::vector<std::string> names;
  const auto collect = [&](const Volume& volume) {
    if (volume.clone && volume.clone->volume_uuid == volume_uuid) names.push_back(volume.name);
  };
  for (const Volume& volume : volumes) collect(volume);
  if (settings.switches.Is("queued_clones_hold_parent", "yes")) {
    for (const QueuedVolume& queued : recovery_queue) collect(queued.volume);
  }
  return names;
}

std::optional<int> World::SplitPercent(const Volume& clone) const {
  if (!clone.clone || !clone.clone->split_since) return std::nullopt;
  const auto lasts = std::chrono::seconds(settings.switches.Number("split_s"));
  const auto past = Now() - *clone.clone->split_since;
  return past >= lasts ? 100 : static_cast<int>(past * 100 / lasts);
}

void World::FinishSplits() {
  for (Volume& volume : volumes) {
    if (SplitPercent(volume) != 100) continue;
    std::vector<std::string> lost;
    for (Snapshot* snapshot : SnapshotsOf(volume.uuid)) {
      snapshot->is_clone_base = false;
      if (settings.switches.Is("split_snapshots", "gone")) lost.push_back(snapshot->uuid);
    }
    for (const auto& uuid : lost) snapshots.Erase(uuid);
    volume.clone.reset();
  }
}

int World::MovePercent(const Movement& movement) const {
  const auto lasts = std::chrono::seconds(settings.switches.Number("move_s"));
  const auto past = Now() - movement.since;
  return past >= lasts ? 100 : static_cast<int>(past * 100 / lasts);
}

void World::FinishMoves() {
  for (Volume& volume : volumes) {
    const auto& movement = volume.movement;
    if (!movement || movement->has_failed || MovePercent(*movement) != 100) continue;
    volume.aggregate_uuid = volume.movement->aggregate_uuid;
    volume.movement.reset();
  }
}

bool World::HasClone(const std::string& snapshot_uuid) {
  const auto is_child = [&](const Volume& volume) {
    return volume.clone && volume.clone->snapshot_uuid == snapshot_uuid;
  };
  return std::any_of(volumes.begin(), volumes.end(), is_child) ||
         (settings.switches.Is("queued_clones_hold_parent", "yes") &&
          std::any_of(recovery_queue.begin(), recovery_queue.end(),
                      [&](const QueuedVolume& queued) { return is_child(queued.volume); }));
}

std::string World::PathOf(const NvmeNamespace& ns) const {
  const Volume* volume = volumes.Find(ns.volume_uuid);
  return "/vol/" + (volume == nullptr ? std::string("?") : volume->name) + "/" + ns.base_name;
}

std::string World::SvmOf(const NvmeNamespace& ns) const {
  const Volume* volume = volumes.Find(ns.volume_uuid);
  return volume == nullptr ? std::string() : volume->svm_uuid;
}

bool World::IsMapped(const std::string& volume_uuid) {
  const auto inside = NamespacesOf(volume_uuid);
  return std::any_of(inside.begin(), inside.end(),
                     [](const NvmeNamespace* ns) { return !ns->subsystem_uuid.empty(); });
}

std::uint64_t World::UsedBytes(const Volume& volume) {
  std::uint64_t used = volume.bytes_in_snapshots;
  for (const NvmeNamespace* ns : NamespacesOf(volume.uuid)) {
    used += volume.is_thick ? ns->size_bytes : blocks().AllocatedBytes(ns->uuid);
  }
  return used;
}

std::uint64_t World::FootprintBytes(const Volume& volume) {
  return volume.is_thick ? volume.size_bytes : UsedBytes(volume);
}

// One pass over the namespaces: asking volume by volume would make every create quadratic.
std::uint64_t World::AggregateUsedBytes(const Aggregate& aggregate) {
  std::uint64_t used = aggregate.foreign_used_bytes;
  std::unordered_set<std::string> thin;
  const auto count = [&](const Volume& volume) {
    if (volume.aggregate_uuid != aggregate.uuid) return;
    if (volume.is_thick) {
      used += volume.size_bytes;
    } else {
      thin.insert(volume.uuid);
    }
  };
  for (const Volume& volume : volumes) count(volume);
  for (const QueuedVolume& queued : recovery_queue) count(queued.volume);
  for (const NvmeNamespace& ns : namespaces) {
    if (thin.count(ns.volume_uuid) != 0) used += blocks().AllocatedBytes(ns.uuid);
  }
  return used;
}

std::uint64_t World::AggregateAvailableBytes(const Aggregate& aggregate) {
  return SaturatingSubtract(aggregate.size_bytes, AggregateUsedBytes(aggregate));
}

std::uint64_t World::SvmAllocatedBytes(const Svm& svm) {
  // A volume that may grow counts with what it may grow to; recovery-queue volumes still count.
  const auto counted = [](const Volume& volume) {
    return volume.autosize.mode == "off"
               ? volume.size_bytes
               : std::max(volume.size_bytes, volume.autosize.maximum_bytes);
  };
  std::uint64_t allocated = 0;
  for (const Volume& volume : volumes) {
    if (volume.svm_uuid == svm.uuid) allocated += counted(volume);
  }
  for (const QueuedVolume& queued : recovery_queue) {
    if (queued.volume.svm_uuid == svm.uuid) allocated += counted(queued.volume);
  }
  return allocated;
}

TargetNamespace World::TargetOf(const NvmeNamespace& ns) const {
  const Volume* volume = volumes.Find(ns.volume_uuid);
  const Aggregate* aggregate = aggregates.Find(volume->aggregate_uuid);
  TargetNamespace target;
  target.nsid = ns.nsid;
  target.uuid = ns.uuid;
  target.nguid = ns.nguid;
  target.device_path = blocks().DevicePath(ns.uuid);
  target.block_size_bytes = static_cast<std::uint32_t>(ns.block_size);
  target.node_name = aggregate->node_name;
  target.labels = {svms.Find(volume->svm_uuid)->name, volume->name, PathOf(ns)};
  return target;
}

void World::Republish(const Volume& volume) {
  for (const NvmeNamespace* ns : NamespacesOf(volume.uuid)) {
    const Subsystem* subsystem = subsystems.Find(ns->subsystem_uuid);
    if (subsystem == nullptr) continue;
    const TargetNamespace target = TargetOf(*ns);
    fabric().SetLabels(subsystem->target_nqn, ns->nsid, target.labels, target.node_name);
  }
}

bool World::IsListed(Time create_time) const {
  const std::chrono::milliseconds late(settings.switches.Number("late_listing_ms"));
  return late.count() == 0 || Now() - create_time >= late;
}

bool World::IsFoundByUuid(Time create_time) const {
  return settings.switches.Is("late_by_uuid", "no") || IsListed(create_time);
}

void World::BringClonesOnline() {
  for (Volume& volume : volumes) {
    if (!volume.online_time || Now() < *volume.online_time) continue;
    volume.state = "online";
    volume.online_time.reset();
  }
}

NvmeNamespace& World::Renew(const std::string& uuid) {
  NvmeNamespace copy = *namespaces.Find(uuid);
  copy.uuid = NewUuid();
  copy.nguid = NewHex(32);
  const std::string image = NewUuid();
  blocks().Save(uuid, image);
  blocks().Clone(image, copy.uuid);
  blocks().DropImage(image);
  RemoveNamespace(uuid);
  return namespaces.Add(std::move(copy));
}

void World::Unmap(NvmeNamespace* ns) {
  const std::string subsystem_uuid = ns->subsystem_uuid;
  Subsystem* subsystem = subsystems.Find(subsystem_uuid);
  if (subsystem == nullptr) return;
  fabric().Detach(subsystem->target_nqn, ns->nsid);
  ns->subsystem_uuid.clear();
  ns->nsid = 0;
  const bool is_last = std::none_of(
      namespaces.begin(), namespaces.end(),
      [&](const NvmeNamespace& other) { return other.subsystem_uuid == subsystem_uuid; });
  if (is_last && subsystem->is_delete_on_unmap) {
    fabric().RemoveSubsystem(subsystem->target_nqn);
    subsystems.Erase(subsystem_uuid);
  }
}

void World::RemoveNamespace(const std::string& uuid) {
  NvmeNamespace* ns = namespaces.Find(uuid);
  if (ns == nullptr) return;
  const std::string gone = uuid;  // the caller's may live inside the object
  Unmap(ns);
  blocks().Remove(gone);
  namespaces.Erase(gone);
}

void World::DestroyVolumeContents(const std::string& volume_uuid) {
  for (const NvmeNamespace* ns : NamespacesOf(volume_uuid)) RemoveNamespace(ns->uuid);
  for (const Snapshot* snapshot : SnapshotsOf(volume_uuid)) RemoveSnapshot(snapshot->uuid);
  std::vector<std::string> inside;
  for (const Lun& lun : luns) {
    if (lun.volume_uuid == volume_uuid) inside.push_back(lun.uuid);
  }
  for (const std::string& uuid : inside) {
    blocks().Remove(uuid);
    luns.Erase(uuid);
  }
}

void World::LeaveGroup(const std::string& volume_uuid) {
  ConsistencyGroup* group = GroupOf(volume_uuid);
  if (group == nullptr) return;
  auto& members = group->volume_uuids;
  members.erase(std::remove(members.begin(), members.end(), volume_uuid), members.end());
  group->deleted_names.erase(volume_uuid);
  const bool is_over = members.empty() && settings.switches.Is("empty_groups", "vanish");
  const std::string group_uuid = group->uuid;
  std::vector<std::string> done;
  for (GroupSnapshot& snapshot : group_snapshots) {
    if (snapshot.group_uuid != group_uuid) continue;
    for (const GroupSnapshotMember& member : snapshot.members) {
      if (member.volume_uuid == volume_uuid) snapshot.is_invalid = true;
    }
    if (is_over) done.push_back(snapshot.uuid);
  }
  for (const std::string& uuid : done) group_snapshots.Erase(uuid);
  if (is_over) groups.Erase(group_uuid);
}

void World::LeaveGroupDeleted(const Volume& volume) {
  ConsistencyGroup* group = GroupOf(volume.uuid);
  if (group == nullptr) return;
  if (settings.switches.Is("deleted_volume_in_group", "leaves")) {
    LeaveGroup(volume.uuid);
  } else {
    group->deleted_names[volume.uuid] = volume.name;
  }
}

bool World::HasLivingMembers(const ConsistencyGroup& group) const {
  return std::any_of(group.volume_uuids.begin(), group.volume_uuids.end(),
                     [&](const std::string& uuid) { return volumes.Find(uuid) != nullptr; });
}

void World::RemoveSnapshot(const std::string& uuid) {
  const std::string gone = uuid;  // the caller's may live inside the object
  snapshots.Erase(gone);
  std::vector<std::string> empty;
  for (GroupSnapshot& group_snapshot : group_snapshots) {
    const auto& members = group_snapshot.members;
    if (std::none_of(members.begin(), members.end(), [&](const GroupSnapshotMember& member) {
          return member.snapshot_uuid == gone;
        })) {
      continue;
    }
    group_snapshot.is_invalid = true;
    // A group that outlived its members keeps its snapshots too.
    const ConsistencyGroup* group = groups.Find(group_snapshot.group_uuid);
    if (group != nullptr && !HasLivingMembers(*group)) continue;
    if (std::none_of(members.begin(), members.end(), [&](const GroupSnapshotMember& member) {
          return snapshots.Find(member.snapshot_uuid) != nullptr;
        })) {
      empty.push_back(group_snapshot.uuid);
    }
  }
  for (const std::string& group_snapshot : empty) group_snapshots.Erase(group_snapshot);
}

std::string World::Timestamp(Time time) {
  return Formatted(time, "%Y-%m-%dT%H:%M:%S+00:00");
}

std::string World::HttpDate(Time time) {
  return Formatted(time, "%a, %d %b %Y %H:%M:%S GMT");
}

nlohmann::json World::SvmReference(const std::string& svm_uuid) const {
  const Svm* svm = svms.Find(svm_uuid);
  if (svm == nullptr) return nullptr;
  return {{"uuid", svm->uuid}, {"name", svm->name}};
}

nlohmann::json World::NodeReference(const std::string& name) const {
  for (const Node& node : nodes) {
    if (node.name == name) return {{"uuid", node.uuid}, {"name", node.name}};
  }
  return {{"name", name}};
}

// Deleted as far as its owner can: queued clones, or locked snapshots, still hold it.
bool World::IsWaitingToGo(const std::string& volume_uuid) {
  const Volume* volume = volumes.Find(volume_uuid);
  return volume->name.find("pve_deleted_") != std::string::npos &&
         (!ClonesOf(volume_uuid).empty() || HasLocked(*this, volume_uuid));
}

std::vector<std::string> World::Orphans() {
  std::vector<std::string> lines;
  for (const Volume& volume : volumes) {
    if (volume.is_svm_root) continue;
    if (NamespacesOf(volume.uuid).empty()) {
      lines.push_back("volume without namespace: " + volume.name);
    }
    // Only a VM's ordinary disks belong into a group.
    const bool is_vm_disk = volume.name.find("vm_") != std::string::npos &&
                            volume.name.find("_disk_") != std::string::npos;
    if (is_vm_disk && GroupOf(volume.uuid) == nullptr) {
      lines.push_back("volume outside its group: " + volume.name);
    }
  }
  for (const NvmeNamespace& ns : namespaces) {
    const bool is_queued =
        std::any_of(recovery_queue.begin(), recovery_queue.end(),
                    [&](const QueuedVolume& queued) { return queued.uuid == ns.volume_uuid; });
    if (is_queued) continue;
    if (volumes.Find(ns.volume_uuid) == nullptr) {
      lines.push_back("namespace without volume: " + ns.uuid);
    } else if (ns.subsystem_uuid.empty() && !IsWaitingToGo(ns.volume_uuid)) {
      lines.push_back("namespace without map: " + PathOf(ns));
    }
  }
  for (const ConsistencyGroup& group : groups) {
    if (group.volume_uuids.empty()) lines.push_back("empty group: " + group.name);
    for (const std::string& uuid : group.volume_uuids) {
      if (volumes.Find(uuid) == nullptr) {
        lines.push_back("group with a deleted volume: " + group.name);
      }
    }
  }
  for (const GroupSnapshot& snapshot : group_snapshots) {
    if (groups.Find(snapshot.group_uuid) == nullptr) {
      lines.push_back("group snapshot without group: " + snapshot.name);
    }
  }
  return lines;
}

}  // namespace ontapnvme::sim
