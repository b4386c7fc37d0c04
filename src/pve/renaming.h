// SPDX-License-Identifier: AGPL-3.0-or-later
// Disks that change their name and stay what they are: to a base image, to another VM.
#pragma once

#include <cstdint>
#include <string>

#include "ontap/disk_objects.h"
#include "pve/array_facts.h"
#include "pve/context.h"
#include "pve/undo_steps.h"
#include "pve/vm_group.h"
#include "pve/volume_name.h"

namespace ontapnvme::pve {

class Renaming {
 public:
  Renaming(Context& context, FactSource& facts)
      : context_(&context), facts_(&facts), groups_(context) {}

  // See Storage::CreateBase.
  Result<std::string> CreateBase(const VolumeName& name, const Deadline& deadline);
  // See Storage::Rename.
  Result<std::string> Rename(const VolumeName& name, std::uint64_t vmid,
                             const std::string& new_name, const Deadline& deadline);

 private:
  // One try; `is_name_lost`: the chosen name went to another owner meanwhile, and all is undone.
  Result<std::string> RenameOnce(const VolumeName& name, std::uint64_t vmid,
                                 const std::string& new_name, const Deadline& deadline,
                                 bool& is_name_lost);
  Status TakeBaseSnapshot(const VolumeName& name, const ontap::FlexVol& volume,
                          std::string& array_name, UndoSteps& undo, const Deadline& deadline);
  Status LeaveGroup(const VolumeName& name, const ontap::FlexVol& volume, UndoSteps& undo,
                    const Deadline& deadline);
  Status SetComment(const ontap::FlexVol& volume, const std::string& comment, UndoSteps& undo,
                    const Deadline& deadline);
  Status RenameFlexVol(const ontap::FlexVol& volume, const std::string& new_name, UndoSteps& undo,
                       const Deadline& deadline);

  Context* context_;
  FactSource* facts_;
  VmGroups groups_;
};

}  // namespace ontapnvme::pve
