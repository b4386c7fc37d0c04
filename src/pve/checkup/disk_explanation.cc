// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/checkup/disk_explanation.h"

#include <array>
#include <ctime>

#include "base/text.h"

namespace ontapnvme::pve {
namespace {

using catalogue::Mapping;

std::string Bytes(ByteCount size) {
  return std::to_string(size.bytes()) + " bytes";
}

std::string Utc(std::chrono::sys_seconds time) {
  const std::time_t seconds = time.time_since_epoch().count();
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%F %T UTC", &parts)};
}

void Tell(DiskFacts& facts, std::string part, std::string name, std::string value) {
  facts.push_back({std::move(part), std::move(name), std::move(value)});
}

void TellOdd(DiskFacts& facts, std::string part, std::string name, std::string value) {
  facts.push_back({std::move(part), std::move(name), std::move(value), true});
}

void TellMark(DiskFacts& facts, const catalogue::Volume& volume) {
  const Mark& mark = volume.mark.mark;
  if (volume.mark.owner == Owner::kUnmarked) {
    Tell(facts, "mark", "owner", "unmarked: made by an earlier release, and counts as ours");
    return;
  }
  Tell(facts, "mark", "cluster", mark.cluster_id);
  Tell(facts, "mark", "storage", mark.storage_id);
  if (mark.vmid != volume.name.vmid) {
    TellOdd(
        facts, "mark", "vmid",
        std::to_string(mark.vmid) + ", while the name says " + std::to_string(volume.name.vmid));
  } else {
    Tell(facts, "mark", "vmid", std::to_string(mark.vmid));
  }
  Tell(facts, "mark", "operation", mark.operation_id);
  if (!mark.base_name.empty()) Tell(facts, "mark", "base", mark.base_name);
  if (mark.is_protected) Tell(facts, "mark", "protected", "yes");
  if (!mark.notes.empty()) Tell(facts, "mark", "notes", CleanText(mark.notes));
}

void TellContainer(DiskFacts& facts, const catalogue::Disk& disk) {
  const auto& volume = disk.volume;
  Tell(facts, "container", "name", volume.container_name);
  Tell(facts, "container", "uuid", volume.container.Text());
  Tell(facts, "container", "size", Bytes(volume.container_size));
  if (disk.is_near_ceiling) {
    TellOdd(
        facts, "container", "used",
        Bytes(volume.used) + ", nine tenths of what it may grow to: delete snapshots or raise it");
  } else {
    Tell(facts, "container", "used", Bytes(volume.used));
  }
  Tell(facts, "container", "created", Utc(volume.create_time));
  if (volume.is_clone)
    Tell(facts, "container", "clone", "it shares blocks with what it was made of");
  if (volume.group) {
    Tell(facts, "group", "name", volume.group->name);
    Tell(facts, "group", "uuid", volume.group->uuid.Text());
  } else if (volume.name.IsGroupMember()) {
    Tell(facts, "group", "none", "its snapshots are taken alone");
  }
}

void TellNamespace(DiskFacts& facts, const catalogue::DiskNamespace& ns,
                   const std::string& subsystem) {
  Tell(facts, "namespace", "uuid", ns.uuid.Text());
  Tell(facts, "namespace", "size", Bytes(ns.size));
  Tell(facts, "namespace", "used", Bytes(ns.used));
  if (ns.fault) TellOdd(facts, "namespace", "served", "no: " + ns.fault->Plain());
  switch (ns.mapping) {
    case Mapping::kUnread:
      break;
    case Mapping::kNone:
      TellOdd(facts, "map", "none", "no node sees it; activating the volume maps it");
      break;
    case Mapping::kHere:
      Tell(facts, "map", "subsystem", subsystem);
      break;
    case Mapping::kElsewhere:
      TellOdd(facts, "map", "subsystem",
              "'" + ns.mapped_to + "', while the storage's is '" + subsystem + "'");
      break;
  }
}

}  // namespace

Result<DiskFacts> DiskExplanation::Explain(const VolumeName& name, const Deadline& deadline) {
  TRY(const auto disk,
      array_.disks()
          .Find(name, deadline)
          .Require(Error(ErrorCode::kNotFound, "the array has no volume '" + name.Text() + "'")));
  DiskFacts facts;
  Tell(facts, "volume", "name", disk.volume.name.Text());
  TellMark(facts, disk.volume);
  TellContainer(facts, disk);
  if (disk.ns) {
    TellNamespace(facts, *disk.ns, config_.subsystem);
  } else {
    TellOdd(facts, "namespace", "none", "half-made: an interrupted operation left it");
  }
  TellSnapshots(facts, name, deadline);
  TellShown(facts, name, deadline);
  if (disk.ns) TellDevice(facts, *disk.ns);
  return facts;
}

void DiskExplanation::TellSnapshots(DiskFacts& facts, const VolumeName& name,
                                    const Deadline& deadline) {
  const auto snapshots = array_.snapshots().List(name, deadline);
  if (!snapshots.ok()) {
    TellOdd(facts, "snapshot", "unknown", snapshots.error().Plain());
    return;
  }
  for (const auto& snapshot : *snapshots) {
    const bool is_ours = snapshot.name.OfProxmox().has_value();
    std::string value = Utc(snapshot.create_time) + ", " + snapshot.uuid.Text() + ", " +
                        (is_ours ? "of Proxmox VE" : "of the array or its administrator");
    if (snapshot.is_locked_by_array) value += ", locked against ransomware";
    Tell(facts, "snapshot", snapshot.name.Text(), value);
  }
}

void DiskExplanation::TellShown(DiskFacts& facts, const VolumeName& name,
                                const Deadline& deadline) {
  const auto shown = array_.snapshots().ListDevices(deadline);
  if (!shown.ok()) {
    TellOdd(facts, "shown", "unknown", shown.error().Plain());
    return;
  }
  for (const auto& device : *shown) {
    if (!(device.shown.volume == name)) continue;
    Tell(facts, "shown", device.shown.snapshot.Text(),
         "as '" + device.container_name + "' to " + device.shown.host_nqn);
  }
}

void DiskExplanation::TellDevice(DiskFacts& facts, const catalogue::DiskNamespace& ns) {
  const auto target = array_.RememberedTarget();
  if (!target) {
    Tell(facts, "device", "none", "this node has not used the storage yet");
    return;
  }
  nvme::WantedDevice wanted;
  wanted.uuid = ns.uuid;
  wanted.subsystem_nqn = target->subsystem_nqn;
  wanted.size = ns.size;
  const auto device = host_.FindAnySize(wanted);
  if (!device.ok()) {
    if (device.error().code() == ErrorCode::kDeviceMissing) {
      Tell(facts, "device", "none", "not on this node");
    } else {
      TellOdd(facts, "device", "unknown", device.error().Plain());
    }
    return;
  }
  Tell(facts, "device", "path", device->path);
  if (!device->stable_path.empty()) Tell(facts, "device", "by-id", device->stable_path);
  if (device->size == ns.size) {
    Tell(facts, "device", "size", Bytes(device->size));
  } else {
    TellOdd(facts, "device", "size",
            Bytes(device->size) + ", while the namespace has " + Bytes(ns.size));
  }
  const auto usage = host_.Usage(*device);
  Tell(facts, "device", "in use by", usage.is_used ? usage.by : "nobody on this node");
  if (device->live_paths == 0) {
    TellOdd(facts, "path", "live", "none: whoever opens it waits (" + device->path_states + ")");
  } else {
    Tell(facts, "path", "live",
         std::to_string(device->live_paths) + " (" + device->path_states + ")");
  }
}

Result<VolumeName> DiskExplanation::WhichIs(const std::string& what, const Deadline& deadline) {
  const auto uuid = Uuid::Parse(what);
  TRY(const auto disks, array_.disks().List(std::nullopt, deadline));
  for (const auto& disk : disks) {
    const bool is_it = uuid ? disk.volume.container == *uuid || (disk.ns && disk.ns->uuid == *uuid)
                            : disk.volume.container_name == what;
    if (is_it) return disk.volume.name;
  }
  return Error(ErrorCode::kNotFound, "no disk of the storage has or is '" + what + "'");
}

}  // namespace ontapnvme::pve
