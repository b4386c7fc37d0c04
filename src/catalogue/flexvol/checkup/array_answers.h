// SPDX-License-Identifier: AGPL-3.0-or-later
// What was asked of an array that is looked at, and what it said.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "ontap/disk_records.h"
#include "ontap/nvme_subsystem.h"
#include "ontap/svm.h"

namespace ontapnvme::catalogue::flexvol {

struct DiskHealth {
  std::string volume;  // as Proxmox calls it
  ontap::FlexVolHealth health;
};

// What was asked. Absent: it was not, because the array does not answer, or the settings do not need
// it.
struct ArrayAnswers {
  Status array;     // it answers and takes the account, whatever else it says
  Status platform;  // of a kind and release that a storage can be on
  std::string release = {};
  bool is_without_protection = false;  // of a release that has none against ransomware for disks
  std::optional<Result<ontap::SvmInfo>> svm = {};
  std::optional<Result<bool>> nvme_service = {};
  std::optional<Result<ontap::AggregateInfo>> aggregate = {};
  std::optional<Result<std::vector<ontap::DataLif>>> lifs = {};
  std::optional<Result<std::optional<ontap::NvmeSubsystem>>> subsystem = {};
  std::optional<Result<bool>> qos_policy = {};
  std::optional<Result<bool>> adaptive_qos_policy = {};
  std::optional<Result<bool>> snapshot_policy = {};
  std::optional<Status> volumes = {};     // whether the account may look at them
  std::optional<Status> namespaces = {};  // likewise
  std::optional<Status> groups = {};      // likewise
  std::optional<std::chrono::seconds> clock_ahead =
      {};  // of this node's; also where it does not say
  // Not asked without a subsystem.
  std::optional<Result<std::size_t>> mapped_namespaces = {};
  // Of hosts of the subsystem, the nodes that told them and are no members any more; nothing where that
  // is not known.
  std::optional<std::map<std::string, std::string>> left_by_nqn = {};
  std::optional<Result<std::vector<DiskHealth>>> disks =
      {};  // not asked without the right to volumes
  // Not asked for an account of the SVM.
  std::optional<Result<ontap::MultiAdminVerification>> multi_admin = {};
};

}  // namespace ontapnvme::catalogue::flexvol
