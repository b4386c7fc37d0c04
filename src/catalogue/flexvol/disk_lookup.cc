// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/flexvol/disk_lookup.h"

#include <set>

#include "base/look_again.h"
#include "catalogue/flexvol/records/disk_records.h"
#include "catalogue/refusals.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

std::string Shown(const VolumeName& name) {
  return "volume '" + name.Text() + "'";
}

// What the cluster remembers should be there: one look that does not show it says little. It is not
// waited for on an SVM that is not there.
template <typename Look, typename IsThere>
auto LookFor(const VolumeName& name, const Session& session, Look look, IsThere is_there,
             const Deadline& deadline) -> decltype(look()) {
  auto seen = look();
  if (!seen.ok() || is_there(*seen) || !session.memory.Find(name)) return seen;
  if (auto doubt = DoubtOfSvm(session, deadline)) return std::move(*doubt);
  return LookAgain(look, is_there, deadline);
}

Error Contradiction(const VolumeName& name, const std::string& reason, const std::string& hint) {
  return Error(ErrorCode::kUnavailable, "cannot tell whether " + Shown(name) + " exists")
      .Because(reason)
      .Try(hint);
}

Error WithoutNamespace(const VolumeName& name, const OwnedVolume& volume) {
  const auto& flexvol = volume->flexvol;
  if (flexvol.state != "online") {
    return Error(ErrorCode::kUnavailable, Shown(name) + " is not online on the array")
        .With("state", flexvol.state)
        .Try("bring FlexVol '" + flexvol.name + "' online");
  }
  return Error(ErrorCode::kConflict, Shown(name) + " is no whole disk")
      .Because("the array lists no namespace in FlexVol '" + flexvol.name +
               "', which may be half-made, or the array too busy to list it")
      .Try("try again, and look at the FlexVol on the array before you remove anything");
}

// Why the name leads to nothing although the array has a FlexVol of it.
std::optional<Error> OwnedByAnother(const Session& session, const VolumeName& name,
                                    const Deadline& deadline) {
  const auto foreign = session.gate.FindForeignOwner(name, deadline);
  if (!foreign.ok()) return foreign.error();
  if (!*foreign) return std::nullopt;
  const auto& [flexvol, cluster_id] = **foreign;
  auto error = Error(ErrorCode::kConflict, Shown(name) + " belongs to another cluster or storage")
                   .With("flexvol", flexvol);
  if (cluster_id.empty()) {
    return std::move(error)
        .Because("the comment of its FlexVol begins like a mark and is none: it was edited")
        .Try("give the FlexVol its comment back, or an empty one if nobody else uses it");
  }
  return std::move(error)
      .Because("the comment of its FlexVol says so")
      .With("cluster", CleanText(cluster_id))
      .Try(
          "use the name on the cluster that it belongs to; if that was this one before it was built "
          "anew, adopt its disks (docs/rebuilding-a-cluster.md, 'After rebuilding a cluster')");
}

}  // namespace

std::optional<Error> DoubtOfNamespace(const Session& session, const VolumeName& name,
                                      const Deadline& deadline) {
  const auto ns = session.memory.Find(name);
  if (!ns) return std::nullopt;
  const auto found = session.gate.LocateNamespace(*ns, deadline);
  if (!found.ok()) return found.error();
  if (!*found) return std::nullopt;
  return Contradiction(
      name, "the array lists its FlexVol, but not the namespace that is in '" + **found + "'",
      "try again when the array is less busy");
}

