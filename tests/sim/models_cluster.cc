// SPDX-License-Identifier: AGPL-3.0-or-later
// Field tables of the cluster around the storage objects. See Model for the format.
#include "schema.h"

namespace ontapnvme::sim::models {

const Model& Cluster() {
  static const Model model("Cluster", R"(
name               str   kr
uuid               str   kr
disaggregated      bool  r    since=16
san_optimized      bool  r
version.full       str   r
version.generation int   r
version.major      int   r
version.minor      int   r
)");
  return model;
}

const Model& MultiAdminVerify() {
  static const Model model("MultiAdminVerify", R"(
approval_expiry    str   r
enabled            bool  r
execution_expiry   str   r
required_approvers int   r
)");
  return model;
}

const Model& MultiAdminRule() {
  static const Model model("MultiAdminRule", R"(
operation          str   kr
owner.name         str   r
owner.uuid         str   kr
query              str   r
required_approvers int   r
system_defined     bool  r
)");
  return model;
}

const Model& Job() {
  static const Model model("Job", R"(
uuid          str   kr
code          int   r
description   str   r
end_time      str   r
error.code    str   r
error.message str   r
message       str   r
node.name     str   r    since=11
start_time    str   r
state         str   r    enum=queued|running|paused|success|failure
svm.name      str   r
svm.uuid      str   r
)");
  return model;
}

const Model& Svm() {
  static const Model model("Svm", R"(
name                                str   kr
uuid                                str   kr
aggregates                          list  r
aggregates.available_size           int   r    since=12
aggregates.name                     str   r
aggregates.snaplock_type            str   r    since=12 enum=non_snaplock|compliance|enterprise
aggregates.state                    str   r    since=12 enum=online|offline|unknown
aggregates.type                     str   r    since=12 enum=hdd|hybrid|lun|ssd|vmdisk
aggregates.uuid                     str   r
aggregates_delegated                bool  r
comment                             str   r
max_volumes                         str   r
number_of_volumes_in_recovery_queue int   r    since=13
nvme.allowed                        bool  r
nvme.enabled                        bool  r
snapshot_policy.name                str   r
snapshot_policy.uuid                str   r
state                               str   r    enum=starting|running|stopping|stopped|deleting|initializing
storage.allocated                   int   r    since=14
storage.available                   int   r    since=14
storage.limit                       int   r    since=14
storage.limit_threshold_alert       int   r    since=14
storage.limit_threshold_exceeded    bool  r    since=14
storage.used_percentage             int   r    since=14
subtype                             str   r    enum=default|dp_destination|sync_source|sync_destination|data_engine
total_volume_size_in_recovery_queue int   r    since=13
)");
  return model;
}

const Model& Aggregate() {
  static const Model model("Aggregate", R"(
name                                                        str   kr
uuid                                                        str   kr
cloud_storage.attach_eligible                               bool  r    since=14
cloud_storage.stores                                        list  r
cloud_storage.stores.cloud_store.name                       str   r    since=14
cloud_storage.stores.cloud_store.uuid                       str   r    since=14
cloud_storage.stores.used                                   int   r    since=14
cloud_storage.tiering_fullness_threshold                    int   r
data_encryption.drive_protection_enabled                    bool  r
data_encryption.software_encryption_enabled                 bool  r
node.name                                                   str   r
node.uuid                                                   str   r
snaplock_type                                               str   r    enum=non_snaplock|compliance|enterprise
space.block_storage.available                               int   r
space.block_storage.full_threshold_percent                  int   r
space.block_storage.physical_used                           int   r
space.block_storage.physical_used_percent                   int   r
space.block_storage.size                                    int   r
space.block_storage.used                                    int   r
space.block_storage.used_including_snapshot_reserve         int   r
space.block_storage.used_including_snapshot_reserve_percent int   r
space.block_storage.used_percent                            int   r    since=13
space.block_storage.volume_footprints_percent               int   r
space.cloud_storage.used                                    int   r
space.footprint                                             int   rx
state                                                       str   r    enum=online|onlining|offline|offlining|relocating|unmounted|restricted|inconsistent|failed|unknown
)");
  return model;
}

const Model& IpInterface() {
  static const Model model("IPInterface", R"(
name                    str   kr
uuid                    str   kr
enabled                 bool  r
ip.address              str   r
ip.family               str   r
ip.netmask              str   r
location.home_node.name str   r
location.home_node.uuid str   r
location.is_home        bool  r
location.node.name      str   r
location.node.uuid      str   r
scope                   str   r    enum=svm|cluster
service_policy.name     str   r
service_policy.uuid     str   r
services                str[] r
state                   str   r    enum=up|down
svm.name                str   r
svm.uuid                str   r
)");
  return model;
}

const Model& QosPolicy() {
  static const Model model("QosPolicy", R"(
name                              str   kcp
uuid                              str   kr
adaptive.absolute_min_iops        int   cp
adaptive.block_size               str   cp   enum=any|4k|8k|16k|32k|64k|128k
adaptive.expected_iops            int   cp
adaptive.expected_iops_allocation str   cp   enum=used_space|allocated_space
adaptive.peak_iops                int   cp
adaptive.peak_iops_allocation     str   cp   enum=used_space|allocated_space
fixed.capacity_shared             bool  cp
fixed.max_throughput_iops         int   cp   range=0..2147483647
fixed.max_throughput_mbps         int   cp   range=0..4194303
fixed.min_throughput_iops         int   cp   range=0..2147483647
fixed.min_throughput_mbps         int   cp   range=0..4194303
object_count                      int   r
pgid                              int   r
policy_class                      str   r    enum=undefined|preset|user_defined|system_defined|autovolume|load_control
scope                             str   r    since=11 enum=cluster|svm
svm.name                          str   c
svm.uuid                          str   c
)");
  return model;
}

const Model& SnapshotPolicy() {
  static const Model model("SnapshotPolicy", R"(
name                    str   kr
uuid                    str   kr
comment                 str   r
copies                  list  r
copies.count            int   r
copies.prefix           str   r
copies.retention_period str   r    since=12
copies.schedule.name    str   r
copies.schedule.uuid    str   r    since=16
copies.snapmirror_label str   r
enabled                 bool  r
scope                   str   r    enum=svm|cluster
svm.name                str   r
svm.uuid                str   r
)");
  return model;
}

}  // namespace ontapnvme::sim::models
