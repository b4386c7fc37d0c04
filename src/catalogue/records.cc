// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/records.h"

#include <algorithm>

namespace ontapnvme::catalogue {

const DiskHistory* VmHistory::Find(const VolumeName& name) const {
  const auto found =
      std::find_if(disks.begin(), disks.end(), [&](const auto& disk) { return disk.name == name; });
  return found == disks.end() ? nullptr : &*found;
}

SnapshotKind Snapshot::Kind() const {
  if (name.OfProxmox()) return SnapshotKind::kProxmox;
  // Of a template whose first name for it was taken, it has a number at its end.
  if (name.Text().starts_with(kBaseSnapshot)) return SnapshotKind::kTemplate;
  if (is_locked_by_array) return SnapshotKind::kRansomware;
  return name.IsOfSchedule() ? SnapshotKind::kSchedule : SnapshotKind::kOther;
}

}  // namespace ontapnvme::catalogue
