// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/vm_snapshots.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "base/text.h"
#include "base/wall_time.h"
#include "catalogue/undo_steps.h"
#include "model/mark.h"

namespace ontapnvme::pve {
namespace {

// The calls of one operation follow each other within seconds; a process that lives longer must not
// take the last hour's snapshot for this one's.
constexpr std::chrono::minutes kRecent{5};

// A change that was given up is carried out by then or never: the array holds it for 120 s at most,
// and forgets the job that it has become after 300 s (NetApp REST reference).
constexpr std::chrono::seconds kMayComeFor{600};
constexpr std::chrono::seconds kSettleEvery{20};
// What a poll spends on it at most.
constexpr Duration kSettleBudget{4'000};

std::string KindText(catalogue::SnapshotKind kind) {
  switch (kind) {
    case catalogue::SnapshotKind::kProxmox:
      return "proxmox";
    case catalogue::SnapshotKind::kTemplate:
      return "template";
    case catalogue::SnapshotKind::kSchedule:
      return "schedule";
    case catalogue::SnapshotKind::kRansomware:
      return "anti-ransomware";
    case catalogue::SnapshotKind::kOther:
      return "other";
  }
  return "other";
}

std::int64_t SecondsOf(std::chrono::sys_seconds time) {
  return time.time_since_epoch().count();
}

bool IsHeld(const Result<catalogue::Coverage>& deleted) {
  return !deleted.ok() && deleted.error().origin().refusal == Refusal::kHeldByClones;
}

VmSnapshotInfo Begun(std::uint64_t vmid, const catalogue::Snapshot& snapshot) {
  const auto of_proxmox = snapshot.name.OfProxmox();
  const auto shown_as = snapshot.name.AsShown();
  return {.vmid = vmid,
          .array_name = CleanText(snapshot.name.Text()),
          .name = of_proxmox ? of_proxmox->Text() : "",
          .shown_as = shown_as ? shown_as->Text() : "",
          .kind = KindText(snapshot.Kind()),
          .create_time_s = SecondsOf(snapshot.create_time),
          .locked_until_s = 0,
          .is_on_all_disks = false,
          .disks = {}};
}

}  // namespace

void VmSnapshots::Keep(ByVmAndSnapshot& kept, const VolumeName& name, const SnapshotName& snapshot,
                       catalogue::Coverage coverage, TimePoint now) {
  coverage.erase(name);
  kept.insert_or_assign({name.vmid, snapshot}, Covered{std::move(coverage), now});
}

bool VmSnapshots::Take(ByVmAndSnapshot& kept, const VolumeName& name, const SnapshotName& snapshot,
                       TimePoint now) {
  const auto found = kept.find({name.vmid, snapshot});
  return found != kept.end() && now - found->second.at <= kRecent &&
         found->second.waiting.erase(name) == 1;
}

void VmSnapshots::Prepare(const VolumeName& name, const Deadline& deadline) {
  const auto prepared = snapshots_.Prepare(name, deadline);
  if (!prepared.ok()) log_.Debug(prepared.error().Line());
}

Status VmSnapshots::CreateSnapshot(const VolumeName& name, const SnapshotName& snapshot,
                                   const Deadline& deadline) {
  Clock& clock = deadline.clock();
  const TimePoint begun = clock.Now();
  if (Take(created_, name, snapshot, begun)) return {};
  const VmAndSnapshot what{name.vmid, snapshot};
  deleted_.erase(what);
  if (!frozen_ || frozen_->what != what || begun - frozen_->at > kRecent) {
    frozen_ = Frozen{.what = what, .at = begun};
  }
  auto taken = TakeOrNote(name, snapshot, deadline.Reserve(frozen_->spent));
  frozen_->spent += std::chrono::duration_cast<Duration>(clock.Now() - begun);
  if (!taken.ok()) return taken.error().Wrap("cannot snapshot volume '" + name.Text() + "'");
  Keep(created_, name, snapshot, std::move(*taken), clock.Now());
  return {};
}

// Proxmox is told of a failure and lets its guest go on. To wait for what became of the snapshot, or
// to undo it, would keep the guest waiting; and later Proxmox does not ask for it again.
Result<catalogue::Coverage> VmSnapshots::TakeOrNote(const VolumeName& name,
                                                    const SnapshotName& snapshot,
                                                    const Deadline& deadline) {
  const std::string operation_id = NewOperationId();
  auto taken = snapshots_.Take(name, snapshot, operation_id, deadline);
  if (taken.ok()) {
    const auto wanted = catalogue::StillWanted(deadline);
    if (wanted.ok()) return taken;
    taken = Error(wanted.error()).OutcomeUnknown();
  }
  if (!taken.error().outcome_unknown()) return taken;
  Error error = taken.error();
  const auto noted = node_.open_snapshots.Note({.volume = name,
                                                .snapshot = snapshot,
                                                .operation_id = operation_id,
                                                .since_s = WallSeconds(deadline.clock())});
  if (noted.ok()) {
    error.SetHint(
        "the array may take it all the same: this node looks for it and removes it, "
        "'ontapnvme pending' shows it until then; try again afterwards");
  } else {
    log_.Debug(noted.error().Line());
    error.SetHint(
        "the array may have taken it all the same: 'ontapnvme snapshots' shows it then; remove it on "
        "the array before you try again");
  }
  return error;
}

void VmSnapshots::SettleOpen(const Deadline& deadline) {
  const auto all = node_.open_snapshots.All();
  if (all.empty() || !node_.turns.Take("open-snapshots", kSettleEvery, deadline.clock())) return;
  const Deadline working = deadline.Within(kSettleBudget);
  for (const auto& open : all) Settle(open, working);
}

void VmSnapshots::Settle(const node::OpenSnapshot& open, const Deadline& deadline) {
  const auto removed =
      snapshots_.RemoveTaken(open.volume, open.snapshot, open.operation_id, deadline);
  if (!removed.ok()) return log_.Debug(removed.error().Line());
  if (*removed) {
    log_.Warning("removed snapshot '" + open.snapshot.Text() + "' of VM " +
                 std::to_string(open.volume.vmid) +
                 ", which the array had taken after the task had given it up");
    return node_.open_snapshots.Forget(open.operation_id);
  }
  // What is not there yet may still come.
  const std::int64_t now_s = WallSeconds(deadline.clock());
  const bool is_over = open.missed_s - open.since_s >= kMayComeFor.count();
  if (is_over) return node_.open_snapshots.Forget(open.operation_id);
  auto missed = open;
  missed.missed_s = now_s;
  const auto noted = node_.open_snapshots.Note(missed);
  if (!noted.ok()) log_.Debug(noted.error().Line());
}

std::vector<std::string> VmSnapshots::DescribeOpen() const {
  std::vector<std::string> lines;
  for (const auto& open : node_.open_snapshots.All()) {
    lines.push_back("snapshot " + open.snapshot.Text() + " of VM " +
                    std::to_string(open.volume.vmid) +
                    " was given up: this node removes it if the array takes it all the same");
  }
  return lines;
}

Status VmSnapshots::DeleteSnapshot(const VolumeName& name, const SnapshotName& snapshot,
                                   const Deadline& deadline) {
  Clock& clock = deadline.clock();
  created_.erase({name.vmid, snapshot});  // what is deleted covers nothing any more
  if (Take(deleted_, name, snapshot, clock.Now())) return {};
  auto deleted = snapshots_.Delete(name, snapshot, deadline);
  if (IsHeld(deleted) && EndDevices(name, snapshot, deadline)) {
    deleted = snapshots_.Delete(name, snapshot, deadline);
  }
  if (!deleted.ok()) {
    return deleted.error().Wrap("cannot delete snapshot '" + snapshot.Text() + "' of volume '" +
                                name.Text() + "'");
  }
  Keep(deleted_, name, snapshot, std::move(*deleted), clock.Now());
  return {};
}

bool VmSnapshots::EndDevices(const VolumeName& name, const SnapshotName& snapshot,
                             const Deadline& deadline) {
  const auto history = snapshots_.ReadHistory(name, deadline);
  if (!history.ok()) return false;
  std::set<std::string> container_names;
  for (const auto& disk : history->disks) container_names.insert(disk.container_name);
  const ArraySnapshotName array_name(snapshot);
  const bool are_reaped = devices_.Reap(container_names, array_name, deadline);
  return devices_.AwaitOthers(container_names, array_name, deadline) || are_reaped;
}

Result<std::vector<SnapshotInfo>> VmSnapshots::ListSnapshots(const VolumeName& name,
                                                             const Deadline& deadline) {
  TRY(const auto snapshots, snapshots_.List(name, deadline));
  std::vector<SnapshotInfo> infos;
  for (const auto& one : snapshots) {
    if (const auto snapshot = one.name.OfProxmox()) {
      infos.push_back({.name = snapshot->Text(),
                       .id = one.uuid.Text(),
                       .create_time_s = one.create_time.time_since_epoch().count()});
    }
  }
  return infos;
}

Result<std::vector<VmSnapshotInfo>> VmSnapshots::ListVmSnapshots(std::optional<std::uint64_t> vmid,
                                                                 const Deadline& deadline) {
  TRY(const auto disks, snapshots_.ListAll(vmid, deadline));
  std::map<std::uint64_t, std::size_t> ordinary;  // disks of each VM that its snapshots cover
  for (const auto& disk : disks) ordinary[disk.name.vmid] += disk.name.IsGroupMember() ? 1 : 0;
  std::map<std::pair<std::uint64_t, std::string>, VmSnapshotInfo> found;
  std::map<std::pair<std::uint64_t, std::string>, std::size_t> covered;
  for (const auto& disk : disks) {
    for (const auto& one : disk.snapshots) {
      const std::pair key(disk.name.vmid, one.name.Text());
      auto& info = found.try_emplace(key, Begun(disk.name.vmid, one)).first->second;
      info.create_time_s = std::min(info.create_time_s, SecondsOf(one.create_time));
      if (one.locked_until) {
        info.locked_until_s = std::max(info.locked_until_s, SecondsOf(*one.locked_until));
      }
      info.disks.push_back({.volume_name = disk.name.Text(),
                            .id = one.uuid.Text(),
                            .create_time_s = SecondsOf(one.create_time),
                            .size = one.size,
                            .disk_size = disk.size});
      covered[key] += disk.name.IsGroupMember() ? 1 : 0;
    }
  }
  std::vector<VmSnapshotInfo> infos;
  for (auto& [key, info] : found) {
    info.is_on_all_disks = ordinary[key.first] > 0 && covered[key] == ordinary[key.first];
    infos.push_back(std::move(info));
  }
  std::stable_sort(infos.begin(), infos.end(), [](const auto& one, const auto& other) {
    return std::tie(one.vmid, one.create_time_s) < std::tie(other.vmid, other.create_time_s);
  });
  return infos;
}

Result<AdoptedInfo> VmSnapshots::AdoptSnapshot(const std::vector<VolumeName>& names,
                                               const ArraySnapshotName& from,
                                               const SnapshotName& to, const Deadline& deadline) {
  const auto refused = [&](const std::string& reason) {
    return Error(ErrorCode::kInvalidArgument,
                 "cannot adopt snapshot '" + CleanText(from.Text()) + "'")
        .Because(reason);
  };
  if (names.empty()) return refused("no volume was named");
  const auto vmid = names.front().vmid;
  const bool is_one_vm =
      std::all_of(names.begin(), names.end(), [&](const auto& name) { return name.vmid == vmid; });
  if (!is_one_vm) return refused("the volumes are of several VMs");
  if (std::set(names.begin(), names.end()).size() != names.size()) {
    return refused("a volume was named twice");
  }
  if (std::any_of(names.begin(), names.end(), [](const auto& name) { return name.is_base; })) {
    return refused("a template has no snapshots");
  }
  if (from.Text().starts_with("pve_")) {
    return refused("names that begin with 'pve_' are Proxmox's and the plugin's own");
  }
  if (!from.AsShown()) return refused("this is no name of a snapshot of the array");
  const auto adopted = snapshots_.Adopt(names, from, to, deadline);
  if (!adopted.ok()) {
    return adopted.error().Wrap("cannot make snapshot '" + from.Text() +
                                "' of the array snapshot '" + to.Text() + "' of VM " +
                                std::to_string(vmid));
  }
  return AdoptedInfo{
      .create_time_s = SecondsOf(adopted->create_time),
      .is_of_one_moment = adopted->is_of_one_moment,
      .locked_until_s = adopted->locked_until ? SecondsOf(*adopted->locked_until) : 0};
}

}  // namespace ontapnvme::pve