std::optional<Error> DoubtOf(const Session& session, const VolumeName& name,
                             const Deadline& deadline) {
  if (const auto ns = session.memory.Find(name)) {
    const auto found = session.gate.LocateNamespace(*ns, deadline);
    if (!found.ok()) return found.error();
    if (const auto here = session.gate.names().FlexVol(name); here.ok() && *found == *here) {
      if (auto doubt = DoubtOfSvm(session, deadline)) return doubt;
      return Contradiction(name, "the array has its namespace, but does not list it",
                           "try again when the array is less busy");
    }
    if (*found) {
      return Error(ErrorCode::kConflict,
                   "volume '" + name.Text() + "' is not where the cluster remembers it")
          .Because("its namespace is in FlexVol '" + **found + "'")
          .With("namespace", ns->Text())
          .Try("look whether that FlexVol was renamed on the array, and rename it back");
    }
  }
  if (auto doubt = OwnedByAnother(session, name, deadline)) return doubt;
  return DoubtOfSvm(session, deadline);
}

std::optional<Error> DoubtOfSvm(const Session& session, const Deadline& deadline) {
  // A node that remembers nothing has nothing to compare with.
  const auto now = session.facts.ReadSvm(deadline);
  if (!now.ok()) return now.error();
  if (auto running = CheckRunning(now->svm); !running.ok()) return std::move(running).error();
  if (!now->is_replaced) return std::nullopt;
  return ReplacedSvm(session.config, now->svm);
}

Found<Disk> DiskLookup::Find(const VolumeName& name, const Deadline& deadline) {
  auto& gate = session_->gate;
  session_->facts.Remembered();
  const auto is_settled = [](const std::optional<OwnedDisk>& seen) {
    return seen && (seen->ns || seen->volume->flexvol.state != "online");
  };
  auto found = LookFor(
      name, *session_, [&] { return gate.FindDisk(name, deadline); }, is_settled, deadline);
  if (!found.ok()) return std::move(found).error();
  if (!*found) {
    // The other question, alone: a namespace whose FlexVol is not listed is none of the above.
    const auto ns = gate.FindNamespace(name, deadline);
    if (!ns.ok()) return ns.error();
    if (*ns) {
      return Contradiction(name, "the array lists its namespace, but no FlexVol of this storage",
                           "try again; if it stays so, look whether the comment of FlexVol '" +
                               (**ns)->volume_name + "' was edited on the array");
    }
    if (auto doubt = DoubtOf(*session_, name, deadline)) return std::move(*doubt);
    return Found<Disk>::Absent();
  }
  const OwnedDisk& owned = **found;
  Disk disk{.volume = VolumeOf(owned.volume), .ns = std::nullopt};
  // The array says of which base image a marked volume is a clone; of an unmarked one only Proxmox
  // may know, since a split on the array forgets the parent.
  if (owned.volume->mark.owner == Owner::kUnmarked && disk.volume.name.base_name.empty()) {
    disk.volume.name.base_name = name.base_name;
  }
  if (!owned.ns) {
    // Half-made holds nothing; a namespace that is only not listed is a disk.
    if (auto doubt = DoubtOfNamespace(*session_, name, deadline)) return std::move(*doubt);
  }
  // One that somebody has mapped by hand may be in use: then it is not taken for a half-made volume.
  const bool is_mapped = owned.ns && (*owned.ns)->subsystem_uuid;
  if (owned.ns && (is_mapped || !IsBegun(owned.volume))) {
    auto ns = MappedNamespaceOf(*owned.ns, Shown(name), session_->facts, deadline);
    if (!ns.ok()) return std::move(ns).error();
    disk.ns = std::move(*ns);
  }
  disk.is_near_ceiling = IsNearCeiling(session_->config, owned);
  return disk;
}

Found<DiskNamespace> DiskLookup::Mapped(const VolumeName& name, const OwnedNamespace& found,
                                        const Deadline& deadline) {
  auto ns = MappedNamespaceOf(found, Shown(name), session_->facts, deadline);
  if (!ns.ok()) return std::move(ns).error();
  return std::move(*ns);
}

