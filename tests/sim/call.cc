// SPDX-License-Identifier: AGPL-3.0-or-later
#include "call.h"

#include "api_error.h"

namespace ontapnvme::sim {

void Call::RequireNoMoreParams() const {
  if (query.params.empty() || query.ignore_unknown_fields) return;
  const std::string& name = query.params.begin()->first;
  Refuse(code::kUnexpectedArgument, "Unexpected argument \"" + name + "\".", name);
}

Svm& Call::RequireSvm(const nlohmann::json& body) const {
  const std::string name = TextAt(body, "svm.name");
  const std::string uuid = TextAt(body, "svm.uuid");
  if (name.empty() && uuid.empty()) {
    Svm* implied = world.svms.Find(svm_uuid);
    if (implied == nullptr) Refuse(code::kSvmMissing, "No SVM was specified", "svm.name");
    return *implied;
  }
  Svm* svm = uuid.empty() ? world.FindSvm(name) : world.svms.Find(uuid);
  if (svm == nullptr || !Sees(svm->uuid)) {
    Refuse(code::kSvmNotVisible,
           "SVM \"" + (name.empty() ? uuid : name) +
               "\" does not exist or is not accessible to this user",
           name.empty() ? "svm.uuid" : "svm.name");
  }
  if (!name.empty() && svm->name != name) {
    Refuse(code::kSvmMismatch, "The SVM name and UUID do not match", "svm.name");
  }
  return *svm;
}

}  // namespace ontapnvme::sim
