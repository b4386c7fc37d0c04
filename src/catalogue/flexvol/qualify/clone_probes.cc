// SPDX-License-Identifier: AGPL-3.0-or-later
// FlexClones, and what they hold.
#include "catalogue/flexvol/qualify/probe.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

constexpr const char* kSnapshot = "pve_probe";

// A volume with a snapshot, and a clone of that.
struct Family {
  Scratch::Volume parent;
  Scratch::Volume clone;
};

Result<Family> MakeFamily(Scratch& scratch) {
  TRY(auto parent, scratch.MakeVolume());
  TRY_STATUS(scratch.MakeNamespace(parent));
  TRY_STATUS(scratch.Snapshot(parent, kSnapshot));
  TRY(auto clone, scratch.MakeClone(parent, kSnapshot));
  return Family{std::move(parent), std::move(clone)};
}

Result<Answer> LookAtNewClone(Scratch& scratch) {
  TRY(const auto family, MakeFamily(scratch));
  const auto look = [&] {
    return scratch.volumes.ReadState(family.clone.uuid, scratch.deadline());
  };
  TRY(const auto state, LookAgainUntilListed(look, scratch.deadline()));
  if (!state) return Answer{"unknown", "the clone is not listed"};
  if (state->state == "online") return Answer{"online"};
  return Answer{"later"};
}

Result<Answer> DeleteHeldSnapshot(Scratch& scratch) {
  TRY(const auto family, MakeFamily(scratch));
  TRY(const auto snapshot, scratch.FindSnapshot(family.parent, kSnapshot));
  const auto deleted =
      scratch.snapshots.Delete(family.parent.uuid, snapshot.uuid, scratch.deadline());
  if (deleted.ok()) return Answer{"deleted"};
  if (!IsRefusal(deleted.error())) return deleted.error();
  const auto& code = deleted.error().origin().array_code;
  return Answer{code ? std::to_string(*code) : "other", CodeOf(deleted.error())};
}

// Only where the clone can be taken out of the queue again: it would hold its parent for hours.
Result<Answer> DeleteSnapshotOfQueuedClone(Scratch& scratch) {
  const auto pattern = scratch.run().PatternOfRun(scratch.config().prefix);
  TRY_STATUS(scratch.queue.List(pattern, scratch.deadline()));
  TRY(const auto family, MakeFamily(scratch));
  TRY(const auto snapshot, scratch.FindSnapshot(family.parent, kSnapshot));
  scratch.ExpectGone(family.clone);
  TRY_STATUS(scratch.volumes.Delete(family.clone.uuid, false, scratch.deadline()));
  const auto deleted =
      scratch.snapshots.Delete(family.parent.uuid, snapshot.uuid, scratch.deadline());
  if (deleted.ok()) return Answer{"no"};
  if (!IsRefusal(deleted.error())) return deleted.error();
  return Answer{"yes", CodeOf(deleted.error())};
}

}  // namespace

const std::vector<Probe>& CloneProbes() {
  static const std::vector<Probe> probes = {
      {.name = "clone_online",
       .question = "whether a clone is online when its creation is done",
       .steps = "makes a volume, a namespace, a snapshot and a clone, and reads the clone",
       .positions = {"online", "later"},
       .run = LookAtNewClone},
      {.name = "held_snapshot_code",
       .question = "how the array refuses to delete a snapshot that has a clone",
       .steps = "the same, and deletes the snapshot",
       .positions = {"1638543", "1638555", "deleted", "other"},
       .run = DeleteHeldSnapshot},
      {.name = "queued_clones_hold_parent",
       .question = "whether a clone in the recovery queue still holds its parent's snapshot",
       .steps =
           "the same, deletes the clone into the queue, deletes the snapshot, and empties the queue of "
           "the clone",
       .positions = {"no", "yes"},
       .run = DeleteSnapshotOfQueuedClone},
  };
  return probes;
}

}  // namespace ontapnvme::catalogue::flexvol
