// SPDX-License-Identifier: AGPL-3.0-or-later
// New disks on the array: empty ones, and clones of what is there. All of it or nothing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pve/array_facts.h"
#include "pve/context.h"
#include "pve/disk_draft.h"
#include "pve/vm_group.h"
#include "pve/volume_name.h"

namespace ontapnvme::pve {

class DiskMaking {
 public:
  DiskMaking(Context& context, FactSource& facts)
      : context_(&context), facts_(&facts), groups_(context) {}

  // See Storage::Allocate.
  Result<std::string> Allocate(std::uint64_t vmid, const std::string& requested_name,
                               std::uint64_t size_kib, const Deadline& deadline);
  // See Storage::Clone.
  Result<std::string> Clone(const VolumeName& source, const std::string& snapshot,
                            std::uint64_t vmid, const Deadline& deadline);

 private:
  // One try; `is_name_lost`: a chosen name went to another owner meanwhile, and nothing was made.
  Result<std::string> AllocateOnce(std::uint64_t vmid, const std::string& requested_name,
                                   ByteCount size, const Deadline& deadline, bool& is_name_lost);
  Result<std::string> CloneOnce(const VolumeName& source, const std::string& snapshot,
                                std::uint64_t vmid, const Deadline& deadline, bool& is_name_lost);
  // The last steps of both: the map, and the group where it belongs to one.
  Status Finish(DiskDraft& draft, const VolumeName& name,
                const std::vector<ontap::FlexVol>& siblings, const Deadline& deadline);

  Context* context_;
  FactSource* facts_;
  VmGroups groups_;
};

}  // namespace ontapnvme::pve
