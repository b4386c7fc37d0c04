// SPDX-License-Identifier: AGPL-3.0-or-later
// Records of the array that were found to be ours. Only the two gates can make one (Gate for volumes
// and what is in them, VmGroups for groups), and whatever changes the array takes nothing else: a
// filter that was forgotten does not compile.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/mark.h"
#include "model/volume_name.h"
#include "ontap/flexvol.h"
#include "ontap/nvme_namespace.h"
#include "ontap/snapshot.h"

namespace ontapnvme::catalogue::flexvol {

template <typename Record>
class Owned {
 public:
  const Record& operator*() const { return record_; }
  const Record* operator->() const { return &record_; }

 private:
  friend class Gate;
  friend class VmGroups;
  explicit Owned(Record record) : record_(std::move(record)) {}
  Record record_;
};

struct VolumeRecord {
  ontap::FlexVol flexvol = {};
  // With the base part of a linked clone. Of no meaning for what is no volume of Proxmox's: parked
  // volumes and snapshot devices.
  VolumeName name = {};
  MarkReading mark = {};
  std::optional<Uuid> ns = std::nullopt;  // its namespace, where the answer had it
  bool has_namespaces = false;            // the answer had some in it, whatever they are
  bool is_group_shared = false;           // see GroupRef
};
using OwnedVolume = Owned<VolumeRecord>;
using OwnedNamespace = Owned<ontap::NvmeNamespace>;
using OwnedSnapshot = Owned<ontap::Snapshot>;

// Also under the name that it was adopted by.
inline bool IsOfAntiRansomware(const Marker& marker, const OwnedSnapshot& snapshot) {
  if (snapshot->IsOfAntiRansomware()) return true;
  const auto reading = marker.Read(snapshot->comment);
  return reading.owner == Owner::kOurs &&
         ontap::Snapshot::IsNameOfAntiRansomware(reading.mark.adopted_from);
}

struct OwnedDisk {
  OwnedVolume volume;
  std::optional<OwnedNamespace> ns;
  bool is_ambiguous = false;  // the volume holds several namespaces: it is no disk of ours
  // Of snapshots, beside `ns`, which rollbacks made and did not take away. See CopyName.
  std::vector<OwnedNamespace> copies = {};
};

struct GroupRecord {
  Uuid uuid;
  std::string name;
  std::vector<OwnedVolume> members;
};
using OwnedGroup = Owned<GroupRecord>;

struct GroupSnapshotRecord {
  Uuid uuid;
  Uuid group;
  std::vector<OwnedVolume> volumes;  // that it holds
};
using OwnedGroupSnapshot = Owned<GroupSnapshotRecord>;

}  // namespace ontapnvme::catalogue::flexvol
