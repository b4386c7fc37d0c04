// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/disk_making.h"

#include <algorithm>

#include "pve/disk_lookup.h"
#include "pve/disk_spec.h"
#include "pve/name_choice.h"
#include "pve/volume_details.h"

namespace ontapnvme::pve {
namespace {

// svm_capacity is what the SVM may hold, as its owner was told: the array does not know of it.
Status RequireRoom(const StorageConfig& config, const std::vector<ontap::FlexVol>& all,
                   ByteCount wanted) {
  if (!config.svm_capacity) return {};
  std::uint64_t used_bytes = 0;
  for (const auto& one : all) used_bytes += one.used.bytes();
  const std::uint64_t limit_bytes = config.svm_capacity->bytes();
  if (used_bytes < limit_bytes && wanted.bytes() <= limit_bytes - used_bytes) return {};
  return Error(ErrorCode::kNoSpace, "cannot allocate a disk of that size")
      .Because("it does not fit into svm_capacity")
      .With("asked_bytes", std::to_string(wanted.bytes()))
      .With("used_bytes", std::to_string(used_bytes))
      .With("svm_capacity_bytes", std::to_string(limit_bytes))
      .Try("free space on the SVM, or raise svm_capacity if the SVM may hold more");
}

// Proxmox's lock keeps a storage's own tasks apart. Another cluster, or another storage with the
// same prefix, has another lock and chooses among the same names: who loses one takes the next.
template <typename F>
Result<std::string> WithFreeName(const F& make_once) {
  constexpr int kTriesMax = 10;
  for (int tries = 1;; ++tries) {
    bool is_name_lost = false;
    auto made = make_once(is_name_lost);
    if (!is_name_lost || tries == kTriesMax) return made;
  }
}

}  // namespace

Result<std::string> DiskMaking::Allocate(std::uint64_t vmid, const std::string& requested_name,
                                         std::uint64_t size_kib, const Deadline& deadline) {
  TRY(const ByteCount asked, FromKiB(size_kib));
  if (asked.bytes() == 0 || asked > kDiskSizeMax) {
    return Error(ErrorCode::kInvalidArgument, "cannot allocate a disk of that size")
        .With("size_kib", std::to_string(size_kib))
        .Try("use 1 KiB to 128 TiB");
  }
  const ByteCount size = asked.RoundUp(kBlockBytes);
  return WithFreeName([&](bool& is_name_lost) {
    return AllocateOnce(vmid, requested_name, size, deadline, is_name_lost);
  });
}

Result<std::string> DiskMaking::AllocateOnce(std::uint64_t vmid, const std::string& requested_name,
                                             ByteCount size, const Deadline& deadline,
                                             bool& is_name_lost) {
  auto& context = *context_;
  const auto& config = context.config;
  TRY(const auto facts, facts_->Read(deadline));
  const Deadline working = deadline.Reserve(kUndoBudget);

  // With svm_capacity the one listing is of all volumes instead of the VM's.
  TRY(const auto siblings,
      context.volumes.List(config.svm_capacity ? "*" : FlexVolPatternOfVm(config.prefix, vmid),
                           working));
  TRY_STATUS(RequireRoom(config, siblings, size));
  TRY(const auto name, ChooseName(context, vmid, requested_name, siblings));
  TRY(auto flexvol, FlexVolName(config.prefix, name));
  const std::string operation_id = NewOperationId();
  const auto spec =
      MakeFlexVolSpec(config, facts, flexvol, size, context.ownership.Mark(vmid, operation_id));

  DiskDraft draft(context, facts, std::move(flexvol), operation_id);
  const auto make = [&]() -> Status {
    TRY_STATUS(draft.MakeVolume([&] { return context.volumes.Create(spec, working); }, working));
    TRY_STATUS(draft.MakeNamespace(size, spec.comment, working));
    return Finish(draft, name, siblings, working);
  };
  if (const auto made = make(); !made.ok()) {
    is_name_lost = draft.is_name_lost() && requested_name.empty();
    return draft.Undo(made.error().Wrap("cannot allocate volume '" + name.Text() + "'"), deadline);
  }
  context.disk_memory.Remember(name, draft.ns().uuid);
  return name.Text();
}

Result<std::string> DiskMaking::Clone(const VolumeName& source, const std::string& snapshot,
                                      std::uint64_t vmid, const Deadline& deadline) {
  return WithFreeName([&](bool& is_name_lost) {
    return CloneOnce(source, snapshot, vmid, deadline, is_name_lost);
  });
}

Result<std::string> DiskMaking::CloneOnce(const VolumeName& source, const std::string& snapshot,
                                          std::uint64_t vmid, const Deadline& deadline,
                                          bool& is_name_lost) {
  auto& context = *context_;
  const auto& config = context.config;
  const std::string failure = "cannot clone volume '" + source.Text() + "'";
  if (snapshot.empty() && !source.is_base) {
    return Error(ErrorCode::kInvalidArgument, failure)
        .Because("it is no base image, and no snapshot of it is given")
        .Try("convert its VM to a template, or clone from a snapshot");
  }
  TRY(const auto facts, facts_->Read(deadline));
  TRY(const auto source_flexvol, FlexVolName(config.prefix, source));
  const Deadline working = deadline.Reserve(kUndoBudget);

  // The source and the new VM's volumes by one listing.
  TRY(const auto listed,
      context.volumes.List(source_flexvol + "|" + FlexVolPatternOfVm(config.prefix, vmid),
                           working));
  const auto parent = std::find_if(listed.begin(), listed.end(), [&](const auto& one) {
    return one.name == source_flexvol && !context.ownership.IsForeign(one.comment);
  });
  if (parent == listed.end()) return VolumeNotFound(context, source);

  TRY(auto name, ChooseName(context, vmid, "", listed));
  TRY(auto flexvol, FlexVolName(config.prefix, name));
  if (snapshot.empty()) name.base_name = source.LeafText();
  const std::string operation_id = NewOperationId();
  TRY(auto comment,
      WithDetails(context.ownership.Mark(vmid, operation_id), {.base_name = name.base_name}));
  const std::string parent_snapshot =
      snapshot.empty() ? BaseSnapshotOf(parent->comment) : ArraySnapshotName(snapshot);
  const auto spec =
      MakeFlexCloneSpec(config, flexvol, *parent, parent_snapshot, std::move(comment));

  DiskDraft draft(context, facts, std::move(flexvol), operation_id);
  const auto make = [&]() -> Status {
    TRY_STATUS(draft.MakeVolume([&] { return context.volumes.Clone(spec, working); }, working));
    // What a clone takes over from its parent is not stated: it gets what a new disk would have.
    TRY_STATUS(
        context.volumes.ApplySettings(draft.volume(), MakeCloneSettings(config, *parent), working));
    TRY_STATUS(draft.TakeNamespace(working));
    return Finish(draft, name, listed, working);
  };
  if (const auto made = make(); !made.ok()) {
    is_name_lost = draft.is_name_lost();
    Error error = made.error().Wrap(failure);
    if (FailedWith(made, ErrorCode::kNotFound)) error.AddFact("array_snapshot", parent_snapshot);
    return draft.Undo(std::move(error), deadline);
  }
  context.disk_memory.Remember(name, draft.ns().uuid);
  return name.Text();
}

Status DiskMaking::Finish(DiskDraft& draft, const VolumeName& name,
                          const std::vector<ontap::FlexVol>& siblings, const Deadline& deadline) {
  TRY_STATUS(draft.Map(deadline));
  if (!name.IsGroupMember()) return {};
  return groups_.Join(name.vmid, draft.flexvol(), siblings, deadline);
}

}  // namespace ontapnvme::pve
