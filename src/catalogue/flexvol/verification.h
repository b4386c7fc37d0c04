// SPDX-License-Identifier: AGPL-3.0-or-later
// Everything that a new or changed storage needs, asked before Proxmox writes its section, and
// again whenever an administrator wants to know.
#pragma once

#include <string>

#include "base/deadline.h"
#include "base/result.h"
#include "catalogue/flexvol/session.h"
#include "model/check_result.h"
#include "model/storage_config.h"
#include "ontap/svm.h"

namespace ontapnvme::catalogue::flexvol {

// What follows when the account may not read aggregates; see MissingRights.
inline constexpr const char* kCapacityOfSvm =
    "the capacity shown is the SVM's instead of the aggregate's (for an account of the SVM set "
    "svm_scoped 1)";

// See Array::Verify. The order is that in which an administrator can act: reach the array, then the
// SVM, then what disks are made of.
Status VerifyArray(const Session& session, const Secrets& secrets, ontap::Svms& svms,
                   const std::string& host_nqn, const Deadline& deadline);

// See Array::Examine. Nothing more is asked of an array that does not answer, does not take the
// account, or is of a kind that no storage can be on.
CheckResults ExamineArray(const Session& session, ontap::Svms& svms, const std::string& host_nqn,
                          const Deadline& deadline);

}  // namespace ontapnvme::catalogue::flexvol
