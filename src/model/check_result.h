// SPDX-License-Identifier: AGPL-3.0-or-later
// What looking at one thing around a storage came to, for the administrator.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace ontapnvme {

enum class CheckOutcome {
  kOk,
  kWarn,     // it works, and will hurt later; or it could not be found out
  kFail,     // disks cannot be used or made
  kSkipped,  // what it depends on complains already, or nobody tells who can be asked
};

struct CheckResult {
  std::string check;  // of the table in ontapnvme(8)
  CheckOutcome outcome = CheckOutcome::kOk;
  std::string text;    // one line
  std::string remedy;  // a command that can be pasted, or what to do; empty unless it complains
};

using CheckResults = std::vector<CheckResult>;

inline void AddOk(CheckResults& results, std::string check, std::string text) {
  results.push_back({std::move(check), CheckOutcome::kOk, std::move(text), ""});
}

inline void AddWarning(CheckResults& results, std::string check, std::string text,
                       std::string remedy) {
  results.push_back({std::move(check), CheckOutcome::kWarn, std::move(text), std::move(remedy)});
}

inline void AddFailure(CheckResults& results, std::string check, std::string text,
                       std::string remedy) {
  results.push_back({std::move(check), CheckOutcome::kFail, std::move(text), std::move(remedy)});
}

// It cannot be told, and that is nobody's fault: `text` says why.
inline void AddUntold(CheckResults& results, std::string check, std::string text) {
  results.push_back({std::move(check), CheckOutcome::kSkipped, std::move(text), ""});
}

inline void AddSkipped(CheckResults& results, std::string check, const std::string& because) {
  results.push_back({std::move(check), CheckOutcome::kSkipped,
                     "not looked at: '" + because + "' comes first", ""});
}

}  // namespace ontapnvme
