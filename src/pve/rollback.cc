// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/rollback.h"

#include "base/text.h"

namespace ontapnvme::pve {
namespace {

using Outcome = RollbackPlan::Outcome;

// Proxmox asks about all disks, stops the VM, then rolls back disk by disk: a session must live that
// long.
constexpr std::chrono::minutes kSessionLives{5};
// What was read of the array serves shorter: a schedule may have taken a snapshot since, which
// reverting would destroy. Proxmox asks once more right before each rollback.
constexpr std::chrono::seconds kReadingServes{3};

constexpr const char* kHalfHint =
    "some disks of the VM may be as they were in the snapshot and some as they are: before it starts, "
    "'qm unlock' it if need be and roll back again";

std::string FailureOf(const VolumeName& name, const SnapshotName& snapshot) {
  return "cannot roll back volume '" + name.Text() + "' to snapshot '" + snapshot.Text() + "'";
}

Error NoSuchSnapshot(const VolumeName& name, const SnapshotName& snapshot) {
  return Error(ErrorCode::kNotFound, "volume '" + name.Text() + "' has no snapshot '" +
                                         snapshot.Text() + "' on the array")
      .With("array_name", ArraySnapshotName(snapshot).Text())
      .Try(
          "the disk may have been added later, or the snapshot deleted on the array; roll back to "
          "another snapshot");
}

std::string QuotedAll(const std::vector<std::string>& snapshots) {
  std::string names;
  for (const auto& one : snapshots) AppendTo(names, ", ", Quoted(one));
  return names;
}

Error Blocked(const VolumeName& name, const SnapshotName& snapshot, const RollbackPlan& plan) {
  Error blocked(ErrorCode::kBusy, FailureOf(name, snapshot));
  const bool is_other = plan.disks.size() == 1 && !plan.disks.contains(name);
  if (is_other) blocked.AddFact("disk", plan.disks.begin()->Text());
  if (plan.locked.empty()) {
    return std::move(blocked)
        .Because("newer snapshots exist, or some of the same second: " + QuotedAll(plan.blockers))
        .Try("delete them first, or roll back to the newest");
  }
  return std::move(blocked)
      .Because(
          "newer snapshots of the array's anti-ransomware protection exist, which nobody can "
          "delete before they expire: " +
          QuotedAll(plan.locked))
      .With("newer_snapshots", std::to_string(plan.blockers.size()))
      .Try(
          "pause the protection of this disk on the array, or set ransomware_protection off, and try "
          "again 12 hours after the last of them; after a false alarm clear the suspicion there");
}

}  // namespace

Result<std::vector<std::string>> Rollbacks::RollbackBlockers(const VolumeName& name,
                                                             const SnapshotName& snapshot,
                                                             const Deadline& deadline) {
  // It is done, and Proxmox must not hear that it cannot be.
  const auto open = sessions_.find({name.vmid, snapshot});
  if (open != sessions_.end() && open->second.reverted.contains(name)) {
    return std::vector<std::string>();
  }
  TRY(Session * session, SessionFor(name, snapshot, deadline));
  auto plan = PlanRollback(session->history, {}, name, snapshot, array_.snapshots().CanOverwrite());
  if (plan.outcome == Outcome::kNoSuchSnapshot) return NoSuchSnapshot(name, snapshot);
  const bool is_blocked = plan.outcome == Outcome::kBlocked;
  // Proxmox is told before it stops the VM: deleting is no way here.
  if (is_blocked && !plan.locked.empty()) return Blocked(name, snapshot, plan);
  session->asked.insert(name);
  session->back.erase(name);
  if (!is_blocked) return std::vector<std::string>();
  return std::move(plan.blockers);
}

Status Rollbacks::Rollback(const VolumeName& name, const SnapshotName& snapshot,
                           const Deadline& deadline) {
  const auto open = sessions_.find({name.vmid, snapshot});
  if (open != sessions_.end() && open->second.reverted.erase(name) == 1) return {};
  TRY(Session * session, SessionFor(name, snapshot, deadline));
  session->asked.insert(name);
  session->back.erase(name);
  auto done = Attempt(*session, name, snapshot, deadline);
  if (!done.ok() && done.error().origin().refusal == Refusal::kNewerHeld) {
    // It has come since it was looked; the array has refused, so that nothing is lost.
    session->read_at.reset();
    TRY(session, SessionFor(name, snapshot, deadline));
    done = Attempt(*session, name, snapshot, deadline);
  }
  if (!done.ok()) {
    Error error = done.error();
    if (!session->back.empty()) {
      std::string names;
      for (const auto& one : session->back) AppendTo(names, ", ", one.Text());
      error.AddFact("rolled_back_before", names);
      error.SetHint(kHalfHint);
    }
    Forget(name.vmid);
    return error;
  }
  session->back.insert(done->begin(), done->end());
  session->reverted.insert(done->begin(), done->end());
  // Whether the array has left the namespaces what they were is not known.
  for (auto& disk : session->history.disks) {
    if (done->contains(disk.name)) disk.ns.reset();
  }
  session->reverted.erase(name);
  return {};
}

Result<std::set<VolumeName>> Rollbacks::Attempt(const Session& session, const VolumeName& name,
                                                const SnapshotName& snapshot,
                                                const Deadline& deadline) {
  std::set<VolumeName> asked = session.asked;
  for (const auto& one : session.back) asked.erase(one);
  const auto plan = PlanRollback(session.history, std::move(asked), name, snapshot,
                                 array_.snapshots().CanOverwrite());
  if (plan.outcome == Outcome::kNoSuchSnapshot) return NoSuchSnapshot(name, snapshot);
  if (plan.outcome == Outcome::kBlocked) return Blocked(name, snapshot, plan);
  const std::string failure = FailureOf(name, snapshot);
  if (plan.outcome == Outcome::kOverwrite) {
    auto done = Overwrite(plan, session, name, snapshot, deadline);
    if (done.ok() || done.error().sentence() == failure) return done;
    return done.error().Wrap(failure);
  }
  const auto reverted = Execute(plan, session.history, snapshot, deadline);
  if (!reverted.ok()) return reverted.error().Wrap(failure);
  return plan.disks;
}

Status Rollbacks::Execute(const RollbackPlan& plan, const catalogue::VmHistory& history,
                          const SnapshotName& snapshot, const Deadline& deadline) {
  std::vector<nvme::WantedDevice> devices;
  for (const auto& name : plan.disks) {
    TRY(const auto wanted, Wanted(*history.Find(name), deadline));
    TRY_STATUS(devices_.RequireUnused(FailureOf(name, snapshot), wanted, kScannerPatienceOfRollback,
                                      deadline));
    devices.push_back(wanted);
  }
  for (const auto& device : devices) devices_.FlushCache(device);
  const bool is_group = plan.outcome == Outcome::kRestoreGroup;
  auto& snapshots = array_.snapshots();
  const auto reverted =
      is_group ? snapshots.RestoreGroup(history, snapshot, deadline)
               : snapshots.RestoreDisk(*history.Find(*plan.disks.begin()), snapshot, deadline);
  // What the node has cached of the disks is the past now, also after a failure half-way.
  for (const auto& device : devices) devices_.FlushCache(device);
  if (reverted.ok()) return {};
  Error error = reverted.error();
  if (is_group || error.outcome_unknown()) error.SetHint(kHalfHint);
  return error;
}

Result<std::set<VolumeName>> Rollbacks::Overwrite(const RollbackPlan& plan, const Session& session,
                                                  const VolumeName& asked,
                                                  const SnapshotName& snapshot,
                                                  const Deadline& deadline) {
  std::vector<catalogue::DiskHistory> disks{*session.history.Find(asked)};
  for (const auto& name : plan.disks) {
    if (name != asked) disks.push_back(*session.history.Find(name));
  }
  std::vector<nvme::WantedDevice> devices;
  const auto may_change = [&](const VolumeName& name,
                              const catalogue::DiskNamespace& ns) -> Status {
    TRY(const auto wanted, devices_.Wanted(ns, deadline));
    TRY_STATUS(devices_.RequireUnused(FailureOf(name, snapshot), wanted, kScannerPatienceOfRollback,
                                      deadline));
    devices_.FlushCache(wanted);
    devices.push_back(wanted);
    return {};
  };
  const auto done = array_.snapshots().OverwriteDisks(disks, snapshot, may_change, deadline);
  // What the node has cached of the disks is the past now, also after a failure half-way.
  for (const auto& device : devices) devices_.FlushCache(device);
  if (!done.failure) return done.disks;
  Error error = *done.failure;
  if (done.is_refused) {
    auto blocked = plan;
    blocked.disks.clear();
    return Blocked(asked, snapshot, blocked).With("refused", error.Plain());
  }
  if (done.disks.empty() && done.unknown.empty()) return error;
  std::string gone;
  std::string unknown;
  std::string left;
  for (const auto& name : plan.disks) {
    const bool is_gone = done.disks.contains(name);
    AppendTo(is_gone ? gone : done.unknown.contains(name) ? unknown : left, ", ", name.Text());
  }
  if (!gone.empty()) error.AddFact("rolled_back", gone);
  if (!unknown.empty()) error.AddFact("perhaps_rolled_back", unknown);
  if (!left.empty()) error.AddFact("not_rolled_back", left);
  error.SetHint(kHalfHint);
  return error;
}

Result<nvme::WantedDevice> Rollbacks::Wanted(const catalogue::DiskHistory& disk,
                                             const Deadline& deadline) {
  if (disk.ns) {
    return devices_.Wanted({.uuid = *disk.ns, .container_name = disk.container_name}, deadline);
  }
  TRY(const auto ns,
      array_.disks()
          .FindNamespace(disk.name, deadline)
          .Require(Error(ErrorCode::kNotFound, "volume '" + disk.name.Text() + "' holds no disk")));
  return devices_.Wanted(ns, deadline);
}

Result<Rollbacks::Session*> Rollbacks::SessionFor(const VolumeName& name,
                                                  const SnapshotName& snapshot,
                                                  const Deadline& deadline) {
  Session& session = sessions_[{name.vmid, snapshot}];
  const TimePoint now = deadline.clock().Now();
  if (session.read_at && now - *session.read_at > kSessionLives) session = {};
  if (!session.read_at || now - *session.read_at > kReadingServes) {
    TRY(session.history, array_.snapshots().ReadHistory(name, deadline));
    session.read_at = now;
  }
  auto wanted = session.asked;
  wanted.insert(name);
  for (const auto& one : wanted) {
    if (session.history.Find(one) != nullptr) continue;
    auto alone = array_.snapshots().ReadDiskHistory(one, deadline);
    if (!alone.ok() && one == name) return alone.error();
    if (!alone.ok() && !FailedWith(alone, ErrorCode::kNotFound)) return alone.error();
    if (alone.ok()) session.history.disks.push_back(std::move(*alone));
  }
  return &session;
}

void Rollbacks::Forget(std::uint64_t vmid) {
  std::erase_if(sessions_, [&](const auto& session) { return session.first.first == vmid; });
}

}  // namespace ontapnvme::pve
