// SPDX-License-Identifier: AGPL-3.0-or-later
// What the plugin cannot do without, and what the account may see.
#include <algorithm>

#include "catalogue/flexvol/qualify/probe.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

constexpr std::size_t kTimedRequests = 9;

// Each kind of object that operations make, in their order.
Result<Answer> TryBasics(Scratch& scratch) {
  TRY(const auto disk, scratch.MakeMappedDisk());
  TRY_STATUS(scratch.Snapshot(disk.volume, "pve_probe"));
  TRY_STATUS(scratch.namespaces.Grow(disk.ns.uuid, MiB(28), scratch.deadline()));
  TRY_STATUS(scratch.subsystems.Unmap(disk.subsystem, disk.ns.uuid, scratch.deadline()));
  TRY(const auto group, scratch.MakeGroup({disk.volume}));
  TRY_STATUS(scratch.SnapshotGroup(group.uuid, "pve_probe_group"));
  // The removal of a run passes over nothing: what the account may not delete shows here.
  const auto removed = scratch.RemoveAll();
  if (removed.ok()) return Answer{"work"};
  if (removed.error().code() != ErrorCode::kBusy) return removed.error();
  return Answer{"work", "volumes are busy before they are deleted"};
}

Result<Answer> LookAtAggregate(Scratch& scratch) {
  const auto read = scratch.svms.ReadAggregate(scratch.config().aggregate, scratch.deadline());
  if (read.ok()) return Answer{"shown"};
  const bool is_hidden = read.error().code() == ErrorCode::kNotFound ||
                         read.error().code() == ErrorCode::kPermissionDenied;
  if (!is_hidden) return read.error();
  return Answer{"hidden", CodeOf(read.error())};
}

Result<Answer> LookAtQueue(Scratch& scratch) {
  const auto listed =
      scratch.queue.List(scratch.run().PatternOfRun(scratch.config().prefix), scratch.deadline());
  if (listed.ok()) return Answer{"allowed"};
  const bool is_denied = listed.error().code() == ErrorCode::kPermissionDenied;
  if (!is_denied && !IsRefusal(listed.error())) return listed.error();
  return Answer{"denied", CodeOf(listed.error())};
}

Result<Answer> MeasureAnswers(Scratch& scratch) {
  auto& clock = scratch.deadline().clock();
  std::vector<Duration> took;
  for (std::size_t i = 0; i < kTimedRequests; ++i) {
    const auto begun = clock.Now();
    TRY_STATUS(
        scratch.volumes.Find(scratch.run().Text(scratch.config().prefix), scratch.deadline()));
    took.push_back(std::chrono::duration_cast<Duration>(clock.Now() - begun));
  }
  std::sort(took.begin(), took.end());
  const auto median = took[took.size() / 2];
  const auto text = [](Duration one) { return std::to_string(one.count()) + " ms"; };
  return Answer{median < Duration(1000) ? "quick" : "slow",
                "median " + text(median) + ", worst " + text(took.back())};
}

}  // namespace

const std::vector<Probe>& BasicProbes() {
  static const std::vector<Probe> probes = {
      {.name = "basics",
       .question = "whether the account can make and delete what disks are made of",
       .steps =
           "makes a volume, a namespace, a subsystem, a map, a snapshot, a group and its snapshot, and "
           "deletes them",
       .positions = {"work"},
       .run = TryBasics,
       .is_needed = true},
      {.name = "aggregate",
       .question = "whether the account is shown the aggregate",
       .steps = "reads it",
       .positions = {"shown", "hidden"},
       .run = LookAtAggregate},
      {.name = "private_cli",
       .question = "whether the account may look into the recovery queue",
       .steps = "lists it",
       .positions = {"allowed", "denied"},
       .run = LookAtQueue},
      {.name = "answers",
       .question = "how long the array takes to answer",
       .steps = "looks for a volume that is not there, nine times",
       .positions = {"quick", "slow"},
       .run = MeasureAnswers},
  };
  return probes;
}

}  // namespace ontapnvme::catalogue::flexvol
