// SPDX-License-Identifier: AGPL-3.0-or-later
// What every part of this layer works with: one array, one node, one storage's settings. Made by
// the composition root (storage.cc), or by a test with other transports, hosts and clocks.
#pragma once

#include <functional>
#include <string>

#include "base/log.h"
#include "nvme/host.h"
#include "ontap/consistency_group.h"
#include "ontap/flexvol.h"
#include "ontap/nvme_namespace.h"
#include "ontap/nvme_subsystem.h"
#include "ontap/rest_client.h"
#include "ontap/snapshot.h"
#include "ontap/svm.h"
#include "pve/device_links.h"
#include "pve/disk_memory.h"
#include "pve/node_memory.h"
#include "pve/ownership.h"
#include "pve/storage.h"
#include "pve/storage_config.h"

namespace ontapnvme::pve {

struct Context {
  // `transport` and `host` are borrowed.
  Context(StorageConfig storage_config, Secrets storage_secrets, const Surroundings& surroundings,
          http::Transport& transport, nvme::Host& nvme_host, http::Jitter jitter);
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  StorageConfig config;
  Secrets secrets;
  Log log;
  ontap::RestClient rest;
  ontap::FlexVols volumes;
  ontap::NvmeNamespaces namespaces;
  ontap::NvmeSubsystems subsystems;
  ontap::Snapshots snapshots;
  ontap::ConsistencyGroups groups;
  ontap::Svms svms;
  nvme::Host& host;
  Ownership ownership;
  NodeMemory memory;
  DiskMemory disk_memory;
  DeviceLinks links;
  std::string lvm_config_file;
};

// How long undoing may take after the budget of the operation itself is over: what cannot be undone
// by then is named in the error and carries our mark.
inline constexpr Duration kUndoBudget{8000};

}  // namespace ontapnvme::pve
