// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/volume_attributes.h"

#include "pve/disk_lookup.h"

namespace ontapnvme::pve {

Status ChangeDetails(Context& context, const VolumeName& name,
                     const std::function<void(VolumeDetails&)>& change, const Deadline& deadline) {
  const std::string failure = "cannot change the attributes of volume '" + name.Text() + "'";
  TRY(const auto volume, RequireVolume(context, name, deadline));
  auto details = ReadDetails(volume.comment);
  change(details);
  const auto comment = WithDetails(context.ownership.Remark(volume.comment, name.vmid), details);
  if (!comment.ok()) return comment.error().Wrap(failure);
  if (*comment == volume.comment) return {};
  const auto set = context.volumes.SetComment(volume.uuid, *comment, deadline);
  return set.ok() ? set : Status(set.error().Wrap(failure));
}

}  // namespace ontapnvme::pve
