// SPDX-License-Identifier: AGPL-3.0-or-later
// What the array's answers say of what a storage needs of it. Pure: the questions are asked
// elsewhere, so that each answer, and each that never came, can be judged alone.
#pragma once

#include <string>

#include "catalogue/flexvol/checkup/array_answers.h"
#include "model/check_result.h"
#include "model/storage_config.h"

namespace ontapnvme::catalogue::flexvol {

// One result for each check, always the same ones in the same order. `host_nqn`: this node's; empty
// when it has none.
CheckResults JudgeArray(const StorageConfig& config, const std::string& host_nqn,
                        const ArrayAnswers& answers);

}  // namespace ontapnvme::catalogue::flexvol
