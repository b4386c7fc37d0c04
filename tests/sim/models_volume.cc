// SPDX-License-Identifier: AGPL-3.0-or-later
// Field tables of volumes, their snapshots and the recovery queue. See Model for the format.
#include "schema.h"

namespace ontapnvme::sim::models {

const Model& Volume() {
  static const Model model("Volume", R"(
name                                        str   kcp
uuid                                        str   kr
_tags                                       str[] cp   since=13
aggregates                                  list  c
aggregates.name                             str   c
aggregates.uuid                             str   c
anti_ransomware.attack_probability          str   r    enum=none|low|moderate|high
anti_ransomware.state                       str   cp   enum=disabled|disable_in_progress|dry_run|enabled|paused|enable_paused|dry_run_paused
autosize.grow_threshold                     int   cpx
autosize.maximum                            int   cpx
autosize.minimum                            int   cpx
autosize.mode                               str   cpx  enum=grow|grow_shrink|off
autosize.shrink_threshold                   int   cpx
clone.has_flexclone                         bool  r    since=16
clone.inherited_physical_used               int   r    since=12
clone.is_flexclone                          bool  c
clone.parent_snapshot.name                  str   cx
clone.parent_snapshot.uuid                  str   cx
clone.parent_volume.name                    str   cx
clone.parent_volume.uuid                    str   cx
clone.split_complete_percent                int   rx
clone.split_estimate                        int   rx
clone.split_initiated                       bool  px
comment                                     str   cp   len=0..1023
consistency_group.name                      str   r
consistency_group.uuid                      str   r
create_time                                 str   r
efficiency.state                            str   cpx  enum=disabled|enabled|mixed|custom
efficiency.storage_efficiency_mode          str   cpx  enum=default|efficient
encryption.enabled                          bool  cpx
encryption.state                            str   rx   enum=encrypted|encrypting|partial|rekeying|unencrypted
encryption.type                             str   rx   enum=none|volume|aggregate
guarantee.honored                           bool  rx
guarantee.type                              str   cpx  enum=volume|none
is_svm_root                                 bool  rx
movement.capacity_tier_optimized            bool  px   since=16
movement.cutover_window                     int   px
movement.destination_aggregate.name         str   px
movement.destination_aggregate.uuid         str   px
movement.percent_complete                   int   rx
movement.start_time                         str   rx
movement.state                              str   px   enum=aborted|cutover|cutover_wait|cutover_pending|failed|paused|queued|replicating|success
movement.tiering_policy                     str   px   enum=all|auto|backup|none|snapshot_only
nas.path                                    str   cpx
qos.policy.max_throughput_iops              int   cpx  range=0..2147483647
qos.policy.max_throughput_mbps              int   cpx  range=0..4194303
qos.policy.min_throughput_iops              int   cpx  range=0..2147483647
qos.policy.min_throughput_mbps              int   cpx  range=0..4194303
qos.policy.name                             str   cpxn
qos.policy.uuid                             str   cpx
scheduled_snapshot_naming_scheme            str   cp   enum=create_time|ordinal
size                                        int   cp
snapshot_count                              int   r    range=0..1023
snapshot_directory_access_enabled           bool  cp   since=13
snapshot_locking_enabled                    bool  cp   since=12
snapshot_policy.name                        str   cp
snapshot_policy.uuid                        str   cp
space.available                             int   r
space.fractional_reserve                    int   cpx
space.large_size_enabled                    bool  cpx  since=12
space.logical_space.available               int   rx
space.logical_space.enforcement             bool  cpx
space.logical_space.reporting               bool  cpx
space.logical_space.used                    int   rx
space.logical_space.used_percent            int   rx
space.max_size                              str   cp   since=14 enum=100T|300T|600T
space.percent_used                          int   rx
space.physical_used                         int   rx
space.size                                  int   cp
space.snapshot.autodelete.commitment        str   px   since=13 enum=try|disrupt|destroy
space.snapshot.autodelete.defer_delete      str   px   since=13 enum=scheduled|user_created|prefix|none
space.snapshot.autodelete.delete_order      str   px   since=13 enum=newest_first|oldest_first
space.snapshot.autodelete.enabled           bool  px   since=13
space.snapshot.autodelete.prefix            str   px   since=13
space.snapshot.autodelete.target_free_space int   px   since=13
space.snapshot.autodelete.trigger           str   px   since=13 enum=volume|snap_reserve
space.snapshot.autodelete_enabled           bool  px
space.snapshot.autodelete_trigger           str   px   enum=volume|snap_reserve
space.snapshot.reserve_available            int   rx
space.snapshot.reserve_percent              int   cpx
space.snapshot.reserve_size                 int   rx
space.snapshot.space_used_percent           int   rx
space.snapshot.used                         int   rx
space.used                                  int   r
state                                       str   cp   enum=error|mixed|offline|online|restricted
style                                       str   c    enum=flexvol|flexgroup|flexgroup_constituent
svm.name                                    str   c
svm.uuid                                    str   c
tiering.min_cooling_days                    int   cp   range=2..183
tiering.policy                              str   cp   enum=all|auto|none|snapshot_only
tiering.supported                           bool  r
type                                        str   c    enum=rw|dp|ls
)");
  return model;
}

const Model& Snapshot() {
  static const Model model("Snapshot", R"(
name                str   kcp
uuid                str   kr
comment             str   cp
create_time         str   r
delta.size_consumed int   rx   since=12
delta.time_elapsed  str   rx   since=12
expiry_time         str   cp
logical_size        int   r    since=12
owners              str[] r
reclaimable_space   int   rx
size                int   r
snapmirror_label    str   cp   len=1..31
state               str   r    enum=valid|invalid|partial|unknown|pre_conversion
svm.name            str   r
svm.uuid            str   r
version_uuid        str   r    since=11
volume.name         str   r
volume.uuid         str   r
)");
  return model;
}

const Model& RecoveryQueueEntry() {
  static const Model model("RecoveryQueueEntry", R"(
volume                str   kr
vserver               str   kr
deletion_request_time str   r
retention_hours       int   r
)");
  return model;
}

}  // namespace ontapnvme::sim::models
