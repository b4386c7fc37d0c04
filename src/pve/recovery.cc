// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/recovery.h"

#include "base/text.h"

namespace ontapnvme::pve {
namespace {

constexpr std::chrono::hours kEvery{1};
// Longer than any operation may take, and than the clocks of array and node may differ.
constexpr std::chrono::hours kLeftAlone{1};
// The operation that found time for it must not fail for it.
constexpr Duration kBudget{10'000};

std::chrono::system_clock::time_point OldestOf(const Deadline& deadline) {
  return deadline.clock().WallTime() - kLeftAlone;
}

std::string RemovedDevices(int count) {
  return "removed " + std::to_string(count) + " snapshot device" + (count == 1 ? "" : "s");
}

}  // namespace

void Recovery::SettleIfDue(const Deadline& deadline) {
  if (!node_.turns.Take("recovery", kEvery, deadline.clock())) return;
  const Deadline working = deadline.Within(kBudget);
  const auto oldest = OldestOf(deadline);
  const auto survey = array_.Look(oldest, working);
  if (!survey.ok()) {
    log_.Debug(survey.error().Line());
    return;
  }
  node_.disks.Renew(survey->namespace_by_volume);

  std::vector<std::string> settled;
  for (const auto& left_over : survey->left_overs) {
    const auto status = array_.Settle(left_over, working);
    if (status.ok()) settled.push_back(left_over.settled);
    if (!status.ok()) log_.Debug(status.error().Line());
  }
  if (const int removed = devices_.ReapAbandoned(oldest, working); removed > 0) {
    settled.push_back(RemovedDevices(removed));
  }
  if (settled.empty()) return;
  log_.Warning("settled what earlier operations had left: " + Join(settled, ", "));
}

Status Recovery::RequireWhole(const catalogue::Survey& survey,
                              const std::set<std::string>& named) const {
  const std::string failure = "nothing is removed: the array may not list all disks";
  if (survey.unread) return survey.unread->Wrap("nothing is removed");
  const auto& listed = survey.namespace_by_volume;
  for (const auto& name : named) {
    if (listed.contains(name)) continue;
    return Error(ErrorCode::kConflict, failure)
        .Because("volume '" + name + "', which a guest's configuration names, is not listed")
        .Try("see 'ontapnvme orphans' for that volume, and put it right first");
  }
  std::set<Uuid> namespaces;
  for (const auto& [name, ns] : listed) namespaces.insert(ns);
  for (const auto& [name, ns] : node_.disks.All()) {
    if (namespaces.contains(ns)) continue;
    return Error(ErrorCode::kConflict, failure)
        .Because("volume '" + name + "', which the cluster remembers, is not listed")
        .With("namespace", ns.Text())
        .Try(
            "look for it ('ontapnvme explain'); if it was removed on the array, 'pvesm free' makes the "
            "cluster forget it");
  }
  return {};
}

Result<std::vector<std::string>> Recovery::RemoveAbandoned(const std::set<std::string>& named,
                                                           const Deadline& deadline) {
  const auto oldest = OldestOf(deadline);
  TRY(const auto survey, array_.Look(oldest, deadline));
  TRY_STATUS(RequireWhole(survey, named));
  std::vector<std::string> lines;
  for (const auto& left_over : survey.left_overs) {
    if (!left_over.is_abandoned) continue;
    const auto status = array_.Settle(left_over, deadline);
    lines.push_back(status.ok() ? left_over.settled : "left alone: " + status.error().Plain());
  }
  if (const int removed = devices_.ReapAbandoned(oldest, deadline); removed > 0) {
    lines.push_back(RemovedDevices(removed));
  }
  return lines;
}

Result<std::vector<std::string>> Recovery::Pending(const Deadline& deadline) {
  TRY(const auto survey, array_.Look(deadline.clock().WallTime(), deadline));
  std::vector<std::string> lines;
  for (const auto& left_over : survey.left_overs) lines.push_back(left_over.description);
  TRY(const auto shown, devices_.Describe(deadline));
  lines.insert(lines.end(), shown.begin(), shown.end());
  return lines;
}

}  // namespace ontapnvme::pve