Found<DiskNamespace> DiskLookup::FindNamespace(const VolumeName& name, const Deadline& deadline) {
  auto& gate = session_->gate;
  session_->facts.Remembered();
  auto found = gate.FindNamespace(name, deadline);
  if (!found.ok()) return std::move(found).error();
  if (*found) return Mapped(name, **found, deadline);
  auto volume = gate.FindVolume(name, deadline);
  if (!volume.ok()) return volume.error();
  const bool is_offline = *volume && (**volume)->flexvol.state != "online";
  if (!is_offline && session_->memory.Find(name)) {
    if (auto doubt = DoubtOfSvm(*session_, deadline)) return std::move(*doubt);
    found = LookAgainUntilListed([&] { return gate.FindNamespace(name, deadline); }, deadline);
    if (!found.ok()) return std::move(found).error();
    if (*found) return Mapped(name, **found, deadline);
    volume = gate.FindVolume(name, deadline);
    if (!volume.ok()) return volume.error();
  }
  if (*volume) return WithoutNamespace(name, **volume);
  if (auto doubt = DoubtOf(*session_, name, deadline)) return std::move(*doubt);
  return Found<DiskNamespace>::Absent();
}

Result<std::vector<Disk>> DiskLookup::List(std::optional<std::uint64_t> vmid,
                                           const Deadline& deadline) {
  session_->facts.Remembered();
  TRY(const auto listed, session_->gate.ListDisks(vmid, deadline));
  if (listed.empty()) {
    if (auto doubt = DoubtOfSvm(*session_, deadline)) return std::move(*doubt);
  }
  std::vector<Disk> disks;
  for (const auto& one : listed) {
    if (!one.ns || one.is_ambiguous || IsBegun(one.volume)) continue;
    Disk disk{.volume = VolumeOf(one.volume), .ns = std::nullopt};
    disk.ns = NamespaceOf(*one.ns, Shown(disk.volume.name));
    disk.is_near_ceiling = IsNearCeiling(session_->config, one);
    disks.push_back(std::move(disk));
  }
  return disks;
}

Result<Neighbours> DiskLookup::ListNeighbours(const std::vector<std::uint64_t>& vmids,
                                              const std::optional<VolumeName>& also,
                                              const Deadline& deadline) {
  session_->facts.Remembered();
  // With svm_capacity the one listing is of all volumes instead of the VMs'.
  const auto listed = session_->config.svm_capacity ? Listed::kWholeSvm : Listed::kVms;
  TRY(auto found, session_->gate.ListVolumes({vmids.begin(), vmids.end()}, also, listed, deadline));
  Neighbours neighbours;
  for (const auto& one : found.ours) neighbours.ours.push_back(VolumeOf(one));
  neighbours.foreign = std::move(found.foreign);
  neighbours.used_on_svm = found.used_on_svm;
  return neighbours;
}

Result<std::vector<CopyProgress>> DiskLookup::ReadCopyProgress(std::uint64_t vmid,
                                                               const Deadline& deadline) {
  session_->facts.Remembered();
  TRY(const auto clones, session_->gate.ListFullClones({vmid}, deadline));
  std::vector<CopyProgress> all;
  for (const auto& clone : clones) {
    const auto& flexvol = clone->flexvol;
    const bool is_done = flexvol.parent_volume_name.empty() && !flexvol.split_percent;
    all.push_back({.name = clone->name,
                   .has_begun = is_done || flexvol.split_percent.has_value(),
                   .percent = is_done ? 100 : flexvol.split_percent.value_or(0)});
  }
  return all;
}

bool IsBegun(const OwnedVolume& volume) {
  return volume->mark.mark.full_clone == FullClone::kBegun;
}

Result<OwnedVolume> RequireVolume(const Session& session, const VolumeName& name,
                                  const Deadline& deadline) {
  const auto look = [&] { return session.gate.FindVolume(name, deadline); };
  const auto is_there = [](const auto& seen) { return seen.has_value(); };
  TRY(auto volume, LookFor(name, session, look, is_there, deadline));
  if (!volume) {
    if (auto doubt = OwnedByAnother(session, name, deadline)) return std::move(*doubt);
    return VolumeNotFound(session.config, name);
  }
  return std::move(*volume);
}

}  // namespace ontapnvme::catalogue::flexvol
