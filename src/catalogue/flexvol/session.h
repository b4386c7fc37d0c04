// SPDX-License-Identifier: AGPL-3.0-or-later
// What every part of this back end that touches disks works with. All borrowed, from Backend.
#pragma once

#include "base/log.h"
#include "catalogue/flexvol/facts/array_facts.h"
#include "catalogue/flexvol/gate.h"
#include "catalogue/flexvol/qualify/scratch_removal.h"
#include "catalogue/flexvol/vm_group.h"
#include "model/storage_config.h"
#include "node/cluster_members.h"
#include "node/disk_memory.h"

namespace ontapnvme::catalogue::flexvol {

struct Session {
  const StorageConfig& config;
  Log& log;
  FactSource& facts;
  Gate& gate;
  VmGroups& groups;
  ScratchRemoval& scratch;
  const node::ClusterMembers& members;
  const node::DiskMemory& memory;  // which namespace each volume is, as far as the cluster knows
};

}  // namespace ontapnvme::catalogue::flexvol
