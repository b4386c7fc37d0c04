// SPDX-License-Identifier: AGPL-3.0-or-later
// What the array's answers say of what a storage needs of it. Pure: the questions are asked
// elsewhere, so that each answer, and each that never came, can be judged alone.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/check_result.h"
#include "model/storage_config.h"
#include "ontap/nvme_subsystem.h"
#include "ontap/svm.h"

namespace ontapnvme::catalogue::flexvol {

// What was asked. Absent: it was not, because the array does not answer, or the settings do not need
// it.
struct ArrayAnswers {
  Status array;     // it answers and takes the account, whatever else it says
  Status platform;  // of a kind and release that a storage can be on
  std::string release = {};
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
};

// One result for each check, always the same ones in the same order. `host_nqn`: this node's; empty
// when it has none.
CheckResults JudgeArray(const StorageConfig& config, const std::string& host_nqn,
                        const ArrayAnswers& answers);

}  // namespace ontapnvme::catalogue::flexvol
