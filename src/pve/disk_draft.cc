// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/disk_draft.h"

namespace ontapnvme::pve {

Status DiskDraft::MakeVolume(const std::function<Result<Uuid>()>& create,
                             const Deadline& deadline) {
  auto& context = *context_;
  auto created = create();
  if (created.ok()) {
    volume_ = *created;
    return {};
  }
  if (!MayHaveHappened(created.error())) return created.error();
  // Creating again could make a second one.
  TRY(const auto found, context.volumes.Find(flexvol_, deadline));
  if (!found) return created.error();
  if (!context.ownership.IsMadeBy(found->comment, operation_id_)) {
    is_name_lost_ = true;
    return Error(ErrorCode::kAlreadyExists, "FlexVol '" + flexvol_ + "' exists by now")
        .Because("another operation made it in the meantime")
        .Try("try again");
  }
  volume_ = found->uuid;
  return {};
}

Status DiskDraft::MakeNamespace(ByteCount size, const std::string& comment,
                                const Deadline& deadline) {
  auto& context = *context_;
  auto created = context.namespaces.Create(flexvol_, flexvol_, size, comment, deadline);
  if (!created.ok()) {
    if (!MayHaveHappened(created.error())) return created.error();
    TRY(auto found, context.namespaces.FindByVolume(flexvol_, deadline));
    if (!found || !context.ownership.IsMadeBy(found->comment, operation_id_)) {
      return created.error();
    }
    created = std::move(*found);
  }
  ns_ = std::move(*created);
  // An exact size is a promise: mirroring and moving a disk need equal sizes on both sides.
  if (ns_->size != size) {
    return Error(ErrorCode::kConflict, "the array made the namespace with another size")
        .With("asked_bytes", std::to_string(size.bytes()))
        .With("made_bytes", std::to_string(ns_->size.bytes()))
        .Try("ask for a multiple of 1 MiB, and report what the array did");
  }
  return {};
}

Status DiskDraft::TakeNamespace(const Deadline& deadline) {
  TRY(auto found, context_->namespaces.FindByVolume(flexvol_, deadline));
  if (!found) {
    return Error(ErrorCode::kInternal, "the clone '" + flexvol_ + "' holds no namespace")
        .Because("the snapshot that it was made from holds none, or the array does not list it")
        .Try("look at the volume that was cloned on the array");
  }
  ns_ = std::move(*found);
  return {};
}

Status DiskDraft::Map(const Deadline& deadline) {
  return context_->subsystems.Map(ns_->uuid, context_->config.subsystem, deadline);
}

Error DiskDraft::Undo(Error error, const Deadline& deadline) const {
  if (is_name_lost_) return error;
  auto& context = *context_;
  const Deadline grace = deadline.Grace(kUndoBudget);
  std::optional<Uuid> volume = volume_;
  if (!volume) {
    // Perhaps it was made after all: only its mark can tell.
    const auto found = context.volumes.Find(flexvol_, grace);
    if (found.ok() && *found && context.ownership.IsMadeBy((*found)->comment, operation_id_)) {
      volume = (*found)->uuid;
    } else if (found.ok()) {
      return error;
    }
  }
  std::optional<Uuid> ns = ns_ ? std::optional(ns_->uuid) : std::nullopt;
  if (volume && !ns) {
    const auto found = context.namespaces.FindByVolume(flexvol_, grace);
    if (found.ok() && *found) ns = (*found)->uuid;
  }
  if (ns) {
    // Whether the map was made is not known after a lost answer; unmapping what is not mapped
    // succeeds.
    const auto unmapped = context.subsystems.Unmap(subsystem_uuid_, *ns, grace);
    if (!unmapped.ok()) error.AddFact("left_mapped", flexvol_);
  }
  const auto deleted = volume ? context.volumes.Delete(*volume, true, grace)
                              : Status(Error(ErrorCode::kUnavailable, "not known"));
  if (!deleted.ok()) {
    error.AddFact("left_over", flexvol_);
    error.SetHint("what is left over carries this operation's mark; remove FlexVol '" + flexvol_ +
                  "' on the array if it is still there");
  }
  return error;
}

}  // namespace ontapnvme::pve
