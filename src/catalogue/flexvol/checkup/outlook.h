// SPDX-License-Identifier: AGPL-3.0-or-later
// What works today and will hurt later: clocks, limits, hosts of nodes that are gone, protection against
// ransomware, and administrators who have to agree.
#pragma once

#include "catalogue/flexvol/checkup/array_answers.h"
#include "model/check_result.h"
#include "model/storage_config.h"

namespace ontapnvme::catalogue::flexvol {

// Adds one result for each check, always the same ones in the same order.
void JudgeOutlook(const StorageConfig& config, const ArrayAnswers& answers, CheckResults& results);

}  // namespace ontapnvme::catalogue::flexvol
