// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/flexvol/adopting.h"

#include <algorithm>

#include "base/text.h"
#include "catalogue/flexvol/undeleting.h"
#include "catalogue/refusals.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

std::vector<VolumeName> AdoptedFrom(const AdoptionSource& source, const Neighbours& neighbours) {
  std::vector<VolumeName> names;
  for (const Volume& one : neighbours.ours) {
    const bool is_ours = one.mark.owner == Owner::kOurs;
    if (is_ours && one.mark.mark.adopted_from == source.path) names.push_back(one.name);
  }
  return names;
}

std::string Counted(std::size_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

}  // namespace

Error Adopting::NotThere(const AdoptionSource& source) const {
  const std::string kind = source.is_lun ? "LUN" : "namespace";
  const std::string command = source.is_lun ? "lun show" : "vserver nvme namespace show";
  return Error(ErrorCode::kNotFound, "the array lists no " + kind + " '" + CleanText(source.path) +
                                         "' on SVM '" + session_->config.svm + "'")
      .Try("look at what there is on the array ('" + command +
           "'), and whether its FlexVol is online");
}

Result<AdoptionOutlook> Adopting::Examine(const AdoptionSource& source, std::uint64_t vmid,
                                          const Neighbours& neighbours, const Deadline& deadline) {
  session_->facts.Remembered();
  TRY(const auto stranger, session_->gate.FindStranger(source, vmid, deadline));
  if (stranger) {
    TRY(auto remarks, RemarksOn(*stranger, source, vmid, deadline));
    return AdoptionOutlook{.disk = std::nullopt,
                           .size = stranger->lun ? stranger->lun->size : (*stranger->ns)->size,
                           .remarks = std::move(remarks)};
  }
  TRY(const auto done, RequireAdopted(source, neighbours));
  TRY(const auto disk, session_->gate.FindDisk(done, deadline));
  if (!disk || !disk->ns) return VolumeNotFound(session_->config, done);
  return AdoptionOutlook{.disk = done, .size = (*disk->ns)->size};
}

Result<VolumeName> Adopting::RequireAdopted(const AdoptionSource& source,
                                            const Neighbours& neighbours) const {
  const auto done = AdoptedFrom(source, neighbours);
  if (done.size() == 1) return done.front();
  if (done.empty()) return NotThere(source);
  return Error(ErrorCode::kConflict,
               "cannot tell which disk was '" + CleanText(source.path) + "' the last time")
      .Because("several were: " + done.front().LeafText() + ", " + done.back().LeafText())
      .Try(
          "look at them with 'ontapnvme explain'; the hourly look for left-overs finishes what is not");
}

// What was called so before and is a disk by now must not be taken for this one.
Status Adopting::ForgetFormer(const AdoptionSource& source, const Neighbours& neighbours,
                              const Deadline& deadline) {
  auto& gate = session_->gate;
  for (const auto& name : AdoptedFrom(source, neighbours)) {
    TRY(const auto former, gate.FindVolume(name, deadline));
    if (!former || (*former)->mark.mark.adopted_from != source.path) continue;
    Mark mark = (*former)->mark.mark;
    mark.adopted_from.clear();
    const auto marked = gate.SetMark(*former, mark, deadline);
    if (!marked.ok()) return marked.error();
  }
  return {};
}

Result<std::vector<std::string>> Adopting::RemarksOn(const Stranger& stranger,
                                                     const AdoptionSource& source,
                                                     std::uint64_t vmid, const Deadline& deadline) {
  auto& gate = session_->gate;
  const auto& flexvol = stranger.volume->flexvol;
  const std::string shown = "FlexVol '" + CleanText(flexvol.name) + "'";
  TRY(const auto snapshots, gate.ListSnapshots({stranger.volume}, deadline));
  TRY(const auto clones, gate.ListClones(stranger.volume, deadline));
  std::vector<std::string> remarks;
  if (!snapshots.empty()) {
    remarks.push_back(Counted(snapshots.size(), "snapshot") + " of " + shown +
                      (snapshots.size() == 1 ? " comes" : " come") + " along and " +
                      (snapshots.size() == 1 ? "takes" : "take") + " space; '" +
                      "ontapnvme snapshots' shows them afterwards");
  }
  if (!flexvol.parent_volume_name.empty()) {
    remarks.push_back(shown + " is a FlexClone, and holds snapshot '" +
                      CleanText(flexvol.parent_snapshot_name) + "' of '" +
                      CleanText(flexvol.parent_volume_name) + "' until it is split from it");
  }
  for (const auto& clone : clones) {
    remarks.push_back("a FlexClone depends on " + shown + ": " + clone.text +
                      "; the disk cannot be deleted while it is there");
  }
  if (stranger.is_begun) {
    remarks.push_back("an earlier call was interrupted; this one goes on from there");
  } else if (!flexvol.comment.empty()) {
    const auto mark = MarkFor(stranger.volume, source, vmid);
    remarks.push_back(
        "the comment of " + shown +
        (mark.notes.empty() ? " is too long to be kept: '" : " becomes the disk's notes: '") +
        CleanText(flexvol.comment) + "'");
  }
  remarks.push_back("whatever else " + shown +
                    " holds, files for example, goes when the disk is deleted");
  remarks.push_back(shown +
                    " keeps its size, space guarantee, autosize, tiering and QoS policy; its "
                    "snapshot policy becomes 'none'");
  return remarks;
}

// What the FlexVol's comment was, the disk's notes are, if they fit.
Mark Adopting::MarkFor(const OwnedVolume& volume, const AdoptionSource& source,
                       std::uint64_t vmid) const {
  Mark mark = session_->gate.marker().New(vmid, NewOperationId());
  mark.base_name = volume->name.base_name;
  mark.adopted_from = source.path;
  mark.notes = volume->flexvol.comment;
  if (!mark.Text().ok()) mark.notes.clear();
  return mark;
}

Result<Disk> Adopting::Adopt(const AdoptionSource& source, const VolumeName& name,
                             const Neighbours& neighbours, const Deadline& deadline) {
  auto& gate = session_->gate;
  session_->facts.Remembered();
  TRY(const auto stranger, gate.FindStranger(source, name.vmid, deadline));
  if (!stranger) {
    TRY(const auto done, RequireAdopted(source, neighbours));
    return Finish(done, neighbours, deadline);
  }
  TRY_STATUS(ForgetFormer(source, neighbours, deadline));
  // First, since it may be refused: until then nothing has changed.
  auto ns = stranger->ns;
  if (stranger->lun) {
    TRY(ns, gate.Convert(*stranger, deadline));
  }
  auto volume = stranger->volume;
  if (!stranger->is_begun) {
    TRY(volume, gate.SetMark(volume, MarkFor(volume, source, name.vmid), deadline));
  }
  auto full = name;
  full.base_name = volume->mark.mark.base_name;
  TRY(const auto named, gate.TakeName(volume, full, deadline));
  return ConnectAsDisk(*session_, named, *ns, neighbours, "is adopted", deadline);
}

Result<Disk> Adopting::Finish(const VolumeName& name, const Neighbours& neighbours,
                              const Deadline& deadline) {
  TRY(const auto disk, session_->gate.FindDisk(name, deadline));
  if (!disk || !disk->ns) return VolumeNotFound(session_->config, name);
  return ConnectAsDisk(*session_, disk->volume, *disk->ns, neighbours, "is adopted", deadline);
}

}  // namespace ontapnvme::catalogue::flexvol
