// SPDX-License-Identifier: AGPL-3.0-or-later
// Disks::Allocate: FlexVol, namespace, map, group; all of it or nothing.
#include <algorithm>
#include <set>

#include "pve/disk_spec.h"
#include "pve/disks.h"

namespace ontapnvme::pve {
namespace {

constexpr unsigned kDiskNumberMax = 1024;  // as Proxmox's own search for a free name

Error NameTaken(const Context& context, const VolumeName& name, const ontap::FlexVol& by) {
  if (context.ownership.IsForeign(by.comment)) {
    return Error(ErrorCode::kConflict, "cannot allocate volume '" + name.Text() + "'")
        .Because("FlexVol '" + by.name + "' belongs to another cluster or storage")
        .With("svm", context.config.svm)
        .Try("give this storage a storage_prefix of its own");
  }
  return Error(ErrorCode::kAlreadyExists, "cannot allocate volume '" + name.Text() + "'")
      .Because("a volume of that name exists, perhaps half-made by an operation that was stopped")
      .With("flexvol", by.name)
      .Try("use another name, or remove it with 'pvesm free' if nothing needs it");
}

}  // namespace

// What one allocation has made so far.
struct Disks::Draft {
  VolumeName name;
  ontap::FlexVolSpec spec;
  ByteCount size;
  std::string operation_id;
  Uuid subsystem_uuid;
  std::vector<ontap::FlexVol> siblings;
  std::optional<Uuid> volume;  // made by us
  std::optional<Uuid> ns;      // made by us
  bool is_mapped = false;
};

Result<std::string> Disks::Allocate(std::uint64_t vmid, const std::string& requested_name,
                                    std::uint64_t size_kib, const Deadline& deadline) {
  auto& context = *context_;
  TRY(const ByteCount asked, FromKiB(size_kib));
  if (asked.bytes() == 0 || asked > kDiskSizeMax) {
    return Error(ErrorCode::kInvalidArgument, "cannot allocate a disk of that size")
        .With("size_kib", std::to_string(size_kib))
        .Try("use 1 KiB to 128 TiB");
  }
  TRY(const auto facts, facts_->Read(deadline));
  const Deadline working = deadline.Reserve(kUndoBudget);

  Draft draft;
  TRY(draft.siblings,
      context.volumes.List(FlexVolPatternOfVm(context.config.prefix, vmid), working));
  TRY(draft.name, ChooseName(vmid, requested_name, draft.siblings));
  TRY(auto flexvol, FlexVolName(context.config.prefix, draft.name));
  draft.operation_id = NewOperationId();
  draft.size = asked.RoundUp(kBlockBytes);
  draft.subsystem_uuid = facts.subsystem_uuid;
  draft.spec = MakeFlexVolSpec(context.config, facts, std::move(flexvol), draft.size,
                               context.ownership.Mark(vmid, draft.operation_id));
  if (auto done = Complete(draft, working); !done.ok()) {
    return Undo(draft, done.error().Wrap("cannot allocate volume '" + draft.name.Text() + "'"),
                deadline);
  }
  return draft.name.Text();
}

Result<VolumeName> Disks::ChooseName(std::uint64_t vmid, const std::string& requested_name,
                                     const std::vector<ontap::FlexVol>& siblings) const {
  const auto find = [&](const std::string& flexvol) {
    return std::find_if(siblings.begin(), siblings.end(),
                        [&](const auto& sibling) { return sibling.name == flexvol; });
  };
  if (!requested_name.empty()) {
    TRY(const auto name, VolumeName::Parse(requested_name));
    if (name.vmid != vmid || !name.base_name.empty()) {
      return Error(ErrorCode::kInvalidArgument, "illegal volume name '" + requested_name + "'")
          .Try("begin it with vm-" + std::to_string(vmid) + "-");
    }
    TRY(const auto flexvol, FlexVolName(context_->config.prefix, name));
    if (const auto taken = find(flexvol); taken != siblings.end()) {
      return NameTaken(*context_, name, *taken);
    }
    return name;
  }
  // A number is taken by a template's disk of the same VM as well, and by any owner.
  std::set<std::string> taken;
  for (const auto& sibling : siblings) {
    if (const auto name = VolumeNameOfFlexVol(context_->config.prefix, sibling.name)) {
      taken.insert(name->rest);
    }
  }
  for (unsigned number = 0; number < kDiskNumberMax; ++number) {
    std::string rest = "disk-" + std::to_string(number);
    if (taken.contains(rest)) continue;
    VolumeName name;
    name.vmid = vmid;
    name.rest = std::move(rest);
    return name;
  }
  return Error(ErrorCode::kAlreadyExists,
               "VM " + std::to_string(vmid) + " has no free disk name on this storage")
      .Try("remove unused disks of that VM");
}

Status Disks::Complete(Draft& draft, const Deadline& deadline) {
  TRY_STATUS(CreateVolume(draft, deadline));
  TRY_STATUS(CreateNamespace(draft, deadline));
  TRY_STATUS(context_->subsystems.Map(*draft.ns, context_->config.subsystem, deadline));
  draft.is_mapped = true;
  if (!draft.name.IsGroupMember()) return {};
  return groups_.Join(draft.name.vmid, draft.spec.name, draft.siblings, deadline);
}

// A lost answer, or a name that is suddenly taken, is settled by the mark: only this operation's id
// makes the object ours. Creating again could make a second one.
Status Disks::CreateVolume(Draft& draft, const Deadline& deadline) {
  auto& context = *context_;
  auto created = context.volumes.Create(draft.spec, deadline);
  if (created.ok()) {
    draft.volume = *created;
    return {};
  }
  if (!MayHaveHappened(created.error())) return created.error();
  TRY(const auto found, context.volumes.Find(draft.spec.name, deadline));
  if (!found) return created.error();
  if (!context.ownership.IsMadeBy(found->comment, draft.operation_id)) {
    return NameTaken(context, draft.name, *found);
  }
  draft.volume = found->uuid;
  return {};
}

Status Disks::CreateNamespace(Draft& draft, const Deadline& deadline) {
  auto& context = *context_;
  auto created = context.namespaces.Create(draft.spec.name, draft.spec.name, draft.size,
                                           draft.spec.comment, deadline);
  if (!created.ok()) {
    if (!MayHaveHappened(created.error())) return created.error();
    TRY(auto found, context.namespaces.FindByVolume(draft.spec.name, deadline));
    if (!found || !context.ownership.IsMadeBy(found->comment, draft.operation_id)) {
      return created.error();
    }
    created = std::move(*found);
  }
  draft.ns = created->uuid;
  // An exact size is a promise: mirroring and moving a disk need equal sizes on both sides.
  if (created->size != draft.size) {
    return Error(ErrorCode::kConflict, "the array made the namespace with another size")
        .With("asked_bytes", std::to_string(draft.size.bytes()))
        .With("made_bytes", std::to_string(created->size.bytes()))
        .Try("ask for a multiple of 1 MiB, and report what the array did");
  }
  return {};
}

Error Disks::Undo(const Draft& draft, Error error, const Deadline& deadline) {
  auto& context = *context_;
  const Deadline grace = deadline.Grace(kUndoBudget);
  std::optional<Uuid> volume = draft.volume;
  std::optional<Uuid> ns = draft.ns;
  if (!volume) {
    // Perhaps it was made after all: only its mark can tell.
    const auto found = context.volumes.Find(draft.spec.name, grace);
    if (found.ok() && *found && context.ownership.IsMadeBy((*found)->comment, draft.operation_id)) {
      volume = (*found)->uuid;
    } else if (found.ok()) {
      return error;
    }
  }
  if (volume && !ns) {
    const auto found = context.namespaces.FindByVolume(draft.spec.name, grace);
    if (found.ok() && *found) ns = (*found)->uuid;
  }
  if (ns) {
    // Whether the map was made is not known after a lost answer; unmapping what is not mapped
    // succeeds.
    const auto unmapped = context.subsystems.Unmap(draft.subsystem_uuid, *ns, grace);
    if (!unmapped.ok()) error.AddFact("left_mapped", draft.spec.name);
  }
  // New and empty: nothing in it is worth the recovery queue.
  const auto deleted = volume ? context.volumes.Delete(*volume, true, grace)
                              : Status(Error(ErrorCode::kUnavailable, "not known"));
  if (!deleted.ok()) {
    error.AddFact("left_over", draft.spec.name);
    error.SetHint("what is left over carries this operation's mark; remove FlexVol '" +
                  draft.spec.name + "' on the array if it is still there");
  }
  return error;
}

}  // namespace ontapnvme::pve
