// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/name_choice.h"

#include <algorithm>
#include <set>

namespace ontapnvme::pve {
namespace {

constexpr unsigned kDiskNumberMax = 1024;  // as Proxmox's own search for a free name

}  // namespace

Error NameTaken(const Context& context, const VolumeName& name, const ontap::FlexVol& by) {
  if (context.ownership.IsForeign(by.comment)) {
    return Error(ErrorCode::kConflict, "cannot use the name '" + name.Text() + "'")
        .Because("FlexVol '" + by.name + "' belongs to another cluster or storage")
        .With("svm", context.config.svm)
        .Try("give this storage a storage_prefix of its own");
  }
  return Error(ErrorCode::kAlreadyExists, "cannot use the name '" + name.Text() + "'")
      .Because("a volume of that name exists, perhaps half-made by an operation that was stopped")
      .With("flexvol", by.name)
      .Try("use another name, or remove it with 'pvesm free' if nothing needs it");
}

Result<VolumeName> ChooseName(const Context& context, std::uint64_t vmid,
                              const std::string& requested_name,
                              const std::vector<ontap::FlexVol>& siblings) {
  const auto find = [&](const std::string& flexvol) {
    return std::find_if(siblings.begin(), siblings.end(),
                        [&](const auto& sibling) { return sibling.name == flexvol; });
  };
  if (!requested_name.empty()) {
    TRY(const auto name, VolumeName::Parse(requested_name));
    if (name.vmid != vmid || name.is_base || !name.base_name.empty()) {
      return Error(ErrorCode::kInvalidArgument, "illegal volume name '" + requested_name + "'")
          .Try("begin it with vm-" + std::to_string(vmid) + "-");
    }
    TRY(const auto flexvol, FlexVolName(context.config.prefix, name));
    if (const auto taken = find(flexvol); taken != siblings.end()) {
      return NameTaken(context, name, *taken);
    }
    return name;
  }
  // A number is taken by a template's disk of the same VM as well, and by any owner.
  std::set<std::string> taken;
  for (const auto& sibling : siblings) {
    const auto name = VolumeNameOfFlexVol(context.config.prefix, sibling.name);
    if (name && name->vmid == vmid) taken.insert(name->rest);
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

}  // namespace ontapnvme::pve
