// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/snapshot_devices.h"

#include <algorithm>
#include <map>

#include "base/look_again.h"
#include "base/text.h"

namespace ontapnvme::pve {
namespace {

std::string Described(const VolumeName& name, const SnapshotName& snapshot) {
  return "snapshot '" + snapshot.Text() + "' of volume '" + name.Text() + "'";
}

Error NeededBy(const std::string& link, const std::string& task) {
  return Error(ErrorCode::kBusy, "cannot remove the device of snapshot '" + link + "'")
      .Because(task + " of this node has asked for it and still runs")
      .Try("wait until that task has ended, or stop it");
}

std::string Described(const catalogue::ShownSnapshot& shown) {
  return Described(shown.volume, shown.snapshot);
}

// A host without a connection may be back in a moment, and its reader waits for that. One that had
// none then and has none now, so long and not longer apart, is taken to be dead.
constexpr std::chrono::minutes kCutOffAfter{10};
// Longer apart than two recoveries of a node.
constexpr std::chrono::hours kCutOffWithin{3};
// What a poll spends on one device at most, and must have left for it.
constexpr Duration kReleaseBudget{12'000};
constexpr std::chrono::seconds kReleaseEvery{10};  // as often as a node polls
// How often another node is looked at, and what is kept of the time for what it is waited for.
constexpr Duration kAskOthersEvery{5'000};
constexpr Duration kKeptForOthers{10'000};
constexpr std::chrono::hours kLookForLostEvery{24};

std::string LinkOf(const catalogue::SnapshotDevice& device) {
  return node::LinkName(device.shown.volume, device.shown.snapshot);
}

}  // namespace

Result<catalogue::ShownSnapshot> SnapshotDevices::ShownHere(const VolumeName& name,
                                                            const SnapshotName& snapshot) {
  TRY(const auto identity, host_.Identity());
  return catalogue::ShownSnapshot{
      .volume = name, .snapshot = snapshot, .host_nqn = identity.host_nqn};
}

Result<std::string> SnapshotDevices::ActivateSnapshot(const VolumeName& name,
                                                      const SnapshotName& snapshot,
                                                      const Deadline& deadline) {
  const std::string failure = "cannot activate " + Described(name, snapshot);
  TRY(const auto shown, ShownHere(name, snapshot));
  const auto held = lock_.Take(deadline);
  if (!held.ok()) return held.error().Wrap(failure);
  const auto found = array_.snapshots().FindDevice(shown, deadline);
  if (found.is_unknown()) return found.reason().Wrap(failure);
  if (found.is_present()) {
    if (auto link = PresentLink(*found, deadline)) {
      node_.link_tasks.Note(LinkOf(*found));
      return std::move(*link);
    }
    // Half-made, from before the node's last start, or of what had these names before.
    const auto removed = Remove(*found, deadline);
    if (!removed.ok()) return removed.error().Wrap(failure);
  }
  auto made = Make(shown, deadline);
  if (!made.ok()) return made.error().Wrap(failure);
  node_.link_tasks.Note(node::LinkName(name, snapshot));
  return made;
}

std::optional<std::string> SnapshotDevices::PresentLink(const catalogue::SnapshotDevice& device,
                                                        const Deadline& deadline) {
  const std::string link = LinkOf(device);
  const bool may_be =
      device.ns && device.ns->mapping == catalogue::Mapping::kHere && node_.links.Target(link);
  if (!may_be) return std::nullopt;
  const auto is_current = array_.snapshots().IsCurrent(device, deadline);
  if (!is_current.ok() || !*is_current) return std::nullopt;
  const auto wanted = devices_.Wanted(*device.ns, deadline);
  if (!wanted.ok()) return std::nullopt;
  const auto present = host_.Find(*wanted);
  if (!present.ok() || !node_.links.Point(link, present->stable_path).ok()) return std::nullopt;
  return node_.links.Path(link);
}

Result<std::string> SnapshotDevices::Make(const catalogue::ShownSnapshot& shown,
                                          const Deadline& deadline) {
  const Deadline working = deadline.Reserve(catalogue::kUndoBudget);
  // Before there is something that others may have to remove when this node is down.
  const auto told = node_.members.TellNqn(shown.host_nqn);
  if (!told.ok()) log_.Debug(told.error().Line());
  TRY(const auto device, array_.snapshots().MakeDevice(shown, working));
  auto link = Attach(device, working);
  if (link.ok()) return link;
  Error error = link.error();
  const auto undone =
      array_.snapshots().RemoveDevice(device, deadline.Grace(catalogue::kUndoBudget));
  if (!undone.ok()) error.AddFact("left_over", device.container_name);
  return error;
}

Result<std::string> SnapshotDevices::Attach(const catalogue::SnapshotDevice& device,
                                            const Deadline& deadline) {
  if (!device.ns) {
    return Error(ErrorCode::kInternal, "the array made a clone of the snapshot without its disk")
        .With("clone", device.container_name);
  }
  TRY(const auto target, array_.Target("", deadline));
  const auto watch = host_.Arm();
  TRY_STATUS(paths_.Ensure(target, deadline));
  TRY_STATUS(array_.disks().Map(*device.ns, deadline));
  TRY(const auto present, host_.WaitFor(*watch, devices_.Wanted(target, *device.ns), deadline));
  TRY_STATUS(node_.links.Point(LinkOf(device), present.stable_path));
  return node_.links.Path(LinkOf(device));
}

Status SnapshotDevices::DeactivateSnapshot(const VolumeName& name, const SnapshotName& snapshot,
                                           const Deadline& deadline) {
  const std::string link = node::LinkName(name, snapshot);
  if (!node_.links.Target(link)) return {};
  const std::string failure = "cannot deactivate " + Described(name, snapshot);
  TRY(const auto shown, ShownHere(name, snapshot));
  const auto held = lock_.Take(deadline);
  if (!held.ok()) return held.error().Wrap(failure);
  // There is a link, so this node has made it, perhaps a moment ago.
  const auto look = [&]() -> Result<std::optional<catalogue::SnapshotDevice>> {
    auto seen = array_.snapshots().FindDevice(shown, deadline);
    if (seen.is_unknown()) return seen.reason();
    return seen.is_absent() ? std::nullopt : std::optional(std::move(*seen));
  };
  const auto is_whole = [](const auto& seen) { return seen && seen->ns; };
  const auto found = LookAgain(look, is_whole, deadline);
  if (!found.ok()) return found.error().Wrap(failure);
  if (!*found) return RemoveLink(link);
  const auto removed = Remove(**found, deadline);
  if (!removed.ok()) return removed.error().Wrap(failure);
  return {};
}

Status SnapshotDevices::Remove(const catalogue::SnapshotDevice& device, const Deadline& deadline) {
  // A task that copies several disks has opened one of them at a time.
  if (const auto task = node_.link_tasks.OtherTask(LinkOf(device))) {
    return NeededBy(LinkOf(device), *task);
  }
  TRY_STATUS(RequireUnused(device, deadline));
  TRY_STATUS(node_.links.Remove(LinkOf(device)));
  TRY_STATUS(array_.snapshots().RemoveDevice(device, deadline));
  // Last: a poll finds what was begun by it.
  node_.link_tasks.Forget(LinkOf(device));
  return {};
}

Status SnapshotDevices::RequireUnused(const catalogue::SnapshotDevice& device,
                                      const Deadline& deadline) {
  if (!device.ns) return {};
  TRY(const auto wanted, devices_.Wanted(*device.ns, deadline));
  return devices_.RequireUnused("cannot remove the device of " + Described(device.shown), wanted,
                                kScannerPatience, deadline);
}

Status SnapshotDevices::RemoveLink(const std::string& link) {
  if (const auto task = node_.link_tasks.OtherTask(link)) return NeededBy(link, *task);
  TRY_STATUS(node_.links.Remove(link));
  node_.link_tasks.Forget(link);
  return {};
}

Status SnapshotDevices::RemoveOfCutOff(const catalogue::SnapshotDevice& device,
                                       const Deadline& deadline) {
  // The subsystem is all nodes' own: a disk of it shows here as well.
  TRY_STATUS(RequireUnused(device, deadline));
  return array_.snapshots().RemoveDevice(device, deadline);
}

Status SnapshotDevices::RequireCutOff(const std::string& own_nqn, const std::string& host_nqn,
                                      const Deadline& deadline) {
  const std::string matter = "cut-off-" + ShortHash(host_nqn);
  if (!node_.members.IsKnownDown(host_nqn)) {
    node_.turns.Forget(matter);
    return Error(ErrorCode::kBusy,
                 "Proxmox's cluster does not say that the node of host '" + host_nqn + "' is down");
  }
  TRY(const auto connections, array_.Connections(deadline));
  const auto has = [&](const std::string& nqn) {
    return std::any_of(connections.begin(), connections.end(),
                       [&](const auto& one) { return one.host_nqn == nqn; });
  };
  Clock& clock = deadline.clock();
  // A list without this node, which is connected, is none to go by.
  if (!has(own_nqn) || has(host_nqn)) {
    node_.turns.Forget(matter);
    return Error(ErrorCode::kBusy, "host '" + host_nqn + "' may be connected to the array");
  }
  const auto since = node_.turns.TakenAgo(matter, clock);
  if (since && *since >= kCutOffAfter && *since <= kCutOffWithin) return {};
  if (!since || *since > kCutOffWithin) (void)node_.turns.Take(matter, {}, clock);
  return Error(ErrorCode::kBusy, "host '" + host_nqn + "' has had no connection for a moment only");
}

void SnapshotDevices::ReleaseEnded(const Deadline& deadline) {
  const auto ended = node_.link_tasks.Ended();
  if (!ended.empty() && node_.turns.Take("snapshot-devices", kReleaseEvery, deadline.clock())) {
    // One after the other, so that one that cannot go does not hold up the others.
    Release(ended[releases_++ % ended.size()], deadline);
  }
  // After a restart the node knows of none that it had, and no task of then runs.
  if (node_.turns.Take("lost-snapshot-devices", kLookForLostEvery, deadline.clock())) {
    ReapIf([&](const auto& device,
               bool is_own) { return is_own && !node_.links.Target(LinkOf(device)); },
           deadline.Within(kReleaseBudget));
  }
}

void SnapshotDevices::Release(const std::string& link, const Deadline& deadline) {
  if (deadline.Remaining() < kReleaseBudget) return;
  const Deadline working = deadline.Within(kReleaseBudget);
  const auto of = node::ParseSnapshotLink(link);
  if (!of) return node_.link_tasks.Forget(link);
  const auto shown = ShownHere(of->volume, of->snapshot);
  const auto held = lock_.Take(working);
  if (!shown.ok() || !held.ok()) return;
  const auto found = array_.snapshots().FindDevice(*shown, working);
  if (found.is_unknown()) return log_.Debug(found.reason().Line());
  const auto released = found.is_present() ? Remove(*found, working) : RemoveLink(link);
  if (!released.ok()) log_.Debug(released.error().Line());
}

void SnapshotDevices::ReleaseUnused(const VolumeName& name, const Deadline& deadline) {
  for (const auto& snapshot : node_.links.SnapshotsOf(name)) {
    const auto released = DeactivateSnapshot(name, snapshot, deadline);
    // One in use is not a failure: its reader lets go of it, or the snapshot's deletion does.
    if (!released.ok()) log_.Debug(released.error().Line());
  }
}

Status SnapshotDevices::End(const VolumeName& name, const std::string& failure,
                            const Deadline& deadline) {
  for (const auto& snapshot : node_.links.SnapshotsOf(name)) {
    const auto ended = DeactivateSnapshot(name, snapshot, deadline);
    if (!ended.ok()) return ended.error().Wrap(failure);
  }
  return {};
}

bool SnapshotDevices::Reap(const std::set<std::string>& container_names,
                           const std::optional<ArraySnapshotName>& snapshot,
                           const Deadline& deadline) {
  return ReapIf(
             [&](const auto& device, bool) {
               return container_names.contains(device.parent_container_name) &&
                      (!snapshot || device.parent_snapshot == *snapshot);
             },
             deadline) > 0;
}

bool SnapshotDevices::AwaitOthers(const std::set<std::string>& container_names,
                                  const ArraySnapshotName& snapshot, const Deadline& deadline) {
  const auto identity = host_.Identity();
  if (!identity.ok()) return false;
  const auto may_go = [&](const catalogue::SnapshotDevice& device) {
    return container_names.contains(device.parent_container_name) &&
           device.parent_snapshot == snapshot && device.shown.host_nqn != identity->host_nqn &&
           !node_.members.IsKnownDown(device.shown.host_nqn);
  };
  for (bool was_there = false;; was_there = true) {
    const auto devices = array_.snapshots().ListDevices(deadline);
    if (!devices.ok()) return false;
    if (!std::any_of(devices->begin(), devices->end(), may_go)) return was_there;
    if (deadline.Remaining() < kAskOthersEvery + kKeptForOthers) return false;
    const auto waited = deadline.Sleep(kAskOthersEvery, "waiting for another node");
    if (!waited.ok()) return false;
  }
}

int SnapshotDevices::ReapAbandoned(std::chrono::system_clock::time_point oldest,
                                   const Deadline& deadline) {
  return ReapIf(
      [&](const auto& device, bool is_own) {
        if (device.create_time >= oldest) return false;
        // Without its link nobody finds it any more: the node has been restarted.
        const bool is_lost = is_own && !node_.links.Target(LinkOf(device));
        return !is_own || is_lost || !node_.link_tasks.IsAwaited(LinkOf(device));
      },
      deadline);
}

int SnapshotDevices::ReapIf(
    const std::function<bool(const catalogue::SnapshotDevice&, bool is_own)>& is_unwanted,
    const Deadline& deadline) {
  const auto identity = host_.Identity();
  const auto held = lock_.Take(deadline);
  if (!identity.ok() || !held.ok()) return 0;
  const auto devices = array_.snapshots().ListDevices(deadline);
  if (!devices.ok()) return 0;
  int count = 0;
  std::map<std::string, Status> cut_off;  // other nodes, each looked for once
  for (const auto& device : *devices) {
    const std::string& host_nqn = device.shown.host_nqn;
    const bool is_own = host_nqn == identity->host_nqn;
    if (!is_unwanted(device, is_own)) continue;
    if (!is_own && !cut_off.contains(host_nqn)) {
      cut_off.emplace(host_nqn, RequireCutOff(identity->host_nqn, host_nqn, deadline));
    }
    const auto removed = is_own                       ? Remove(device, deadline)
                         : !cut_off.at(host_nqn).ok() ? cut_off.at(host_nqn)
                                                      : RemoveOfCutOff(device, deadline);
    if (removed.ok()) ++count;
    if (!removed.ok()) log_.Debug(removed.error().Line());
  }
  return count;
}

Result<std::vector<std::string>> SnapshotDevices::Describe(const Deadline& deadline) {
  TRY(const auto devices, array_.snapshots().ListDevices(deadline));
  std::vector<std::string> lines;
  for (const auto& device : devices) {
    lines.push_back("snapshot " + device.shown.snapshot.Text() + " of " +
                    device.shown.volume.LeafText() + " is shown to " + device.shown.host_nqn +
                    " (as " + device.container_name + ")");
  }
  return lines;
}

}  // namespace ontapnvme::pve
