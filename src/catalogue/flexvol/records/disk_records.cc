// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/flexvol/records/disk_records.h"

#include "catalogue/flexvol/facts/disk_spec.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

// Why the array does not serve the namespace.
std::optional<Error> FaultOf(const ontap::NvmeNamespace& ns, const std::string& shown) {
  if (ns.container_state == "volume_offline" || ns.container_state == "aggregate_offline") {
    return Error(ErrorCode::kUnavailable, shown + " is offline on the array")
        .With("container_state", ns.container_state)
        .Try("bring FlexVol '" + ns.volume_name + "' or its aggregate online");
  }
  if (ns.state == "space_error") {
    return Error(ErrorCode::kNoSpace, shown + " is out of space on the array")
        .With("flexvol", ns.volume_name)
        .Try("grow the FlexVol or free space on its aggregate, then bring the namespace online");
  }
  if (!ns.state.empty() && ns.state != "online") {
    return Error(ErrorCode::kUnavailable, shown + " is not online on the array")
        .With("state", ns.state)
        .Try("look at the namespace in FlexVol '" + ns.volume_name + "'");
  }
  return std::nullopt;
}

}  // namespace

Volume VolumeOf(const OwnedVolume& volume) {
  const auto& flexvol = volume->flexvol;
  Volume record{.name = volume->name,
                .container_name = flexvol.name,
                .container = flexvol.uuid,
                .container_size = flexvol.size,
                .used = flexvol.used,
                .mark = volume->mark,
                .group = std::nullopt,
                .create_time = flexvol.create_time,
                .is_clone = !flexvol.parent_volume_name.empty()};
  if (flexvol.group) {
    record.group = GroupRef{.uuid = flexvol.group->uuid,
                            .name = flexvol.group->name,
                            .is_shared = volume->is_group_shared};
  }
  return record;
}

Snapshot SnapshotOf(const Marker& marker, const OwnedSnapshot& snapshot) {
  const auto reading = marker.Read(snapshot->comment);
  const bool is_ours = reading.owner == Owner::kOurs;
  const bool is_adopted = is_ours && !reading.mark.adopted_from.empty();
  return {.name = ArraySnapshotName(snapshot->name),
          .uuid = snapshot->uuid,
          .create_time = snapshot->create_time,
          // Of a foreign mark nothing is believed.
          .taken_by = is_ours ? reading.mark.taken_by : "",
          .taken_ms = reading.mark.taken_ms,
          // The mark of an adopted one says who gave it its name.
          .taken_in = is_ours && !is_adopted ? reading.mark.operation_id : "",
          .is_locked_by_array = IsOfAntiRansomware(marker, snapshot),
          .size = snapshot->size,
          .locked_until = snapshot->expiry_time};
}

DiskNamespace NamespaceOf(const OwnedNamespace& ns, const std::string& shown) {
  return {.uuid = ns->uuid,
          .container_name = ns->volume_name,
          .size = ns->size,
          .used = ns->used,
          .mapping = Mapping::kUnread,
          .mapped_to = {},
          .fault = FaultOf(*ns, shown)};
}

Result<DiskNamespace> MappedNamespaceOf(const OwnedNamespace& ns, const std::string& shown,
                                        FactSource& facts, const Deadline& deadline) {
  DiskNamespace record = NamespaceOf(ns, shown);
  if (!ns->subsystem_uuid) {
    record.mapping = Mapping::kNone;
    return record;
  }
  auto known = facts.Remembered();
  // On a node that remembers nothing the subsystem's name decides, which is one of its SVM's.
  bool is_here = known ? *ns->subsystem_uuid == known->subsystem_uuid
                       : ns->subsystem_name == facts.subsystem_name();
  if (known && !is_here) {
    TRY(known, facts.Refresh(known->host_nqn, deadline));
    is_here = *ns->subsystem_uuid == known->subsystem_uuid;
  }
  record.mapping = is_here ? Mapping::kHere : Mapping::kElsewhere;
  if (!is_here) record.mapped_to = ns->subsystem_name;
  return record;
}

bool IsNearCeiling(const StorageConfig& config, const OwnedDisk& disk) {
  if (!disk.ns) return false;
  const ByteCount first_size = FlexVolSizeFor((*disk.ns)->size, config.snapshot_reserve_percent);
  const auto ceiling = AutosizeMaximum(config, first_size);
  return ceiling && disk.volume->flexvol.used.bytes() / 9 >= ceiling->bytes() / 10;
}

}  // namespace ontapnvme::catalogue::flexvol
