// SPDX-License-Identifier: AGPL-3.0-or-later
// What an array takes when volumes and namespaces are made, and when it shows them.
#include "catalogue/flexvol/qualify/probe.h"
#include "ontap/probe_calls.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

constexpr ByteCount kBlock{4096};

std::string Seconds(Duration took) {
  return std::to_string((took.count() + 999) / 1000) + " s";
}

// Volume and namespace, since a create may itself wait until one of them is listed.
Result<Answer> LookForNew(Scratch& scratch) {
  auto& clock = scratch.deadline().clock();
  const auto elapsed_since = [&](TimePoint begun) {
    return std::chrono::duration_cast<Duration>(clock.Now() - begun);
  };
  TRY(const auto volume, scratch.MakeVolume());
  auto begun = clock.Now();
  TRY(const auto first, scratch.volumes.Find(volume.name, scratch.deadline()));
  TRY(const auto listed,
      LookAgainUntilListed([&] { return scratch.volumes.Find(volume.name, scratch.deadline()); },
                           scratch.deadline()));
  auto waited = elapsed_since(begun);
  TRY_STATUS(scratch.MakeNamespace(volume));
  begun = clock.Now();
  TRY(const auto first_namespace, scratch.namespaces.FindByVolume(volume.name, scratch.deadline()));
  TRY(const auto listed_namespace,
      LookAgainUntilListed(
          [&] { return scratch.namespaces.FindByVolume(volume.name, scratch.deadline()); },
          scratch.deadline()));
  waited = std::max(waited, elapsed_since(begun));
  if (first && first_namespace) return Answer{"at_once"};
  if (!listed || !listed_namespace) return Answer{"late", "not after " + Seconds(waited)};
  return Answer{"late", "after " + Seconds(waited) + " at most"};
}

Result<Answer> LookForNewByUuid(Scratch& scratch) {
  TRY(const auto volume, scratch.MakeVolume());
  TRY(const auto listed, scratch.volumes.Find(volume.name, scratch.deadline()));
  TRY(const auto read, scratch.volumes.ReadState(volume.uuid, scratch.deadline()));
  if (listed) return Answer{"found", "as it is listed at once"};
  return Answer{read ? "found" : "late"};
}

Result<Answer> CreateWithReserve(Scratch& scratch) {
  return TakenOrRefused(ontap::CreateWithFractionalReserve(
      scratch.rest(), scratch.config().svm, scratch.NextVolume(), scratch.deadline()));
}

Result<Answer> SetBothSizes(Scratch& scratch) {
  TRY(const auto volume, scratch.MakeVolume());
  return TakenOrRefused(ontap::SetSizeWithAutosize(scratch.rest(), volume.uuid, MiB(64), MiB(128),
                                                   scratch.deadline()));
}

Result<Answer> MakeSmallNamespace(Scratch& scratch) {
  TRY(const auto volume, scratch.MakeVolume());
  const auto made = scratch.MakeNamespace(volume, kBlock);
  if (made.ok()) return Answer{"4096"};
  if (!IsRefusal(made.error())) return made.error();
  return Answer{"larger", CodeOf(made.error())};
}

Result<Answer> MakeOddNamespace(Scratch& scratch) {
  TRY(const auto volume, scratch.MakeVolume());
  const ByteCount odd{kScratchNamespaceSize.bytes() + 512};
  const auto made = scratch.MakeNamespace(volume, odd);
  if (made.ok()) return Answer{"round_up", std::to_string(made->size.bytes()) + " bytes"};
  if (!IsRefusal(made.error())) return made.error();
  return Answer{"refuse", CodeOf(made.error())};
}

}  // namespace

const std::vector<Probe>& VolumeProbes() {
  static const std::vector<Probe> probes = {
      {.name = "late_listing",
       .question = "whether what was made is listed at once",
       .steps = "makes a volume and a namespace, and lists each until it is there",
       .positions = {"at_once", "late"},
       .run = LookForNew},
      {.name = "late_by_uuid",
       .question = "whether what is not listed yet is found by its UUID",
       .steps = "makes a volume, and reads it by name and by UUID",
       .positions = {"found", "late"},
       .run = LookForNewByUuid},
      {.name = "fractional_reserve_create",
       .question = "whether a create takes the fractional reserve",
       .steps = "makes a volume with it",
       .positions = {"take", "refuse"},
       .run = CreateWithReserve},
      {.name = "autosize_with_size",
       .question = "whether one request takes a size and an autosize maximum",
       .steps = "makes a volume, and changes both",
       .positions = {"take", "refuse"},
       .run = SetBothSizes},
      {.name = "namespace_minimum",
       .question = "whether a namespace may be as small as one block",
       .steps = "makes a volume, and a namespace of 4096 bytes in it",
       .positions = {"4096", "larger"},
       .run = MakeSmallNamespace},
      {.name = "namespace_rounding",
       .question = "what becomes of a size that is no multiple of the block",
       .steps = "makes a volume, and a namespace of 24 MiB and 512 bytes in it",
       .positions = {"round_up", "refuse"},
       .run = MakeOddNamespace},
  };
  return probes;
}

}  // namespace ontapnvme::catalogue::flexvol
