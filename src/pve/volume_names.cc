// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/volume_names.h"

#include <algorithm>
#include <set>

namespace ontapnvme::pve {
namespace {

constexpr unsigned kDiskNumberMax = 1024;  // as Proxmox's own search for a free name

Status RequireFree(const StorageConfig& config, const VolumeName& name,
                   const catalogue::Neighbours& neighbours) {
  const auto is_it = [&](const auto& volume) { return volume.name == name; };
  const std::string failure = "cannot use the name '" + name.Text() + "'";
  const auto& foreign = neighbours.foreign;
  if (const auto by = std::find_if(foreign.begin(), foreign.end(), is_it); by != foreign.end()) {
    return Error(ErrorCode::kConflict, failure)
        .Because("'" + by->container_name + "' on the array belongs to another cluster or storage")
        .With("svm", config.svm)
        .Try("use another name, or give this storage a storage_prefix of its own");
  }
  const auto& ours = neighbours.ours;
  if (const auto by = std::find_if(ours.begin(), ours.end(), is_it); by != ours.end()) {
    return Error(ErrorCode::kAlreadyExists, failure)
        .Because("a volume of that name exists, perhaps half-made by an interrupted operation")
        .With("volume", by->container_name)
        .Try("use another name, or remove it with 'pvesm free " + config.storage_id + ":" +
             name.Text() + "' if nothing needs it");
  }
  return {};
}

Result<VolumeName> LowestFreeName(const StorageConfig& config, std::uint64_t vmid,
                                  const catalogue::Neighbours& neighbours) {
  // A number is also taken by a template's disk of the same VM, and by any owner.
  std::set<std::string> taken;
  const auto take = [&](const auto& volumes) {
    for (const auto& volume : volumes) {
      if (volume.name.vmid == vmid) taken.insert(volume.name.rest);
    }
  };
  take(neighbours.ours);
  take(neighbours.foreign);
  VolumeName name;
  name.vmid = vmid;
  for (unsigned number = 0; number < kDiskNumberMax; ++number) {
    name.rest = "disk-" + std::to_string(number);
    if (!taken.contains(name.rest)) return name;
  }
  const std::string vm = std::to_string(vmid);
  return Error(ErrorCode::kAlreadyExists, "VM " + vm + " has no free disk name on this storage")
      .Try("remove disks of that VM that are not needed ('pvesm list " + config.storage_id +
           " --vmid " + vm + "' shows them)");
}

}  // namespace

Result<VolumeName> ChooseName(const StorageConfig& config, std::uint64_t vmid,
                              const std::string& requested_name,
                              const catalogue::Neighbours& neighbours) {
  if (requested_name.empty()) return LowestFreeName(config, vmid, neighbours);
  TRY(const auto name, VolumeName::Parse(requested_name));
  if (name.vmid != vmid || name.is_base || !name.base_name.empty()) {
    const std::string vm = std::to_string(vmid);
    return Error(ErrorCode::kInvalidArgument,
                 "'" + requested_name + "' is not a name for a new disk of VM " + vm)
        .Try("begin it with vm-" + vm + "-");
  }
  TRY_STATUS(RequireFree(config, name, neighbours));
  return name;
}

}  // namespace ontapnvme::pve
