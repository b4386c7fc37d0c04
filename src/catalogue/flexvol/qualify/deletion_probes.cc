// SPDX-License-Identifier: AGPL-3.0-or-later
// How volumes are deleted, and where they stay meanwhile.
#include "catalogue/flexvol/qualify/probe.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

// In the recovery queue, by the name that the volume had.
Result<std::optional<ontap::QueuedVolume>> FindQueued(Scratch& scratch,
                                                      const Scratch::Volume& volume) {
  TRY(const auto queued, scratch.queue.List(volume.name + "_*", scratch.deadline()));
  for (const auto& one : queued) {
    if (ontap::NameBeforeDeletion(one.name) == volume.name) return std::optional(one);
  }
  return std::optional<ontap::QueuedVolume>();
}

Result<Answer> DeleteMapped(Scratch& scratch) {
  TRY_STATUS(scratch.MakeVolume());
  TRY(const auto disk, scratch.MakeMappedDisk());
  scratch.ExpectGone(disk.volume);
  return TakenOrRefused(scratch.volumes.Delete(disk.volume.uuid, true, scratch.deadline()));
}

Result<Answer> DeletePastQueue(Scratch& scratch) {
  TRY_STATUS(scratch.MakeVolume());
  TRY(const auto volume, scratch.MakeVolume());
  scratch.ExpectGone(volume);
  TRY_STATUS(scratch.volumes.Delete(volume.uuid, true, scratch.deadline()));
  TRY(const auto queued, FindQueued(scratch, volume));
  return Answer{queued ? "queued" : "gone"};
}

Result<Answer> LookAtQueuedFields(Scratch& scratch) {
  TRY_STATUS(scratch.MakeVolume());
  TRY(const auto volume, scratch.MakeVolume());
  scratch.ExpectGone(volume);
  TRY_STATUS(scratch.volumes.Delete(volume.uuid, false, scratch.deadline()));
  TRY(const auto queued, FindQueued(scratch, volume));
  if (!queued) return Answer{"unknown", "a deleted volume is not in the queue"};
  if (!queued->deleted_at) return Answer{"names"};
  return Answer{"times", queued->retention
                             ? "kept for " + std::to_string(queued->retention->count()) + " h"
                             : std::string()};
}

Result<Answer> MeasureDeletion(Scratch& scratch) {
  TRY_STATUS(scratch.MakeVolume());
  TRY(const auto volume, scratch.MakeVolume());
  auto& clock = scratch.deadline().clock();
  const auto begun = clock.Now();
  scratch.ExpectGone(volume);
  TRY_STATUS(scratch.volumes.Delete(volume.uuid, true, scratch.deadline()));
  const auto took = std::chrono::duration_cast<Duration>(clock.Now() - begun);
  return Answer{took < Duration(2000) ? "quick" : "slow", std::to_string(took.count()) + " ms"};
}

}  // namespace

const std::vector<Probe>& DeletionProbes() {
  static const std::vector<Probe> probes = {
      {.name = "delete_mapped",
       .question = "whether a volume is deleted although a namespace in it is mapped",
       .steps = "makes two volumes, maps a namespace in the second, and deletes that volume",
       .positions = {"take", "refuse"},
       .run = DeleteMapped},
      {.name = "delete_past_queue",
       .question = "whether a deletion can go past the recovery queue",
       .steps = "makes two volumes, deletes one with force, and looks into the queue",
       .positions = {"gone", "queued"},
       .run = DeletePastQueue},
      {.name = "queue_fields",
       .question = "whether the recovery queue tells for how long it keeps a volume",
       .steps = "makes two volumes, deletes one, looks into the queue, and takes it out for good",
       .positions = {"times", "names"},
       .run = LookAtQueuedFields},
      {.name = "volume_busy",
       .question = "whether a volume is deleted at once, or is busy for a while",
       .steps = "makes two volumes, deletes one, and measures how long that takes",
       .positions = {"quick", "slow"},
       .run = MeasureDeletion},
  };
  return probes;
}

}  // namespace ontapnvme::catalogue::flexvol
