// SPDX-License-Identifier: AGPL-3.0-or-later
// Field tables of consistency groups and their snapshots. See Model for the format.
#include "schema.h"

namespace ontapnvme::sim::models {

const Model& ConsistencyGroup() {
  static const Model model("ConsistencyGroup", R"(
name                                str   kc
uuid                                str   kr
_tags                               str[] cp   since=15
parent_consistency_group.name       str   r
parent_consistency_group.uuid       str   r
replicated                          bool  r
replication_source                  bool  r
restore_to.snapshot.name            str   pw
restore_to.snapshot.uuid            str   pw
snapshot_policy.name                str   cp
snapshot_policy.uuid                str   cp
space.available                     int   r
space.size                          int   r
space.used                          int   r
svm.name                            str   c
svm.uuid                            str   c
namespaces                          list  rx   since=12
namespaces.name                     str   rx   since=12
namespaces.uuid                     str   rx   since=12
volumes                             list  cpx
volumes.comment                     str   rx
volumes.name                        str   cpx  len=1..203
volumes.provisioning_options.action str   cpw  enum=create|add|remove|reassign
volumes.space.available             int   rx
volumes.space.size                  int   rx
volumes.space.used                  int   rx
volumes.uuid                        str   rx
)");
  return model;
}

const Model& ConsistencyGroupSnapshot() {
  static const Model model("ConsistencyGroupSnapshot", R"(
name                           str   kcp
uuid                           str   kr
comment                        str   c
consistency_group.name         str   r
consistency_group.uuid         str   r
consistency_type               str   c    enum=crash|application
create_time                    str   r
is_partial                     bool  rx
missing_volumes                list  r
missing_volumes.name           str   rx
missing_volumes.uuid           str   rx
reclaimable_space              int   r    since=16
restore_size                   int   r    since=16
snapmirror_label               str   c
snapshot_volumes               list  r    since=12
snapshot_volumes.snapshot.name str   r    since=12
snapshot_volumes.snapshot.uuid str   r    since=12
snapshot_volumes.volume.name   str   r    since=12
snapshot_volumes.volume.uuid   str   r    since=12
svm.name                       str   r
svm.uuid                       str   r
write_fence                    bool  c    since=16
)");
  return model;
}

}  // namespace ontapnvme::sim::models
