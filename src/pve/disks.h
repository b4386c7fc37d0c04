// SPDX-License-Identifier: AGPL-3.0-or-later
// Making, removing, growing and listing disks on the array.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ontap/disk_objects.h"
#include "pve/array_facts.h"
#include "pve/context.h"
#include "pve/storage.h"
#include "pve/vm_group.h"
#include "pve/volume_name.h"

namespace ontapnvme::pve {

class Disks {
 public:
  Disks(Context& context, FactSource& facts)
      : context_(&context), facts_(&facts), groups_(context) {}

  // See Storage::Allocate.
  Result<std::string> Allocate(std::uint64_t vmid, const std::string& requested_name,
                               std::uint64_t size_kib, const Deadline& deadline);
  // See Storage::Free.
  Status Free(const VolumeName& name, const Deadline& deadline);
  // See Storage::List.
  Result<std::vector<DiskInfo>> List(std::optional<std::uint64_t> vmid, const Deadline& deadline);
  Result<DiskInfo> Info(const VolumeName& name, const Deadline& deadline);

 private:
  struct Draft;
  Result<VolumeName> ChooseName(std::uint64_t vmid, const std::string& requested_name,
                                const std::vector<ontap::FlexVol>& siblings) const;
  Status CreateVolume(Draft& draft, const Deadline& deadline);
  Status CreateNamespace(Draft& draft, const Deadline& deadline);
  Status Complete(Draft& draft, const Deadline& deadline);
  // Removes what `draft` made; what could not be removed is added to `error`.
  Error Undo(const Draft& draft, Error error, const Deadline& deadline);
  Status Unmap(const VolumeName& name, const ontap::NvmeNamespace& ns, const Deadline& deadline);
  DiskInfo Describe(const VolumeName& name, const ontap::DiskObjects& disk) const;

  Context* context_;
  FactSource* facts_;
  VmGroups groups_;
};

}  // namespace ontapnvme::pve
