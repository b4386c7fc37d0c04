// SPDX-License-Identifier: AGPL-3.0-or-later
// What the checks of an array's answers share: when a question was not answered, and when a check waits for
// another.
#pragma once

#include <initializer_list>
#include <string>

#include "catalogue/flexvol/checkup/array_answers.h"
#include "model/check_result.h"
#include "model/storage_config.h"

namespace ontapnvme::catalogue::flexvol {

class Judge {
 public:
  // All are borrowed.
  Judge(const StorageConfig& config, const ArrayAnswers& answers, CheckResults& results)
      : config_(config), answers_(answers), results_(results) {}

 protected:
  std::string Role(const char* access, const std::string& path) const;
  // The question was not answered. A right that is missing is a complaint of its own; everything else
  // leaves the matter unknown, which is neither good nor bad.
  void Unanswered(const char* check, const Error& error, bool is_needed, const char* access,
                  const std::string& path);
  // The check that explains why nothing was asked.
  const char* Reason() const;
  // The check of the SVM after which the array refuses, or cannot have, all the rest.
  const char* SvmTrouble() const;
  // Whether what belongs to the SVM can be judged; otherwise these are skipped.
  template <typename Answer>
  bool IsJudged(const std::optional<Answer>& answer, std::initializer_list<const char*> checks) {
    const char* trouble = answer ? SvmTrouble() : Reason();
    if (trouble == nullptr) return true;
    for (const char* check : checks) AddSkipped(results_, check, trouble);
    return false;
  }

  const StorageConfig& config_;
  const ArrayAnswers& answers_;
  CheckResults& results_;
};

}  // namespace ontapnvme::catalogue::flexvol
