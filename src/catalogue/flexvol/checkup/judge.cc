// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/flexvol/checkup/judge.h"

namespace ontapnvme::catalogue::flexvol {

std::string Judge::Role(const char* access, const std::string& path) const {
  return "security login rest-role create -vserver " +
         (config_.is_svm_scoped ? config_.svm : std::string("CLUSTER")) + " -role ROLE -access " +
         access + " -api " + path;
}

void Judge::Unanswered(const char* check, const Error& error, bool is_needed, const char* access,
                       const std::string& path) {
  if (error.code() == ErrorCode::kPermissionDenied) {
    const std::string text = "account '" + config_.username + "' may not ask for it";
    is_needed ? AddFailure(results_, check, text, Role(access, path))
              : AddWarning(results_, check, text, Role(access, path));
    return;
  }
  AddWarning(results_, check, "it is not known: " + error.Plain(),
             "ontapnvme doctor " + config_.storage_id);
}

const char* Judge::Reason() const {
  if (FailedWith(answers_.array, ErrorCode::kUnauthenticated)) return "account";
  return answers_.array.ok() ? "release" : "array";
}

const char* Judge::SvmTrouble() const {
  const auto& svm = answers_.svm;
  if (!svm) return nullptr;
  if (FailedWith(*svm, ErrorCode::kNotFound) || FailedWith(*svm, ErrorCode::kConflict))
    return "svm";
  return svm->ok() && !(*svm)->IsRunning() ? "svm-state" : nullptr;
}

}  // namespace ontapnvme::catalogue::flexvol
